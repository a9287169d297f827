"""Whose name stands on the steps of a case: that of whoever holds the token, and nobody else's."""

from __future__ import annotations

from pathlib import Path

from node.core.people.areas import Access, Area, check_access
from node.core.people.names import fold_name
from node.core.people.service import PeopleService, Principal, Role
from node.governance.cases.errors import CasePersonError
from node.governance.training.commands import read_actor


def name_person(actor: Principal) -> str:
    """Return the name under which somebody takes a step of a case.

    Raises:
        CasePersonError: It is the operator's token, which is nobody's.
    """
    if actor.role is Role.OPERATOR or not fold_name(actor.name):
        raise CasePersonError(
            "a person enters and decides cases, with a token of its own: not the operator's"
        )
    return actor.name


def read_person(people: PeopleService, token_file: Path, *, case_id: int | None) -> str:
    """Return the name of who holds the token of a file and may enter cases; it is recorded.

    Raises:
        NotAuthenticatedError: It holds none that is in force.
        OutOfReachError: The role enters no cases.
        CasePersonError: It is nobody's.
    """
    actor = read_actor(people, token_file)
    target = "case" if case_id is None else f"case {case_id}"
    check_access(people, actor, Access(area=Area.CASES, target=target, is_entry=True))
    return name_person(actor)
