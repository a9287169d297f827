"""The audit of key changes: the statement is here, both keys signed it, and the registry has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from protocol.audit.findings import Outcome, Report, Verdict
from protocol.bundle import WITNESSED_FILE, format_witnessed
from protocol.encoding import sha256
from protocol.enrolment import MemberEnrolment, sign_member_enrolment
from protocol.entry import KeyChangeEntry, format_entry
from protocol.jws import split_compact
from protocol.keychange import KeyChange, sign_key_change
from protocol.keys import SigningKey
from protocol.registry import KeyEntry, MemberEntry, Registry
from tests.support.auditing import ALPHA, BETA, audit, audit_files, codes, find_line, make_pair
from tests.support.federation import NOW_S, Federation
from tests.support.federation_parts import HUB, Log, key_entry, make_key
from tests.unit.protocol.test_audit_keys import cosigned

UNKNOWN = Outcome.UNKNOWN
NEW_KEY = make_key("alpha's second message key")
Keys = tuple[KeyEntry, KeyEntry]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A federation in which alpha has changed a key, and by what statement."""

    federation: Federation
    change: KeyChange
    tokens: tuple[str, ...]


def make_change(federation: Federation, **changes: object) -> KeyChange:
    change = KeyChange(
        member=ALPHA,
        use="message",
        old=federation.members[ALPHA].key.kid,
        new=NEW_KEY.public,
        iat=NOW_S,
        nbf=NOW_S + 600,
        reason="routine",
    )
    return replace(change, **changes)  # type: ignore[arg-type]  # names and types are the tests'


def put_keys(federation: Federation, keys: Callable[[MemberEntry], tuple[KeyEntry, ...]]) -> None:
    """Publish a snapshot in which alpha has other keys."""

    def change(draft: Registry) -> Registry:
        members = tuple(
            replace(one, keys=keys(one)) if one.member == ALPHA else one for one in draft.members
        )
        return replace(draft, members=members)

    federation.publish(change)


def hand_over(
    change: KeyChange,
    *,
    old: Callable[[KeyEntry], KeyEntry] = lambda one: one,
    new: Callable[[KeyEntry], KeyEntry] = lambda one: one,
) -> Callable[[MemberEntry], tuple[KeyEntry, ...]]:
    """Return what the hub makes of a change, and of what it makes of it something else."""

    def list_keys(member: MemberEntry) -> tuple[KeyEntry, ...]:
        held, *others = member.keys
        ended = replace(held, revoked_at=change.old_ends_at, reason="superseded")
        entry = replace(key_entry(NEW_KEY, change.use), nbf=change.nbf)
        return (old(ended), *others, new(entry))

    return list_keys


def log_change(
    federation: Federation, tokens: tuple[str, ...], *, use: str = "message", kid: str = NEW_KEY.kid
) -> None:
    statement = sha256(split_compact(tokens[0]).payload)
    entry = KeyChangeEntry(at_ms=NOW_S * 1000, use=use, kid=kid, statement=statement)
    federation.members[ALPHA].log.append(format_entry(entry))


def change_key(
    *,
    change: Callable[[KeyChange], KeyChange] = lambda one: one,
    old: Callable[[KeyEntry], KeyEntry] = lambda one: one,
    new: Callable[[KeyEntry], KeyEntry] = lambda one: one,
    signer: SigningKey | None = None,
    is_shown: bool = True,
    kid: str = NEW_KEY.kid,
) -> Changed:
    """Have alpha change its message key after one exchange; each part may go wrong."""
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    statement = change(make_change(federation))
    member = federation.members[ALPHA]
    tokens = sign_key_change(statement, old=signer or member.key, new=NEW_KEY)
    put_keys(federation, hand_over(statement, old=old, new=new))
    log_change(federation, tokens, kid=kid)
    if is_shown:
        member.key_changes.append(tokens)
    return Changed(federation=federation, change=statement, tokens=tokens)


def judge(changed: Changed) -> Report:
    return audit(changed.federation.bundles())


def list_notes(report: Report, code: str) -> list[str]:
    return [one.text for one in report.findings if one.code == code]


