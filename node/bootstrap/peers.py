"""How what peers have told reaches the assessment: with its state, and what becomes of it later."""

from __future__ import annotations

from collections.abc import Sequence

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.renewal.service import queue_readers_within, queue_subject_within
from node.assessment.renewal.store import RenewalCause
from node.assessment.scoring import ListPeerSummaries
from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import UnitOfWork
from node.core.member_groups import parse_member_groups
from node.sharing.changes import SummaryChange, SummaryEvent
from node.sharing.received_states import JudgedSummary, SummaryJudge
from node.sharing.rules_state import SummaryState
from node.sharing.service import find_erased_messages
from protocol.encoding import decode_b64u, encode_b64u


def build_peer_reader(settings: Settings, clock: Clock) -> ListPeerSummaries:
    """Return what gives an assessment the summaries on subjects, each with its state."""
    judge = SummaryJudge(
        clock=clock,
        member_id=settings.member_id,
        groups=parse_member_groups(settings.member_groups),
    )

    def list_peer_summaries(
        uow: UnitOfWork, subjects: Sequence[str]
    ) -> dict[str, list[PeerSummaryRecord]]:
        return {
            subject: [_read_judged(one) for one in judged]
            for subject, judged in judge.list_judged(uow, subjects).items()
        }

    return list_peer_summaries


def find_erased(uow: UnitOfWork, refs: Sequence[str]) -> frozenset[str]:
    """Return those of some messages whose summaries are erased by now."""
    erased = find_erased_messages(uow, [decode_b64u(ref) for ref in refs])
    return frozenset(map(encode_b64u, erased))


def queue_renewals(uow: UnitOfWork, change: SummaryChange) -> None:
    """Have those assessed again whose newest assessment rests on what has changed."""
    cause, refs = RenewalCause(change.event.value), [encode_b64u(msg) for msg in change.msgs]
    if change.event is SummaryEvent.BAND_CHANGE:
        for ref in refs:
            queue_subject_within(uow, change.subject, cause=cause, ref=ref, at_ms=change.at_ms)
    else:
        queue_readers_within(uow, refs, cause=cause, at_ms=change.at_ms)


def _read_judged(judged: JudgedSummary) -> PeerSummaryRecord:
    return PeerSummaryRecord(
        provider=judged.provider,
        msg_hash_b64u=encode_b64u(judged.msg),
        summary=judged.summary,
        received_on=judged.received_on,
        left_out="" if judged.state is SummaryState.USABLE else judged.state.value,
        group=judged.group,
    )
