"""What one customer is to a run of provisions: its open buckets at the rates of the run's lines.

A pool is provided for as a whole, and each of its lines is rounded by itself: what is told here of
a customer is rounded by itself too, so that customers add up to the pool but for these cents.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError
from node.core.policies.source import PolicySource
from node.records.horizon import check_not_gone
from node.records.ledger.posting import get_customer
from node.records.rules_ageing_list import CustomerAgeing
from node.records.store.ageing import AgeingStore
from node.risk.provisions.policy import ProvisionPolicy
from node.risk.provisions.rules_provision import LineKind, ProvisionLine, group_buckets
from node.risk.provisions.service import ProvisionNotFoundError
from node.risk.provisions.store import ProvisionRun, ProvisionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """A line of a run with what of it is one customer's, in minor units."""

    line: ProvisionLine
    after_days: int | None
    """The last day past due of the bucket before; None of the first and of a customer apart."""
    balance_minor: int
    allowance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerShare:
    """One customer in a run."""

    customer_id: int
    lines: tuple[CustomerLine, ...]

    @property
    def balance_minor(self) -> int:
        """What was open."""
        return sum(one.balance_minor for one in self.lines)

    @property
    def allowance_minor(self) -> int:
        """What of it is expected to be lost, each line rounded by itself."""
        return sum(one.allowance_minor for one in self.lines)

    @property
    def is_apart(self) -> bool:
        """Whether it is looked at apart."""
        return any(one.line.kind is LineKind.SPECIFIC for one in self.lines)


class ProvisionExplainer:
    """Says who is behind a run; one public method is one transaction."""

    def __init__(self, *, database: Database, policies: PolicySource[ProvisionPolicy]) -> None:
        """``policies`` holds the policy of each run."""
        self._database = database
        self._policies = policies

    def explain(self, run_id: int, customer_id: int) -> CustomerShare:
        """Return what a customer is to a run; without lines where nothing of it was open.

        Raises:
            ProvisionNotFoundError: There is no such run.
            CustomerNotFoundError: There is no such customer.
            RecordsGoneError: Some of the records of then have expired.
        """
        with self._database.read() as uow:
            run = self._get_run(uow, run_id)
            known_at_ms = run.content.known_at_ms
            key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
            check_not_gone(uow, None, as_of=run.content.as_of, known_at_ms=known_at_ms)
            found = list(self._iterate(uow, run, only=key))
        return found[0] if found else CustomerShare(customer_id=key, lines=())

    def list_largest(self, run_id: int, *, limit: int) -> list[CustomerShare]:
        """Return those of whom most is expected to be lost, the most first.

        Raises:
            ProvisionNotFoundError: There is no such run.
            RecordsGoneError: Some of the records of then have expired.
        """
        with self._database.read() as uow:
            run = self._get_run(uow, run_id)
            check_not_gone(uow, None, as_of=run.content.as_of, known_at_ms=run.content.known_at_ms)
            return heapq.nlargest(
                limit,
                self._iterate(uow, run, only=None),
                key=lambda one: (one.allowance_minor, one.balance_minor, -one.customer_id),
            )

    def _get_run(self, uow: UnitOfWork, run_id: int) -> ProvisionRun:
        found = ProvisionStore(uow.connection).find_run(run_id)
        if found is None:
            raise ProvisionNotFoundError("there is no such run")
        return found

    def _iterate(
        self, uow: UnitOfWork, run: ProvisionRun, *, only: int | None
    ) -> Iterator[CustomerShare]:
        content = run.content
        policy = self._policies.find(content.policy_sha256_b64u)
        if policy is None:
            raise InvariantError(f"the policy of provision run {run.run_id} is not here")
        rows = AgeingStore(uow.connection, known_at_ms=content.known_at_ms).iterate_customers(
            as_of=content.as_of, base=policy.body.base, only=None if only is None else [only]
        )
        apart = {one.customer_id: one for one in content.lines if one.kind is LineKind.SPECIFIC}
        for row in rows:
            if row.currency == content.currency:
                yield _share(row, run, policy, apart=apart.get(row.customer_id))


def _share(
    row: CustomerAgeing, run: ProvisionRun, policy: ProvisionPolicy, *, apart: ProvisionLine | None
) -> CustomerShare:
    minors = group_buckets(row.buckets, edges=policy.edges)
    if apart is not None:
        balance = sum(minors)
        lines = [
            CustomerLine(
                line=apart,
                after_days=None,
                balance_minor=balance,
                allowance_minor=apart.rate.apply(balance),
            )
        ]
        return CustomerShare(customer_id=row.customer_id, lines=tuple(lines))
    pool = [one for one in run.content.lines if one.kind is LineKind.BUCKET]
    earlier = [None, *(one.upto_days for one in pool[:-1])]
    lines = [
        CustomerLine(
            line=one,
            after_days=before,
            balance_minor=minor,
            allowance_minor=one.rate.raise_by(run.content.forward_ppm).apply(minor),
        )
        for one, before, minor in zip(pool, earlier, minors, strict=True)
        if minor
    ]
    return CustomerShare(customer_id=row.customer_id, lines=tuple(lines))
