"""API of credit applications: read with the checklist, enter, amend, lead on, add documents."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import Field

from node.assessment.application.rules_application import (
    PURPOSE_CHARS_MAX,
    REFERENCES_MAX,
    TERMS_DAYS_MAX,
    TEXT_CHARS_MAX,
    Application,
    ApplicationState,
    Document,
    Reference,
    ReferenceKind,
)
from node.assessment.application.service import ApplicationService
from node.assessment.application.tables import KEY_CHARS_MAX
from node.assessment.application.view import build_applications_object
from node.assessment.policy_file import Language
from node.core.http.models import ApiModel
from node.records.api import Currency, CustomerId, Day, Entry, Minor, PathKey, Reason, Sha256Hex

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=KEY_CHARS_MAX)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]


class ReferenceBody(ApiModel):
    """A bank or supplier that may be asked, and how."""

    kind: ReferenceKind
    name: Text
    contact: Annotated[str, Field(max_length=TEXT_CHARS_MAX)] = ""


class ApplicationBody(Entry):
    """What a customer asks for."""

    requested_minor: Minor
    currency: Currency
    terms_days: Annotated[int, Field(strict=True, ge=0, le=TERMS_DAYS_MAX)]
    purpose: Annotated[str, Field(min_length=1, max_length=PURPOSE_CHARS_MAX)]
    applicant: Text
    applied_on: Day
    references: Annotated[list[ReferenceBody], Field(max_length=REFERENCES_MAX)] = Field(
        default_factory=list
    )

    def build(self) -> Application:
        """Return the application."""
        return Application(
            requested_minor=self.requested_minor,
            currency=self.currency,
            terms_days=self.terms_days,
            purpose=self.purpose,
            applicant=self.applicant,
            applied_on=self.applied_on,
            references=tuple(
                Reference(kind=one.kind, name=one.name, contact=one.contact)
                for one in self.references
            ),
        )


class ApplicationStateBody(Entry):
    """Into which state an application comes; a withdrawal and a closure say why."""

    state: ApplicationState
    reason: Reason | None = None


class DocumentPaperBody(Entry):
    """A document of the checklist, of which day it is and when it came."""

    kind: Annotated[str, Field(min_length=1, max_length=32)]
    dated_on: Day
    received_on: Day
    document_sha256_hex: Sha256Hex | None = None

    def build(self) -> Document:
        """Return the document."""
        return Document(kind=self.kind, dated_on=self.dated_on, received_on=self.received_on)


class PaperWithdrawalBody(Entry):
    """Why a document counts no longer."""

    reason: Reason


class ApplicationView(ApiModel):
    """The key of an application, and the version of what it asks for."""

    application: int
    version: int


class PaperView(ApiModel):
    """The key of a document."""

    document: int


def build_applications_router(applications: ApplicationService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["credit applications"])
    _add_applications(router, applications)
    _add_documents(router, applications)
    return router


def _add_applications(router: APIRouter, applications: ApplicationService) -> None:
    @router.get("/customers/{customer_id}/applications")
    async def list_applications(
        customer_id: CustomerId, as_of: Day | None = None, language: Language = Language.EN
    ) -> dict[str, Any]:
        """Return a customer's applications, and which documents are missing or outdated."""
        checked = await asyncio.to_thread(lambda: applications.report(customer_id, as_of=as_of))
        return build_applications_object(
            checked, checklist=applications.checklist.label, language=language
        )

    @router.post("/customers/{customer_id}/applications", status_code=201)
    async def enter_application(
        customer_id: CustomerId, body: ApplicationBody, idempotency_key: IdempotencyKey = None
    ) -> ApplicationView:
        """Enter an application as a draft; a customer has one draft at a time.

        The same Idempotency-Key with the same body is the same application; with another, 409.
        """
        entered = await asyncio.to_thread(
            lambda: applications.enter(customer_id, body.build(), by=body.by, key=idempotency_key)
        )
        return ApplicationView(application=entered, version=1)

    @router.post("/customers/{customer_id}/applications/{application_id}/version", status_code=201)
    async def amend_application(
        customer_id: CustomerId, application_id: PathKey, body: ApplicationBody
    ) -> ApplicationView:
        """Enter what is asked for now."""
        version = await asyncio.to_thread(
            lambda: applications.amend(customer_id, application_id, body.build(), by=body.by)
        )
        return ApplicationView(application=application_id, version=version)

    @router.post("/customers/{customer_id}/applications/{application_id}/state", status_code=201)
    async def move_application(
        customer_id: CustomerId, application_id: PathKey, body: ApplicationStateBody
    ) -> ApplicationStateBody:
        """Submit, complete, withdraw or close an application."""
        await asyncio.to_thread(
            lambda: applications.move(
                customer_id, application_id, body.state, by=body.by, reason=body.reason
            )
        )
        return body


def _add_documents(router: APIRouter, applications: ApplicationService) -> None:
    @router.post(
        "/customers/{customer_id}/applications/{application_id}/documents", status_code=201
    )
    async def enter_document(
        customer_id: CustomerId, application_id: PathKey, body: DocumentPaperBody
    ) -> PaperView:
        """Enter a document that came with an application."""
        key = await asyncio.to_thread(
            lambda: applications.enter_document(
                customer_id,
                application_id,
                body.build(),
                by=body.by,
                document_sha256_hex=body.document_sha256_hex,
            )
        )
        return PaperView(document=key)

    @router.post(
        "/customers/{customer_id}/application-papers/{document_id}/withdrawal", status_code=201
    )
    async def withdraw_document(
        customer_id: CustomerId, document_id: PathKey, body: PaperWithdrawalBody
    ) -> PaperView:
        """Enter that a document counts no longer."""
        await asyncio.to_thread(
            lambda: applications.withdraw_document(
                customer_id, document_id, reason=body.reason, by=body.by
            )
        )
        return PaperView(document=document_id)
