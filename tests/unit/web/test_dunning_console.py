"""Pages of dunning: the work list, letters as the customer reads them, promises, runs and holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.service import LetterSelection
from tests.support.console_people import Desk, close_desk, open_desk, read
from tests.support.risk_pages import find_key, invoice, promise

WORK, LETTERS, RUNS = "/console/collection", "/console/dunning", "/console/dunning-runs"
LETTER = f"{LETTERS}/1"
ALL = frozenset(LetterState)


@contextmanager
def open_furnished(home: Path, closed: Path) -> Iterator[Desk]:
    """A customer with two late invoices, a broken promise, one due today, one due in three days."""
    desk = open_desk(home, like=closed)
    node, key = desk.node, desk.customer_id
    late = invoice(node, key, "LATE-1", 300_000, due_on=date(2026, 4, 15))
    later = invoice(node, key, "LATE-2", 150_000, due_on=date(2026, 6, 1))
    promise(node, key, late, 300_000, due_on=date(2026, 6, 15))
    promise(node, key, later, 100_000, due_on=date(2026, 6, 30))
    promise(node, key, later, 50_000, due_on=date(2026, 7, 3))
    node.local.losses.dunning.run(by="Wu")
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


def send(desk: Desk, path: str, page: str, **typed: str) -> tuple[int, str]:
    answer = desk.send(path, {"key": find_key(read(desk, page))} | typed)
    return answer.status_code, str(answer.text)


def state(desk: Desk) -> LetterState:
    return desk.node.local.losses.dunning.get_letter(1).letter.state


def test_the_work_list_names_promises_and_letters_of_today(still: Desk) -> None:
    still.sign_in(Role.COLLECTOR)

    page = read(still, WORK)

    broken, _, rest = page.partition('id="due"')
    today, _, letters = rest.partition('id="to-release"')
    assert "LATE-1" in broken
    assert "LATE-2" in today
    assert f'href="{LETTER}"' in letters
    ahead = read(still, "/console/promises").partition('id="ahead"')[2]
    assert "2026-07-03" in ahead
    assert "2026-06-15" not in ahead
    assert "今日待办" in read(still, WORK, "zh")


def test_letters_are_listed_by_state_and_level(still: Desk) -> None:
    still.sign_in(Role.SALES)  # who reads the ledger reads what is asked of whom

    assert f'href="{LETTER}"' in read(still, LETTERS)
    assert f'href="{LETTER}"' in read(still, LETTERS, level="1")
    assert f'href="{LETTER}"' not in read(still, LETTERS, level="2")
    assert f'href="{LETTER}"' not in read(still, LETTERS, state="sent")


def test_a_letter_is_shown_as_the_customer_will_read_it(still: Desk) -> None:
    still.sign_in(Role.SALES)

    page = read(still, LETTER)

    for words in (
        "To: Hongda (sim:C1)",
        "draft, not released",
        "尚未签发",
        "3,000.00",
        "promise broken",
    ):
        assert words in page, words
    assert f'action="{LETTER}/' not in page
    printed = still.client.get(f"{LETTER}/letter", params={"lang": "zh"})
    assert '<html lang="zh' in printed.text
    assert "Hongda" in printed.text
    assert printed.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'"
    )


def test_a_collector_releases_enters_the_answer_and_withdraws(desk: Desk) -> None:
    desk.sign_in(Role.COLLECTOR, "Wu")
    assert send(desk, f"{LETTER}/release", LETTER)[0] == 303
    assert state(desk) is LetterState.SENT
    assert send(desk, f"{LETTER}/release", LETTER)[0] == 409
    status, page = send(desk, f"{LETTER}/answer", LETTER, reason="")
    assert (status, "This is needed." in page) == (422, True)

    assert send(desk, f"{LETTER}/answer", LETTER, reason="pays <soon>")[0] == 303

    assert state(desk) is LetterState.ANSWERED
    page = read(desk, LETTER)
    assert "pays &lt;soon&gt;" in page
    assert f'action="{LETTER}/withdraw"' not in page  # an answered one is withdrawn no more
    assert send(desk, f"{LETTER}/withdraw", RUNS, reason="x")[0] == 409


def test_a_letter_that_something_has_overtaken_is_not_released(desk: Desk) -> None:
    desk.sign_in(Role.COLLECTOR, "Wu")
    assert (
        send(
            desk,
            f"{desk.home}/dunning-hold",
            LETTER,
            until_on="2026-07-31",
            reason="we talk",
        )[0]
        == 303
    )
    assert "we talk" in read(desk, RUNS)

    status, page = send(desk, f"{LETTER}/release", LETTER)

    assert (status, "run again" in page) == (409, True)
    assert state(desk) is LetterState.PROPOSED
    assert send(desk, "/console/dunning-holds/1/end", RUNS, reason="")[0] == 422
    assert send(desk, "/console/dunning-holds/1/end", RUNS, reason="no answer")[0] == 303
    assert send(desk, f"{LETTER}/release", LETTER)[0] == 303


def test_a_wrong_hold_is_shown_again_with_what_was_typed(still: Desk) -> None:
    still.sign_in(Role.COLLECTOR)
    for typed, said in (
        ({"until_on": "tomorrow", "reason": "we <talk>"}, "A day is written"),
        ({"until_on": "2026-01-01", "reason": "we <talk>"}, "The day or the reason is wrong."),
        ({"until_on": "2026-07-31", "reason": " "}, "This is needed."),
    ):
        status, page = send(still, f"{still.home}/dunning-hold", LETTER, **typed)
        assert status == 422, typed
        assert said in page, typed
        assert f'value="{typed["until_on"]}"' in page
    assert still.node.local.losses.dunning.list_holds() == []


def test_a_run_is_started_for_a_day_and_leads_to_what_it_proposes(desk: Desk) -> None:
    dunning = desk.node.local.losses.dunning
    desk.sign_in(Role.COLLECTOR, "Wu")
    assert send(desk, f"{LETTER}/withdraw", LETTER, reason="wrong words")[0] == 303
    for day, status in (("2026-07-01", 422), ("2026-06-29", 422), ("then", 422)):
        found, page = send(desk, RUNS, RUNS, as_of=day)
        assert (found, f'value="{day}"' in page) == (status, True), day

    assert send(desk, RUNS, RUNS, as_of="2026-06-30")[0] == 303

    letters = dunning.list_letters(LetterSelection(states=ALL))
    assert [one.state for one in letters] == [LetterState.WITHDRAWN, LetterState.PROPOSED]
    assert len(dunning.list_runs()) == 2


@pytest.mark.parametrize("role", [Role.SALES, Role.ANALYST, Role.STEWARD, Role.CFO])
def test_who_only_reads_the_ledger_changes_nothing(still: Desk, role: Role) -> None:
    still.sign_in(role)
    for path in (RUNS, f"{LETTER}/release", f"{LETTER}/withdraw", f"{still.home}/dunning-hold"):
        assert still.send(path, {"reason": "x", "as_of": "2026-06-30"}).status_code == 403, path
    assert state(still) is LetterState.PROPOSED
    for path in (WORK, LETTERS, LETTER, RUNS, "/console/promises"):
        assert '<form class="entry"' not in read(still, path), path


def test_natural_persons_are_left_out_for_whom_they_are_not(desk: Desk) -> None:
    with desk.node.local.database.write() as uow:
        uow.connection.execute(customer.update().values(kind=PERSON_KIND))
    desk.sign_in(Role.SALES)
    for path in (WORK, LETTERS, "/console/promises", RUNS):
        assert "Hongda" not in read(desk, path), path
    for path in (LETTER, f"{LETTER}/letter"):
        assert desk.client.get(path).status_code == 403, path
    desk.sign_in(Role.COLLECTOR)
    for path in (WORK, LETTERS, "/console/promises", LETTER):
        assert "Hongda" in read(desk, path), path
