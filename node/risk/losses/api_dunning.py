"""API of dunning: runs, letters, what a person does with them, holds.

Who may see the ledger sees what is asked of whom; of natural persons who may not be seen nothing is
listed. A letter is released under the name of whose token it is.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from node.assessment.policy_file import Language
from node.core.database import ID_MAX
from node.core.http.access import FindHidden
from node.records.api import Day, Entry, Key, PathKey, QueryKey, Reason
from node.risk.dunning.charging import ChargeService
from node.risk.dunning.letters import LetterForm
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.service import (
    LETTERS_PAGE_MAX,
    OPEN_STATES,
    RUNS_MAX,
    DunningService,
    LetterSelection,
)
from node.risk.losses.view_charges import build_letter_charges_object
from node.risk.losses.view_dunning import (
    build_dunning_run_object,
    build_hold_object,
    build_letter_event_object,
    build_letter_object,
    write_letter,
)

# What a letter's page may load is its own styles, wherever it is opened.
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class DunningRunBody(Entry):
    """As of which day; without one, the business date."""

    as_of: Day | None = None


class ReleaseBody(Entry):
    """Who releases it."""


class DunningReasonBody(Entry):
    """Why, or what the customer has answered."""

    reason: Reason


class HoldBody(Entry):
    """Who is not reminded, up to which day, and why."""

    customer: Key
    until_on: Day
    reason: Reason


def add_dunning(
    router: APIRouter,
    dunning: DunningService,
    charges: ChargeService,
    *,
    find_hidden: FindHidden,
    sender: str,
) -> None:
    """Add the routes; ``sender`` signs letters."""
    _add_runs(router, dunning)
    _add_letters(router, dunning, charges, find_hidden=find_hidden, sender=sender)
    _add_steps(router, dunning)
    _add_holds(router, dunning, find_hidden=find_hidden)


def _add_runs(router: APIRouter, dunning: DunningService) -> None:
    @router.post("/dunning-runs", status_code=201)
    async def run(body: DunningRunBody) -> dict[str, Any]:
        """Propose what letters are due; a run that was interrupted is gone on with."""
        found = await asyncio.to_thread(lambda: dunning.run(by=body.by, as_of=body.as_of))
        return build_dunning_run_object(found)

    @router.get("/dunning-runs")
    async def list_runs(
        limit: Annotated[int, Query(ge=1, le=RUNS_MAX)] = 50,
    ) -> list[dict[str, Any]]:
        """List the newest runs."""
        found = await asyncio.to_thread(lambda: dunning.list_runs(limit=limit))
        return [build_dunning_run_object(one) for one in found]


def _add_letters(
    router: APIRouter,
    dunning: DunningService,
    charges: ChargeService,
    *,
    find_hidden: FindHidden,
    sender: str,
) -> None:
    @router.get("/dunning-letters")
    async def list_letters(
        request: Request,
        *,
        state: Annotated[list[LetterState] | None, Query(max_length=len(LetterState))] = None,
        customer: QueryKey = None,
        limit: Annotated[int, Query(ge=1, le=LETTERS_PAGE_MAX)] = 100,
        after: Annotated[int, Query(ge=0, le=ID_MAX)] = 0,
        language: Language = Language.EN,
    ) -> dict[str, Any]:
        """List letters in the order of their keys; ``next`` is behind which the next page is."""
        selection = LetterSelection(
            states=OPEN_STATES if state is None else frozenset(state),
            customer_id=customer,
            limit=limit,
            after=after,
        )

        def read() -> dict[str, Any]:
            found = dunning.list_letters(selection)
            hidden = find_hidden(request, [one.content.customer_id for one in found])
            return {
                "letters": [
                    build_letter_object(one, language=language)
                    for one in found
                    if one.content.customer_id not in hidden
                ],
                "next": found[-1].letter_id if len(found) == limit else None,
            }

        return await asyncio.to_thread(read)

    @router.get("/dunning-letters/{letter_id}")
    async def get_letter(letter_id: PathKey, language: Language = Language.EN) -> dict[str, Any]:
        """Return a letter with what happened to it, what it charged, and whether it is over."""
        view = await asyncio.to_thread(dunning.get_letter, letter_id)
        charged = await asyncio.to_thread(charges.read_letter, letter_id)
        return (
            build_letter_object(view.letter, language=language)
            | {"events": [build_letter_event_object(one) for one in view.events]}
            | build_letter_charges_object(charged, language=language)
        )

    @router.get("/dunning-letters/{letter_id}/letter", response_class=PlainTextResponse)
    async def print_letter(
        letter_id: PathKey,
        *,
        language: Language = Language.ZH,
        form: LetterForm = LetterForm.TEXT,
    ) -> Response:
        """Return the letter as text or as a page to print; nothing is sent by this node."""
        view = await asyncio.to_thread(dunning.get_letter, letter_id)
        text = write_letter(view, sender=sender, language=language, form=form)
        if form is LetterForm.PAGE:
            return HTMLResponse(text, headers=PAGE_HEADERS)
        return PlainTextResponse(text)


def _add_steps(router: APIRouter, dunning: DunningService) -> None:
    @router.post("/dunning-letters/{letter_id}/release")
    async def release(
        letter_id: PathKey, body: ReleaseBody, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Release a letter: from today on it is sent, and its levels count, it has charged."""
        letter = await asyncio.to_thread(lambda: dunning.release(letter_id, by=body.by))
        return build_letter_object(letter, language=language)

    @router.post("/dunning-letters/{letter_id}/answer")
    async def answer(
        letter_id: PathKey, body: DunningReasonBody, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Enter what a customer has answered."""
        letter = await asyncio.to_thread(
            lambda: dunning.answer(letter_id, text=body.reason, by=body.by)
        )
        return build_letter_object(letter, language=language)

    @router.post("/dunning-letters/{letter_id}/withdrawal")
    async def withdraw(
        letter_id: PathKey, body: DunningReasonBody, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Withdraw a letter: its levels count no longer, and its charges are taken back."""
        letter = await asyncio.to_thread(
            lambda: dunning.withdraw(letter_id, reason=body.reason, by=body.by)
        )
        return build_letter_object(letter, language=language)


def _add_holds(router: APIRouter, dunning: DunningService, *, find_hidden: FindHidden) -> None:
    @router.get("/dunning-holds")
    async def list_holds(request: Request) -> list[dict[str, Any]]:
        """List whom nobody reminds today, but natural persons who may not be seen."""

        def read() -> list[dict[str, Any]]:
            found = dunning.list_holds()
            hidden = find_hidden(request, [one.customer_id for one in found])
            return [build_hold_object(one) for one in found if one.customer_id not in hidden]

        return await asyncio.to_thread(read)

    @router.post("/dunning-holds", status_code=201)
    async def hold(body: HoldBody) -> dict[str, int]:
        """Remind a customer of nothing up to a day."""
        hold_id = await asyncio.to_thread(
            lambda: dunning.hold(
                body.customer, until_on=body.until_on, reason=body.reason, by=body.by
            )
        )
        return {"id": hold_id}

    @router.post("/dunning-holds/{dunning_hold_id}/end")
    async def end_hold(dunning_hold_id: PathKey, body: DunningReasonBody) -> dict[str, int]:
        """End a hold from today on."""
        await asyncio.to_thread(
            lambda: dunning.end_hold(dunning_hold_id, reason=body.reason, by=body.by)
        )
        return {"id": dunning_hold_id}
