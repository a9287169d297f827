"""What a policy would change: worked out before it is active, and kept as a summary alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from node.assessment.policy_kind import ASSESSMENT_POLICY
from node.assessment.tables import assessment
from node.bootstrap.member import Node
from node.core.errors import NodeError, OverloadedError
from node.core.policies.errors import (
    PolicyChangedError,
)
from node.core.policies.rules_states import (
    PolicyState,
)
from node.core.policies.service import PolicyService
from node.core.policies.tables import policy_event
from node.governance.policies.desk import PreviewStoppedError
from node.rating.preview.service import PreviewKindError
from node.rating.scale_kind import RATING_SCALE
from node.rating.tables import rating
from tests.support.console_node import receive_summary
from tests.support.policies import let_change
from tests.support.policy_desk import (
    LI,
    TODAY,
    WANG,
    activate,
    approve,
    build_policy_node,
    by,
    change,
    draft_of,
    favour_relation,
    preview,
    raise_cuts,
)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    built = build_policy_node(tmp_path)
    yield built
    built.local.close()


@pytest.fixture
def policies(node: Node) -> PolicyService:
    return node.local.policies


def count_rows(node: Node) -> tuple[int, int, int]:
    with node.local.database.read() as uow:
        return tuple(  # type: ignore[return-value]  # three tables, three counts
            uow.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (assessment, rating, policy_event)
        )


def test_a_preview_says_what_activation_then_does_and_keeps_nothing_else(
    node: Node, policies: PolicyService
) -> None:
    record = draft_of(node, ASSESSMENT_POLICY, favour_relation)
    before = count_rows(node)
    found = preview(node, record)
    assert count_rows(node) == before
    former = {one.customer_id: one for one in node.local.rating.latest_ratings()}

    activate(node, approve(policies, record))
    node.local.runs.run(as_of=TODAY, by="test")

    now = {one.customer_id: one for one in node.local.rating.latest_ratings()}
    changes = {
        key: (now[key].score_own_deci or 0) - (former[key].score_own_deci or 0) for key in now
    }
    assert found["customers"] == len(now) == 6
    assert found["moved_since_rating"] == 0
    assert found["change_mean_milli"] == round(sum(changes.values()) * 100 / 6)
    assert found["changed"] == sum(
        now[key].grade_with_peers != former[key].grade_with_peers for key in now
    )
    for grade, count in found["counts_after"].items():
        assert count == sum(one.grade_with_peers == grade for one in now.values())
    moved = {one["customer"]: one["change_deci"] for one in found["moves"]}
    assert moved == {key: change for key, change in changes.items() if change}
    assert found["moves"][0]["reasons"][0]["factor"] == "index"


def test_a_preview_reads_the_evidence_as_it_is_now_with_peers(node: Node) -> None:
    record = draft_of(node, ASSESSMENT_POLICY, favour_relation)
    first = preview(node, record)
    receive_summary(node, node.local.records.get_customer(1))

    second = preview(node, record)

    assert first["moved_since_rating"] == 0
    assert second["moved_since_rating"] == 1
    assert second["matrix"] != first["matrix"]


def test_a_scale_alone_grades_the_scores_that_are_kept(node: Node) -> None:
    with node.local.database.write() as uow:
        let_change(uow, "assessment")
        uow.connection.execute(update(assessment).values(score_deci=920))
    found = preview(node, draft_of(node, RATING_SCALE, raise_cuts))

    assert found["scores"] == "as kept"
    assert found["counts_before"]["AAA"] == found["counts_after"]["AA"] == 6
    assert (found["rescored"], found["change_mean_milli"]) == (0, 0)
    assert found["worse"] == 6


def test_a_scale_that_calls_other_facts_a_default_says_who_gains_and_loses_it(node: Node) -> None:
    node.local.records.record_adverse_event(
        2, kind="legal", happened_on=date(2026, 5, 1), settled_on=None, evidence_sha256_hex="a" * 64
    )
    node.local.records.record_adverse_event(
        3,
        kind="write_off",
        happened_on=date(2026, 5, 1),
        settled_on=None,
        evidence_sha256_hex="b" * 64,
    )

    def call_legal(document: dict[str, Any]) -> None:
        document["default"]["own_events"] = ["legal", "insolvency"]

    found = preview(node, draft_of(node, RATING_SCALE, call_legal))

    assert found["default_gained"] == {"count": 1, "customers": [2]}
    assert found["default_lost"] == {"count": 1, "customers": [3]}


def test_a_preview_goes_batch_by_batch_and_tells_how_far_it_is(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = draft_of(node, ASSESSMENT_POLICY, favour_relation)
    whole = preview(node, record)
    monkeypatch.setattr("node.rating.preview.service.PREVIEW_BATCH_CUSTOMERS", 2)
    told: list[tuple[int, int]] = []
    kept = node.local.previews.preview(
        record.version_id,
        as_of=TODAY,
        actor=LI,
        on_progress=lambda done, total: told.append((done, total)),
    )

    assert told == [(2, 6), (4, 6), (6, 6)]
    assert json.loads(kept.summary_json) == whole


def test_a_preview_of_what_was_edited_or_overtaken_meanwhile_is_not_kept(
    node: Node, policies: PolicyService
) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)

    def edit(_done: int, _total: int) -> None:
        change(policies, record, lambda one: one.update(names={"zh": "新", "en": "New"}))

    with pytest.raises(PolicyChangedError):
        node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI, on_progress=edit)
    assert policies.find_preview(record.version_id) is None


def test_a_kind_that_changes_no_grade_has_no_preview_and_needs_none(
    node: Node, policies: PolicyService
) -> None:
    record = approve(
        policies, draft_of(node, "training-policy", lambda one: one.update(reasons_max=3))
    )

    with pytest.raises(PreviewKindError):
        node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)
    active = policies.activate(record.version_id, entry=by(WANG), today=TODAY)
    assert active.state is PolicyState.ACTIVE


def test_a_node_that_ends_stops_a_preview_at_its_next_batch(node: Node) -> None:
    desk = node.local.preview_desk
    version_id = node.local.policies.get_named("association5-2").version_id

    async def run() -> NodeError | None:
        desk.stop()
        job = desk.start(version_id, as_of=TODAY, actor=LI)
        assert desk.start(version_id, as_of=TODAY, actor=LI) is job
        with pytest.raises(OverloadedError):
            desk.start(version_id + 1, as_of=TODAY, actor=LI)
        assert job.task is not None
        await asyncio.wait([job.task])
        return job.failure

    failure = asyncio.run(run())

    assert isinstance(failure, PreviewStoppedError)
    assert node.local.policies.find_preview(version_id) is None
