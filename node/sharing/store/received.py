"""SQL of the summaries that came from peers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from node.core.fields import has_text
from node.sharing.store.exchanging import AnyRow
from node.sharing.tables import consent, exchange_out, payload, received_summary


class ReceivedStore:
    """One transaction's view of received summaries."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_received(self, subject: str) -> Sequence[AnyRow]:
        """Return each provider's newest summary on a subject, with its body unless erased.

        Where the newest was taken back the provider says nothing: an older one is no better.
        """
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
        ranked = (
            select(received_summary, age)
            .outerjoin(exchange_out, exchange_out.c.ans == received_summary.c.msg)
            .where(has_text(self._connection, received_summary.c.subject, subject))
            .subquery()
        )
        query = (
            select(ranked, payload.c.body, consent.c.token)
            .outerjoin(payload, payload.c.msg == ranked.c.msg)
            .outerjoin(consent, consent.c.hash == ranked.c.consent)
            .where(ranked.c.age == 1, ranked.c.superseded_by.is_(None))
            .order_by(ranked.c.provider)
        )
        return self._connection.execute(query).all()
