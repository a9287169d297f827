"""The table of what approves is whole: no rule of four eyes, release or approval stands outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from node.bootstrap.home import init_home
from node.cli.main import app
from node.core.config import build_settings, write_config
from node.core.people.accounts.errors import ApprovalByTokenError
from node.core.people.service import Role
from node.web.approving import ACTS, APPROVING, APPROVING_COMMANDS, APPROVING_PAGES
from node.web.authorisation import OPERATIONS
from node.web.page_access import PAGES

ROOM = Path(__file__).resolve().parents[2] / "node"
VERBS = re.compile(
    r"approv|activat|release|confirm|decid|decision$|uphold|verdict|end-stop|champion|accept"
)
# What sounds like approving and is none, and why.
NO_OPERATION = {
    "/procedures/{procedure}/confirmations": "each for itself: he has read it",
    "/records/holds/{hold_id}/release": "what is over is erased by its own clock",
    "/messages/{message}/release": "what is over is erased by its own clock",
    "/guarantees/{paper_id}/releases": "a guarantor's word: there is less cover",
    "/orders/{order_id}/release-requests": "asks for it",
}
NO_PAGE = {
    "/console/procedures/{procedure}/confirm": "each for itself: he has read it",
}
NO_COMMAND = {
    "cover release": "a guarantor's word: there is less cover",
    "exchange release": "what is over is erased by its own clock",
    "records release": "what is over is erased by its own clock",
    "governance procedure confirm": "each for itself: he has read it",
}
# Every module that compares two persons, and which act it guards; nothing where it guards none.
COMPARING = {
    "core/people/accounts/passwords.py": "",  # a password is not a name
    "core/people/holding.py": "",  # who holds which role
    "core/people/names.py": "",
    "core/people/store.py": "",  # one row a person
    "core/policies/rules_states.py": "a policy is approved, or becomes active",
    "decision/deputies.py": "a deputy approves in another's place",
    "decision/duties.py": "a decision on credit holds, or is overridden",
    "decision/service.py": "a decision on credit holds, or is overridden",
    "governance/cases/persons.py": "a case ends: what it is about counts, or does no more",
    "governance/cases/service.py": "a case ends: what it is about counts, or does no more",
    "governance/duties/rules_duties.py": "",  # reports who could do both
    "governance/looks/service.py": "",  # whose looks are listed
    "governance/training/service.py": "",  # who has read what
    "rating/models/registry.py": "a model rates",
    "rating/overrides/service.py": "another grade than the rating's holds, or does no more",
    "records/adverse/objecting.py": (
        "an objection ends: what it is against counts, or does no more"
    ),
    "records/undertakings/defaults.py": "a default counts",
    "risk/authority.py": "a limit of another kind holds, or ends",
    "risk/checks/releasing.py": "an order that was held goes on",
    "risk/limits/service.py": "a limit of another kind holds, or ends",
    "sharing/objections.py": "an objection ends: what it is against counts, or does no more",
    "web/holds_console.py": "an order that was held goes on",
    "web/limits_console.py": "a limit of another kind holds, or ends",
    "web/override_console.py": "another grade than the rating's holds, or does no more",
}


ARGUMENTS = {
    "decide approve": "1 --token-file TOKEN",
    "decide override": "1 --reason-code x --reason x --token-file TOKEN",
    "decide deputies name": "--deputy Li --from 2026-06-30 --to 2026-07-01 --token-file TOKEN",
    "risk limits approve": "1 --token-file TOKEN",
    "risk limits end": "1 --reason x --token-file TOKEN",
    "risk limits end-stop": "1 --reason x --token-file TOKEN",
    "risk orders release": "1 --reason-code x --reason x --token-file TOKEN",
    "rate override give": "sim:A1 --grade A --reason-code x --reason x --token-file TOKEN",
    "rate override approve": "1 --token-file TOKEN",
    "rate override withdraw": "1 --reason x --token-file TOKEN",
    "policy approve": "expert-1 --reason x --by Li",
    "policy reject": "expert-1 --reason x --token-file TOKEN",
    "policy activate": "expert-1 --reason x --by Li",
    "ledger default confirm": "1 --reason x --by Li",
    "ledger default reject": "1 --reason x --by Li",
    "model approve": "1 --by Li --reason x",
    "governance case uphold": "1 --reason x --token-file TOKEN",
    "governance case reject": "1 --reason x --token-file TOKEN",
    "governance case confirm": "1 --reason x --token-file TOKEN",
    "records notice close": "1 --result upheld --reason x --by Li",
    "risk dunning release": "1 --by Li",
}


def list_commands() -> Iterator[str]:
    """Yield every command, by its words."""
    waiting: list[tuple[str, object]] = [("", get_command(app))]
    while waiting:
        words, command = waiting.pop()
        if not isinstance(command, TyperGroup):
            yield words
            continue
        waiting += [(f"{words} {name}".strip(), child) for name, child in command.commands.items()]


def test_whoever_compares_two_persons_stands_in_the_table_or_is_told_why_not() -> None:
    found = {
        path.relative_to(ROOM).as_posix()
        for path in ROOM.rglob("*.py")
        if "migrations" not in path.parts
        and re.search(r"\b(is_same_person|fold_names?)\b", path.read_text(encoding="utf-8"))
    }

    assert found == set(COMPARING)
    assert {act for act in COMPARING.values() if act} <= {act.name for act in ACTS}


def test_what_sounds_like_approving_is_in_the_table_or_is_told_why_not() -> None:
    operations = {path for method, path in OPERATIONS if method == "POST"}
    pages = {path for method, path in PAGES if method == "POST"}
    commands = set(list_commands())

    assert {path for path in operations if _sounds(path)} - {path for _, path in APPROVING} == set(
        NO_OPERATION
    )
    assert {path for path in pages if _sounds(path)} - set(APPROVING_PAGES) == set(NO_PAGE)
    last = {words for words in commands if _sounds(words.rpartition(" ")[2])}
    assert last - APPROVING_COMMANDS == set(NO_COMMAND)


def test_what_stands_in_the_table_is_there_and_is_asked_for() -> None:
    assert set(OPERATIONS) >= APPROVING
    approving = {path for (method, path), page in PAGES.items() if page.is_approval}
    assert approving == set(APPROVING_PAGES)
    assert set(list_commands()) >= APPROVING_COMMANDS
    assert all(act.operations or act.pages for act in ACTS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("acts") / "home"
    init_home(build_settings(home=home, member_id="beta.example"), key_names=())
    write_config(home, {"member_id": "beta.example", "approval_factor": "always"})
    runner = CliRunner()
    made = runner.invoke(
        app,
        ["--home", str(home), "token", "create", "--role", Role.CREDIT_MANAGER, "--name", "Wang"],
    )
    (home / "token").write_text(made.stdout.strip(), encoding="utf-8")
    return home


@pytest.mark.parametrize("words", sorted(APPROVING_COMMANDS))
def test_no_command_approves_where_accounts_alone_do(home: Path, words: str) -> None:
    more = [str(home / "token") if one == "TOKEN" else one for one in ARGUMENTS[words].split()]

    done = CliRunner().invoke(app, ["--home", str(home), *words.split(), *more])

    assert isinstance(done.exception, ApprovalByTokenError), (done.output, done.exception)


def _sounds(path: str) -> bool:
    return VERBS.search(re.sub(r"\{\w+\}", "", path)) is not None
