"""The calendar of reviews: nothing expires unseen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from node.assessment.renewal.service import queue_subject_within
from node.assessment.renewal.store import RenewalCause
from node.assessment.statements.rules_evidence import AGEING_DAYS_MAX
from node.assessment.statements.tables import financial_statement
from node.rating.commands import rate_app
from node.rating.rules_grade import RatingState, find_state
from node.rating.rules_review import (
    OVERDUE_DAYS,
    ReviewFacts,
    ReviewState,
    find_review,
    list_triggers,
)
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import HEADER, Room, build_room

TODAY = AS_OF
UNTIL = TODAY + timedelta(days=30)
RATED = date(2026, 6, 1)


def facts(
    *,
    valid_until: date | None = TODAY + timedelta(days=200),
    review_on: date = TODAY + timedelta(days=100),
    overdue_since: date | None = None,
    statement_end: date | None = None,
    queued: tuple[str, ...] = (),
) -> ReviewFacts:
    return ReviewFacts(
        rated_on=RATED,
        valid_until=valid_until,
        review_on=review_on,
        overdue_since=overdue_since,
        statement_end=statement_end,
        queued=queued,
    )


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (None, ReviewState.UNRATED),
        (facts(), None),
        (facts(valid_until=TODAY - timedelta(days=1)), ReviewState.EXPIRED),
        (facts(valid_until=TODAY, review_on=TODAY), ReviewState.DUE),
        (facts(review_on=UNTIL), ReviewState.UPCOMING),
        (facts(review_on=UNTIL + timedelta(days=1)), None),
        (facts(queued=("disputed",)), ReviewState.EARLY),
        (facts(valid_until=None, review_on=TODAY), ReviewState.UNRATED),
        (facts(valid_until=None, review_on=UNTIL), ReviewState.UPCOMING),
    ],
)
def test_a_customer_has_the_most_pressing_state(
    given: ReviewFacts | None, state: ReviewState | None
) -> None:
    triggers = () if given is None else list_triggers(given, today=TODAY)

    assert find_review(given, triggers=triggers, today=TODAY, until=UNTIL) is state


@pytest.mark.parametrize(
    ("days_overdue", "is_news"),
    [
        (OVERDUE_DAYS, False),
        (OVERDUE_DAYS + 1, True),
        ((TODAY - RATED).days + OVERDUE_DAYS, True),  # became it on the day after the rating
        ((TODAY - RATED).days + OVERDUE_DAYS + 1, False),  # was it when the rating was given
    ],
)
def test_overdue_is_news_once_the_days_pass_after_the_rating(
    days_overdue: int, *, is_news: bool
) -> None:
    given = facts(overdue_since=TODAY - timedelta(days=days_overdue))

    assert list_triggers(given, today=TODAY) == (("overdue",) if is_news else ())


@pytest.mark.parametrize(("age_days", "is_news"), [(0, False), (1, True), (200, False)])
def test_a_statement_that_became_stale_since_brings_a_review_forward(
    age_days: int, *, is_news: bool
) -> None:
    end = TODAY - timedelta(days=AGEING_DAYS_MAX + age_days)

    found = list_triggers(facts(statement_end=end), today=TODAY)

    assert found == (("statement",) if is_news else ())


def test_causes_of_the_queue_come_first() -> None:
    given = facts(queued=("revoked",), overdue_since=TODAY - timedelta(days=OVERDUE_DAYS + 1))

    assert list_triggers(given, today=TODAY) == ("revoked", "overdue")


@pytest.mark.parametrize(
    ("valid_until", "day", "state"),
    [
        (None, RATED, RatingState.UNRATED),
        (TODAY, TODAY, RatingState.VALID),
        (TODAY, TODAY + timedelta(days=1), RatingState.EXPIRED),
        (TODAY, RATED - timedelta(days=1), RatingState.LATER),
    ],
)
def test_a_rating_says_how_it_stands(
    valid_until: date | None, day: date, state: RatingState
) -> None:
    assert find_state(as_of=RATED, valid_until=valid_until, day=day) is state


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path)
    yield built
    built.database.dispose()


def test_the_calendar_holds_who_is_expired_unrated_early_and_due(room: Room) -> None:
    expired = room.add_invoices("old", [0] * 6)
    early = room.add_invoices("queued", [0] * 6)
    quiet = room.add_invoices("quiet", [0] * 6)
    never = room.add_customer("never")
    room.add_customer("CCU013", kind="collective")
    room.rating.rate_customer(expired, as_of=date(2025, 12, 31))
    for customer_id in (early, quiet):
        room.rating.rate_customer(customer_id, as_of=AS_OF - timedelta(days=30))
    with room.database.write() as uow:
        queue_subject_within(
            uow, "sim:queued", cause=RenewalCause.SUPERSEDED, ref="r", at_ms=room.clock.now_ms()
        )

    reviews = room.reviews.list_reviews(today=TODAY, until=UNTIL, shows_peers=True)

    assert [(one.row.customer_id, one.state, one.triggers) for one in reviews] == [
        (expired, ReviewState.EXPIRED, ()),
        (never, ReviewState.UNRATED, ()),
        (early, ReviewState.EARLY, ("superseded",)),
    ]
    own = room.reviews.list_reviews(today=TODAY, until=UNTIL, shows_peers=False)
    assert early not in {one.row.customer_id for one in own}  # a peer's doings
    later = room.reviews.list_reviews(
        today=TODAY, until=TODAY + timedelta(days=400), shows_peers=True
    )
    assert quiet in {one.row.customer_id for one in later}


def test_only_the_newest_rating_counts(room: Room) -> None:
    customer_id = room.add_invoices("old", [0] * 6)
    room.rating.rate_customer(customer_id, as_of=date(2025, 12, 31))
    room.rating.rate_customer(customer_id, as_of=AS_OF)

    assert room.reviews.list_reviews(today=TODAY, until=UNTIL, shows_peers=True) == []


def test_an_item_that_stays_unpaid_brings_the_review_forward(room: Room) -> None:
    due = TODAY - timedelta(days=OVERDUE_DAYS + 5)
    row = f"sim,late,Late,CN,L-1,1,{due - timedelta(days=30)},{due},CNY,100.00,,,"
    room.records.import_file(f"{HEADER}\n{row}\n".encode(), file_name="late.csv", source="erp")
    customer_id = room.find_id("sim:late")
    room.rating.rate_customer(customer_id, as_of=TODAY - timedelta(days=20))

    (review,) = room.reviews.list_reviews(today=TODAY, until=UNTIL, shows_peers=True)

    assert (review.row.customer_id, review.triggers) == (customer_id, ("overdue",))


def test_a_stale_statement_brings_the_review_forward(room: Room) -> None:
    customer_id = room.add_invoices("books", [0] * 6)
    room.rating.rate_customer(customer_id, as_of=TODAY - timedelta(days=20))
    with room.database.write() as uow:
        uow.connection.execute(
            insert(financial_statement).values(
                customer_id=customer_id,
                year_end=TODAY - timedelta(days=AGEING_DAYS_MAX + 5),
                basis="single",
                version=1,
                is_withdrawn=False,
                months=12,
                currency="CNY",
                unit="one",
                assurance="audited",
                gaap="cas",
                source="entered",
                received_on=RATED,
                entered_by="li",
                entered_at_ms=1,
            )
        )

    (review,) = room.reviews.list_reviews(today=TODAY, until=UNTIL, shows_peers=True)

    assert (review.state, review.triggers) == (ReviewState.EARLY, ("statement",))


def test_the_command_lists_the_calendar_and_writes_it_for_a_spreadsheet(
    room: Room, tmp_path: Path
) -> None:
    room.add_customer("never")
    runner = CliRunner()
    file = tmp_path / "reviews.csv"
    shown = runner.invoke(rate_app, ["reviews"], obj=room, env={"COLUMNS": "200"})
    as_json = runner.invoke(rate_app, ["reviews", "--until", "2026-12-31", "--json"], obj=room)
    written = runner.invoke(rate_app, ["reviews", "--csv", str(file)], obj=room)

    assert "unrated" in shown.output
    assert json.loads(as_json.stdout)["until"] == "2026-12-31"
    assert json.loads(as_json.stdout)["counts"]["unrated"] == 1
    assert "1 reviews written" in written.output
    (line,) = csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
    assert (line["subject"], line["state"], line["grade"]) == ("sim:never", "unrated", "")
