"""Orders of the list of customers, what it is narrowed down to, and cursors of its pages. Pure.

An order is a row of groups, each ordered by some columns and then by the customer's key: amounts of
different currencies cannot be compared, and what is not there comes last. A cursor holds its row's
place, so that a page stays where it is while rows come and go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from node.core.errors import RejectedError
from node.risk.rules_finding import RiskStatus

CURSOR_CHARS_MAX = 120
LATE_DAYS = 90
_BETWEEN = "."
_VALUE_DIGITS_MAX = 19  # a shorter number fits into 64 bits


class ListCursorError(RejectedError):
    """A cursor is not one that a page of this list has named."""

    code = "cursor-invalid"


class Sort(StrEnum):
    """By what customers are listed."""

    PAST_DUE = "past-due"
    OWING = "owing"
    OLDEST = "oldest"
    INDEX = "index"
    DBT = "dbt"
    SCORE = "score"
    NAME = "name"


class Moved(StrEnum):
    """What changed of a customer since a day."""

    GRADE = "grade"
    ALERT = "alert"
    STATUS = "status"
    LIMIT = "limit"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Columns in their order, all up or all down; by currency where they are amounts.

    Without ``is_by_currency`` there are two groups: of those that have the first column, and of
    those that have not.
    """

    columns: tuple[str, ...]
    is_down: bool
    is_by_currency: bool = False


ORDERS: Mapping[Sort, Order] = MappingProxyType(
    {
        Sort.PAST_DUE: Order(
            columns=("past_due_minor", "owing_minor"), is_down=True, is_by_currency=True
        ),
        Sort.OWING: Order(columns=("owing_minor",), is_down=True, is_by_currency=True),
        Sort.OLDEST: Order(columns=("oldest_due_on",), is_down=False),
        Sort.INDEX: Order(columns=("index_deci",), is_down=False),
        Sort.DBT: Order(columns=("late_days_deci",), is_down=True),
        Sort.SCORE: Order(columns=("score_with_peers_deci",), is_down=False),
        Sort.NAME: Order(columns=("sort_name",), is_down=False),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What the list is narrowed down to; nothing of it is asked for by default."""

    words: tuple[str, ...] = ()
    number: int | None = None
    """A customer's key, where the search is a number: it is found beside those with the words."""
    currency: str = ""
    grade: str = ""
    is_unrated: bool = False
    status: RiskStatus | None = None
    is_watched: bool = False
    is_late: bool = False
    """Longer overdue than ``LATE_DAYS``."""
    is_changed: bool = False
    """Graded otherwise with peers than without."""
    moved: Moved | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a row stands: its group, the values by which that is ordered, and its key."""

    group: str
    values: tuple[int, ...]
    customer_id: int

    def to_cursor(self) -> str:
        """Write it."""
        return _BETWEEN.join([self.group, str(self.customer_id), *map(str, self.values)])


def parse_cursor(text: str, *, groups: Sequence[str], values: int) -> Place:
    """Read a cursor of a list with these groups, and so many values.

    Raises:
        ListCursorError: It is none.
    """
    group, _, rest = text.partition(_BETWEEN)
    numbers = rest.split(_BETWEEN) if rest else []
    is_whole = len(text) <= CURSOR_CHARS_MAX and group in groups and len(numbers) >= 1
    if not is_whole or not all(map(_is_number, numbers)):
        raise ListCursorError("a cursor is taken from a page of the list")
    customer_id, *found = map(int, numbers)
    if len(found) not in {0, values}:
        raise ListCursorError("a cursor is taken from a page of the list")
    return Place(group=group, values=tuple(found), customer_id=customer_id)


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < _VALUE_DIGITS_MAX
