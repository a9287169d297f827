"""Reading and appending checks of orders, requests to release, and releases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from node.core.people.service import Role
from node.decision.rules_state import Approval, Authority
from node.records.store.rows import chunk_values, insert_row
from node.risk.checks.rules_check import Release
from node.risk.checks.tables import (
    order_check,
    order_release,
    release_approval,
    release_request,
)
from node.risk.errors import ReleaseDutyError
from node.risk.orders.rules_order import ENDED, OrderEvent, SalesOrder
from node.risk.orders.tables import sales_order_version

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheck:
    """A check as it was answered."""

    check_id: int
    request_sha256_b64u: str
    customer_id: int
    order_id: int | None
    answer: dict[str, Any]
    entered_by: str
    entered_at_ms: int
    delivery: str | None = None
    delivered_minor: int | None = None
    """Of a delivery, under its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """That somebody asked for a release, and why."""

    order_id: int
    person: str
    reason: str
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """A release as it is kept; ``released_on`` is None while others still have to approve."""

    release_id: int
    order_id: int
    version: int
    customer_id: int
    currency: str
    amount_minor: int
    rules: tuple[str, ...]
    reason_code: str
    reason: str
    expires_on: date
    released_on: date | None
    approvals: tuple[tuple[Approval, str], ...]


_KEYED = select(order_check).where(
    order_check.c.source == bindparam("source"),
    order_check.c.number == bindparam("number"),
    order_check.c.idempotency_key == bindparam("key"),
)


class CheckStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_keyed(self, *, source: str, number: str, key: str) -> KeptCheck | None:
        """Return the check of an order that a key stands for."""
        params = {"source": source, "number": number, "key": key}
        row = self._connection.execute(_KEYED, params).one_or_none()
        return None if row is None else _check(row)

    def append_check(
        self,
        *,
        source: str,
        number: str,
        key: str,
        request_sha256_b64u: str,
        order_id: int | None,
        customer_id: int,
        point: str,
        delivery: str | None,
        delivered_minor: int | None,
        as_of: date,
        status: str,
        may_proceed: bool,
        answer: dict[str, Any],
        by: str,
        at_ms: int,
    ) -> int:
        """Append a check with its answer and return its key."""
        return insert_row(
            self._connection,
            order_check,
            source=source,
            number=number,
            idempotency_key=key,
            request_sha256_b64u=request_sha256_b64u,
            order_id=order_id,
            customer_id=customer_id,
            point=point,
            delivery=delivery,
            delivered_minor=delivered_minor,
            as_of=as_of,
            status=status,
            may_proceed=may_proceed,
            answer_json=json.dumps(answer, ensure_ascii=False, separators=(",", ":")),
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def list_newest(self, order_ids: Sequence[int]) -> dict[int, KeptCheck]:
        """Return the newest check of each of some orders."""
        found: dict[int, KeptCheck] = {}
        for part in chunk_values(order_ids):
            newest = (
                select(func.max(order_check.c.id))
                .where(order_check.c.order_id.in_(part))
                .group_by(order_check.c.order_id)
                .scalar_subquery()
            )
            rows = self._connection.execute(select(order_check).where(order_check.c.id.in_(newest)))
            found |= {row.order_id: _check(row) for row in rows}
        return found

    def list_refused(self, *, limit: int, after: int = 0) -> list[int]:
        """Return orders whose newest check was refused, which nobody released or ended since."""
        standing, newer = sales_order_version, sales_order_version.alias("newer")
        has_ended = exists().where(
            standing.c.order_id == order_check.c.order_id,
            standing.c.state.in_([one.value for one in ENDED]),
            ~exists().where(
                newer.c.order_id == standing.c.order_id, newer.c.version > standing.c.version
            ),
        )
        later = order_check.alias("later")
        released = exists().where(
            order_release.c.order_id == order_check.c.order_id,
            order_release.c.released_at_ms >= order_check.c.entered_at_ms,
        )
        rows = self._connection.execute(
            select(order_check.c.order_id)
            .where(
                order_check.c.may_proceed.is_(False),
                order_check.c.order_id > after,
                ~exists().where(
                    later.c.order_id == order_check.c.order_id, later.c.id > order_check.c.id
                ),
                ~released,
                ~has_ended,
            )
            .order_by(order_check.c.order_id)
            .limit(limit)
        )
        return list(rows.scalars())

    def list_checks(self, order_id: int) -> list[KeptCheck]:
        """Return the checks of an order, the oldest first."""
        rows = self._connection.execute(
            select(order_check).where(order_check.c.order_id == order_id).order_by(order_check.c.id)
        )
        return [_check(row) for row in rows]

    def append_request(
        self, order_id: int, *, person: str, reason: str, by: str, at_ms: int
    ) -> int:
        """Append that somebody asks for a release."""
        return insert_row(
            self._connection,
            release_request,
            order_id=order_id,
            person=person,
            reason=reason,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def list_requests(self, order_ids: Sequence[int]) -> list[ReleaseRequest]:
        """Return who asked for releases of some orders, by entry."""
        rows = self._connection.execute(
            select(release_request)
            .where(release_request.c.order_id.in_(order_ids))
            .order_by(release_request.c.id)
        )
        return [
            ReleaseRequest(
                order_id=row.order_id,
                person=row.person,
                reason=row.reason,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
            )
            for row in rows
        ]

    def append_release(
        self,
        order: SalesOrder,
        *,
        rules: Sequence[str],
        reason_code: str,
        reason: str,
        expires_on: date,
    ) -> int:
        """Append a release of an order as it stands; it holds once it is settled."""
        return insert_row(
            self._connection,
            order_release,
            order_id=order.order_id,
            version=order.version,
            customer_id=order.content.customer_id,
            currency=order.content.currency,
            amount_minor=order.content.amount_minor,
            rules=json.dumps(sorted(rules)),
            reason_code=reason_code,
            reason=reason,
            expires_on=expires_on,
        )

    def append_approval(
        self, release_id: int, authority: Authority, *, person: str, name: str, at_ms: int
    ) -> None:
        """Append that somebody has approved a release.

        Raises:
            ReleaseDutyError: The person, or the authority, has done so already.
        """
        try:
            self._connection.execute(
                insert(release_approval).values(
                    release_id=release_id,
                    person=person,
                    holder_person=authority.holder_person,
                    role=authority.role.value,
                    name=name,
                    approved_at_ms=at_ms,
                )
            )
        except IntegrityError as err:
            raise ReleaseDutyError("one person, or one authority, would act twice") from err

    def settle_release(self, release_id: int, *, on: date, at_ms: int) -> None:
        """Let a release hold."""
        self._connection.execute(
            update(order_release)
            .where(order_release.c.id == release_id, order_release.c.released_at_ms.is_(None))
            .values(released_on=on, released_at_ms=at_ms)
        )

    def list_release_records(self, order_id: int) -> list[ReleaseRecord]:
        """Return the releases of an order, those that wait for others too, the oldest first."""
        query = select(order_release.c.id).where(order_release.c.order_id == order_id)
        return self._list_records(release_ids=list(self._connection.execute(query).scalars()))

    def list_releases(self, order_id: int) -> list[Release]:
        """Return the releases of an order that everybody asked for has approved, oldest first."""
        rows = self._connection.execute(
            select(order_release)
            .where(
                order_release.c.order_id == order_id, order_release.c.released_at_ms.is_not(None)
            )
            .order_by(order_release.c.id)
        )
        return [
            Release(
                release_id=row.id,
                order_id=row.order_id,
                version=row.version,
                customer_id=row.customer_id,
                currency=row.currency,
                amount_minor=row.amount_minor,
                rules=tuple(json.loads(row.rules)),
                released_on=row.released_on,
                expires_on=row.expires_on,
            )
            for row in rows
        ]

    def find_last_reopening(self, order_id: int) -> int:
        """Return the version in which an order was reopened last; 0 where it never was."""
        version = sales_order_version.c
        found: int | None = self._connection.execute(
            select(func.max(version.version)).where(
                version.order_id == order_id, version.event == OrderEvent.REOPENED.value
            )
        ).scalar_one()
        return found or 0

    def _list_records(self, *, release_ids: Sequence[int]) -> list[ReleaseRecord]:
        approvals: dict[int, list[tuple[Approval, str]]] = {}
        rows = self._connection.execute(
            select(release_approval)
            .where(release_approval.c.release_id.in_(release_ids))
            .order_by(release_approval.c.approved_at_ms, release_approval.c.person)
        )
        for row in rows:
            approval = Approval(
                person=row.person, holder_person=row.holder_person, role=Role(row.role)
            )
            approvals.setdefault(row.release_id, []).append((approval, row.name))
        rows = self._connection.execute(
            select(order_release)
            .where(order_release.c.id.in_(release_ids))
            .order_by(order_release.c.id)
        )
        return [_release(row, tuple(approvals.get(row.id, ()))) for row in rows]


def _check(row: Row[Any]) -> KeptCheck:
    return KeptCheck(
        check_id=row.id,
        request_sha256_b64u=row.request_sha256_b64u,
        customer_id=row.customer_id,
        order_id=row.order_id,
        answer=json.loads(row.answer_json),
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        delivery=row.delivery,
        delivered_minor=row.delivered_minor,
    )


def _release(row: Row[Any], approvals: tuple[tuple[Approval, str], ...]) -> ReleaseRecord:
    return ReleaseRecord(
        release_id=row.id,
        order_id=row.order_id,
        version=row.version,
        customer_id=row.customer_id,
        currency=row.currency,
        amount_minor=row.amount_minor,
        rules=tuple(json.loads(row.rules)),
        reason_code=row.reason_code,
        reason=row.reason,
        expires_on=row.expires_on,
        released_on=row.released_on,
        approvals=approvals,
    )
