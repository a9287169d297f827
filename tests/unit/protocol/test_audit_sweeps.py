"""Exchanges that are judged where they stand: which ones are, and that they come to the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.__main__ import read_bundle
from protocol.audit import (
    auditor,
    messages,
    preparing,
    rounds,
    routing,
    surveying,
    sweeping,
    windows,
)
from protocol.audit.exchanges import JudgedPartition, JudgeTask, judge_partition
from protocol.audit.findings import Report, Verdict
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE, Bundle, parse_bundle_files
from protocol.consent import Consent, Span
from protocol.encoding import encode_b64u, sha256
from protocol.entry import ErasedEntry, ExchangeEntry, ResponseEntry, format_entry
from protocol.message import Envelope
from scripts.benches.verify_bundles import HUB_KEY as BENCH_KEY
from scripts.benches.verify_bundles import make_bundles
from tests.support.auditing import ALPHA, BETA, GAMMA, codes, compare_sweeps
from tests.support.federation import HUB_KEY, Federation, make_key, query_body

Counted = dict[int, int]


def encode_header(typ: str = "cx-query+jws") -> bytes:
    """Return the header of a message by a key of nobody, or of the kind given by one of ALPHA."""
    key = make_key("nobody") if typ == "cx-query+jws" else make_wide()[0].members[ALPHA].key
    header = {"alg": "Ed25519", "kid": key.kid, "typ": typ}
    return encode_b64u(json.dumps(header, separators=(",", ":")).encode("ascii")).encode("ascii")


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Judge as a large audit; count the exchanges that partitions judge, by their last round."""
    counted: Counted = {}

    def count(world: World, task: JudgeTask) -> JudgedPartition:
        judged = judge_partition(world, task)
        counted[task.partition] = judged.exchanges
        return judged

    monkeypatch.setattr(preparing, "KEPT_ENTRIES_MAX", -1)
    monkeypatch.setattr(rounds, "judge_partition", count)
    return counted


def audit(bundles: list[Bundle]) -> Report:
    return auditor.audit_bundles(bundles, anchor=HUB_KEY.public)


def widen(consent: Consent) -> Consent:
    return replace(consent, max_uses=100, frequency=Span(unit="day", n=100))


def make_wide() -> tuple[Federation, bytes]:
    federation = Federation(ALPHA, BETA)
    return federation, federation.consent(ALPHA, BETA, widen)


def make_busy(count: int = 6) -> Federation:
    federation = Federation(ALPHA, BETA, GAMMA)
    first = federation.consent(ALPHA, BETA, widen)
    second = federation.consent(GAMMA, ALPHA, widen)
    for number in range(count):
        federation.now_s += 1
        asked = federation.ask(ALPHA, BETA, first)
        federation.ask(GAMMA, ALPHA, second)
        if number % 2:
            federation.acknowledge(ALPHA, BETA, asked)
    return federation


# --- which exchanges are judged where they stand


