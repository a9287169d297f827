"""The problem table: one row a code, one class a code that is raised."""

from collections.abc import Iterator

import pytest

from protocol.errors import ProtocolError
from protocol.exchange import CHECKS, POLL_CODES
from protocol.problems import PROBLEMS, TYPE_PREFIX, Hop, PeerProblemError, ProblemRow

# Refusals of the node itself, raised by no check of a message.
OF_THE_NODE = {"log-unavailable", "unavailable"}


def walk(kind: type[ProtocolError]) -> Iterator[type[ProtocolError]]:
    for one in kind.__subclasses__():
        yield one
        yield from walk(one)


@pytest.mark.parametrize("row", PROBLEMS.values(), ids=PROBLEMS)
def test_a_row_is_complete(row: ProblemRow) -> None:
    assert PROBLEMS[row.code] is row
    assert 400 <= row.status <= 599
    assert row.title
    assert isinstance(row.hop, Hop)
    assert TYPE_PREFIX.endswith(":")


def test_every_class_of_a_peers_problem_has_a_row_of_its_own() -> None:
    own = [kind.code for kind in walk(PeerProblemError) if kind.__module__ == "protocol.problems"]

    assert set(own) <= set(PROBLEMS)
    assert len(set(own)) == len(own)


def test_every_row_is_a_code_that_a_check_or_the_node_gives() -> None:
    given = {code for check in CHECKS for code in check.codes} | set(POLL_CODES)

    assert set(PROBLEMS) - OF_THE_NODE == given


def test_no_data_and_withheld_share_one_row() -> None:
    row = PROBLEMS["no-answer"]

    assert (row.status, row.hop) == (404, Hop.PROVIDER_DATA)
    assert "data" not in row.title
    assert "withheld" not in row.title
