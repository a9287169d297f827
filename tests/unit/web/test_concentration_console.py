"""Pages of the register, of concentration and of stress: figures, links, forms, persons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.portfolio.policy import PortfolioPolicyBody, ShareLimit
from node.risk.portfolio.rules_concentration import Dimension
from node.risk.register.rules_register import EntryState
from node.web.concentration_console import find_limit
from tests.support.console_people import Desk, close_desk, open_desk, read
from tests.support.risk_pages import add_rate, find_key, invoice

REGISTER, RUNS = "/console/risk/register", "/console/risk/register-runs"
CONCENTRATION, STRESS = "/console/risk/concentration", "/console/risk/stress"
RISK = {
    "type": "fraud",
    "title": "bank <details> by mail",
    "customer": "sim:C1",
    "exposure": "10,000.00",
    "currency": "EUR",
    "likelihood": "5",
    "lgd": "100",
    "owner": "Wu",
    "controls": "call back",
    "review_on": "2026-09-30",
}


@contextmanager
def open_furnished(home: Path, closed: Path) -> Iterator[Desk]:
    """Three customers who owe 60,000, 30,000 and 10,000 euros; two are rated."""
    desk = open_desk(home, like=closed)
    local = desk.node.local
    for value, name, country in (("C2", "Bauer", "DE"), ("C3", "Zhou", "CN")):
        local.records.add_customer(scheme="sim", value=value, name=name, country=country)
    for key, minor in ((1, 6_000_000), (2, 3_000_000), (3, 1_000_000)):
        invoice(desk.node, key, f"R{key}", minor, due_on=date(2026, 7, 15))
    add_rate(desk.node)
    for key in (1, 2):
        local.rating.rate_customer(key, as_of=local.business_date())
    local.losses.register.refresh(by="schedule")
    yield desk
    close_desk(desk)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, closed: Path) -> Iterator[Desk]:
    """A desk at which nothing is entered."""
    with open_furnished(tmp_path_factory.mktemp("still") / "home", closed) as desk:
        yield desk


@pytest.fixture
def desk(tmp_path: Path, closed: Path) -> Iterator[Desk]:
    with open_furnished(tmp_path / "home", closed) as desk:
        yield desk


def send(desk: Desk, path: str, **typed: str) -> tuple[int, str]:
    answer = desk.send(path, {"key": find_key(read(desk, REGISTER))} | typed)
    return answer.status_code, str(answer.text)


def test_concentration_shows_shares_and_leads_to_who_is_behind_them(still: Desk) -> None:
    still.sign_in(Role.ANALYST)

    page = read(still, CONCENTRATION)

    by_customer, _, rest = page.partition('id="by-group"')
    for words in ("60.0 %", "30.0 %", "10.0 %", "Hongda", "Bauer", "chart-shares"):
        assert words in by_customer, words
    assert "90.0 %" in rest.partition('id="by-country"')[2]  # Germany
    assert "按国家" in read(still, CONCENTRATION, "zh")
    behind = read(still, CONCENTRATION, part="country:DE").partition('id="breaches"')[0]
    assert "Bauer" in behind
    assert "Zhou" not in behind
    assert '/limits?as_of=2026-06-30&amp;currency=CNY">Hongda' in behind
    unrated = read(still, CONCENTRATION, part="grade:unrated").partition('id="breaches"')[0]
    assert "Zhou" in unrated
    one = read(still, CONCENTRATION, part="customer:2").partition('id="breaches"')[0]
    assert "Bauer" in one
    assert "Hongda" not in one


def test_a_day_to_come_is_said(still: Desk) -> None:
    still.sign_in(Role.ANALYST)

    assert "The day is to come." in read(still, CONCENTRATION, as_of="2026-07-01")


def test_the_limit_of_a_part_is_the_least_that_is_meant_for_it(still: Desk) -> None:
    body = still.node.local.losses.portfolio.report().portfolio.policy.body
    limits = (
        ShareLimit(dimension=Dimension.COUNTRY, share_permille=400, exempt=("CN",)),
        ShareLimit(dimension=Dimension.COUNTRY, share_permille=200, only=("DE", "FR")),
        ShareLimit(dimension=Dimension.CUSTOMER, share_permille=100),
    )
    changed: PortfolioPolicyBody = body.model_copy(update={"limits": limits})

    found = {key: find_limit(changed, Dimension.COUNTRY, key) for key in ("DE", "IT", "CN", None)}

    assert found == {"DE": 200, "IT": 400, "CN": None, None: None}


def test_stress_shows_what_would_be_beside_what_is(still: Desk) -> None:
    still.sign_in(Role.ANALYST)
    assert (
        "What would be"
        not in read(still, STRESS).partition("</h1>")[2].partition('id="scenario"')[2]
    )

    page = read(still, STRESS, notches="1", defaults="sim:C2", customers="1 sim:C2")

    assert 'id="result"' in page
    changed = page.partition('id="changed"')[2]
    assert "Bauer" in changed
    assert "→ D" in changed
    assert 'value="1 sim:C2"' in page
    assert 'id="result"' in read(still, STRESS, "zh", notches="1")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"notches": "0"}, "grades fall, or somebody fails"),
        ({"notches": "33"}, "whole number"),
        ({"notches": "1", "customers": "sim:NOBODY"}, "There is no such customer."),
        ({"defaults": "sim:NOBODY"}, "There is no such customer."),
    ],
)
def test_a_scenario_that_is_none_is_shown_again(
    still: Desk, query: dict[str, str], said: str
) -> None:
    still.sign_in(Role.ANALYST)

    answer = still.client.get(STRESS, params={"lang": "en"} | query)

    assert answer.status_code == 422
    assert said in answer.text
    for value in query.values():
        assert f'value="{value}"' in answer.text
    assert 'id="result"' not in answer.text


def test_a_risk_is_entered_ranked_and_changed_with_its_story(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST, "Zhang")
    assert send(desk, REGISTER, **RISK)[0] == 303
    entered = max(one.entry.entry_id for one in desk.node.local.losses.register.list_entries())
    home = f"{REGISTER}/{entered}"
    assert "bank &lt;details&gt; by mail" in read(desk, REGISTER)
    page = read(desk, home)
    assert "EUR\N{NO-BREAK SPACE}500.00" in page  # 5 % of 10,000, all of it lost then
    changes = {
        "title": RISK["title"],
        "exposure": "20,000.00",
        "likelihood": "5",
        "lgd": "100",
        "state": "treated",
        "owner": "Qian",
        "controls": "",
        "review_on": RISK["review_on"],
        "reason": "a second <case>",
    }
    assert send(desk, home, **changes | {"reason": ""})[0] == 422

    assert send(desk, home, **changes)[0] == 303

    entry, versions = desk.node.local.losses.register.get(entered)
    assert entry.says.state is EntryState.TREATED
    assert entry.says.figures.expected_loss_minor == 100_000
    assert len(versions) == 2
    page = read(desk, home)
    assert "a second &lt;case&gt;" in page
    assert "fraud" in read(desk, REGISTER, type="fraud")
    assert "by mail" not in read(desk, REGISTER, type="legal")
    assert "by mail" not in read(desk, REGISTER, due="1")


def test_a_computed_risk_keeps_its_figures_and_leads_to_its_source(desk: Desk) -> None:
    register = desk.node.local.losses.register
    computed = next(
        one.entry
        for one in register.list_entries()
        if one.entry.cause and one.entry.cause.startswith("expected-loss:")
    )
    home = f"{REGISTER}/{computed.entry_id}"
    desk.sign_in(Role.ANALYST, "Zhang")
    page = read(desk, home)
    grade = str(computed.cause).partition(":")[2]
    assert f'href="{CONCENTRATION}?part=grade:{grade}"' in page
    assert 'name="exposure"' not in page

    review_on = computed.says.review_on.isoformat()
    form = {"state": "accepted", "owner": "Qian", "controls": "", "review_on": review_on}
    assert send(desk, home, **form, reason="we know", exposure="1.00")[0] == 303

    after, _ = register.get(computed.entry_id)
    assert after.says.figures == computed.says.figures
    assert (after.says.state, after.says.owner) == (EntryState.ACCEPTED, "Qian")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": ""}, "This is needed."),
        ({"exposure": "much"}, 'id="enter-exposure-wrong"'),
        ({"currency": "EU"}, "three letters"),
        ({"likelihood": "120"}, "A share is 0 to 100"),
        ({"lgd": ""}, "This is needed."),
        ({"review_on": "2026-01-01"}, "the review day is wrong"),
        ({"customer": "sim:NOBODY"}, "There is no such customer."),
        ({"type": "weather"}, "Choose one of them."),
    ],
)
def test_a_wrong_risk_is_shown_again_with_what_was_typed(
    still: Desk, typed: dict[str, str], said: str
) -> None:
    still.sign_in(Role.ANALYST, "Zhang")
    form = RISK | typed

    status, page = send(still, REGISTER, **form)

    assert status == 422
    assert said in page
    for name in ("customer", "exposure", "review_on", "controls"):
        assert f'value="{form[name]}"' in page, name
    causes = [one.entry.cause for one in still.node.local.losses.register.list_entries()]
    assert None not in causes


def test_the_computed_risks_are_looked_at_anew(desk: Desk) -> None:
    register = desk.node.local.losses.register
    before = {one.entry.entry_id for one in register.list_entries()}
    desk.node.local.rating.rate_customer(3, as_of=date(2026, 6, 30))
    invoice(desk.node, 3, "R9", 90_000_000, due_on=date(2026, 7, 20))
    desk.sign_in(Role.ANALYST, "Zhang")

    assert send(desk, RUNS)[0] == 303

    assert {one.entry.entry_id for one in register.list_entries()} > before


def test_who_does_not_reach_credit_sees_none_of_these_pages(still: Desk) -> None:
    for role in (Role.SALES, Role.COLLECTOR, Role.STEWARD):
        still.sign_in(role)
        for path in (REGISTER, f"{REGISTER}/1", CONCENTRATION, STRESS, f"{STRESS}?notches=1"):
            assert still.client.get(path).status_code == 403, (role, path)
        for path in (REGISTER, f"{REGISTER}/1", RUNS):
            assert still.send(path, RISK).status_code == 403, (role, path)


def test_a_natural_person_is_in_no_sum_and_not_named(desk: Desk) -> None:
    with desk.node.local.database.write() as uow:
        rows = customer.update().where(customer.c.id == 2).values(kind=PERSON_KIND, name="Frau B")
        uow.connection.execute(rows)
    desk.sign_in(Role.ANALYST)
    for path, query in (
        (CONCENTRATION, {}),
        (CONCENTRATION, {"part": "country:DE"}),
        (CONCENTRATION, {"part": "customer:2"}),
        (STRESS, {"notches": "1"}),
    ):
        page = read(desk, path, **query)
        assert "Frau B" not in page, (path, query)
    page = read(desk, CONCENTRATION)
    assert ("30.0 %" in page, "85.7 %" in page, "1 more are of natural persons" in page) == (
        False,
        True,
        True,
    )
    named = desk.client.get(STRESS, params={"lang": "en", "defaults": "2"})
    assert (named.status_code, "There is no such customer." in named.text) == (422, True)
    desk.sign_in(Role.CREDIT_MANAGER)
    page = read(desk, CONCENTRATION)
    assert ("Frau B" in page, "30.0 %" in page) == (True, True)
