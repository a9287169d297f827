"""What the page of one customer shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from node.assessment.application.store import StoredApplication
from node.assessment.looks import has_peers
from node.assessment.policy import Policy
from node.assessment.renewal.store import OWN_CAUSES, Renewal
from node.assessment.report import (
    build_comparison,
    describe_confidence,
    format_deci,
)
from node.assessment.service import COLLECTIVE_KIND, AssessmentPair
from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.decision.applying import ANSWERABLE
from node.decision.policy import BuyerKind
from node.decision.rules_state import OPEN_STATES
from node.decision.view import build_summary_object
from node.decision.wording import say
from node.rating.overrides.rules_override import Override
from node.rating.store import RatingRecord
from node.records.behaviour import ReleasedMonths
from node.records.customers import CustomerCard
from node.records.rules_ageing import Ageing, Bucket
from node.records.rules_behaviour import mean_late_days_deci
from node.records.rules_default import Default
from node.records.service import CustomerNotFoundError
from node.records.store import CustomerRecord
from node.records.undertakings.promises import PromiseReport
from node.records.windows import format_month
from node.sharing.rules_life import LEGAL
from node.sharing.service import ConsentService, IncomingRow, OutgoingRow, ReceivedSummary
from node.sharing.store import HeldConsent
from node.sharing.store.objections import SummaryObjection
from node.web.charts import Bar, Point, draw_bars, draw_line
from node.web.customer_lines import SourceLine, say_criteria, view_source
from node.web.pages import REGISTER_ROWS_MAX, describe_grade, rate_without_peers
from node.web.peer_effects import EffectsView, view_effects
from node.web.peer_objections import ObjectionView, view_objection
from node.web.texts import Texts
from node.web.wording import (
    MINUS,
    SectionWords,
    list_absent,
    say_change,
    say_deci,
    say_money,
    say_sections,
    say_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLine:
    """One row of the ageing table."""

    name: str
    amount: str
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingView:
    """The ageing of one currency as chart and table."""

    ageing: Ageing
    open_minor: int
    chart_svg: str
    lines: tuple[BucketLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLine:
    """One row of the trend's table."""

    month: str
    invoices: str
    dbt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendView:
    """Days beyond terms by month; without a chart where no month is rated."""

    first: str
    last: str
    chart_svg: str
    lines: tuple[MonthLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorLine:
    """One factor of the comparison, in words."""

    name: str
    points_max: str
    own: str
    with_peers: str
    change: str
    change_deci: int
    own_value: str
    peers_value: str
    outside_value: str
    spread: str
    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """The rating without and with peers, factor by factor."""

    policy: str
    own: str
    with_peers: str
    change: str
    confidence: tuple[str, ...]
    is_same: bool
    has_outside: bool
    factors: tuple[FactorLine, ...]
    sources: tuple[SourceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """A peer's newest summary in words."""

    received: ReceivedSummary
    sections: tuple[SectionWords, ...]
    absent: str
    notes: tuple[str, ...]
    objection: ObjectionView


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionBlock:
    """The decision that holds, the one that waits, and what a new one is asked with."""

    standing: dict[str, Any] | None
    waiting: dict[str, Any] | None
    currency: str
    applications: tuple[StoredApplication, ...]
    """Those on which a decision may be proposed."""
    buyers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPage:
    """Everything the page of one customer shows."""

    customer: CustomerRecord
    card: CustomerCard
    defaults: tuple[Default, ...]
    promises: PromiseReport
    can_rate: bool
    decisions: DecisionBlock
    rating: RatingRecord | None
    is_valid: bool
    override: Override | None
    override_reason: str
    own_criteria: tuple[str, ...]
    with_peers_criteria: tuple[str, ...]
    grade_own_words: str
    grade_with_peers_words: str
    ageings: tuple[AgeingView, ...]
    trend: TrendView | None
    released: ReleasedMonths | None
    comparison: ComparisonView | None
    effects: EffectsView | None
    renewals: tuple[Renewal, ...]
    peers: tuple[PeerView, ...]
    outgoing: tuple[OutgoingRow, ...]
    incoming: tuple[tuple[IncomingRow, str], ...]
    consents: tuple[HeldConsent, ...]
    rows_max: int

    @property
    def has_peers(self) -> bool:
        """Whether the page shows what peers have said, or did before it was erased."""
        compared = self.comparison is not None and not self.comparison.is_same
        told = any(one.cause not in OWN_CAUSES for one in self.renewals)
        return bool(self.peers) or compared or told


def read_customer(
    local: LocalNode, consents: ConsentService, texts: Texts, customer_id: int
) -> CustomerPage:
    """Read the page of one customer.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    as_of = local.business_date()
    card = local.customers.get_card(customer_id)
    customer = card.customer
    customer_id = customer.customer_id  # of the one that it turned out to be
    subject = customer.subject_id
    rating = local.rating.find_latest(customer_id)
    held = consents.list_consents(subject=subject)
    hashes = {one.hash for one in held}
    objections = local.objections.list_of_subject(subject)
    incoming = consents.list_incoming(limit=REGISTER_ROWS_MAX)
    window = local.monitoring.overview.read_months(customer_id)
    ageings = local.monitoring.overview.find_ageings(customer_id)
    if ageings is None:
        ageings = local.records.ageing(customer_id, as_of=as_of)
    override = None
    if rating is not None:
        override = local.overrides.list_in_force([rating]).get(rating.rating_id)
    return CustomerPage(
        customer=customer,
        card=card,
        defaults=tuple(local.defaults.list_defaults(customer_id)),
        promises=local.promises.report(customer_id, as_of=as_of),
        can_rate=customer.kind != COLLECTIVE_KIND,
        decisions=_read_decisions(local, customer_id, texts),
        rating=rating,
        is_valid=rating is not None and rating.is_valid_on(as_of),
        override=override,
        override_reason=_say_reason(local, override, texts),
        own_criteria=say_criteria(local, rating, texts, with_peers=False),
        with_peers_criteria=say_criteria(local, rating, texts, with_peers=True),
        grade_own_words=_describe(local, rating, texts, with_peers=False),
        grade_with_peers_words=_describe(local, rating, texts, with_peers=True),
        ageings=tuple(_view_ageing(ageing, texts) for ageing in ageings),
        trend=None if window is None else view_trend(window, texts),
        released=window,
        comparison=_read_comparison(local, rating, texts),
        effects=None if rating is None else view_effects(local, rating.assessment_id, texts),
        renewals=tuple(local.renewals.list_causes(customer_id, shows_peers=True)),
        peers=tuple(_view_peer(one, objections, texts) for one in consents.list_received(subject)),
        outgoing=tuple(consents.list_outgoing(subject=subject, limit=REGISTER_ROWS_MAX)),
        incoming=tuple((row, subject) for row in incoming if row.consent in hashes),
        consents=tuple(held),
        rows_max=REGISTER_ROWS_MAX,
    )


def leave_peers_out(local: LocalNode, page: CustomerPage, texts: Texts) -> CustomerPage:
    """Return the page for who may not see what peers have said: the rating without them twice."""
    rating = page.rating
    pair = None if rating is None else local.assessment.find_pair(rating.assessment_id)
    if rating is not None:
        rating = rate_without_peers(rating)
    if rating is not None and pair is not None and has_peers(pair):
        # What is kept of the events does not say whose they are; our own stand in their section.
        own = pair.own.assessment.confidence.level
        rating = replace(rating, confidence=own, default_events=())
    return replace(
        page,
        rating=rating,
        override=None if page.override is None else page.override.without_peers,
        grade_with_peers_words=page.grade_own_words,
        with_peers_criteria=page.own_criteria,
        comparison=_read_comparison(local, rating, texts, shows_peers=False),
        effects=None,
        renewals=tuple(local.renewals.list_causes(page.customer.customer_id, shows_peers=False)),
        peers=(),
        outgoing=(),
        incoming=(),
        consents=(),
    )


def parse_customer_id(text: str) -> int:
    """Return the key that an address names.

    Raises:
        CustomerNotFoundError: It is no number, or longer than any key.
    """
    key = parse_key(text)
    if key is None:
        raise CustomerNotFoundError("there is no such customer")
    return key


def view_trend(window: ReleasedMonths, texts: Texts) -> TrendView:
    """Lay out every month of a window; one without rated invoices stays in it, empty."""
    months = {month.month: month for month in window.months}
    points: list[Point] = []
    lines: list[MonthLine] = []
    for number in range(window.first_month, window.last_month + 1):
        month = months.get(number)
        dbt_deci = None if month is None else mean_late_days_deci([month], by_amount=True)
        words = texts("none.data")
        if dbt_deci is not None:
            words = texts("unit.days", count=say_deci(dbt_deci, texts))
        points.append(Point(label=format_month(number), value_deci=dbt_deci, text=words))
        rated = month.invoice_count if month else 0
        invoices = str(rated) if rated else texts("none.data")
        lines.append(MonthLine(month=format_month(number), invoices=invoices, dbt=words))
    first, last = points[0].label, points[-1].label
    has_value = any(point.value_deci is not None for point in points)
    title = texts("trend.chart", first=first, last=last)
    return TrendView(
        first=first,
        last=last,
        chart_svg=draw_line(points, title=title, unit=texts("trend.axis")) if has_value else "",
        lines=tuple(lines),
    )


def _read_decisions(local: LocalNode, customer_id: int, texts: Texts) -> DecisionBlock:
    reports, language = local.decision_reports, texts.language
    standing = reports.find_standing(customer_id)
    waiting = reports.list_decisions(states=OPEN_STATES, customer_id=customer_id, limit=1)
    return DecisionBlock(
        standing=None
        if standing is None
        else build_summary_object(standing, language=language, has_peers=False),
        waiting=build_summary_object(waiting[0], language=language, has_peers=False)
        if waiting
        else None,
        currency=reports.choose_currency(customer_id),
        applications=tuple(
            one
            for one in local.applications.report(customer_id).applications
            if one.state in ANSWERABLE
        ),
        buyers=tuple((one.value, say("buyer", one, language)) for one in BuyerKind),
    )


def _say_reason(local: LocalNode, override: Override | None, texts: Texts) -> str:
    if override is None:
        return ""
    reason = local.overrides.find_policy().find_reason(override.reason_code)
    return override.reason_code if reason is None else reason.names.render(texts.language)


def _describe(
    local: LocalNode, rating: RatingRecord | None, texts: Texts, *, with_peers: bool
) -> str:
    if rating is None:
        return texts("none.rated")
    grade = rating.grade_with_peers if with_peers else rating.grade_own
    return describe_grade(local, rating, grade, texts=texts)


def _view_ageing(ageing: Ageing, texts: Texts) -> AgeingView:
    open_minor = sum(ageing.buckets.values())
    bars = [
        Bar(
            label=texts(f"bucket.{bucket.value}"),
            value=amount,
            text=say_money(amount, ageing.currency),
            level=level,
        )
        for level, (bucket, amount) in enumerate((one, ageing.buckets[one]) for one in Bucket)
    ]
    title = texts("ageing.chart", currency=ageing.currency)
    return AgeingView(
        ageing=ageing,
        open_minor=open_minor,
        chart_svg=draw_bars(bars, title=title) if open_minor > 0 else "",
        lines=tuple(
            BucketLine(
                name=bar.label, amount=bar.text, share=_say_share(bar.value, open_minor, texts)
            )
            for bar in bars
        ),
    )


def _say_share(part_minor: int, whole_minor: int, texts: Texts) -> str:
    if whole_minor <= 0:
        return texts("none.computable")
    return f"{format_deci((part_minor * 2000 + whole_minor) // (2 * whole_minor))} %"


def _view_peer(
    received: ReceivedSummary, objections: Sequence[SummaryObjection], texts: Texts
) -> PeerView:
    summary = received.summary
    return PeerView(
        received=received,
        sections=() if summary is None else say_sections(summary, texts),
        absent="" if summary is None else list_absent(summary, texts),
        notes=_list_notes(received, texts),
        objection=view_objection(received, objections),
    )


def _list_notes(received: ReceivedSummary, texts: Texts) -> tuple[str, ...]:
    """Say why it does not count, and how long it is kept or since when and why it is gone."""
    notes = [] if received.may_rate else [texts("grant.not-for-rating")]
    basis, at_s = received.erase_basis, received.erase_at_s
    if basis == LEGAL:
        notes.append(texts("grant.legal"))
    elif basis is not None and received.is_erased:
        notes.append(texts("grant.since", basis=texts(f"basis.{basis}")))
    elif basis is not None and at_s is not None:
        day = datetime.fromtimestamp(at_s, tz=UTC).date().isoformat()
        notes.append(texts("grant.until", day=day, basis=texts(f"basis.{basis}")))
    return tuple(notes)


def _read_comparison(
    local: LocalNode, rating: RatingRecord | None, texts: Texts, *, shows_peers: bool = True
) -> ComparisonView | None:
    if rating is None:
        return None
    pair = local.assessment.find_pair(rating.assessment_id)
    if pair is None:
        return None
    if not shows_peers:
        pair = pair.without_peers
    policy = local.assessment.get_policy(pair.with_peers.assessment.policy)
    own, with_peers = pair.own.assessment, pair.with_peers.assessment
    change_deci = (with_peers.score_deci or 0) - (own.score_deci or 0)
    return ComparisonView(
        policy=policy.reference.label,
        own=say_deci(own.score_deci, texts),
        with_peers=say_deci(with_peers.score_deci, texts),
        change=say_change(change_deci, texts),
        confidence=tuple(describe_confidence(with_peers, policy=policy, language=texts.language)),
        has_outside=policy.body.outside is not None,
        is_same=pair.own.assessment_id == pair.with_peers.assessment_id,
        factors=_list_factors(pair, policy, texts),
        sources=tuple(view_source(line, policy, texts) for line in with_peers.evidence),
    )


def _list_factors(pair: AssessmentPair, policy: Policy, texts: Texts) -> tuple[FactorLine, ...]:
    rows = build_comparison(pair, policy=policy, language=texts.language)
    erased = {line.ref for line in pair.with_peers.assessment.evidence if line.is_erased}
    lines = []
    for row, change in zip(rows, pair.changes, strict=True):
        factor = policy.find_factor(change.factor_id)
        reads = None if factor is None else factor.reads
        peers_value = say_value(reads, change.peers_value, texts)
        if change.peers_value is None and erased.intersection(change.sources):
            peers_value = texts("none.erased")
        lines.append(
            FactorLine(
                name=row.name,
                points_max=row.points_max,
                own=say_deci(change.before_deci, texts),
                with_peers=say_deci(change.after_deci, texts),
                change=say_change(change.change_deci, texts),
                change_deci=change.change_deci,
                own_value=say_value(reads, change.own_value, texts),
                peers_value=peers_value,
                outside_value=say_value(reads, change.outside_value, texts)
                if change.outside_value is not None
                else "",
                spread=row.spread.replace("-", MINUS),
                reason=row.reason,
                why=row.why,
            )
        )
    return tuple(lines)
