"""Bench of the federation: what peers' summaries are worth beside their raw histories.

Late payment on real invoices of one supplier, dealt to pseudo-members (the membership is simulated:
an upper bound). The same model is told nothing, the member's own history, everybody's raw history,
or own history and the summaries that the node's disclosure code would have released by the eve of
each invoice. Trained on earlier invoices, judged on later ones; intervals draw customers. The table
of rules says what each rule of disclosure costs: it is changed alone, and the model trained anew.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from typing import TYPE_CHECKING, Any

from node.rating.models.extra import check_models_extra
from scripts.benches.rating_data import FILE, FOLDER, deal, draw_customers, read_invoices
from scripts.benches.rating_judge import MODELS, PAIRS, SETS, WITH_COMBINED, build_world, run
from scripts.benches.rating_variants import AS_RELEASED, QUARTERS, list_variants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MEMBERS = 20
QUICK_PERCENT = 10


def show(members: int, figures: Mapping[str, Any]) -> None:
    """Print the tables of one dealing."""
    print(f"\n{members} pseudo-members, {figures['train']} invoices teach, {figures['test']} test")
    for model in figures["auc"]:
        print(f"\n{model:10}{'invoices':>9}{'bad':>6}" + "".join(f"{one:>26}" for one in SETS))
        for stratum, count in figures["strata"].items():
            cells = (_format(figures["auc"][model][stratum][name]) for name in SETS)
            print(
                f"{stratum:10}{count['invoices']:9}{count['bad']:6}"
                + "".join(f"{one:>26}" for one in cells)
            )
        for name in PAIRS:
            cells = (f"{one} {_format(cell)}" for one, cell in figures[name][model].items())
            print(f"{name:12}" + "  ".join(cells))
    print(
        f"\ncold invoices of which anything is told: {figures['cold_told_percent']} %,"
        f" by {figures['cold_told_by']} members"
    )
    if figures["rules"]:
        heads = (f"{model} {stratum}" for model in MODELS for stratum in ("all", "cold"))
        print(f"\n{'gain by':38}{'told %':>7}" + "".join(f"{one:>28}" for one in heads))
    for row in figures["rules"]:
        cells = (
            _format(row[f"gain_{model}_{stratum}"])
            for model in MODELS
            for stratum in ("all", "cold")
        )
        print(
            f"{row['name']:38}{row['cold_told_percent']:7}" + "".join(f"{one:>28}" for one in cells)
        )


def _format(measured: Sequence[float | None]) -> str:
    value, low, high = measured
    if value is None or low is None or high is None:
        return "–"  # noqa: RUF001  nothing to tell
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def main(arguments: Sequence[str] | None = None, *, folder: Path = FOLDER) -> None:
    """Parse, read, measure, print."""
    args = _parse(arguments)
    path = folder / FILE
    if not path.is_file():
        reason = f"skipped: {FILE} is not in {FOLDER.parent.name}/{FOLDER.name} beside the project"
        print(json.dumps({"skipped": reason}) if args.json else reason)
        return
    check_models_extra()
    begun, cpu_begun = time.perf_counter(), time.process_time()
    invoices = read_invoices(path)
    if args.quick:
        invoices = draw_customers(invoices, share_percent=QUICK_PERCENT, seed=args.seed)
    variants = list_variants()
    if args.quick or args.no_rules:
        variants = (AS_RELEASED,) if args.quick else (AS_RELEASED, QUARTERS)
    if args.rule:
        variants = (AS_RELEASED, *(one for one in list_variants() if one.name in args.rule))
    dealt: dict[str, Any] = {}
    for members in args.members or [MEMBERS]:
        world = build_world(
            deal(invoices, members=members, seed=args.seed), is_business=args.business_days
        )
        models = WITH_COMBINED if args.combinations else MODELS
        dealt[str(members)] = run(world, variants=variants, models=models)
    figures = {
        **_name_bars(next(iter(dealt.values()))),
        "members": dealt,
        "seed": args.seed,
        "seconds": round(time.perf_counter() - begun),
        "cpu_seconds": round(time.process_time() - cpu_begun),
        "python": platform.python_version(),
    }
    if args.json:
        print(json.dumps(figures))
        return
    for number, one in dealt.items():
        show(int(number), one)
    print(f"\n{figures['seconds']} s, {figures['cpu_seconds']} s of one processor")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--members", type=int, action="append", help=f"pseudo-members; default: {MEMBERS}"
    )
    parser.add_argument("--seed", type=int, default=0, help="deals the invoices otherwise")
    parser.add_argument("--no-rules", action="store_true", help="without the table of rules")
    parser.add_argument(
        "--rule",
        action="append",
        choices=[one.name for one in list_variants()[1:]],
        metavar="NAME",
        help="this row of the table of rules alone; may be given more than once",
    )
    parser.add_argument(
        "--business-days", action="store_true", help="late is after the next business day"
    )
    parser.add_argument(
        "--combinations", action="store_true", help="our scorecard with combinations beside"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_PERCENT} %% of the customers, no table of rules",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    return parser.parse_args(arguments)


def _name_bars(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the bars are about at the top."""
    return {
        name: value
        for name, value in figures.items()
        if name.startswith(("auc_loss_to_pooled", "is_within_bar"))
    }


if __name__ == "__main__":
    main()
