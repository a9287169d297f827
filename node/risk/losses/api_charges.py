"""API of charges of dunning letters: what is open, what was paid or waived, where reminders stand.

Whoever may see the ledger sees them, of natural persons whoever may see those. That money came for
a charge is entered as the ledger is; to give one up is an adjustment, as a write-off is.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.core.http.access import FindHidden
from node.core.money import AMOUNT_MINOR_MAX
from node.records.api import Day, Entry, Key, PathKey, QueryKey, Reason
from node.risk.dunning.charging import (
    CHARGES_PAGE_MAX,
    REMINDERS_PAGE_MAX,
    ChargePayment,
    ChargeSelection,
    ChargeService,
)
from node.risk.losses.view_charges import (
    build_charge_object,
    build_charge_view_object,
    build_reminder_object,
    find_next_place,
    parse_place,
)

PLACE_CHARACTERS_MAX = 24
SettledMinor = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MINOR_MAX)]


class ChargePaymentBody(Entry):
    """By which item of the ledger; without an amount all that is open, without a day today."""

    item: Key
    amount_minor: SettledMinor | None = None
    on: Day | None = None


class WaiverBody(Entry):
    """Why it is given up; without an amount all that is open."""

    reason: Reason
    amount_minor: SettledMinor | None = None


def add_charges(router: APIRouter, charges: ChargeService, *, find_hidden: FindHidden) -> None:
    """Add the routes."""
    _add_looks(router, charges, find_hidden=find_hidden)
    _add_endings(router, charges)


def _add_looks(router: APIRouter, charges: ChargeService, *, find_hidden: FindHidden) -> None:
    @router.get("/dunning-charges")
    async def list_charges(
        request: Request,
        *,
        customer: QueryKey = None,
        as_of: Day | None = None,
        limit: Annotated[int, Query(ge=1, le=CHARGES_PAGE_MAX)] = 100,
        after: Annotated[str | None, Query(max_length=PLACE_CHARACTERS_MAX)] = None,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """List charges, the open ones first; ``next`` is behind which the next page is."""
        selection = ChargeSelection(
            customer_id=customer,
            as_of=as_of,
            after=None if after is None else parse_place(after),
            limit=limit,
        )

        def read() -> dict[str, Any]:
            found = charges.list_charges(selection)
            hidden = find_hidden(request, [one.customer_id for one in found])
            return {
                "charges": [
                    build_charge_object(one, language=language)
                    for one in found
                    if one.customer_id not in hidden
                ],
                "next": find_next_place(found, limit=limit),
            }

        return await asyncio.to_thread(read)

    @router.get("/dunning-charges/{dunning_charge_id}")
    async def get_charge(
        dunning_charge_id: PathKey, *, as_of: Day | None = None, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return a charge with how it ended, as of a day."""
        view = await asyncio.to_thread(lambda: charges.get_charge(dunning_charge_id, as_of=as_of))
        return build_charge_view_object(view, language=language)

    @router.get("/customers/{customer_id}/dunning-reminders")
    async def list_reminders(
        customer_id: PathKey,
        *,
        as_of: Day | None = None,
        limit: Annotated[int, Query(ge=1, le=REMINDERS_PAGE_MAX)] = 100,
        after: Annotated[int, Query(ge=0, le=ID_MAX)] = 0,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """List what a customer was reminded of, and whether that is over: charges too."""
        found = await asyncio.to_thread(
            lambda: charges.list_reminders(customer_id, as_of=as_of, after=after, limit=limit)
        )
        return {
            "reminders": [build_reminder_object(one, language=language) for one in found],
            "next": found[-1].item.item_id if len(found) == limit else None,
        }


def _add_endings(router: APIRouter, charges: ChargeService) -> None:
    @router.post("/dunning-charges/{dunning_charge_id}/settlement", status_code=201)
    async def settle(
        dunning_charge_id: PathKey, body: ChargePaymentBody, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Enter that a charge, or a part of it, was paid, and by what."""
        payment = ChargePayment(item_id=body.item, amount_minor=body.amount_minor, on=body.on)
        view = await asyncio.to_thread(lambda: charges.pay(dunning_charge_id, payment, by=body.by))
        return build_charge_view_object(view, language=language)

    @router.post("/dunning-charges/{dunning_charge_id}/waiver", status_code=201)
    async def waive(
        dunning_charge_id: PathKey, body: WaiverBody, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Give up a charge, or a part of it."""
        view = await asyncio.to_thread(
            lambda: charges.waive(
                dunning_charge_id, reason=body.reason, by=body.by, amount_minor=body.amount_minor
            )
        )
        return build_charge_view_object(view, language=language)
