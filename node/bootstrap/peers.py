"""How what peers have told reaches the assessment: with its state, and what becomes of it later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.renewal.service import queue_readers_within, queue_subject_within
from node.assessment.renewal.store import RenewalCause
from node.assessment.scoring import ListPeerSummaries
from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import UnitOfWork
from node.core.member_groups import parse_member_groups
from node.rating.models.peer_rows import ListKnownPeers
from node.risk.facts.records import PeerChange, ReadPeers
from node.risk.facts.rules_peers import find_index_drop, is_worse
from node.sharing.changes import SummaryChange, SummaryEvent
from node.sharing.received_states import MODEL, RATING, JudgedSummary, SummaryJudge
from node.sharing.rules_state import SummaryState
from node.sharing.service import find_erased_messages
from protocol.encoding import decode_b64u, encode_b64u


def build_peer_reader(settings: Settings, clock: Clock) -> ListPeerSummaries:
    """Return what gives an assessment the summaries on subjects, each with its state."""
    judge = _build_judge(settings, clock)

    def list_peer_summaries(
        uow: UnitOfWork, subjects: Sequence[str]
    ) -> dict[str, list[PeerSummaryRecord]]:
        return {
            subject: [_read_judged(one) for one in judged]
            for subject, judged in judge.list_judged(uow, subjects).items()
        }

    return list_peer_summaries


def build_peer_changes(settings: Settings, clock: Clock) -> ReadPeers:
    """Return what gives the risk room how each peer's newest summary differs from those before.

    Only what may be used counts, on both sides: a peer whose newest summary may not says nothing.
    """
    judge = _build_judge(settings, clock)

    def read_peers(
        uow: UnitOfWork, subjects: Mapping[int, str], as_of: date
    ) -> dict[int, tuple[PeerChange, ...]]:
        series = judge.list_series(uow, list(subjects.values()))
        found = {key: _list_changes(series.get(one, ()), as_of) for key, one in subjects.items()}
        return {key: tuple(changes) for key, changes in found.items() if changes}

    return read_peers


def build_training_reader(settings: Settings, clock: Clock) -> ListKnownPeers:
    """Return what gives a training every kept summary that a model may be derived from.

    What may not be used now teaches nothing, though it counted once.
    """
    judge = _build_judge(settings, clock, derivation=MODEL)

    def list_known(uow: UnitOfWork, subjects: Sequence[str]) -> dict[str, list[PeerSummaryRecord]]:
        return {
            subject: [_read_judged(one) for one in judged]
            for subject, judged in judge.list_kept(uow, subjects).items()
        }

    return list_known


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


def _build_judge(settings: Settings, clock: Clock, *, derivation: str = RATING) -> SummaryJudge:
    return SummaryJudge(
        derivation=derivation,
        clock=clock,
        member_id=settings.member_id,
        groups=parse_member_groups(settings.member_groups),
    )


def _list_changes(judged: Sequence[JudgedSummary], as_of: date) -> list[PeerChange]:
    changes = []
    for _, told in groupby(judged, key=lambda one: one.provider):
        by_day = [one for one in told if one.received_on <= as_of]
        usable = [one.summary for one in by_day if one.summary is not None]
        if not usable or by_day[0].summary is None:
            continue
        newest, *earlier = usable
        changes.append(
            PeerChange(
                ref=encode_b64u(by_day[0].msg),
                received_on=by_day[0].received_on,
                is_worse=is_worse(newest, earlier[0] if earlier else None),
                index_drop=find_index_drop(newest, earlier),
            )
        )
    return changes


def _read_judged(judged: JudgedSummary) -> PeerSummaryRecord:
    return PeerSummaryRecord(
        provider=judged.provider,
        msg_hash_b64u=encode_b64u(judged.msg),
        summary=judged.summary,
        received_on=judged.received_on,
        left_out="" if judged.state is SummaryState.USABLE else judged.state.value,
        group=judged.group,
    )
