"""Pages of grades that persons give, and of both statistics, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.rating.overrides.rules_override import OverrideState
from node.rating.store import NewRating, RatingStore
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.web.interval_chart import Row, draw_intervals
from tests.support.console_people import Desk, close_desk, open_desk
from tests.support.persons import person

QUEUE = "/console/ratings/overrides"
GIVING = {"reason_code": "group", "reason": "its parent <answers>", "expires_on": ""}


@pytest.fixture
def desk(tmp_path: Path, closed: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home", like=closed)
    for number in range(6):
        desk.invoice(f"R{number}", (date(2026, 6, 1), 100_000))
    local = desk.node.local
    local.rating.rate_customer(desk.customer_id, as_of=local.business_date())
    yield desk
    close_desk(desk)


def read(desk: Desk, path: str, language: str = "en") -> str:
    answer = desk.client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def move(desk: Desk, notches: int) -> str:
    """Return the grade so many notches better than the rating's."""
    rating = desk.node.local.rating.find_latest(desk.customer_id)
    assert rating is not None
    scale = desk.node.local.rating.find_scale(rating.scale.sha256_b64u)
    assert scale is not None
    order = [one.grade for one in scale.body.grades]
    return order[order.index(rating.grade_with_peers) - notches]


def give(desk: Desk, grade: str, who: str = "Li", **typed: str) -> str:
    desk.sign_in(Role.CREDIT_MANAGER, who)
    answer = desk.send(f"{desk.home}/overrides", GIVING | {"grade": grade} | typed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_a_grade_is_raised_by_two_persons_on_the_pages(desk: Desk) -> None:
    better = move(desk, 1)
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    assert f"<option>{better}</option>" in read(desk, f"{desk.home}/overrides")
    page = give(desk, better)
    own = read(desk, page)
    assert "its parent &lt;answers&gt;" in own
    assert f'action="{page}/approve"' not in own  # who proposed is offered no verdict
    same = desk.send(f"{page}/approve", {"reason": ""})
    assert (same.status_code, "another person does" in same.text) == (409, True)
    assert f'href="{page}"' in read(desk, QUEUE)

    desk.sign_in(Role.CFO, "Qian")
    assert f'action="{page}/approve"' in read(desk, page)
    assert desk.send(f"{page}/approve", {"reason": "seen"}).status_code == 303

    assert f'href="{page}"' not in read(desk, QUEUE)
    assert f'href="{page}"' in read(desk, f"{QUEUE}?show=active")
    shown = read(desk, page, "zh")
    assert "生效中" in shown
    assert "seen" in shown
    assert desk.send(f"{page}/withdraw", {"reason": ""}).status_code == 422
    assert desk.send(f"{page}/withdraw", {"reason": "no more"}).status_code == 303
    assert f'href="{page}"' in read(desk, f"{QUEUE}?show=ended")
    assert "已撤回" in read(desk, f"{desk.home}/overrides", "zh")


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"grade": "D"}, 422),
        ({"grade": ""}, 422),
        ({"reason_code": "nonsense"}, 422),
        ({"reason": ""}, 422),
        ({"expires_on": "2026-02-30"}, 422),
        ({"expires_on": "2020-01-01"}, 422),
        ({"expires_on": "2029-01-01"}, 422),
    ],
)
def test_what_the_policy_does_not_allow_is_refused_and_stays_typed(
    desk: Desk, typed: dict[str, str], status: int
) -> None:
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    form = GIVING | {"grade": move(desk, -1)} | typed

    answer = desk.send(f"{desk.home}/overrides", form)

    assert answer.status_code == status
    if form["reason"]:
        assert "its parent &lt;answers&gt;" in answer.text
    assert desk.node.local.overrides.list_overrides() == []


def test_a_form_sent_twice_gives_one_override(desk: Desk) -> None:
    give(desk, move(desk, -1))

    again = desk.send(f"{desk.home}/overrides", GIVING | {"grade": move(desk, -2)})

    assert again.status_code == 409
    assert len(desk.node.local.overrides.list_overrides()) == 1


