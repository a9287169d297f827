"""Assessments from before they were one row each: nothing is lost either way, nor found again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

from node.assessment.policy_parts import Freshness, Source
from node.assessment.renewal.store import RenewalStore
from node.assessment.results import Assessment
from node.assessment.store import AssessmentStore
from node.core.database import Database
from node.core.migrations import build_config
from tests.support.stores import store_url

HASH = "h" * 43
REPORT = "report:7"
REPORTS = ("reports", "stale", date(2026, 5, 31))
PARTS = ("assessment_evidence", "assessment_evidence_value", "assessment_factor")
OLD = (*PARTS, "assessment_factor_source", "assessment_factor_value")
BEFORE, CARDS = "0042", "0043"
CUSTOMER = (
    "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms) "
    "VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 0)"
)
ASSESSMENT = (
    "INSERT INTO assessment (id, customer_id, subject_id, as_of, created_at_ms, own_assessment_id, "
    "policy_id, policy_version, policy_sha256_b64u, score_deci, confidence, confidence_code, "
    "reasons) VALUES (:id, 1, 'sim:C1', '2026-11-24', 7, NULL, 'expert', 1, 'p', 812, 'low', "
    "'confidence.own-only', 'dbt.poor index.good')"
)


def enter_old(database: Database) -> None:
    """Enter three assessments: whole, with erased values, and one of which nothing was known."""
    with database.write() as uow:
        connection = uow.connection
        connection.execute(text(CUSTOMER))
        for key in (1, 2, 3):
            connection.execute(text(ASSESSMENT), {"id": key})
        tables = MetaData()
        tables.reflect(connection, only=OLD)
        lines: list[dict[str, object]] = [
            {"ref": "own", "provider": None, "code": "used", "weight_milli": 3000},
            {"ref": HASH, "provider": "b.example", "code": "used", "weight_milli": 700},
        ]
        factors: list[dict[str, object]] = [
            {"factor_id": "dbt", "code": "dbt.poor", "points_deci": 12, "points_max_deci": 200},
            {
                "factor_id": "index",
                "code": "index.good",
                "points_deci": 800,
                "points_max_deci": 800,
            },
        ]
        for key in (1, 2):
            place: list[dict[str, object]] = [
                {"assessment_id": key, "position": position} for position in (0, 1)
            ]
            both = zip(place, lines, factors, strict=True)
            for at, line, factor in both:
                connection.execute(tables.tables[OLD[0]].insert(), at | line)
                connection.execute(
                    tables.tables[OLD[2]].insert(), at | factor | {"is_higher_better": True}
                )
            for read, evidence in ((0, 0), (0, 1), (1, 0)):
                connection.execute(
                    tables.tables[OLD[3]].insert(),
                    {
                        "assessment_id": key,
                        "factor_position": read,
                        "evidence_position": evidence,
                    },
                )
            if key == 1:
                for at in place:
                    connection.execute(
                        tables.tables[OLD[1]].insert(), at | {"invoices": 9, "age_days": None}
                    )
                    values = {"value": 44, "own_value": None, "peers_value": -5}
                    connection.execute(tables.tables[OLD[4]].insert(), at | values)
        enter_sourced(uow.connection, tables)


def enter_sourced(connection: Connection, tables: MetaData) -> None:
    """Enter an assessment as it is since there are six sources of evidence."""
    connection.execute(text(ASSESSMENT), {"id": 4})
    connection.execute(text("UPDATE assessment SET confidence_permille = 640 WHERE id = 4"))
    refs = (("own", "own", "fresh", None), (HASH, "peers", "stale", None), (REPORT, *REPORTS))
    for position, (ref, source, freshness, dated_on) in enumerate(refs):
        place: dict[str, object] = {"assessment_id": 4, "position": position}
        line = {"ref": ref, "provider": None, "code": "used", "weight_milli": 0}
        more = {"source": source, "freshness": freshness}
        connection.execute(tables.tables[OLD[0]].insert(), place | line | more)
        seen = {"invoices": None, "age_days": None, "dated_on": dated_on}
        connection.execute(tables.tables[OLD[1]].insert(), place | seen)
    at: dict[str, object] = {"assessment_id": 4, "position": 0}
    factor = {"factor_id": "report", "code": "report.good", "points_deci": 90}
    most = {"points_max_deci": 130, "is_higher_better": False, "spread_deci": 30}
    connection.execute(tables.tables[OLD[2]].insert(), at | factor | most)
    connection.execute(
        tables.tables[OLD[3]].insert(),
        {"assessment_id": 4, "factor_position": 0, "evidence_position": 2},
    )
    values = {"value": 700, "own_value": None, "peers_value": None, "outside_value": 700}
    connection.execute(tables.tables[OLD[4]].insert(), at | values)


def read_all(database: Database) -> dict[str, list[Any]]:
    """Return what stands in the old tables, but for the keys of their rows."""
    found: dict[str, list[Any]] = {}
    with database.read() as uow:
        tables = MetaData()
        tables.reflect(uow.connection, only=OLD)
        for name in OLD:
            rows = uow.connection.execute(tables.tables[name].select()).mappings()
            found[name] = sorted(
                [tuple(value for column, value in row.items() if column != "id") for row in rows],
                key=repr,
            )
    return found


def test_cards_hold_what_the_rows_held_and_go_back_to_them(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    command.upgrade(config, BEFORE)
    enter_old(database)
    before = read_all(database)

    command.upgrade(config, CARDS)
    with database.read() as uow:
        store = AssessmentStore(uow.connection)
        whole, erased, nothing, sourced = (store.find(key) for key in (1, 2, 3, 4))
    assert whole is not None
    assert erased is not None
    assert nothing is not None
    dbt, index = whole.assessment.factors
    assert (dbt.sources, index.sources) == (("own", HASH), ("own",))
    assert (dbt.value, dbt.own_value, dbt.peers_value) == (44, None, -5)
    assert whole.assessment.confidence.invoices == 18
    assert [line.invoices for line in erased.assessment.evidence] == [None, None]
    assert [one.points_deci for one in erased.assessment.factors] == [12, 800]
    assert nothing.assessment.factors == ()
    assert sourced is not None
    check_sourced(sourced.assessment)
    assert {line.source for line in whole.assessment.evidence} == {Source.OWN, Source.PEERS}
    assert whole.assessment.factors[0].spread_deci == 0
    assert not set(OLD) & set(inspect(database.engine).get_table_names())

    command.downgrade(config, BEFORE)
    assert read_all(database) == before
    database.dispose()


def check_sourced(kept: Assessment) -> None:
    """Check what was entered with six sources."""
    assert kept.confidence.permille == 640
    assert [(line.source, line.freshness, line.dated_on) for line in kept.evidence] == [
        (Source.OWN, Freshness.FRESH, None),
        (Source.PEERS, Freshness.STALE, None),
        (Source.REPORTS, Freshness.STALE, date(2026, 5, 31)),
    ]
    (factor,) = kept.factors
    assert (factor.outside_value, factor.spread_deci, factor.sources) == (700, 30, (REPORT,))


def test_who_read_a_message_is_found_in_cards_of_old_rows(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    command.upgrade(build_config(database), BEFORE)
    enter_old(database)
    command.upgrade(build_config(database), CARDS)

    with database.read() as uow:
        rows = uow.connection.execute(text("SELECT * FROM assessment_reader")).all()
        users = RenewalStore(uow.connection).list_users([HASH], code="used")
    assert sorted(rows) == [(HASH, key, "used") for key in (1, 2, 4)]
    assert users == [1]
    database.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE assessment SET score_deci = 1000",
        "UPDATE assessment SET subject_id = 'x', customer_id = 1",
        "UPDATE assessment SET confidence_permille = 1000",
        "DELETE FROM assessment",
        "DELETE FROM assessment_card",
        "UPDATE assessment_card SET said = ''",
        "UPDATE assessment_card SET told = '{}'",
    ],
)
def test_the_store_refuses_to_change_what_was_said(tmp_path: Path, statement: str) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    command.upgrade(build_config(database), BEFORE)
    enter_old(database)
    command.upgrade(build_config(database), CARDS)

    with pytest.raises(DBAPIError), database.write() as uow:
        uow.connection.execute(text(statement))
    with database.write() as uow:  # What a peer told may go, and whom it is about be encrypted.
        uow.connection.execute(text("UPDATE assessment SET subject_id = 'x'"))
        assert AssessmentStore(uow.connection).erase_values_of(HASH) == 3
    database.dispose()
