"""Judge many customers as of a day: read the facts, run rules and detectors, nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.service import COLLECTIVE_KIND
from node.core.database import UnitOfWork
from node.records.rules_promise import judge_promise
from node.records.store import CustomerRecord, PromiseStore, RecordsStore
from node.records.store.rows import chunk_values
from node.risk.dunning.store import LetterStore
from node.risk.facts.reading import EnteredFacts, FactReader, read_groups
from node.risk.facts.records import CustomerFacts, EnteredSignal, GroupMember
from node.risk.plans.store import ActionStore
from node.risk.policies.policy import RiskPolicy
from node.risk.rules.judged import Judged, find_worst
from node.risk.rules.rules_thirteen import judge_all, judge_own
from node.risk.rules_finding import RiskStatus
from node.risk.signals.rules_detect import detect
from node.risk.signals.rules_points import (
    WeighedSignal,
    judge_signals,
    list_weighed,
    sum_points,
    weigh_best,
)
from node.risk.signals.store import SignalStore

ChangeFacts = Callable[[CustomerFacts], CustomerFacts]


def leave_as_is(facts: CustomerFacts) -> CustomerFacts:
    """Change nothing."""
    return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of one customer: every rule in its order, the signals, and what follows.

    The ``own`` ones are without what peers have said.
    """

    customer_id: int
    as_of: date
    policy: RiskPolicy
    judged: tuple[Judged, ...]
    signals: tuple[WeighedSignal, ...]
    """Each that still weighs; ``best`` of each kind count."""
    best: tuple[WeighedSignal, ...]
    unknown_signals: tuple[str, ...]
    status: RiskStatus
    status_own: RiskStatus

    @property
    def points_milli(self) -> int:
        """The points of all signals, in thousandths."""
        return sum_points(self.best)

    @property
    def points_own_milli(self) -> int:
        """The points of our own signals, in thousandths."""
        return sum_points(self.best, with_peers=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """What comes of a customer by itself."""

    facts: CustomerFacts
    judged: tuple[Judged, ...]
    signals: tuple[WeighedSignal, ...]
    best: tuple[WeighedSignal, ...]
    unknown: tuple[str, ...]
    of_signals: Judged

    @property
    def status(self) -> RiskStatus:
        """What a company of the same group hears of: without the group and without peers."""
        return find_worst([*self.judged, self.of_signals], with_peers=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerJudge:
    """Judges customers within the caller's transaction."""

    reader: FactReader

    def judge(
        self,
        uow: UnitOfWork,
        customers: Sequence[CustomerRecord],
        *,
        policy: RiskPolicy,
        as_of: date,
        change: ChangeFacts = leave_as_is,
    ) -> list[Judgement]:
        """Return what comes of each customer, collective accounts not."""
        return self.judge_each(uow, customers, policies=[policy], as_of=as_of, change=change)[0]

    def judge_each(
        self,
        uow: UnitOfWork,
        customers: Sequence[CustomerRecord],
        *,
        policies: Sequence[RiskPolicy],
        as_of: date,
        change: ChangeFacts = leave_as_is,
    ) -> list[list[Judgement]]:
        """Return what comes of the same customers by each of some policies.

        Companies of their groups are judged with them, by themselves: so the order in which
        customers are taken changes nothing. Facts are read anew where a policy counts otherwise.
        ``change`` says what of the facts would be otherwise.
        """
        asked = [one for one in customers if one.kind != COLLECTIVE_KIND]
        groups = read_groups(uow, [one.customer_id for one in asked])
        subjects = {one.customer_id: one.subject_id for one in asked}
        others = sorted({key for group in groups.values() for key in group} - set(subjects))
        for one in _list_customers(uow, others):
            subjects[one.customer_id] = one.subject_id
        entered = read_entered(uow, subjects, as_of)
        read: dict[tuple[str, int], Mapping[int, CustomerFacts]] = {}
        found = []
        for policy in policies:
            body = policy.body
            terms = body.orders.exposure.model_dump_json(), body.rules.r8_order.months
            if terms not in read:
                read[terms] = self.reader.read(uow, subjects, entered, as_of=as_of, body=body)
            own = {key: _judge_own(change(one), policy) for key, one in read[terms].items()}
            found.append(
                [
                    _conclude(
                        own[one.customer_id],
                        [
                            GroupMember(customer_id=key, status=own[key].status)
                            for key in sorted(groups.get(one.customer_id, frozenset()))
                            if key != one.customer_id and key in own
                        ],
                        policy=policy,
                    )
                    for one in asked
                ]
            )
        return found


def read_entered(uow: UnitOfWork, subjects: Iterable[int], as_of: date) -> EnteredFacts:
    """Return what was entered of customers: signals, plans that were not kept, dunning levels.

    An instalment counts as broken as soon as its day is over and it is not paid in full.
    """
    keys = list(subjects)
    merged = RecordsStore(uow.connection).list_ids_of(keys)
    owners = {one: key for key, ids in merged.items() for one in ids}
    signals: dict[int, tuple[EnteredSignal, ...]] = {}
    for entry in SignalStore(uow.connection).list_of(list(owners)):
        one = EnteredSignal(
            entry_id=entry.entry_id, signal=entry.signal, happened_on=entry.happened_on
        )
        signals[owners[entry.customer_id]] = (*signals.get(owners[entry.customer_id], ()), one)
    plans = ActionStore(uow.connection).list_plans(list(owners))
    broken = _list_broken(uow, plans, as_of=as_of) if plans else frozenset[int]()
    broken_plans: dict[int, tuple[int, ...]] = {}
    for key, named in plans.items():
        actions = sorted({action for action, promise in named if promise in broken})
        if actions:
            broken_plans[owners[key]] = (*broken_plans.get(owners[key], ()), *actions)
    levels = LetterStore(uow.connection).list_levels(keys, as_of=as_of)
    return EnteredFacts(signals=signals, broken_plans=broken_plans, dunning_levels=levels)


def _list_broken(
    uow: UnitOfWork, plans: Mapping[int, Sequence[tuple[int, int]]], *, as_of: date
) -> frozenset[int]:
    store, broken = PromiseStore(uow.connection), set[int]()
    for part in chunk_values(list(plans)):
        promises = store.list_promises(part, made_by=as_of)
        for some in chunk_values(promises):
            paid = store.read_paid([one.promise_id for one in some])
            broken.update(
                one.promise_id
                for one in some
                if judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of).state.is_unkept
            )
    return frozenset(broken)


def _list_customers(uow: UnitOfWork, keys: Sequence[int]) -> list[CustomerRecord]:
    store = RecordsStore(uow.connection)
    found = [store.find_customer_by_id(key) for key in keys]
    return [
        one
        for one, key in zip(found, keys, strict=True)
        if one is not None and one.customer_id == key and one.kind != COLLECTIVE_KIND
    ]


def _judge_own(facts: CustomerFacts, policy: RiskPolicy) -> _Own:
    body = policy.body
    detected = detect(facts, body)
    best = weigh_best(detected.hits, body, as_of=facts.as_of)
    return _Own(
        facts=facts,
        judged=tuple(judge_own(facts, body)),
        signals=tuple(list_weighed(detected.hits, body, as_of=facts.as_of)),
        best=tuple(best),
        unknown=detected.unknown,
        of_signals=judge_signals(best, body.points),
    )


def _conclude(own: _Own, members: Sequence[GroupMember], *, policy: RiskPolicy) -> Judgement:
    rules = judge_all(own.facts, policy.body, members, own=own.judged)
    judged = (*rules, own.of_signals)
    return Judgement(
        customer_id=own.facts.customer_id,
        as_of=own.facts.as_of,
        policy=policy,
        judged=judged,
        signals=own.signals,
        best=own.best,
        unknown_signals=own.unknown,
        status=find_worst(judged),
        status_own=find_worst(judged, with_peers=False),
    )