def test_a_change_that_both_keys_signed_and_the_registry_has_is_proven_and_shown() -> None:
    changed = change_key()

    report = judge(changed)

    assert report.verdict is Verdict.PROVEN
    (note,) = [one for one in report.findings if one.code == "key-changed"]
    assert note.outcome is Outcome.HOLDS
    assert note.exhibits == changed.tokens
    assert NEW_KEY.kid in note.text


def test_a_statement_that_is_in_no_bundle_leaves_the_change_open() -> None:
    report = judge(change_key(is_shown=False))

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"key-statement-absent"}


def test_a_statement_counts_whoever_shows_it() -> None:
    changed = change_key(is_shown=False)
    changed.federation.members[BETA].key_changes.append(changed.tokens)

    assert judge(changed).verdict is Verdict.PROVEN


def test_a_statement_that_the_old_key_has_not_signed_names_the_bundle_that_shows_it() -> None:
    report = judge(change_key(signer=make_key("a thief's")))

    assert codes(report) == {"key-statement-invalid"}
    assert codes(report, UNKNOWN) == {"key-statement-absent"}
    line = find_line(report, "key-statement-invalid")
    assert f"the bundle of {ALPHA}" in line.text
    assert line.place is not None
    assert (line.place.file, line.place.line) == ("keychanges.jsonl", 1)


def test_a_broken_copy_elsewhere_takes_nothing_from_one_that_holds() -> None:
    changed = change_key()
    broken = (changed.tokens[0], changed.tokens[1][:-4] + "AAAA")
    changed.federation.members[BETA].key_changes += [broken, broken]

    report = judge(changed)

    assert f"the bundle of {BETA}" in find_line(report, "key-statement-invalid").text
    assert list_notes(report, "key-changed")


def test_a_broken_copy_in_a_bundle_of_nobody_is_named_by_its_place() -> None:
    changed = change_key()
    files = {name.partition(".")[0]: changed.federation.export(name) for name in (ALPHA, BETA)}
    files["beta"]["keychanges.jsonl"] = b'{"tokens":["a.b.c","d.e.f"]}\n'
    files["beta"]["checkpoint"] = files["beta"]["manifest.json"] = b"damaged\n"

    report = audit_files(**files)

    assert "a member that cannot be told" in find_line(report, "key-statement-invalid").text


@pytest.mark.parametrize("stranger", ["nobody.example", BETA])
def test_a_statement_by_a_key_of_nobody_does_not_hold(stranger: str) -> None:
    changed = change_key()
    other = replace(changed.change, member=stranger)
    tokens = sign_key_change(other, old=changed.federation.members[ALPHA].key, new=NEW_KEY)
    changed.federation.members[BETA].key_changes.append(tokens)

    assert codes(judge(changed)) == {"key-statement-invalid"}


def test_an_entry_that_states_another_key_than_its_statement_is_contradicted() -> None:
    changed = change_key(kid=make_key("federation").kid)

    report = judge(changed)

    assert codes(report) == {"key-statement-mismatch"}
    assert f"the log of {ALPHA} states" in find_line(report, "key-statement-mismatch").text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (lambda one: one, lambda one: replace(one, nbf=one.nbf + 1), "counts from"),
        (lambda one: replace(one, revoked_at=None, reason=None), lambda one: one, "no end"),
        (lambda one: replace(one, revoked_at=NOW_S + 1), lambda one: one, "the old key ends at"),
        (lambda one: one, lambda one: replace(one, use="log", origin="x"), "of another use"),
    ],
    ids=["begins-later", "never-ends", "ends-otherwise", "other-use"],
)
def test_a_registry_that_says_otherwise_than_both_keys_contradicts_the_hub(
    old: Callable[[KeyEntry], KeyEntry], new: Callable[[KeyEntry], KeyEntry], said: str
) -> None:
    report = judge(change_key(old=old, new=new))

    assert codes(report) == {"key-registry-mismatch"}
    line = find_line(report, "key-registry-mismatch")
    assert line.text.startswith("the hub's registry contradicts")
    assert said in line.text


def test_an_end_that_the_operator_had_set_stays() -> None:
    def force(held: KeyEntry) -> KeyEntry:
        return replace(held, revoked_at=NOW_S + 90 * 86_400, reason="rotation-forced")

    assert judge(change_key(old=force)).verdict is Verdict.PROVEN


