"""Caps by evidence and triggers: what lowers a grade, in which order, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from node.assessment.evidence import Figures, OwnEvidence, PeerEvidence, build_peer_evidence
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence, StatementFacts
from node.assessment.policy import ConfidenceLevel, read_preset_policy
from node.assessment.policy_file import Language, PolicyInvalidError
from node.assessment.policy_parts import Source
from node.rating.applied_text import format_applied, parse_applied
from node.rating.criteria import Fact
from node.rating.rules_criteria import Applied, Facts, Mark, MarkKind, apply_criteria
from node.rating.rules_grade import grade
from node.rating.rules_grading import (
    GradingEvidence,
    Scored,
    grade_customer,
    grade_one,
    read_facts,
)
from node.rating.scale import parse_scale, read_preset_bytes, read_preset_scale
from node.records.incidents import Incidents
from tests.support.policies import fix_scale
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room, build_room

SCALE = read_preset_scale("gbt22116-3")
FIVE = read_preset_scale("association5-3")
FINE = Facts(
    numbers={
        Fact.OWN_INVOICES: 40,
        Fact.STATEMENT_MONTHS: 8,
        Fact.SOURCES_BESIDE_PEERS: 2,
        Fact.OVERDUE_DAYS: 0,
        Fact.DISHONOURED_BILLS: 0,
        Fact.BROKEN_PROMISES: 0,
        Fact.ALTMAN_CENTI: 300,
        Fact.LISTED: 0,
    },
    confidence=ConfidenceLevel.HIGH,
    own_adverse=(),
    peers_adverse=(),
)


def facts(**numbers: int | None) -> Facts:
    return replace(FINE, numbers={**FINE.numbers, **{Fact(k): v for k, v in numbers.items()}})


def lowered(score_deci: int, given: Facts) -> tuple[str, list[str]]:
    first = grade(score_deci=score_deci, scale=SCALE.body, default_event=False)
    last, applied = apply_criteria(first, given, SCALE.body)
    assert applied.score_grade == first.symbol
    return last.symbol, [one.criterion_id for one in applied.marks if one.lowers]


@pytest.mark.parametrize(
    ("given", "symbol", "why"),
    [
        (FINE, "AAA", []),
        (facts(statement_months=None), "A", ["no-statements"]),
        (facts(statement_months=23), "AAA", []),
        (facts(statement_months=24), "AA", ["old-statements"]),
        (facts(own_invoices=5), "AAA", []),
        (facts(own_invoices=4), "A", ["short-own-history"]),
        (facts(own_invoices=0), "BBB", ["no-own-history"]),
        (facts(sources_beside_peers=0), "BBB", ["only-peers"]),
        (replace(FINE, confidence=ConfidenceLevel.MEDIUM), "AAA", []),
        (replace(FINE, confidence=ConfidenceLevel.LOW), "A", ["low-confidence"]),
        (facts(overdue_days=59), "AAA", []),
        (facts(overdue_days=60), "AA", ["overdue-60"]),
        (facts(overdue_days=90), "B", ["overdue-60", "overdue-90"]),
        (facts(dishonoured_bills=1), "A", ["bill-dishonoured"]),
        (facts(broken_promises=1), "AAA", []),
        (facts(broken_promises=2), "AA", ["promises-broken"]),
        (facts(altman_centi=110), "AAA", []),
        (facts(altman_centi=109), "AA", ["altman-distress"]),
        (facts(altman_centi=None), "AAA", []),
        (replace(FINE, own_adverse=("collection",)), "BB", ["collection-open"]),
        (replace(FINE, own_adverse=("legal", "write_off")), "B", ["legal-open"]),
        (replace(FINE, peers_adverse=("legal",)), "AA", ["peers-legal-open"]),
        (facts(listed=1), "CCC", ["listed"]),
        (facts(listed=None), "AAA", []),
        # Caps first, then notches from there.
        (facts(own_invoices=4, broken_promises=2), "BBB", ["short-own-history", "promises-broken"]),
    ],
)  # fmt: skip
def test_a_grade_is_lowered_by_what_the_scale_names(
    given: Facts, symbol: str, why: list[str]
) -> None:
    assert lowered(950, given) == (symbol, why)


def test_nothing_raises_a_grade_and_notches_end_at_the_last_grade_of_a_score() -> None:
    worst = facts(
        overdue_days=90, dishonoured_bills=3, broken_promises=9, altman_centi=-50, listed=2
    )

    assert lowered(450, facts(statement_months=None)) == ("B", [])
    assert lowered(250, worst) == ("C", ["overdue-60"])


@pytest.mark.parametrize(("score_deci", "is_default"), [(950, True), (None, True), (None, False)])
def test_a_default_and_a_missing_grade_stay_what_they_are(
    score_deci: int | None, *, is_default: bool
) -> None:
    given = grade(score_deci=score_deci, scale=SCALE.body, default_event=is_default)

    last, applied = apply_criteria(given, facts(listed=1), SCALE.body)

    assert last == given
    assert applied.marks == ()


def test_a_mark_tells_its_figure_and_of_what_peers_said_none() -> None:
    given = replace(
        facts(overdue_days=75), own_adverse=("legal", "write_off"), peers_adverse=("legal",)
    )

    _, applied = apply_criteria(
        grade(score_deci=950, scale=SCALE.body, default_event=False), given, SCALE.body
    )

    figures = {one.criterion_id: one.figure for one in applied.marks}
    assert figures == {"overdue-60": "75", "legal-open": "legal", "peers-legal-open": ""}


def test_what_held_without_lowering_any_more_is_kept_too() -> None:
    applied = apply_criteria(
        grade(score_deci=950, scale=FIVE.body, default_event=False),
        facts(statement_months=None, own_invoices=0),
        FIVE.body,
    )[1]

    kept = parse_applied(format_applied(applied, applied))

    assert [(one.criterion_id, one.lowers) for one in applied.marks] == [
        ("no-own-history", True),
        ("short-own-history", False),
        ("no-statements", False),
    ]
    assert kept == (applied, applied)


def test_kept_criteria_differ_with_peers_and_are_nothing_where_there_were_none() -> None:
    mark = Mark(kind=MarkKind.CAP, criterion_id="only-peers", figure="0", before="AA", after="BBB")
    own, with_peers = Applied(score_grade="NR", marks=()), Applied(score_grade="AA", marks=(mark,))

    assert parse_applied(format_applied(own, with_peers)) == (own, with_peers)
    assert format_applied(None, None) is None
    assert parse_applied(None) == (None, None)


@pytest.mark.parametrize(
    ("year_end", "months"),
    [
        (date(2025, 12, 31), 10),
        (date(2026, 5, 31), 5),
        (date(2025, 11, 24), 12),
        (date(2025, 11, 25), 11),
    ],
)
def test_statements_age_by_whole_months(year_end: date, months: int) -> None:
    statements = StatementFacts(
        statement_id=1, year_end=year_end, weight_milli=1000, figures=Figures(altman_centi=90)
    )
    evidence = GradingEvidence(own=None, peers=(), outside=OutsideEvidence(statements=statements))

    found = read_facts(evidence, _scored(700), as_of=AS_OF)

    assert found.numbers[Fact.STATEMENT_MONTHS] == months
    assert found.numbers[Fact.ALTMAN_CENTI] == 90


def test_the_grade_without_peers_knows_nothing_of_them() -> None:
    own = OwnEvidence(
        invoices=9, newest_on=AS_OF, as_of=AS_OF, figures=Figures(overdue_days=0, relation_months=9)
    )
    told = _peer(open_adverse=("legal", "insolvency"))
    evidence = GradingEvidence(own=own, peers=[told], outside=NOTHING_OUTSIDE)

    grades = grade_customer(
        evidence, own=_scored(950), with_peers=_scored(950), scale=SCALE.body, as_of=AS_OF
    )

    assert (grades.own, grades.with_peers) == ("A", "D")
    assert grades.default_events == ("insolvency",)
    former = grade_one(
        evidence, _scored(950), scale=read_preset_scale("gbt22116-2").body, as_of=AS_OF
    )
    assert former.applied.marks == ()


def test_incidents_reach_the_grade() -> None:
    own = OwnEvidence(invoices=9, newest_on=AS_OF, as_of=AS_OF, figures=Figures())
    evidence = GradingEvidence(
        own=own,
        peers=(),
        outside=NOTHING_OUTSIDE,
        incidents=Incidents(dishonoured_bills=1, broken_promises=2),
    )

    graded = grade_one(evidence, _scored(950), scale=SCALE.body, as_of=AS_OF)

    assert graded.grade.symbol == "B"  # A at best without statements, then three notches


def _scored(score_deci: int | None) -> Scored:
    return Scored(
        score_deci=score_deci,
        confidence=ConfidenceLevel.HIGH,
        sources=frozenset({Source.OWN}),
    )


def _peer(*, open_adverse: tuple[str, ...]) -> PeerEvidence:
    record = build_record(build_summary())
    assert record.summary is not None
    bands = read_preset_policy().body.bands
    built = build_peer_evidence(record, record.summary, bands=bands)
    return replace(built, open_adverse=open_adverse)


def _change(**members: Any) -> bytes:  # noqa: ANN401  plain JSON
    document = json.loads(read_preset_bytes("gbt22116-3"))
    document.update(members)
    return json.dumps(document).encode()


CAP = {"id": "x", "names": {"zh": "x", "en": "x"}, "best": "A"}
TRIGGER = {"id": "x", "names": {"zh": "x", "en": "x"}, "notches": 1}
OVERDUE = {"fact": "overdue_days", "at_least": 1}


@pytest.mark.parametrize(
    "members",
    [
        {"caps": [{**CAP, "best": "D", "when": OVERDUE}]},
        {"caps": [{**CAP, "best": "NR", "when": OVERDUE}]},
        {"triggers": [{**TRIGGER, "notches": 0, "when": OVERDUE}]},
        {"triggers": [{**TRIGGER, "at_most": "B", "when": OVERDUE}]},
        {"triggers": [{"id": "x", "names": TRIGGER["names"], "at_most": "D", "when": OVERDUE}]},
        {"caps": [{**CAP, "when": OVERDUE}, {**CAP, "when": OVERDUE}]},
        {"caps": [{**CAP, "when": OVERDUE}], "triggers": [{**TRIGGER, "when": OVERDUE}]},
        {"caps": [{**CAP, "when": {**OVERDUE, "below": 9}}]},
        {"caps": [{**CAP, "when": {"fact": "overdue_days"}}]},
        {"caps": [{**CAP, "when": {"fact": "confidence", "below": 2}}]},
        {"caps": [{**CAP, "when": {"fact": "own_adverse", "at_least": 1}}]},
        {"caps": [{**CAP, "when": {"fact": "altman_centi", "kinds": ["legal"]}}]},
        {"caps": []},
    ],
)
def test_criteria_that_cannot_be_meant_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(PolicyInvalidError):
        parse_scale(_change(**members))


def test_every_criterion_of_both_scales_has_words_of_its_own() -> None:
    for scale in (SCALE, FIVE):
        for one in scale.body.criteria:
            words = {scale.describe_criterion(one.id, language) for language in Language}
            assert len(words) == 2


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path, scale=SCALE)
    yield built
    built.database.dispose()


def test_one_customer_and_a_run_keep_the_same_criteria(room: Room) -> None:
    long = room.add_invoices("long", [0] * 12)
    short = room.add_invoices("short", [0, 0, 0])
    room.inbox.records.append(build_record(build_summary(subject="sim:short")))
    alone = {key: room.rating.rate_customer(key, as_of=AS_OF).rating for key in (long, short)}

    room.runs.run(as_of=AS_OF, by="test")

    for key, single in alone.items():
        run = room.rating.find_latest(key)
        assert run is not None
        assert run.run_id is not None
        assert (run.own_applied, run.with_peers_applied) == (
            single.own_applied,
            single.with_peers_applied,
        )
        assert (run.grade_own, run.grade_with_peers) == (single.grade_own, single.grade_with_peers)
    kept = alone[long].own_applied
    assert kept is not None
    assert (kept.score_grade, alone[long].grade_own) == ("AA", "A")
    assert "no-statements" in {one.criterion_id for one in kept.marks}


def test_a_rating_by_a_scale_without_criteria_has_none(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    key = room.add_invoices("plain", [0] * 12)

    rating = room.rating.rate_customer(key, as_of=AS_OF).rating
    room.database.dispose()

    assert (rating.own_applied, rating.with_peers_applied) == (None, None)
    assert fix_scale().active.body.criteria == ()
