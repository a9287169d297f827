"""An assessment is one row with its card, not one row for each factor, source and value.

A card is two texts of JSON: what stays, and the values that may be erased. From here on the store
refuses to change or delete an assessment or a rating, but for values that go.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_TOGETHER = 500
_SAID_OF_EVIDENCE = ["ref", "provider", "code", "weight_milli", "source", "freshness"]
_TOLD_OF_EVIDENCE = ["invoices", "age_days", "dated_on"]
_SAID_OF_FACTORS = [
    "factor_id",
    "code",
    "points_deci",
    "points_max_deci",
    "is_higher_better",
    "spread_deci",
]
_IS_HIGHER_BETTER = _SAID_OF_FACTORS.index("is_higher_better")
_TOLD_OF_FACTORS = ["value", "own_value", "peers_value", "outside_value"]
_PEERS = "peers"
# Each column but ``subject_id``: that is encrypted, and written anew under another key.
_APPENDED = {
    "assessment": (
        "id, customer_id, as_of, created_at_ms, own_assessment_id, policy_id, policy_version, "
        "policy_sha256_b64u, score_deci, confidence, confidence_code, confidence_permille, reasons"
    ),
    "rating": (
        "id, customer_id, as_of, created_at_ms, own_assessment_id, assessment_id, policy_id, "
        "policy_version, policy_sha256_b64u, scale_id, scale_version, scale_sha256_b64u, "
        "grade_own, grade_with_peers, score_own_deci, score_with_peers_deci, confidence, "
        "default_events, valid_until, review_on"
    ),
}
_WORDS = "assessments and ratings are only appended to"
_REFUSE = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb}{of} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
)
_REFUSE_CARD = (
    "CREATE TRIGGER assessment_card_no_{verb} BEFORE {verb} ON assessment_card {when} "
    f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
)
_REFUSAL_ON_SERVER = (
    "CREATE FUNCTION rating_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_WORDS}'; END $$"
)
_REFUSE_ON_SERVER = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb}{of} ON {table} "
    "FOR EACH ROW {when} EXECUTE FUNCTION rating_refuse()"
)
# An erasure takes the values and nothing else.
_NO_ERASURE = (
    "WHEN (NEW.told IS NOT NULL OR NEW.said <> OLD.said OR NEW.assessment_id <> OLD.assessment_id)"
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "assessment_card",
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_card_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_assessment_card")),
    )
    op.create_table(
        "assessment_reader",
        sa.Column("ref", sa.String(43), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(66), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_reader_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("ref", "assessment_id", name=op.f("pk_assessment_reader")),
    )
    for keys in _pages():
        _pack(keys)
    op.drop_table("assessment_factor_value")
    op.drop_table("assessment_factor_source")
    op.drop_table("assessment_factor")
    op.drop_table("assessment_evidence_value")
    op.drop_index("ix_assessment_evidence_ref", table_name="assessment_evidence")
    op.drop_table("assessment_evidence")
    _refuse_changes()


def downgrade() -> None:
    """Go back; each card is rows again, and what was erased stays so."""
    _allow_changes()
    op.create_table(
        "assessment_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=43), nullable=False),
        sa.Column("provider", sa.String(length=253), nullable=True),
        sa.Column("code", sa.String(length=66), nullable=False),
        sa.Column("weight_milli", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=True),
        sa.Column("freshness", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_evidence_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_evidence")),
        sa.UniqueConstraint(
            "assessment_id", "position", name=op.f("uq_assessment_evidence_assessment_id_position")
        ),
    )
    op.create_index("ix_assessment_evidence_ref", "assessment_evidence", ["ref"])
    op.create_table(
        "assessment_evidence_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("invoices", sa.Integer(), nullable=True),
        sa.Column("age_days", sa.Integer(), nullable=True),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_evidence_value_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_evidence_value")),
        sa.UniqueConstraint(
            "assessment_id",
            "position",
            name=op.f("uq_assessment_evidence_value_assessment_id_position"),
        ),
    )
    op.create_table(
        "assessment_factor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("factor_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=66), nullable=False),
        sa.Column("points_deci", sa.Integer(), nullable=False),
        sa.Column("points_max_deci", sa.Integer(), nullable=False),
        sa.Column("is_higher_better", sa.Boolean(), nullable=False),
        sa.Column("spread_deci", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_factor_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_factor")),
        sa.UniqueConstraint(
            "assessment_id", "position", name=op.f("uq_assessment_factor_assessment_id_position")
        ),
    )
    op.create_table(
        "assessment_factor_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("factor_position", sa.Integer(), nullable=False),
        sa.Column("evidence_position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_factor_source_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_factor_source")),
        sa.UniqueConstraint(
            "assessment_id",
            "factor_position",
            "evidence_position",
            name=op.f(
                "uq_assessment_factor_source_assessment_id_factor_position_evidence_position"
            ),
        ),
    )
    op.create_table(
        "assessment_factor_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("own_value", sa.Integer(), nullable=True),
        sa.Column("peers_value", sa.Integer(), nullable=True),
        sa.Column("outside_value", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_factor_value_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_factor_value")),
        sa.UniqueConstraint(
            "assessment_id",
            "position",
            name=op.f("uq_assessment_factor_value_assessment_id_position"),
        ),
    )
    for keys in _pages():
        _unpack(keys)
    op.drop_table("assessment_reader")
    op.drop_table("assessment_card")


def _refuse_changes() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(_REFUSAL_ON_SERVER)
    for verb in ("UPDATE", "DELETE"):
        when = _NO_ERASURE if verb == "UPDATE" else ""
        for table, columns in _APPENDED.items():
            text = _REFUSE if is_sqlite else _REFUSE_ON_SERVER
            of = f" OF {columns}" if verb == "UPDATE" else ""
            op.execute(text.format(table=table, verb=verb, of=of, when=""))
        text = _REFUSE_CARD if is_sqlite else _REFUSE_ON_SERVER
        op.execute(text.format(table="assessment_card", verb=verb, of="", when=when))


def _allow_changes() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for verb in ("UPDATE", "DELETE"):
        for table in (*_APPENDED, "assessment_card"):
            place = "" if is_sqlite else f" ON {table}"
            op.execute(f"DROP TRIGGER {table}_no_{verb}{place}")
    if not is_sqlite:
        op.execute("DROP FUNCTION rating_refuse()")


def _pages() -> Iterator[list[int]]:
    assessment = sa.table("assessment", sa.column("id"))
    after = 0
    while True:
        found = op.get_bind().execute(
            sa.select(assessment.c.id)
            .where(assessment.c.id > after)
            .order_by(assessment.c.id)
            .limit(_TOGETHER)
        )
        if not (keys := list(found.scalars())):
            return
        yield keys
        after = keys[-1]


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(one) for one in ("assessment_id", *columns)))


def _read(table: sa.TableClause, keys: list[int], *order: str) -> dict[int, list[Any]]:
    rows = op.get_bind().execute(
        sa.select(table)
        .where(table.c.assessment_id.in_(keys))
        .order_by(*(table.c[one] for one in order))
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for key, *values in rows:
        found[key].append(values)
    return found


def _pack(keys: list[int]) -> None:
    said = _read(_table("assessment_evidence", *_SAID_OF_EVIDENCE, "position"), keys, "position")
    seen = _read(
        _table("assessment_evidence_value", *_TOLD_OF_EVIDENCE, "position"), keys, "position"
    )
    factors = _read(_table("assessment_factor", *_SAID_OF_FACTORS, "position"), keys, "position")
    values = _read(
        _table("assessment_factor_value", *_TOLD_OF_FACTORS, "position"), keys, "position"
    )
    places = ("factor_position", "evidence_position")
    sources = _read(_table("assessment_factor_source", *places), keys, *places)
    cards, readers = [], []
    for key in keys:
        read: dict[int, list[int]] = defaultdict(list)
        for factor, evidence in sources[key]:
            read[factor].append(evidence)
        is_erased = bool(said[key]) and not seen[key]
        cards.append(
            {
                "assessment_id": key,
                "said": _format(
                    [_SAID_OF_EVIDENCE, *(row[:-1] for row in said[key])],
                    [
                        [*_SAID_OF_FACTORS, "sources"],
                        *(
                            [*_read_factor(row), read[position]]
                            for position, row in enumerate(factors[key])
                        ),
                    ],
                ),
                "told": None
                if is_erased
                else _format(
                    [_TOLD_OF_EVIDENCE, *(row[:-1] for row in seen[key])],
                    [_TOLD_OF_FACTORS, *(row[:-1] for row in values[key])],
                ),
            }
        )
        codes = {row[0]: row[2] for row in said[key] if _is_of_peer(ref=row[0], source=row[4])}
        readers += [{"assessment_id": key, "ref": one, "code": codes[one]} for one in codes]
    op.bulk_insert(_table("assessment_card", "said", "told"), cards)
    if readers:
        op.bulk_insert(_table("assessment_reader", "ref", "code"), readers)


def _is_of_peer(*, ref: str, source: str | None) -> bool:
    return ref != "own" if source is None else source == _PEERS


def _read_factor(row: list[Any]) -> list[Any]:
    # SQLite has numbers for what is true; the last is the position.
    values = row[:-1]
    values[_IS_HIGHER_BETTER] = bool(values[_IS_HIGHER_BETTER])
    return values


def _unpack(keys: list[int]) -> None:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    cards = _read(_table("assessment_card", "said", "told"), keys, "assessment_id")
    for key, ((said_text, told_text),) in cards.items():
        said = json.loads(said_text)
        told = None if told_text is None else json.loads(told_text)
        for part in ("evidence", "factors"):
            name = f"assessment_{part.removesuffix('s')}"
            head, *lines = said[part]
            for position, line in enumerate(lines):
                members = dict(zip(head, line, strict=True))
                sources = members.pop("sources", [])
                place = {"assessment_id": key, "position": position}
                rows[name].append(place | members)
                rows["assessment_factor_source"] += [
                    {
                        "assessment_id": key,
                        "factor_position": position,
                        "evidence_position": evidence,
                    }
                    for evidence in sources
                ]
                if told is not None:
                    values = zip(told[part][0], told[part][position + 1], strict=True)
                    rows[f"{name}_value"].append(place | dict(values))
    for name, entered in rows.items():
        if entered:
            columns = [one for one in entered[0] if one != "assessment_id"]
            op.bulk_insert(_table(name, *columns), entered)


def _format(evidence: list[Any], factors: list[Any]) -> str:
    members = {"form": 1, "evidence": evidence, "factors": factors}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), default=date.isoformat)
