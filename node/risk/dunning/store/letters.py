"""SQL of dunning letters: what they say, what happened to them, and the levels that follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from node.core.database import ID_MAX, is_key_of
from node.records.store.rows import chunk_values, insert_row
from node.records.store.visibility import counts, left_of_debit
from node.records.tables import ledger_item
from node.risk.dunning.rules_charges import OpenCharge
from node.risk.dunning.rules_dunning import (
    ItemHistory,
    LetterContent,
    LetterLine,
    LetterSum,
)
from node.risk.dunning.rules_letter import COUNTED, LetterState, LetterStep
from node.risk.dunning.store.letter_rows import (
    LISTED_CHARGES,
    read_charge,
    read_line,
    read_sum,
    write_line,
    write_sum,
)
from node.risk.dunning.store.records import DunningRun, Letter, LetterEvent, RemindedItem
from node.risk.dunning.store.versions import is_same_name
from node.risk.dunning.tables import (
    dunning_event,
    dunning_letter,
    dunning_letter_charge,
    dunning_line,
    dunning_run,
    dunning_sum,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

_COUNTED = tuple(sorted(COUNTED))


class LetterStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_levels(self, customer_ids: Sequence[int], *, as_of: date) -> dict[int, int] | None:
        """Return the highest level of what customers owe on a day; None before the first run.

        A customer without a row owes nothing that was reminded of. A line that a letter did not ask
        for only tells at which level its item was.
        """
        is_kept = select(dunning_run.c.id).where(
            dunning_run.c.state == "finished", dunning_run.c.as_of <= as_of
        )
        if self._connection.execute(is_kept.limit(1)).first() is None:
            return None
        found: dict[int, int] = {}
        for part in chunk_values(customer_ids):
            version = ledger_item
            rows = self._connection.execute(
                select(version.c.customer_id, func.max(dunning_line.c.level))
                .select_from(_lines_by_name())
                .where(
                    version.c.customer_id.in_(part),
                    dunning_line.c.asked_minor > 0,
                    counts(None),
                    left_of_debit(as_of=as_of, known_at_ms=None) > 0,
                    *_counted_on(as_of),
                )
                .group_by(version.c.customer_id)
            )
            found |= {key: level for key, level in rows if level}
        return found

    def read_histories(self, item_ids: Sequence[int], *, as_of: date) -> dict[int, ItemHistory]:
        """Return how far items were reminded of by a day, in whatever version they were then."""
        found: dict[int, ItemHistory] = {}
        for part in chunk_values(item_ids):
            rows = self._connection.execute(
                select(
                    ledger_item.c.id,
                    dunning_line.c.level,
                    dunning_letter.c.sent_on,
                    dunning_line.c.promise_id,
                )
                .select_from(_lines_by_name())
                .where(ledger_item.c.id.in_(part), dunning_line.c.asked_minor > 0)
                .where(*_counted_on(as_of))
                .order_by(dunning_line.c.level, dunning_letter.c.sent_on.desc())
            )
            for item_id, level, sent_on, promise_id in rows:
                # The waiting time counts from the letter in which the level was reached.
                held = found.get(item_id, ItemHistory())
                promises = held.promises | ({promise_id} if promise_id is not None else set())
                is_new = held.sent_on is None or level > held.level or sent_on < held.sent_on
                found[item_id] = replace(
                    held,
                    level=level,
                    sent_on=sent_on if is_new else held.sent_on,
                    promises=frozenset(promises),
                )
        return found

    def list_reminded(
        self, customer_id: int, *, as_of: date, after: int, limit: int
    ) -> list[RemindedItem]:
        """Return what a customer was reminded of by a day, in the order of the items' keys."""
        left = left_of_debit(as_of=as_of, known_at_ms=None)
        rows = self._connection.execute(
            select(
                ledger_item,
                left.label("open_minor"),
                func.max(dunning_line.c.level).label("level"),
                func.min(dunning_letter.c.sent_on).label("first_on"),
                func.max(dunning_letter.c.sent_on).label("last_on"),
            )
            .select_from(_lines_by_name())
            .where(
                ledger_item.c.customer_id == customer_id,
                ledger_item.c.id > min(after, ID_MAX),
                dunning_line.c.asked_minor > 0,
                counts(None),
                *_counted_on(as_of),
            )
            .group_by(ledger_item.c.id)
            .order_by(ledger_item.c.id)
            .limit(limit)
        )
        return [
            RemindedItem(
                item_id=row.id,
                document_no=row.document_no,
                line=row.line,
                due_on=row.due_on,
                currency=row.currency,
                open_minor=max(0, int(row.open_minor)),
                level=row.level,
                first_on=row.first_on,
                last_on=row.last_on,
            )
            for row in rows
        ]

    def list_last_sent(self, owners: Mapping[int, int], *, as_of: date) -> dict[int, date]:
        """Return when the last letter went to each customer; keys merged into it are its."""
        found: dict[int, date] = {}
        for part in chunk_values(list(owners)):
            rows = self._connection.execute(
                select(dunning_letter.c.customer_id, func.max(dunning_letter.c.sent_on))
                .where(dunning_letter.c.customer_id.in_(part), *_counted_on(as_of))
                .group_by(dunning_letter.c.customer_id)
            )
            for key, on in rows:
                found[owners[key]] = max(on, found.get(owners[key], on))
        return found

    def list_proposed(self, customer_ids: Sequence[int]) -> list[Letter]:
        """Return the letters of customers that nobody has released yet."""
        found: list[Letter] = []
        for part in chunk_values(customer_ids):
            found += self._list(
                dunning_letter.c.customer_id.in_(part),
                dunning_letter.c.state == LetterState.PROPOSED.value,
            )
        return found

    def list_letters(
        self,
        *,
        states: Collection[LetterState],
        customer_ids: Sequence[int] | None = None,
        after: int = 0,
        limit: int,
    ) -> list[Letter]:
        """Return letters in the order of their keys."""
        conditions = [
            dunning_letter.c.state.in_([one.value for one in states]),
            dunning_letter.c.id > min(after, ID_MAX),
        ]
        if customer_ids is not None:
            conditions.append(dunning_letter.c.customer_id.in_(customer_ids))
        return self._list(*conditions, limit=limit)

    def find(self, letter_id: int) -> Letter | None:
        """Return a letter; None without one."""
        if not is_key_of(dunning_letter.c.id, letter_id):
            return None
        return next(iter(self._list(dunning_letter.c.id == letter_id)), None)

    def list_events(self, letter_id: int) -> list[LetterEvent]:
        """Return what happened to a letter, in its order."""
        rows = self._connection.execute(
            select(dunning_event)
            .where(dunning_event.c.letter_id == letter_id)
            .order_by(dunning_event.c.seq)
        )
        return [
            LetterEvent(
                seq=row.seq,
                kind=LetterStep(row.kind),
                on=row.happened_on,
                text=row.text,
                by=row.entered_by,
                at_ms=row.entered_at_ms,
            )
            for row in rows
        ]

    def append(
        self,
        content: LetterContent,
        *,
        run: DunningRun,
        template: tuple[str, str],
        at_ms: int,
    ) -> int:
        """Append a proposed letter and return its key; ``template`` is its name and its hash."""
        letter_id = insert_row(
            self._connection,
            dunning_letter,
            run_id=run.run_id,
            customer_id=content.customer_id,
            as_of=content.as_of,
            policy_sha256_b64u=run.policy_sha256_b64u,
            template=template[0],
            template_sha256_b64u=template[1],
            segment=content.segment,
            level=content.level,
            state=LetterState.PROPOSED.value,
            last_seq=0,
        )
        lines = [write_line(letter_id, place, one) for place, one in enumerate(content.lines)]
        if lines:
            self._connection.execute(insert(dunning_line), lines)
        self._connection.execute(
            insert(dunning_sum), [write_sum(letter_id, one) for one in content.sums]
        )
        charges = [
            {
                "letter_id": letter_id,
                "place": place,
                "charge_id": one.charge_id,
                "open_minor": one.open_minor,
            }
            for place, one in enumerate(content.charges)
        ]
        if charges:
            self._connection.execute(insert(dunning_letter_charge), charges)
        event = LetterEvent(
            seq=0, kind=LetterStep.PROPOSED, on=run.as_of, text="", by=run.entered_by, at_ms=at_ms
        )
        self._append_event(letter_id, event)
        return letter_id

    def move(self, letter: Letter, state: LetterState, event: LetterEvent, **days: date) -> bool:
        """Append what happened and move the letter; False where something happened meanwhile."""
        moved = self._connection.execute(
            update(dunning_letter)
            .where(
                dunning_letter.c.id == letter.letter_id,
                dunning_letter.c.last_seq == letter.last_seq,
            )
            .values(state=state.value, last_seq=event.seq, **days)
        )
        if moved.rowcount != 1:
            return False
        self._append_event(letter.letter_id, event)
        return True

    def _append_event(self, letter_id: int, event: LetterEvent) -> None:
        self._connection.execute(
            insert(dunning_event).values(
                letter_id=letter_id,
                seq=event.seq,
                kind=event.kind.value,
                happened_on=event.on,
                text=event.text,
                entered_by=event.by,
                entered_at_ms=event.at_ms,
            )
        )

    def _list(self, *conditions: ColumnElement[bool], limit: int = 10_000) -> list[Letter]:
        rows = self._connection.execute(
            select(dunning_letter).where(*conditions).order_by(dunning_letter.c.id).limit(limit)
        ).all()
        keys = [row.id for row in rows]
        lines: dict[int, list[LetterLine]] = {}
        sums: dict[int, list[LetterSum]] = {}
        charges: dict[int, list[OpenCharge]] = {}
        for part in chunk_values(keys):
            for row in self._connection.execute(
                select(dunning_line)
                .where(dunning_line.c.letter_id.in_(part))
                .order_by(dunning_line.c.letter_id, dunning_line.c.place)
            ):
                lines.setdefault(row.letter_id, []).append(read_line(row))
            for row in self._connection.execute(
                select(dunning_sum)
                .where(dunning_sum.c.letter_id.in_(part))
                .order_by(dunning_sum.c.letter_id, dunning_sum.c.currency)
            ):
                sums.setdefault(row.letter_id, []).append(read_sum(row))
            for row in self._connection.execute(
                LISTED_CHARGES.where(dunning_letter_charge.c.letter_id.in_(part))
            ):
                charges.setdefault(row.letter_id, []).append(read_charge(row))
        return [
            _build(row, lines.get(row.id, ()), sums[row.id], charges.get(row.id, ()))
            for row in rows
        ]


