"""Bench of the statistical scorecard beside a plain optbinning scorecard and gradient boosting.

Public data of company failure and consumer credit, in a folder beside the project, are cut into
five folds (stratified, seed 42), the same for everybody in the same run. Each line says what one
rule of the training is worth: monotone bins, bins for missing values, finer bins, combinations of
factors. Ours is measured as it scores: integers in, whole tenths of points out, without a library.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import VALUE_MAX, Direction
from node.assessment.statistical.rules_statistical import score_values
from node.assessment.statistical.scaling import read_scale
from node.rating.models.extra import check_models_extra
from node.rating.models.table import Column, TrainingTable
from node.rating.models.training import train_model
from node.rating.models.training_policy import read_preset_training_policy
from node.rating.validation.calibration import brier
from node.rating.validation.discrimination import auc, ks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDS = 5
SEED = 42
DECIMALS = 9  # values are kept in billionths
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
# The column of the outcome, and what is bad in it.
DATA: Mapping[str, tuple[str, str]] = {
    "german_credit": ("creditability", "bad"),
    "taiwan_bankruptcy": ("Bankrupt?", "1"),
    "polish_1year": ("class", "1"),
    "polish_5year": ("class", "1"),
    "uci_default_credit_card": ("Default", "1"),
}
# AUC of a plain optbinning scorecard as measured before, and how far below it ours may lie.
BEFORE: Mapping[str, float] = {
    "german_credit": 0.783,
    "taiwan_bankruptcy": 0.927,
    "polish_1year": 0.888,
    "polish_5year": 0.921,
    "uci_default_credit_card": 0.767,
}
BELOW_MAX = 0.01
POLISH_GAP_MAX = 0.05
FINER = {"prebins_max": 24, "share_min_permille": 20}
COMBINED = {"count_max": 20}
# What is changed of the shipped rules in each line of ours; the last is the one of the second bar.
OURS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ours": ({}, {}),
    "ours, not monotone": ({"is_monotone": False}, {}),
    "ours, no missing bins": ({"has_missing_bins": False}, {}),
    "ours, finer bins": (FINER, {}),
    "ours, combinations": ({}, COMBINED),
}
PLAIN, BOOSTING = "optbinning", "gradient boosting"
MODELS = (PLAIN, *OURS, BOOSTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One fold of one set for one model."""

    data: str
    model: str
    fold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a model did on rows that it had not seen."""

    task: Task
    auc: float
    ks: float
    brier: float
    seconds: float


def read_table(name: str) -> TrainingTable:
    """Read a set; numbers are kept to nine places, and what is not a number is a word."""
    outcome, bad = DATA[name]
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    names = [one for one in lines[0] if one not in {outcome, "ID"}]
    columns, values = [], []
    for index, one in enumerate(names):
        texts = [line[one].strip() for line in lines]
        has_words = not all(_is_number(text) for text in texts if text)
        columns.append(
            Column(
                id=f"f{index}",
                source="file",
                names=LocalText(zh=one[:200], en=one[:200]),
                direction=Direction.FREE if has_words else Direction.EITHER,
                decimals=0 if has_words else DECIMALS,
                has_words=has_words,
            )
        )
        values.append([_read(text, has_words=has_words) for text in texts])
    return TrainingTable(
        columns=tuple(columns),
        rows=tuple(zip(*values, strict=True)),
        outcomes=tuple(line[outcome].strip() == bad for line in lines),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read(text: str, *, has_words: bool) -> int | str | None:
    if not text or text.lower() in {"nan", "?"}:
        return None
    if has_words:
        return text
    value = round(float(text) * 1_000_000_000)
    return max(1 - VALUE_MAX, min(VALUE_MAX - 1, value))


def split(table: TrainingTable, fold: int) -> tuple[TrainingTable, TrainingTable]:
    """Return the rows to learn from and those to be judged by."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415  an extra

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    train, test = list(folds.split([[0]] * len(table.rows), table.outcomes))[fold]
    return table.select(train.tolist()), table.select(test.tolist())


def run(task: Task) -> Figures:
    """Train one model and judge it by rows of its own."""
    train, test = split(read_table(task.data), task.fold)
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if task.model == PLAIN:
            bad = predict_plain(train, test)
        elif task.model == BOOSTING:
            bad = predict_boosting(train, test)
        else:
            bad = predict_ours(train, test, model=task.model)
    seconds = time.perf_counter() - begun
    return Figures(
        task=task,
        auc=auc(bad, test.outcomes) or 0.0,
        ks=ks(bad, test.outcomes) or 0.0,
        brier=brier(bad, test.outcomes) or 0.0,
        seconds=seconds,
    )


def predict_ours(train: TrainingTable, test: TrainingTable, *, model: str) -> list[float]:
    """Train as a node does, and score each row as a node does."""
    preset = read_preset_training_policy()
    bins, combinations = OURS[model]
    body = preset.body.model_copy(
        update={
            "bins": preset.body.bins.model_copy(update=bins),
            "combinations": preset.body.combinations.model_copy(update=combinations),
            "fit": preset.body.fit.model_copy(update={"features_max": 128}),
        }
    )
    policy = replace(preset, body=body)
    names = LocalText(zh="bench", en="bench")
    trained = train_model(train, policy=policy, model_id="bench", names=names)
    scale = read_scale(trained.body.scale)
    ids = [column.id for column in test.columns]
    used = {feature.id for feature in trained.body.features}
    scores = (
        score_values(
            trained, {one: value for one, value in zip(ids, row, strict=True) if one in used}
        )
        for row in test.rows
    )
    return [scale.probability(one.score_deci / 10) for one in scores]


