"""SQL of the summaries that came from peers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Subquery, and_, func, or_, select

from node.core.fields import has_text
from node.sharing.store.exchanging import AnyRow
from node.sharing.tables import (
    consent,
    exchange_out,
    payload,
    received_summary,
    summary_objection,
)

UPHELD = "upheld"
CORRECTED_AGE = 2  # what a correction took the place of stands right behind it


class ReceivedStore:
    """One transaction's view of received summaries."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_received(self, subject: str) -> Sequence[AnyRow]:
        """Return each provider's newest summary on a subject, with its body unless erased.

        Where the newest was taken back the provider says nothing: an older one is no better.
        """
        ranked = self._rank(subject)
        query = (
            select(ranked, payload.c.body, consent.c.token)
            .outerjoin(payload, payload.c.msg == ranked.c.msg)
            .outerjoin(consent, consent.c.hash == ranked.c.consent)
            .where(ranked.c.age == 1, ranked.c.superseded_by.is_(None))
            .order_by(ranked.c.provider)
        )
        return self._connection.execute(query).all()

    def list_candidates(self, subject: str) -> Sequence[AnyRow]:
        """Return each provider's newest summary on a subject, and what that was a correction of.

        With them goes what decides whether they may be used: the consent's state, an objection
        entered here, and whether a correction stands in the place of what was taken back.
        """
        ranked = self._rank(subject)
        successor = received_summary.alias()
        is_objected = (
            select(summary_objection.c.id)
            .where(
                summary_objection.c.msg == ranked.c.msg,
                summary_objection.c.item == ranked.c.item,
                func.coalesce(summary_objection.c.outcome, UPHELD) == UPHELD,
            )
            .exists()
        )
        has_successor = select(successor.c.msg).where(successor.c.msg == ranked.c.superseded_by)
        query = (
            select(
                ranked,
                payload.c.body,
                consent.c.token,
                consent.c.state,
                is_objected.label("is_objected"),
                has_successor.exists().label("has_successor"),
            )
            .outerjoin(payload, payload.c.msg == ranked.c.msg)
            .outerjoin(consent, consent.c.hash == ranked.c.consent)
            .where(
                or_(
                    ranked.c.age == 1,
                    and_(ranked.c.age == CORRECTED_AGE, ranked.c.superseded_by.is_not(None)),
                )
            )
            .order_by(ranked.c.provider, ranked.c.age)
        )
        return self._connection.execute(query).all()

    def _rank(self, subject: str) -> Subquery:
        """Number each provider's summaries on a subject, the newest first."""
        received_at_ms = func.coalesce(
            received_summary.c.received_at_ms, exchange_out.c.answered_at_ms
        )
        age = (
            func.row_number()
            .over(
                partition_by=received_summary.c.provider,
                # Answers of one batch share their time: the later question has the newer one.
                order_by=(
                    received_at_ms.desc(),
                    received_summary.c.superseded_by.is_not(None),
                    func.coalesce(exchange_out.c.seq, 0).desc(),
                ),
            )
            .label("age")
        )
        return (
            select(received_summary, age)
            .outerjoin(exchange_out, exchange_out.c.ans == received_summary.c.msg)
            .where(has_text(self._connection, received_summary.c.subject, subject))
            .subquery()
        )
