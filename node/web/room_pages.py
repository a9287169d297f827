"""The pages of the rooms: papers, statements, evidence, models, policies, ratings, governance."""

from __future__ import annotations

from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.web.accounts_console import build_accounts_routes
from node.web.cases_console import build_cases_routes
from node.web.concentration_console import build_concentration_routes
from node.web.decision_console import build_decision_routes
from node.web.dunning_console import build_dunning_routes
from node.web.evidence_console import build_evidence_routes
from node.web.governance_console import build_governance_routes
from node.web.grade_statistics import build_grade_statistics_routes
from node.web.handlers import BuildRoute, ParseForm, Render
from node.web.holds_console import build_holds_routes
from node.web.limits_console import build_limits_routes
from node.web.models_console import build_model_routes
from node.web.monitoring_console import build_monitoring_routes
from node.web.objection_console import build_objection_routes
from node.web.override_console import build_override_routes
from node.web.papers_console import build_papers_routes
from node.web.policies_console import build_policy_routes
from node.web.portfolio_console import build_portfolio_routes
from node.web.provisions_console import build_provisions_routes
from node.web.ratings_console import build_ratings_routes
from node.web.register_console import build_register_routes
from node.web.renewals_console import build_renewal_routes
from node.web.reviews_console import build_reviews_routes
from node.web.statement_list import build_statement_list_routes
from node.web.statement_pages import build_statement_form_routes
from node.web.statement_upload import build_statement_upload_routes
from node.web.statements_console import build_statement_routes
from node.web.step_forms import StepForms
from node.web.steward_console import build_steward_routes


def build_room_routes(
    local: LocalNode, *, render: Render, page: BuildRoute, parse_form: ParseForm
) -> list[BaseRoute]:
    """Return the routes of these pages."""
    steps = StepForms(local, parse_form=parse_form)
    return [
        *build_portfolio_routes(local, render=render, page=page),
        *build_papers_routes(local, render=render, page=page),
        *build_statement_routes(local, render=render, page=page),
        *build_statement_list_routes(local, render=render, page=page),
        *build_statement_form_routes(local, render=render, page=page, parse_form=parse_form),
        *build_statement_upload_routes(local, render=render, page=page, parse_form=parse_form),
        *build_evidence_routes(local, render=render, page=page),
        *build_renewal_routes(local, render=render, page=page),
        *build_model_routes(local, render=render, page=page, parse_form=parse_form),
        *build_policy_routes(local, render=render, page=page, parse_form=parse_form),
        *build_ratings_routes(local, render=render, page=page, parse_form=parse_form),
        *build_objection_routes(local, page=page, parse_form=parse_form),
        *build_override_routes(local, render=render, page=page, parse_form=parse_form),
        *build_grade_statistics_routes(local, render=render, page=page),
        *build_monitoring_routes(local, render=render, page=page, parse_form=parse_form),
        *build_holds_routes(local, render=render, page=page, steps=steps),
        *build_limits_routes(local, render=render, page=page, steps=steps),
        *build_dunning_routes(local, render=render, page=page, steps=steps),
        *build_provisions_routes(local, render=render, page=page, steps=steps),
        *build_register_routes(local, render=render, page=page, steps=steps),
        *build_concentration_routes(local, render=render, page=page),
        *build_cases_routes(local, render=render, page=page, steps=steps),
        *build_reviews_routes(local, render=render, page=page, steps=steps),
        *build_governance_routes(local, render=render, page=page, parse_form=parse_form),
        *build_accounts_routes(local, render=render, page=page, parse_form=parse_form),
        *build_steward_routes(local, render=render, page=page, parse_form=parse_form),
        *build_decision_routes(local, render=render, page=page, parse_form=parse_form),
    ]
