"""Provisions for people and programs: plain values that every face renders."""

from __future__ import annotations

import csv
import io
from collections.abc import Container
from dataclasses import replace
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.core.money import format_amount
from node.risk.provisions.rules_movement import Movement
from node.risk.provisions.rules_provision import LineKind, LossRate, ProvisionLine
from node.risk.provisions.service import MovementReport
from node.risk.provisions.store import ProvisionRun, SpecificEntry

PERCENT_MILLI = 100_000
MOVED: tuple[tuple[str, LocalText], ...] = (
    ("opening", LocalText(zh="期初", en="Opening")),
    ("added", LocalText(zh="计提", en="Added")),
    ("released", LocalText(zh="转回", en="Released")),
    ("used", LocalText(zh="核销使用", en="Used by write-offs")),
    ("currency_effect", LocalText(zh="汇率影响", en="Currency effect")),
    ("closing", LocalText(zh="期末", en="Closing")),
)
"""The lines of the movement table, in their order."""


def build_run_object(
    run: ProvisionRun, *, language: Language, hidden: Container[int] = frozenset()
) -> dict[str, Any]:
    """Return a run with its lines: codes, amounts in minor units, and words beside them.

    Lines of customers who are ``hidden`` have their amounts and no number.
    """
    content = run.content
    return {
        "id": run.run_id,
        "as_of": content.as_of.isoformat(),
        "currency": content.currency,
        "known_at_ms": content.known_at_ms,
        "policy": {"label": content.policy_label, "sha256": content.policy_sha256_b64u},
        "method": content.method,
        "forward_ppm": content.forward_ppm,
        "flow_invoices": content.flow_invoices,
        "balance_minor": content.balance_minor,
        "allowance_minor": content.allowance_minor,
        "disputed_minor": content.disputed_minor,
        "unapplied_minor": content.unapplied_minor,
        "stages": _sum_stages(content.lines),
        "lines": [_build_line(run, place, language, hidden) for place in range(len(content.lines))],
        "by": run.entered_by,
        "entered_at_ms": run.entered_at_ms,
    }


def build_movement_object(report: MovementReport, *, language: Language) -> dict[str, Any]:
    """Return the movement table, line by line, with what it rests on."""
    opening = report.opening
    amounts = list_amounts(report.movement)
    return {
        "currency": report.currency,
        "opening_run": None if opening is None else opening.run_id,
        "opening_on": None if opening is None else opening.content.as_of.isoformat(),
        "closing_run": report.closing.run_id,
        "closing_on": report.closing.content.as_of.isoformat(),
        "lines": [
            {"code": code, "text": words.render(language), "minor": amounts[code]}
            for code, words in MOVED
        ],
        "written_off_minor": report.movement.written_off_minor,
        "unprovided_minor": report.movement.unprovided_minor,
        "rates": [
            {"base": one.base, "quote": one.quote, "on": one.on.isoformat(), "nano": one.rate_nano}
            for one in report.rates
        ],
    }


def list_amounts(movement: Movement) -> dict[str, int]:
    """Return the table's amounts with the sign that they have in it, by code."""
    return {
        "opening": movement.opening_minor,
        "added": movement.added_minor,
        "released": -movement.released_minor,
        "used": -movement.used_minor,
        "currency_effect": movement.currency_effect_minor,
        "closing": movement.closing_minor,
    }


def format_movement_csv(report: MovementReport) -> str:
    """Write the movement table as a file for the auditor; amounts in units with decimals."""
    file = io.StringIO(newline="")
    lines = csv.writer(file)
    lines.writerow(["line", "currency", "amount", "opening_run", "closing_run", "from", "to"])
    opening, closing = report.opening, report.closing
    amounts = list_amounts(report.movement)
    for code, _ in MOVED:
        lines.writerow(
            [
                code,
                report.currency,
                format_amount(amounts[code], currency=report.currency).replace(",", ""),
                "" if opening is None else opening.run_id,
                closing.run_id,
                "" if opening is None else opening.content.as_of.isoformat(),
                closing.content.as_of.isoformat(),
            ]
        )
    return file.getvalue()


def build_specific_object(entry: SpecificEntry) -> dict[str, Any]:
    """Return a customer apart."""
    return {
        "id": entry.entry_id,
        "customer": entry.customer_id,
        "rate_ppm": entry.rate_ppm,
        "from_on": entry.from_on.isoformat(),
        "reason": entry.reason,
        "by": entry.entered_by,
        "entered_at_ms": entry.entered_at_ms,
        "ended_on": None if entry.ended_on is None else entry.ended_on.isoformat(),
        "ended_by": entry.ended_by,
        "end_reason": entry.end_reason,
    }


def format_rate(rate: LossRate) -> str:
    """Write a rate in per cent with three decimals, rounded down for the eye alone."""
    milli = rate.numerator * PERCENT_MILLI // rate.denominator
    return f"{milli // 1000}.{milli % 1000:03d} %"


def name_line(line: ProvisionLine, *, after_days: int | None, language: Language) -> str:
    """Name a bucket by its days past due, or the customer apart by its number."""
    if line.kind is LineKind.SPECIFIC:
        if line.customer_id is None:
            return "自然人" if language is Language.ZH else "a natural person"
        return f"{'客户' if language is Language.ZH else 'customer'} {line.customer_id}"
    if after_days is None:
        return "未到期" if language is Language.ZH else "not due"
    return f"> {after_days}" if line.upto_days is None else f"{after_days + 1}-{line.upto_days}"


def _build_line(
    run: ProvisionRun, place: int, language: Language, hidden: Container[int]
) -> dict[str, Any]:
    line = run.content.lines[place]
    if line.customer_id is not None and line.customer_id in hidden:
        line = replace(line, customer_id=None)
    after_days = run.content.lines[place - 1].upto_days if place else None
    return {
        "kind": line.kind.value,
        "text": name_line(line, after_days=after_days, language=language),
        "stage": line.stage.value,
        "upto_days": line.upto_days,
        "customer": line.customer_id,
        "balance_minor": line.balance_minor,
        "rate": {"numerator": line.rate.numerator, "denominator": line.rate.denominator},
        "rate_text": format_rate(line.rate),
        "allowance_minor": line.allowance_minor,
    }


def _sum_stages(lines: tuple[ProvisionLine, ...]) -> list[dict[str, int]]:
    return [
        {
            "stage": stage,
            "balance_minor": sum(one.balance_minor for one in lines if one.stage == stage),
            "allowance_minor": sum(one.allowance_minor for one in lines if one.stage == stage),
        }
        for stage in (1, 2, 3)
    ]
