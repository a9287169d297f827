"""Evidence from outside, as tests build it."""

from datetime import date, timedelta

from node.assessment.evidence import Figures
from node.assessment.outside_evidence import (
    ApplicationFacts,
    ListFacts,
    OutsideEvidence,
    ReportFacts,
    ReportKind,
    StatementFacts,
)
from node.assessment.policy_outside import PublicList
from tests.unit.assessment.builders import AS_OF

STRONG = Figures(
    current_ratio_centi=200,
    debt_permille=300,
    margin_permille=150,
    altman_centi=400,
    finance_trend_deci=10,
)
WEAK = Figures(
    current_ratio_centi=0,
    debt_permille=1000,
    margin_permille=-100,
    altman_centi=-200,
    finance_trend_deci=-10,
)


def build_statements(
    figures: Figures = STRONG, *, age_days: int = 100, weight_milli: int = 1000
) -> StatementFacts:
    return StatementFacts(
        statement_id=1,
        year_end=AS_OF - timedelta(days=age_days),
        weight_milli=weight_milli,
        figures=figures,
    )


def build_report(
    printed: str = "80",
    *,
    scale: str = "points-100",
    agency: str = "Bureau",
    age_days: int = 10,
    expires_on: date | None = None,
    report_id: int = 1,
) -> ReportFacts:
    return ReportFacts(
        report_id=report_id,
        agency=agency,
        number=f"N{report_id}",
        kind=ReportKind.SCORE,
        scale=scale,
        printed=printed,
        issued_on=AS_OF - timedelta(days=age_days),
        expires_on=expires_on,
    )


def build_lists(
    *, age_days: int = 5, **entries: tuple[tuple[date, date | None], ...]
) -> tuple[ListFacts, ...]:
    return tuple(
        ListFacts(
            list=name,
            check_id=number,
            checked_on=AS_OF - timedelta(days=age_days),
            entries=entries.get(name.value.replace("-", "_"), ()),
        )
        for number, name in enumerate(PublicList, start=1)
    )


def build_application(
    *, age_days: int = 30, missing: int = 0, outdated: int = 0
) -> ApplicationFacts:
    return ApplicationFacts(
        application_id=1,
        dated_on=AS_OF - timedelta(days=age_days),
        missing=missing,
        outdated=outdated,
    )


def build_whole() -> OutsideEvidence:
    return OutsideEvidence(
        statements=build_statements(),
        reports=(build_report(),),
        lists=build_lists(),
        application=build_application(),
    )
