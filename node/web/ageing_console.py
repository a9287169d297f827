"""The ageing of all customers as a page: totals by currency, customers in pages, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.money import minor_exponent
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import Principal
from node.core.spreadsheets import tame_cell
from node.records.rules_ageing import AgeingBase, Bucket
from node.records.rules_ageing_list import (
    OVERDUE,
    SORTS,
    AgeingSlice,
    AgeingTotal,
    CustomerAgeing,
    add_up,
    choose_rows,
    cut_page,
)
from node.web.handlers import BuildRoute, Render
from node.web.ledger_console import View, read_view

AGEING_PATH = "/console/ageing"
ROWS_PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingPage:
    """What the page shows: all totals, and a page of the customers of one currency."""

    view: View
    sort: str
    currency: str
    totals: tuple[AgeingTotal, ...]
    cut: AgeingSlice
    left_out: int
    bases: tuple[AgeingBase, ...] = tuple(AgeingBase)
    buckets: tuple[Bucket, ...] = tuple(Bucket)

    def address(self, **changes: str) -> str:
        """Return the address of this list with something changed, from its first page."""
        bucket = {} if self.view.bucket is None else {"bucket": self.view.bucket.value}
        asked = self.view.address | {"sort": self.sort, "currency": self.currency} | bucket
        asked |= changes
        return f"{AGEING_PATH}?{urlencode({name: one for name, one in asked.items() if one})}"

    def csv_address(self) -> str:
        """Return the address of this list as a file."""
        return self.address().replace(AGEING_PATH, f"{AGEING_PATH}.csv", 1)

    def customer_address(self, row: CustomerAgeing, bucket: Bucket | None = None) -> str:
        """Return the address of the items behind a number."""
        asked = self.view.address | {"currency": row.currency}
        if bucket is not None:
            asked["bucket"] = bucket.value
        return f"/console/customers/{row.customer_id}/ledger?{urlencode(asked)}#items"


def build_ageing_routes(local: LocalNode, *, render: Render, page: BuildRoute) -> list[BaseRoute]:
    """Return the routes of the list."""
    pages = _AgeingPages(local, render=render)
    return [
        page("GET", AGEING_PATH, pages.show),
        page("GET", f"{AGEING_PATH}.csv", pages.send_csv),
    ]


class _AgeingPages:
    """The handlers."""

    def __init__(self, local: LocalNode, *, render: Render) -> None:
        self._local = local
        self._render = render

    async def show(self, request: Request) -> Response:
        """Show the totals, and a page of customers."""
        return await self._render(
            request, "ageing.html", page=await run_in_threadpool(self._read, request)
        )

    async def send_csv(self, request: Request) -> Response:
        """Send every customer of the list, not its page alone."""
        content = await run_in_threadpool(self._write, request)
        return Response(
            content,
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="ageing.csv"'},
        )

    def _read(self, request: Request) -> AgeingPage:
        view, sort, totals, currency, rows, left_out = self._choose(request)
        asked = request.query_params
        cut = cut_page(
            rows,
            sort=sort,
            before=asked.get("before", ""),
            after=asked.get("after", ""),
            size=ROWS_PER_PAGE,
        )
        return AgeingPage(
            view=view,
            sort=sort,
            currency=currency,
            totals=totals,
            cut=cut,
            left_out=left_out,
        )

    def _write(self, request: Request) -> bytes:
        view, _, _, currency, rows, _ = self._choose(request)
        text = io.StringIO(newline="")
        write_ageing(text, rows, view=view, currency=currency)
        return text.getvalue().encode("utf-8-sig")  # a spreadsheet would not know UTF-8 otherwise

    def _choose(
        self, request: Request
    ) -> tuple[View, str, tuple[AgeingTotal, ...], str, list[CustomerAgeing], int]:
        """Return what is asked for, totals, the chosen rows, and how many are in none of them.

        A total less the rows beside it would tell what somebody owes who may not be seen.
        """
        view = read_view(request, today=self._local.business_date())
        sort = request.query_params.get("sort", OVERDUE)
        sort = sort if sort in SORTS else OVERDUE
        found = self._local.ageings.read(
            as_of=view.as_of, base=view.base, known_at_ms=view.known_at_ms
        )
        hidden = self._find_hidden(request, found.rows)
        seen = [row for row in found.rows if row.customer_id not in hidden]
        totals = add_up(seen) if hidden else found.totals
        currencies = [total.currency for total in totals]
        # The address says a currency; else it is that of most customers.
        currency = view.currency if view.currency in currencies else next(iter(currencies), "")
        rows = choose_rows(seen, currency=currency, bucket=view.bucket, sort=sort)
        return view, sort, totals, currency, rows, len(hidden)

    def _find_hidden(self, request: Request, rows: Iterable[CustomerAgeing]) -> frozenset[int]:
        """Return the natural persons among some customers, if they are not to be seen."""
        ids = frozenset(row.customer_id for row in rows)
        persons = ids & self._local.portfolio.list_persons()
        viewer: Principal = request.state.viewer
        access = Access(area=Area.PERSONS, target=request.url.path)
        if persons and may_access(viewer, access):
            check_access(self._local.people, viewer, access)  # it is recorded that they are seen
            return frozenset()
        return persons


def write_ageing(
    file: TextIO, rows: Iterable[CustomerAgeing], *, view: View, currency: str
) -> None:
    """Write a list as CSV, amounts as plain decimals.

    A text that a spreadsheet would run as a formula is kept from that by an apostrophe.
    """
    lines = csv.writer(file)
    lines.writerow(
        ["customer", "name", "subject", "currency", "as_of", "base"]
        + [bucket.value for bucket in Bucket]
        + ["overdue", "unapplied", "balance", "disputed"]
    )
    exponent = minor_exponent(currency)
    for row in rows:
        amounts = (*row.buckets, row.overdue_minor, row.unapplied_minor, row.balance_minor)
        lines.writerow(
            [row.customer_id, tame_cell(row.name), tame_cell(row.subject_id), row.currency]
            + [view.as_of.isoformat(), view.base.value]
            + [_write_plain(minor, exponent) for minor in (*amounts, row.disputed_minor)]
        )


def _write_plain(amount_minor: int, exponent: int) -> str:
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).zfill(exponent + 1)
    whole, decimals = digits[: len(digits) - exponent], digits[len(digits) - exponent :]
    return f"{sign}{whole}.{decimals}" if exponent else f"{sign}{whole}"
