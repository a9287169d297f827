"""Models side by side: kept with the assessment, explained, apart by name; peers leave no trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.assessment.service import erase_peer_values_within
from node.bootstrap.member import Node
from node.core.errors import InvariantError
from node.core.people.service import Role
from node.rating.panel.commands import panel_app
from node.rating.panel.service import Panel
from node.rating.panel.tables import model_score
from node.web.app import API_PREFIX, build_app
from protocol.encoding import encode_b64u
from tests.support.console_node import API_TOKEN, BUSINESS_DATE, build_empty_node, receive_summary
from tests.support.panel_models import enter_model, make_model, sell
from tests.support.statements import PROVENANCE, build_statement


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    built = build_empty_node(tmp_path / "home")
    yield built
    built.local.close()


def rate(node: Node, customer_id: int) -> None:
    node.local.rating.rate_customer(customer_id, as_of=node.local.business_date())


def read(node: Node, customer_id: int, *, shows_peers: bool = True) -> Panel:
    panel = node.local.panels.find_latest(customer_id, shows_peers=shows_peers)
    assert panel is not None
    return panel


def test_champion_and_challenger_are_kept_beside_the_assessment_from_own_records(
    node: Node,
) -> None:
    champion = enter_model(node.local.database, make_model(), "approved", "champion")
    other = make_model(lost_deci=100, model_id="other")
    challenger = enter_model(node.local.database, other, "approved", "challenger")
    enter_model(node.local.database, make_model(model_id="draft"))
    late = sell(node, "L1", late_days=20)
    receive_summary(node, node.local.records.get_customer(late))

    rate(node, late)

    panel = read(node, late)
    assert panel.pair.own.assessment_id != panel.pair.with_peers.assessment_id
    assert [(one.row.role, one.record.model_id) for one in panel.models] == [
        ("champion", champion),
        ("challenger", challenger),
    ]
    # 500 points: the odds of 50 to 1 halved five times, 1 : (1 + 50/32).
    assert panel.models[0].row.score_deci == 5_000
    assert panel.models[0].row.probability_ppm == 390_244
    (line,) = panel.models[0].score.lines if panel.models[0].score else ()
    assert (line.factor_id, line.values, line.source) == (
        "late",
        (("late", 1000),),
        "own-records",
    )
    assert (line.points_deci, line.points_best_deci) == (-1_000, 0)
    assert not panel.models[0].is_validated
    assert panel.models[0].verdict == "withheld.bads"
    assert "champion.worse-than.expert" in [one.code for one in panel.apart]


def test_the_rating_stays_that_of_the_expert_card(node: Node) -> None:
    late = sell(node, "L1", late_days=20)
    before = node.local.rating.rate_customer(late, as_of=BUSINESS_DATE).rating
    enter_model(node.local.database, make_model(), "approved", "champion")

    after = node.local.rating.rate_customer(late, as_of=BUSINESS_DATE).rating

    assert after.score_with_peers_deci == before.score_with_peers_deci
    assert after.grade_with_peers == before.grade_with_peers


def test_a_run_scores_everybody_and_who_is_out_of_scope_has_no_score(node: Node) -> None:
    enter_model(node.local.database, make_model(), "approved", "champion")
    prompt, late = sell(node, "P1", late_days=0), sell(node, "L1", late_days=20)
    never = node.local.records.add_customer(
        scheme="sim", value="N1", name="无", country="CN"
    ).customer_id

    node.local.runs.run(as_of=BUSINESS_DATE, by="test")

    said = {key: read(node, key).models[0].row for key in (prompt, late, never)}
    assert [said[key].score_deci for key in (prompt, late, never)] == [6_000, 5_000, None]
    assert said[prompt].probability_ppm == 19_608
    assert (said[never].code, said[never].probability_ppm) == ("no-invoices", None)


def test_what_was_said_stays_when_the_model_is_retired(node: Node) -> None:
    key = enter_model(node.local.database, make_model(), "approved", "champion")
    late = sell(node, "L1", late_days=20)
    rate(node, late)
    kept = read(node, late).models[0].row

    node.local.models.retire(key, by="li", reason="old")

    assert read(node, late).models[0].row == kept
    rate(node, late)
    assert read(node, late).models == ()


def test_nothing_of_peers_is_kept_with_a_score_and_erasure_takes_their_index(node: Node) -> None:
    enter_model(node.local.database, make_model(), "approved", "champion")
    late = sell(node, "L1", late_days=20)
    rate(node, late)
    alone = read(node, late)
    message = receive_summary(node, node.local.records.get_customer(late))
    rate(node, late)
    told = read(node, late)

    assert told.models[0].row.values == alone.models[0].row.values
    assert told.index.peers_deci is not None
    assert len(told.index.providers) == 1
    with node.local.database.write() as uow:
        assert erase_peer_values_within(uow, encode_b64u(message)) == 1
    erased = read(node, late)
    assert erased.index.peers_deci is None
    assert erased.index.is_erased
    assert erased.index.own_deci == told.index.own_deci
    assert erased.models == told.models
    assert "index-peers" not in {one.opinion for one in erased.placed}


def test_without_sight_of_peers_the_panel_is_that_of_own_records(node: Node) -> None:
    late = sell(node, "L1", late_days=20)
    receive_summary(node, node.local.records.get_customer(late))
    rate(node, late)

    panel = read(node, late, shows_peers=False)

    assert panel.index.peers_deci is None
    assert panel.index.providers == ()
    assert panel.pair.with_peers == panel.pair.own


def test_altman_is_that_of_the_statements_known_when_it_was_assessed(node: Node) -> None:
    late = sell(node, "L1", late_days=20)
    node.local.statements.enter(late, [build_statement(2024)], provenance=PROVENANCE, by="zhang")
    rate(node, late)
    node.local.clock.advance_s(60)  # type: ignore[attr-defined]
    node.local.statements.enter(late, [build_statement(2025)], provenance=PROVENANCE, by="zhang")

    before = read(node, late)
    rate(node, late)
    after = read(node, late)

    assert before.altman is not None
    assert after.altman is not None
    assert (before.altman.year_end.year, after.altman.year_end.year) == (2024, 2025)
    assert [one.model for one in before.altman.scores] == ["z-prime", "z-double-prime"]


def test_a_score_that_was_changed_is_not_shown(node: Node) -> None:
    enter_model(node.local.database, make_model(), "approved", "champion")
    late = sell(node, "L1", late_days=20)
    rate(node, late)
    with node.local.database.write() as uow:
        uow.connection.execute(update(model_score).values(score_deci=5_990))

    with pytest.raises(InvariantError):
        read(node, late)


def test_a_rating_that_fails_leaves_no_score(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    enter_model(node.local.database, make_model(), "approved", "champion")
    late = sell(node, "L1", late_days=20)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(node.local.rating, "_build", fail)
    with pytest.raises(RuntimeError):
        rate(node, late)

    with node.local.database.read() as uow:
        assert uow.connection.execute(select(model_score)).all() == []


def test_the_command_shows_every_model_in_both_languages(node: Node) -> None:
    enter_model(node.local.database, make_model(), "approved", "champion")
    late = sell(node, "L1", late_days=20)
    node.local.statements.enter(late, [build_statement(2024)], provenance=PROVENANCE, by="zhang")
    rate(node, late)

    def run(*words: str) -> str:
        result = CliRunner().invoke(
            panel_app, [str(late), *words], obj=node.local, catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.output

    shown = json.loads(run("--json"))
    assert shown["rated_by"] == "expert"
    assert shown["models"][0]["probability_ppm"] == 390_244
    assert shown["models"][0]["reasons"][0] == {
        "code": "late.lost",
        "zh": "逾期占比:低于最高分",
        "en": "share paid late: less than can be earned",
    }
    assert [one["zone"] for one in shown["altman"]["scores"]] != [None, None]
    assert "share paid late" in run()
    assert "专家评分卡" in run("--lang", "zh")


def test_the_api_gives_each_role_what_it_may_see(node: Node) -> None:
    late = sell(node, "L1", late_days=20)
    receive_summary(node, node.local.records.get_customer(late))
    people = node.local.people
    tokens = {
        role: people.create_token(role=role, name="Li", life_s=60).token
        for role in (Role.CREDIT_MANAGER, Role.ANALYST, Role.SALES)
    }
    with TestClient(build_app(node)) as http:

        def get(token: str) -> tuple[int, dict[str, object]]:
            headers = {"authorization": f"Bearer {token}"}
            answer = http.get(f"{API_PREFIX}/customers/{late}/panel", headers=headers)
            return answer.status_code, answer.json()

        assert get(API_TOKEN)[1]["code"] == "not-found"
        rate(node, late)
        seen = {role: get(token) for role, token in tokens.items()}

    assert [seen[role][0] for role in tokens] == [200, 200, 403]
    assert seen[Role.CREDIT_MANAGER][1]["index"]["peers_deci"] is not None  # type: ignore[index]
    assert seen[Role.ANALYST][1]["index"]["peers_deci"] is None  # type: ignore[index]
