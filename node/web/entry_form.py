"""What a form of the console is made of: fields, what they stand on, what entering them does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias, TypeVar

from node.assessment.application.store import StoredApplication
from node.bootstrap.local import LocalNode
from node.core.errors import InvariantError
from node.core.people.areas import Area
from node.records.ledger import ItemStory
from node.records.rules_default import Default
from node.records.rules_promise import JudgedPromise, Promise
from node.records.store import CustomerRecord, OpenLine, StoredDispute
from node.web.entry_desk import Fact, Link
from node.web.typed import Typed

T = TypeVar("T")


class FieldKind(StrEnum):
    """How a field is shown and typed."""

    TEXT = "text"
    LONG = "long"
    DAY = "day"
    MONEY = "money"
    CURRENCY = "currency"
    CHOICE = "choice"
    TERMS = "terms"  # days with amounts
    LINES = "lines"  # open items to tick
    PAYS = "pays"  # open items to tick, each with an amount or in full


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field. ``label`` and ``hint`` name texts; an empty amount or day may mean: as it is."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    value: str = ""
    hint: str = ""
    places: Mapping[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    family: str = ""
    is_required: bool = True
    chars_max: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a form stands on: a customer, and the item, dispute, default or promise it is of."""

    customer: CustomerRecord
    today: date
    lines: tuple[OpenLine, ...] = ()
    line_count: int = 0
    story: ItemStory | None = None
    dispute: StoredDispute | None = None
    default: Default | None = None
    promise: JudgedPromise | None = None
    application: StoredApplication | None = None
    documents: tuple[str, ...] = ()
    """The kinds of document that the checklist of an application names."""

    @property
    def told(self) -> ItemStory:
        """The item's story, on a form of an item."""
        return _get(self.story)

    @property
    def told_dispute(self) -> StoredDispute:
        """The dispute, on a form of one."""
        return _get(self.dispute)

    @property
    def told_default(self) -> Default:
        """The default, on a form of one."""
        return _get(self.default)

    @property
    def told_promise(self) -> Promise:
        """The promise, on a form of one."""
        return _get(self.promise).promise

    @property
    def told_application(self) -> StoredApplication:
        """The credit application, on a form of one."""
        return _get(self.application)

    @property
    def debits(self) -> tuple[OpenLine, ...]:
        """What is owed and open."""
        return tuple(line for line in self.lines if line.kind.is_debit)

    @property
    def currency(self) -> str:
        """The currency of what fell due first, to begin with."""
        return self.lines[0].currency if self.lines else ""


def _get(found: T | None) -> T:
    """Return what a form is of: ``EntryForm.fits`` has let it in for that."""
    if found is None:
        raise InvariantError("a form stands on what it is of")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What entering came to: what was entered, and where it is seen."""

    facts: tuple[Fact, ...]
    links: tuple[Link, ...] = ()


Enter: TypeAlias = Callable[[LocalNode, str], Done]
"""Enters it, by whom; one use case, one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryForm:
    """A form: where it is, for whom, and what it enters.

    ``fits`` tells whether it makes sense on its ground: where it does not, there is no such form.
    """

    name: str
    path: str
    area: Area
    build: Callable[[Ground], tuple[FormField, ...]]
    read: Callable[[Typed, Ground], Enter]
    fits: Callable[[Ground], bool] = field(default=lambda _ground: True)
    has_lines: bool = False

    @property
    def title(self) -> str:
        """The name of its title's text."""
        return f"enter.{self.name}"
