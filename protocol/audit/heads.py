"""Every signed word on the head of a log, compared with the exported entries: forks show here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from protocol.audit.evidence import Case, KnownEntry, SeenCopy
from protocol.audit.examining import Examiner
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.ports import read_final
from protocol.audit.reading import ReadLog
from protocol.audit.world import World
from protocol.bundle import HEADS_FILE, Bundle
from protocol.encoding import encode_b64u
from protocol.entry import (
    AnchorEntry,
    Entry,
    ExchangeEntry,
    GenesisEntry,
    HeadEntry,
    ResponseEntry,
)
from protocol.errors import ProtocolError
from protocol.message import LogHead

SIZES_PER_RANGE_BITS = 12  # claims of neighbouring sizes are compared together


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadClaim:
    """Size and root of a member's log, as somebody states them.

    ``origin`` is empty where only the member is named. ``by_log`` tells that the log's own key
    signed it, ``by_member`` that a message or an entry of the member's own says so; else it is a
    peer's word, which accuses nobody.
    """

    member: str
    origin: str
    size: int
    root: bytes
    by_log: bool
    place: Place
    exhibit: str
    by_member: bool = True

    @property
    def weight(self) -> tuple[bool, bool]:
        """Return how much it proves, to compare claims that say the same."""
        return self.by_log, self.by_member

    @property
    def name(self) -> tuple[str, str, int, bytes]:
        """Return what two claims have in common that say the same."""
        return self.member, self.origin, self.size, self.root


@dataclass(slots=True, kw_only=True)
class HeadComparison:
    """What came of comparing claims with one log.

    ``different`` is the claim of the lowest size among the member's own that differ, ``disputed``
    among those that only peers state.
    """

    anchored: int = 0
    equal: int = 0
    beyond: int = 0
    different: HeadClaim | None = None
    different_count: int = 0
    disputed: HeadClaim | None = None

    def add(self, other: HeadComparison) -> None:
        """Add what another part of the claims came to."""
        self.anchored = max(self.anchored, other.anchored)
        self.equal += other.equal
        self.beyond += other.beyond
        self.different_count += other.different_count
        self.different = _find_lowest(self.different, other.different)
        self.disputed = _find_lowest(self.disputed, other.disputed)


@dataclass(slots=True, kw_only=True)
class ComparedPartition:
    """What the claims of one partition came to, by bundle; ``splits`` need no export."""

    logs: dict[int, HeadComparison] = field(default_factory=dict)
    splits: list[tuple[HeadClaim, HeadClaim]] = field(default_factory=list)


class ClaimSet:
    """Distinct claims; of equal ones the log's own word is kept."""

    def __init__(self, world: World) -> None:
        """Start empty."""
        self._world = world
        self._distinct: dict[tuple[str, str, int, bytes], HeadClaim] = {}

    def add(
        self,
        head: LogHead,
        *,
        member: str,
        origin: str,
        by_log: bool,
        place: Place,
        exhibit: str,
        by_member: bool = True,
    ) -> None:
        """Add what somebody states."""
        if not origin:
            origins = self._world.list_origins(member)
            origin = origins[0] if len(origins) == 1 else ""
        name = (member, origin, head.size, head.root)
        known = self._distinct.get(name)
        if known is None or (by_log, by_member) > known.weight:
            self._distinct[name] = HeadClaim(
                member=member,
                origin=origin,
                size=head.size,
                root=head.root,
                by_log=by_log,
                place=place,
                exhibit=exhibit,
                by_member=by_member,
            )

    def add_copy(self, one: SeenCopy) -> None:
        """Add what a verified message and its proof say of the sender's log."""
        envelope, proof = one.opened.verified, one.proof
        is_proven = proof is not None and proof.head is not None
        origin = proof.origin if proof is not None and is_proven else ""
        if envelope is not None:
            self.add(
                envelope.head,
                member=envelope.iss,
                origin=origin,
                by_log=False,
                place=one.place,
                exhibit=one.copy.env,
            )
        if proof is not None and proof.head is not None:
            self.add(
                LogHead(size=proof.head.size, root=proof.head.root),
                member=proof.member,
                origin=origin,
                by_log=True,
                place=one.place,
                exhibit=proof.note,
            )

    def add_case(self, case: Case) -> None:
        """Add what the messages and entries of an exchange say."""
        for copies in (case.requests, case.answers):
            seen: set[int] = set()
            for one in copies:
                if id(one.opened) not in seen:  # Copies that are alike say nothing new.
                    self.add_copy(one)
                seen.add(id(one.opened))
        for known in case.list_entries():
            self.add_entry(known)

    def add_entry(self, known: KnownEntry[Entry]) -> None:
        """Add what an entry says of another log, or of its own."""
        match known.entry:
            case ExchangeEntry(peer=peer, head=head) | ResponseEntry(peer=peer, head=head):
                self._add_stated(known, head, member=peer, origin="")
            case HeadEntry(origin=origin, head=head):
                owner = self._world.chain.find_owner(origin) or ""
                self._add_stated(known, head, member=owner, origin=origin)
            case AnchorEntry(head=head):
                self._add_stated(known, head, member=known.member, origin=known.origin)
            case GenesisEntry(previous=previous) if previous is not None:
                self._add_stated(known, previous.head, member=known.member, origin=previous.origin)
            case _:
                pass  # Nothing of a head is in it.

    def _add_stated(
        self, known: KnownEntry[Entry], head: LogHead, *, member: str, origin: str
    ) -> None:
        self.add(
            head,
            member=member,
            origin=origin,
            by_log=False,
            by_member=member == known.member,
            place=known.place,
            exhibit=f"entry {known.index} of {known.member}",
        )

    def split(self) -> dict[int, list[HeadClaim]]:
        """Return the claims by partition."""
        parts: dict[int, list[HeadClaim]] = {}
        for claim in self._distinct.values():
            partition = (claim.size >> SIZES_PER_RANGE_BITS) % self._world.partitions
            parts.setdefault(partition, []).append(claim)
        return parts


