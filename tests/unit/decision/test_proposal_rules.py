"""What is proposed by grade, law and wish, and what nobody may decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from node.assessment.policy import ConfidenceLevel
from node.decision.policy import (
    BuyerKind,
    DecisionPolicy,
    Monitoring,
    Security,
    read_preset_decision_policy,
)
from node.decision.rules_limit import LimitInputs, OwnCredit, Reference, StatementFigures
from node.decision.rules_proposal import (
    Circumstances,
    GradeUnknownError,
    Outcome,
    Proposal,
    RatedAs,
    build_proposal,
    express,
    list_faults,
)

POLICY = read_preset_decision_policy()
AS_OF = date(2026, 6, 30)
INPUTS = LimitInputs(
    currency="CNY",
    as_of=AS_OF,
    statement=StatementFigures(
        ref="7",
        year_end=date(2025, 12, 31),
        age_days=181,
        equity_minor=200_000_000,
        current_assets_minor=None,
        current_liabilities_minor=None,
    ),
    references=tuple(
        Reference(ref=str(minor), provider="p", lower_minor=minor)
        for minor in (10_000_000, 15_000_000, 25_000_000)
    ),
    own=OwnCredit(high_minor=30_000_000, invoices=9, months=24, sales_year_minor=1),
    need_year_minor=120_000_000,
)
RATED = RatedAs(
    rating_id=1,
    grade_own="A",
    grade_with_peers="A",
    confidence=ConfidenceLevel.HIGH,
    holds_until=date(2027, 6, 30),
)
CHINA = Circumstances(country="CN", buyer=BuyerKind.COMPANY)


def propose(
    grade: str = "A",
    *,
    inputs: LimitInputs = INPUTS,
    circumstances: Circumstances = CHINA,
    own: str | None = None,
    policy: DecisionPolicy = POLICY,
) -> Proposal:
    rated = replace(RATED, grade_with_peers=grade, grade_own=own or grade)
    return build_proposal(inputs, rated=rated, policy=policy, circumstances=circumstances)


def test_the_worked_case_as_a_whole() -> None:
    content = propose("A").proposed.content

    assert (content.outcome, content.limit_minor, content.terms_days) == (
        Outcome.CREDIT,
        15_000_000,
        60,
    )
    assert (content.security, content.monitoring) == (Security.NONE, Monitoring.NORMAL)
    assert (content.valid_until, content.review_on) == (date(2027, 6, 30), date(2027, 5, 31))


def test_half_of_it_for_bb_since_its_need_with_shorter_terms_is_the_least() -> None:
    """30 + 15 days of 1.2 m are 147 945.21, less than the references: half, rounded down."""
    proposed = propose("BB").proposed

    assert proposed.content.limit_minor == 7_390_000
    assert proposed.reasons == ("arm-need", "grade-share")
    assert proposed.content.security is Security.RETENTION_OF_TITLE


def test_what_peers_change_is_told_beside() -> None:
    proposal = propose("A", own="BB")

    assert proposal.proposed.content.limit_minor == 15_000_000
    assert proposal.without_peers.content.limit_minor == 7_390_000
    arm = next(one for one in proposal.without_peers.arms if one.code == "references")
    assert (arm.amount_minor, arm.why) == (None, "no-references")


@pytest.mark.parametrize("grade", ["B", "CCC", "CC", "C", "D"])
def test_a_grade_of_high_risk_is_watched_and_has_a_review_date(grade: str) -> None:
    proposed = propose(grade).proposed
    content = proposed.content

    assert content.monitoring is not Monitoring.NORMAL
    assert content.review_on is not None
    assert "high-risk" in proposed.reasons
    assert list_faults(
        replace(content, monitoring=Monitoring.NORMAL, review_on=None), policy=POLICY, as_of=AS_OF
    ) == ("no-dates", "unwatched")


@pytest.mark.parametrize("grade", ["CC", "C"])
def test_a_grade_without_a_share_is_prepaid(grade: str) -> None:
    content = propose(grade).proposed.content

    assert (content.outcome, content.limit_minor, content.terms_days) == (Outcome.PREPAY, 0, 0)


def test_a_default_stops_or_is_prepaid_as_the_policy_says() -> None:
    body = POLICY.body
    stopping = body.default.model_copy(update={"outcome": "stop"})
    stopped = replace(POLICY, body=body.model_copy(update={"default": stopping}))

    assert propose("D").proposed.content.outcome is Outcome.PREPAY
    assert propose("D", policy=stopped).proposed.content.outcome is Outcome.STOP
    assert propose("D").proposed.content.limit_minor == 0


def test_without_data_there_is_a_starter_amount_at_most() -> None:
    proposed = propose("NR").proposed
    content = proposed.content

    assert (content.outcome, content.limit_minor, content.terms_days) == (
        Outcome.STARTER,
        2_000_000,
        30,
    )
    assert proposed.reasons == ("no-data", "starter")
    assert content.monitoring is Monitoring.WATCH


def test_without_data_and_a_starter_amount_it_is_prepaid() -> None:
    starter = POLICY.body.starter.model_copy(update={"upto_minor": 0})
    policy = replace(POLICY, body=POLICY.body.model_copy(update={"starter": starter}))

    content = propose("NR", policy=policy).proposed.content

    assert (content.outcome, content.limit_minor) == (Outcome.PREPAY, 0)


def test_a_wish_for_less_than_the_starter_amount_is_what_it_gets() -> None:
    proposed = propose("NR", inputs=replace(INPUTS, requested_minor=1_234_567)).proposed

    assert proposed.content.limit_minor == 1_230_000
    assert proposed.reasons == ("no-data", "cap-requested")


def test_a_grade_without_any_evidence_gets_its_share_of_the_starter_amount() -> None:
    bare = LimitInputs(currency="CNY", as_of=AS_OF, need_year_minor=120_000_000)
    proposed = propose("BB", inputs=bare).proposed

    assert (proposed.content.outcome, proposed.content.limit_minor) == (Outcome.STARTER, 1_000_000)
    assert proposed.reasons[0] == "no-capacity"


def test_not_assessed_is_no_limit_and_not_a_limit_of_0() -> None:
    proposal = build_proposal(INPUTS, rated=None, policy=POLICY, circumstances=CHINA)
    content = proposal.proposed.content

    assert (content.outcome, content.limit_minor) == (Outcome.NOT_ASSESSED, None)
    assert proposal.proposed.reasons == ("rating-missing",)
    assert proposal.confidence is ConfidenceLevel.NONE
    assert "not-assessed" in list_faults(content, policy=POLICY, as_of=AS_OF)


def test_an_expired_rating_is_no_rating() -> None:
    rated = replace(RATED, holds_until=date(2026, 6, 29))
    proposal = build_proposal(INPUTS, rated=rated, policy=POLICY, circumstances=CHINA)

    assert proposal.proposed.content.outcome is Outcome.NOT_ASSESSED
    assert proposal.proposed.reasons == ("rating-expired",)


def test_a_decision_holds_no_longer_than_its_rating() -> None:
    rated = replace(RATED, holds_until=date(2026, 8, 1))
    content = build_proposal(
        INPUTS, rated=rated, policy=POLICY, circumstances=CHINA
    ).proposed.content

    assert (content.valid_until, content.review_on) == (date(2026, 8, 1), date(2026, 7, 2))


@pytest.mark.parametrize(
    ("asked", "terms", "reason"),
    [(45, 45, "terms-requested"), (120, 60, "terms-of-grade"), (60, 60, None)],
)
def test_terms_are_the_shorter_of_wish_and_grade(
    asked: int, terms: int, reason: str | None
) -> None:
    proposed = propose(circumstances=replace(CHINA, requested_terms_days=asked)).proposed

    assert proposed.content.terms_days == terms
    assert reason is None or reason in proposed.reasons


def test_the_law_cuts_the_terms_of_a_large_company_in_china() -> None:
    large = replace(CHINA, buyer=BuyerKind.LARGE_COMPANY)
    proposed = propose("AAA", circumstances=large).proposed

    assert proposed.content.terms_days == 60
    assert "terms-statutory" in proposed.reasons
    assert [one.lint_id for one in proposed.lints] == ["cn-802-large"]


def test_a_confidence_is_never_above_the_ratings_or_what_the_figures_carry() -> None:
    few = replace(INPUTS, references=(), statement=None)

    assert propose().confidence is ConfidenceLevel.HIGH
    assert propose(inputs=replace(INPUTS, references=())).confidence is ConfidenceLevel.MEDIUM
    assert propose(inputs=few).confidence is ConfidenceLevel.LOW


def test_a_grade_that_the_policy_does_not_know_is_refused() -> None:
    with pytest.raises(GradeUnknownError):
        propose("AB")


def test_without_a_rate_into_another_currency_there_is_no_starter_amount() -> None:
    body = express(POLICY.body, lambda _minor: None)

    assert body.starter.upto_minor == 0
    assert body.arms.insurer_uninsured_minor == 0
    assert express(POLICY.body, lambda minor: minor // 8).starter.upto_minor == 250_000


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"limit_minor": 0}, ("limit-of-credit",)),
        ({"limit_minor": None}, ("not-assessed", "limit-of-credit")),
        ({"outcome": Outcome.PREPAY}, ("limit-of-none", "terms-of-none")),
        ({"outcome": Outcome.STOP, "limit_minor": 0, "terms_days": 0}, ()),
        ({"valid_until": date(2026, 6, 29)}, ("validity", "review-late")),
        ({"valid_until": date(2029, 7, 1)}, ("validity",)),
        ({"review_on": date(2027, 7, 1)}, ("review-late",)),
        ({"grade": "D"}, ("unwatched", "in-default")),
    ],
)
def test_what_nobody_may_decide(change: dict[str, object], faults: tuple[str, ...]) -> None:
    content = replace(propose().proposed.content, **change)  # type: ignore[arg-type]

    assert list_faults(content, policy=POLICY, as_of=AS_OF) == faults
