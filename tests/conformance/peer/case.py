"""Cases and their verdicts.

A case names the rules that it tests. It ends in silence, in ``Failed`` with what was seen instead,
or in ``NotApplicable`` with what the node under test or the run lacks.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.peer.kit import Kit

Run = Callable[["Kit"], None]


class Role(StrEnum):
    """What the node under test is in a case."""

    PROVIDER = "provider"
    ASKER = "asker"
    ENDING = "ending"
    """As provider, and the node cannot be used for a while: these cases come last."""


class Verdict(StrEnum):
    """What came of a case."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"


class Failed(Exception):  # noqa: N818  a verdict, not an error of ours
    """The node did something else than the specification says."""


class NotApplicable(Exception):  # noqa: N818  see above
    """The case cannot be tried on this node or in this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: a name, the rules that it tests, and what it does."""

    name: str
    rules: tuple[str, ...]
    run: Run
    role: Role = Role.PROVIDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case and its verdict."""

    case: Case
    verdict: Verdict
    detail: str = ""


class CaseList:
    """The cases of one file."""

    def __init__(self, area: str, *, role: Role = Role.PROVIDER) -> None:
        """Start empty; the area begins every name."""
        self.cases: list[Case] = []
        self._area = area
        self._role = role

    def case(self, *rules: str, role: Role | None = None) -> Callable[[Run], Run]:
        """Take a function as a case; its name says what holds."""

        def take(run: Run) -> Run:
            self.add(run.__name__.replace("_", " "), rules, run, role=role)
            return run

        return take

    def add(self, name: str, rules: Iterable[str], run: Run, *, role: Role | None = None) -> None:
        """Add a case."""
        self.cases.append(
            Case(
                name=f"{self._area}: {name}",
                rules=tuple(rules),
                run=run,
                role=role or self._role,
            )
        )


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001  it reads as assert does
    """Check what a case asks for.

    Raises:
        Failed: It does not hold.
    """
    if not holds:
        raise Failed(otherwise)


def expect_equal(found: object, due: object, what: str) -> None:
    """Check that something is as the specification says.

    Raises:
        Failed: It is something else.
    """
    if found != due:
        raise Failed(f"{what}: {found!r} instead of {due!r}")


def run_case(case: Case, kit: Kit) -> Result:
    """Run one case and return its verdict."""
    try:
        case.run(kit)
    except Failed as err:
        return Result(case=case, verdict=Verdict.FAIL, detail=str(err))
    except NotApplicable as err:
        return Result(case=case, verdict=Verdict.NOT_APPLICABLE, detail=str(err))
    except Exception as err:  # noqa: BLE001  the kit's edge: one case must not end the others
        where = traceback.extract_tb(err.__traceback__)[-1]
        detail = f"{type(err).__name__}: {err} ({Path(where.filename).name}:{where.lineno})"
        return Result(case=case, verdict=Verdict.FAIL, detail=detail)
    return Result(case=case, verdict=Verdict.PASS)


def run_cases(cases: Iterable[Case], kit: Kit) -> Iterator[Result]:
    """Run cases one after the other."""
    for case in cases:
        yield run_case(case, kit)
