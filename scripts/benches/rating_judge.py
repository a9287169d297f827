"""What each model makes of what it is told: histories and answers looked up, trained, compared."""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.benches.rating_data import SPLIT, Invoice, Split
from scripts.benches.rating_features import (
    Case,
    Row,
    Smoother,
    build_smoother,
    build_table,
    describe_answers,
    describe_history,
    describe_invoice,
    describe_pooled,
)
from scripts.benches.rating_history import build_histories
from scripts.benches.rating_models import (
    Measured,
    Resampler,
    Scorecard,
    measure,
    predict_boosting,
)
from scripts.benches.rating_releases import (
    Answers,
    Chain,
    Grid,
    Outs,
    PairLedger,
    Rules,
    build_chains,
    build_ledgers,
    collect_answers,
    list_outs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from node.rating.models.table import TrainingTable
    from scripts.benches.rating_variants import Variant

FEW_MAX = 4
PERCENT = 100
OURS, COMBINED, BOOSTING = "ours", "combined", "boosting"
MODELS = (OURS, BOOSTING)
WITH_COMBINED = (OURS, COMBINED, BOOSTING)  # of the four sets; of every rule the others alone
SETS = ("none", "own", "pooled", "told")
STRATA: Mapping[str, Callable[[Case], bool]] = {
    "all": lambda _: True,
    "cold": lambda case: case.is_cold,
    "own 1-4": lambda case: 1 <= case.own_count <= FEW_MAX,
    "own 5+": lambda case: case.own_count > FEW_MAX,
}
PAIRS = {
    "gain_told": ("told", "own"),
    "gain_pooled": ("pooled", "own"),
    "loss": ("pooled", "told"),
}
BARS = {"all": 0.02, "cold": 0.05}

Scores = dict[str, list[float]]  # by model


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The invoices that teach and test, with what was known on the eve of each."""

    invoices: Sequence[Invoice]
    split: Split
    train: Sequence[Case]
    test: Sequence[Case]
    smoother: Smoother
    is_business: bool

    def outcome(self, case: Case) -> bool:
        """Tell whether an invoice was paid late: after its date, or after its business day."""
        invoice = case.invoice
        due_on = invoice.due_business_on if self.is_business else invoice.due_on
        return invoice.paid_on > due_on


def build_world(
    invoices: Sequence[Invoice], *, split: Split = SPLIT, is_business: bool = False
) -> World:
    """Work out the histories of every invoice that teaches or tests."""
    train = [one for one in invoices if split.is_train(one)]
    test = [one for one in invoices if split.is_test(one)]
    return World(
        invoices=invoices,
        split=split,
        train=build_cases(train, held=invoices),
        test=build_cases(test, held=invoices),
        smoother=build_smoother(train),
        is_business=is_business,
    )


def build_cases(asked: Sequence[Invoice], *, held: Sequence[Invoice]) -> list[Case]:
    """Look up own and pooled history on the eve of each invoice."""
    own: dict[object, list[Invoice]] = defaultdict(list)
    pooled: dict[object, list[Invoice]] = defaultdict(list)
    days: dict[object, list[date]] = defaultdict(list)
    for one in held:
        own[one.member, one.customer].append(one)
        pooled[one.customer].append(one)
    for one in asked:
        days[one.member, one.customer].append(one.asked_on)
        days[one.customer].append(one.asked_on)
    mine = {key: build_histories(own[key], days=days[key]) for key in own if key in days}
    all_of = {key: build_histories(pooled[key], days=days[key]) for key in pooled if key in days}
    return [
        Case(
            invoice=one,
            own=mine[one.member, one.customer][one.asked_on],
            pooled=all_of[one.customer][one.asked_on],
        )
        for one in asked
    ]


class Releases:
    """Answers under any rules; windows and releases are kept while the same are asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._grid: Grid | None = None
        self._ledgers: Mapping[tuple[int, str], PairLedger] = {}
        self._chains: Mapping[tuple[int, str], Chain] = {}
        self._months: list[int] = []
        self._outs: tuple[object, Outs] | None = None

    def collect(self, rules: Rules) -> Answers:
        """Return what the members would tell."""
        if rules.grid != self._grid:
            self._lay(rules.grid)
        key = (rules.grid, rules.policy, rules.asked_months)
        if self._outs is None or self._outs[0] != key:
            self._outs = (key, list_outs(self._chains, rules=rules))
        return collect_answers(
            self._ledgers,
            self._outs[1],
            months=self._months,
            rules=rules,
            learn_until=self._world.split.train_until,
        )

    def _lay(self, grid: Grid) -> None:
        invoices = self._world.invoices
        self._grid = grid
        self._ledgers = build_ledgers(invoices, is_business=grid.is_business)
        self._months = grid.list_months(
            first=min(one.issued_on for one in invoices),
            last=max(case.invoice.asked_on for case in self._world.test),
        )
        self._chains = build_chains(self._ledgers, grid=grid, months=self._months)


class Judge:
    """Trains models on rows and says how well they do in each stratum."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scorecard = Scorecard()
        self._train = [world.outcome(case) for case in world.train]
        self._test = [world.outcome(case) for case in world.test]
        self._places = {
            name: [i for i, case in enumerate(world.test) if holds(case)]
            for name, holds in STRATA.items()
        }
        self._resamplers = {
            name: Resampler(
                [world.test[i].invoice.customer for i in places], [self._test[i] for i in places]
            )
            for name, places in self._places.items()
        }

    def score(
        self, train: Sequence[Row], test: Sequence[Row], *, models: Sequence[str] = MODELS
    ) -> Scores:
        """Return the predictions of each model for the rows that test."""
        tables = build_table(train, self._train), build_table(test, self._test)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries' own use of each other
            return {model: self._predict(model, *tables) for model in models}

    def _predict(self, model: str, train: TrainingTable, test: TrainingTable) -> list[float]:
        if model == BOOSTING:
            return predict_boosting(train, test)
        return self._scorecard.predict(train, test, is_combined=model == COMBINED)

    def areas(self, scores: Scores, *, model: str, stratum: str) -> Any:  # noqa: ANN401  an array
        """Return the area of a model in a stratum, then of each sample."""
        mine = scores[model]
        return self._resamplers[stratum].areas([mine[i] for i in self._places[stratum]])

    def compare(self, better: Scores, worse: Scores, *, model: str, stratum: str) -> Measured:
        """Return how much larger the area of one is, on the same samples."""
        first = self.areas(better, model=model, stratum=stratum)
        return measure(first - self.areas(worse, model=model, stratum=stratum))

    def describe_strata(self) -> dict[str, Any]:
        """Count invoices, customers and bad ones."""
        return {
            name: {
                "invoices": len(places),
                "customers": len({self._world.test[i].invoice.customer for i in places}),
                "bad": sum(self._test[i] for i in places),
            }
            for name, places in self._places.items()
        }


def describe_cases(world: World, cases: Sequence[Case]) -> dict[str, list[Row]]:
    """Return the factors of every set but the told one."""
    own, pooled = [], []
    base = [describe_invoice(case.invoice) for case in cases]
    for case in cases:
        day = case.invoice.asked_on
        own.append(describe_history(case.own, day=day, prefix="own", smoother=world.smoother))
        pooled.append(describe_pooled(case.pooled, day=day, smoother=world.smoother))
    return {
        "none": base,
        "own": [{**a, **b} for a, b in zip(base, own, strict=True)],
        "pooled": [{**a, **b, **c} for a, b, c in zip(base, own, pooled, strict=True)],
    }


def describe_variant(
    world: World, answers: Answers, *, rules: Rules, rows: Mapping[str, list[list[Row]]]
) -> list[list[Row]]:
    """Return own factors and those of what is told, for training and test."""
    return [
        [
            {
                **row,
                **describe_answers(
                    case,
                    answers,
                    contributors_min=rules.contributors_min,
                    smoother=world.smoother,
                ),
            }
            for case, row in zip(cases, own, strict=True)
        ]
        for cases, own in zip((world.train, world.test), rows["own"], strict=True)
    ]


def measure_coverage(world: World, answers: Answers, *, rules: Rules) -> dict[str, Any]:
    """Return how many of the cold invoices anything is told of, and by how many on average."""
    counts = [
        len(
            answers.list_told(
                case.invoice.customer, day=case.invoice.asked_on, asking=case.invoice.member
            )
        )
        for case in world.test
        if case.is_cold
    ]
    told = [one for one in counts if one >= rules.contributors_min]
    return {
        "cold_told_percent": round(PERCENT * len(told) / max(1, len(counts)), 1),
        "cold_told_by": round(sum(told) / max(1, len(told)), 1),
    }


def run(
    world: World, *, variants: Sequence[Variant], models: Sequence[str] = MODELS
) -> dict[str, Any]:
    """Measure the four sets, then each variant beside the rules as they are."""
    judge, releases = Judge(world), Releases(world)
    sets = [describe_cases(world, cases) for cases in (world.train, world.test)]
    rows = {name: [one[name] for one in sets] for name in sets[0]}
    scores = {name: judge.score(*both, models=models) for name, both in rows.items()}
    found: list[tuple[Variant, Scores, dict[str, Any]]] = []
    for variant in variants:
        print(f"rating: {variant.name}", file=sys.stderr)  # Each takes a while.
        answers = releases.collect(variant.rules)
        told = describe_variant(world, answers, rules=variant.rules, rows=rows)
        coverage = measure_coverage(world, answers, rules=variant.rules)
        mine = judge.score(*told, models=MODELS if found else models)
        found.append((variant, mine, coverage))
    scores["told"] = found[0][1]
    return {
        "train": len(world.train),
        "test": len(world.test),
        "strata": judge.describe_strata(),
        **_describe_sets(judge, scores, models=models),
        **found[0][2],
        "rules": [
            _describe_rule(judge, variant.name, mine, base=scores, coverage=coverage)
            for variant, mine, coverage in found[1:]
        ],
    }


def _describe_sets(
    judge: Judge, scores: Mapping[str, Scores], *, models: Sequence[str]
) -> dict[str, Any]:
    """Return areas, what others' knowledge adds, and what the summaries lose of it."""
    figures: dict[str, Any] = {
        "auc": {
            model: {
                stratum: {
                    name: measure(
                        judge.areas(scores[name], model=model, stratum=stratum)
                    ).to_object()
                    for name in SETS
                }
                for stratum in STRATA
            }
            for model in models
        }
    }
    for name, (better, worse) in PAIRS.items():
        figures[name] = {
            model: {
                stratum: judge.compare(
                    scores[better], scores[worse], model=model, stratum=stratum
                ).to_object()
                for stratum in STRATA
            }
            for model in models
        }
    for stratum, suffix in (("all", ""), ("cold", "_cold")):
        name = f"auc_loss_to_pooled{suffix}"
        value, *ends = figures["loss"][OURS][stratum]
        figures[name] = value
        figures[f"{name}_interval"] = ends
        figures[f"{name}_boosting"] = figures["loss"][BOOSTING][stratum]
        figures[f"is_within_bar{suffix}"] = value is not None and value <= BARS[stratum]
    return figures


def _describe_rule(
    judge: Judge,
    name: str,
    mine: Scores,
    *,
    base: Mapping[str, Scores],
    coverage: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what is gained by a change of a rule, and what is still lost to raw histories."""
    row: dict[str, Any] = {"name": name, **coverage}
    for model in MODELS:
        for stratum in ("all", "cold"):
            key = f"{model}_{stratum}"
            row[f"gain_{key}"] = judge.compare(
                mine, base["told"], model=model, stratum=stratum
            ).to_object()
            row[f"loss_{key}"] = judge.compare(
                base["pooled"], mine, model=model, stratum=stratum
            ).to_object()
    return row
