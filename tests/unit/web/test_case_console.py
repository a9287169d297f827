"""Forms of cases and reviews: a case from its receipt to its end, and who takes no step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.governance.cases.rules_case import CaseState
from tests.support.console_people import Desk, close_desk, open_desk, read
from tests.support.risk_pages import find_key

CASES, CASE = "/console/cases", "/console/cases/1"
REVIEWS, REVIEW = "/console/reviews", "/console/reviews/1"
NEW = {
    "kind": "service",
    "complainant": "Wu <Ming>",
    "customer": "sim:C1",
    "channel": "phone",
    "received_on": "2026-06-29",
    "text": "too slow\r\nand unfriendly",
    "about": "",
    "target_kind": "",
    "target_ref": "",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home")
    yield desk
    close_desk(desk)


def send(desk: Desk, path: str, **typed: str) -> tuple[int, str]:
    """Send a form with the key of a list that whoever is signed in may open."""
    page = REVIEWS if path.startswith("/console/review") else CASES
    found = desk.send(path, {"key": find_key(read(desk, page))} | typed)
    return found.status_code, str(found.text)


def state(desk: Desk) -> CaseState:
    return desk.node.local.governance.cases.get(1).record.state


def test_a_case_is_taken_from_its_receipt_to_its_end(desk: Desk) -> None:
    desk.sign_in(Role.COLLECTOR, "Wu")
    assert send(desk, CASES, **NEW)[0] == 303
    page = read(desk, CASE)
    assert "Wu &lt;Ming&gt;" in page
    assert "and unfriendly" in page
    assert f'action="{CASE}/close"' not in page  # what may follow is offered, and no more
    taken: list[tuple[str, dict[str, str], CaseState]] = [
        ("mark", {}, CaseState.MARKED),
        ("ask", {"source": "the driver", "on": ""}, CaseState.ASKED),
        ("decide", {"step": "uphold", "reason": "he says so"}, CaseState.UPHELD),
        ("cause", {"cause": "delivery", "text": "two days late"}, CaseState.UPHELD),
        ("answer", {"text": "we are sorry", "channel": "letter", "on": ""}, CaseState.UPHELD),
        ("close", {}, CaseState.CLOSED),
        ("appeal", {"before": "ombudsman", "text": "not enough"}, CaseState.APPEALED),
    ]
    for step, typed, after in taken:
        assert send(desk, f"{CASE}/{step}", **typed)[0] == 303, step
        assert state(desk) is after, step
    status, page = send(desk, f"{CASE}/confirm", reason="nothing new")
    assert (status, "Another person decides" in page) == (403, True)
    assert 'value="nothing new"' in page

    desk.sign_in(Role.STEWARD, "Qian")
    assert send(desk, f"{CASE}/confirm", reason="nothing new")[0] == 303

    assert state(desk) is CaseState.CLOSED
    assert "we are sorry" in read(desk, CASE, "zh")
    assert send(desk, f"{CASE}/reopen", reason="a letter came")[0] == 303
    assert state(desk) is CaseState.RECEIVED


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"complainant": ""}, "This is needed."),
        ({"text": " "}, "This is needed."),
        ({"text": "a\x00b"}, "cannot be shown"),
        ({"received_on": "2026-07-01"}, "breaks a rule"),
        ({"customer": "sim:NOBODY"}, "There is no such customer."),
        ({"kind": "weather"}, "Choose one of them."),
        ({"target_kind": "fact"}, "This is needed."),
    ],
)
def test_a_wrong_case_is_shown_again_with_what_was_typed(
    desk: Desk, typed: dict[str, str], said: str
) -> None:
    desk.sign_in(Role.COLLECTOR, "Wu")
    form = NEW | typed

    status, page = send(desk, CASES, **form)

    assert status == 422
    assert said in page
    for name in ("customer", "received_on"):
        assert f'value="{form[name]}"' in page


def test_a_step_that_may_not_follow_and_the_operator_are_refused(desk: Desk) -> None:
    desk.sign_in(Role.COLLECTOR, "Wu")
    assert send(desk, CASES, **NEW)[0] == 303
    assert send(desk, f"{CASE}/close")[0] == 409
    assert send(desk, f"{CASE}/decide", step="close", reason="x")[0] == 422
    desk.sign_in(Role.OPERATOR)
    page = read(desk, CASE)
    assert "not the operator" in page
    assert f'action="{CASE}/mark"' not in page
    refused = desk.send(f"{CASE}/mark", {"key": find_key(read(desk, REVIEWS))})
    assert (refused.status_code, "signed in as itself" in refused.text) == (403, True)
    desk.sign_in(Role.SALES)
    assert desk.send(f"{CASE}/mark", {}).status_code == 403
    assert state(desk) is CaseState.RECEIVED


def test_a_review_is_planned_held_and_its_action_done(desk: Desk) -> None:
    reviews = desk.node.local.governance.reviews
    plan = {"subject": "policy", "due_on": "2026-06-30", "months": "3", "every_months": "12"}
    desk.sign_in(Role.CFO, "Qian")
    for typed, said in (
        ({"months": "37"}, "whole number"),
        ({"months": ""}, "This is needed."),
        ({"due_on": "soon"}, "A day is written"),
        ({"subject": "weather"}, "Choose one of them."),
    ):
        status, page = send(desk, REVIEWS, **plan | typed)
        assert (status, said in page) == (422, True), typed
        assert f'value="{(plan | typed)["due_on"]}"' in page
    assert send(desk, REVIEWS, **plan)[0] == 303
    assert send(desk, f"{REVIEW}/hold", finding="", as_of="")[0] == 422
    assert send(desk, f"{REVIEW}/hold", finding="kept <so>", as_of="2026-07-01")[0] == 422
    assert send(desk, f"{REVIEW}/hold", finding="kept <so>", as_of="")[0] == 303
    assert "kept &lt;so&gt;" in read(desk, REVIEW)
    assert send(desk, f"{REVIEW}/hold", finding="again", as_of="")[0] == 409
    action = {"text": "train sales", "owner": "Sun", "due_on": "2026-07-31"}
    assert send(desk, f"{REVIEW}/actions", **action | {"due_on": ""})[0] == 422
    assert send(desk, f"{REVIEW}/actions", **action)[0] == 303
    assert "train sales" in read(desk, REVIEWS)
    assert send(desk, "/console/review-actions/1/done", effect="")[0] == 422

    assert send(desk, "/console/review-actions/1/done", effect="all can")[0] == 303

    (done,) = reviews.list_actions()
    assert done.done is not None
    assert [one.due_on for one in reviews.list_reviews()] == [date(2027, 6, 30), date(2026, 6, 30)]
    assert send(desk, "/console/review-actions/1/done", effect="twice")[0] == 409
    desk.sign_in(Role.ANALYST)
    for path in (REVIEWS, f"{REVIEW}/hold", "/console/review-actions/1/done"):
        assert desk.send(path, plan).status_code == 403, path
