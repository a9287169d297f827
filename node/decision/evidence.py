"""What a proposal rests on: read from records, statements, peers' summaries and the rating.

Everything is of one business date and in one currency; what no dated rate converts is left out, and
the arm that misses it says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.scoring import ListPeerSummaries
from node.assessment.statements.service import find_newest_statement
from node.core.database import UnitOfWork
from node.decision.policy import Arms, DecisionPolicy, DecisionPolicyBody
from node.decision.rules_limit import LimitInputs, OwnCredit, Reference, StatementFigures
from node.decision.rules_proposal import RatedAs, express
from node.rating.overrides.reading import OverrideReader, apply_override
from node.rating.overrides.rules_override import Override
from node.rating.rules_grade import add_months
from node.rating.store import RatingRecord, RatingStore
from node.records.papers import read_cover
from node.records.rules_behaviour import highest_balance
from node.records.rules_conversion import find_rate
from node.records.rules_papers import PaperKind, is_in_force
from node.records.store import (
    CustomerRecord,
    LedgerStore,
    PaperStore,
    RateStore,
    RecordsStore,
    TurnoverStore,
)
from node.sharing.disclosure.rules_bands import read_lower_edge
from protocol.encoding import encode_b64u, sha256
from schemas.summary import Tier

YEAR_DAYS = 365
Convert = Callable[[int, str], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a customer asks for, and tells of its need; in the currency of the decision."""

    currency: str | None = None
    limit_minor: int | None = None
    need_year_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The inputs of the arms, the rating, and the policy in the currency of the decision."""

    inputs: LimitInputs
    rated: RatedAs | None
    policy: DecisionPolicyBody


def choose_currency(
    uow: UnitOfWork, customer: CustomerRecord, *, as_of: date, policy: DecisionPolicy
) -> str:
    """Return the currency of most of a customer's invoices; of the policy, where it has none."""
    positions = LedgerStore(uow.connection).list_positions(customer.customer_id, as_of=as_of)
    return positions[0].currency if positions else policy.body.currency


def read_evidence(
    uow: UnitOfWork,
    customer: CustomerRecord,
    *,
    wish: Wish,
    as_of: date,
    policy: DecisionPolicy,
    list_peer_summaries: ListPeerSummaries,
    overrides: OverrideReader,
) -> Evidence:
    """Read what a proposal rests on, within the caller's transaction."""
    currency = wish.currency or choose_currency(uow, customer, as_of=as_of, policy=policy)
    convert = build_converter(uow, currency, as_of=as_of)
    arms = policy.body.arms
    subject = customer.subject_id
    summaries = list_peer_summaries(uow, [subject]).get(subject, ())
    # Without a rate it is not known from which size of the book on its share bounds a customer.
    has_rate = convert(0, policy.body.currency) is not None
    inputs = LimitInputs(
        currency=currency,
        as_of=as_of,
        statement=_read_statement(uow, customer, as_of=as_of, convert=convert),
        references=tuple(
            read_reference(one, rules=arms, as_of=as_of, convert=convert) for one in summaries
        ),
        own=_read_own(uow, customer, currency=currency, as_of=as_of, rules=arms),
        need_year_minor=wish.need_year_minor,
        insurers=_list_insurers(uow, customer, as_of=as_of, convert=convert),
        book_minor=_sum_book(uow, as_of=as_of, convert=convert) if has_rate else None,
        requested_minor=wish.limit_minor,
    )
    return Evidence(
        inputs=inputs,
        rated=find_rated(uow, customer.customer_id, overrides=overrides, on=as_of),
        policy=express_policy(policy, convert),
    )


def express_policy(policy: DecisionPolicy, convert: Convert) -> DecisionPolicyBody:
    """Return a policy with its amounts in the currency that is converted into."""
    body = policy.body
    return express(body, lambda minor: convert(minor, body.currency))


def build_converter(uow: UnitOfWork, currency: str, *, as_of: date) -> Convert:
    """Return what converts minor units of any currency into one, by the rates of a day."""
    rates = RateStore(uow.connection).list_holding(as_of)

    def convert(amount_minor: int, of: str) -> int | None:
        if of == currency:
            return amount_minor
        rate = find_rate(of, currency, as_of=as_of, rates=rates)
        return None if rate is None else rate.convert(amount_minor, currency=of)

    return convert


def find_rated(
    uow: UnitOfWork, customer_id: int, *, overrides: OverrideReader, on: date
) -> RatedAs | None:
    """Return what the newest rating says on a day, or a person in its place; None: not rated."""
    rating = RatingStore(uow.connection).find_latest(customer_id)
    if rating is None:
        return None
    return read_rating(rating, overrides.find_in_force(uow, rating, day=on))


