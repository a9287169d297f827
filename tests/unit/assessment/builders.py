"""Evidence, windows and summaries for tests, each with plain defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from node.assessment.evidence import (
    Figures,
    OwnEvidence,
    PeerEvidence,
    PeerSummaryRecord,
    build_own_evidence,
    build_peer_evidence,
)
from node.assessment.policy import Policy
from node.records.behaviour import AdverseEvent, BehaviourWindow, MonthBehaviour
from node.records.rules_behaviour import AppliedPart, InvoiceItem, build_months
from node.records.windows import first_day, format_month, last_day, month_of
from protocol.encoding import encode_b64u, sha256
from protocol.strict_json import canonical_json
from schemas.summary import DELAY_CLASSES, Summary

AS_OF = date(2026, 11, 24)
LAST_MONTH = month_of(date(2026, 10, 1))
FIRST_MONTH = LAST_MONTH - 23
SUBJECT = "sim:0200756072"
INVOICE_MINOR = 1_000_000
MIX_IN_TERMS = {"in_terms": 100}


def build_items(
    delays: Sequence[int | None], *, first_month: int | None = None
) -> list[InvoiceItem]:
    """Spread invoices of equal size over the last twelve months; None is not paid at all."""
    start = LAST_MONTH - 11 if first_month is None else first_month
    items = []
    for number, delay in enumerate(delays):
        due_on = first_day(start + number % 12)
        paid_on = None if delay is None else date.fromordinal(due_on.toordinal() + delay)
        items.append(
            InvoiceItem(
                issued_on=date.fromordinal(due_on.toordinal() - 30),
                due_on=due_on,
                due_business_on=due_on,
                amount_minor=INVOICE_MINOR,
                paid=()
                if paid_on is None
                else (AppliedPart(paid_on=paid_on, amount_minor=INVOICE_MINOR),),
            )
        )
    return items


def build_window(
    delays: Sequence[int | None],
    *,
    before: Sequence[int | None] = (),
    first_sale_on: date | None = date(2021, 1, 15),
    adverse: tuple[AdverseEvent, ...] = (),
    disputed: int = 0,
) -> BehaviourWindow:
    """Build the window of a customer who paid with these delays."""
    items = build_items(delays) + build_items(before, first_month=FIRST_MONTH)
    months = list(build_months(items, as_of=AS_OF))
    if disputed:
        months[-1] = replace(months[-1], disputed_count=disputed)
    overdue = [
        (AS_OF - item.due_business_on).days
        for item in items
        if not any(part.paid_on <= AS_OF for part in item.paid)
    ]
    return wrap_months(
        months,
        first_sale_on=first_sale_on,
        oldest_overdue_days=max(overdue, default=None),
        adverse=adverse,
    )


def wrap_months(
    months: Sequence[MonthBehaviour],
    *,
    first_sale_on: date | None,
    oldest_overdue_days: int | None,
    adverse: tuple[AdverseEvent, ...] = (),
) -> BehaviourWindow:
    """Put months into a window."""
    return BehaviourWindow(
        currency="CNY",
        first_month=FIRST_MONTH,
        last_month=LAST_MONTH,
        as_of=AS_OF,
        months=tuple(months),
        first_sale_on=first_sale_on,
        last_sale_on=None,
        high_credit_minor=0,
        owing_minor=0,
        past_due_minor=0,
        oldest_overdue_days=oldest_overdue_days,
        adverse=adverse,
    )


def build_own(
    delays: Sequence[int | None],
    *,
    before: Sequence[int | None] = (),
    first_sale_on: date | None = date(2021, 1, 15),
    adverse: tuple[AdverseEvent, ...] = (),
    disputed: int = 0,
) -> OwnEvidence:
    """Build own evidence of a customer who paid with these delays."""
    window = build_window(
        delays, before=before, first_sale_on=first_sale_on, adverse=adverse, disputed=disputed
    )
    return build_own_evidence(window)


def build_summary(
    *,
    mix: Mapping[str, int] = MIX_IN_TERMS,
    index: int = 80,
    dbt_days: int = 0,
    worst: str = "in_terms",
    n_invoices: str = "20-49",
    last_month: int = LAST_MONTH,
    months: int = 12,
    subject: str = SUBJECT,
    **sections: object,
) -> Summary:
    """Build a mix-only summary; sections given as None are left out."""
    body: dict[str, Any] = {
        "relation": {"years": "3-5", "last_sale": "<=3m"},
        "volume": {"n_invoices": n_invoices},
        "index": {"value": index, "weighting": "count"},
        "delay": {
            "mix": {name.value: mix.get(name.value, 0) for name in DELAY_CLASSES},
            "dbt_days": dbt_days,
            "dbt_weighting": "count",
            "worst": worst,
        },
        "trend": {"direction": "same"},
        "disputes": {"count": "0", "share": "0"},
        "adverse": {"facts": []},
        "overdue_now": {"as_of": AS_OF.isoformat(), "oldest": "none"},
        **sections,
    }
    return wrap_sections("mix", body, last_month=last_month, months=months, subject=subject)


def build_class_summary(seen: str, *, last_month: int = LAST_MONTH) -> Summary:
    """Build a class-only summary."""
    return wrap_sections("class", {"lateness": {"seen": seen}}, last_month=last_month)


def wrap_sections(
    tier: str,
    sections: Mapping[str, Any],
    *,
    last_month: int = LAST_MONTH,
    months: int = 12,
    subject: str = SUBJECT,
) -> Summary:
    """Put sections into a summary."""
    as_of = date.fromordinal(last_day(last_month).toordinal() + 5)
    return Summary.from_bytes(
        canonical_json(
            {
                "v": 1,
                "kind": "payment-behaviour-summary",
                "formula": "pbs-1",
                "tier": tier,
                "subject": subject,
                "window": {
                    "first": format_month(last_month - months + 1),
                    "last": format_month(last_month),
                    "as_of": as_of.isoformat(),
                },
                "contributors": 1,
                **{name: value for name, value in sections.items() if value is not None},
            }
        )
    )


def build_record(
    summary: Summary, *, provider: str = "beta.example", received_on: date = AS_OF
) -> PeerSummaryRecord:
    """Wrap a summary as it is kept after it was received."""
    digest = sha256(provider.encode(), received_on.isoformat().encode(), summary.to_bytes())
    return PeerSummaryRecord(
        provider=provider,
        msg_hash_b64u=encode_b64u(digest),
        summary=summary,
        received_on=received_on,
    )


def build_peer(
    summary: Summary,
    *,
    policy: Policy,
    provider: str = "beta.example",
    received_on: date = AS_OF,
) -> PeerEvidence:
    """Build a peer's evidence from its summary."""
    record = build_record(summary, provider=provider, received_on=received_on)
    return build_peer_evidence(record, summary, bands=policy.body.bands)


def build_bare_own(*, invoices: int = 10, **figures: int) -> OwnEvidence:
    """Build own evidence from figures alone."""
    return OwnEvidence(
        invoices=invoices,
        newest_on=last_day(LAST_MONTH),
        as_of=AS_OF,
        figures=Figures(**figures),
    )
