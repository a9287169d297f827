"""The ledger's pages: what is open of a customer, how old, how fast it turns, and an item's story.

They read. What is entered goes by the forms, by command or by API, which say by whom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import RejectedError
from node.core.money import CURRENCY_FORM
from node.records.ledger import ItemNotFoundError, ItemStory
from node.records.lifecycle import LifeCard
from node.records.rules_ageing import Ageing, AgeingBase, Bucket, choose_bucket
from node.records.rules_default import Default
from node.records.store import CustomerRecord, OpenLine
from node.records.turnover import Turnover
from node.records.undertakings.promises import PromiseReport
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.texts import Texts
from node.web.wording import say_money

LINES_SHOWN_MAX = 500
MOMENT_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


class ViewInvalidError(RejectedError):
    """A date or moment in the address is not written as one."""

    code = "view-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the ledger is looked at: as of when, aged from what, known when."""

    as_of: date
    base: AgeingBase
    known_at: datetime | None
    bucket: Bucket | None = None
    """Items of one bucket alone, in ``currency``."""
    currency: str = ""

    @property
    def address(self) -> dict[str, str]:
        """How an address says the same of another page."""
        known_at = "" if self.known_at is None else self.known_at.strftime(MOMENT_FORMATS[1])
        asked = {"as_of": self.as_of.isoformat(), "base": self.base.value, "known_at": known_at}
        return {name: value for name, value in asked.items() if value}

    def holds(self, line: OpenLine) -> bool:
        """Tell whether an item is among those looked at."""
        if self.currency and line.currency != self.currency:
            return False
        if self.bucket is None:
            return True
        aged_from = line.aged_from(self.base)
        days = None if aged_from is None else (self.as_of - aged_from).days
        return days is not None and choose_bucket(days) is self.bucket

    @property
    def is_by_issue(self) -> bool:
        """Whether items age from their own date, so that none is not due."""
        return self.base is AgeingBase.ISSUED

    @property
    def known_at_ms(self) -> int | None:
        """The moment in milliseconds; None for now."""
        return None if self.known_at is None else int(self.known_at.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnoverLine:
    """One figure, for each currency."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Everything the ledger of one customer shows."""

    customer: CustomerRecord
    view: View
    bases: tuple[AgeingBase, ...]
    buckets: tuple[Bucket, ...]
    ageings: tuple[Ageing, ...]
    turnovers: tuple[Turnover, ...]
    figures: tuple[TurnoverLine, ...]
    lines: tuple[OpenLine, ...]
    line_count: int
    life: LifeCard
    defaults: tuple[Default, ...]
    promises: PromiseReport


def build_ledger_routes(local: LocalNode, *, render: Render, page: BuildRoute) -> list[BaseRoute]:
    """Return the routes of the ledger's pages."""
    pages = _LedgerPages(local, render=render)
    return [
        page("GET", "/console/customers/{customer_id}/ledger", pages.show_ledger),
        page("GET", "/console/items/{item_id}", pages.show_item),
    ]


class _LedgerPages:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render) -> None:
        self._local = local
        self._render = render

    async def show_ledger(self, request: Request) -> Response:
        """Show what is open of a customer, its ageing and its turnover."""
        texts = Texts(choose_language(request))
        customer_id = parse_customer_id(request.path_params["customer_id"])
        view = read_view(request, today=self._local.business_date())
        page = await run_in_threadpool(
            lambda: read_ledger(self._local, texts, customer_id, view=view)
        )
        return await self._render(request, "ledger.html", page=page)

    async def show_item(self, request: Request) -> Response:
        """Show one item with all that became of it."""
        key = parse_key(request.path_params["item_id"])
        if key is None:
            raise ItemNotFoundError("there is no such item")
        story = await run_in_threadpool(self._local.ledger.tell_item, key)
        customer = await run_in_threadpool(self._local.records.get_customer, story.item.customer_id)
        return await self._render(
            request, "item.html", story=story, customer=customer, money=_say_item_money(story)
        )