def predict_plain(train: TrainingTable, test: TrainingTable) -> list[float]:
    """Use optbinning as its manual shows: bins, IV of 0.02 and more, logistic regression.

    Missing values weigh what they are found to, which is its better setting on these data.
    """
    from optbinning import BinningProcess  # noqa: PLC0415  an extra
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  an extra

    names = [column.id for column in train.columns]
    words = [column.id for column in train.columns if column.has_words]
    process = BinningProcess(
        names, categorical_variables=words, selection_criteria={"iv": {"min": 0.02}}
    )
    outcomes = [int(is_bad) for is_bad in train.outcomes]
    process.fit(_build_frame(train), outcomes)
    model = LogisticRegression(max_iter=2_000)
    model.fit(
        process.transform(_build_frame(train), metric="woe", metric_missing="empirical"), outcomes
    )
    weights = process.transform(_build_frame(test), metric="woe", metric_missing="empirical")
    return [float(one) for one in model.predict_proba(weights)[:, 1]]


def predict_boosting(train: TrainingTable, test: TrainingTable) -> list[float]:
    """Use scikit-learn's gradient boosting as it comes, which finds missing values itself."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  an extra

    model = HistGradientBoostingClassifier(
        random_state=SEED, categorical_features="from_dtype", early_stopping=False
    )
    both = _build_frame(train, test)
    count = len(train.rows)
    model.fit(both.iloc[:count], [int(is_bad) for is_bad in train.outcomes])
    return [float(one) for one in model.predict_proba(both.iloc[count:])[:, 1]]


def _build_frame(*tables: TrainingTable) -> Any:  # noqa: ANN401  untyped library
    import pandas as pd  # noqa: PLC0415  an extra

    columns = {}
    for index, column in enumerate(tables[0].columns):
        values = [row[index] for table in tables for row in table.rows]
        kind = "category" if column.has_words and len(tables) > 1 else None
        if not column.has_words:
            kind = "float64"
        columns[column.id] = pd.Series(values, dtype=kind or "object")
    return pd.DataFrame(columns)


def sum_up(found: Sequence[Figures], *, data: Sequence[str]) -> dict[str, Any]:
    """Return means and spread over the folds, gaps, and whether the bars are met."""
    sets: dict[str, Any] = {}
    for name in data:
        rows: dict[str, Any] = {}
        for model in MODELS:
            mine = [one for one in found if one.task.data == name and one.task.model == model]
            rows[model] = {
                "auc": round(statistics.mean(one.auc for one in mine), 4),
                "auc_sd": round(statistics.stdev(one.auc for one in mine), 4),
                "ks": round(statistics.mean(one.ks for one in mine), 4),
                "brier": round(statistics.mean(one.brier for one in mine), 4),
                "seconds_a_fold": round(statistics.mean(one.seconds for one in mine), 1),
            }
        for row in rows.values():
            row["gap_to_boosting"] = round(rows[BOOSTING]["auc"] - row["auc"], 4)
        best = rows["ours, combinations"]
        is_polish = name.startswith("polish")
        bars = {"not_below_before": rows["ours"]["auc"] >= BEFORE[name] - BELOW_MAX}
        if is_polish:
            bars["gap_with_combinations"] = best["gap_to_boosting"] <= POLISH_GAP_MAX
        sets[name] = {"before": BEFORE[name], "models": rows, "bars": bars}
    return sets


def show(sets: Mapping[str, Any]) -> None:
    """Print one table a set."""
    for name, one in sets.items():
        print(f"\n{name}  (optbinning before: {one['before']:.3f})  bars {one['bars']}")
        print(f"{'':32}{'AUC':>8}{'sd':>8}{'KS':>8}{'Brier':>8}{'gap':>9}{'s/fold':>8}")
        for model, row in one["models"].items():
            print(
                f"{model:32}{row['auc']:8.4f}{row['auc_sd']:8.4f}{row['ks']:8.4f}"
                f"{row['brier']:8.4f}{row['gap_to_boosting']:9.4f}{row['seconds_a_fold']:8.1f}"
            )


def main() -> None:
    """Parse, train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", action="append", choices=list(DATA), help="a set; default: all but UCI default"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    data = args.data or [one for one in DATA if one != "uci_default_credit_card"]
    missing = [one for one in data if not (FOLDER / f"{one}.csv.gz").is_file()]
    if missing:
        reason = f"skipped: the public data are not in {FOLDER.name}/ beside the project"
        print(json.dumps({"skipped": reason}) if args.json else reason)
        return
    check_models_extra()
    begun = time.perf_counter()
    tasks = [
        Task(data=one, model=model, fold=fold)
        for one in data
        for model in MODELS
        for fold in range(FOLDS)
    ]
    with ProcessPoolExecutor(max_workers=args.workers) as pool:
        found = list(pool.map(run, tasks))
    sets = sum_up(found, data=data)
    figures = {
        "sets": sets,
        "seconds": round(time.perf_counter() - begun),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }
    if args.json:
        print(json.dumps(figures))
        return
    show(sets)
    print(f"\n{figures['seconds']} s on {figures['cpus']} processors")


if __name__ == "__main__":
    main()
