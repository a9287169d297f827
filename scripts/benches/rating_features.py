"""Factors of an invoice on the eve of its day: of itself, of own history, and of what others know.

The same factors describe own, pooled and told history, so that what differs between models is what
they are told. Values are integers as a node scores them; what is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import Direction
from node.rating.models.table import Column, TrainingTable
from schemas.summary import Tier
from scripts.benches.rating_history import NO_EVIDENCE, NO_HISTORY, Evidence, History

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from node.assessment.statistical.rules_statistical import Value
    from scripts.benches.rating_data import Invoice
    from scripts.benches.rating_releases import Answers, Told

PRIOR_INVOICES = 2
PERMILLE = 1000
_DECI = 10
Row = dict[str, "Value"]
WORDS = frozenset({"due_weekday", "issue_weekday", "group"})
# What a factor does to the score where that is known; the others may go either way.
DIRECTIONS: Mapping[str, Direction] = {
    "late": Direction.FALLING,
    "grave": Direction.FALLING,
    "dbt": Direction.FALLING,
    "overdue": Direction.FALLING,
    "recent": Direction.FALLING,
    "index": Direction.RISING,
    "worst": Direction.FALLING,
    "seen_share": Direction.FALLING,
}


def describe_invoice(invoice: Invoice) -> Row:
    """Return what an invoice says by itself on the day it is written."""
    return {
        "amount": invoice.amount_minor,
        "terms": (invoice.due_on - invoice.issued_on).days,
        "due_weekday": invoice.due_on.strftime("%a"),
        "due_day": invoice.due_on.day,
        "issue_weekday": invoice.issued_on.strftime("%a"),
        "shift": (invoice.due_business_on - invoice.due_on).days,
        "group": invoice.group,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoother:
    """Shares and means drawn towards those of the whole training, more so the fewer there are."""

    prior: Evidence

    def describe(self, evidence: Evidence, *, prefix: str) -> Row:
        """Return the factors of a sum of invoices; None without any."""
        milli = evidence.invoices_milli
        if not milli:
            return dict.fromkeys(
                f"{prefix}_{name}" for name in ("invoices", "late", "early", "grave", "dbt")
            )
        both = evidence.add(self.prior)
        weight = both.invoices_milli
        return {
            f"{prefix}_invoices": milli // PERMILLE,
            f"{prefix}_late": PERMILLE * both.late_milli // weight,
            f"{prefix}_early": PERMILLE * both.early_milli // weight,
            f"{prefix}_grave": PERMILLE * both.grave_milli // weight,
            f"{prefix}_dbt": _DECI * both.late_days_milli // weight,
        }


def build_smoother(invoices: Sequence[Invoice]) -> Smoother:
    """Return the smoother of the invoices that teach."""
    delays = [(one.paid_on - one.due_business_on).days for one in invoices]
    mean = Evidence(
        invoices_milli=PERMILLE * PRIOR_INVOICES,
        late_milli=_share(sum(one > 0 for one in delays), len(delays)),
        early_milli=_share(sum(one < 0 for one in delays), len(delays)),
        grave_milli=_share(sum(one > 15 for one in delays), len(delays)),  # noqa: PLR2004
        late_days_milli=_share(sum(max(0, one) for one in delays), len(delays)),
    )
    return Smoother(prior=mean)


def _share(part: int, whole: int) -> int:
    return PERMILLE * PRIOR_INVOICES * part // max(1, whole)


def describe_history(history: History, *, day: date, prefix: str, smoother: Smoother) -> Row:
    """Return the factors of raw invoices, one's own or all members'."""
    newest = history.newest_on
    return {
        **smoother.describe(history.evidence, prefix=prefix),
        f"{prefix}_recent": history.recent_delay_deci,
        f"{prefix}_overdue": history.overdue_days,
        f"{prefix}_open": history.open_count,
        f"{prefix}_age": None if newest is None else (day - newest).days,
    }


def describe_told(
    told: Sequence[tuple[int, Told]],
    *,
    own: History,
    day: date,
    overdue: Sequence[int],
    smoother: Smoother,
) -> Row:
    """Return the factors of the others' summaries, and of those together with own history.

    ``overdue`` are the present classes of those that have something overdue.
    """
    sums = NO_EVIDENCE
    for _, one in told:
        sums = sums.add(one.evidence)
    summaries = [one for _, one in told]
    few = [one for one in summaries if one.tier is Tier.CLASS]
    seen = [one.seen > 0 for one in summaries if one.seen is not None]
    worst = [one.worst for one in summaries if one.worst is not None]
    return {
        **smoother.describe(sums, prefix="told"),
        **smoother.describe(sums.add(own.evidence), prefix="both"),
        "told_contributors": len(summaries),
        "told_many": len(summaries) - len(few),
        "told_few_on_time": sum(one.seen == 0 for one in few),
        "told_few_late": sum(bool(one.seen) for one in few),
        "told_seen_share": PERMILLE * sum(seen) // len(seen) if seen else None,
        "told_worst": max(worst, default=None),
        "told_index": _weigh_index(summaries),
        "told_past_due": sum(one.is_past_due for one in summaries),
        "told_overdue": max(overdue, default=0),
        "told_overdue_members": len(overdue),
        "told_age": min(((day - one.as_of).days for one in summaries), default=None),
    }


def _weigh_index(summaries: Sequence[Told]) -> int | None:
    pairs = [
        (one.index_deci, max(1, one.evidence.invoices_milli))
        for one in summaries
        if one.index_deci is not None
    ]
    weight = sum(milli for _, milli in pairs)
    return sum(deci * milli for deci, milli in pairs) // weight if weight else None


def describe_pooled(history: History, *, day: date, smoother: Smoother) -> Row:
    """Return the factors of everybody's invoices."""
    return {
        **describe_history(history, day=day, prefix="pooled", smoother=smoother),
        "pooled_contributors": history.contributors,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One invoice with what its member and everybody knew of its customer on the eve."""

    invoice: Invoice
    own: History = NO_HISTORY
    pooled: History = NO_HISTORY

    @property
    def own_count(self) -> int:
        """How many own invoices say something."""
        return self.own.evidence.invoices_milli // PERMILLE

    @property
    def is_cold(self) -> bool:
        """Whether the member knows nothing and somebody else does."""
        return self.own_count == 0 and self.pooled.evidence.invoices_milli > 0


def describe_answers(
    case: Case, answers: Answers, *, contributors_min: int, smoother: Smoother
) -> Row:
    """Return the factors of what others would have told of a case."""
    invoice, day = case.invoice, case.invoice.asked_on
    told = answers.list_told(invoice.customer, day=day, asking=invoice.member)
    if len(told) < contributors_min:
        told = []
    found = (answers.find_overdue(invoice.customer, member, day=day) for member, _ in told)
    return describe_told(
        told,
        own=case.own,
        day=day,
        overdue=[days for days in found if days is not None],
        smoother=smoother,
    )


def build_table(rows: Sequence[Row], outcomes: Sequence[bool]) -> TrainingTable:
    """Return rows as the table that a model is trained on."""
    names = list(rows[0])
    return TrainingTable(
        columns=tuple(
            Column(
                id=name.replace("_", "-"),
                source="bench",
                names=LocalText(zh=name, en=name),
                direction=Direction.FREE
                if name in WORDS
                else DIRECTIONS.get(name.partition("_")[2], Direction.EITHER),
                has_words=name in WORDS,
            )
            for name in names
        ),
        rows=tuple(tuple(row[name] for name in names) for row in rows),
        outcomes=tuple(outcomes),
    )
