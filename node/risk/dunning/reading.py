"""What dunning knows of many customers on a day, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from node.assessment.service import COLLECTIVE_KIND
from node.core.database import UnitOfWork
from node.records.rules_promise import PromiseState, judge_promise
from node.records.store import CustomerRecord, PromiseStore, RecordsStore
from node.records.store.rows import chunk_values
from node.risk.dunning.policy import DunningPolicy
from node.risk.dunning.rules_dunning import DunnedCustomer, MadePromise
from node.risk.dunning.store import (
    ChargeStore,
    DunningRunStore,
    LetterStore,
    OwedStore,
    map_versions,
)
from node.risk.facts.store import FactStore


def read_dunned(
    uow: UnitOfWork,
    customers: Sequence[CustomerRecord],
    policy: DunningPolicy,
    *,
    as_of: date,
) -> list[DunnedCustomer]:
    """Return what is known of customers who owe something past due; collective accounts not.

    Where the policy asks for charges alone, of those too who owe nothing else.
    """
    asked = {one.customer_id: one for one in customers if one.kind != COLLECTIVE_KIND}
    items = OwedStore(uow.connection).read_overdue(
        list(asked), as_of=as_of, has_interest=policy.has_interest
    )
    merged = RecordsStore(uow.connection).list_ids_of(
        list(asked) if policy.body.asks_charges_alone else list(items)
    )
    charge_store = ChargeStore(uow.connection)
    charges = charge_store.read_open(
        {one: key for key, ids in merged.items() for one in ids}, as_of=as_of
    )
    keys = [key for key in asked if key in items or key in charges]
    if not keys:
        return []
    owners = {one: key for key in keys for one in merged[key]}
    letters = LetterStore(uow.connection)
    item_ids = [one.item_id for key in keys for one in items.get(key, ())]
    history = letters.read_histories(item_ids, as_of=as_of)
    charged = charge_store.read_charged(item_ids, as_of=as_of)
    promises = _read_promises(uow, owners, as_of=as_of)
    unapplied = OwedStore(uow.connection).read_unapplied(keys, as_of=as_of)
    grades = FactStore(uow).read_ratings(owners, as_of=as_of)
    last_sent = letters.list_last_sent(owners, as_of=as_of)
    held = {
        owners[one.customer_id]
        for one in DunningRunStore(uow.connection).list_holds(list(owners), on=as_of)
    }
    return [
        DunnedCustomer(
            customer_id=key,
            country=asked[key].country,
            kind=asked[key].kind,
            grade=None if key not in grades else grades[key].grade_own,
            items=tuple(items.get(key, ())),
            history={
                one.item_id: history[one.item_id]
                for one in items.get(key, ())
                if one.item_id in history
            },
            charged={
                one.item_id: charged[one.item_id]
                for one in items.get(key, ())
                if one.item_id in charged
            },
            charges=charges.get(key, ()),
            promises=promises.get(key, ()),
            unapplied=unapplied.get(key, {}),
            last_letter_on=last_sent.get(key),
            is_held=key in held,
        )
        for key in keys
    ]


def _read_promises(
    uow: UnitOfWork, owners: Mapping[int, int], *, as_of: date
) -> dict[int, tuple[MadePromise, ...]]:
    """Return promises that are open or were broken, each for the items as they are now."""
    store, found = PromiseStore(uow.connection), dict[int, tuple[MadePromise, ...]]()
    for part in chunk_values(list(owners)):
        promises = store.list_promises(part, made_by=as_of)
        versions = map_versions(
            uow.connection, {item_id for one in promises for item_id in one.item_ids}
        )
        for some in chunk_values(promises):
            paid = store.read_paid([one.promise_id for one in some])
            for one in some:
                judged = judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of)
                if judged.state is not PromiseState.OPEN and not judged.state.is_unkept:
                    continue
                made = MadePromise(
                    promise_id=one.promise_id,
                    item_ids=frozenset(
                        versions[item_id] for item_id in one.item_ids if item_id in versions
                    ),
                    broken_on=one.due_business_on + timedelta(days=1)
                    if judged.state.is_unkept
                    else None,
                )
                owner = owners[one.customer_id]
                found[owner] = (*found.get(owner, ()), made)
    return found
