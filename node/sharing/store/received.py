"""SQL of the summaries that came from peers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Subquery, and_, func, or_, select

from node.core.fields import has_any_text
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
KEPT_MAX = 500  # summaries of a provider on a subject that a model may learn from
SERIES_MAX = 6  # summaries of a provider on a subject that are compared with each other
VALUES_MAX = 250  # of one IN list; a text is sought under several keys

T = TypeVar("T")
_SelectRanked = Callable[[Subquery], Select[Any]]


class ReceivedStore:
    """One transaction's view of received summaries."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_received(self, subjects: Sequence[str]) -> Sequence[AnyRow]:
        """Return each provider's newest summary on each of some subjects, without its body.

        Where the newest was taken back the provider says nothing: an older one is no better.
        """
        return [
            row for row in self._list_ranked(subjects, _select_newest) if row.superseded_by is None
        ]

    def list_candidates(self, subjects: Sequence[str]) -> Sequence[AnyRow]:
        """Return each provider's newest summary on subjects, and what that was a correction of.

        With them goes what decides whether they may be used: the consent's state, an objection
        entered here, and whether a correction stands in the place of what was taken back. Their
        bodies do not.
        """
        return self._list_ranked(subjects, _select_candidates)

    def list_series(self, subjects: Sequence[str]) -> Sequence[AnyRow]:
        """Return each provider's newest summaries on subjects, the newest first.

        They carry what decides whether they may be used, as ``list_candidates`` gives it.
        """
        return self._list_ranked(subjects, _select_series)

    def list_kept(self, subjects: Sequence[str]) -> Sequence[AnyRow]:
        """Return each provider's summaries on subjects as far back as a model may learn from."""
        return self._list_ranked(subjects, _select_kept)

    def list_bodies(self, messages: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the bodies of messages, but for those that are erased."""
        bodies: dict[bytes, bytes] = {}
        for part in _chunk(sorted(set(messages))):
            rows = self._connection.execute(
                select(payload.c.msg, payload.c.body).where(payload.c.msg.in_(part))
            )
            bodies |= {bytes(msg): body for msg, body in rows if body is not None}
        return bodies

    def find_erased(self, messages: Sequence[bytes]) -> list[bytes]:
        """Return those of some messages whose summaries are erased."""
        erased: list[bytes] = []
        for part in _chunk(messages):
            rows = self._connection.execute(
                select(received_summary.c.msg)
                .where(
                    received_summary.c.msg.in_(part), received_summary.c.erased_at_ms.is_not(None)
                )
                .distinct()
            )
            erased += map(bytes, rows.scalars())
        return erased

    def _list_ranked(
        self, subjects: Sequence[str], select_ranked: _SelectRanked
    ) -> Sequence[AnyRow]:
        found: list[AnyRow] = []
        for part in _chunk(subjects):
            rows = self._connection.execute(select_ranked(self._rank(part))).all()
            # While the fields' key is changed a subject lies under two: then it is asked for alone.
            newest = Counter((row.subject, row.provider) for row in rows if row.age == 1)
            split = sorted({subject for (subject, _), count in newest.items() if count > 1})
            found += [row for row in rows if row.subject not in split]
            for subject in split:
                found += self._connection.execute(select_ranked(self._rank([subject]))).all()
        return found

    def _rank(self, subjects: Sequence[str]) -> Subquery:
        """Number each provider's summaries on each of some subjects, the newest first."""
        received_at_ms = func.coalesce(
            received_summary.c.received_at_ms, exchange_out.c.answered_at_ms
        )
        by_subject = () if len(subjects) == 1 else (received_summary.c.subject,)
        age = (
            func.row_number()
            .over(
                partition_by=(*by_subject, received_summary.c.provider),
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
            .where(has_any_text(self._connection, received_summary.c.subject, subjects))
            .subquery()
        )


def _select_newest(ranked: Subquery) -> Select[Any]:
    return (
        select(ranked, consent.c.token)
        .outerjoin(consent, consent.c.hash == ranked.c.consent)
        .where(ranked.c.age == 1)
        .order_by(ranked.c.provider)
    )


def _select_candidates(ranked: Subquery) -> Select[Any]:
    return _select_judgeable(ranked).where(
        or_(
            ranked.c.age == 1,
            and_(ranked.c.age == CORRECTED_AGE, ranked.c.superseded_by.is_not(None)),
        )
    )


def _select_series(ranked: Subquery) -> Select[Any]:
    return _select_judgeable(ranked).where(ranked.c.age <= SERIES_MAX)


def _select_kept(ranked: Subquery) -> Select[Any]:
    return _select_judgeable(ranked).where(ranked.c.age <= KEPT_MAX)


def _select_judgeable(ranked: Subquery) -> Select[Any]:
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
    return (
        select(
            ranked,
            consent.c.token,
            consent.c.state,
            is_objected.label("is_objected"),
            has_successor.exists().label("has_successor"),
        )
        .outerjoin(consent, consent.c.hash == ranked.c.consent)
        .order_by(ranked.c.provider, ranked.c.age)
    )


def _chunk(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), VALUES_MAX):
        yield values[start : start + VALUES_MAX]
