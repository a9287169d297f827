"""A portfolio for benches: customers with two years of invoices, peers' answers, statements.

Made from a seed, the same on every machine: customers come from a file that is imported as the
command line does it, roll-ups and all; for a share of them peers have answered under a consent
each, and a share has a financial statement.
"""

from __future__ import annotations

import random  # noqa: TID251  a data set from a seed, no secret
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from node.assessment.statements.tables import financial_statement, financial_statement_line
from node.records.tables import customer
from node.records.windows import format_month, last_day, last_released_month
from node.sharing.tables import consent, payload, received_summary
from protocol.consent import Consent, Purpose, Span, sign_consent
from protocol.encoding import sha256
from protocol.keys import SigningKey
from protocol.purpose import TEMPLATES
from protocol.strict_json import canonical_json
from schemas.summary import DELAY_CLASSES, Section

if TYPE_CHECKING:
    from node.bootstrap.local import LocalNode

AS_OF = date(2026, 11, 24)
INVOICES_MEAN = 12  # of a customer in two years
PEERS_PERMILLE = 200  # of the customers peers have answered for, one to three each
STATEMENTS_PERMILLE = 300
PROVIDERS = ("beta.example", "gamma.example", "delta.example")
TOGETHER = 5_000
HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\n"
)
_KEY = SigningKey(b"\x07" * 32)
_BANDS: dict[str, Any] = {
    "relation": {"years": "3-5", "last_sale": "<=3m"},
    "trend": {"direction": "same"},
    "disputes": {"count": "0", "share": "0"},
    "adverse": {"facts": []},
    "overdue_now": {"as_of": AS_OF.isoformat(), "oldest": "none"},
}
_LINES = (
    ("cash", 120_000),
    ("receivables", 340_000),
    ("inventory", 210_000),
    ("current-assets", 700_000),
    ("total-assets", 1_500_000),
    ("current-liabilities", 400_000),
    ("total-liabilities", 800_000),
    ("retained-earnings", 300_000),
    ("total-equity", 700_000),
    ("sales", 2_400_000),
    ("interest-expense", 20_000),
    ("profit-before-tax", 110_000),
    ("net-profit", 90_000),
)


def fill(local: LocalNode, folder: Path, *, customers: int, seed: int) -> None:
    """Enter a whole portfolio."""
    file = folder / "invoices.csv"
    write_file(file, customers=customers, seed=seed)
    local.records.import_file(file, source="bench")
    file.unlink()
    with local.database.read() as uow:
        keys = uow.connection.execute(select(customer.c.id, customer.c.value)).all()
    draw = random.Random(seed + 1)  # noqa: S311  a data set, no secret
    for start in range(0, len(keys), TOGETHER):
        part = [(row.id, row.value) for row in keys[start : start + TOGETHER]]
        enter_summaries(local, part, draw=draw)
        enter_statements(local, part, draw=draw)


