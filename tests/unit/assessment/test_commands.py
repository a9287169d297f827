import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.assessment.commands import assess_app
from node.assessment.looks import PEER_VALUES
from node.assessment.policy import EvidenceValue
from node.assessment.policy_file import Language
from node.assessment.renewal.service import queue_default_within
from node.assessment.report import build_comparison, format_change, format_deci, format_value
from node.records.service import CustomerNotFoundError
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room, build_room

VALUE = "0200756072"
LATE = build_summary(index=45, dbt_days=45, mix={"31-60": 100}, worst="31-60")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path)
    built.add_invoices(VALUE, [0] * 2)
    built.inbox.records.append(build_record(LATE))
    yield built
    built.database.dispose()


def test_assess_shows_both_sides_and_the_total(room: Room) -> None:
    result = CliRunner().invoke(
        assess_app, [f"sim:{VALUE}"], obj=room, env={"COLUMNS": "200"}, catch_exceptions=False
    )

    assert result.exit_code == 0
    assert "Days beyond terms" in result.output
    assert "Peers' experience is worse than our own" in result.output
    pair = room.assessment.find_latest(room.find_id())
    assert pair is not None
    assert format_deci(pair.with_peers.assessment.score_deci) in result.output
    (look,) = room.people.list_accesses()
    assert (look.who, look.what, look.target) == (
        "operator",
        PEER_VALUES,
        f"customer {room.find_id()}",
    )


def test_assess_without_peers_is_a_look_at_own_credit_data_alone(room: Room) -> None:
    room.inbox.records.clear()

    CliRunner().invoke(assess_app, [f"sim:{VALUE}"], obj=room, catch_exceptions=False)

    (look,) = room.people.list_accesses()
    assert (look.what, look.scope, look.target) == ("credit", "", f"customer {room.find_id()}")


def test_assess_prints_one_json_object_in_chinese(room: Room) -> None:
    result = CliRunner().invoke(
        assess_app,
        [f"sim:{VALUE}", "--json", "--lang", "zh", "--as-of", AS_OF.isoformat()],
        obj=room,
        catch_exceptions=False,
    )

    shown = json.loads(result.stdout)
    change = shown["with_peers"]["score_deci"] - shown["own"]["score_deci"]
    assert sum(item["change_deci"] for item in shown["changes"]) == change
    assert shown["policy"]["id"] == "expert"
    assert shown["with_peers"]["confidence"]["text"] == room.assessment.describe(
        "confidence.thin-own-and-peers", language=Language.ZH
    )


def test_assess_of_nobody_is_refused(room: Room) -> None:
    with pytest.raises(CustomerNotFoundError):
        CliRunner().invoke(assess_app, ["sim:nobody"], obj=room, catch_exceptions=False)


def test_comparison_names_values_with_units(room: Room) -> None:
    pair = room.assessment.assess_customer(room.find_id(), as_of=AS_OF)
    policy = room.assessment.get_policy()

    rows = {
        row.factor_id: row for row in build_comparison(pair, policy=policy, language=Language.EN)
    }

    assert rows["dbt"].own_value == "0.0 d"
    assert rows["dbt"].peers_value == "45.0 d"
    assert rows["dbt"].change.startswith("-")
    assert rows["worst"].peers_value == "31-60"


@pytest.mark.parametrize(
    ("value_deci", "text"), [(None, "—"), (0, "0.0"), (5, "0.5"), (-5, "-0.5"), (-123, "-12.3")]
)
def test_tenths_are_written_with_one_decimal(value_deci: int | None, text: str) -> None:
    assert format_deci(value_deci) == text


@pytest.mark.parametrize(("change", "text"), [(0, "0.0"), (12, "+1.2"), (-12, "-1.2")])
def test_change_has_its_sign(change: int, text: str) -> None:
    assert format_change(change) == text


