import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.assessment.policy import ConfidenceLevel
from node.assessment.policy_file import Language
from node.assessment.service import CollectiveAccountError
from node.rating.commands import rate_app
from node.rating.service import ScaleUnknownError
from node.records.service import CustomerNotFoundError
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room, build_room

VALUE = "0200756072"
LATE = build_summary(index=45, dbt_days=45, mix={"31-60": 100}, worst="31-60")
COLD = build_summary(subject="sim:cold")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path)
    yield built
    built.database.dispose()


def test_rating_names_assessments_policy_scale_and_validity(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 12)

    rated = room.rating.rate_customer(customer_id, as_of=AS_OF)

    rating = rated.rating
    assert (rating.grade_own, rating.grade_with_peers) == ("AA", "AA")
    assert rating.policy.label == "expert-2"
    assert rating.scale.label == "gbt22116-2"
    assert rating.assessment_id == rated.pair.with_peers.assessment_id
    assert rating.valid_until == date(2027, 11, 24)
    assert rating.is_valid_on(AS_OF)
    assert not rating.is_valid_on(date(2027, 11, 25))
    assert room.rating.find_latest(customer_id) == rating


def test_peers_change_the_grade_of_a_thin_customer(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0])
    room.inbox.records.append(build_record(LATE))

    rating = room.rating.rate_customer(customer_id, as_of=AS_OF).rating

    assert rating.grade_own == "A"
    assert rating.grade_with_peers in {"BB", "B"}
    assert rating.score_own_deci is not None
    assert rating.score_with_peers_deci is not None
    assert rating.score_with_peers_deci < rating.score_own_deci


def test_cold_customer_is_rated_only_with_peers(room: Room) -> None:
    customer_id = room.add_customer("cold")
    without = room.rating.rate_customer(customer_id, as_of=AS_OF).rating
    room.inbox.records.append(build_record(COLD))

    rating = room.rating.rate_customer(customer_id, as_of=AS_OF).rating

    assert (without.grade_own, without.grade_with_peers) == ("NR", "NR")
    assert without.valid_until is None
    assert not without.is_valid_on(AS_OF)
    assert (rating.grade_own, rating.grade_with_peers) == ("NR", "AA")
    assert rating.confidence is ConfidenceLevel.LOW
    assert rating.valid_until == date(2027, 2, 22)  # new to us: 90 days


def test_own_default_event_is_d(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 12)
    room.records.record_adverse_event(
        customer_id,
        kind="write_off",
        happened_on=date(2026, 6, 1),
        settled_on=None,
        evidence_sha256_hex="0" * 64,
    )

    rating = room.rating.rate_customer(customer_id, as_of=AS_OF).rating

    assert (rating.grade_own, rating.grade_with_peers) == ("D", "D")
    assert rating.default_events == ("write_off",)


@pytest.mark.parametrize(("kind", "symbol"), [("insolvency", "D"), ("write_off", "BBB")])
def test_of_peers_facts_only_the_public_one_is_a_default(
    room: Room, kind: str, symbol: str
) -> None:
    customer_id = room.add_invoices(VALUE, [12] * 12)
    fact = {"kind": kind, "quarter": "2026-Q2", "settled": False}
    room.inbox.records.append(build_record(build_summary(adverse={"facts": [fact]})))

    rating = room.rating.rate_customer(customer_id, as_of=AS_OF).rating

    assert rating.grade_own == "BBB"
    assert rating.grade_with_peers == symbol


def test_superseded_rating_is_kept(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 12)
    first = room.rating.rate_customer(customer_id, as_of=date(2026, 10, 24)).rating
    second = room.rating.rate_customer(customer_id, as_of=AS_OF).rating

    assert room.rating.list_history(customer_id) == [second, first]
    assert room.rating.latest_ratings() == [second]