GROWN = "the log has grown since this export, and what was added is not judged"
LOST = "the log was rolled back, and what they cover beyond it is lost there"


def open_held_heads(
    bundles: Iterable[Bundle], *, examiner: Examiner, claims: ClaimSet
) -> Iterator[Finding]:
    """Verify the peers' checkpoints that nodes hold; yield findings on those that do not."""
    for bundle in bundles:
        for record in bundle.heads:
            place = Place(bundle=bundle.name, file=HEADS_FILE, line=record.line)
            try:
                head = examiner.open_head(record.checkpoint, member=record.peer)
            except ProtocolError as err:
                text = f"the checkpoint held of {record.peer} does not hold: {err.detail}"
                yield Finding(outcome=Outcome.FAILS, code=err.code, text=text, place=place)
                continue
            claims.add(
                LogHead(size=head.size, root=head.root),
                member=record.peer,
                origin=head.origin,
                by_log=True,
                place=place,
                exhibit=record.checkpoint,
            )


def compare_partition(world: World, partition: int) -> ComparedPartition:
    """Compare the claims of one partition with the exports that reach so far."""
    distinct: dict[tuple[str, str, int, bytes], HeadClaim] = {}
    for claim in read_final(world.spools.claims, partition, rounds=world.rounds):
        known = distinct.get(claim.name)
        if known is None or claim.weight > known.weight:
            distinct[claim.name] = claim
    compared = ComparedPartition()
    ordered = sorted(distinct.values(), key=lambda one: one.name)
    for (member, origin), group in groupby(ordered, key=lambda one: (one.member, one.origin)):
        origins = [origin] if origin else world.list_origins(member)
        _compare(compared, list(group), origins, world=world)
    return compared


def describe_comparison(
    log: ReadLog, compared: HeadComparison, *, is_rolled_back: bool
) -> Iterator[Finding]:
    """Yield the findings on one log."""
    if compared.different is not None:
        yield _describe_fork(log, compared.different, count=compared.different_count)
    if compared.disputed is not None:
        yield _describe_dispute(log, compared.disputed)
    if compared.beyond:
        yield Finding(
            outcome=Outcome.UNKNOWN,
            code="heads-beyond",
            text=f"{compared.beyond} signed heads lie beyond entry {log.tree.size}: "
            + (LOST if is_rolled_back else GROWN),
            place=Place(bundle=log.name, file=HEADS_FILE),
        )


