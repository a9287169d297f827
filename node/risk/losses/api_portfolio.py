"""API of the portfolio: concentration, industries, stress, the register of risks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request

from node.assessment.policy_file import Language
from node.core.http.access import FindHidden
from node.core.http.models import ApiModel
from node.core.money import AMOUNT_MINOR_MAX
from node.core.people.areas import OutOfReachError
from node.records.api import Currency, Day, Entry, Key, PathKey, Reason
from node.records.tables import NAME_CHARS_MAX
from node.risk.losses.view_portfolio import (
    build_concentration_object,
    build_register_run_object,
    build_risk_object,
    build_risk_version_object,
    build_stress_object,
    sort_withheld,
)
from node.risk.portfolio.policy import PPM
from node.risk.portfolio.rules_concentration import Dimension
from node.risk.portfolio.service import ConcentrationReport, PortfolioService
from node.risk.register.rules_register import EntryState, RiskType
from node.risk.register.service import (
    ALL_TYPES,
    STANDING,
    NewRisk,
    RegisterSelection,
    RegisterService,
    RiskChange,
)
from node.risk.stress.rules_stress import NAMED_MAX, NOTCHES_MAX, Scenario
from node.risk.stress.service import StressService

Ppm = Annotated[int, Field(strict=True, ge=0, le=PPM)]
Amount = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX)]
Named = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Code = Annotated[str, Field(min_length=1, max_length=16)]
Keys = Annotated[tuple[Key, ...], Field(max_length=NAMED_MAX)]
Codes = Annotated[tuple[Code, ...], Field(max_length=250)]


class IndustryBody(Entry):
    """Of which industry a customer is: a section A to U with up to four digits."""

    code: Annotated[str, Field(pattern=r"^[A-U][0-9]{0,4}$")]


class ScenarioBody(ApiModel):
    """Whose grades fall by how many notches (of each list that is not empty), and who fails."""

    as_of: Day | None = None
    notches: Annotated[int, Field(strict=True, ge=0, le=NOTCHES_MAX)] = 0
    customers: Keys = ()
    industries: Codes = ()
    countries: Codes = ()
    grades: Codes = ()
    defaults: Keys = ()

    def build(self) -> Scenario:
        """Return the scenario."""
        return Scenario(
            notches=self.notches,
            customers=frozenset(self.customers),
            industries=frozenset(self.industries),
            countries=frozenset(self.countries),
            grades=frozenset(self.grades),
            defaults=frozenset(self.defaults),
        )


class RiskBody(Entry):
    """A risk: how likely within twelve months, what is exposed, what of it is lost then."""

    type: RiskType
    title: Named
    owner: Named
    controls: Annotated[str, Field(max_length=NAME_CHARS_MAX)] = ""
    review_on: Day
    currency: Currency
    exposure_minor: Amount
    likelihood_ppm: Ppm
    lgd_ppm: Ppm
    customer: Key | None = None


class RiskChangeBody(Entry):
    """What is otherwise from now on, and why; without a member the entry was looked at."""

    reason: Reason
    title: Named | None = None
    owner: Named | None = None
    controls: Annotated[str, Field(max_length=NAME_CHARS_MAX)] | None = None
    review_on: Day | None = None
    state: EntryState | None = None
    exposure_minor: Amount | None = None
    likelihood_ppm: Ppm | None = None
    lgd_ppm: Ppm | None = None


class RefreshBody(Entry):
    """Who refreshes what the portfolio shows."""


def add_portfolio(
    router: APIRouter, portfolio: PortfolioService, *, find_hidden: FindHidden
) -> None:
    """Add the routes of concentration and industries."""

    @router.get("/concentration")
    async def report(
        request: Request, *, as_of: Day | None = None, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return how concentrated the portfolio is, and which limits are not kept."""

        def read() -> dict[str, Any]:
            found = portfolio.report(as_of=as_of)
            hidden = find_hidden(request, {*found.portfolio.customers, *_list_named(found)})
            return build_concentration_object(found, language=language, hidden=hidden)

        return await asyncio.to_thread(read)

    @router.get("/customers/{customer_id}/industry")
    async def find_industry(customer_id: PathKey) -> dict[str, str | None]:
        """Return of which industry a customer is."""
        return {"code": await asyncio.to_thread(portfolio.find_industry, customer_id)}

    @router.post("/customers/{customer_id}/industry")
    async def set_industry(customer_id: PathKey, body: IndustryBody) -> dict[str, str | None]:
        """Enter of which industry a customer is, in the place of the one before."""
        await asyncio.to_thread(lambda: portfolio.set_industry(customer_id, body.code, by=body.by))
        return {"code": body.code}


