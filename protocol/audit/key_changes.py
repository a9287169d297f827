"""Key changes that logs name: signed by both keys, as the entry says, and as the registry has it.

The statement is the member's, the registry the hub's, the entry the log's: each finding says who
contradicts whom. Revocations are the hub's word and stand in the registry, which travels whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from protocol.audit.anchoring import Chain
from protocol.audit.evidence import KnownEntry
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.world import World
from protocol.bundle import KEY_CHANGES_FILE, Bundle
from protocol.encoding import sha256
from protocol.enrolment import ENROLMENT_TYP, open_member_enrolment
from protocol.entry import Entry, KeyChangeEntry
from protocol.errors import ProtocolError, UnknownKeyError
from protocol.jws import split_compact
from protocol.keychange import CHANGE_REASONS, KeyChange, open_key_change
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.registry import COMPROMISED, KeyEntry
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStatement:
    """A verified statement on keys of a member, by its payload's hash.

    ``change`` is None where the keys were enrolled anew under an invitation: there no old key is
    left that could hand over, and ``keys`` (use to thumbprint) signed alone.
    """

    hash: bytes
    member: str
    keys: Mapping[str, str]
    change: KeyChange | None
    tokens: tuple[str, ...]


class _Judged(NamedTuple):
    """What came of comparing."""

    outcome: Outcome
    code: str
    text: str


def judge_key_changes(others: Iterable[KnownEntry[Entry]], *, world: World) -> Iterator[Finding]:
    """Yield a finding for each key change that a log names, and for each that does not hold."""
    shown: dict[bytes, ShownStatement] = {}
    yield from _open_statements(world.bundles, shown, world=world)
    for known in others:
        entry = known.entry
        # A hub's own keys are handed over in the registry, not by a statement.
        if isinstance(entry, KeyChangeEntry) and entry.use in CHANGE_REASONS:
            yield _judge_entry(known, entry, shown.get(entry.statement), world=world)


def _open_statements(
    bundles: Sequence[Bundle], shown: dict[bytes, ShownStatement], *, world: World
) -> Iterator[Finding]:
    """Fill in the statements that hold; yield a finding for each that does not."""
    seen: set[tuple[str, ...]] = set()
    for number, bundle in enumerate(bundles):
        for record in bundle.key_changes:
            if record.tokens in seen:
                continue
            seen.add(record.tokens)
            place = Place(bundle=bundle.name, file=KEY_CHANGES_FILE, line=record.line)
            try:
                statement = _open_statement(record.tokens, chain=world.chain)
            except ProtocolError as err:
                whose = world.holders.get(number) or "a member that cannot be told"
                yield Finding(
                    outcome=Outcome.FAILS,
                    code="key-statement-invalid",
                    text=f"the bundle of {whose} holds a statement on keys that does not "
                    f"hold: {err.detail}",
                    place=place,
                    exhibits=record.tokens,
                )
                continue
            shown.setdefault(statement.hash, statement)


def _open_statement(tokens: tuple[str, ...], *, chain: Chain) -> ShownStatement:
    """Verify a key change, or an enrolment of new keys.

    Raises:
        ProtocolError: The leaf that says what does not hold.
    """
    split = split_compact(tokens[0] if tokens else "", bytes_max=STATEMENT_BYTES_MAX)
    if split.header.typ == ENROLMENT_TYP:
        made_s = ShapeReader(parse_object(split.payload), what="enrolment").integer("iat")
        enrolled = open_member_enrolment(tokens, hub=chain.newest.hub, now_s=made_s)
        return ShownStatement(
            hash=sha256(split.payload),
            member=enrolled.member,
            keys={use: key.kid for use, key in enrolled.keys.items()},
            change=None,
            tokens=tokens,
        )
    signed = open_key_change(tokens, find_key=lambda change: _get_old(chain, change).key)
    return ShownStatement(
        hash=signed.hash,
        member=signed.change.member,
        keys={signed.change.use: signed.change.new.kid},
        change=signed.change,
        tokens=tokens,
    )


def _get_old(chain: Chain, change: KeyChange) -> KeyEntry:
    """Return the key that hands over.

    Raises:
        UnknownKeyError: It is no key of this member and use.
    """
    found = _find_key(chain, change.member, kid=change.old, use=change.use)
    if found is None:
        raise UnknownKeyError("the old key is none of this member and use")
    return found


def _find_key(chain: Chain, member_id: str, *, kid: str, use: str) -> KeyEntry | None:
    member = chain.newest.find_member(member_id)
    for entry in () if member is None else member.keys:
        if (entry.key.kid, entry.use) == (kid, use):
            return entry
    return None


def _judge_entry(
    known: KnownEntry[Entry], entry: KeyChangeEntry, shown: ShownStatement | None, *, world: World
) -> Finding:
    if shown is None:
        return Finding(
            outcome=Outcome.UNKNOWN,
            code="key-statement-absent",
            text=f"the log of {known.member} names a statement for the {entry.use} key "
            f"{entry.kid}, and no bundle holds one that verifies",
            place=known.place,
        )
    judged = _compare(known, entry, shown, world=world)
    return Finding(
        outcome=judged.outcome,
        code=judged.code,
        text=judged.text,
        place=known.place,
        exhibits=shown.tokens,
    )


def _compare(
    known: KnownEntry[Entry], entry: KeyChangeEntry, shown: ShownStatement, *, world: World
) -> _Judged:
    """Compare a statement with the entry that names it, then with the registry."""
    if (shown.member, shown.keys.get(entry.use)) != (known.member, entry.kid):
        named = ", ".join(f"{use} {kid}" for use, kid in shown.keys.items())
        text = (
            f"the log of {known.member} states the {entry.use} key {entry.kid}, and the statement "
            f"that it names is of other keys: {named} of {shown.member}"
        )
        return _Judged(Outcome.FAILS, "key-statement-mismatch", text)
    change = shown.change
    if change is None:
        text = f"the {entry.use} key {entry.kid} of {known.member} was enrolled anew"
        return _Judged(Outcome.HOLDS, "key-changed", text)
    # A key that the registry does not know yet is said with the sequence of the logs.
    is_known = world.chain.has_key(entry.kid)
    odds = _find_odds(change, chain=world.chain) if is_known else None
    if odds is not None:
        text = (
            f"the hub's registry contradicts the change of the {change.use} key of "
            f"{change.member} that both keys signed: {odds}"
        )
        return _Judged(Outcome.FAILS, "key-registry-mismatch", text)
    return _judge_right(known, change, _get_old(world.chain, change), world=world)


def _find_odds(change: KeyChange, *, chain: Chain) -> str | None:
    """Return what the registry says otherwise than the statement, if anything."""
    new = _find_key(chain, change.member, kid=change.new.kid, use=change.use)
    if new is None:
        return "the new key is another's there, or of another use"
    if new.nbf != change.nbf:
        return f"the new key counts from {new.nbf} there, not from {change.nbf}"
    if change.origin is not None and not _is_of_log(change, chain=chain):
        return f"the new key is not that of the log {change.origin} there"
    old = _get_old(chain, change)
    if old.revoked_at is None:
        return "the old key has no end there"
    if old.reason == SUPERSEDED and old.revoked_at != change.old_ends_at:
        return f"the old key ends at {old.revoked_at} there, not at {change.old_ends_at}"
    return None


def _is_of_log(change: KeyChange, *, chain: Chain) -> bool:
    origin = change.origin or ""
    is_owned = chain.find_owner(origin) == change.member
    return is_owned and chain.get_log_key(origin).public == change.new


def _judge_right(
    known: KnownEntry[Entry], change: KeyChange, old: KeyEntry, *, world: World
) -> _Judged:
    """Judge whether the old key could still hand over when it did."""
    named = f"the {change.use} key of {change.member}"
    if old.is_valid_at(change.iat):
        text = f"{named} went from {change.old} to {change.new.kid}, as both signed"
        return _Judged(Outcome.HOLDS, "key-changed", text)
    if old.reason != COMPROMISED or old.revoked_at is None:
        text = f"{named} was changed at {change.iat} by a key that was not valid then"
        return _Judged(Outcome.FAILS, "key-revoked", text)
    covered = world.is_covered(known.origin, known.index, before_s=old.revoked_at)
    if covered:
        text = f"{named} was changed below a head cosigned before the old one was compromised"
        return _Judged(Outcome.HOLDS, "key-changed", text)
    text = f"{named} was changed by one that was compromised at {old.revoked_at}, before that"
    return _Judged(Outcome.UNKNOWN, "key-compromised", text)