def write_file(path: Path, *, customers: int, seed: int) -> int:
    """Write the invoices of all customers, one customer after the other; return how many."""
    draw = random.Random(seed)  # noqa: S311  a data set, no secret
    first = AS_OF - timedelta(days=730)
    days = [(first + timedelta(days=number)).isoformat() for number in range(1_000)]
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        for number in range(customers):
            late = int(30 * draw.random() ** 4 * 4) if draw.random() < 0.3 else 0  # noqa: PLR2004
            for line in range(INVOICES_MEAN // 2 + int(draw.random() * (INVOICES_MEAN + 1))):
                issued = int(draw.random() * 715)
                due = issued + 30
                paid = due + int(draw.gauss(late - 2, 4))
                amount = int(10 ** (2 + 3 * draw.random()))
                is_open = paid > 729 or draw.random() < 0.01  # noqa: PLR2004
                paid_on = "" if is_open else days[paid]
                file.write(
                    f"sim,C{number:07d},示例 {number},CN,R{number}-{line},1,{days[issued]},"
                    f"{days[due]},CNY,{amount}.00,{paid_on},,\n"
                )
                written += 1
    return written


def enter_summaries(
    local: LocalNode, customers: list[tuple[int, str]], *, draw: random.Random
) -> None:
    """Enter what peers have answered for a share of customers."""
    consents, payloads, summaries = [], [], []
    for key, value in customers:
        if draw.random() * 1000 >= PEERS_PERMILLE:
            continue
        for provider in PROVIDERS[: 1 + int(draw.random() * len(PROVIDERS))]:
            name = f"{key}-{provider}".encode()
            msg, held = sha256(b"message", name), sha256(b"consent", name)
            consents.append(_build_consent(held, provider, subject=f"sim:{value}"))
            payloads.append(
                {"msg": msg, "body": _build_body(f"sim:{value}", draw=draw), "salt": msg}
            )
            summaries.append(
                {
                    "msg": msg,
                    "item": 0,
                    "provider": provider,
                    "subject": f"sim:{value}",
                    "consent": held,
                    "received_on": AS_OF,
                    "received_at_ms": 1,
                }
            )
    if summaries:
        with local.database.write() as uow:
            uow.connection.execute(insert(consent), consents)
            uow.connection.execute(insert(payload), payloads)
            uow.connection.execute(insert(received_summary), summaries)


def enter_statements(
    local: LocalNode, customers: list[tuple[int, str]], *, draw: random.Random
) -> None:
    """Enter a statement of the last year for a share of customers."""
    chosen = [key for key, _ in customers if draw.random() * 1000 < STATEMENTS_PERMILLE]
    with local.database.write() as uow:
        if not chosen:
            return
        statement = {
            "year_end": date(2025, 12, 31),
            "basis": "single",
            "version": 1,
            "is_withdrawn": False,
            "months": 12,
            "currency": "CNY",
            "unit": "ones",
            "assurance": "audited",
            "gaap": "cas",
            "source": "entered",
            "received_on": date(2026, 5, 4),
            "entered_by": "bench",
            "entered_at_ms": 1,
        }
        uow.connection.execute(
            insert(financial_statement), [{"customer_id": key} | statement for key in chosen]
        )
        entered = uow.connection.execute(
            select(financial_statement.c.id).where(financial_statement.c.customer_id.in_(chosen))
        )
        uow.connection.execute(
            insert(financial_statement_line),
            [
                {
                    "statement_id": key,
                    "is_opening": False,
                    "code": code,
                    "amount_minor": 100 * amount,
                }
                for key in entered.scalars()
                for code, amount in _LINES
            ],
        )


def _build_consent(name: bytes, provider: str, *, subject: str) -> dict[str, Any]:
    return {
        "hash": name,
        "token": _TOKENS[provider],
        "subject": subject,
        "salt": name,
        "consumer": "acme.example",
        "provider": provider,
        "bundle": "bundle-1",
        "state": "active",
        "seq": 0,
        "uses": 1,
        "window_start_s": 0,
        "window_uses": 1,
        "exp": 2**31,
        "held_at_ms": 1,
        "delivered": True,
    }


def _sign_token(provider: str) -> str:
    template = TEMPLATES["P1"]
    return sign_consent(
        Consent(
            id="consent-1",
            iat=1_795_000_000,
            nbf=1_795_000_000,
            exp=1_797_000_000,
            basis="subject-consent",
            basis_ref="form 7",
            subject=sha256(b"subject"),
            consumer="acme.example",
            provider=provider,
            purpose=Purpose(
                code=template.code,
                template=template.template,
                template_hash=template.hash,
                text=template.text,
            ),
            ops=("query",),
            metrics=tuple(section.value for section in Section),
            last_months=12,
            k_min=5,
            frequency=Span(unit="day", n=1),
            max_uses=1,
            data_life=Span(unit="month", n=3),
            derive=("rating",),
            notice_uri="https://hub.example/notice",
            notice_hash=sha256(b"notice"),
            notice_language="en",
            jurisdiction="CN",
            storage="CN",
            withdraw="https://hub.example/withdraw",
            bundle="bundle-1",
        ),
        key=_KEY,
    )


_TOKENS = {provider: _sign_token(provider) for provider in PROVIDERS}


def _build_body(subject: str, *, draw: random.Random) -> bytes:
    last = last_released_month(AS_OF)
    late = 5 * int(draw.random() * 8)
    mix: dict[str, Any] = {name.value: 0 for name in DELAY_CLASSES} | {
        "in_terms": 100 - late,
        "1-15": late,
    }
    return canonical_json(
        {
            "v": 1,
            "kind": "payment-behaviour-summary",
            "formula": "pbs-1",
            "tier": "mix",
            "subject": subject,
            "window": {
                "first": format_month(last - 11),
                "last": format_month(last),
                "as_of": (last_day(last) + timedelta(days=5)).isoformat(),
            },
            "contributors": 1,
            **_BANDS,
            "volume": {"n_invoices": draw.choice(["10-19", "20-49", "50-99"])},
            "index": {"value": 80 - 5 * (late // 10), "weighting": "count"},
            "delay": {
                "mix": mix,
                "dbt_days": late // 2 // 5 * 5,
                "dbt_weighting": "count",
                "worst": "1-15" if late else "in_terms",
            },
        }
    )