def read_rating(rating: RatingRecord, override: Override | None = None) -> RatedAs:
    """Return what a rating says; one without data holds until its review.

    What a person has given instead holds no longer than that.
    """
    holds_until = rating.review_on if rating.valid_until is None else rating.valid_until
    held = apply_override(rating, override)
    return RatedAs(
        rating_id=rating.rating_id,
        grade_own=held.grade_own,
        grade_with_peers=held.grade_with_peers,
        confidence=rating.confidence,
        holds_until=holds_until if override is None else min(holds_until, override.expires_on),
        override_id=None if override is None else override.override_id,
        grade_rated="" if override is None else rating.grade_with_peers,
    )


def read_exposure(uow: UnitOfWork, customer_id: int, *, currency: str, as_of: date) -> int:
    """Return what a customer owes or was delivered on a day, as the report of covers has it."""
    return read_cover(uow, customer_id, as_of=as_of, currency=currency).exposure_minor


def read_reference(
    record: PeerSummaryRecord, *, rules: Arms, as_of: date, convert: Convert
) -> Reference:
    """Read a peer's band of the highest credit, or why it is no reference."""
    summary = record.summary
    code, lower_minor = "", None
    if summary is None or record.left_out:
        code = "left-out"
    elif (
        summary.tier is not Tier.FULL or summary.money is None or summary.money.high_credit is None
    ):
        code = "no-money"
    elif (as_of - date.fromisoformat(summary.window.as_of)).days > rules.reference_age_days_max:
        code = "old"
    elif summary.disputes is not None and summary.disputes.share in rules.disputed_shares_out:
        code = "disputed"
    else:
        money = summary.money
        edge_minor = read_lower_edge(money.high_credit or "0", currency=money.currency)
        lower_minor = convert(edge_minor, money.currency)
        code = "no-rate" if lower_minor is None else ""
    return Reference(
        ref=record.msg_hash_b64u, provider=record.provider, lower_minor=lower_minor, code=code
    )


def hash_inputs(text: str) -> str:
    """Return the hash by which two requests are told apart."""
    return encode_b64u(sha256(text.encode()))


def _read_statement(
    uow: UnitOfWork, customer: CustomerRecord, *, as_of: date, convert: Convert
) -> StatementFigures | None:
    newest = find_newest_statement(uow, customer.customer_id, as_of=as_of)
    if newest is None:
        return None
    statement = newest.version.statement

    def find(code: str) -> int | None:
        amount_minor = newest.amounts.get(code)
        return None if amount_minor is None else convert(amount_minor, statement.currency)

    return StatementFigures(
        ref=str(newest.version.statement_id),
        year_end=statement.year_end,
        age_days=(as_of - statement.year_end).days,
        equity_minor=find("total-equity"),
        current_assets_minor=find("current-assets"),
        current_liabilities_minor=find("current-liabilities"),
        has_rate=convert(0, statement.currency) is not None,
    )


def _read_own(
    uow: UnitOfWork, customer: CustomerRecord, *, currency: str, as_of: date, rules: Arms
) -> OwnCredit | None:
    """Read our experience in the currency of the decision; None where nothing was sold in it."""
    ledger, key = LedgerStore(uow.connection), customer.customer_id
    positions = {one.currency: one for one in ledger.list_positions(key, as_of=as_of)}
    position = positions.get(currency)
    if position is None:
        return None
    first = add_months(as_of, -rules.own_high_credit_months) + timedelta(days=1)
    changes = ledger.list_balance_changes(key, currency=currency, first=first, last=as_of)
    opening_minor = ledger.get_opening_balance(key, currency=currency, before=first)
    year_ago = as_of - timedelta(days=YEAR_DAYS)
    turnover = TurnoverStore(uow.connection, currency=currency, customer_id=key)
    sales = [minor for day, minor in turnover.list_sales(last=as_of) if day > year_ago]
    return OwnCredit(
        high_minor=highest_balance(opening_minor, changes),
        invoices=position.invoice_count,
        months=rules.own_high_credit_months,
        sales_year_minor=sum(sales),
    )


def _list_insurers(
    uow: UnitOfWork, customer: CustomerRecord, *, as_of: date, convert: Convert
) -> tuple[tuple[str, int], ...]:
    """Return the limits of the insurances in force; one that nothing converts insures nothing."""
    ids = RecordsStore(uow.connection).list_ids(customer.customer_id)
    papers = PaperStore(uow.connection).list_papers(ids, {PaperKind.INSURANCE})
    return tuple(
        (one.number, convert(one.content.amount_minor or 0, one.content.currency) or 0)
        for one in papers
        if is_in_force(one, on=as_of)
    )


def _sum_book(uow: UnitOfWork, *, as_of: date, convert: Convert) -> int | None:
    """Return what all customers owe together; None where a currency of it has no rate."""
    total_minor = 0
    for currency in LedgerStore(uow.connection).list_currencies(as_of=as_of):
        balance_minor = TurnoverStore(uow.connection, currency=currency).sum_balance(as_of)
        converted = convert(balance_minor, currency) if balance_minor else 0
        if converted is None:
            return None
        total_minor += converted
    return total_minor