def read_ledger(local: LocalNode, texts: Texts, customer_id: int, *, view: View) -> LedgerPage:
    """Read the ledger of one customer.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    known_at_ms = view.known_at_ms
    customer = local.records.get_customer(customer_id, known_at_ms=known_at_ms)
    ageings = local.records.ageing(
        customer_id, as_of=view.as_of, base=view.base, known_at_ms=known_at_ms
    )
    turnovers = tuple(
        local.records.turnover(
            as_of=view.as_of,
            currency=ageing.currency,
            customer_id=customer_id,
            known_at_ms=known_at_ms,
        )
        for ageing in ageings
    )
    lines = [
        line
        for line in local.ledger.list_open(customer_id, as_of=view.as_of, known_at_ms=known_at_ms)
        if view.holds(line)
    ]
    return LedgerPage(
        customer=customer,
        view=view,
        bases=tuple(AgeingBase),
        buckets=tuple(Bucket),
        ageings=tuple(ageings),
        turnovers=turnovers,
        figures=tuple(_say_turnovers(turnovers, texts)),
        lines=tuple(lines[:LINES_SHOWN_MAX]),
        line_count=len(lines),
        life=local.lifecycle.get_card(customer_id),
        defaults=tuple(local.defaults.list_defaults(customer_id)),
        promises=local.promises.report(customer_id, as_of=view.as_of, known_at_ms=known_at_ms),
    )


def read_view(request: Request, *, today: date) -> View:
    """Read what is to be shown from the address.

    Raises:
        ViewInvalidError: A date or a moment is not written as one.
    """
    asked = request.query_params
    base, bucket = asked.get("base", ""), asked.get("bucket", "")
    currency = asked.get("currency", "")
    return View(
        as_of=_read_day(asked.get("as_of", "")) or today,
        base=AgeingBase(base) if base in set(AgeingBase) else AgeingBase.DUE,
        known_at=_read_moment(asked.get("known_at", "")),
        bucket=Bucket(bucket) if bucket in set(Bucket) else None,
        currency=currency if CURRENCY_FORM.fullmatch(currency) else "",
    )


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as err:
        raise ViewInvalidError("a date is written 2026-06-30") from err


def _read_moment(text: str) -> datetime | None:
    if not text:
        return None
    for form in MOMENT_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ViewInvalidError("a moment is written 2026-06-30T09:00")


def _say_turnovers(turnovers: tuple[Turnover, ...], texts: Texts) -> list[TurnoverLine]:
    """Lay the figures out, a row each and a column a currency."""

    def days(milli: int | None) -> str:
        if milli is None:
            return texts("none.computable")
        return texts("unit.days", count=f"{Decimal(milli).scaleb(-3):.1f}")

    def countback(one: Turnover) -> str:
        if one.countback is None:
            return texts("none.computable")
        words = days(one.countback.days_milli)
        return texts("turnover.censored", days=words) if one.countback.is_censored else words

    def index(one: Turnover) -> str:
        value = one.collection_index_centipercent
        if value is None:
            return texts("none.computable")
        return f"{Decimal(value).scaleb(-2):.1f} %"

    rows: tuple[tuple[str, Callable[[Turnover], str]], ...] = (
        (texts("turnover.receivable"), lambda one: say_money(one.receivable_minor, one.currency)),
        (texts("turnover.sales"), lambda one: say_money(one.credit_sales_minor, one.currency)),
        (texts("turnover.dso"), lambda one: days(one.dso_milli)),
        (texts("turnover.best"), lambda one: days(one.best_possible_dso_milli)),
        (texts("turnover.delinquent"), lambda one: days(one.average_days_delinquent_milli)),
        (texts("turnover.countback"), countback),
        (texts("turnover.true"), lambda one: days(one.true_dso_milli)),
        (texts("turnover.index"), index),
    )
    return [
        TurnoverLine(name=name, values=tuple(say(one) for one in turnovers)) for name, say in rows
    ]


def _say_item_money(story: ItemStory) -> Callable[[int], str]:
    def say(amount_minor: int) -> str:
        return say_money(amount_minor, story.item.currency)

    return say
