"""Rare turns of the audit: each is a way in which a bundle may be damaged or made up."""

from __future__ import annotations

import io
import sys
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.__main__ import FileSpool, FolderFiles, main
from protocol.audit import counters, examining, preparing, ranges, reading, tree
from protocol.audit.findings import ExitStatus, Outcome, Report, Verdict
from protocol.bundle import format_head
from protocol.bundle.lines import read_lines
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.encoding import encode_b64u, sha256
from protocol.entry import ExchangeEntry, RequestEntry, format_entry, parse_entry
from protocol.jws import sign_compact, split_compact
from protocol.message import seal_envelope
from protocol.strict_json import canonical_json
from tests.support.auditing import (
    ALPHA,
    BETA,
    GAMMA,
    audit,
    audit_files,
    codes,
    flip_in,
    make_pair,
)
from tests.support.federation import Federation
from tests.unit.protocol.test_audit_keys import compromise, open_second_log
from tests.unit.protocol.test_audit_kinds import ask_batch, log_entry, make_batch, unacked

UNKNOWN = Outcome.UNKNOWN


# --- the command and its files


def test_a_stream_that_is_no_text_file_is_written_to_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)

    assert main(["verify", str(tmp_path / "none")]) == ExitStatus.USAGE
    assert "none" in shown.getvalue()


def test_files_and_spools_reach_another_process_without_what_is_open(tmp_path: Path) -> None:
    (tmp_path / "policy").write_bytes(b"text")
    files = FolderFiles(tmp_path, {"policy": 4})
    spool = FileSpool(str(tmp_path), None)
    spool.append(0, ["one"])

    assert copy(files).read("policy") == b"text"
    assert list(copy(spool).read(0)) == ["one"]


# --- logs


def test_the_first_of_several_splits_of_a_log_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "RECORDS_PER_PARTITION", 1)
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[BETA].log
    notes = [
        sign_checkpoint(Checkpoint(origin=log.origin, size=size, root=root), key=log.key)
        for size in (50, 5_000)
        for root in (sha256(b"one"), sha256(b"other"))
    ]
    ours = federation.export(ALPHA)
    ours["heads.jsonl"] = b"".join(format_head(peer=BETA, checkpoint=note) for note in notes)

    report = audit_files(alpha=ours)

    (finding,) = [one for one in report.findings if one.code == "fork"]
    assert "at size 50" in finding.text


def test_an_entry_of_a_later_version_with_a_message_id_is_not_understood() -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    log = federation.members[BETA].log
    later = parse_entry(log.entries[1])
    assert isinstance(later, ExchangeEntry)
    raw = format_entry(replace(later, n=9)).replace(b'"v":1,', b'"v":2,')
    log.append(raw)
    log.append(raw.replace(b'"n":9', b'"n":8'))

    report = audit(federation.bundles())

    assert codes(report, UNKNOWN) == {"not-understood"}
    assert report.exchanges[0].xid == encode_b64u(asked.envelope.jti)


def test_of_two_peers_only_the_one_whose_number_is_repeated_is_named() -> None:
    federation = Federation(ALPHA, BETA, GAMMA)
    first, other = federation.consent(ALPHA, BETA), federation.consent(ALPHA, GAMMA)
    federation.ask(ALPHA, GAMMA, other)
    federation.ask(ALPHA, BETA, first)
    federation.ask(ALPHA, BETA, first)
    federation.members[ALPHA].counters[BETA] = 1
    federation.ask(ALPHA, BETA, first)

    report = audit(federation.bundles())

    (finding,) = [one for one in report.findings if one.code == "counter-repeated"]
    assert "its number 2 for beta.example" in finding.text


def test_a_number_repeated_beyond_the_export_is_found_among_others() -> None:
    federation = Federation(ALPHA, BETA, GAMMA)
    first, other = federation.consent(ALPHA, BETA), federation.consent(ALPHA, GAMMA)
    federation.ask(ALPHA, GAMMA, other)
    federation.ask(ALPHA, BETA, first)
    early = federation.export(ALPHA)
    federation.members[ALPHA].counters[BETA] = 0
    federation.ask(ALPHA, BETA, first)
    federation.ask(ALPHA, BETA, first)

    report = audit_files(alpha=early, beta=federation.export(BETA), gamma=federation.export(GAMMA))

    assert "counter-repeated" in codes(report)


