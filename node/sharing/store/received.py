"""SQL of the summaries that came from peers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from node.sharing.store.exchanging import AnyRow
from node.sharing.tables import exchange_out, payload, received_summary


class ReceivedStore:
    """One transaction's view of received summaries."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_received(self, subject: str) -> Sequence[AnyRow]:
        """Return each provider's newest summary on a subject, with its body unless erased."""
        age = (
            func.row_number()
            .over(
                partition_by=received_summary.c.provider,
                # Answers of one batch share their time: the later question has the newer one.
                order_by=(exchange_out.c.answered_at_ms.desc(), exchange_out.c.seq.desc()),
            )
            .label("age")
        )
        ranked = (
            select(
                received_summary.c.provider,
                received_summary.c.msg,
                received_summary.c.item,
                received_summary.c.received_on,
                age,
            )
            .join(exchange_out, exchange_out.c.ans == received_summary.c.msg)
            .where(received_summary.c.subject == subject)
            .subquery()
        )
        query = (
            select(
                ranked.c.provider, ranked.c.msg, ranked.c.item, ranked.c.received_on, payload.c.body
            )
            .outerjoin(payload, payload.c.msg == ranked.c.msg)
            .where(ranked.c.age == 1)
            .order_by(ranked.c.provider)
        )
        return self._connection.execute(query).all()
