"""The scorecard made ready gives what the plain one of docs/formulas.md gives, all of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.evidence import Figures, LeftOutPeer, OwnEvidence, PeerEvidence
from node.assessment.outside_evidence import (
    ApplicationFacts,
    ListFacts,
    OutsideEvidence,
    ReportFacts,
    ReportKind,
    StatementFacts,
)
from node.assessment.policy import Policy, read_preset_policy
from node.assessment.policy_outside import PublicList
from node.assessment.rules_scorecard import Scorecard
from schemas.summary import Tier
from tests.unit.assessment.builders import AS_OF, LAST_MONTH
from tests.unit.assessment.plain import assess_plainly

POLICIES = [read_preset_policy(label) for label in ("expert-1", "expert-2")]
# One of each for all examples, as a run has it: what an example leaves behind would show.
CARDS = [Scorecard(policy) for policy in POLICIES]
DAYS = st.integers(min_value=-10, max_value=1500).map(lambda days: AS_OF - timedelta(days))
PROVIDERS = st.sampled_from(["beta.example", "gamma.example", "delta.example"])
FIGURES = {
    "index_deci": (-10, 1010),
    "dbt_deci": (-50, 3000),
    "late_permille": (0, 1000),
    "unpaid_permille": (0, 1000),
    "worst_rank": (0, 8),
    "overdue_days": (0, 400),
    "trend_deci": (-10, 10),
    "relation_months": (0, 240),
    "disputed_permille": (0, 1000),
    "adverse_rank": (0, 4),
}
STATEMENT_FIGURES = {
    "current_ratio_centi": (-10, 500),
    "debt_permille": (0, 1500),
    "margin_permille": (-1000, 1000),
    "altman_centi": (-1000, 1500),
    "finance_trend_deci": (-10, 10),
}


def figures(ranges: dict[str, tuple[int, int]]) -> st.SearchStrategy[Figures]:
    members = {
        name: st.none() | st.integers(min_value=low, max_value=high)
        for name, (low, high) in ranges.items()
    }
    return st.builds(Figures, **members)


OWN = st.builds(
    OwnEvidence,
    invoices=st.integers(min_value=0, max_value=60),
    newest_on=st.none() | DAYS,
    as_of=st.just(AS_OF),
    figures=figures(FIGURES),
)
PEER = st.builds(
    PeerEvidence,
    provider=PROVIDERS,
    msg_hash_b64u=st.text("ab", min_size=43, max_size=43),
    received_on=st.just(AS_OF),
    stated_on=DAYS,
    window_first=st.sampled_from([LAST_MONTH - 11, LAST_MONTH - 2]),
    window_end=DAYS,
    tier=st.sampled_from(Tier),
    invoices=st.integers(min_value=0, max_value=100),
    figures=figures(FIGURES),
    group=st.sampled_from(["", "", "north"]),
    contributors=st.sampled_from([1, 1, 3]),
)
PEERS = st.lists(PEER, max_size=4, unique_by=lambda peer: peer.msg_hash_b64u)
LEFT_OUT = st.builds(
    LeftOutPeer,
    provider=PROVIDERS,
    msg_hash_b64u=st.text("cd", min_size=43, max_size=43),
    code=st.sampled_from(["left-out.disputed", "left-out.revoked"]),
)
STATEMENTS = st.builds(
    StatementFacts,
    statement_id=st.integers(min_value=1, max_value=9),
    year_end=DAYS,
    weight_milli=st.sampled_from([0, 500, 1000]),
    figures=figures(STATEMENT_FIGURES),
)
REPORT = st.builds(
    ReportFacts,
    report_id=st.integers(min_value=1, max_value=99),
    agency=st.sampled_from(["any", "Agency"]),
    number=st.just("1"),
    kind=st.just(ReportKind.SCORE),
    scale=st.sampled_from(["points-100", "letters", "none"]),
    printed=st.sampled_from(["0", "41", "87.5", "AA", "?"]),
    issued_on=DAYS,
    expires_on=st.none() | DAYS,
)
LIST = st.builds(
    ListFacts,
    list=st.sampled_from(PublicList),
    check_id=st.integers(min_value=1, max_value=99),
    checked_on=DAYS,
    entries=st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=2).map(tuple),
)
OUTSIDE = st.builds(
    OutsideEvidence,
    statements=st.none() | STATEMENTS,
    reports=st.lists(REPORT, max_size=3, unique_by=lambda one: one.report_id).map(tuple),
    lists=st.lists(LIST, max_size=3, unique_by=lambda one: (one.list, one.check_id)).map(tuple),
    application=st.none()
    | st.builds(
        ApplicationFacts,
        application_id=st.just(1),
        dated_on=DAYS,
        missing=st.integers(min_value=0, max_value=2),
        outdated=st.integers(min_value=0, max_value=2),
    ),
)


EVIDENCE = st.fixed_dictionaries(
    {
        "own": st.none() | OWN,
        "peers": PEERS,
        "left_out": st.lists(LEFT_OUT, max_size=2, unique_by=lambda one: one.msg_hash_b64u),
        "outside": OUTSIDE,
    }
)


@pytest.mark.parametrize(
    ("policy", "card"), list(zip(POLICIES, CARDS, strict=True)), ids=["expert-1", "expert-2"]
)
@given(evidence=EVIDENCE)
def test_what_is_made_ready_scores_as_the_plain_formula(
    policy: Policy, card: Scorecard, evidence: dict[str, Any]
) -> None:
    ready = card.assess(as_of=AS_OF, **evidence)

    assert ready == assess_plainly(policy=policy, as_of=AS_OF, **evidence)