@pytest.mark.parametrize(
    ("role", "shown", "sent"),
    [(Role.OPERATOR, 200, 403), (Role.ANALYST, 200, 403), (Role.SALES, 403, 403)],
)
def test_who_overrides_nothing_is_offered_no_form(
    desk: Desk, role: Role, shown: int, sent: int
) -> None:
    page = give(desk, move(desk, 1))
    desk.sign_in(role, "Zhang")

    for path in (page, f"{desk.home}/overrides", QUEUE):
        answer = desk.client.get(path)
        assert answer.status_code == shown
        assert "<form class" not in answer.text
    assert desk.send(f"{desk.home}/overrides", GIVING | {"grade": "A"}).status_code == sent
    assert desk.send(f"{page}/approve", {"reason": ""}).status_code == sent
    assert desk.node.local.overrides.list_open()[0].state is OverrideState.WAITING


def test_the_analyst_is_not_told_a_grade_that_peers_changed(desk: Desk) -> None:
    rating = desk.node.local.rating.find_latest(desk.customer_id)
    assert rating is not None
    given = move(desk, 1)
    values = {one.name: getattr(rating, one.name) for one in fields(NewRating)}
    with desk.node.local.database.write() as uow:
        RatingStore(uow.connection).append(NewRating(**values | {"grade_own": given}))
    page = give(desk, given)
    told = f"{rating.grade_with_peers} →"
    assert told in read(desk, page)

    desk.sign_in(Role.ANALYST, "Zhang")

    for path in (page, QUEUE, f"{desk.home}/overrides"):
        assert told not in read(desk, path)
    assert "withheld" in read(desk, page)


def test_of_natural_persons_the_analyst_sees_none(desk: Desk) -> None:
    page = give(desk, move(desk, 1))
    with desk.node.local.database.write() as uow:
        uow.connection.execute(customer.update().values(kind=PERSON_KIND))
    desk.sign_in(Role.ANALYST, "Zhang")

    assert desk.client.get(page).status_code == 403
    assert desk.client.get(f"{desk.home}/overrides").status_code == 403
    assert f'href="{page}"' not in read(desk, QUEUE)


def test_another_rating_leaves_nothing_to_decide(desk: Desk) -> None:
    page = give(desk, move(desk, 1))
    local = desk.node.local
    local.rating.rate_customer(desk.customer_id, as_of=local.business_date())
    desk.sign_in(Role.CFO, "Qian")

    assert "ended by a new rating" in read(desk, page)
    assert desk.send(f"{page}/approve", {"reason": ""}).status_code == 409
    assert f'href="{page}"' not in read(desk, QUEUE)


@pytest.mark.parametrize("path", [f"{QUEUE}/x", f"{QUEUE}/9", "/console/customers/9/overrides"])
def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    desk.sign_in(Role.CREDIT_MANAGER, "Li")

    assert desk.client.get(path).status_code == 404


def test_both_statistics_say_what_is_too_little(desk: Desk) -> None:
    give(desk, move(desk, -1))
    desk.sign_in(Role.ANALYST, "Zhang")

    backtest = unescape(read(desk, "/console/ratings/backtest"))
    report = unescape(read(desk, "/console/ratings/override-report"))

    assert "Customers who turned bad: 0. Below 20 nothing is called validated." in backtest
    assert "too few customers turned bad" in backtest
    assert '<svg class="chart chart-bars"' not in backtest
    assert "Nobody's months are over yet" in report
    assert "0 turned bad, fewer than 20" in report
    assert "违约样本太少" in read(desk, "/console/ratings/backtest", "zh")