def test_ordinary_exchanges_are_judged_where_they_stand(routed: Counted) -> None:
    report = audit(make_busy().bundles())

    assert report.verdict is Verdict.PROVEN
    assert report.totals.exchanges == 15
    assert report.totals.uses == 12
    assert sum(routed.values()) == 0


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have windows hold a few exchanges each."""
    for module in (surveying, windows):
        monkeypatch.setattr(module, "MARK_BYTES", 2**13)
    monkeypatch.setattr(surveying, "SURVEY_BYTES", 2**16)
    monkeypatch.setattr(windows, "WINDOW_BYTES", 2**16)
    monkeypatch.setattr(windows, "LAST_WINDOWS_BYTES", 2**15)
    monkeypatch.setattr(windows, "BLOCKS_BEHIND", 0)
    monkeypatch.setattr(routing, "RANGE_BYTES", 2**14)
    monkeypatch.setattr(routing, "BLOCKS_PER_TASK", 1)


@pytest.mark.usefixtures("narrow")
def test_many_windows_hold_nearly_all_exchanges(routed: Counted) -> None:
    report = audit(make_busy(60).bundles())

    assert report.verdict is Verdict.PROVEN
    assert report.totals.exchanges == 150
    assert sum(routed.values()) < 15


@pytest.mark.usefixtures("narrow")
def test_a_file_in_which_time_falls_back_is_followed_from_there(
    routed: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "FALL_S", 10)
    federation = make_busy(60)
    for member in federation.members.values():
        member.records.sort(key=lambda record: record.side)  # as nodes export them

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert sum(routed.values()) < 15


@pytest.mark.usefixtures("narrow")
def test_files_in_any_order_come_to_the_same() -> None:
    federation = make_busy(30)
    for number, member in enumerate(federation.members.values()):
        member.records.sort(key=lambda record: sha256(record.request.salt, bytes([number])))

    compare_sweeps(federation.bundles(), anchor=HUB_KEY.public)


@pytest.mark.usefixtures("narrow")
def test_what_lies_between_ordinary_exchanges_is_judged_in_its_partition(routed: Counted) -> None:
    federation = make_busy(75)
    gamma = federation.consent(BETA, GAMMA, widen)
    refused = federation.request(
        BETA, GAMMA, op="query", body=query_body(gamma), purpose="P1", consents=(gamma,)
    )
    federation.decide(refused, code="no-answer", use=1)
    federation.receive(refused)
    for name in (ALPHA, GAMMA):
        federation.ask(name, BETA if name == ALPHA else ALPHA, federation.consent(name, BETA))
    bundles = federation.bundles()

    report = audit(bundles)

    assert 0 < sum(routed.values()) < 25
    assert report.verdict is Verdict.CONTRADICTED
    compare_sweeps(bundles, anchor=HUB_KEY.public)


@pytest.mark.parametrize("is_mixed", [False, True])
def test_messages_under_few_heads_are_judged_where_they_stand(
    *, is_mixed: bool, tmp_path: Path, routed: Counted
) -> None:
    folders = make_bundles(tmp_path, exchanges=140, batch=64)
    for folder in folders:
        path = folder / MESSAGES_FILE
        lines = path.read_bytes().splitlines(keepends=True)
        mixed = sorted(lines, key=lambda line: sha256(line[:-10]))
        path.write_bytes(b"".join(mixed if is_mixed else lines))

    bundles = [read_bundle(folder) for folder in folders]
    report = auditor.audit_bundles(bundles, anchor=BENCH_KEY.public)

    assert report.verdict is Verdict.PROVEN
    assert report.totals.exchanges == 143
    assert sum(routed.values()) == 0


def test_an_entry_that_was_altered_to_show_another_exchange_holds_that_one_back(
    routed: Counted,
) -> None:
    federation = make_busy(75)
    entries = federation.members[ALPHA].log.entries
    files = {name: federation.export(name) for name in federation.members}
    first, last = entries[1][-24:-2], entries[-1][-24:-2]
    path = "tile/entries/000"
    files[ALPHA][path] = files[ALPHA][path].replace(first, last, 1)

    report = audit([parse_bundle_files(held, name=name) for name, held in files.items()])

    assert "entry-altered" in codes(report)
    assert sum(routed.values()) > 1


def test_little_is_held_and_signatures_are_verified_a_few_at_a_time(
    routed: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "HEADS_HELD_MAX", 1)
    monkeypatch.setattr(messages, "FRAMES_HELD_MAX", 1)
    monkeypatch.setattr(sweeping, "SIGNED_AT_ONCE", 4)
    bundles = make_busy(20).bundles()

    report = audit(bundles)

    assert report.verdict is Verdict.PROVEN
    assert sum(routed.values()) == 0
    compare_sweeps(bundles, anchor=HUB_KEY.public)


# --- exchanges of which there is more than a window saw


def log_entry(federation: Federation, name: str, entry: ErasedEntry | ResponseEntry) -> None:
    federation.members[name].log.append(format_entry(entry))


def test_an_exchange_with_one_more_entry_is_let_go(routed: Counted) -> None:
    federation, consent = make_wide()
    asked = [federation.ask(ALPHA, BETA, consent) for _ in range(3)]
    assert asked[1].answer is not None
    erased = ErasedEntry(
        at_ms=federation.now_s * 1000,
        xid=asked[1].envelope.jti,
        peer=BETA,
        basis="data-life",
        msgs=(asked[1].answer.msg_hash,),
    )
    log_entry(federation, ALPHA, erased)

    report = audit(federation.bundles())

    assert codes(report) == {"erasure-contradicted"}
    assert report.totals.exchanges == 3
    assert report.totals.uses == 3
    assert sum(routed.values()) == 1


def test_an_exchange_with_one_more_line_is_let_go(routed: Counted) -> None:
    federation, consent = make_wide()
    for _ in range(3):
        federation.ask(ALPHA, BETA, consent)
    files = {name: federation.export(name) for name in (ALPHA, BETA)}
    lines = files[ALPHA][MESSAGES_FILE].splitlines(keepends=True)
    files[ALPHA][MESSAGES_FILE] += lines[0] + lines[2].replace(b'"side"', b'"side" ')

    report = audit([parse_bundle_files(held, name=name) for name, held in files.items()])

    assert report.verdict is Verdict.PROVEN
    assert report.totals.exchanges == 3
    assert sum(routed.values()) == 2


def test_exchanges_of_which_others_say_something_are_let_go(routed: Counted) -> None:
    federation = Federation(ALPHA, BETA)
    few = federation.consent(ALPHA, BETA, lambda one: replace(widen(one), max_uses=3))
    for _ in range(5):
        federation.ask(ALPHA, BETA, few)

    report = audit(federation.bundles())

    assert codes(report) == {"consent-exhausted"}
    assert [one.verdict for one in report.exchanges] == [Verdict.CONTRADICTED] * 2
    assert report.totals.exchanges == 5
    assert report.totals.uses == 5
    assert sum(routed.values()) == 2


def test_a_window_lets_exchanges_go_one_after_the_other(routed: Counted) -> None:
    federation = Federation(ALPHA, BETA)
    few = federation.consent(ALPHA, BETA, lambda one: replace(widen(one), max_uses=3))
    for _ in range(4):
        federation.ask(ALPHA, BETA, few)
    files = {name: federation.export(name) for name in (ALPHA, BETA)}
    first = files[ALPHA][MESSAGES_FILE].splitlines(keepends=True)[0]
    files[ALPHA][MESSAGES_FILE] += first.replace(b'"side"', b'"side" ')

    report = audit([parse_bundle_files(held, name=name) for name, held in files.items()])

    assert codes(report) == {"consent-exhausted"}
    assert report.totals.exchanges == 4
    assert sum(routed.values()) == 2


def test_a_receipt_for_an_answer_of_nobody_is_let_go(routed: Counted) -> None:
    federation, consent = make_wide()
    asked = federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    assert asked.answer is not None
    never = replace(asked, answer=replace(asked.answer, env=asked.answer.env + "x"))
    federation.acknowledge(ALPHA, BETA, asked, never)

    report = audit(federation.bundles())

    assert codes(report) == {"receipt-unfounded"}
    assert sum(routed.values()) == 1


# --- what is not ordinary


def ask(
    federation: Federation,
    consent: bytes,
    *,
    body: bytes | None = None,
    op: str = "query",
    purpose: str = "P1",
    code: str = "full",
    use: int = 1,
    change: Callable[[Envelope], Envelope] = lambda one: one,
    change_reply: Callable[[Envelope], Envelope] = lambda one: one,
    change_decided: Callable[[ExchangeEntry], ExchangeEntry] = lambda one: one,
    change_received: Callable[[ResponseEntry], ResponseEntry] = lambda one: one,
) -> None:
    asked = federation.request(
        ALPHA,
        BETA,
        op=op,
        body=query_body(consent) if body is None else body,
        purpose=purpose,
        consents=(consent,),
        change=change,
    )
    federation.decide(asked, code=code, use=use, change=change_decided, change_reply=change_reply)
    federation.receive(asked, change=change_received)


def ask_under_an_old_head(federation: Federation, consent: bytes) -> None:
    head = federation.members[ALPHA].log.head()
    for _ in range(2):
        ask(federation, consent, change=lambda env: replace(env, head=head))
        ask(federation, consent)


EXTRAORDINARY: dict[str, Callable[[Federation, bytes], None]] = {
    "too long a life": lambda one, consent: ask(
        one, consent, change=lambda env: replace(env, exp=env.iat + 400)
    ),
    "ended before": lambda one, consent: ask(
        one, consent, change=lambda env: replace(env, iat=env.iat - 300, exp=env.iat)
    ),
    "from the future": lambda one, consent: ask(
        one, consent, change=lambda env: replace(env, iat=env.iat + 100, exp=env.iat + 200)
    ),
    "key of another time": lambda one, consent: ask(
        one, consent, change_reply=lambda env: replace(env, iat=1, exp=300)
    ),
    "unknown snapshot": lambda one, consent: ask(
        one, consent, change=lambda env: replace(env, reg=replace(env.reg, seq=9))
    ),
    "snapshot of another hash": lambda one, consent: ask(
        one, consent, change_reply=lambda env: replace(env, reg=replace(env.reg, hash=bytes(32)))
    ),
    "another body": lambda one, consent: ask(
        one, consent, change=lambda env: replace(env, bd=bytes(32))
    ),
    "another length": lambda one, consent: ask(
        one, consent, change_reply=lambda env: replace(env, blen=env.blen + 1)
    ),
    "another issuer": lambda one, consent: ask(
        one, consent, change_reply=lambda env: replace(env, iss=GAMMA)
    ),
    "no use": lambda one, consent: ask(one, consent, use=0),
    "a use of a delivery": lambda one, consent: ask(
        one, consent, op="consent.put", code="held", use=1
    ),
    "another addressee": lambda one, consent: ask(
        one, consent, change_reply=lambda env: replace(env, aud=GAMMA)
    ),
    "a use of nothing": lambda one, consent: ask(one, consent, op="ack", code="held", use=1),
    "an operation that uses nothing": lambda one, consent: ask(
        one, consent, op="consent.put", code="held", use=0
    ),
    "a push": lambda one, consent: ask(one, consent, op="push", code="held", use=0),
    "a refusal": lambda one, consent: ask(one, consent, code="no-answer"),
    "another number": lambda one, consent: ask(
        one, consent, change_decided=lambda entry: replace(entry, peer_n=9)
    ),
    "another answer": lambda one, consent: ask(
        one, consent, change_received=lambda entry: replace(entry, ans=bytes(32))
    ),
    "no question": lambda one, consent: ask(one, consent, body=b"{}"),
    "no JSON": lambda one, consent: ask(one, consent, body=b"{"),
    "another purpose": lambda one, consent: ask(one, consent, purpose="P2"),
    "a consent that is nowhere": lambda one, _: ask(one, bytes(32)),
    "no consent": lambda one, consent: ask(
        one, consent, change_decided=lambda entry: replace(entry, consents=())
    ),
    "a receipt of nothing": lambda one, consent: ask(
        one, consent, body=b"{}", op="receipt", purpose="-", code="receipt", use=0
    ),
    "an old head": ask_under_an_old_head,
    "too large": lambda one, consent: ask(one, consent, body=b" " * 70_000),
}


@pytest.mark.parametrize("make", EXTRAORDINARY.values(), ids=EXTRAORDINARY)
def test_what_is_not_ordinary_comes_to_the_same(
    make: Callable[[Federation, bytes], None],
) -> None:
    federation, consent = make_wide()
    federation.ask(ALPHA, BETA, consent)
    make(federation, consent)
    federation.ask(ALPHA, BETA, consent)

    compare_sweeps(federation.bundles(), anchor=HUB_KEY.public)


SAME_IN_BOTH = {
    "token of two parts": (rb'"request":"[^.]*\.', b'"request":"'),
    "another header": (rb'"request":"[^.]*\.', b'"request":"AAAA.'),
    "header of another kind": (rb'"request":"([^.]*)\.', b'"request":"%b.' % encode_header("cx-x")),
    "header of no member": (rb'"request":"([^.]*)\.', b'"request":"%b.' % encode_header()),
    "salt with stray bits": (rb'(answer_salt":"[^"]{42})."', rb'\1B"'),
    "body with a foreign character": (rb'(_body":"[^"]{4})[^"]', rb"\1."),
    "body with padding": (rb'(_body":"[^"]*)"', rb'\1="'),
    "salt of another length": (rb'(_salt":"[^"]*)..."', rb'\1A"'),
    "note of no log": (rb"(\\n\\n)[a-z]", rb"\1x"),
    "note that is no text": (rb"(\\n\\n)[a-z]", rb"\1\\x"),
    "note that nobody signed": (rb"(\xe2\x80\x94 [^ ]+ .{10}).{4}", rb"\1AAAA"),
    "another name": (rb'"request_salt"', rb'"request_salz"'),
}


@pytest.mark.parametrize(("old", "new"), SAME_IN_BOTH.values(), ids=SAME_IN_BOTH)
def test_what_both_copies_have_changed_alike_comes_to_the_same(old: bytes, new: bytes) -> None:
    federation, consent = make_wide()
    for _ in range(3):
        federation.ask(ALPHA, BETA, consent)
    files = {name: federation.export(name) for name in (ALPHA, BETA)}
    for held in files.values():
        lines = held[MESSAGES_FILE].splitlines(keepends=True)
        changed = re.sub(old, new, lines[1], count=1)
        assert changed != lines[1]
        held[MESSAGES_FILE] = b"".join([lines[0], changed, lines[2]])

    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    compare_sweeps(bundles, anchor=HUB_KEY.public)


def test_lines_that_say_the_other_side_come_to_the_same() -> None:
    federation, consent = make_wide()
    for _ in range(3):
        federation.ask(ALPHA, BETA, consent)
    files = {name: federation.export(name) for name in (ALPHA, BETA)}
    sides = {ALPHA: (b'"side":"out"', b'"side":"in"'), BETA: (b'"side":"in"', b'"side":"out"')}
    for name, (old, new) in sides.items():
        files[name][MESSAGES_FILE] = files[name][MESSAGES_FILE].replace(old, new, 1)

    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    compare_sweeps(bundles, anchor=HUB_KEY.public)


def test_files_that_are_missing_or_unended_come_to_the_same() -> None:
    files = {name: make_busy().export(name) for name in (ALPHA, BETA, GAMMA)}
    del files[GAMMA][MESSAGES_FILE]
    files[ALPHA][MESSAGES_FILE] = files[ALPHA][MESSAGES_FILE][:-1]
    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    compare_sweeps(bundles, anchor=HUB_KEY.public)
    assert "unreadable" in codes(audit(bundles))
