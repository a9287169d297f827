"""The table a model is trained on: values as integers or words, outcomes, days, and its hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import VALUE_MAX, Direction
from node.assessment.statistical.rules_statistical import Value
from node.core.errors import RejectedError
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonValue, canonical_json

ROWS_MAX = 1_000_000


class TrainingTableError(RejectedError):
    """Rows of different lengths, a value out of bounds, or nothing to learn from."""

    code = "training-table-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One factor before it is binned; numbers are in units of ``10**-decimals``."""

    id: str
    source: str
    names: LocalText
    direction: Direction
    decimals: int = 0
    specials: tuple[int, ...] = ()
    has_words: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTable:
    """Rows with their outcome (True: bad) and, where known, the day they are as of."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    outcomes: tuple[bool, ...]
    days: tuple[date, ...] | None = None
    groups: tuple[int, ...] | None = None
    """Which rows are of one customer; it teaches nothing and is not in the hash."""

    def __post_init__(self) -> None:
        """Check lengths and bounds.

        Raises:
            TrainingTableError: They do not fit.
        """
        if len(self.rows) > ROWS_MAX:
            raise TrainingTableError(f"more than {ROWS_MAX} rows")
        is_even = len(self.rows) == len(self.outcomes) and (
            self.days is None or len(self.days) == len(self.rows)
        )
        is_even = is_even and (self.groups is None or len(self.groups) == len(self.rows))
        if not is_even or any(len(row) != len(self.columns) for row in self.rows):
            raise TrainingTableError("rows, outcomes and days are not of one length")
        for index, column in enumerate(self.columns):
            _check_column(column, [row[index] for row in self.rows])

    @property
    def bads(self) -> int:
        """How many rows are bad."""
        return sum(self.outcomes)

    @property
    def sha256_b64u(self) -> str:
        """SHA-256 over a line of canonical JSON for the columns, and one for each row."""
        digest = sha256()
        for line in self._list_lines():
            digest.update(canonical_json(line) + b"\n")
        return encode_b64u(digest.digest())

    def select(self, indexes: Sequence[int]) -> TrainingTable:
        """Return some of the rows."""
        return TrainingTable(
            columns=self.columns,
            rows=tuple(self.rows[index] for index in indexes),
            outcomes=tuple(self.outcomes[index] for index in indexes),
            days=None if self.days is None else tuple(self.days[index] for index in indexes),
            groups=None if self.groups is None else tuple(self.groups[i] for i in indexes),
        )

    def _list_lines(self) -> Iterator[dict[str, JsonValue]]:
        yield {"columns": [[one.id, one.decimals, one.has_words] for one in self.columns]}
        for index, row in enumerate(self.rows):
            line: dict[str, JsonValue] = {
                # Nothing is a list without members: JSON of the protocol has no null.
                "values": [[] if value is None else value for value in row],
                "bad": self.outcomes[index],
            }
            if self.days is not None:
                line["day"] = self.days[index].isoformat()
            yield line


def split_by_time(
    table: TrainingTable, *, test_share_permille: int, gap_days: int
) -> tuple[TrainingTable, TrainingTable]:
    """Cut a table at a day: the later rows test what the earlier ones taught.

    Of the earlier rows only those stay whose outcome was known on the day of the cut, ``gap_days``
    after their own: a later outcome was not there to be learnt from.

    Raises:
        TrainingTableError: The rows have no days, or one part would be empty.
    """
    if table.days is None:
        raise TrainingTableError("rows without days cannot be split by time")
    days = sorted(set(table.days))
    counts = dict.fromkeys(days, 0)
    for day in table.days:
        counts[day] += 1
    wanted = len(table.rows) * test_share_permille // 1000
    cut, later = days[-1], 0
    for day in reversed(days):
        cut, later = day, later + counts[day]
        if later >= wanted:
            break
    train = [i for i, day in enumerate(table.days) if (cut - day).days >= gap_days]
    test = [i for i, day in enumerate(table.days) if day >= cut]
    if not train:
        raise TrainingTableError(
            f"no row is {gap_days} days older than {cut.isoformat()}, where the test begins"
        )
    return table.select(train), table.select(test)


def _check_column(column: Column, values: Sequence[Value]) -> None:
    for value in values:
        if value is None:
            continue
        if isinstance(value, bool) or isinstance(value, str) != column.has_words:
            raise TrainingTableError(f"{column.id}: a value of another kind")
        if isinstance(value, int) and abs(value) >= VALUE_MAX:
            raise TrainingTableError(f"{column.id}: a value of {VALUE_MAX} or beyond")
