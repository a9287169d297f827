"""Every signed word on the head of a log, compared with the exported entries: forks show here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from protocol.audit.examining import Examiner
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.reading import ReadLog
from protocol.bundle import HEADS_FILE, Bundle
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadClaim:
    """Size and root of a member's log, as somebody states them.

    ``by_log`` tells that the log's own key signed it; else a message or a peer's log entry says so.
    """

    member: str
    size: int
    root: bytes
    by_log: bool
    place: Place
    exhibit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadComparison:
    """What came of comparing the claims with one exported log."""

    anchored: int
    equal: int
    beyond: int
    findings: tuple[Finding, ...]


def open_held_heads(
    bundles: Iterable[Bundle], *, examiner: Examiner
) -> tuple[list[HeadClaim], list[Finding]]:
    """Verify the peers' checkpoints that nodes hold."""
    claims: list[HeadClaim] = []
    findings: list[Finding] = []
    for bundle in bundles:
        for record in bundle.heads:
            place = Place(bundle=bundle.name, file=HEADS_FILE, line=record.line)
            try:
                head = examiner.open_head(record.checkpoint, member=record.peer)
            except ProtocolError as err:
                text = f"the checkpoint held of {record.peer} does not hold: {err.detail}"
                findings.append(
                    Finding(outcome=Outcome.FAILS, code=err.code, text=text, place=place)
                )
                continue
            claims.append(
                HeadClaim(
                    member=record.peer,
                    size=head.size,
                    root=head.root,
                    by_log=True,
                    place=place,
                    exhibit=record.checkpoint,
                )
            )
    return claims, findings


def gather_claims(claims: Iterable[HeadClaim]) -> dict[str, list[HeadClaim]]:
    """Return each member's distinct claims by size; of equal ones the log's own word is kept."""
    distinct: dict[tuple[str, int, bytes], HeadClaim] = {}
    for claim in claims:
        key = (claim.member, claim.size, claim.root)
        known = distinct.get(key)
        if known is None or (claim.by_log and not known.by_log):
            distinct[key] = claim
    gathered: dict[str, list[HeadClaim]] = {}
    for claim in sorted(distinct.values(), key=lambda one: (one.member, one.size, one.root)):
        gathered.setdefault(claim.member, []).append(claim)
    return gathered


def compare_heads(log: ReadLog, claims: Sequence[HeadClaim]) -> HeadComparison:
    """Compare every claim with the root of the exported entries at its size."""
    anchored = equal = beyond = 0
    different: list[HeadClaim] = []
    for claim in claims:
        if claim.size > log.tree.size:
            beyond += 1
        elif log.tree.root(claim.size) == claim.root:
            equal += 1
            anchored = max(anchored, claim.size if claim.by_log else 0)
        else:
            different.append(claim)
    findings = [_describe_fork(log, different)] if different else []
    if beyond:
        findings.append(
            Finding(
                outcome=Outcome.UNKNOWN,
                code="heads-beyond",
                text=f"{beyond} signed heads lie beyond entry {log.tree.size}: the log has grown "
                "since this export, and what was added is not judged",
                place=Place(bundle=log.bundle.name, file=HEADS_FILE),
            )
        )
    return HeadComparison(anchored=anchored, equal=equal, beyond=beyond, findings=tuple(findings))


def find_split_claims(claims: Sequence[HeadClaim]) -> Finding | None:
    """Return the fork that two claims of one size show by themselves, without any export."""
    for earlier, later in pairwise(claims):
        if earlier.size == later.size:
            return Finding(
                outcome=Outcome.FAILS,
                code="fork",
                text=f"two heads of {earlier.member} at size {earlier.size}: "
                f"{encode_b64u(earlier.root)} ({earlier.place.text}) and {encode_b64u(later.root)}",
                place=later.place,
                exhibits=(earlier.exhibit, later.exhibit),
            )
    return None


def _describe_fork(log: ReadLog, different: Sequence[HeadClaim]) -> Finding:
    first = different[0]
    more = f", and {len(different) - 1} other heads" if len(different) > 1 else ""
    signer = "its own log key" if first.by_log else "a message or a peer's entry"
    return Finding(
        outcome=Outcome.FAILS,
        code="fork",
        text=f"a head of {log.member} at size {first.size}, stated by {signer}, has the root "
        f"{encode_b64u(first.root)}; the exported entries give "
        f"{encode_b64u(log.tree.root(first.size))}{more}",
        place=first.place,
        exhibits=(first.exhibit, log.bundle.checkpoint),
    )
