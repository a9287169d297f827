"""The audit where a key was compromised, where messages were left out, and of a log's successor."""

from dataclasses import replace

import pytest

from protocol.audit.findings import Outcome, Verdict
from protocol.bundle import (
    MANIFEST_FILE,
    MESSAGES_FILE,
    WITNESSED_FILE,
    Manifest,
    MessageFilter,
    format_manifest,
    format_witnessed,
    parse_manifest,
)
from protocol.cosignature import cosign_checkpoint
from protocol.entry import GenesisEntry, PreviousLog, format_entry
from protocol.errors import ProtocolError
from protocol.message import LogHead
from protocol.note import add_signatures
from protocol.registry import MemberEntry, Registry
from protocol.report import name_log
from protocol.strict_json import canonical_json, parse_object
from tests.support.auditing import ALPHA, BETA, Files, audit, audit_files, codes, make_pair
from tests.support.federation import NOW_S, WITNESS, Federation
from tests.support.federation_parts import WITNESS_KEY, Log, key_entry, make_key

UNKNOWN = Outcome.UNKNOWN
STOLEN_S = NOW_S + 100


def compromise(federation: Federation, name: str) -> None:
    """Have the hub say that a member's message key was stolen."""

    def change(draft: Registry) -> Registry:
        def revoke(member: MemberEntry) -> MemberEntry:
            (message, *others) = member.keys
            stolen = replace(message, revoked_at=STOLEN_S, reason="compromised")
            return replace(member, keys=(stolen, *others))

        members = tuple(
            revoke(member) if member.member == name else member for member in draft.members
        )
        return replace(draft, members=members)

    federation.publish(change)


def cosigned(federation: Federation, name: str, *, at_s: int) -> str:
    log = federation.members[name].log
    signature = cosign_checkpoint(log.checkpoint(), name=WITNESS.name, key=WITNESS_KEY, now_s=at_s)
    return add_signatures(log.signed(), [signature])


def export(federation: Federation, name: str, history: list[str] | None) -> Files:
    files = federation.export(name)
    files["checkpoint"] = cosigned(federation, name, at_s=STOLEN_S + 50).encode()
    if history is not None:
        files[WITNESSED_FILE] = b"".join(map(format_witnessed, history))
    return files


def test_a_message_below_a_head_cosigned_before_its_key_was_stolen_still_counts() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    before = cosigned(federation, ALPHA, at_s=STOLEN_S - 10)
    compromise(federation, ALPHA)

    report = audit_files(alpha=export(federation, ALPHA, [before]), beta=federation.export(BETA))

    assert report.verdict is Verdict.PROVEN
    assert [log.witnessed for log in report.logs] == [1, 0]


def test_a_message_that_only_later_heads_hold_is_void_whatever_time_it_states() -> None:
    federation, consent = make_pair()
    early = cosigned(federation, ALPHA, at_s=STOLEN_S - 10)
    federation.ask(ALPHA, BETA, consent)
    late = cosigned(federation, ALPHA, at_s=STOLEN_S + 10)
    compromise(federation, ALPHA)

    report = audit_files(
        alpha=export(federation, ALPHA, [early, late]), beta=federation.export(BETA)
    )

    assert codes(report) == {"key-compromised"}


@pytest.mark.parametrize("is_here", [True, False])
def test_without_a_history_of_heads_a_stolen_key_leaves_its_messages_open(*, is_here: bool) -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    compromise(federation, ALPHA)
    files = {"beta": federation.export(BETA)}
    if is_here:
        files["alpha"] = export(federation, ALPHA, None)

    report = audit_files(**files)

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"key-compromised"}


def test_a_stolen_key_is_judged_by_the_log_where_no_proof_is_beside_the_message() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    for name in (ALPHA, BETA):
        (record,) = federation.members[name].records
        record.request = replace(record.request, inclusion="none")
    before = cosigned(federation, ALPHA, at_s=STOLEN_S - 10)
    compromise(federation, ALPHA)

    report = audit_files(alpha=export(federation, ALPHA, [before]), beta=federation.export(BETA))

    assert codes(report) == {"bad-inclusion"}
    assert codes(report, UNKNOWN) == set()


def test_an_earlier_head_that_does_not_hold_is_named() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    unsigned = federation.members[ALPHA].log.signed()
    of_nobody = unsigned.replace("alpha.example", "nobody.example")

    report = audit_files(
        alpha=export(federation, ALPHA, [unsigned, of_nobody]), beta=federation.export(BETA)
    )

    assert codes(report) == {"witness-quorum", "unknown-key"}


def test_an_earlier_head_of_another_history_is_a_fork() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[ALPHA].log
    kept = log.entries[1]
    log.entries[1] = kept.replace(b'"purpose":"P1"', b'"purpose":"P3"')
    other = cosigned(federation, ALPHA, at_s=NOW_S)
    log.entries[1] = kept

    report = audit_files(alpha=export(federation, ALPHA, [other]), beta=federation.export(BETA))

    assert codes(report) == {"fork"}


# --- messages that were left out on purpose


def leave_out(federation: Federation, name: str, chosen: MessageFilter) -> Files:
    """Export no message, and say by which choice."""
    files = federation.export(name)
    manifest = parse_manifest(files[MANIFEST_FILE])
    files[MANIFEST_FILE] = format_manifest(replace(manifest, filter=chosen))
    files[MESSAGES_FILE] = b""
    return files


