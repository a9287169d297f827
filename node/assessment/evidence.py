"""What a scorecard reads: figures of our own records and of peers' summaries in the same units.

A summary is coarse; the one number that stands for a band is part of the policy, not of the code.
A figure that a source does not have is None, and None is never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date

from node.assessment.policy import PERMILLE, BandValues
from node.core.money import divide_half_even
from node.records.behaviour import BehaviourWindow
from node.records.rules_behaviour import divide_half_up
from node.records.rules_history import BehaviourSpan, CustomerHistory, split_window
from node.records.windows import last_day, month_of, parse_month
from schemas.summary import DELAY_CLASSES, Delay, DelayClass, Summary, Tier

EVIDENCE_MONTHS = 12  # the trailing window that is scored
HISTORY_MONTHS = 2 * EVIDENCE_MONTHS  # and the one before it, for the trend
TREND_INVOICES_MIN = 5  # in each of the two windows, as for a summary
TREND_CHANGE_DECI = 50  # an index change of 5 points counts (pbs-1)
TREND_DECI = {"worse": -10, "same": 0, "better": 10}
_ON_TIME = (DelayClass.EARLY, DelayClass.IN_TERMS)
_UNPAID = (DelayClass.D91_120, DelayClass.OVER_120, DelayClass.UNPAID)
_RANKS = {delay_class: rank for rank, delay_class in enumerate(DELAY_CLASSES)}
_SETTLED_RANK = 1
_OPEN_RANKS = {"collection": 2, "legal": 3, "write_off": 4, "insolvency": 4}
_STEP_PERMILLE = 10  # a share of a summary is in per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one source; each name is an ``EvidenceValue`` of the policy."""

    index_deci: int | None = None
    dbt_deci: int | None = None
    late_permille: int | None = None
    unpaid_permille: int | None = None
    worst_rank: int | None = None
    overdue_days: int | None = None
    trend_deci: int | None = None
    relation_months: int | None = None
    disputed_permille: int | None = None
    adverse_rank: int | None = None
    current_ratio_centi: int | None = None
    debt_permille: int | None = None
    margin_permille: int | None = None
    altman_centi: int | None = None
    finance_trend_deci: int | None = None
    report_permille: int | None = None
    list_rank: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the source says nothing at all."""
        return all(getattr(self, field.name) is None for field in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEvidence:
    """Our own experience with a customer over twelve released months, as seen on ``as_of``.

    ``newest_on`` is the end of the newest month with a rated invoice; ``open_adverse`` are the
    kinds of unsettled facts.
    """

    invoices: int
    newest_on: date | None
    as_of: date
    figures: Figures
    open_adverse: tuple[str, ...] = ()

    @property
    def has_facts(self) -> bool:
        """Whether an overdue item or an adverse fact speaks for itself without a recent invoice."""
        return bool(self.figures.overdue_days or self.figures.adverse_rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSummaryRecord:
    """A summary as it was received from one provider, named by the hash of its message.

    ``left_out`` says why it may not count, empty where it may; ``summary`` is None where its body
    is erased or cannot be read. ``group`` names the companies whom its provider belongs to.
    """

    provider: str
    msg_hash_b64u: str
    summary: Summary | None
    received_on: date
    left_out: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutPeer:
    """A summary that may not count, and why; nothing that it says is known here."""

    provider: str
    msg_hash_b64u: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEvidence:
    """One provider's experience as its summary tells it, over a window up to ``window_end``."""

    provider: str
    msg_hash_b64u: str
    received_on: date
    stated_on: date
    window_first: int
    window_end: date
    tier: Tier
    invoices: int
    figures: Figures
    open_adverse: tuple[str, ...] = ()
    group: str = ""
    contributors: int = 1

    @property
    def window_last(self) -> int:
        """The last month of the window."""
        return month_of(self.window_end)


def build_own_evidence(window: BehaviourWindow) -> OwnEvidence:
    """Read our own window of ``HISTORY_MONTHS``: the last twelve count, the rest is for trend."""
    newer_from = window.last_month - EVIDENCE_MONTHS + 1
    return read_history(split_window(window, newer_from=newer_from))


def read_history(history: CustomerHistory) -> OwnEvidence:
    """Read a customer's own history: the newer twelve months count, the older are for trend."""
    newer = history.newer
    counts, invoices, disputed = newer.delay_counts, newer.invoice_count, newer.disputed_count
    figures = Figures(
        index_deci=_mean(newer.index_deci_by_amount, newer.amount_minor),
        dbt_deci=_mean(10 * newer.late_days_by_amount, newer.amount_minor),
        late_permille=_share(invoices - _count_of(counts, _ON_TIME), invoices),
        unpaid_permille=_share(_count_of(counts, _UNPAID), invoices),
        worst_rank=max((rank for rank, count in enumerate(counts) if count), default=None),
        overdue_days=history.oldest_overdue_days or 0,
        trend_deci=_find_trend(newer, history.older),
        relation_months=_count_months(history.first_sale_on, history.as_of),
        disputed_permille=_share(disputed, invoices + disputed),
        adverse_rank=_rank_adverse((event.kind, event.settled) for event in history.adverse),
    )
    return OwnEvidence(
        invoices=invoices,
        newest_on=None if newer.newest_month is None else last_day(newer.newest_month),
        as_of=history.as_of,
        figures=figures,
        open_adverse=_list_open((event.kind, event.settled) for event in history.adverse),
    )


