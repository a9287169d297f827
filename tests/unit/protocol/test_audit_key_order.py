"""The audit of KEY-21: no message is signed by a changed key before the log names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.audit import auditor, key_order
from protocol.audit.findings import Report, Verdict
from protocol.audit.world import World
from protocol.entry import StartEntry, format_entry
from protocol.keychange import sign_key_change
from protocol.registry import KeyEntry, MemberEntry
from tests.support.auditing import (
    ALPHA,
    BETA,
    audit,
    audit_files,
    codes,
    find_line,
    make_pair,
)
from tests.support.federation import NOW_S, Federation
from tests.support.federation_parts import key_entry
from tests.unit.protocol.test_audit_key_changes import (
    NEW_KEY,
    hand_over,
    log_change,
    make_change,
    put_keys,
)
from tests.unit.protocol.test_audit_keys import open_second_log

OLD_DAYS_S = 86_400
FIRST_LOG_KEY = Federation(ALPHA, BETA).members[ALPHA].log.key


def enter_key(federation: Federation) -> tuple[str, ...]:
    """Have the hub enter a second message key of alpha, which counts at once."""
    change = make_change(federation, nbf=NOW_S)
    tokens = sign_key_change(change, old=federation.members[ALPHA].key, new=NEW_KEY)
    put_keys(federation, hand_over(change))
    federation.members[ALPHA].key_changes.append(tokens)
    return tokens


def enter_key_beside_second_log(federation: Federation, first_origin: str) -> tuple[str, ...]:
    """Have the hub enter the key in a snapshot that has both logs of alpha."""
    change = make_change(federation, nbf=NOW_S)
    member = federation.members[ALPHA]
    tokens = sign_key_change(change, old=member.key, new=NEW_KEY)
    hand = hand_over(change)

    def list_keys(entry: MemberEntry) -> tuple[KeyEntry, ...]:
        (message, second, new) = hand(entry)
        first = replace(key_entry(FIRST_LOG_KEY, "log"), origin=first_origin)
        return (message, first, second, new)

    put_keys(federation, list_keys)
    member.key_changes.append(tokens)
    return tokens


def use_new_key(federation: Federation) -> None:
    federation.members[ALPHA].key = NEW_KEY


def judge(federation: Federation) -> Report:
    return audit(federation.bundles())


def test_a_message_by_a_changed_key_after_its_entry_is_in_order() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    tokens = enter_key(federation)
    log_change(federation, tokens)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)

    report = judge(federation)

    assert report.verdict is Verdict.PROVEN


def test_a_question_by_a_changed_key_before_its_entry_is_contradicted() -> None:
    federation, consent = make_pair()
    tokens = enter_key(federation)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)
    log_change(federation, tokens)

    report = judge(federation)

    assert codes(report) == {"key-unlogged"}
    assert (
        f"the request is signed by the key {NEW_KEY.kid}" in find_line(report, "key-unlogged").text
    )


def test_an_answer_by_a_changed_key_before_its_entry_is_contradicted() -> None:
    federation = Federation(ALPHA, BETA)
    consent = federation.consent(BETA, ALPHA)
    tokens = enter_key(federation)
    use_new_key(federation)
    federation.ask(BETA, ALPHA, consent)
    log_change(federation, tokens)

    report = judge(federation)

    assert codes(report) == {"key-unlogged"}
    assert "the answer is signed" in find_line(report, "key-unlogged").text


def test_a_changed_key_that_the_log_never_names_is_contradicted() -> None:
    federation, consent = make_pair()
    enter_key(federation)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)

    assert codes(judge(federation)) == {"key-unlogged"}


@pytest.mark.parametrize("is_first_here", [True, False])
def test_a_key_that_an_earlier_log_names_or_may_name_accuses_nobody(*, is_first_here: bool) -> None:
    federation, consent = make_pair()
    member = federation.members[ALPHA]
    entered = make_change(federation, nbf=NOW_S)
    log_change(federation, sign_key_change(entered, old=member.key, new=NEW_KEY))
    origin = member.log.origin
    files = open_second_log(federation, ALPHA)
    enter_key_beside_second_log(federation, origin)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)
    held = {"second": federation.export(ALPHA), "beta": federation.export(BETA)}
    if is_first_here:
        held["first"] = {**files, "registry.jsonl": held["second"]["registry.jsonl"]}

    report = audit_files(**held)

    assert codes(report) == set()
    assert len(report.logs) == len(held)
    assert [one.verdict for one in report.exchanges] == [Verdict.PROVEN]


def test_where_the_log_of_the_signer_is_away_nothing_is_said() -> None:
    federation, consent = make_pair()
    enter_key(federation)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)

    report = audit_files(beta=federation.export(BETA))

    assert "key-unlogged" not in codes(report)


def test_only_what_the_key_may_have_signed_is_looked_at_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[bytes] = []
    listed = key_order.list_in_doubt

    federation, consent = make_pair()
    federation.members[ALPHA].log.entries[1:1] = [
        format_entry(StartEntry(at_ms=(NOW_S - OLD_DAYS_S) * 1000, software="s"))
    ] * 300
    federation.ask(ALPHA, BETA, consent)
    tokens = enter_key(federation)
    log_change(federation, tokens)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)

    def list_and_note(world: World, places: key_order.KeyPlaces) -> list[bytes]:
        looked.extend(listed(world, places))
        return looked

    monkeypatch.setattr(auditor, "list_in_doubt", list_and_note)

    report = judge(federation)

    assert codes(report) == set()
    assert len(set(looked)) == 1  # the exchange before the entry, of the key's own time


def test_how_much_is_looked_at_one_by_one_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "IN_DOUBT_MAX", 1)
    federation, consent = make_pair()
    enter_key(federation)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)

    assert "key-unlogged" in codes(judge(federation))


def test_entries_that_cannot_be_read_are_passed_over() -> None:
    federation, consent = make_pair()
    tokens = enter_key(federation)
    use_new_key(federation)
    federation.ask(ALPHA, BETA, consent)
    federation.members[ALPHA].log.append(b"no entry")
    log_change(federation, tokens)
    files = federation.export(ALPHA)

    report = audit_files(alpha=files, beta=federation.export(BETA))

    assert {"key-unlogged", "entry-invalid"} <= codes(report)
