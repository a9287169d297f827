"""The root of trust: the hub's key, and the chain of registry snapshots that hangs from it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from protocol.audit.findings import AnchorReport, Finding, Outcome, Place, RegistryReport
from protocol.bundle import REGISTRY_FILE, Bundle, SnapshotRecord
from protocol.encoding import encode_b64u
from protocol.errors import EvidenceError, ProtocolError, UnknownKeyError
from protocol.jws import split_compact
from protocol.keys import PublicKey, parse_public_jwk
from protocol.limits import REGISTRY_BYTES_MAX
from protocol.note import SignatureKind, VerifierKey, parse_vkey
from protocol.registry import (
    Registry,
    RegistryChainError,
    check_next,
    open_next,
)
from protocol.strict_json import JsonValue, parse_object


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Snapshots that follow each other from number 1, all verified; at least one."""

    snapshots: tuple[Registry, ...]

    @property
    def newest(self) -> Registry:
        """Return the newest snapshot: it holds every key there ever was."""
        return self.snapshots[-1]

    @cached_property
    def witnesses(self) -> tuple[VerifierKey, ...]:
        """Return the hub's witness keys, of all times."""
        texts = dict.fromkeys(snapshot.witness_vkey for snapshot in self.snapshots)
        return tuple(key for text in texts if (key := _find_vkey(text)) is not None)

    @cached_property
    def _kids(self) -> frozenset[str]:
        owners = [self.newest.hub_keys, *(member.keys for member in self.newest.members)]
        kids = {entry.key.kid for keys in owners for entry in keys}
        return frozenset(kids | {key.public.kid for key in self.witnesses})

    @cached_property
    def _logs(self) -> dict[str, tuple[str, VerifierKey]]:
        """Owner and key of every log, by origin, in the order in which snapshots named them."""
        logs: dict[str, tuple[str, VerifierKey]] = {}
        for snapshot in self.snapshots:
            for member in snapshot.members:
                with suppress(ProtocolError):  # A member without a log key has no log.
                    origin, key = snapshot.get_log_key(member.member)
                    vkey = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
                    logs[origin] = member.member, vkey
        return logs

    def find_reference(self, seq: int) -> tuple[bytes, int, int] | None:
        """Return hash, ``iat`` and ``exp`` of a snapshot."""
        if not 0 < seq <= len(self.snapshots):
            return None
        snapshot = self.snapshots[seq - 1]
        return snapshot.hash, snapshot.iat, snapshot.exp

    def find_owner(self, origin: str) -> str | None:
        """Return whose log has this origin."""
        log = self._logs.get(origin)
        return None if log is None else log[0]

    def is_hub_log(self, origin: str) -> bool:
        """Tell whether this is a log that the hub keeps of itself."""
        return self.find_owner(origin) == self.newest.hub

    def list_origins(self, member: str) -> list[str]:
        """Return the origins of a member's logs in the order in which it opened them."""
        return [origin for origin, (owner, _) in self._logs.items() if owner == member]

    def has_key(self, kid: str) -> bool:
        """Tell whether a member or the hub has, or had, this key."""
        return kid in self._kids

    def get_log_key(self, origin: str) -> VerifierKey:
        """Return the key of a log.

        Raises:
            UnknownKeyError: The registry knows no such log.
        """
        log = self._logs.get(origin)
        if log is None:
            raise UnknownKeyError(f"the registry knows no log {origin}")
        return log[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What came of following the chain; ``chain`` is None where not even snapshot 1 holds."""

    anchor: AnchorReport | None
    chain: Chain | None
    report: RegistryReport | None
    signatures: int
    findings: tuple[Finding, ...]


def follow_chain(bundles: Sequence[Bundle], *, anchor: PublicKey | None) -> ChainResult:
    """Follow every bundle's chain from the anchor and compare them.

    Without an anchor the key comes out of the first bundle: that proves only that the bundles agree
    with each other, and the report says so.
    """
    key = anchor or _find_first_key(bundles)
    if key is None:
        finding = Finding(
            outcome=Outcome.FAILS,
            code="anchor-absent",
            text="no anchor was given, and no bundle holds a first registry snapshot",
        )
        return ChainResult(anchor=None, chain=None, report=None, signatures=0, findings=(finding,))
    follower = _Follower(key)
    for bundle in bundles:
        follower.follow(bundle)
    snapshots = tuple(follower.verified[seq] for seq in sorted(follower.verified))
    chain = Chain(snapshots=snapshots) if snapshots else None
    return ChainResult(
        anchor=AnchorReport(key=encode_b64u(key.raw), given=anchor is not None),
        chain=chain,
        report=None if chain is None else _report(chain),
        signatures=follower.signatures,
        findings=tuple(follower.findings),
    )


class _Follower:
    """Follows one chain a bundle; what an earlier bundle has proven is not verified again."""

    def __init__(self, anchor: PublicKey) -> None:
        self._anchor = anchor
        self._opened: dict[tuple[str, ...], Registry] = {}
        self._first_tokens: dict[int, tuple[str, ...]] = {}
        self.verified: dict[int, Registry] = {}
        self.findings: list[Finding] = []
        self.signatures = 0

    def follow(self, bundle: Bundle) -> None:
        """Follow a bundle's chain as far as it holds."""
        older: Registry | None = None
        for record in bundle.snapshots:
            place = Place(bundle=bundle.name, file=REGISTRY_FILE, line=record.line)
            try:
                newer = self._open(record, older=older)
                self._check_place(record, newer, older=older)
            except ProtocolError as err:
                self._add(err.code, f"snapshot {record.seq} does not hold: {err.detail}", place)
                return
            known = self.verified.setdefault(newer.seq, newer)
            if known.hash != newer.hash:
                self._add_fork(record, newer, place)
                return
            self._first_tokens.setdefault(newer.seq, record.tokens)
            older = newer
        if older is None:
            place = Place(bundle=bundle.name, file=REGISTRY_FILE)
            self._add("registry-absent", "no registry snapshot can be read", place)

    def _open(self, record: SnapshotRecord, *, older: Registry | None) -> Registry:
        known = self._opened.get(record.tokens)
        if known is not None:
            return known
        newer = open_next(record.tokens, older=older, anchor=self._anchor)
        self.signatures += len(record.tokens)
        self._opened[record.tokens] = newer
        return newer

    def _check_place(
        self, record: SnapshotRecord, newer: Registry, *, older: Registry | None
    ) -> None:
        if record.seq != newer.seq:
            raise RegistryChainError(f"the line says {record.seq}, the snapshot {newer.seq}")
        check_next(newer, older=older)

    def _add(self, code: str, text: str, place: Place) -> None:
        self.findings.append(Finding(outcome=Outcome.FAILS, code=code, text=text, place=place))

    def _add_fork(self, record: SnapshotRecord, newer: Registry, place: Place) -> None:
        known = self.verified[newer.seq]
        self.findings.append(
            Finding(
                outcome=Outcome.FAILS,
                code="registry-fork",
                text=f"the hub signed two snapshots {newer.seq}: {encode_b64u(known.hash)} and "
                f"{encode_b64u(newer.hash)}",
                place=place,
                exhibits=(self._first_tokens[newer.seq][0], record.tokens[0]),
            )
        )


def _find_first_key(bundles: Sequence[Bundle]) -> PublicKey | None:
    """Return the key that signed the first readable snapshot, as the snapshot itself states it."""
    for bundle in bundles:
        for record in bundle.snapshots[:1]:
            try:
                return _read_signer(record)
            except ProtocolError:
                continue  # The bundle's own findings say what is wrong with it.
    return None


def _read_signer(record: SnapshotRecord) -> PublicKey:
    if not record.tokens:
        raise EvidenceError("a snapshot without a signature")
    split = split_compact(record.tokens[0], bytes_max=REGISTRY_BYTES_MAX)
    entries = parse_object(split.payload).get("hub_keys")
    for entry in entries if isinstance(entries, list) else []:
        key = parse_public_jwk(_take_jwk(entry))
        if key.kid == split.header.kid:
            return key
    raise EvidenceError("the snapshot does not name the key that signed it")


def _take_jwk(entry: JsonValue) -> JsonValue:
    return entry.get("jwk", "") if isinstance(entry, dict) else ""


def _find_vkey(text: str) -> VerifierKey | None:
    try:
        key = parse_vkey(text)
    except ProtocolError:
        return None
    return key if key.kind is SignatureKind.COSIGNATURE_V1 else None


def _report(chain: Chain) -> RegistryReport:
    newest = chain.newest
    return RegistryReport(
        hub=newest.hub,
        snapshots=len(chain.snapshots),
        members=newest.member_count,
        newest_hash=encode_b64u(newest.hash),
        simulated=newest.simulated,
    )
