"""Versions and previews as tables of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from node.core.policies.records import PolicyRecord
from node.core.policies.rules_states import PolicyState

_DECI = 10
_MILLI = 1000


def tabulate_versions(records: Sequence[PolicyRecord]) -> Table:
    """Return the versions, a row each."""
    table = Table("No.", "Kind", "Version", "State", "Written by", "Approved by", "Active from")
    for one in records:
        approval, activation = (
            one.find_event(state) for state in (PolicyState.APPROVED, PolicyState.ACTIVE)
        )
        since = activation.effective_from if activation else None
        table.add_row(
            str(one.version_id),
            one.name.kind,
            one.name.label,
            one.state.value,
            one.text.actor.name,
            approval.actor.name if approval else "",
            since.isoformat() if since else "",
        )
    return table


def tabulate_preview(summary: dict[str, Any], *, as_of: str) -> list[Table]:
    """Return what would change: counts, the matrix, the largest moves."""
    title = f"{summary['before']['label']} → {summary['after']['label']}, as of {as_of}"
    last = _tabulate_alerts(summary) if "alerts" in summary else _tabulate_moves(summary)
    return [_tabulate_counts(summary, title), _tabulate_matrix(summary), last]


def _tabulate_counts(summary: dict[str, Any], title: str) -> Table:
    table = Table("", "Customers", title=title)
    if "alerts" in summary:
        for words, count in (
            ("judged", summary["customers"]),
            ("whose status changes", summary["changed"]),
            ("held by the new rules alone", summary["default_gained"]["count"]),
            ("held by the old rules alone", summary["default_lost"]["count"]),
        ):
            table.add_row(words, f"{count:,}")
        return table
    rows = [("with an assessment", summary["customers"]), ("scored", summary["scored"])]
    rows.append(("whose score changes", summary["rescored"]))
    rows += [
        (f"whose grade {word}", summary[name])
        for name, word in (("changed", "changes"), ("better", "rises"), ("worse", "falls"))
        if name in summary
    ]
    rows.append(("default by the new rules alone", summary["default_gained"]["count"]))
    rows.append(("default by the old rules alone", summary["default_lost"]["count"]))
    rows.append(("whose evidence moved since their rating", summary["moved_since_rating"]))
    for words, count in rows:
        table.add_row(words, f"{count:,}")
    if "change_mean_milli" in summary:
        table.add_row("mean change of the score", f"{summary['change_mean_milli'] / _MILLI:+.3f}")
    return table


def _tabulate_matrix(summary: dict[str, Any]) -> Table:
    table = Table("before \\ after", *summary["grades_after"], "all", title="Migration")
    for grade, row in zip(summary["grades_before"], summary["matrix"], strict=True):
        table.add_row(grade, *(str(count or "") for count in row), str(sum(row)))
    after = [summary["counts_after"][grade] for grade in summary["grades_after"]]
    table.add_row("all", *(str(count) for count in after), str(sum(after)))
    return table


def _tabulate_alerts(summary: dict[str, Any]) -> Table:
    table = Table("Rule", "Before", "After", "Opened", "Ceased", title="Alerts")
    for one in summary["alerts"]:
        counts = (one[name] for name in ("before", "after", "opened", "ceased"))
        table.add_row(one["rule"], *map(str, counts))
    return table


def _tabulate_moves(summary: dict[str, Any]) -> Table:
    table = Table("Customer", "Score", "Change", "Grade", "Why", title="Largest moves")
    for one in summary["moves"]:
        why = ", ".join(
            f"{reason['factor']} {reason['change_deci'] / _DECI:+.1f}" for reason in one["reasons"]
        )
        table.add_row(
            str(one["customer"]),
            f"{one['score_before_deci'] / _DECI:.1f} → {one['score_after_deci'] / _DECI:.1f}",
            f"{one['change_deci'] / _DECI:+.1f}",
            f"{one['grade_before']} → {one['grade_after']}",
            why,
        )
    return table
