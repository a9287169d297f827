"""A table of our own making to train on: who is bad follows from three figures, from a seed."""

from __future__ import annotations

import random  # noqa: TID251  from a stated seed
from datetime import date, timedelta

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import Direction
from node.rating.models.table import Column, TrainingTable

FIRST_DAY = date(2024, 1, 5)


def name(text: str) -> LocalText:
    return LocalText(zh=f"{text}值", en=text)


COLUMNS = (
    Column(id="index", source="own", names=name("index"), direction=Direction.RISING, decimals=1),
    Column(
        id="days",
        source="own",
        names=name("days"),
        direction=Direction.FALLING,
        specials=(999,),
    ),
    Column(id="noise", source="own", names=name("noise"), direction=Direction.EITHER),
    Column(
        id="sector", source="file", names=name("sector"), direction=Direction.FREE, has_words=True
    ),
)


def make_table(rows: int = 1_200, *, seed: int = 3) -> TrainingTable:
    """One of ten has no days; a high index and few days are good, and both together the more so."""
    chance = random.Random(seed)  # noqa: S311
    made, outcomes, days = [], [], []
    for number in range(rows):
        index = chance.randint(0, 1_000)
        late = chance.choice([None, 999, *[chance.randint(0, 120) for _ in range(8)]])
        sector = chance.choice(["build", "food", "steel"])
        bad = 0.03 + 0.3 * (index < 300) + 0.1 * (late is None) + 0.05 * (sector == "build")
        if late is not None and late > 60:
            bad += 0.25 if index < 500 else 0.05
        made.append((index, late, chance.randint(0, 100), sector))
        outcomes.append(chance.random() < bad)
        days.append(FIRST_DAY + timedelta(days=number * 900 // rows))
    return TrainingTable(
        columns=COLUMNS, rows=tuple(made), outcomes=tuple(outcomes), days=tuple(days)
    )
