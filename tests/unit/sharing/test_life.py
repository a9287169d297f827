"""How long a received body stays, and what counts as a change worth telling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.sharing.received import count_months, list_changes, list_sections, read_told
from node.sharing.rules_life import NEVER_S, REVOKED_GRACE_S, LifeEnd, get_life_end
from protocol.consent import Span
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from schemas.notices import CorrectBody, PushBody
from schemas.summary import Index, OverdueNow, Section, Summary, Trend
from tests.support.forging import build_consent
from tests.support.nodes import NOW_S

DAY_S = 86_400
CONSENT = replace(build_consent(now_s=NOW_S), data_life=Span(unit="day", n=3))
SUMMARY = Summary.from_object(
    {
        "v": 1,
        "kind": "payment-behaviour-summary",
        "formula": "pbs-1",
        "tier": "full",
        "subject": "sim:S000001",
        "window": {"first": "2025-06", "last": "2026-05", "as_of": "2026-06-05"},
        "contributors": 1,
        "index": {"value": 80, "weighting": "amount"},
        "overdue_now": {"as_of": "2026-06-30", "oldest": "none"},
    }
)


@pytest.mark.parametrize(
    ("revoked_s", "end"),
    [
        (None, LifeEnd(at_s=NOW_S + 3 * DAY_S, basis="data-life")),
        (NOW_S, LifeEnd(at_s=NOW_S + REVOKED_GRACE_S, basis="revoked")),
        (NOW_S + 2 * DAY_S, LifeEnd(at_s=NOW_S + 3 * DAY_S, basis="data-life")),
        (NOW_S + 9 * DAY_S, LifeEnd(at_s=NOW_S + 3 * DAY_S, basis="data-life")),
    ],
    ids=["not revoked", "at once", "a day before the end", "after the end"],
)
def test_a_life_ends_at_the_earlier_of_data_life_and_a_day_after_the_withdrawal(
    revoked_s: int | None, end: LifeEnd
) -> None:
    assert get_life_end(CONSENT, received_s=NOW_S, revoked_s=revoked_s) == end


def test_only_a_legal_basis_of_the_consent_overrides_both() -> None:
    legal = replace(CONSENT, basis="legal")

    assert get_life_end(legal, received_s=NOW_S, revoked_s=NOW_S) == LifeEnd(
        at_s=NEVER_S, basis="legal"
    )


def test_a_summary_is_found_in_whatever_carried_it() -> None:
    name = encode_b64u(bytes(32))
    push = PushBody(v=1, kind="push", consent=name, changed=[Section.INDEX], summary=SUMMARY)
    correct = CorrectBody(
        v=1, kind="correct", supersedes=name, consent=name, reason="records-corrected"
    )

    assert read_told(SUMMARY.to_bytes()) == read_told(push.to_bytes()) == SUMMARY
    assert read_told(correct.to_bytes()) is None
    with pytest.raises(ProtocolError):
        read_told(b"{}")


def test_sections_and_months_are_those_of_the_summary() -> None:
    assert list_sections(SUMMARY) == [Section.INDEX, Section.OVERDUE_NOW]
    assert count_months(SUMMARY) == 12


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, []),
        ({"index": Index(value=75, weighting="amount")}, [Section.INDEX]),
        ({"overdue_now": OverdueNow(as_of="2026-07-01", oldest="none")}, []),
        ({"overdue_now": OverdueNow(as_of="2026-07-01", oldest=">90")}, [Section.OVERDUE_NOW]),
        ({"trend": Trend(direction="same")}, []),
        ({"index": None}, []),
    ],
    ids=["same", "band", "another day", "class", "not asked for before", "not there now"],
)
def test_a_change_is_one_of_a_band_or_class(
    changes: dict[str, object], changed: list[Section]
) -> None:
    assert list_changes(SUMMARY, SUMMARY.model_copy(update=changes)) == changed


def test_a_first_summary_and_another_tier_are_new_as_a_whole() -> None:
    mix = SUMMARY.model_copy(update={"tier": "mix"})

    assert list_changes(None, SUMMARY) == list_sections(SUMMARY)
    assert list_changes(mix, SUMMARY) == list_sections(SUMMARY)