def _lines_by_name() -> Any:  # noqa: ANN401  of SQLAlchemy's
    """Join lines of letters with every version of their items: corrections and merges make new."""
    named = ledger_item.alias("named")
    return (
        dunning_line.join(dunning_letter, dunning_letter.c.id == dunning_line.c.letter_id)
        .join(named, named.c.id == dunning_line.c.item_id)
        .join(ledger_item, is_same_name(named))
    )


def _counted_on(as_of: date) -> tuple[ColumnElement[bool], ...]:
    """Say that a letter had gone by a day and was not withdrawn by then."""
    return (
        dunning_letter.c.sent_on <= as_of,
        or_(
            dunning_letter.c.state.in_(_COUNTED),
            dunning_letter.c.withdrawn_on > as_of,
        ),
    )


def _build(
    row: Row[Any],
    lines: Sequence[LetterLine],
    sums: Sequence[LetterSum],
    charges: Sequence[OpenCharge],
) -> Letter:
    return Letter(
        letter_id=row.id,
        run_id=row.run_id,
        content=LetterContent(
            customer_id=row.customer_id,
            as_of=row.as_of,
            segment=row.segment,
            level=row.level,
            lines=tuple(lines),
            sums=tuple(sums),
            charges=tuple(charges),
        ),
        policy_sha256_b64u=row.policy_sha256_b64u,
        template=row.template,
        template_sha256_b64u=row.template_sha256_b64u,
        state=LetterState(row.state),
        last_seq=row.last_seq,
        sent_on=row.sent_on,
        pay_by_on=row.pay_by_on,
        withdrawn_on=row.withdrawn_on,
    )
