"""What is known of many customers as of a day, read in some twenty statements however many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.outside.readers import read_lists_of
from node.core.database import UnitOfWork
from node.records.rules_promise import JudgedPromise, judge_promise
from node.records.store import PromiseStore, RecordsStore
from node.records.store.histories import HistoryStore
from node.records.store.rows import chunk_values
from node.risk.facts.records import (
    CustomerFacts,
    EnteredSignal,
    LimitFacts,
    PeerChange,
    ReadLimits,
    ReadPeers,
    know_no_limits,
    know_no_peers,
)
from node.risk.facts.rules_quarters import build_quarters
from node.risk.facts.store import FactStore
from node.risk.policies.policy import RiskPolicyBody

GROUP_ROUNDS_MAX = 20  # of looking for the companies right above and below
GROUP_MEMBERS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredFacts:
    """What persons have entered in this room: signals, and plans of which a promise was broken."""

    signals: Mapping[int, tuple[EnteredSignal, ...]]
    broken_plans: Mapping[int, tuple[int, ...]]
    dunning_levels: Mapping[int, int] | None = None
    """How far customers were reminded of what they owe; None where nobody ever was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactReader:
    """Reads the facts; limits, exposure and what peers have told come through ports."""

    read_limits: ReadLimits = know_no_limits
    read_peers: ReadPeers = know_no_peers

    def read(
        self,
        uow: UnitOfWork,
        subjects: Mapping[int, str],
        entered: EnteredFacts,
        *,
        as_of: date,
        body: RiskPolicyBody,
    ) -> dict[int, CustomerFacts]:
        """Return the facts of each customer; ``subjects`` are their ids by their keys.

        The keys are of customers that were not merged into others. ``body`` says what counts as
        exposure, and of which months orders are compared.
        """
        keys = list(subjects)
        store = FactStore(uow)
        merged = RecordsStore(uow.connection).list_ids_of(keys)
        owners = {one: key for key, ids in merged.items() for one in ids}
        ledgers = store.read_ledgers(keys, as_of=as_of)
        ratings = store.read_ratings(owners, as_of=as_of)
        approvals = store.read_approvals(owners, as_of=as_of)
        contracts = store.read_contracts(owners, as_of=as_of)
        year_ends = store.read_year_ends(owners, as_of=as_of)
        adverse = HistoryStore(uow.connection).list_adverse(keys, as_of=as_of)
        lists = read_lists_of(uow, merged, as_of=as_of)
        promises = _read_promises(uow, owners, as_of=as_of)
        limits: Mapping[int, LimitFacts] = self.read_limits(uow, merged, as_of, body)
        peers: Mapping[int, tuple[PeerChange, ...]] = self.read_peers(uow, subjects, as_of)
        return {
            key: CustomerFacts(
                customer_id=key,
                as_of=as_of,
                ledger=ledgers.get(key),
                quarters=build_quarters(ledgers[key], as_of=as_of) if key in ledgers else (),
                limit=limits.get(key),
                rating=ratings.get(key),
                approval=approvals.get(key),
                contracts=contracts.get(key, ()),
                adverse=tuple(adverse.get(key, ())),
                lists=lists[key],
                promises=tuple(promises.get(key, ())),
                accounts_end=year_ends.get(key),
                peers=peers.get(key),
                entered=entered.signals.get(key, ()),
                broken_plans=entered.broken_plans.get(key, ()),
                dunning_level=None
                if entered.dunning_levels is None
                else entered.dunning_levels.get(key, 0),
            )
            for key in keys
        }


def read_groups(uow: UnitOfWork, customer_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    """Return the companies of each customer's group, the customer itself among them.

    One that stands alone is not there. Of a group that is larger than ``GROUP_MEMBERS_MAX``, or
    deeper than so many levels, those that were found by then.
    """
    store, known = FactStore(uow), dict[int, set[int]]()
    asked: set[int] = set()
    waiting = sorted(set(customer_ids))
    for _ in range(GROUP_ROUNDS_MAX):
        if not waiting:
            break
        asked.update(waiting)
        for child, parent in store.list_related(waiting):
            group = known.get(child, {child}) | known.get(parent, {parent})
            if len(group) <= GROUP_MEMBERS_MAX:
                for one in group:
                    known[one] = group
        waiting = sorted(set(known) - asked)
    return {key: frozenset(known[key]) for key in customer_ids if key in known}


def _read_promises(
    uow: UnitOfWork, owners: Mapping[int, int], *, as_of: date
) -> dict[int, list[JudgedPromise]]:
    store = PromiseStore(uow.connection)
    found: dict[int, list[JudgedPromise]] = {}
    for part in chunk_values(list(owners)):
        promises = store.list_promises(part, made_by=as_of)
        for some in chunk_values(promises):
            paid = store.read_paid([one.promise_id for one in some])
            for one in some:
                judged = judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of)
                found.setdefault(owners[one.customer_id], []).append(judged)
    return found
