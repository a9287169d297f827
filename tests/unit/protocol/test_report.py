"""An audit report for machines and for people."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from protocol.audit.findings import (
    AnchorReport,
    ConsentReport,
    Evidence,
    ExchangeReport,
    ExitStatus,
    Finding,
    LogReport,
    Outcome,
    Place,
    RegistryReport,
    Report,
    Totals,
    Verdict,
    weigh,
)
from protocol.report import (
    EXCHANGES_SHOWN_MAX,
    FINDINGS_SHOWN_MAX,
    FROM_BUNDLE_WARNING,
    build_object,
    build_text,
    describe_time,
)

PLACE = Place(bundle="alpha", file="messages.jsonl", line=3)
ENTRY = Place(bundle="alpha", file="tile/entries/000.p/7", entry=5)
HELD = Evidence(outcome=Outcome.HOLDS, code="request-signed", text="signed", place=PLACE)
FAILED = Evidence(outcome=Outcome.FAILS, code="bad-signature", text="not signed", place=PLACE)
OPEN = Evidence(outcome=Outcome.UNKNOWN, code="response-missing", text="no arrival")
FINDING = Finding(
    outcome=Outcome.FAILS,
    code="entry-altered",
    text="changed",
    place=ENTRY,
    affects=("x1", "x2"),
    exhibits=("note",),
)
LOG = LogReport(
    bundle="alpha",
    member="alpha.example",
    origin="alpha.example/log",
    size=7,
    root="r",
    entries=7,
    anchored=6,
    tiles=1,
    heads_equal=4,
    heads_beyond=1,
    cosigned_at_s=1_790_000_000,
    findings=(FINDING,),
)
EXCHANGE = ExchangeReport(
    xid="x1",
    consumer="alpha.example",
    provider="beta.example",
    op="query",
    code="full",
    at_ms=1_790_000_000_000,
    uses=1,
    consents=("c1",),
    evidence=(HELD,),
)
CONSENT = ConsentReport(
    consent="c1",
    consumer="alpha.example",
    provider="beta.example",
    purpose="P1",
    uses=1,
    max_uses=5,
    state="active",
    evidence=(HELD, FAILED),
)
REPORT = Report(
    anchor=AnchorReport(key="k", given=True),
    registry=RegistryReport(
        hub="hub.example", snapshots=2, members=3, newest_hash="h", simulated=True
    ),
    logs=(LOG,),
    exchanges=(EXCHANGE, replace(EXCHANGE, xid="x2", evidence=(HELD, FAILED, OPEN))),
    consents=(CONSENT,),
    findings=(FINDING,),
    totals=Totals(bundles=1, entries=7, exchanges=2, uses=1, signatures=20),
)
BARE = Report(
    anchor=None,
    registry=None,
    logs=(),
    exchanges=(),
    consents=(),
    findings=(),
    totals=Totals(bundles=1, entries=0, exchanges=0, uses=0, signatures=0),
)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], Verdict.PROVEN),
        ([Outcome.HOLDS, Outcome.NOT_SHOWN], Verdict.PROVEN),
        ([Outcome.HOLDS, Outcome.UNKNOWN], Verdict.UNDETERMINED),
        ([Outcome.UNKNOWN, Outcome.FAILS], Verdict.CONTRADICTED),
    ],
)
def test_one_failure_contradicts_and_one_unknown_leaves_open(
    outcomes: Sequence[Outcome], verdict: Verdict
) -> None:
    assert weigh(outcomes) is verdict


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (BARE, ExitStatus.PROVEN),
        (replace(BARE, logs=(LOG,)), ExitStatus.CONTRADICTED),
        (replace(BARE, consents=(CONSENT,)), ExitStatus.CONTRADICTED),
        (replace(BARE, exchanges=(replace(EXCHANGE, evidence=(OPEN,)),)), ExitStatus.UNDETERMINED),
    ],
    ids=["proven", "log", "consent", "open"],
)
def test_the_exit_status_is_that_of_the_worst_line(report: Report, status: ExitStatus) -> None:
    assert report.exit_status is status


def test_the_object_is_json_and_has_every_line() -> None:
    value = json.loads(json.dumps(build_object(REPORT)))

    assert (value["verdict"], value["exit_status"]) == ("contradicted", 1)
    assert value["anchor"] == {"key": "k", "given": True}
    assert value["registry"]["hub"] == "hub.example"
    assert value["totals"]["signatures"] == 20
    assert value["exchange_verdicts"] == {"proven": 1, "contradicted": 1, "undetermined": 0}
    (log,) = value["logs"]
    assert (log["verdict"], log["cosigned_at_s"]) == ("broken", 1_790_000_000)
    assert log["findings"][0]["place"] == {
        "bundle": "alpha",
        "file": "tile/entries/000.p/7",
        "entry": 5,
    }
    assert log["findings"][0]["affects"] == ["x1", "x2"]
    assert [len(one["evidence"]) for one in value["exchanges"]] == [1, 3]
    assert value["exchanges"][0]["evidence"][0]["place"]["line"] == 3
    assert "place" not in value["exchanges"][1]["evidence"][2]
    assert value["consents"][0]["verdict"] == "contradicted"


def test_the_object_of_a_report_without_a_root_leaves_it_out() -> None:
    value = build_object(replace(BARE, logs=(replace(LOG, cosigned_at_s=None),)))

    assert "anchor" not in value
    assert "registry" not in value
    assert "cosigned_at_s" not in str(value["logs"])


def test_the_text_says_what_is_not_proven_and_where() -> None:
    text = build_text(REPORT)

    assert "Anchor    k\n" in text
    assert FROM_BUNDLE_WARNING not in text
    assert "hub.example, a simulated federation: 2 snapshots follow each other" in text
    assert "  broken alpha.example: 7 entries, 6 proven, 1 tiles" in text
    assert "cosigned 2026-09-21" in text
    assert "entry-altered: changed (alpha/tile/entries/000.p/7 entry 5) — affects x1, x2" in text
    assert "  1 proven: alpha.example asked beta.example, query: full" in text
    assert "contradicted x2 (alpha.example → beta.example, query)" in text
    assert "    ! bad-signature: not signed (alpha/messages.jsonl:3)" in text
    assert "    ? response-missing: no arrival" in text
    assert "    + request-signed" in text
    assert text.endswith(
        "contradicted: 1 bundles, 7 entries, 2 exchanges, 1 uses counted, 20 signatures checked\n"
    )


def test_the_text_says_where_the_anchor_came_from_and_what_is_missing() -> None:
    text = build_text(
        replace(
            BARE,
            anchor=AnchorReport(key="k", given=False),
            logs=(replace(LOG, cosigned_at_s=None, findings=()),),
            consents=(replace(CONSENT, consumer=""),),
        )
    )

    assert FROM_BUNDLE_WARNING in text
    assert "no snapshot holds" in text
    assert "never cosigned" in text
    assert "c1: unknown, 1 of 5 uses" in text
    assert "Other findings\n  none" in text
    assert "Anchor    none" in build_text(BARE)


def test_the_text_counts_what_is_too_much_to_name() -> None:
    open_one = replace(EXCHANGE, evidence=(OPEN,))
    text = build_text(
        replace(
            REPORT,
            registry=RegistryReport(
                hub="hub.example", snapshots=1, members=1, newest_hash="h", simulated=False
            ),
            exchanges=(open_one,) * (EXCHANGES_SHOWN_MAX + 2),
            findings=(FINDING,) * (FINDINGS_SHOWN_MAX + 3),
        )
    )

    assert "and 2 more that are not proven" in text
    assert "and 3 more\n" in text
    assert "hub.example: 1 snapshots" in text


@pytest.mark.parametrize(
    ("at_s", "text"), [(0, "1970-01-01 00:00:00Z"), (2**62, str(2**62)), (2**37 * 8, str(2**40))]
)
def test_a_time_that_no_calendar_has_is_shown_as_a_number(at_s: int, text: str) -> None:
    assert describe_time(at_s) == text
