"""Policies from draft to active on a real node: two persons, the engine, the preview."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from node.assessment.policy_file import Language
from node.assessment.policy_kind import ASSESSMENT_POLICY, build_policy_kind
from node.bootstrap.local import build_local_node
from node.bootstrap.member import Node
from node.core.errors import ConflictError, InvariantError, NodeError
from node.core.policies.errors import (
    PolicyChangedError,
    PolicyDayError,
    PolicyEntryError,
    PolicyFaultyError,
    PolicyKindUnknownError,
    PolicyNameError,
    PolicyNotFoundError,
    PolicyNotPlannedError,
    PolicyNotPreviewedError,
    PolicyPlannedError,
    PolicyTakenError,
)
from node.core.policies.kinds import PolicyKind
from node.core.policies.rules_states import (
    Actor,
    Origin,
    PolicySamePersonError,
    PolicyState,
    PolicyStateError,
)
from node.core.policies.service import PolicyService, write_document
from node.core.policies.shipping import PolicyShipping
from node.core.policies.store import PolicyStore
from node.core.policies.tables import policy_active, policy_text
from node.governance.policies.view import list_newer_shipped
from node.rating.scale_kind import RATING_SCALE, build_scale_kind
from node.rating.tables import rating
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


def test_a_new_node_works_at_once_with_what_ships(policies: PolicyService) -> None:
    states = {one.name.label: one.state.value for one in policies.list_versions()}

    assert states == {
        "expert-1": "approved",
        "expert-2": "active",
        "credit-1": "active",
        "risk-1": "approved",
        "risk-2": "active",
        "provision-1": "active",
        "dunning-1": "approved",
        "dunning-2": "active",
        "portfolio-1": "active",
        "gbt22116-1": "approved",
        "association5-1": "approved",
        "gbt22116-2": "active",
        "association5-2": "approved",
        "gbt22116-3": "approved",
        "association5-3": "approved",
        "statistical-1": "active",
        "override-1": "active",
    }
    assert all(one.origin is Origin.SHIPPED for one in policies.list_versions())
    # Criteria lower grades: a house looks at the preview before it takes them.
    newer = list_newer_shipped(policies.list_versions())
    assert [one.name.label for one in newer] == ["gbt22116-3"]


def test_to_enter_what_ships_again_changes_nothing(node: Node, policies: PolicyService) -> None:
    before = policies.list_versions()
    for kind in policies.kinds.values():
        ship(node, kind)

    assert policies.list_versions() == before


def test_a_later_release_brings_its_preset_approved_and_not_active(node: Node) -> None:
    kind = build_policy_kind()
    newer = json.loads(kind.presets[-1]) | {"version": 3}
    later = ship(
        node, _replace(kind, presets=[*kind.presets, write_document(newer)], first="expert-3")
    )

    brought = later.get_named("expert-3")
    assert brought.state is PolicyState.APPROVED
    assert later.get_active(ASSESSMENT_POLICY).name.label == "expert-2"
    newer_shipped = list_newer_shipped(later.list_versions())
    assert "expert-3" in [one.name.label for one in newer_shipped]


def test_what_ships_with_other_bytes_under_its_name_is_our_bug(node: Node) -> None:
    kind = build_policy_kind()
    changed = json.loads(kind.presets[0]) | {"reasons_max": 3}
    wrong = _replace(kind, presets=[write_document(changed)])

    with pytest.raises(InvariantError, match="other bytes"):
        ship(node, wrong)


def test_a_node_of_before_goes_on_with_the_scale_it_had(node: Node) -> None:
    kind = build_scale_kind()
    first = node.local.policies.get_named("gbt22116-1").text.sha256_b64u
    with node.local.database.write() as uow:
        uow.connection.execute(policy_active.delete())
        let_change(uow, "rating")
        uow.connection.execute(update(rating).values(scale_sha256_b64u=first))
    service = ship(node, kind)

    assert service.get_active(RATING_SCALE).name.label == "gbt22116-1"


def _replace(kind: PolicyKind, *, presets: list[bytes], first: str = "expert-1") -> PolicyKind:
    return PolicyKind(name=kind.name, parse=kind.parse, presets=presets, first=first)


def ship(node: Node, kind: PolicyKind, *, release: str = "another one") -> PolicyService:
    database, clock = node.local.database, node.local.clock
    PolicyShipping(database=database, clock=clock, kinds=[kind]).enter_presets(release=release)
    return PolicyService(database=database, clock=clock, kinds=[kind])


def test_criteria_change_as_a_new_version_with_a_preview_and_old_ratings_intact(
    node: Node, policies: PolicyService
) -> None:
    """domain.md §1.1, rating criteria: new version, impact preview, old ratings intact."""
    local = node.local
    former = local.rating.latest_ratings()
    scale = activate(node, approve(policies, draft_of(node, RATING_SCALE, raise_cuts)))
    (first, *_) = former
    rated = local.rating.rate_customer(first.customer_id, as_of=TODAY).rating

    assert (scale.state, scale.name.label) == (PolicyState.ACTIVE, "own-gbt22116-1")
    assert rated.scale.sha256_b64u == scale.text.sha256_b64u
    assert local.rating.list_history(first.customer_id)[1] == first
    told = local.rating.describe(first.grade_with_peers, language=Language.EN, scale=first.scale)
    assert told
    event = scale.find_event(PolicyState.ACTIVE)
    assert event is not None
    assert (event.actor, event.effective_from) == (WANG, TODAY)
    assert policies.get_named("gbt22116-2").state is PolicyState.RETIRED


def test_the_engine_follows_an_activation_at_once_and_explains_the_old_by_the_old(
    node: Node, policies: PolicyService
) -> None:
    local = node.local
    before = local.assessment.assess_customer(1, as_of=TODAY)
    record = activate(node, approve(policies, draft_of(node, ASSESSMENT_POLICY, favour_relation)))
    after = local.assessment.assess_customer(1, as_of=TODAY)

    assert after.own.assessment.policy.sha256_b64u == record.text.sha256_b64u
    assert after.own.assessment.policy.label == "own-expert-1"
    assert after.own.assessment.score_deci != before.own.assessment.score_deci
    old = local.assessment.get_policy(before.own.assessment.policy)
    assert old.reference.label == "expert-2"
    assert old.body.factors[0].points_max_deci == 144
    assert local.assessment.get_policy().body.factors[0].points_max_deci == 44


def test_another_process_sees_the_activation_with_its_next_use_case(
    node: Node, policies: PolicyService
) -> None:
    other = build_local_node(node.local.settings, clock=node.local.clock)
    assert other.assessment.get_policy().reference.label == "expert-2"
    activate(node, approve(policies, draft_of(node, ASSESSMENT_POLICY, favour_relation)))
    pair = other.assessment.assess_customer(1, as_of=TODAY)
    other.close()

    assert pair.own.assessment.policy.label == "own-expert-1"


def test_five_grades_ten_grades_and_a_scale_of_ones_own_can_all_be_active(
    node: Node, policies: PolicyService
) -> None:
    grades = []
    own = approve(policies, draft_of(node, RATING_SCALE, raise_cuts))
    for label in ("association5-2", "own-gbt22116-1", "gbt22116-2"):
        activate(node, policies.get_named(label))
        rated = node.local.rating.rate_customer(3, as_of=TODAY).rating
        grades.append((rated.scale.label, rated.grade_own))

    assert [label for label, _ in grades] == ["association5-2", "own-gbt22116-1", "gbt22116-2"]
    assert grades[0][1] in {"AAA", "AA", "A", "B", "C"}
    assert policies.get(own.version_id).state is PolicyState.RETIRED
    assert [one.state.value for one in policies.get_named("gbt22116-2").events] == [
        "approved", "active", "retired", "active",
    ]  # fmt: skip


def test_bytes_that_are_not_what_was_approved_score_nobody(node: Node) -> None:
    with node.local.database.write() as uow:
        uow.connection.execute(update(policy_text).values(content=b"{}"))
    fresh = build_local_node(node.local.settings, clock=node.local.clock)
    with pytest.raises(InvariantError, match="not what its hash says"):
        fresh.rating.rate_customer(1, as_of=TODAY)
    fresh.close()


@pytest.mark.parametrize(
    "actor",
    [LI, Actor(who="token-1", name="Chen"), Actor(who="token-7", name="L i")],
    ids=["the author", "the author's token", "the author's name"],
)
def test_who_wrote_a_version_does_not_decide_on_it(
    node: Node, policies: PolicyService, actor: Actor
) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)
    seen = record.text.sha256_b64u
    policies.propose(record.version_id, seen_sha256_b64u=seen, entry=by(WANG))

    for is_approved in (True, False):
        with pytest.raises(PolicySamePersonError):
            policies.decide(
                record.version_id,
                is_approved=is_approved,
                seen_sha256_b64u=seen,
                entry=by(actor),
            )
    with pytest.raises(PolicySamePersonError):  # Who proposed stands behind it too.
        policies.decide(record.version_id, is_approved=True, seen_sha256_b64u=seen, entry=by(WANG))
    assert policies.get(record.version_id).state is PolicyState.PROPOSED


def test_the_operator_cannot_do_both_halves_under_two_names(policies: PolicyService) -> None:
    one, other = (Actor(who="operator", name=name) for name in ("Zhang", "Zhao"))
    record = policies.copy(policies.get_active(RATING_SCALE).version_id, entry=by(one))
    seen = record.text.sha256_b64u
    policies.propose(record.version_id, seen_sha256_b64u=seen, entry=by(one))

    with pytest.raises(PolicySamePersonError):
        policies.decide(record.version_id, is_approved=True, seen_sha256_b64u=seen, entry=by(other))


def test_of_two_who_decide_at_once_one_does(node: Node, policies: PolicyService) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)
    seen = record.text.sha256_b64u
    policies.propose(record.version_id, seen_sha256_b64u=seen, entry=by(LI))
    gate = threading.Barrier(6)

    def decide(number: int) -> str:
        actor = LI if number == 0 else Actor(who=f"token-{number + 10}", name=f"P{number}")
        gate.wait()
        try:
            policies.decide(
                record.version_id,
                is_approved=number % 2 == 0,
                seen_sha256_b64u=seen,
                entry=by(actor),
            )
        except NodeError as err:
            return err.code
        return "done"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(decide, range(6)))

    assert outcomes.count("done") == 1
    assert outcomes[0] in {"policy-same-person", "policy-state"}
    assert set(outcomes[1:]) <= {"done", "policy-state"}
    decided = [one for one in policies.get(record.version_id).events if one.state != "proposed"]
    assert len(decided) == 1
    assert decided[0].actor != LI


def test_a_draft_edited_meanwhile_is_not_proposed_nor_overwritten(
    node: Node, policies: PolicyService
) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)
    seen = record.text.sha256_b64u
    change(policies, record, lambda one: one.update(names={"zh": "新", "en": "New"}))

    with pytest.raises(PolicyChangedError):
        policies.propose(record.version_id, seen_sha256_b64u=seen, entry=by(LI))
    with pytest.raises(PolicyChangedError):
        change(policies, record, lambda one: one.update(names={"zh": "旧", "en": "Old"}))
    kept = policies.get(record.version_id)
    assert [one.revision for one in kept.texts] == [1, 2, 3]
    assert b'"New"' in policies.get_content(kept.text.text_id)
    assert policies.get_content(record.text.text_id) != policies.get_content(kept.text.text_id)


def test_the_same_text_again_is_no_further_one(node: Node, policies: PolicyService) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)

    assert change(policies, record, lambda _: None) == record


def test_what_was_proposed_is_not_edited(node: Node, policies: PolicyService) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)
    policies.propose(record.version_id, seen_sha256_b64u=record.text.sha256_b64u, entry=by(LI))

    with pytest.raises(PolicyStateError):
        change(policies, record, lambda one: one.update(names={"zh": "新", "en": "New"}))


def test_a_version_without_a_preview_beside_what_is_active_is_not_activated(
    node: Node, policies: PolicyService
) -> None:
    record = approve(policies, draft_of(node, RATING_SCALE, raise_cuts))
    with pytest.raises(PolicyNotPreviewedError):
        policies.activate(record.version_id, entry=by(WANG), today=TODAY)
    node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)
    activate(node, policies.get_named("association5-2"))

    with pytest.raises(PolicyNotPreviewedError, match="beside association5-2"):
        policies.activate(record.version_id, entry=by(WANG), today=TODAY)
    assert activate(node, record).state is PolicyState.ACTIVE


def test_what_was_rejected_or_withdrawn_is_never_active(
    node: Node, policies: PolicyService
) -> None:
    record = draft_of(node, RATING_SCALE, raise_cuts)
    seen = record.text.sha256_b64u
    policies.propose(record.version_id, seen_sha256_b64u=seen, entry=by(LI))
    policies.decide(record.version_id, is_approved=False, seen_sha256_b64u=seen, entry=by(WANG))
    other = policies.withdraw(draft_of(node, RATING_SCALE, raise_cuts).version_id, entry=by(LI))

    assert other.name.version == record.name.version + 1
    for one in (record, other):
        with pytest.raises(PolicyStateError):
            policies.activate(one.version_id, entry=by(WANG), today=TODAY)
    with pytest.raises(PolicyStateError):
        policies.withdraw(policies.get_named("gbt22116-1").version_id, entry=by(LI))


def test_a_file_is_refused_for_its_id_its_number_its_kind_and_each_wrong_member(
    policies: PolicyService,
) -> None:
    shipped = policies.get_content(policies.get_active(ASSESSMENT_POLICY).text.text_id)
    own: dict[str, Any] = json.loads(shipped) | {"id": "own-expert", "version": 2}
    policies.draft(write_document(own), entry=by(LI))

    with pytest.raises(PolicyNameError):
        policies.draft(shipped, entry=by(LI))
    with pytest.raises(PolicyTakenError, match="next free version is 3"):
        policies.draft(write_document(own), entry=by(LI))
    with pytest.raises(PolicyKindUnknownError):
        policies.draft(write_document(own | {"kind": "wish"}), entry=by(LI))
    wrong = own | {"version": 2, "reasons_max": 0, "prior_invoices": "three"}
    with pytest.raises(PolicyFaultyError) as caught:
        policies.draft(write_document(wrong), entry=by(LI))
    assert {one.path for one in caught.value.faults} == {"reasons_max", "prior_invoices"}
    with pytest.raises(PolicyFaultyError):
        policies.draft(b"[]", entry=by(LI))
    for actor, reason in ((LI, " "), (LI, "a\nb"), (Actor(who="x", name=""), "why")):
        with pytest.raises(PolicyEntryError):
            policies.draft(write_document(own | {"version": 3}), entry=by(actor, reason))


def test_a_version_is_found_by_number_or_label_and_no_other_way(policies: PolicyService) -> None:
    record = policies.get_named("gbt22116-2")

    assert policies.get_named(str(record.version_id)) == record
    for text in ("gbt22116-9", "gbt22116", "-1", "9" * 30, "99999999999", ""):
        with pytest.raises(PolicyNotFoundError):
            policies.get_named(text)


def test_the_database_itself_refuses_a_second_active_version_and_one_of_another_kind(
    node: Node, policies: PolicyService
) -> None:
    scale = policies.get_named("association5-2")
    row = {"version_id": scale.version_id, "text_id": scale.text.text_id}

    for kind in (RATING_SCALE, "decision-policy"):
        with pytest.raises(IntegrityError), node.local.database.write() as uow:
            uow.connection.execute(insert(policy_active).values(kind=kind, **row))
    event = scale.events[0]
    with pytest.raises(IntegrityError), node.local.database.write() as uow:
        PolicyStore(uow.connection).append_event(scale.version_id, event, position=0)


def test_a_step_that_fails_half_way_leaves_nothing(
    node: Node, policies: PolicyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = approve(policies, draft_of(node, RATING_SCALE, raise_cuts))
    node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)

    def fail(*_: object, **__: object) -> None:
        raise ConflictError("the disk")

    monkeypatch.setattr(PolicyStore, "point", fail)
    with pytest.raises(ConflictError):
        policies.activate(record.version_id, entry=by(WANG), today=TODAY)
    monkeypatch.undo()

    assert policies.get(record.version_id).state is PolicyState.APPROVED
    assert policies.get_active(RATING_SCALE).name.label == "gbt22116-2"
    assert policies.get_active(RATING_SCALE).state is PolicyState.ACTIVE


def test_a_version_planned_for_a_day_becomes_active_by_itself(
    node: Node, policies: PolicyService
) -> None:
    planning = node.local.planning
    record = approve(policies, draft_of(node, RATING_SCALE, raise_cuts))
    day = TODAY + timedelta(days=3)
    with pytest.raises(PolicyNotPreviewedError):
        planning.plan(record.version_id, effective_from=day, entry=by(WANG), today=TODAY)
    node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)

    planned = planning.plan(record.version_id, effective_from=day, entry=by(WANG), today=TODAY)

    assert (planned.state, planned.plan and planned.plan.effective_from) == (
        PolicyState.APPROVED,
        day,
    )
    assert [one.version_id for one in planning.list_planned()] == [record.version_id]
    assert planning.activate_due(today=day - timedelta(days=1)) == 0
    assert policies.get_active(RATING_SCALE).version_id != record.version_id
    assert planning.activate_due(today=day + timedelta(days=1)) == 1  # the node stood still
    active = policies.get_active(RATING_SCALE)
    event = active.find_event(PolicyState.ACTIVE)
    assert (active.version_id, event and (event.effective_from, event.actor)) == (
        record.version_id,
        (day, WANG),
    )
    assert planning.list_planned() == []
    assert planning.activate_due(today=day + timedelta(days=1)) == 0


def test_a_plan_stands_against_other_activations_until_it_is_withdrawn(
    node: Node, policies: PolicyService
) -> None:
    planning, day = node.local.planning, TODAY + timedelta(days=1)
    record = approve(policies, draft_of(node, RATING_SCALE, raise_cuts))
    node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)
    planning.plan(record.version_id, effective_from=day, entry=by(WANG), today=TODAY)

    with pytest.raises(PolicyPlannedError):
        policies.activate(record.version_id, entry=by(WANG), today=TODAY)
    with pytest.raises(PolicyPlannedError):
        policies.withdraw(record.version_id, entry=by(LI))
    with pytest.raises(PolicyPlannedError):
        planning.plan(record.version_id, effective_from=day, entry=by(LI), today=TODAY)
    planning.withdraw(record.version_id, entry=by(LI))
    with pytest.raises(PolicyNotPlannedError):
        planning.withdraw(record.version_id, entry=by(LI))

    assert planning.activate_due(today=day) == 0
    assert policies.activate(record.version_id, entry=by(WANG), today=TODAY).state == "active"


@pytest.mark.parametrize("days", [0, -1, 367])
def test_nothing_is_planned_for_a_day_that_is_not_to_come(
    node: Node, policies: PolicyService, days: int
) -> None:
    record = approve(policies, draft_of(node, RATING_SCALE, raise_cuts))
    day = TODAY + timedelta(days=days)

    with pytest.raises(PolicyDayError):
        node.local.planning.plan(record.version_id, effective_from=day, entry=by(WANG), today=TODAY)
