"""Commands killed right before each of their effects, then given again: done or undone, never half.

A command's effects are counted, so every moment is tried by its number and none by chance; of the
longer ones every few, and a twelfth of these where ``CHENGXIN_TEST_LONG`` is not set.
``tests/support/disturbed.py`` says what an effect is.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.bootstrap.member import build_node
from node.core.backup import check_backup
from node.core.clock import SystemClock
from node.core.config import load_settings
from protocol.__main__ import verify_paths
from protocol.audit.findings import ExitStatus
from tests.integration.test_log_commands import run_node
from tests.support.exchanges import HEADER
from tests.support.live import run_disturbed
from tests.support.places import DAY_S, FINGERPRINT, MEMBER, Place, check, open_place

EFFECTS_MAX = 80
COUNT = "SELECT count(*) FROM ledger_item WHERE kind = 'invoice'"
SPARSE = 1 if os.environ.get("CHENGXIN_TEST_LONG") else 12  # noqa: TID251  of the tests alone
DONE = frozenset({0})
IMPORTED = frozenset({0, 4})  # now, or by a run that was killed after it: nothing is new
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as opened:
        yield opened


def kill_at_each(*arguments: str, step: int = 1, ends: frozenset[int] = DONE) -> Iterator[int]:
    """Run a command killed before an effect, then before a later one, until it ends by itself."""
    for number in range(1, EFFECTS_MAX + step * SPARSE, step * SPARSE):
        done = run_disturbed(*arguments, DISTURBED_KILL=str(number))
        if done.returncode in ends:
            return
        assert done.returncode < 0, done.stderr
        yield number
    raise AssertionError(f"{arguments[:2]} has more than {EFFECTS_MAX} effects")


def again(*arguments: str) -> None:
    done = run_disturbed(*arguments)
    assert done.returncode == 0, done.stderr


def test_an_import_is_in_whole_or_not_at_all(place: Place) -> None:
    check(place.join(place.invite()))
    rows = [HEADER]
    rows += [
        f"sim,S000001,Sub,CN,D{number},1,2026-01-10,2026-02-10,CNY,10.00,2026-02-10,10.00,"
        for number in range(50)
    ]
    file = place.folder / "invoices.csv"
    file.write_text("\n".join([*rows, ""]), encoding="utf-8")

    def count() -> int:
        with closing(sqlite3.connect(place.home / "node.sqlite")) as database:
            return int(database.execute(COUNT).fetchone()[0])

    command = ("--home", str(place.home), "import", str(file))
    counts = [count() for _ in kill_at_each(*command, ends=IMPORTED)]

    assert set(counts) <= {0, 50}
    assert counts[0] == 0
    assert count() == 50


def use_new_key(place: Place) -> None:
    """Have the node come up and take the key that its registry names."""

    async def live() -> None:
        node = build_node(load_settings(place.home), clock=SystemClock())
        await node.upkeep.refresh_registry()
        await node.guard.confirm()
        await node.session.begin()
        assert await node.own_keys.follow()
        await node.close()

    place.hub.clock.at_ms = SystemClock().now_ms()
    asyncio.run(live())


def test_a_change_of_the_message_key_may_be_given_again_at_any_moment(place: Place) -> None:
    check(place.join(place.invite()))
    command = ("key", "rotate", "message", "--home", str(place.home), "--lead", "0")
    keys = 1
    for _ in kill_at_each(*command, step=3):
        again(*command)
        place.follow()
        use_new_key(place)
        keys += 1

        member = place.find_member()
        assert [one.use for one in member.keys].count("message") == keys
        assert run_disturbed("key", "list", "--home", str(place.home)).returncode == 0


def test_a_new_log_may_be_entered_again_at_any_moment(place: Place) -> None:
    check(place.join(place.invite()))
    run_node(place)
    command = ("log", "new", "--home", str(place.home), "--lead", "0")
    number = 1
    for _ in kill_at_each(*command, step=3):
        again(*command)
        run_node(place)
        number += 1

        assert place.find_member().log_origin == f"{MEMBER}/chengxin/log/{number}"
        assert len(place.find_member().log_keys) == number


def test_joining_and_leaving_may_be_repeated_at_any_moment(place: Place) -> None:
    home = place.home
    for number in range(1, EFFECTS_MAX, 12):
        member = f"m{number}.example"
        home = place.folder / member
        invited = place.hub.service.invite(kind="member", member=member, life_s=DAY_S)
        invitation = str(place.write(invited))
        command = ("join", invitation, "--home", str(home), "--fingerprint", FINGERPRINT)
        done = run_disturbed(*command, DISTURBED_KILL=str(number))
        if done.returncode == 0:
            break
        assert done.returncode < 0, done.stderr
        again(*command)
        entered = place.hub.open_newest().find_member(member)
        assert entered is not None
        assert entered.status == "active"
    leave = ("leave", "--home", str(home), "--yes")
    for _ in kill_at_each(*leave):
        pass

    again(*leave)
    left = place.hub.open_newest().find_member(home.name)
    assert left is not None
    assert left.status != "active"


def test_an_export_is_whole_or_says_what_is_left_of_it(place: Place) -> None:
    check(place.join(place.invite()))
    run_node(place)
    out = place.folder / "bundle"
    partial = place.folder / "bundle.partial"
    command = ("--home", str(place.home), "audit", "export", "--out", str(out))

    for _ in kill_at_each(*command, step=3):
        if out.exists():
            report = verify_paths([out], anchor=load_settings(place.home).hub_anchor)
            assert report.exit_status in {ExitStatus.PROVEN, ExitStatus.UNDETERMINED}
        elif partial.exists():
            refused = run_disturbed(*command)
            assert refused.returncode == 1
            assert "remove what an earlier export left" in refused.stderr
        for folder in (out, partial):
            shutil.rmtree(folder, ignore_errors=True)

    assert out.exists()


def test_a_backup_has_its_name_once_it_is_whole(place: Place) -> None:
    check(place.join(place.invite()))
    backup = place.folder / "node.backup"
    manifest = place.folder / "node.backup.manifest.json"
    command = ("--home", str(place.home), "db", "backup", str(backup))

    for _ in kill_at_each(*command):
        if backup.exists():
            check_backup(backup)
        for path in (backup, manifest):
            path.unlink(missing_ok=True)

    check_backup(backup)