@pytest.mark.parametrize(
    ("reads", "value", "text"),
    [
        (EvidenceValue.LATE_PERMILLE, 125, "12.5 %"),
        (EvidenceValue.OVERDUE_DAYS, 45, "45 d"),
        (EvidenceValue.RELATION_MONTHS, 48, "48 mo"),
        (EvidenceValue.WORST_RANK, 8, "unpaid"),
        (EvidenceValue.ADVERSE_RANK, None, "—"),
        (None, 3, "—"),
    ],
)
def test_figures_are_written_with_their_unit(
    reads: EvidenceValue | None, value: int | None, text: str
) -> None:
    assert format_value(reads, value) == text


def test_assess_says_what_was_left_out_and_what_each_peer_changes(room: Room) -> None:
    disputed = replace(build_record(LATE, provider="gamma.example"), left_out="disputed")
    room.inbox.records.append(disputed)

    result = CliRunner().invoke(
        assess_app, [f"sim:{VALUE}"], obj=room, env={"COLUMNS": "300"}, catch_exceptions=False
    )

    why = room.assessment.describe("left-out.disputed", language=Language.EN)
    assert any("gamma.example" in line and why in line for line in result.output.splitlines())
    assert "Without each peer" in result.output
    assert "beta.example" in result.output.split("Without each peer")[1]
    assert "gamma.example" not in result.output.split("Without each peer")[1]


def test_assess_prints_each_peer_s_effect_as_json(room: Room) -> None:
    result = CliRunner().invoke(
        assess_app, [f"sim:{VALUE}", "--json"], obj=room, catch_exceptions=False
    )

    shown = json.loads(result.stdout)
    (peer,) = shown["without_each_peer"]["peers"]
    assert shown["without_each_peer"]["is_current"] is True
    assert peer["score_deci"] == shown["own"]["score_deci"]
    assert peer["change_deci"] == shown["own"]["score_deci"] - shown["with_peers"]["score_deci"]
    told = [line for line in shown["with_peers"]["evidence"] if line["source"] == "peers"]
    assert [line["text"] for line in told] == [
        room.assessment.describe("used", language=Language.EN)
    ]


def test_renewals_are_listed_until_the_customer_is_assessed_anew(room: Room) -> None:
    customer_id = room.find_id()
    room.assessment.assess_customer(customer_id, as_of=AS_OF)
    with room.database.write() as uow:
        assert queue_default_within(uow, customer_id, 1_795_500_000_000)
        assert not queue_default_within(uow, customer_id, 1_795_500_000_001)

    table = CliRunner().invoke(
        assess_app, ["renewals"], obj=room, env={"COLUMNS": "200"}, catch_exceptions=False
    )
    listed = CliRunner().invoke(
        assess_app, ["renewals", "--json"], obj=room, catch_exceptions=False
    )

    assert f"sim:{VALUE}" in table.output
    assert "own-default" in table.output
    (row,) = json.loads(listed.stdout)
    assert (row["customer"], row["cause"], row["message"]) == (customer_id, "own-default", None)
    assert [look.what for look in room.people.list_accesses()] == ["peers", "peers"]
    room.assessment.assess_customer(customer_id, as_of=AS_OF)
    listed = CliRunner().invoke(
        assess_app, ["renewals", "--json"], obj=room, catch_exceptions=False
    )
    assert json.loads(listed.stdout) == []


def test_peers_cannot_be_told_apart_once_the_evidence_has_changed(room: Room) -> None:
    pair = room.assessment.assess_customer(room.find_id(), as_of=AS_OF)
    before = room.assessment.explain_peers(pair.with_peers.assessment_id)
    assert before is not None
    assert before.is_current
    room.inbox.records.clear()

    after = room.assessment.explain_peers(pair.with_peers.assessment_id)

    assert after is not None
    assert (after.is_current, after.effects) == (False, ())
    assert room.assessment.explain_peers(pair.own.assessment_id) is None
    assert room.assessment.explain_peers(10**6) is None
