"""Operator's API of who the customers are, for the ERP and the CRM."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from node.core.http.models import ApiModel
from node.records.api import ITEMS_MAX, CustomerId, Entry, Key, KeyView, PathKey, Reason
from node.records.customers import (
    ContactRole,
    CustomerCard,
    CustomerKind,
    CustomerService,
    FactKind,
    NameKind,
    Unmerged,
)
from node.records.rules_duplicates import Suspicion
from node.records.tables import NAME_CHARS_MAX, SCHEME_CHARS_MAX, VALUE_CHARS_MAX

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


class IdentifierBody(Entry):
    """A further identifier."""

    scheme: Annotated[str, Field(min_length=1, max_length=SCHEME_CHARS_MAX)]
    value: Annotated[str, Field(min_length=1, max_length=VALUE_CHARS_MAX)]


class NameBody(Entry):
    """A further name."""

    kind: NameKind
    name: Name


class ContactBody(Entry):
    """A person to reach."""

    role: ContactRole
    name: Name
    phone: Annotated[str, Field(max_length=VALUE_CHARS_MAX)] = ""
    email: Annotated[str, Field(max_length=NAME_CHARS_MAX)] = ""


class ParentBody(Entry):
    """To whom it belongs."""

    parent: Key


class KindBody(Entry):
    """What it is, and why that is said."""

    kind: CustomerKind
    reason: Reason


class MergeBody(Entry):
    """Which one it is, and why that is said."""

    into: Key
    reason: Reason


class UnmergeBody(Entry):
    """Why it is not the other one, and which items entered since are its own."""

    reason: Reason
    also: Annotated[tuple[Key, ...], Field(max_length=ITEMS_MAX)] = ()


class MovedView(ApiModel):
    """How many items were moved."""

    items: int


def build_customers_router(
    customers: CustomerService, *, sees_persons: Callable[[Request], bool]
) -> APIRouter:
    """Return the routes; ``sees_persons`` tells, and records, whether persons may be shown."""
    router = APIRouter(tags=["customers"])
    _add_reading(router, customers, sees_persons=sees_persons)
    _add_entering(router, customers)
    _add_judging(router, customers)
    return router


def _add_reading(
    router: APIRouter, customers: CustomerService, *, sees_persons: Callable[[Request], bool]
) -> None:
    @router.get("/customers/duplicates")
    async def find_duplicates() -> list[Suspicion]:
        """Return which customers may be one company, the most alike first."""
        return await asyncio.to_thread(customers.find_duplicates)

    @router.get("/customers/{customer_id}")
    async def read_card(request: Request, customer_id: CustomerId) -> CustomerCard:
        """Return all that is known of a customer beside its ledger.

        Persons to reach are left out for a role that may not see them.
        """
        card = await asyncio.to_thread(customers.get_card, customer_id)
        if card.contacts and not await asyncio.to_thread(sees_persons, request):
            return replace(card, contacts=())
        return card


def _add_entering(router: APIRouter, customers: CustomerService) -> None:
    @router.post("/customers/{customer_id}/identifiers", status_code=201)
    async def add_identifier(customer_id: CustomerId, body: IdentifierBody) -> KeyView:
        """Enter a further identifier."""
        key = await asyncio.to_thread(
            customers.add_identifier, customer_id, scheme=body.scheme, value=body.value, by=body.by
        )
        return KeyView(id=key)

    @router.post("/customers/{customer_id}/names", status_code=201)
    async def add_name(customer_id: CustomerId, body: NameBody) -> KeyView:
        """Enter a further name."""
        key = await asyncio.to_thread(
            customers.add_name, customer_id, kind=body.kind, name=body.name, by=body.by
        )
        return KeyView(id=key)

    @router.post("/customers/{customer_id}/contacts", status_code=201)
    async def add_contact(customer_id: CustomerId, body: ContactBody) -> KeyView:
        """Enter a person to reach."""
        key = await asyncio.to_thread(
            customers.add_contact,
            customer_id,
            role=body.role,
            name=body.name,
            phone=body.phone,
            email=body.email,
            by=body.by,
        )
        return KeyView(id=key)

    @router.post("/customers/{customer_id}/parent", status_code=201)
    async def set_parent(customer_id: CustomerId, body: ParentBody) -> KeyView:
        """Enter to whom a customer belongs."""
        key = await asyncio.to_thread(
            customers.set_parent, customer_id, parent_id=body.parent, by=body.by
        )
        return KeyView(id=key)

    @router.post("/customer-facts/{kind}/{fact_id}/end", status_code=204)
    async def end_fact(kind: FactKind, fact_id: PathKey, body: Entry) -> None:
        """Enter that an identifier, name, parent or contact stands no longer."""
        await asyncio.to_thread(customers.end, kind, fact_id, by=body.by)


def _add_judging(router: APIRouter, customers: CustomerService) -> None:
    @router.post("/customers/{customer_id}/kind", status_code=204)
    async def set_kind(customer_id: CustomerId, body: KindBody) -> None:
        """Enter that a customer is a natural person, or a company after all."""
        await asyncio.to_thread(
            customers.set_kind, customer_id, kind=body.kind, reason=body.reason, by=body.by
        )

    @router.post("/customers/{customer_id}/merge")
    async def merge(customer_id: CustomerId, body: MergeBody) -> MovedView:
        """Enter that a customer is another one; its items move there as next versions."""
        moved = await asyncio.to_thread(
            customers.merge, customer_id, into_id=body.into, reason=body.reason, by=body.by
        )
        return MovedView(items=moved)

    @router.post("/customers/{customer_id}/unmerge")
    async def unmerge(customer_id: CustomerId, body: UnmergeBody) -> Unmerged:
        """Take the merge of a customer back: what it has moved goes back as next versions."""
        return await asyncio.to_thread(
            customers.unmerge, customer_id, reason=body.reason, by=body.by, also=body.also
        )
