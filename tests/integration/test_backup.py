"""Backups are made beside a writer, checked whole, and put back only where they fit."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, insert, make_url, update
from typer.testing import CliRunner

from node.cli.main import app
from node.core.backup import (
    BackupInvalidError,
    BackupMismatchError,
    StoreInUseError,
    back_up,
    check_backup,
    restore,
)
from node.core.database import Database
from node.core.migrations import newest_revision, upgrade_database
from node.records.tables import customer
from tests.support.logs import ORIGIN, LogHouse, append
from tests.support.stores import FILE_NAME, ON_SQLITE, sqlite_only, store_url

MEMBER = "alpha.example"
MADE_AT_MS = 1_790_000_000_000
SECRET = "erased-salt-of-a-subject"


def add_customer(database: Database, value: str) -> None:
    with database.write() as uow:
        uow.connection.execute(
            insert(customer).values(
                scheme="sim",
                value=value,
                name="示例",
                country="CN",
                kind="company",
                entered_at_ms=7,
            )
        )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(url=store_url(tmp_path / FILE_NAME))
    upgrade_database(made)
    add_customer(made, "C1")
    yield made
    made.dispose()


def count_customers(url: str) -> int:
    opened = Database(url=url)
    try:
        with opened.read() as uow:
            found: int = uow.connection.exec_driver_sql(
                "SELECT count(*) FROM customer"
            ).scalar_one()
            return found
    finally:
        opened.dispose()


def test_a_backup_goes_back_into_an_empty_place(database: Database, tmp_path: Path) -> None:
    made = back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)

    assert made.rows["customer"] == 1
    assert made.revision == newest_revision()
    assert check_backup(tmp_path / "copy") == made
    url = store_url(tmp_path / "again" / FILE_NAME)
    (tmp_path / "again").mkdir()
    assert restore(tmp_path / "copy", url=url, member=MEMBER) == made
    assert count_customers(url) == 1


def test_a_backup_is_of_one_moment_while_others_write(database: Database, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 2
        while not stop.is_set():
            add_customer(database, f"C{number}")
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = [
            back_up(database, tmp_path / f"copy{turn}", member=MEMBER, at_ms=MADE_AT_MS)
            for turn in range(3)
        ]
    finally:
        stop.set()
        thread.join()

    for turn, manifest in enumerate(made):
        assert check_backup(tmp_path / f"copy{turn}") == manifest
    assert made[0].rows["customer"] <= made[2].rows["customer"]


def test_a_backup_names_the_logs_and_how_long_they_are(database: Database, tmp_path: Path) -> None:
    grown = LogHouse(path=tmp_path / FILE_NAME)
    writer = grown.open(database)
    for number in range(5):
        writer.run(append(b"entry %d" % number))

    made = back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)
    grown.close()

    assert made.logs == {ORIGIN: 6}


@sqlite_only
def test_a_copy_holds_nothing_of_what_was_erased(database: Database, tmp_path: Path) -> None:
    with database.write() as uow:
        uow.connection.execute(update(customer).values(name=SECRET))
    with database.write() as uow:
        uow.connection.execute(update(customer).values(name="示例"))

    back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)

    assert SECRET.encode() not in (tmp_path / "copy").read_bytes()


@sqlite_only
def test_a_copy_is_nobody_elses_to_read_from_its_first_byte(
    database: Database, tmp_path: Path
) -> None:
    modes: list[int] = []

    def watch(driver: sqlite3.Connection, _record: object) -> None:
        def note(statement: str) -> None:
            if statement.startswith("VACUUM"):
                modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob(".*.draft"))

        driver.set_trace_callback(note)

    database.dispose()
    event.listen(database.engine, "connect", watch)
    back_up(database, tmp_path / "copy", member="acme.example", at_ms=1)

    assert modes == [0o600]


def test_a_backup_is_never_overwritten(database: Database, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("something dear")

    with pytest.raises(FileExistsError):
        back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)

    assert (tmp_path / "copy").read_text() == "something dear"


@pytest.mark.parametrize("change", ["copy", "manifest", "rows", "missing"])
def test_a_backup_that_was_changed_is_refused(
    database: Database, tmp_path: Path, change: str
) -> None:
    copy = tmp_path / "copy"
    back_up(database, copy, member=MEMBER, at_ms=MADE_AT_MS)
    manifest = tmp_path / "copy.manifest.json"
    match change:
        case "copy":
            raw = bytearray(copy.read_bytes())
            raw[-1] ^= 1
            copy.write_bytes(raw)
        case "manifest":
            manifest.write_text("[]")
        case "rows":
            said = json.loads(manifest.read_text())
            said["rows"]["customer"] = 2
            manifest.write_text(json.dumps(said))
        case _:
            manifest.unlink()
    url = store_url(tmp_path / "again.sqlite")

    with pytest.raises((BackupInvalidError, FileNotFoundError)):
        restore(copy, url=url, member=MEMBER)

    if ON_SQLITE:
        assert not Path(str(make_url(url).database)).exists()


def test_a_backup_of_another_member_is_refused(database: Database, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)

    with pytest.raises(BackupMismatchError, match=MEMBER):
        restore(tmp_path / "copy", url=store_url(tmp_path / "again.sqlite"), member="beta.example")


def test_a_backup_of_newer_software_is_refused(database: Database, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)
    manifest = tmp_path / "copy.manifest.json"
    manifest.write_text(manifest.read_text().replace(newest_revision(), "9999"))

    with pytest.raises(BackupMismatchError, match="9999"):
        check_backup(tmp_path / "copy")


def test_nothing_is_put_over_a_database(database: Database, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy", member=MEMBER, at_ms=MADE_AT_MS)

    with pytest.raises(StoreInUseError):
        restore(tmp_path / "copy", url=database.url, member=MEMBER)

    assert count_customers(database.url) == 1


@sqlite_only
def test_the_commands_back_up_check_and_restore(tmp_path: Path) -> None:
    run = CliRunner().invoke
    home = tmp_path / "home"
    named = ["--home", str(home)]
    assert run(app, ["init", *named, "--member-id", MEMBER]).exit_code == 0

    assert run(app, [*named, "db", "check"]).exit_code == 3
    assert run(app, [*named, "db", "upgrade"]).exit_code == 0
    assert run(app, [*named, "db", "check"]).exit_code == 0
    assert run(app, [*named, "db", "backup", str(tmp_path / "copy")]).exit_code == 0
    assert run(app, [*named, "db", "check", str(tmp_path / "copy")]).exit_code == 0
    (home / FILE_NAME).rename(tmp_path / "away.sqlite")
    restored = run(app, [*named, "db", "restore", str(tmp_path / "copy")])

    assert restored.exit_code == 0, restored.output
    assert "Start the node" in restored.output
    assert run(app, [*named, "db", "check"]).exit_code == 0