def test_the_back_test_draws_what_is_over(desk: Desk) -> None:
    local = desk.node.local
    for number in range(6):
        debit = NewDebit(
            customer_id=desk.customer_id,
            kind=ItemKind.INVOICE,
            document_no=f"OLD{number}",
            happened_on=date(2025, 3, 1),
            currency="EUR",
            terms=(Term(due_on=date(2025, 4, 20), amount_minor=1_000),),
        )
        local.ledger.enter_debit(debit, by="erp")
    local.rating.rate_customer(desk.customer_id, as_of=date(2025, 5, 20))
    desk.sign_in(Role.ANALYST, "Zhang")

    page = read(desk, "/console/ratings/backtest")

    assert page.count("<circle") == 1
    assert "1 bad of 1" in page
    assert "1 bad of 1" in read(desk, "/console/ratings/override-report")


def test_a_chart_row_has_dot_line_and_square_where_they_stand() -> None:
    drawn = draw_intervals(
        [
            Row(
                label="A",
                text="1 bad of 4",
                words="25.00 %",
                observed_ppm=250_000,
                low_ppm=50_000,
                high_ppm=700_000,
                stated_ppm=100_000,
            ),
            Row(
                label="B<",
                text="0 bad of 0",
                words="not computable",
                observed_ppm=None,
                low_ppm=None,
                high_ppm=None,
            ),
        ],
        title="t",
    )

    # 390 of the 640 are left for the axis, which ends at 100 %.
    assert 'cx="227" cy="15"' in drawn
    assert 'x1="149" y1="15" x2="403"' in drawn
    assert '<rect class="stated" x="164"' in drawn
    assert "B&lt;" in drawn
    assert "not computable</text>" in drawn
    assert drawn.count("<circle") == 1


def test_decision_and_customer_show_both_grades_who_why_until(desk: Desk) -> None:
    local = desk.node.local
    local.portfolio.add_rate(
        base="EUR", quote="CNY", rate="8", on=local.business_date(), source="PBoC", by="erp"
    )
    rated, given = move(desk, 0), move(desk, -1)
    page = give(desk, given)
    form = {"currency": "EUR", "limit": "", "need": "", "terms_days": "", "buyer": "company"}
    decision = desk.send(f"{desk.home}/decisions", form).headers["location"]

    shown = unescape(read(desk, decision))
    assert f"<dt>Grade of the rating</dt><dd>{rated}</dd>" in shown
    assert f"<dt>Given by a person</dt><dd>{given} <span" in shown
    assert f"(Li, until {local.overrides.get(1).override.expires_on})" in shown
    assert "its parent <answers>" in shown
    beside = read(desk, desk.home, "zh")
    assert f'<a href="{page}">' in beside
    assert "集团支持或集团牵连" in beside
    assert "its parent &lt;answers&gt;" in beside

    assert "two persons do it" in read(desk, page)
    desk.send(f"{page}/withdraw", {"reason": "no more"})
    assert "another person withdraws it" in read(desk, page)
    assert f'action="{page}/withdraw"' not in read(desk, page)
    desk.sign_in(Role.CREDIT_MANAGER, "Sun")
    assert "it waits for another" in read(desk, page)
    desk.send(f"{page}/withdraw", {"reason": "seen"})
    assert "withdrawn" in read(desk, decision)
    assert f'<a href="{page}">' not in read(desk, desk.home)


def test_ended_ones_are_paged_and_none_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.web.override_console.SHOWN_MAX", 2)
    lower = move(desk, -1)
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    overrides, manager, cfo = desk.node.local.overrides, person("Li"), person("Qian", Role.CFO)
    keys = []
    for _ in range(3):
        given = overrides.give(
            desk.customer_id, grade=lower, reason_code="group", reason="x", actor=manager
        )
        keys.append(given.override.override_id)
        for actor in (manager, cfo):
            overrides.withdraw(keys[-1], reason="x", actor=actor)

    first = read(desk, f"{QUEUE}?show=ended")
    (older,) = re.findall(r"show=ended&amp;before=([0-9]+)", first)
    last = read(desk, f"{QUEUE}?show=ended&before={older}")

    def linked(page: str) -> list[int]:
        found = re.findall(rf'href="{QUEUE}/([0-9]+)"', page)
        return sorted({int(one) for one in found}, reverse=True)

    assert [*linked(first), *linked(last)] == sorted(keys, reverse=True)
    assert "Older ones" not in last
