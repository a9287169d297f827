"""The history of cosigned heads: which entries the hub had seen by what time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.audit.examining import Examiner
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.heads import ClaimSet
from protocol.audit.reading import ReadLog
from protocol.bundle import WITNESSED_FILE, Bundle
from protocol.errors import ProtocolError
from protocol.message import LogHead

Covered = dict[str, list[tuple[int, int]]]


def read_witnessed(
    bundles: Sequence[Bundle],
    reads: Sequence[ReadLog],
    *,
    examiner: Examiner,
    claims: ClaimSet,
    covered: Covered,
) -> Iterator[Finding]:
    """Fill in when the hub had seen how many entries; yield findings on heads that do not hold."""
    logs = {log.exported.bundle: log for log in reads}
    for log in reads:
        if log.signed is not None and log.cosigned_at_s is not None:
            _cover(covered, log, size=log.signed.size, root=log.signed.root, at_s=log.cosigned_at_s)
    for number, bundle in enumerate(bundles):
        for record in bundle.witnessed:
            place = Place(bundle=bundle.name, file=WITNESSED_FILE, line=record.line)
            origin = record.checkpoint.partition("\n")[0]
            try:
                witnessed = examiner.open_witnessed(record.checkpoint, origin=origin)
            except ProtocolError as err:
                text = f"this earlier checkpoint does not hold: {err.detail}"
                yield Finding(outcome=Outcome.FAILS, code=err.code, text=text, place=place)
                continue
            head = witnessed.checkpoint
            claims.add(
                LogHead(size=head.size, root=head.root),
                member=examiner.chain.find_owner(origin) or "",
                origin=origin,
                by_log=True,
                place=place,
                exhibit=record.checkpoint,
            )
            read = logs.get(number)
            if read is not None and read.origin == origin and witnessed.cosigners:
                at_s = min(one.at_s for one in witnessed.cosigners)
                _cover(covered, read, size=head.size, root=head.root, at_s=at_s)


def _cover(covered: Covered, log: ReadLog, *, size: int, root: bytes, at_s: int) -> None:
    if size <= log.tree.size and log.tree.root(size) == root:
        covered.setdefault(log.origin, []).append((at_s, size))
