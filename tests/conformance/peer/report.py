"""What the kit prints."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.conformance.peer.case import Result, Verdict

MARKS = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.NOT_APPLICABLE: "n/a "}


def format_result(result: Result) -> str:
    """Return one line for a case."""
    rules = " ".join(result.case.rules)
    line = f"{MARKS[result.verdict]}  {result.case.name}  [{rules}]"
    return f"{line}\n      {result.detail}" if result.detail else line


def format_counts(results: Sequence[Result], faults: Sequence[str]) -> str:
    """Return the table at the end."""
    lines = [f"{verdict.value:>15}  {count_of(results, verdict):>4}" for verdict in Verdict]
    lines += [f"beside the cases: {fault}" for fault in faults]
    return "\n".join(lines)


def format_json(results: Sequence[Result], faults: Sequence[str]) -> str:
    """Return everything as one JSON document."""
    return json.dumps(
        {
            "v": 1,
            "cases": [
                {
                    "name": result.case.name,
                    "rules": list(result.case.rules),
                    "role": result.case.role.value,
                    "verdict": result.verdict.value,
                    "detail": result.detail,
                }
                for result in results
            ],
            "counts": {verdict.value: count_of(results, verdict) for verdict in Verdict},
            "beside": list(faults),
        },
        indent=1,
        ensure_ascii=False,
    )


def count_of(results: Sequence[Result], verdict: Verdict) -> int:
    """Return how many cases have a verdict."""
    return sum(result.verdict is verdict for result in results)
