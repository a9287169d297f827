"""Grades that persons give in a room of tests."""

from __future__ import annotations

from node.core.people.service import Role
from node.rating.overrides.reading import JudgedOverride
from tests.support.persons import person
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room

LI, WANG, CHEN = person("Li"), person("Wang", Role.CFO), person("Chen")
WHY = "group"


def give(room: Room, customer: int, grade: str, **terms: object) -> JudgedOverride:
    told = {"reason_code": WHY, "reason": "its parent stands in", "actor": LI} | terms
    return room.overrides.give(customer, grade=grade, **told)  # type: ignore[arg-type]  # as told


def held(room: Room, customer: int) -> str:
    rating = room.rating.find_latest(customer)
    assert rating is not None
    with room.database.read() as uow:
        override = room.override_reader.find_in_force(uow, rating, day=AS_OF)
    return rating.grade_with_peers if override is None else override.grade_after
