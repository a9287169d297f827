"""The pages of decisions: propose, look, submit, approve, decide otherwise; in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from node.assessment.application.rules_application import ApplicationState
from node.assessment.policy_file import Language
from node.core.people.service import Role
from node.decision.policy import BuyerKind, Monitoring, Security
from node.decision.rules_limit import ArmCode, ArmPart
from node.decision.rules_outcomes import Direction
from node.decision.rules_proposal import Outcome
from node.decision.rules_state import DecisionState, EventKind
from node.decision.wording import has_words, say
from node.records.ledger import NewCredit
from node.records.rules_ledger import AllocationMethod, ItemKind
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from tests.support.console_node import receive_summary
from tests.support.console_people import Desk, close_desk, open_desk
from tests.support.outside import make_application

PROPOSING = {"currency": "EUR", "limit": "", "need": "", "terms_days": "", "buyer": "company"}


@pytest.fixture
def desk(tmp_path: Path, closed: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home", like=closed)
    for number in range(6):
        desk.invoice(f"R{number}", (date(2026, 5, 20), 100_000))
    local = desk.node.local
    local.ledger.enter_credit(
        NewCredit(
            customer_id=desk.customer_id,
            kind=ItemKind.PAYMENT,
            document_no="P1",
            happened_on=date(2026, 5, 15),
            currency="EUR",
            amount_minor=600_000,
        ),
        by="erp",
        allocate=AllocationMethod.OLDEST_FIRST,
    )
    local.portfolio.add_rate(
        base="EUR", quote="CNY", rate="8", on=local.business_date(), source="PBoC", by="erp"
    )
    local.rating.rate_customer(desk.customer_id, as_of=local.business_date())
    yield desk
    close_desk(desk)


def propose(desk: Desk, **typed: str) -> str:
    desk.sign_in(Role.ANALYST, "Zhang")
    answer = desk.send(f"{desk.home}/decisions", PROPOSING | typed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def read(desk: Desk, path: str, language: str = "en") -> str:
    answer = desk.client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_a_decision_from_the_customers_page_to_active(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")
    before = read(desk, desk.home)
    assert "not assessed, which is not a limit of 0" in before
    assert f'action="{desk.home}/decisions"' in before
    page = propose(desk, limit="200.00", terms_days="20")
    assert f'action="{desk.home}/decisions"' not in read(desk, desk.home)
    shown = read(desk, page)
    assert "not computable: no statement" in shown
    assert "No more than was requested" in shown
    assert desk.send(f"{page}/submit", {}).status_code == 303
    refused = desk.send(f"{page}/approve", {"comment": ""})
    assert (refused.status_code, "does not approve it" in refused.text) == (409, True)

    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    queue = read(desk, "/console/decisions")
    assert f'href="{page}"' in queue
    assert desk.send(f"{page}/approve", {"comment": "seen"}).status_code == 303

    shown = read(desk, page)
    assert "seen" in shown
    assert "Li" in shown
    assert f'href="{page}"' in read(desk, desk.home)
    assert f'href="{page}"' not in read(desk, "/console/decisions")
    assert f'href="{page}"' in read(desk, "/console/decisions?show=active")


def test_an_application_is_proposed_on_and_follows_to_its_end(desk: Desk) -> None:
    applications = desk.node.local.applications
    content = make_application(
        requested_minor=20_000, currency="EUR", terms_days=20, applied_on=date(2026, 6, 1)
    )
    key = applications.enter(desk.customer_id, content, by="Zhang")
    desk.sign_in(Role.ANALYST, "Zhang")
    form = {"application": str(key), "currency": "EUR", "need": "", "buyer": "company"}
    assert 'name="application"' not in read(desk, desk.home)  # a draft yet
    assert desk.send(f"{desk.home}/decisions", form).status_code == 422
    applications.move(desk.customer_id, key, ApplicationState.SUBMITTED, by="Zhang")
    assert f'name="application" value="{key}"' in read(desk, desk.home)
    for typed in ({"limit": "5"}, {"application": "x"}, {"currency": "CNY"}):
        assert desk.send(f"{desk.home}/decisions", form | typed).status_code == 422

    page = desk.send(f"{desk.home}/decisions", form).headers["location"]

    waiting = read(desk, page)
    assert f"By credit application {key} (version 1, of 2026-06-01)" in waiting
    assert "not decided yet" in waiting
    assert "EUR\N{NO-BREAK SPACE}200.00" in waiting
    assert 'name="application"' not in read(desk, desk.home)  # one waits
    assert f'<a href="{page}">' in read(desk, f"{desk.home}/evidence")
    assert desk.send(f"{page}/submit", {}).status_code == 303
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    assert desk.send(f"{page}/approve", {"comment": ""}).status_code == 303
    assert "not decided yet" not in read(desk, page)
    assert "granted: decision 1" in read(desk, f"{desk.home}/evidence")
    assert "生效" in read(desk, f"{desk.home}/evidence", "zh")


def test_both_languages_show_every_part(desk: Desk) -> None:
    page = propose(desk)

    for language in ("zh", "en"):
        text = read(desk, page, language)
        for code in ArmCode:
            assert say("arm", code, Language(language)) in text


def test_an_override_keeps_both_and_a_return_comes_back(desk: Desk) -> None:
    page = propose(desk)
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    form = {"reason_code": "prudence", "reason": "slowly", "limit": "500.00", "terms_days": "7"}

    assert desk.send(f"{page}/override", form).status_code == 303
    assert "slowly" in read(desk, page)
    assert desk.send(f"{page}/submit", {}).status_code == 303
    desk.sign_in(Role.CFO, "Qian")
    assert desk.send(f"{page}/return", {"reason": "of its group?"}).status_code == 303
    assert "of its group?" in read(desk, page)
    assert desk.send(f"{page}/reject", {"reason": "x"}).status_code == 409
    assert desk.send(f"{page}/withdraw", {"reason": "gone"}).status_code == 303


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", "1.234"), ("terms_days", "x"), ("valid_until", "never"), ("limit", "-5")],
)
def test_what_cannot_be_read_decides_nothing(desk: Desk, field: str, value: str) -> None:
    page = propose(desk)
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    form = {"reason_code": "prudence", "reason": "slowly", field: value}

    answer = desk.send(f"{page}/override", form)

    assert answer.status_code == 422
    assert field in answer.text
    assert not desk.node.local.decision_reports.get(1).record.is_overridden


def test_a_proposal_that_cannot_be_read_is_none(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")

    for typed in ({"limit": "1.234"}, {"currency": "x"}, {"buyer": "nobody"}, {"terms_days": "-1"}):
        answer = desk.send(f"{desk.home}/decisions", PROPOSING | typed)
        assert answer.status_code == 422, typed
    assert not desk.node.local.decision_reports.list_decisions()


def test_the_operator_is_offered_no_verdict(desk: Desk) -> None:
    page = propose(desk)
    desk.sign_in(Role.OPERATOR)
    assert desk.send(f"{page}/submit", {}).status_code == 303

    text = read(desk, page)

    assert "cannot approve" in text
    assert f'action="{page}/approve"' not in text
    assert desk.send(f"{page}/approve", {}).status_code == 403


def test_what_peers_have_said_is_shown_to_who_may_see_it_alone(desk: Desk) -> None:
    local = desk.node.local
    receive_summary(desk.node, local.records.get_customer(desk.customer_id))
    local.rating.rate_customer(desk.customer_id, as_of=local.business_date())
    page = propose(desk)

    hidden = read(desk, page)
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    seen = read(desk, page)

    assert "bravo.example" in seen
    assert "What peers changed" in seen
    assert "bravo.example" not in hidden
    assert "What peers changed" not in hidden


def test_on_a_natural_person_the_page_asks_what_was_looked_at(desk: Desk) -> None:
    page = propose(desk)
    with desk.node.local.database.write() as uow:
        uow.connection.execute(customer.update().values(kind=PERSON_KIND))
    assert desk.client.get(page).status_code == 403
    assert f'href="{page}"' not in read(desk, "/console/decisions?show=open")
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    assert f'href="{page}"' in read(desk, "/console/decisions?show=open")
    desk.send(f"{page}/submit", {})
    assert 'name="human_review"' in read(desk, page)

    refused = desk.send(f"{page}/approve", {"human_review": " "})
    approved = desk.send(f"{page}/approve", {"human_review": "read the file"})

    assert (refused.status_code, approved.status_code) == (422, 303)
    assert "read the file" in read(desk, page)


def test_there_is_no_decision_of_another_number(desk: Desk) -> None:
    desk.sign_in(Role.CREDIT_MANAGER, "Li")

    for path in ("/console/decisions/9", "/console/decisions/x", f"/console/decisions/{'9' * 40}"):
        assert desk.client.get(path).status_code == 404
    assert desk.send("/console/decisions/9/submit", {}).status_code == 404


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("arm", ArmCode),
        ("part", ArmPart),
        ("outcome", Outcome),
        ("security", Security),
        ("monitoring", Monitoring),
        ("state", DecisionState),
        ("event", EventKind),
        ("buyer", BuyerKind),
        ("group", Direction),
    ],
)
def test_every_code_has_words(kind: str, codes: type[ArmCode]) -> None:
    assert all(has_words(kind, code) for code in codes)
