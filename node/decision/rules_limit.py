"""How large a limit may be: each way of finding it shown by itself (docs/formulas.md). Pure.

A way (an arm) gives a figure, or says why it gives none; none is ever guessed. What a customer can
bear is the least of the figures of evidence and of its need; the grade takes its share of that, and
caps cut it. A need alone is no evidence: it says what is wanted, not what can be borne.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.money import divide_half_even
from node.decision.policy import Arms

PERMILLE = 1_000
DAYS_OF_YEAR = 365
COMPUTED = "computed"


class ArmCode(StrEnum):
    """A way of finding a limit."""

    NET_WORTH = "net-worth"
    WORKING_CAPITAL = "working-capital"
    REFERENCES = "references"
    OWN_HIGH_CREDIT = "own-high-credit"
    NEED = "need"
    INSURER = "insurer"
    CONCENTRATION = "concentration"
    REQUESTED = "requested"


class ArmPart(StrEnum):
    """What an arm's figure does."""

    EVIDENCE = "evidence"
    DEMAND = "demand"
    CAP = "cap"


class Unit(StrEnum):
    """What an input is counted in."""

    MINOR = "minor"
    PERMILLE = "permille"
    DAYS = "days"
    COUNT = "count"
    DAY = "day"
    """A date, as YYYYMMDD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmInput:
    """One figure that an arm took; ``ref`` is where it came from, ``code`` why it is left out."""

    name: str
    value: int | None
    unit: Unit
    ref: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way with its figure in minor units, or the code of why there is none."""

    code: ArmCode
    part: ArmPart
    amount_minor: int | None
    why: str = COMPUTED
    inputs: tuple[ArmInput, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFigures:
    """What a customer's newest statement says, in the currency of the decision.

    ``has_rate`` is false where it is in another currency that nothing converts.
    """

    ref: str
    year_end: date
    age_days: int
    equity_minor: int | None
    current_assets_minor: int | None
    current_liabilities_minor: int | None
    has_rate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A peer's band of the highest credit: its lower bound, or the code of why it is left out."""

    ref: str
    provider: str
    lower_minor: int | None
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCredit:
    """The highest balance that a customer has owed us, and what it bought in the last year."""

    high_minor: int
    invoices: int
    months: int
    sales_year_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitInputs:
    """Everything that the arms read, in minor units of one currency."""

    currency: str
    as_of: date
    statement: StatementFigures | None = None
    references: tuple[Reference, ...] = ()
    own: OwnCredit | None = None
    need_year_minor: int | None = None
    """As the customer tells; without it, what it bought from us in the last year."""
    insurers: tuple[tuple[str, int], ...] = ()
    """Number and limit of each credit insurance in force."""
    book_minor: int | None = None
    """What all customers owe together; None where a part of it cannot be converted."""
    requested_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """What the arms come to: what can be borne, and of which arm; after the grade; after the caps.

    ``capacity_minor`` is None where no arm of evidence has a figure.
    """

    capacity_minor: int | None
    capacity_arm: ArmCode | None
    factor_permille: int
    graded_minor: int | None
    cap_arm: ArmCode | None
    limit_minor: int | None


def share_of(amount_minor: int, permille: int) -> int:
    """Return a share of an amount, rounded half to even."""
    return divide_half_even(amount_minor * permille, PERMILLE)


def median_minor(amounts: Sequence[int]) -> int:
    """Return the middle amount; of an even number the mean of the two, rounded down.

    Raises:
        ValueError: There are none.
    """
    if not amounts:
        raise ValueError("nothing has no middle")
    ordered = sorted(amounts)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def need_of(year_minor: int, *, days: int) -> int:
    """Return what of a year's purchases is open at once over so many days, half to even."""
    return divide_half_even(year_minor * days, DAYS_OF_YEAR)


def round_down(amount_minor: int, *, step_minor: int) -> int:
    """Return the largest multiple of a step that is no larger."""
    return amount_minor // step_minor * step_minor


def compute_arms(inputs: LimitInputs, *, rules: Arms, terms_days: int) -> tuple[Arm, ...]:
    """Work out every arm, in the order in which they are shown."""
    return (
        _net_worth(inputs.statement, rules=rules),
        _working_capital(inputs.statement, rules=rules),
        _references(inputs.references, rules=rules),
        _own_high_credit(inputs.own, rules=rules),
        _need(inputs, rules=rules, terms_days=terms_days),
        _insurer(inputs, rules=rules),
        _concentration(inputs, rules=rules),
        _requested(inputs),
    )


def combine(arms: Sequence[Arm], *, factor_permille: int, rounding_minor: int) -> Combined:
    """Take the least of what can be borne, the grade's share of it, and cut it by the caps.

    The limit is rounded down to the step, last of all.
    """
    has_evidence = any(_figures(arms, ArmPart.EVIDENCE))
    capacity = _least(arms, ArmPart.EVIDENCE, ArmPart.DEMAND) if has_evidence else None
    if capacity is None:
        return Combined(
            capacity_minor=None,
            capacity_arm=None,
            factor_permille=factor_permille,
            graded_minor=None,
            cap_arm=None,
            limit_minor=None,
        )
    capacity_minor, capacity_arm = capacity
    graded_minor = share_of(capacity_minor, factor_permille)
    limit_minor, cap_arm = cut(graded_minor, arms)
    return Combined(
        capacity_minor=capacity_minor,
        capacity_arm=capacity_arm,
        factor_permille=factor_permille,
        graded_minor=graded_minor,
        cap_arm=cap_arm,
        limit_minor=round_down(limit_minor, step_minor=rounding_minor),
    )


def cut(amount_minor: int, arms: Sequence[Arm]) -> tuple[int, ArmCode | None]:
    """Return an amount cut by the caps, and by which one it was; None where none cuts it."""
    cap = _least(arms, ArmPart.CAP)
    if cap is None or cap[0] >= amount_minor:
        return amount_minor, None
    return cap


def _figures(arms: Sequence[Arm], *parts: ArmPart) -> list[tuple[int, ArmCode]]:
    return [
        (arm.amount_minor, arm.code)
        for arm in arms
        if arm.part in parts and arm.amount_minor is not None
    ]


def _least(arms: Sequence[Arm], *parts: ArmPart) -> tuple[int, ArmCode] | None:
    """Return the least figure; of two alike the one that is shown first."""
    return min(_figures(arms, *parts), key=lambda one: one[0], default=None)


def _absent(code: ArmCode, part: ArmPart, why: str, *inputs: ArmInput) -> Arm:
    return Arm(code=code, part=part, amount_minor=None, why=why, inputs=inputs)


def _find_fault(statement: StatementFigures | None, *, rules: Arms) -> str:
    """Return why a statement gives no figure at all; empty where it may."""
    if statement is None:
        return "no-statement"
    if statement.age_days > rules.statement_age_days_max:
        return "statement-old"
    return "" if statement.has_rate else "no-rate"


def _describe(statement: StatementFigures) -> tuple[ArmInput, ...]:
    day = int(statement.year_end.strftime("%Y%m%d"))
    return (
        ArmInput(name="year-end", value=day, unit=Unit.DAY, ref=statement.ref),
        ArmInput(name="age", value=statement.age_days, unit=Unit.DAYS),
    )


def _net_worth(statement: StatementFigures | None, *, rules: Arms) -> Arm:
    code, part = ArmCode.NET_WORTH, ArmPart.EVIDENCE
    why = _find_fault(statement, rules=rules)
    if statement is None or why:
        return _absent(code, part, why, *(_describe(statement) if statement else ()))
    equity_minor = statement.equity_minor
    inputs = (
        *_describe(statement),
        ArmInput(name="equity", value=equity_minor, unit=Unit.MINOR, ref=statement.ref),
        ArmInput(name="share", value=rules.net_worth_permille, unit=Unit.PERMILLE),
    )
    if equity_minor is None:
        return _absent(code, part, "line-missing", *inputs)
    amount_minor = share_of(max(0, equity_minor), rules.net_worth_permille)
    return Arm(code=code, part=part, amount_minor=amount_minor, inputs=inputs)


def _working_capital(statement: StatementFigures | None, *, rules: Arms) -> Arm:
    code, part = ArmCode.WORKING_CAPITAL, ArmPart.EVIDENCE
    why = _find_fault(statement, rules=rules)
    if statement is None or why:
        return _absent(code, part, why, *(_describe(statement) if statement else ()))
    assets_minor, debts_minor = statement.current_assets_minor, statement.current_liabilities_minor
    ref = statement.ref
    inputs = (
        *_describe(statement),
        ArmInput(name="current-assets", value=assets_minor, unit=Unit.MINOR, ref=ref),
        ArmInput(name="current-liabilities", value=debts_minor, unit=Unit.MINOR, ref=ref),
        ArmInput(name="share", value=rules.working_capital_permille, unit=Unit.PERMILLE),
    )
    if assets_minor is None or debts_minor is None:
        return _absent(code, part, "line-missing", *inputs)
    capital_minor = max(0, assets_minor - debts_minor)
    amount_minor = share_of(capital_minor, rules.working_capital_permille)
    return Arm(code=code, part=part, amount_minor=amount_minor, inputs=inputs)


def _references(references: Sequence[Reference], *, rules: Arms) -> Arm:
    code, part = ArmCode.REFERENCES, ArmPart.EVIDENCE
    inputs = tuple(
        ArmInput(
            name=one.provider, value=one.lower_minor, unit=Unit.MINOR, ref=one.ref, code=one.code
        )
        for one in references
    )
    used = [one.lower_minor for one in references if one.lower_minor is not None and not one.code]
    if len(used) < rules.references_min:
        why = "no-references" if not references else "few-references"
        return _absent(code, part, why, *inputs)
    return Arm(code=code, part=part, amount_minor=median_minor(used), inputs=inputs)


def _own_high_credit(own: OwnCredit | None, *, rules: Arms) -> Arm:
    code, part = ArmCode.OWN_HIGH_CREDIT, ArmPart.EVIDENCE
    if own is None:
        return _absent(code, part, "no-sales")
    inputs = (
        ArmInput(name="high-credit", value=own.high_minor, unit=Unit.MINOR),
        ArmInput(name="invoices", value=own.invoices, unit=Unit.COUNT),
        ArmInput(name="months", value=own.months, unit=Unit.COUNT),
        ArmInput(name="share", value=rules.own_high_credit_permille, unit=Unit.PERMILLE),
    )
    if own.invoices < rules.own_invoices_min:
        return _absent(code, part, "few-invoices", *inputs)
    amount_minor = share_of(own.high_minor, rules.own_high_credit_permille)
    return Arm(code=code, part=part, amount_minor=amount_minor, inputs=inputs)


def _need(inputs: LimitInputs, *, rules: Arms, terms_days: int) -> Arm:
    code, part = ArmCode.NEED, ArmPart.DEMAND
    told_minor = inputs.need_year_minor
    year_minor = told_minor
    if year_minor is None and inputs.own is not None:
        year_minor = inputs.own.sales_year_minor
    if not year_minor or year_minor < 0:
        return _absent(code, part, "no-need")
    name = "need-year" if told_minor is not None else "sales-year"
    days = terms_days + rules.need_buffer_days
    return Arm(
        code=code,
        part=part,
        amount_minor=need_of(year_minor, days=days),
        inputs=(
            ArmInput(name=name, value=year_minor, unit=Unit.MINOR),
            ArmInput(name="terms", value=terms_days, unit=Unit.DAYS),
            ArmInput(name="buffer", value=rules.need_buffer_days, unit=Unit.DAYS),
        ),
    )


def _insurer(inputs: LimitInputs, *, rules: Arms) -> Arm:
    code, part = ArmCode.INSURER, ArmPart.CAP
    if not inputs.insurers:
        return _absent(code, part, "not-insured")
    limits = tuple(
        ArmInput(name="insured", value=limit_minor, unit=Unit.MINOR, ref=number)
        for number, limit_minor in inputs.insurers
    )
    beyond_minor = rules.insurer_uninsured_minor
    beyond = ArmInput(name="uninsured", value=beyond_minor, unit=Unit.MINOR)
    amount_minor = sum(limit_minor for _, limit_minor in inputs.insurers) + beyond_minor
    return Arm(code=code, part=part, amount_minor=amount_minor, inputs=(*limits, beyond))


def _concentration(inputs: LimitInputs, *, rules: Arms) -> Arm:
    code, part = ArmCode.CONCENTRATION, ArmPart.CAP
    shown = (
        ArmInput(name="book", value=inputs.book_minor, unit=Unit.MINOR),
        ArmInput(name="share", value=rules.concentration_permille, unit=Unit.PERMILLE),
        ArmInput(name="book-min", value=rules.concentration_book_min_minor, unit=Unit.MINOR),
    )
    if inputs.book_minor is None:
        return _absent(code, part, "no-rate", *shown)
    if inputs.book_minor < rules.concentration_book_min_minor:
        return _absent(code, part, "book-small", *shown)
    amount_minor = share_of(inputs.book_minor, rules.concentration_permille)
    return Arm(code=code, part=part, amount_minor=amount_minor, inputs=shown)


def _requested(inputs: LimitInputs) -> Arm:
    if inputs.requested_minor is None:
        return _absent(ArmCode.REQUESTED, ArmPart.CAP, "not-requested")
    return Arm(
        code=ArmCode.REQUESTED,
        part=ArmPart.CAP,
        amount_minor=inputs.requested_minor,
        inputs=(ArmInput(name="requested", value=inputs.requested_minor, unit=Unit.MINOR),),
    )