def test_heads_are_opened_again_once_too_many_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "HEADS_HELD_MAX", 1)
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_a_head_under_another_members_origin_is_refused() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    ours = federation.export(ALPHA)
    ours["heads.jsonl"] = format_head(peer=BETA, checkpoint=federation.members[ALPHA].log.signed())

    report = audit_files(alpha=ours, beta=federation.export(BETA))

    assert codes(report) != set()


def test_blocks_of_a_long_log_are_read_again_once_too_many_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "BLOCKS_HELD_MAX", 1)
    federation, consent = make_pair()
    log = federation.members[BETA].log
    for size in (2, 300, 600):
        while len(log.entries) < size:
            log.append(b'{"at":%d,"type":"later","v":2}' % len(log.entries))
        federation.ask(ALPHA, BETA, consent, code="consent-missing", use=0)

    assert codes(audit(federation.bundles())) == set()


def test_the_history_of_a_bundle_that_is_no_log_covers_nothing() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    compromise(federation, ALPHA)
    theirs = federation.export(BETA)
    theirs["witnessed.jsonl"] = _witnessed(federation, ALPHA)

    report = audit_files(beta=theirs)

    assert codes(report) == set()
    assert "key-compromised" in codes(report, UNKNOWN)


def _witnessed(federation: Federation, name: str) -> bytes:
    note = federation.members[name].log.cosigned()
    return canonical_json({"checkpoint": note}) + b"\n"


def test_a_stolen_key_is_judged_by_a_proof_that_holds_where_no_entry_does() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    second = federation.ask(ALPHA, BETA, consent)
    for name in (ALPHA, BETA):
        record = federation.members[name].records[0]
        record.request = replace(record.request, inclusion=second.request.inclusion)
    compromise(federation, ALPHA)

    report = audit_files(beta=federation.export(BETA))

    assert "bad-inclusion" in codes(report)
    assert "key-compromised" in codes(report, UNKNOWN)


def test_a_stolen_key_without_entry_or_proof_leaves_its_message_open() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    for name in (ALPHA, BETA):
        (record,) = federation.members[name].records
        record.request = replace(record.request, inclusion="none")
    compromise(federation, ALPHA)

    report = audit_files(beta=federation.export(BETA))

    assert codes(report) == {"bad-inclusion"}
    assert "key-compromised" in codes(report, UNKNOWN)


def test_entries_before_a_change_stay_proven_by_the_heads_that_peers_hold() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[BETA].log
    signed = federation.export(BETA)["checkpoint"]
    log.entries[-1] = log.entries[-1].replace(b'"use":1', b'"use":0')
    files = federation.export(BETA)
    files["checkpoint"] = signed

    report = audit_files(alpha=federation.export(ALPHA), beta=files)

    assert "root-mismatch" in codes(report)
    assert report.exchanges[0].verdict is Verdict.PROVEN


def test_an_altered_entry_beside_missing_ones_gives_no_root_of_its_own() -> None:
    federation, _ = make_pair()
    log = federation.members[BETA].log
    while len(log.entries) < 300:
        log.append(b'{"at":%d,"type":"later","v":2}' % len(log.entries))
    files = flip_in(federation.export(BETA), "tile/entries/000", 40)
    del files["tile/0/001.p/44"], files["tile/entries/001.p/44"]

    report = audit_files(beta=files)

    assert {"entries-missing", "tree-short"} <= codes(report)


def test_a_file_that_is_shorter_than_it_was_listed_ends_at_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "heads.jsonl").write_bytes(b"{}\n")
    files = FolderFiles(tmp_path, {"heads.jsonl": 100})

    assert [line.content for line in read_lines(files, "heads.jsonl")] == [b"{}"]


# --- logs in sequence


def _state_head(federation: Federation, *, size: int, root: bytes) -> Report:
    """Have beta's log alone say a head of alpha's, whose logs are as they are exported."""
    log = federation.members[BETA].log
    entry = parse_entry(log.entries[-1])
    assert isinstance(entry, ExchangeEntry)
    log.entries[-1] = format_entry(replace(entry, head=replace(entry.head, size=size, root=root)))
    beta = federation.export(BETA)
    beta["messages.jsonl"] = b""
    return audit_files(second=federation.export(ALPHA), beta=beta)


def test_a_head_beyond_the_only_log_that_is_here_may_be_of_the_one_that_is_not() -> None:
    federation, consent = make_pair()
    open_second_log(federation, ALPHA)
    federation.ask(ALPHA, BETA, consent)

    report = _state_head(federation, size=3, root=sha256(b"of the first log"))

    assert "heads-beyond" in codes(report, UNKNOWN)


