"""The file that the bench of the import reads: made from a seed, the same on every machine.

Of a thousand rows one is bad, one stands twice, and one is odd; some invoices are paid in two
parts, some not at all, some are in dispute. There are as many payments as invoices, about.
"""

from __future__ import annotations

import random  # noqa: TID251  a data set from a seed, no secret
from datetime import date, timedelta
from pathlib import Path

HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed"
)
FIRST_DAY = date(2023, 1, 2)
DAYS = 1_000
ROWS_PER_CUSTOMER = 50
PLACES = (("CN", "CNY"), ("DE", "EUR"), ("US", "USD"))
TERMS = (14, 30, 60, 90)


def write_invoices(path: Path, *, invoices: int, seed: int = 1) -> int:
    """Write a file of so many invoices and return its number of rows."""
    draw = random.Random(seed)  # noqa: S311  a data set, no secret
    days = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(DAYS + 500)]
    customers = max(10, invoices // ROWS_PER_CUSTOMER)
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER + "\n")
        for number in range(invoices):
            lines = _make_lines(draw, number, days=days, customers=customers)
            file.writelines(lines)
            rows += len(lines)
    return rows


def _make_lines(draw: random.Random, number: int, *, days: list[str], customers: int) -> list[str]:
    customer = int(customers * draw.random() ** 2)  # some buy much more than others
    country, currency = PLACES[customer % len(PLACES)]
    issued = int(DAYS * draw.random())
    due = issued + TERMS[customer % len(TERMS)]
    amount = int(10 ** (4 + 3 * draw.random()))
    chance = draw.random()
    disputed = "yes" if chance > 0.998 else ""  # noqa: PLR2004  a share
    issued_on = "someday" if chance < 0.001 else days[issued]  # noqa: PLR2004  a share
    start = (
        f"vat.{country.lower()},C{customer:07d},示例 Sample {customer},{country},"
        f"RE-{number:08d},1,{issued_on},{days[due]},{currency},{_write(amount)},"
    )
    paid = due + int(draw.gauss(6, 12))
    match int(draw.random() * 20):
        case 0:
            payments = [
                ",",
            ]
        case 1:
            part = amount // 3 + 1
            payments = [
                f"{days[paid]},{_write(part)}",
                f"{days[paid + 20]},{_write(amount - part)}",
            ]
        case 2:
            payments = [f"{days[paid]},{_write(amount // 2 + 1)}"]
        case _:
            payments = [f"{days[paid]},"]
    if 0.001 < chance < 0.002:  # noqa: PLR2004  a share
        payments.append(payments[0])
    return [f"{start}{payment},{disputed}\n" for payment in payments]


def _write(amount_minor: int) -> str:
    whole, cents = divmod(amount_minor, 100)
    return f"{whole}.{cents:02d}"