def test_run_rates_everyone_but_collective_accounts(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.rating.runs.service.STRETCH_CUSTOMERS", 2)
    ids = [room.add_invoices(f"c{number}", [0, 15 * number]) for number in range(4)]
    room.add_customer("CCU013", kind="collective")
    ids.append(room.add_customer("cold"))
    room.inbox.records.append(build_record(COLD))
    heard: list[int] = []

    report = room.runs.run(
        as_of=AS_OF, by="test", on_progress=lambda done, _total: heard.append(done)
    )

    assert (report.run.rated, report.run.skipped, report.changed) == (5, 1, 1)
    assert heard == [2, 4, 6]
    assert report.counts_own["NR"] == 1
    assert sum(report.counts_with_peers.values()) == 5
    assert [rating.customer_id for rating in room.rating.latest_ratings()] == ids
    page = room.rating.latest_ratings(limit=2, after=ids[1])
    assert [rating.customer_id for rating in page] == ids[2:4]


def test_run_on_another_day_supersedes_the_first(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 12)
    room.runs.run(as_of=date(2026, 10, 24), by="test")
    room.runs.run(as_of=AS_OF, by="test")

    days = [rating.as_of for rating in room.rating.list_history(customer_id)]
    assert days == [AS_OF, date(2026, 10, 24)]


def test_run_over_nobody_rates_nobody(room: Room) -> None:
    run = room.runs.run(as_of=AS_OF, by="test").run

    assert (run.rated, run.skipped) == (0, 0)
    assert room.rating.find_latest(1) is None


def test_who_cannot_be_assessed_is_not_rated(room: Room) -> None:
    collective = room.add_customer("CCU013", kind="collective")

    with pytest.raises(CollectiveAccountError):
        room.rating.rate_customer(collective, as_of=AS_OF)
    with pytest.raises(CustomerNotFoundError):
        room.rating.rate_customer(404, as_of=AS_OF)
    assert room.rating.latest_ratings() == []


def test_grade_is_put_into_the_words_of_its_scale(room: Room) -> None:
    rating = room.rating.rate_customer(room.add_customer("cold"), as_of=AS_OF).rating

    assert room.rating.describe("NR", language=Language.ZH).startswith("未评级")
    assert room.rating.describe("D", language=Language.EN, scale=rating.scale) == "In default"
    with pytest.raises(ScaleUnknownError):
        room.rating.describe(
            "D", language=Language.EN, scale=replace(rating.scale, sha256_b64u="A" * 43)
        )


def test_rate_command_shows_factors_and_grade(room: Room) -> None:
    room.add_invoices(VALUE, [0])
    room.inbox.records.append(build_record(LATE))

    result = CliRunner().invoke(
        rate_app, [f"sim:{VALUE}"], obj=room, env={"COLUMNS": "200"}, catch_exceptions=False
    )

    assert "Payment index" in result.output
    assert "A → B" in result.output


def test_rate_command_shows_a_missing_grade_without_validity(room: Room) -> None:
    customer_id = room.add_customer("cold")

    result = CliRunner().invoke(rate_app, [str(customer_id)], obj=room, catch_exceptions=False)

    assert "NR → NR" in result.output
    assert "(none; 2026-11-24)" in result.output


def test_rate_command_prints_one_json_object(room: Room) -> None:
    room.add_invoices(VALUE, [0] * 12)

    result = CliRunner().invoke(
        rate_app,
        [f"sim:{VALUE}", "--json", "--as-of", "2026-11-24"],
        obj=room,
        catch_exceptions=False,
    )

    shown = json.loads(result.stdout)
    assert shown["rating"]["grade_with_peers"] == "AA"
    assert shown["rating"]["valid_until"] == "2027-11-24"
    assert shown["assessment"]["own"]["score"] == shown["rating"]["score_own_deci"] // 10


def test_rate_all_command_counts_grades(room: Room) -> None:
    room.add_invoices(VALUE, [0] * 12)
    room.add_customer("cold")

    table = CliRunner().invoke(rate_app, ["--all"], obj=room, catch_exceptions=False)
    shown = CliRunner().invoke(rate_app, ["--all", "--json"], obj=room, catch_exceptions=False)

    assert "2 rated, 0 changed" in table.output
    assert json.loads(shown.stdout)["own"] == {"AA": 1, "NR": 1}


@pytest.mark.parametrize("arguments", [[], ["1", "--all"]])
def test_rate_command_wants_one_customer_or_all(room: Room, arguments: list[str]) -> None:
    assert CliRunner().invoke(rate_app, arguments, obj=room).exit_code == 2
