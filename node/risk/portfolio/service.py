"""Use cases of the portfolio: how concentrated it is, and of which industry a customer is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.errors import RejectedError
from node.records.errors import check_report_day
from node.records.ledger.posting import check_by, get_customer
from node.records.store import RecordsStore
from node.risk.portfolio.reading import Portfolio, PortfolioReader
from node.risk.portfolio.rules_concentration import (
    Breach,
    Concentration,
    Dimension,
    concentrate,
    find_index_breach,
    find_share_breaches,
)
from node.risk.portfolio.store import PortfolioStore

INDUSTRY_FORM = re.compile(r"[A-U][0-9]{0,4}")


class PortfolioInvalidError(RejectedError):
    """The day is to come, or the industry no code."""

    code = "portfolio-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrationReport:
    """A portfolio by every dimension, and the limits that are not kept.

    ``has_limits`` is false where the whole is below the policy's minimum: then none is looked at.
    """

    portfolio: Portfolio
    dimensions: tuple[Concentration, ...]
    breaches: tuple[Breach, ...]
    has_limits: bool


class PortfolioService:
    """One public method is one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        reader: PortfolioReader,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._reader = reader
        self._business_date = business_date

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def report(self, *, as_of: date | None = None) -> ConcentrationReport:
        """Return how concentrated the portfolio is on a day.

        Raises:
            PortfolioInvalidError: The day is to come.
            ReportInvalidError: Records are not of such a day.
            PortfolioTooLargeError: There are too many customers.
            RecordsGoneError: Records or papers of then have expired.
            PolicyNoneActiveError: No policy of the portfolio, or no scale, is active.
        """
        day = as_of or self.today()
        check_report_day(day)
        if day > self.today():
            raise PortfolioInvalidError("nothing is owed on a day to come yet")
        with self._database.read() as uow:
            portfolio = self._reader.read(uow, as_of=day)
        return build_report(portfolio)

    def list_grades(self) -> tuple[str, ...]:
        """Return the grades of the scale that holds, the best first, without that of a default.

        Raises:
            PolicyNoneActiveError: No scale is active.
        """
        with self._database.read() as uow:
            scale = self._reader.scales.read_active(uow)
        return tuple(one.grade for one in scale.body.grades)

    def set_industry(self, customer_id: int, code: str, *, by: str) -> None:
        """Enter of which industry a customer is, in the place of the one before.

        Raises:
            CustomerNotFoundError: There is none with this key.
            PortfolioInvalidError: It is no section A to U with up to four digits behind it.
            ItemInvalidError: Who cannot be kept.
        """
        check_by(by)
        if not INDUSTRY_FORM.fullmatch(code):
            raise PortfolioInvalidError("an industry is a section A to U and up to four digits")
        with self._database.write() as uow:
            customer = get_customer(uow, customer_id)
            PortfolioStore(uow.connection).set_industry(
                customer.customer_id, code, by=by, at_ms=self._clock.now_ms()
            )

    def find_industry(self, customer_id: int) -> str | None:
        """Return of which industry a customer is; None where nobody has said.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            ids = RecordsStore(uow.connection).list_ids(key)
            found = PortfolioStore(uow.connection).read_industries(dict.fromkeys(ids, key))
        return found.get(key)


def build_report(portfolio: Portfolio) -> ConcentrationReport:
    """Divide a portfolio by every dimension and hold it against its policy."""
    body = portfolio.policy.body
    found = {one: concentrate(portfolio.holdings, one, top=body.top) for one in Dimension}
    total = found[Dimension.CUSTOMER].total_minor
    has_limits = total > 0 and total >= body.minimum_minor
    breaches: list[Breach] = []
    if has_limits:
        for limit in body.limits:
            breaches += find_share_breaches(
                found[limit.dimension],
                limit_permille=limit.share_permille,
                only=limit.only,
                exempt=limit.exempt,
            )
        for index in body.hhi_limits:
            breach = find_index_breach(found[index.dimension], limit=index.hhi)
            breaches += [] if breach is None else [breach]
    return ConcentrationReport(
        portfolio=portfolio,
        dimensions=tuple(found.values()),
        breaches=tuple(breaches),
        has_limits=has_limits,
    )
