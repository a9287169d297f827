"""A room of tests with one customer who is rated AA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room, build_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """The rooms, with nobody in them."""
    built = build_room(tmp_path)
    yield built
    built.database.dispose()


@pytest.fixture
def customer(room: Room) -> int:
    """Somebody who has always paid in time."""
    key = room.add_invoices("one", [0] * 12)
    assert room.rating.rate_customer(key, as_of=AS_OF).rating.grade_with_peers == "AA"
    return key