def test_a_key_that_the_registry_does_not_know_yet_leaves_its_change_open() -> None:
    federation, _ = make_pair()
    change = make_change(federation)
    tokens = sign_key_change(change, old=federation.members[ALPHA].key, new=NEW_KEY)
    federation.members[ALPHA].key_changes.append(tokens)
    log_change(federation, tokens)

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"key-unknown"}


def test_a_key_that_had_ended_hands_over_nothing() -> None:
    def end(held: KeyEntry) -> KeyEntry:
        return replace(held, revoked_at=NOW_S - 10, reason="rotation-forced")

    report = judge(change_key(old=end))

    assert "key-revoked" in codes(report)
    assert list_notes(report, "key-revoked")


@pytest.mark.parametrize("is_covered", [True, False])
def test_a_change_by_a_compromised_key_counts_below_a_head_cosigned_before(
    *, is_covered: bool
) -> None:
    def steal(held: KeyEntry) -> KeyEntry:
        return replace(held, revoked_at=NOW_S, reason="compromised")

    changed = change_key(old=steal)
    federation = changed.federation
    alpha = federation.export(ALPHA)
    if is_covered:
        alpha[WITNESSED_FILE] = format_witnessed(cosigned(federation, ALPHA, at_s=NOW_S - 1))

    report = audit_files(alpha=alpha, beta=federation.export(BETA))

    assert bool(list_notes(report, "key-changed")) is is_covered
    assert bool(list_notes(report, "key-compromised")) is not is_covered


# --- enrolled anew


@pytest.mark.parametrize(
    ("hub", "expected"), [(HUB, set()), ("other.example", {"key-statement-invalid"})]
)
def test_a_key_enrolled_anew_after_a_revocation_is_named_by_its_enrolment(
    hub: str, expected: set[str]
) -> None:
    federation, _ = make_pair()
    member = federation.members[ALPHA]
    enrolment = MemberEnrolment(
        hub=hub,
        iat=NOW_S,
        member=ALPHA,
        name="Alpha",
        endpoint="https://alpha.example",
        log_origin=member.log.origin,
        keys={"message": NEW_KEY.public, "log": member.log.key.public},
    )
    tokens = sign_member_enrolment(enrolment, keys=[NEW_KEY, member.log.key])
    member.key_changes.append(tokens)
    log_change(federation, tokens)
    put_keys(federation, lambda entry: (*entry.keys, key_entry(NEW_KEY, "message")))

    report = audit(federation.bundles())

    assert codes(report) == expected
    assert bool(list_notes(report, "key-changed")) is not bool(expected)


# --- of a log


@pytest.mark.parametrize("number", [2, 3])
def test_a_new_log_key_is_of_the_log_that_the_statement_names(number: int) -> None:
    federation, _ = make_pair()
    member = federation.members[ALPHA]
    first, files = member.log, federation.export(ALPHA)
    second = Log(member=ALPHA, key=make_key("second log of alpha"), number=2)
    change = make_change(
        federation,
        use="log",
        old=first.key.kid,
        new=second.key.public,
        reason="year",
        origin=f"{ALPHA}/chengxin/log/{number}",
    )
    tokens = sign_key_change(change, old=first.key, new=second.key)
    log_change(federation, tokens, use="log", kid=second.key.kid)
    member.key_changes.append(tokens)

    def move(draft: Registry) -> Registry:
        entry, *others = draft.members
        message, old = entry.keys
        ended = replace(
            old, origin=first.origin, revoked_at=change.old_ends_at, reason="superseded"
        )
        keys = (message, ended, replace(key_entry(second.key, "log"), nbf=change.nbf))
        moved = replace(entry, log_origin=second.origin, keys=keys)
        return replace(draft, members=(moved, *others))

    federation.publish(move)
    files = federation.export(ALPHA)

    report = audit_files(alpha=files, beta=federation.export(BETA))

    assert codes(report) == (set() if number == 2 else {"key-registry-mismatch"})


def test_a_hubs_own_key_is_handed_over_in_the_registry() -> None:
    federation, _ = make_pair()
    entry = KeyChangeEntry(
        at_ms=NOW_S * 1000,
        use="hub",
        kid=federation.registry.hub_keys[0].key.kid,
        statement=sha256(b"snapshot"),
    )
    federation.members[ALPHA].log.append(format_entry(entry))

    assert audit(federation.bundles()).verdict is Verdict.PROVEN
