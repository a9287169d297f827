"""The page of a customer's outside evidence: reports, public lists, applications with documents.

It reads; its links lead to the forms.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.assessment.application.readers import CheckedApplications
from node.assessment.application.rules_application import OPEN_STATES
from node.assessment.outside.readers import choose_counting
from node.assessment.outside.store import EnteredCheck, ReportVersion
from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import Principal
from node.decision.wording import say
from node.records.store import CustomerRecord
from node.web.customer_page import parse_customer_id
from node.web.handlers import BuildRoute, Render
from node.web.languages import choose_language
from node.web.ledger_console import View, read_view


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """A version of a report, and whether it counts and is past its own end."""

    version: ReportVersion
    counts: bool
    is_expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """What the page shows."""

    customer: CustomerRecord
    view: View
    reports: tuple[ReportLine, ...]
    checks: tuple[EnteredCheck, ...]
    applications: CheckedApplications
    checklist: str
    names: dict[str, str]
    """The documents of the checklist in words."""
    open_keys: frozenset[int]
    answers: dict[int, tuple[int, str]]
    """By application the decision that answers it, with its state in words."""


def build_evidence_routes(local: LocalNode, *, render: Render, page: BuildRoute) -> list[BaseRoute]:
    """Return the page's route."""

    async def show(request: Request) -> Response:
        """Show the evidence from outside of a customer."""
        customer_id = parse_customer_id(request.path_params["customer_id"])
        view = read_view(request, today=local.business_date())
        language = choose_language(request)
        evidence = await run_in_threadpool(
            lambda: read_evidence(local, customer_id, view=view, language=language)
        )
        names = {
            one.id: one.names.render(language) for one in local.applications.checklist.documents
        }
        evidence.names.update(names)
        viewer: Principal = request.state.viewer
        access = Access(area=Area.CREDIT, target=request.url.path)
        await run_in_threadpool(check_access, local.people, viewer, access)
        return await render(request, "evidence.html", page=evidence)

    return [page("GET", "/console/customers/{customer_id}/evidence", show)]


def read_evidence(
    local: LocalNode, customer_id: int, *, view: View, language: Language = Language.EN
) -> EvidencePage:
    """Read the page of one customer, newest first.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    versions = local.outside.list_reports(customer_id)
    counting = {one.report_id for one in choose_counting(versions)}
    checked = local.applications.report(customer_id, as_of=view.as_of)
    keys = [one.application_id for one in checked.applications]
    answers = local.decision_reports.list_answers(keys)
    return EvidencePage(
        customer=local.records.get_customer(customer_id),
        view=view,
        reports=tuple(
            ReportLine(
                version=one,
                counts=one.report_id in counting,
                is_expired=one.report.expires_on is not None and one.report.expires_on < view.as_of,
            )
            for one in reversed(versions)
        ),
        checks=tuple(reversed(local.outside.list_checks(customer_id))),
        applications=checked,
        checklist=local.applications.checklist.label,
        names={},
        open_keys=frozenset(
            one.application_id for one in checked.applications if one.state in OPEN_STATES
        ),
        answers={
            key: (one.decision_id, say("state", one.state, language))
            for key, one in answers.items()
        },
    )
