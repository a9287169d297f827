"""The rules of disclosure, one changed at a time: what each costs whoever asks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from schemas.summary import Section
from scripts.benches.rating_releases import Grid, RelaxedPolicy, Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

ASKED_SHORT, ASKED_LONG = 3, 24
QUARTER, QUARTER_LAG_DAYS = 3, 30
_MANY = 1_000_000
_EVERY = frozenset(Section)
_BANDS = _EVERY - {Section.MONEY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A name and what is told under it."""

    name: str
    rules: Rules = field(default_factory=Rules)


AS_RELEASED = Variant(name="as released")
OLD_GRID = Grid(step_months=QUARTER, lag_days=QUARTER_LAG_DAYS, lengths=(24, 12))
QUARTERS = Variant(name="quarters, 30 days after, 4 of them", rules=Rules(grid=OLD_GRID))
UNCOARSENED = Rules(
    grid=Grid(lag_days=0, lengths=(ASKED_LONG,)),
    asked_months=ASKED_LONG,
    policy=RelaxedPolicy(
        invoices_min=1, months_min=1, class_invoices_min=1, changed_invoices_min=0
    ),
    is_exact=True,
)


def list_variants() -> Sequence[Variant]:
    """Return every variant, the rules as they are first; those of one grid stand together."""
    plain = Rules()
    return (
        AS_RELEASED,
        *(Variant(name=name, rules=replace(plain, policy=one)) for name, one in _POLICIES),
        Variant(name="no rounding", rules=replace(plain, is_exact=True)),
        *(Variant(name=name, rules=replace(plain, sections=one)) for name, one in _SECTIONS),
        *(
            Variant(
                name=f"{count} contributors at least", rules=replace(plain, contributors_min=count)
            )
            for count in (2, 3)
        ),
        Variant(name="3 months asked", rules=replace(plain, asked_months=ASKED_SHORT)),
        *(Variant(name=name, rules=one) for name, one in _GRIDS),
        QUARTERS,
        Variant(
            name="quarters, 30 days after, 8 of them",
            rules=Rules(grid=OLD_GRID, asked_months=ASKED_LONG),
        ),
        Variant(name="nothing coarsened, by closed months", rules=UNCOARSENED),
    )


_POLICIES = (
    ("3 invoices at least", RelaxedPolicy(invoices_min=3)),
    (
        "1 invoice at least, in any months",
        RelaxedPolicy(invoices_min=1, months_min=1, class_invoices_min=1),
    ),
    (
        "1 invoice at least, in any months, never repeated",
        RelaxedPolicy(invoices_min=1, months_min=1, class_invoices_min=1, changed_invoices_min=0),
    ),
    ("in any months", RelaxedPolicy(months_min=1)),
    ("no p % rule", RelaxedPolicy(p_percent=0)),
    ("no p % rule, no dominance", RelaxedPolicy(p_percent=0, dominance_percent=100)),
    ("small classes stand", RelaxedPolicy(class_invoices_min=1)),
    ("repeated below 2 changed", RelaxedPolicy(changed_invoices_min=2)),
    ("never repeated", RelaxedPolicy(changed_invoices_min=0)),
    ("class of few never repeated", RelaxedPolicy(is_class_renewed=True)),
    ("class alone", RelaxedPolicy(invoices_min=_MANY)),
)
_SECTIONS = (
    (
        "class and index",
        frozenset({Section.RELATION, Section.LATENESS, Section.INDEX, Section.OVERDUE_NOW}),
    ),
    ("bands without money", _BANDS),
    ("no class below 5 invoices", _EVERY - {Section.LATENESS}),
    ("no present overdue class", _EVERY - {Section.OVERDUE_NOW}),
)
_GRIDS = (
    ("days from the due date itself", Rules(grid=Grid(is_business=False))),
    ("released on the last day", Rules(grid=Grid(lag_days=0))),
    ("released 30 days after", Rules(grid=Grid(lag_days=QUARTER_LAG_DAYS))),
    ("quarters, 5 days after", Rules(grid=Grid(step_months=QUARTER))),
    ("24 months asked", Rules(grid=Grid(lengths=(24, 12, 3)), asked_months=ASKED_LONG)),
)