def test_a_head_of_a_member_with_two_logs_that_are_not_here_is_compared_with_nothing() -> None:
    federation, consent = make_pair()
    open_second_log(federation, ALPHA)
    federation.ask(ALPHA, BETA, consent)
    beta = federation.export(BETA)
    beta["messages.jsonl"] = beta["heads.jsonl"] = b""

    report = audit_files(beta=beta)

    assert codes(report) == set()


# --- messages


def test_a_signed_message_whose_kind_is_not_its_operation_is_refused() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    payload = None
    for name in (ALPHA, BETA):
        (record,) = federation.members[name].records
        payload = split_compact(record.request.env).payload
        forged = sign_compact(payload, key=federation.members[ALPHA].key, typ="cx-push+jws")
        record.request = replace(record.request, env=forged)

    assert payload is not None
    assert "schema" in codes(audit(federation.bundles()))


def test_a_line_whose_request_is_not_its_own_is_judged_with_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preparing, "RECORDS_PER_PARTITION", 1)
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    other = replace(asked.envelope, jti=sha256(b"another")[:16])
    forged = seal_envelope(other, key=federation.members[BETA].key)
    for record in federation.members[ALPHA].records:
        record.request = replace(record.request, env=forged)

    report = audit(federation.bundles())

    assert [one.xid for one in report.exchanges] == [encode_b64u(asked.envelope.jti)]


def test_a_line_with_its_members_in_another_order_is_read_too() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    ours = federation.export(ALPHA)
    line = ours["messages.jsonl"].replace(b',"side":"out"}\n', b"}\n")
    ours["messages.jsonl"] = b'{"side":"out",' + line.removeprefix(b"{")

    report = audit_files(alpha=ours, beta=federation.export(BETA))

    assert report.verdict is Verdict.PROVEN


def test_an_altered_entry_belongs_to_the_exchange_of_its_own_member() -> None:
    federation = Federation(ALPHA, BETA, GAMMA)
    first, other = federation.consent(ALPHA, BETA), federation.consent(GAMMA, BETA)
    asked = federation.ask(ALPHA, BETA, first)
    again = federation.request(
        GAMMA, BETA, op="query", body=b"{}", purpose="P1", consents=(other,),
        change=lambda envelope: replace(envelope, jti=asked.envelope.jti),
    )  # fmt: skip
    federation.decide(again, code="schema", use=0)
    federation.receive(again)
    ours = federation.export(ALPHA)
    (path,) = (path for path in ours if path.startswith("tile/entries/"))
    ours = flip_in(ours, path, ours[path].index(b'"purpose":"P1"') + 12)

    report = audit_files(alpha=ours, beta=federation.export(BETA), gamma=federation.export(GAMMA))

    altered = {one.consumer for one in report.exchanges if one.verdict is Verdict.CONTRADICTED}
    assert altered == {ALPHA}


def test_an_unacknowledged_answer_of_a_large_bundle_is_counted_without_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("protocol.audit.preparing.KEPT_ENTRIES_MAX", 0)
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    log_entry(federation, BETA, unacked(asked))

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert list(report.exchanges) == []


# --- batches


def test_a_batch_whose_answer_is_not_shown_is_judged_by_the_log() -> None:
    federation, consents = make_batch()
    ask_batch(federation, consents, item_codes=("full", "full", "full"), use=3)

    report = audit(federation.bundles(redacted=True))

    assert codes(report) == set()


def test_the_second_copy_of_a_batchs_answer_is_read_where_the_first_is_not_shown() -> None:
    federation, consents = make_batch()
    ask_batch(federation, consents, item_codes=("full", "full", "full"), use=3)

    report = audit_files(
        alpha=federation.export(ALPHA, redacted=True), beta=federation.export(BETA)
    )

    assert codes(report) == set()


def test_numbers_that_go_on_from_one_part_of_a_long_log_to_the_next_are_no_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (counters, ranges, reading):
        monkeypatch.setattr(module, "BLOCKS_PER_RANGE", 1)
    federation, consent = make_pair()
    log = federation.members[ALPHA].log
    while len(log.entries) < 255:
        log.append(b'{"at":%d,"type":"later","v":2}' % len(log.entries))
    for _ in range(2):
        federation.ask(ALPHA, BETA, consent, code="consent-missing", use=0)
    entry = parse_entry(log.entries[-2])
    assert isinstance(entry, RequestEntry)

    report = audit(federation.bundles())

    assert "counter-gap" not in codes(report, UNKNOWN)
