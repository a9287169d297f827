"""The conformance kit against our own node, run as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest

from protocol.enrolment import MemberEnrolment
from tests.conformance.peer.case import Case, Result, Role, Verdict, run_cases
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import HUB_FILE
from tests.conformance.peer.node import Node
from tests.conformance.peer.parts import make_key
from tests.conformance.peer.server import Answer
from tests.conformance.peer.suite import list_cases
from tests.support.kit_node import MEMBER, run_kit, run_node

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a run, and what was wrong beside its cases."""

    results: dict[str, Result]
    beside: list[str]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Run every case in the kit's own order: the last ones leave the node without exchange."""
    with run_kit(tmp_path_factory.mktemp("kit")) as kit:
        results = {result.case.name: result for result in run_cases(list_cases(), kit)}
        return Outcome(results=results, beside=kit.faults)


@pytest.mark.parametrize("case", list_cases(), ids=lambda case: case.name)
def test_our_node_passes(outcome: Outcome, case: Case) -> None:
    result = outcome.results[case.name]

    assert result.detail == ""
    assert result.verdict is Verdict.PASS


def test_nothing_was_wrong_beside_the_cases(outcome: Outcome) -> None:
    assert outcome.beside == []


def test_every_role_has_cases_and_no_two_have_one_name() -> None:
    cases = list_cases()

    assert {case.role for case in cases} == set(Role)
    assert len({case.name for case in cases}) == len(cases)


@contextmanager
def pretend(answer: Answer) -> Iterator[Kit]:
    """Point the kit at something that gives one answer to everything."""
    kit = Kit()
    try:
        kit.hub.enrolment = MemberEnrolment(
            hub=kit.hub.newest.hub,
            iat=0,
            member=MEMBER,
            name=MEMBER,
            endpoint=f"{kit.server.url}/member/{MEMBER}",
            log_origin=f"{MEMBER}/chengxin/log/1",
            keys={"message": make_key("pretended").public, "log": make_key("log").public},
        )
        kit.server.members[MEMBER] = lambda _asked: answer
        kit.node = Node(url=kit.hub.enrolment.endpoint)
        yield kit
    finally:
        kit.close()


@pytest.mark.parametrize("body", [b"", b"{}", b"not JSON"])
def test_what_answers_everything_alike_passes_nothing(body: bytes) -> None:
    cases = [case for case in list_cases() if case.role is Role.PROVIDER]

    with pretend(Answer(body=body)) as kit:
        passed = [
            result.case.name for result in run_cases(cases, kit) if result.verdict is Verdict.PASS
        ]

    assert passed == []


def test_without_an_adapter_the_cases_of_an_asker_are_not_applicable() -> None:
    cases = [case for case in list_cases() if case.role is Role.ASKER]

    with pretend(Answer()) as kit:
        verdicts = {result.verdict for result in run_cases(cases, kit)}

    assert verdicts == {Verdict.NOT_APPLICABLE}


def test_the_command_tries_a_node_that_its_tester_sets_up(
    tmp_path: Path, project_root: Path
) -> None:
    folder, home = tmp_path / "kit", tmp_path / "node"
    adapter = f"{sys.executable} -m tests.conformance.chengxin_adapter {home}"
    command = [sys.executable, "-m", "tests.conformance.peer", "--folder", str(folder)]
    command += ["--adapter", adapter, "--only", "a question is logged", "--json"]
    with subprocess.Popen(
        command, cwd=project_root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as kit:
        deadline = monotonic() + 30
        while not (folder / HUB_FILE).exists() and monotonic() < deadline:
            sleep(0.1)
        with run_node(folder, home):
            printed, _ = kit.communicate(timeout=60)

    told = json.loads(printed)
    assert kit.returncode == 0
    assert [case["verdict"] for case in told["cases"]] == ["pass"]
    assert told["counts"] == {"pass": 1, "fail": 0, "not-applicable": 0}
