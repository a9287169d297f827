"""What peers had told by the day of each row, as further columns of a table to train with.

A summary counts on a day if it was received and stated by then, is still kept, and may be used: its
consent allows that a model is derived from it. Of a customer on whom nothing of that kind was known
each value is missing, and has a bin of its own. Bands are read as the numbers that the scorecard's
policy gives them, and combined as the scorecard combines them. Nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from node.assessment.evidence import (
    PeerEvidence,
    PeerSummaryRecord,
    list_peer_evidence,
)
from node.assessment.policy import PolicyBody
from node.assessment.policy_file import LocalText
from node.assessment.rules_peers import weigh_peers
from node.assessment.statistical.model_file import Direction
from node.assessment.statistical.rules_statistical import Value
from node.core.database import UnitOfWork
from node.core.errors import InvariantError
from node.core.money import divide_half_even
from node.rating.models.table import Column, TrainingTable
from node.records.store import RecordsStore

SUBJECTS_TOGETHER = 200
PEERS = "peer-summaries"
ListKnownPeers = Callable[[UnitOfWork, Sequence[str]], Mapping[str, Sequence[PeerSummaryRecord]]]
"""Returns every kept summary on subjects that may train a model, older ones among them."""

COLUMNS = (
    Column(
        id="peer-index",
        source=PEERS,
        names=LocalText(zh="同行付款指数", en="Peers' payment index"),
        direction=Direction.RISING,
        decimals=1,
    ),
    Column(
        id="peer-dbt",
        source=PEERS,
        names=LocalText(zh="同行逾期天数", en="Peers' days beyond terms"),
        direction=Direction.FALLING,
        decimals=1,
    ),
    Column(
        id="peer-late",
        source=PEERS,
        names=LocalText(zh="同行逾期占比", en="Peers' share paid late"),
        direction=Direction.FALLING,
        decimals=1,
    ),
    Column(
        id="peer-worst",
        source=PEERS,
        names=LocalText(zh="同行最差类别", en="Peers' worst class"),
        direction=Direction.FALLING,
    ),
    Column(
        id="peer-overdue",
        source=PEERS,
        names=LocalText(zh="同行当前逾期", en="Overdue at peers now"),
        direction=Direction.FALLING,
    ),
    Column(
        id="peer-adverse",
        source=PEERS,
        names=LocalText(zh="同行不良事实", en="Adverse facts at peers"),
        direction=Direction.FALLING,
    ),
    Column(
        id="peer-voices",
        source=PEERS,
        names=LocalText(zh="答复的同行数", en="Peers who answered"),
        direction=Direction.FREE,
    ),
)
NOTHING: tuple[Value, ...] = (None,) * len(COLUMNS)


def add_peer_columns(
    uow: UnitOfWork, table: TrainingTable, *, list_known: ListKnownPeers, body: PolicyBody
) -> TrainingTable:
    """Return a table of the ledger with what peers had told by the day of each row."""
    if table.days is None or table.groups is None:
        raise InvariantError("rows of the ledger have days and customers")
    keys = sorted(set(table.groups))
    known: dict[int, tuple[PeerEvidence, ...]] = {}
    for start in range(0, len(keys), SUBJECTS_TOGETHER):
        records = RecordsStore(uow.connection)
        found = (
            records.find_customer_by_id(key) for key in keys[start : start + SUBJECTS_TOGETHER]
        )
        subjects = {one.subject_id: one.customer_id for one in found if one is not None}
        for subject, told in list_known(uow, sorted(subjects)).items():
            known[subjects[subject]] = list_peer_evidence(told, bands=body.bands)
    return replace(
        table,
        columns=(*table.columns, *COLUMNS),
        rows=tuple(
            (*row, *read_told(known.get(key, ()), body=body, on=day))
            for row, key, day in zip(table.rows, table.groups, table.days, strict=True)
        ),
    )


def read_told(known: Sequence[PeerEvidence], *, body: PolicyBody, on: date) -> tuple[Value, ...]:
    """Return the values of the columns on a day: nothing of what came later, one voice a peer.

    Means are weighted as the scorecard weighs summaries beside no records of our own, half to even;
    the worst, the oldest and the gravest are the largest that any of them says.
    """
    by_then = [one for one in known if one.received_on <= on and one.stated_on <= on]
    lines = weigh_peers(by_then, body, own_line=None, as_of=on)
    weights = {line.ref: line.weight_milli for line in lines if line.weight_milli}
    heard = [
        (one.figures, weights[one.msg_hash_b64u]) for one in by_then if one.msg_hash_b64u in weights
    ]
    if not heard:
        return NOTHING
    return (
        _mean([(one.index_deci, weight) for one, weight in heard]),
        _mean([(one.dbt_deci, weight) for one, weight in heard]),
        _mean([(one.late_permille, weight) for one, weight in heard]),
        _largest([one.worst_rank for one, _ in heard]),
        _largest([one.overdue_days for one, _ in heard]),
        _largest([one.adverse_rank for one, _ in heard]),
        len(heard),
    )


def count_told(table: TrainingTable) -> int:
    """Return of how many rows a peer had told anything."""
    place = [one.id for one in table.columns].index("peer-voices")
    return sum(row[place] is not None for row in table.rows)


def _mean(pairs: Sequence[tuple[int | None, int]]) -> int | None:
    stated = [(value, weight) for value, weight in pairs if value is not None]
    whole = sum(weight for _, weight in stated)
    if not whole:
        return None
    return divide_half_even(sum(value * weight for value, weight in stated), whole)


def _largest(values: Sequence[int | None]) -> int | None:
    return max((one for one in values if one is not None), default=None)