def add_stress(router: APIRouter, stress: StressService, *, find_hidden: FindHidden) -> None:
    """Add the route of stress."""

    @router.post("/stress-tests")
    async def run(request: Request, body: ScenarioBody) -> dict[str, Any]:
        """Return what would be under a scenario, beside what is; nothing is kept."""

        def read() -> dict[str, Any]:
            found = stress.run(body.build(), as_of=body.as_of)
            named = found.scenario.customers | found.scenario.defaults
            if find_hidden(request, named):  # The difference of two sums would tell of them.
                raise OutOfReachError("a natural person is named who may not be seen")
            hidden = find_hidden(request, found.portfolio.customers)
            return build_stress_object(found, hidden=hidden)

        return await asyncio.to_thread(read)


def add_register(router: APIRouter, register: RegisterService, *, find_hidden: FindHidden) -> None:
    """Add the routes of the register."""
    _add_entries(router, register, find_hidden=find_hidden)
    _add_register_steps(router, register, find_hidden=find_hidden)


def _add_entries(router: APIRouter, register: RegisterService, *, find_hidden: FindHidden) -> None:
    @router.get("/risk-register")
    async def list_entries(
        request: Request,
        *,
        state: Annotated[list[EntryState] | None, Query(max_length=len(EntryState))] = None,
        type: Annotated[list[RiskType] | None, Query(max_length=len(RiskType))] = None,  # noqa: A002
        due: bool = False,
        language: Language = Language.EN,
    ) -> list[dict[str, Any]]:
        """List risks, most money at risk first, but of natural persons who may not be seen."""
        selection = RegisterSelection(
            states=STANDING if state is None else frozenset(state),
            types=ALL_TYPES if type is None else frozenset(type),
            is_due=due,
        )

        def read() -> list[dict[str, Any]]:
            found = register.list_entries(selection)
            keys = [one.entry.customer_id for one in found if one.entry.customer_id is not None]
            unseen = find_hidden(request, {*keys, *register.list_person_ids()})
            shown = [one for one in found if one.entry.customer_id not in unseen]
            if unseen:
                shown = sort_withheld(shown)
            return [
                build_risk_object(
                    one.entry, language=language, ranked=one, is_withheld=bool(unseen)
                )
                for one in shown
            ]

        return await asyncio.to_thread(read)

    @router.get("/risk-register/{risk_entry_id}")
    async def get_entry(
        request: Request, risk_entry_id: PathKey, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return a risk with all that it has said."""

        def read() -> dict[str, Any]:
            entry, versions = register.get(risk_entry_id)
            is_withheld = bool(find_hidden(request, register.list_person_ids()))
            shown = build_risk_object(entry, language=language, is_withheld=is_withheld)
            history = [
                build_risk_version_object(
                    entry.cause, one, language=language, is_withheld=is_withheld
                )
                for one in versions
            ]
            return shown | {"versions": history}

        return await asyncio.to_thread(read)


def _add_register_steps(
    router: APIRouter, register: RegisterService, *, find_hidden: FindHidden
) -> None:
    @router.post("/risk-register", status_code=201)
    async def enter(body: RiskBody) -> dict[str, int]:
        """Enter a risk."""
        new = NewRisk(
            risk_type=body.type,
            title=body.title,
            owner=body.owner,
            controls=body.controls,
            review_on=body.review_on,
            currency=body.currency,
            exposure_minor=body.exposure_minor,
            likelihood_ppm=body.likelihood_ppm,
            lgd_ppm=body.lgd_ppm,
            customer_id=body.customer,
        )
        return {"id": await asyncio.to_thread(lambda: register.enter(new, by=body.by))}

    @router.post("/risk-register/{risk_entry_id}/changes")
    async def change(
        request: Request,
        risk_entry_id: PathKey,
        body: RiskChangeBody,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """Change a risk; without a member it was looked at."""
        wish = RiskChange(**body.model_dump(exclude={"reason", "by"}))

        def enter() -> dict[str, Any]:
            entry = register.change(risk_entry_id, wish, reason=body.reason, by=body.by)
            is_withheld = bool(find_hidden(request, register.list_person_ids()))
            return build_risk_object(entry, language=language, is_withheld=is_withheld)

        return await asyncio.to_thread(enter)

    @router.post("/risk-register-runs", status_code=201)
    async def refresh(body: RefreshBody) -> dict[str, Any]:
        """Refresh what the portfolio shows: limits not kept, expected losses by grade."""
        run = await asyncio.to_thread(lambda: register.refresh(by=body.by))
        return build_register_run_object(run)


def _list_named(report: ConcentrationReport) -> set[int]:
    numbered = {Dimension.CUSTOMER, Dimension.GROUP}
    keys = {
        int(part.key)
        for one in report.dimensions
        if one.dimension in numbered
        for part in one.parts
        if part.key is not None
    }
    return keys | {one.customer_id for one in report.portfolio.not_converted}