def list_left_out(records: Iterable[PeerSummaryRecord]) -> tuple[LeftOutPeer, ...]:
    """Return which summaries may not count, each with the code that says why."""
    return tuple(
        LeftOutPeer(
            provider=record.provider,
            msg_hash_b64u=record.msg_hash_b64u,
            code=f"left-out.{record.left_out}",
        )
        for record in records
        if record.left_out
    )


def list_peer_evidence(
    records: Iterable[PeerSummaryRecord], *, bands: BandValues
) -> tuple[PeerEvidence, ...]:
    """Read the summaries that may count, each band as the number that the policy gives it."""
    return tuple(
        build_peer_evidence(record, record.summary, bands=bands)
        for record in records
        if record.summary is not None and not record.left_out
    )


def build_peer_evidence(
    record: PeerSummaryRecord, summary: Summary, *, bands: BandValues
) -> PeerEvidence:
    """Read a peer's summary, each band as the number that the policy gives it."""
    facts = [(fact.kind, fact.settled) for fact in summary.adverse.facts] if summary.adverse else []
    return PeerEvidence(
        provider=record.provider,
        msg_hash_b64u=record.msg_hash_b64u,
        received_on=record.received_on,
        stated_on=date.fromisoformat(summary.window.as_of),
        window_first=parse_month(summary.window.first),
        window_end=last_day(parse_month(summary.window.last)),
        tier=summary.tier,
        invoices=_count_invoices(summary, bands),
        figures=_read_figures(summary, bands),
        open_adverse=_list_open(facts),
        group=record.group,
        contributors=summary.contributors,
    )


def _count_invoices(summary: Summary, bands: BandValues) -> int:
    if summary.tier is Tier.CLASS:
        return bands.lateness[summary.lateness.seen].invoices if summary.lateness else 0
    return bands.invoices[summary.volume.n_invoices] if summary.volume else bands.invoices_unstated


def _read_figures(summary: Summary, bands: BandValues) -> Figures:
    lateness = bands.lateness[summary.lateness.seen] if summary.lateness else None
    delay, adverse = summary.delay, summary.adverse
    index_deci = summary.index.value * 10 if summary.index else None
    return Figures(
        index_deci=lateness.index_deci if lateness else index_deci,
        dbt_deci=lateness.dbt_deci if lateness else _read_dbt(delay),
        late_permille=lateness.late_permille if lateness else _read_late(delay),
        unpaid_permille=lateness.unpaid_permille if lateness else _read_unpaid(delay),
        worst_rank=DELAY_CLASSES.index(lateness.worst) if lateness else _read_worst(delay),
        overdue_days=bands.overdue_days[summary.overdue_now.oldest]
        if summary.overdue_now
        else None,
        trend_deci=TREND_DECI[summary.trend.direction] if summary.trend else None,
        relation_months=bands.relation_months[summary.relation.years] if summary.relation else None,
        disputed_permille=bands.disputed_permille[summary.disputes.share]
        if summary.disputes
        else None,
        adverse_rank=_rank_adverse((fact.kind, fact.settled) for fact in adverse.facts)
        if adverse
        else None,
    )


def _read_dbt(delay: Delay | None) -> int | None:
    return delay.dbt_days * 10 if delay else None


def _read_late(delay: Delay | None) -> int | None:
    if delay is None:
        return None
    return PERMILLE - _STEP_PERMILLE * sum(delay.mix[on_time] for on_time in _ON_TIME)


def _read_unpaid(delay: Delay | None) -> int | None:
    if delay is None:
        return None
    return _STEP_PERMILLE * sum(delay.mix[unpaid] for unpaid in _UNPAID)


def _read_worst(delay: Delay | None) -> int | None:
    return DELAY_CLASSES.index(delay.worst) if delay else None


def _count_of(counts: tuple[int, ...], classes: Iterable[DelayClass]) -> int:
    return sum(counts[_RANKS[delay_class]] for delay_class in classes)


def _share(part: int, whole: int) -> int | None:
    return divide_half_even(PERMILLE * part, whole) if whole else None


def _mean(weighted: int, weight: int) -> int | None:
    return divide_half_up(weighted, weight) if weight else None


def _find_trend(newer: BehaviourSpan, older: BehaviourSpan) -> int | None:
    now_deci = _mean(newer.index_deci_by_amount, newer.amount_minor)
    then_deci = _mean(older.index_deci_by_amount, older.amount_minor)
    fewest = min(newer.invoice_count, older.invoice_count)
    if now_deci is None or then_deci is None or fewest < TREND_INVOICES_MIN:
        return None
    change_deci = now_deci - then_deci
    if abs(change_deci) < TREND_CHANGE_DECI:
        return TREND_DECI["same"]
    return TREND_DECI["better" if change_deci > 0 else "worse"]


def _count_months(first_sale_on: date | None, as_of: date) -> int | None:
    if first_sale_on is None:
        return None
    months = month_of(as_of) - month_of(first_sale_on)
    return max(0, months - (as_of.day < first_sale_on.day))


def _rank_adverse(facts: Iterable[tuple[str, bool]]) -> int:
    return max(
        (_SETTLED_RANK if settled else _OPEN_RANKS[kind] for kind, settled in facts), default=0
    )


def _list_open(facts: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    return tuple(sorted({kind for kind, settled in facts if not settled}))
