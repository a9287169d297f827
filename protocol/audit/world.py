"""What the judge of every exchange needs to know of the rest of the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.audit.anchoring import Chain
from protocol.audit.artefacts import Artefacts
from protocol.audit.evidence import KnownEntry
from protocol.audit.examining import Examiner
from protocol.audit.findings import Place
from protocol.audit.ports import Spool
from protocol.audit.reading import ReadLog
from protocol.bundle import Bundle, MessageFilter
from protocol.entry import AbortedEntry

SUSPECTS_MAX = 1_000  # places of unreadable entries that each exchange without an entry is told of
ROLLED_BACK = "rolled-back"  # why a log ended, in the genesis entry of the one after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Spools:
    """Where exchanges come from, and where what they leave goes.

    ``swept`` has the message ids of those that were judged where they stand.
    """

    routed: Spool
    swept: Spool
    claims: Spool
    uses: Spool
    arrivals: Spool
    reports: Spool


@dataclass(slots=True, kw_only=True)
class World:
    """The state of an audit while exchanges are judged.

    ``anchored`` is how many entries of a log a signed head proves; ``last_n`` the highest own
    number by member and peer; ``not_sent`` the numbers that their owners say no message has;
    ``covered`` gives for each log its cosigned heads as (time, size), of which ``histories`` show
    more than the newest; ``asked`` those that the auditor's own policy admits, None without one;
    ``rolled_back`` at how many entries a log ended whose owner says that it was rolled back, in the
    log after it; ``key_places`` where changed keys are named. ``altered`` names entries by the
    message id that their changed bytes still show, ``suspects`` those that show none; an exchange
    of which ``altered`` names no entry is not judged where it stands.
    """

    chain: Chain
    examiner: Examiner
    bundles: Sequence[Bundle]
    holders: Mapping[int, str]
    filters: Mapping[int, tuple[str, MessageFilter | None]]
    primary: Mapping[int, ReadLog]
    logs: Mapping[str, ReadLog]
    reads: Mapping[str, Sequence[ReadLog]]
    members: frozenset[str]
    artefacts: Artefacts
    anchored: Mapping[str, int]
    last_n: Mapping[tuple[str, str], int]
    not_sent: Mapping[tuple[str, str, int], KnownEntry[AbortedEntry]]
    covered: Mapping[str, Sequence[tuple[int, int]]]
    asked: Mapping[str, Sequence[tuple[int, int]]] | None
    histories: frozenset[str]
    altered: Mapping[bytes, Sequence[tuple[str, int]]]
    suspects: Mapping[str, Sequence[Place]]
    rolled_back: Mapping[str, int]
    key_places: Mapping[tuple[str, str], tuple[int, int]]
    spools: Spools
    partitions: int
    rounds: dict[int, int]
    keeps_all: bool
    _origins: dict[str, list[str]] = field(default_factory=dict)

    def is_covered(self, origin: str, index: int, *, before_s: int) -> bool | None:
        """Tell whether a head cosigned before a time holds an entry; None where that is open.

        A bundle without a history of cosigned heads shows only its newest. Under a policy of the
        auditor's own its witnesses prove it, and the hub's cosignature alone leaves it open.
        """
        if self.asked is not None and _reaches(self.asked.get(origin, ()), index, before_s):
            return True
        if _reaches(self.covered.get(origin, ()), index, before_s):
            return True if self.asked is None else None
        return False if origin in self.histories else None

    def is_lost(self, origin: str, index: int) -> bool:
        """Tell whether an entry lies in the part of a log that a rollback has lost."""
        size = self.rolled_back.get(origin)
        return size is not None and index >= size

    def shows_all_before(self, member: str, position: tuple[int, int]) -> bool:
        """Tell whether every entry of a member before a position in its logs can be read here."""
        number, index = position
        logs = [self.logs.get(origin) for origin in self.list_origins(member)[: number + 1]]
        if not all(log is not None and not log.altered for log in logs):
            return False
        return bool(logs) and logs[-1] is not None and index < logs[-1].tree.size

    def list_origins(self, member: str) -> Sequence[str]:
        """Return the origins of a member's logs in the order in which it opened them."""
        known = self._origins.get(member)
        if known is None:
            known = self._origins[member] = self.chain.list_origins(member)
        return known


def _reaches(heads: Sequence[tuple[int, int]], index: int, before_s: int) -> bool:
    return 0 <= index < max((size for at_s, size in heads if at_s < before_s), default=0)