def describe_split(earlier: HeadClaim, later: HeadClaim) -> Finding:
    """Return the fork that two claims of one size show by themselves, without any export."""
    return Finding(
        outcome=Outcome.FAILS,
        code="fork",
        text=f"two heads of {earlier.member} at size {earlier.size}: "
        f"{encode_b64u(earlier.root)} ({earlier.place.text}) and {encode_b64u(later.root)}",
        place=later.place,
        exhibits=(earlier.exhibit, later.exhibit),
    )


def _compare(
    compared: ComparedPartition,
    claims: Sequence[HeadClaim],
    origins: Sequence[str],
    *,
    world: World,
) -> None:
    beyond: list[HeadClaim] = []
    for claim in claims:
        if len(origins) == 1:
            reads = world.reads.get(origins[0], ())
            is_beyond = [_compare_one(compared, claim, log) for log in reads]
            beyond += [claim] if all(is_beyond) else []
        else:
            _compare_any(compared, claim, origins, world=world)
    own = [claim for claim in beyond if claim.by_member]
    for earlier, later in pairwise(own):
        if earlier.size == later.size:
            compared.splits.append((earlier, later))
            break


def _compare_one(compared: ComparedPartition, claim: HeadClaim, log: ReadLog) -> bool:
    """Compare a claim with one export of the log that it names; tell whether it lies beyond."""
    ours = compared.logs.setdefault(log.exported.bundle, HeadComparison())
    if claim.size > log.tree.size:
        ours.beyond += 1
        return True
    if log.tree.root(claim.size) == claim.root:
        ours.equal += 1
        ours.anchored = max(ours.anchored, claim.size if claim.by_log else 0)
    elif log.signed is None:
        pass  # That these entries are not the log's is said already, and nobody else's word.
    elif claim.by_member:
        ours.add(HeadComparison(different=claim, different_count=1))
    else:
        ours.add(HeadComparison(disputed=claim))
    return False


def _compare_any(
    compared: ComparedPartition, claim: HeadClaim, origins: Sequence[str], *, world: World
) -> None:
    """Compare a claim with every log of its member: it may be of any of them."""
    logs = [log for origin in origins if (log := world.logs.get(origin)) is not None]
    reaching = [log for log in logs if claim.size <= log.tree.size]
    equal = [log for log in reaching if log.tree.root(claim.size) == claim.root]
    if equal:
        _compare_one(compared, claim, equal[0])
    elif logs and len(reaching) < len(origins):
        shortest = min(logs, key=lambda log: log.tree.size)
        ours = compared.logs.setdefault(shortest.exported.bundle, HeadComparison())
        ours.beyond += 1
    elif reaching:
        _compare_one(compared, claim, reaching[0])


def _find_lowest(one: HeadClaim | None, other: HeadClaim | None) -> HeadClaim | None:
    claims = [claim for claim in (one, other) if claim is not None]
    return min(claims, key=_rank, default=None)


def _rank(claim: HeadClaim) -> tuple[int, bytes]:
    return claim.size, claim.root


def _describe_fork(log: ReadLog, first: HeadClaim, *, count: int) -> Finding:
    more = f", and {count - 1} other heads" if count > 1 else ""
    signer = "its own log key" if first.by_log else "a message or an entry of its own"
    return Finding(
        outcome=Outcome.FAILS,
        code="fork",
        text=f"a head of {log.member} at size {first.size}, stated by {signer}, has the root "
        f"{encode_b64u(first.root)}; the exported entries give "
        f"{encode_b64u(log.tree.root(first.size))}{more}",
        place=first.place,
        exhibits=(first.exhibit, log.checkpoint),
    )


def _describe_dispute(log: ReadLog, first: HeadClaim) -> Finding:
    """Return what a peer's log says against this one: an entry that nobody here has signed."""
    return Finding(
        outcome=Outcome.UNKNOWN,
        code="head-disputed",
        text=f"a peer logged a head of {log.member} at size {first.size} with the root "
        f"{encode_b64u(first.root)}; the exported entries give "
        f"{encode_b64u(log.tree.root(first.size))}, and nothing of {log.member}'s own says else",
        place=first.place,
        exhibits=(first.exhibit,),
    )
