"""One ledger of open items: invoices, payments, and what each payment is applied to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0015"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# As the old tables were.
_invoice = sa.table(
    "invoice",
    *(
        sa.column(name)
        for name in (
            "id", "customer_id", "source", "document_no", "line", "issued_on", "due_on",
            "due_business_on", "due_month", "currency", "amount_minor", "disputed_minor",
            "import_id", "entered_at_ms",
        )
    ),
)  # fmt: skip
_payment = sa.table(
    "payment",
    *(
        sa.column(name)
        for name in (
            "id", "customer_id", "invoice_id", "currency", "paid_on", "amount_minor", "source",
            "source_ref", "import_id", "entered_at_ms",
        )
    ),
)  # fmt: skip
_item = sa.table(
    "ledger_item",
    *(
        sa.column(name)
        for name in (
            "id", "customer_id", "kind", "source", "document_no", "line", "version", "happened_on",
            "due_on", "due_business_on", "due_month", "currency", "amount_minor", "import_id",
            "entered_by", "entered_at_ms",
        )
    ),
)  # fmt: skip
_allocation = sa.table(
    "allocation",
    *(
        sa.column(name)
        for name in (
            "id", "debit_id", "credit_id", "amount_minor", "allocated_on", "method", "import_id",
            "entered_by", "entered_at_ms",
        )
    ),
)  # fmt: skip
_dispute = sa.table(
    "dispute",
    *(
        sa.column(name)
        for name in (
            "id", "item_id", "amount_minor", "opened_on", "cause", "import_id", "entered_by",
            "entered_at_ms",
        )
    ),
)  # fmt: skip


def upgrade() -> None:
    """Go forward."""
    _create_ledger()
    _bring_over()
    op.drop_table("payment")
    op.drop_table("invoice")


def downgrade() -> None:
    """Go back, which a ledger that holds more than imported invoices and payments cannot.

    Raises:
        RuntimeError: It does.
    """
    for what, condition in (
        ("items of other kinds", "ledger_item WHERE kind NOT IN ('invoice', 'payment')"),
        ("items entered by hand", "ledger_item WHERE import_id IS NULL"),
        ("corrections", "item_correction"),
        ("ends of disputes", "dispute_closure"),
    ):
        count = op.get_bind().execute(sa.text(f"SELECT count(*) FROM {condition}")).scalar_one()  # noqa: S608  constants
        if count:
            message = f"the ledger has {count} {what}, and the schema before has no place for them"
            raise RuntimeError(message)
    _create_invoices()
    _take_back()
    for table in ("dispute_closure", "dispute", "item_correction", "allocation", "ledger_item"):
        op.drop_table(table)


def _create_ledger() -> None:
    op.create_table(
        "ledger_item",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("document_no", sa.String(length=128), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_business_on", sa.Date(), nullable=True),
        sa.Column("due_month", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=True),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_item_amount_not_zero")),
        sa.CheckConstraint(
            "(amount_minor > 0) = (due_on IS NOT NULL)",
            name=op.f("ck_ledger_item_due_of_what_is_owed"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_ledger_item_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_ledger_item_import_id_source_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_item")),
        sa.UniqueConstraint(
            "source",
            "kind",
            "document_no",
            "line",
            "version",
            name=op.f("uq_ledger_item_source_kind_document_no_line_version"),
        ),
    )
    op.create_index(
        "ix_ledger_item_customer", "ledger_item", ["customer_id", "currency", "due_month"]
    )
    op.create_table(
        "allocation",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("debit_id", _KEY, nullable=False),
        sa.Column("credit_id", _KEY, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("allocated_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=True),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_allocation_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["debit_id"], ["ledger_item.id"], name=op.f("fk_allocation_debit_id_ledger_item")
        ),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["ledger_item.id"], name=op.f("fk_allocation_credit_id_ledger_item")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_allocation_import_id_source_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
    )
    op.create_index("ix_allocation_debit", "allocation", ["debit_id"])
    op.create_index("ix_allocation_credit", "allocation", ["credit_id"])
    op.create_table(
        "item_correction",
        sa.Column("item_id", _KEY, nullable=False),
        sa.Column("replaced_by", _KEY, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["ledger_item.id"], name=op.f("fk_item_correction_item_id_ledger_item")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"],
            ["ledger_item.id"],
            name=op.f("fk_item_correction_replaced_by_ledger_item"),
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_correction")),
    )
    op.create_table(
        "dispute",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("item_id", _KEY, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=True),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dispute_amount_positive")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["ledger_item.id"], name=op.f("fk_dispute_item_id_ledger_item")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_dispute_import_id_source_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    op.create_index("ix_dispute_item", "dispute", ["item_id"])
    op.create_table(
        "dispute_closure",
        sa.Column("dispute_id", _KEY, nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("fk_dispute_closure_dispute_id_dispute")
        ),
        sa.PrimaryKeyConstraint("dispute_id", name=op.f("pk_dispute_closure")),
    )


def _bring_over() -> None:
    """Invoices keep their keys; payments are numbered behind them."""
    newest = sa.select(sa.func.coalesce(sa.func.max(_invoice.c.id), 0)).scalar_subquery()
    payment_id = _payment.c.id + newest
    _copy(
        _item,
        sa.select(
            _invoice.c.id.label("id"),
            _invoice.c.customer_id,
            sa.literal("invoice").label("kind"),
            _invoice.c.source,
            _invoice.c.document_no,
            _invoice.c.line,
            sa.literal(1).label("version"),
            _invoice.c.issued_on.label("happened_on"),
            _invoice.c.due_on,
            _invoice.c.due_business_on,
            _invoice.c.due_month,
            _invoice.c.currency,
            _invoice.c.amount_minor,
            _invoice.c.import_id,
            _invoice.c.entered_at_ms,
        ),
    )
    _copy(
        _item,
        sa.select(
            payment_id.label("id"),
            _payment.c.customer_id,
            sa.literal("payment").label("kind"),
            _payment.c.source,
            _payment.c.source_ref.label("document_no"),
            sa.literal(1).label("line"),
            sa.literal(1).label("version"),
            _payment.c.paid_on.label("happened_on"),
            _payment.c.currency,
            (-_payment.c.amount_minor).label("amount_minor"),
            _payment.c.import_id,
            _payment.c.entered_at_ms,
        ),
    )
    _copy(
        _allocation,
        sa.select(
            _invoice.c.id.label("debit_id"),
            payment_id.label("credit_id"),
            _payment.c.amount_minor,
            sa.case(
                (_payment.c.paid_on < _invoice.c.issued_on, _invoice.c.issued_on),
                else_=_payment.c.paid_on,
            ).label("allocated_on"),
            sa.literal("imported").label("method"),
            _payment.c.import_id,
            _payment.c.entered_at_ms,
        )
        .select_from(_payment.join(_invoice, _invoice.c.id == _payment.c.invoice_id))
        .order_by(_payment.c.id),
    )
    _copy(
        _dispute,
        sa.select(
            _invoice.c.id.label("item_id"),
            _invoice.c.disputed_minor.label("amount_minor"),
            _invoice.c.issued_on.label("opened_on"),
            sa.literal("unstated").label("cause"),
            _invoice.c.import_id,
            _invoice.c.entered_at_ms,
        )
        .where(_invoice.c.disputed_minor > 0)
        .order_by(_invoice.c.id),
    )


def _create_invoices() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("document_no", sa.String(length=64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_business_on", sa.Date(), nullable=False),
        sa.Column("due_month", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_invoice_amount_positive")),
        sa.CheckConstraint(
            "disputed_minor >= 0 AND disputed_minor <= amount_minor",
            name=op.f("ck_invoice_disputed_within_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_invoice_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_invoice_import_id_source_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint(
            "source", "document_no", "line", name=op.f("uq_invoice_source_document_no_line")
        ),
    )
    op.create_index("ix_invoice_customer_due", "invoice", ["customer_id", "currency", "due_month"])
    op.create_index("ix_invoice_import", "invoice", ["import_id"])
    op.create_table(
        "payment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_ref", sa.String(length=128), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_payment_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_payment_import_id_source_import")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_payment_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("source", "source_ref", name=op.f("uq_payment_source_source_ref")),
    )
    op.create_index("ix_payment_customer", "payment", ["customer_id", "currency", "paid_on"])
    op.create_index("ix_payment_import", "payment", ["import_id"])
    op.create_index("ix_payment_invoice", "payment", ["invoice_id"])


def _take_back() -> None:
    disputed = (
        sa.select(sa.func.coalesce(sa.func.sum(_dispute.c.amount_minor), 0))
        .where(_dispute.c.item_id == _item.c.id)
        .scalar_subquery()
    )
    _copy(
        _invoice,
        sa.select(
            _item.c.id.label("id"),
            _item.c.customer_id,
            _item.c.source,
            _item.c.document_no,
            _item.c.line,
            _item.c.happened_on.label("issued_on"),
            _item.c.due_on,
            _item.c.due_business_on,
            _item.c.due_month,
            _item.c.currency,
            _item.c.amount_minor,
            disputed.label("disputed_minor"),
            _item.c.import_id,
            _item.c.entered_at_ms,
        ).where(_item.c.kind == "invoice"),
    )
    applied = (
        sa.select(sa.func.max(_allocation.c.debit_id))
        .where(_allocation.c.credit_id == _item.c.id)
        .scalar_subquery()
    )
    _copy(
        _payment,
        sa.select(
            _item.c.customer_id,
            applied.label("invoice_id"),
            _item.c.currency,
            _item.c.happened_on.label("paid_on"),
            (-_item.c.amount_minor).label("amount_minor"),
            _item.c.source,
            _item.c.document_no.label("source_ref"),
            _item.c.import_id,
            _item.c.entered_at_ms,
        )
        .where(_item.c.kind == "payment")
        .order_by(_item.c.id),
    )


def _copy(target: sa.TableClause, rows: sa.Select[tuple[object, ...]]) -> None:
    op.execute(target.insert().from_select([column.name for column in rows.selected_columns], rows))