@pytest.mark.parametrize(
    "chosen",
    [
        MessageFilter(from_s=NOW_S + 1),
        MessageFilter(until_s=NOW_S),
        MessageFilter(peers=("gamma.example",)),
    ],
    ids=["later", "earlier", "others"],
)
def test_messages_left_out_by_a_filter_are_not_shown_and_leave_nothing_open(
    chosen: MessageFilter,
) -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)

    report = audit_files(
        alpha=leave_out(federation, ALPHA, chosen), beta=leave_out(federation, BETA, chosen)
    )

    assert codes(report) == codes(report, UNKNOWN) == set()
    shown = {line.code for line in report.exchanges[0].evidence}
    assert {"request-filtered", "answer-filtered"} <= shown


def test_a_filter_does_not_prove_a_question_that_only_the_answerer_states() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)

    report = audit_files(beta=leave_out(federation, BETA, MessageFilter(until_s=NOW_S)))

    assert codes(report, UNKNOWN) == {"request-absent"}
    assert report.exchanges[0].verdict is Verdict.UNDETERMINED


def test_messages_that_a_filter_admits_and_that_are_missing_stay_open() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    chosen = MessageFilter(from_s=NOW_S, until_s=NOW_S + 1, peers=(ALPHA, BETA))

    report = audit_files(
        alpha=leave_out(federation, ALPHA, chosen), beta=leave_out(federation, BETA, chosen)
    )

    assert codes(report, UNKNOWN) == {"request-absent", "answer-absent"}


def test_a_filter_reads_back_and_another_form_is_refused() -> None:
    chosen = MessageFilter(from_s=1, until_s=2, peers=(ALPHA,))
    raw = format_manifest(make_manifest(chosen))

    assert parse_manifest(raw) == make_manifest(chosen)
    assert parse_manifest(format_manifest(make_manifest(MessageFilter()))).filter is not None
    with pytest.raises(ProtocolError):
        parse_manifest(canonical_json(parse_object(raw) | {"filter": {"more": 1}}))


def make_manifest(chosen: MessageFilter) -> Manifest:
    return Manifest(
        member=ALPHA,
        origin="o",
        exported_at_s=1,
        size=1,
        root=bytes(32),
        redacted=False,
        filter=chosen,
    )


# --- a member's logs in sequence


@pytest.mark.parametrize("reason", ["key", "rolled-back"])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [(f"{ALPHA}/chengxin/log/1", "fork"), (f"{BETA}/chengxin/log/1", "previous")],
    ids=["itself", "another-members"],
)
def test_a_log_continues_one_of_its_own_members_at_a_true_head(
    origin: str, expected: str, reason: str
) -> None:
    federation, _ = make_pair()
    log = federation.members[ALPHA].log
    previous = PreviousLog(origin=origin, head=LogHead(size=1, root=bytes(32)), reason=reason)
    genesis = GenesisEntry(at_ms=NOW_S * 1000, member=ALPHA, origin=log.origin, previous=previous)
    log.entries[:] = [format_entry(genesis)]

    assert expected in codes(audit(federation.bundles()))


def open_second_log(federation: Federation, name: str) -> Files:
    """Have a member end its log and open another; return the bundle of the first."""
    member = federation.members[name]
    first, files = member.log, federation.export(name)
    second = Log(member=name, key=make_key(f"second log of {name}"), number=2)

    def change(draft: Registry) -> Registry:
        (entry,) = [one for one in draft.members if one.member == name]
        (message, old) = entry.keys
        keys = (message, replace(old, origin=first.origin), key_entry(second.key, "log"))
        moved = replace(entry, log_origin=second.origin, keys=keys)
        members = tuple(moved if one.member == name else one for one in draft.members)
        return replace(draft, members=members)

    federation.publish(change)
    previous = PreviousLog(origin=first.origin, head=first.head(), reason="year")
    genesis = GenesisEntry(at_ms=NOW_S * 1000, member=name, origin=second.origin, previous=previous)
    second.append(format_entry(genesis))
    member.log = second
    files["registry.jsonl"] = federation.export(name)["registry.jsonl"]
    return files


def test_counters_go_on_from_one_log_of_a_member_to_its_next() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    first = open_second_log(federation, ALPHA)
    federation.ask(ALPHA, BETA, consent)

    report = audit_files(first=first, second=federation.export(ALPHA), beta=federation.export(BETA))

    assert codes(report) == codes(report, UNKNOWN) == set()
    assert [log.origin.rpartition("/")[2] for log in report.logs] == ["1", "2", "1"]
    names = [name_log(report, log) for log in report.logs]
    assert names == [f"{ALPHA}/chengxin/log/1", f"{ALPHA}/chengxin/log/2", BETA]
    assert [one.verdict for one in report.exchanges] == [Verdict.PROVEN] * 2


def test_a_log_whose_predecessor_is_not_here_says_so() -> None:
    federation, consent = make_pair()
    open_second_log(federation, ALPHA)
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert "previous-absent" in codes(report, UNKNOWN)


def test_a_head_that_no_log_of_a_member_has_is_disputed() -> None:
    federation, consent = make_pair()
    first = open_second_log(federation, ALPHA)
    asked = federation.request(
        ALPHA,
        BETA,
        op="query",
        body=b"{}",
        purpose="P1",
        consents=(consent,),
        change=lambda envelope: replace(envelope, head=LogHead(size=1, root=bytes(32))),
    )
    federation.decide(asked, code="schema", use=0)
    federation.receive(asked)
    beta = federation.export(BETA)
    beta["messages.jsonl"] = b""
    ours = federation.export(ALPHA)
    ours["messages.jsonl"] = b""

    report = audit_files(first=first, second=ours, beta=beta)
    assert "head-disputed" in codes(report, Outcome.UNKNOWN)  # The message that says so is away.
