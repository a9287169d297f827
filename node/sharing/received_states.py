"""The summaries on a subject with the state of each: which of them a new decision may rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import UnitOfWork
from node.sharing.received import BodyReader
from node.sharing.rules_state import SummaryFacts, SummaryState, judge_state
from node.sharing.store.exchanging import AnyRow
from node.sharing.store.received import ReceivedStore
from node.sharing.store.snapshots import SnapshotStore
from protocol.consent import ConsentState, read_held_derivations
from protocol.jws import split_compact
from protocol.limits import REGISTRY_BYTES_MAX
from protocol.registry import parse_registry
from schemas.summary import Summary

RATING = "rating"  # in a consent's ``derive``
MODEL = "model"
ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSummary:
    """A summary with its state; ``summary`` is None where it may not be used."""

    provider: str
    msg: bytes
    received_on: date
    state: SummaryState
    summary: Summary | None
    group: str
    """Whom its provider belongs to; empty where it stands alone."""


class SummaryJudge:
    """Judges summaries on the present moment; the newest snapshot's members are read once."""

    def __init__(
        self,
        *,
        clock: Clock,
        member_id: str,
        groups: Mapping[str, str],
        derivation: str = RATING,
    ) -> None:
        """``groups`` names the group of each member who belongs to one.

        ``derivation`` is what is to be made of summaries: a consent has to allow it.
        """
        self._derivation = derivation
        self._clock = clock
        self._groups = groups
        self._own_group = groups.get(member_id, "")
        self._members: tuple[int, frozenset[str]] | None = None

    def list_judged(
        self, uow: UnitOfWork, subjects: Sequence[str]
    ) -> dict[str, list[JudgedSummary]]:
        """Return each provider's newest summary on subjects, and what that corrected.

        A subject of whom nobody has told anything is not among them.
        """
        store = ReceivedStore(uow.connection)
        return self._judge_rows(uow, store, store.list_candidates(subjects))

    def list_series(
        self, uow: UnitOfWork, subjects: Sequence[str]
    ) -> dict[str, list[JudgedSummary]]:
        """Return each provider's newest summaries on subjects, the newest of each first.

        Of what was corrected the correction is there as well, and it says of itself that it was.
        """
        store = ReceivedStore(uow.connection)
        return self._judge_rows(uow, store, store.list_series(subjects))

    def list_kept(self, uow: UnitOfWork, subjects: Sequence[str]) -> dict[str, list[JudgedSummary]]:
        """Return each provider's summaries on subjects, older ones too, the newest first."""
        store = ReceivedStore(uow.connection)
        return self._judge_rows(uow, store, store.list_kept(subjects))

    def _judge_rows(
        self, uow: UnitOfWork, store: ReceivedStore, rows: Sequence[AnyRow]
    ) -> dict[str, list[JudgedSummary]]:
        bodies = store.list_bodies(bytes(row.msg) for row in rows)
        reader, members = BodyReader(bodies), self._read_members(uow) if rows else None
        judged: dict[str, list[JudgedSummary]] = {}
        for row in rows:
            msg = bytes(row.msg)
            one = self._judge(
                row,
                summary=reader.find_summary(msg, item=row.item),
                has_body=msg in bodies,
                members=members,
            )
            judged.setdefault(row.subject, []).append(one)
        return judged

    def _judge(
        self,
        row: AnyRow,
        *,
        summary: Summary | None,
        has_body: bool,
        members: frozenset[str] | None,
    ) -> JudgedSummary:
        group = self._groups.get(row.provider, "")
        now_s = self._clock.now_ms() // 1000
        facts = SummaryFacts(
            is_objected=bool(row.is_objected),
            is_superseded=row.superseded_by is not None,
            has_successor=bool(row.has_successor),
            superseded_reason=row.superseded_reason,
            is_revoked=row.state == ConsentState.REVOKED.value,
            is_erased=row.erased_at_ms is not None or not has_body,
            erase_basis=row.erase_basis if row.erased_at_ms is not None else None,
            is_over=row.erase_at_s is not None and row.erase_at_s <= now_s,
            may_rate=row.token is not None and self._derivation in read_held_derivations(row.token),
            is_member=members is None or row.provider in members,
            is_own_group=bool(group) and group == self._own_group,
            is_readable=summary is not None,
        )
        state = judge_state(facts)
        return JudgedSummary(
            provider=row.provider,
            msg=bytes(row.msg),
            received_on=row.received_on,
            state=state,
            summary=summary if state is SummaryState.USABLE else None,
            group=group,
        )

    def _read_members(self, uow: UnitOfWork) -> frozenset[str] | None:
        """Return who is an active member; None where this node knows no registry yet."""
        store = SnapshotStore(uow.connection)
        seq = store.find_newest_seq()
        if seq is None:
            return None
        if self._members is None or self._members[0] != seq:
            # It was verified when it was taken in.
            token = store.get_tokens(seq)[0]
            registry = parse_registry(split_compact(token, bytes_max=REGISTRY_BYTES_MAX).payload)
            active = (one.member for one in registry.members if one.status == ACTIVE)
            self._members = (seq, frozenset(active))
        return self._members[1]
