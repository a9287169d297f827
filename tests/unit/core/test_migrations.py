"""The schema is brought up to date once, whoever comes, and never half."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, inspect

from node.core.database import Database
from node.core.migrations import SchemaUnknownError, upgrade_database
from tests.support.stores import store_url


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[list[Database]]:
    """One file as several processes open it."""
    url = store_url(tmp_path / "node.sqlite")
    opened = [Database(url=url) for _ in range(4)]
    yield opened
    for database in opened:
        database.dispose()


def test_several_processes_that_start_at_once_upgrade_once(tmp_path: Path) -> None:
    code = (
        "import sys; from node.core.database import Database;"
        "from node.core.migrations import upgrade_database;"
        "sys.stdin.read(); upgrade_database(Database(url=sys.argv[1]))"
    )
    url = store_url(tmp_path / "node.sqlite")
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, url], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.close()

    failures = [one.stderr.read() for one in started if one.wait(timeout=60) and one.stderr]

    for one in started:
        assert one.stderr is not None
        one.stderr.close()
    assert failures == []
    database = Database(url=url)
    assert inspect(database.engine).has_table("ledger_item")
    database.dispose()


def test_an_upgrade_that_ends_half_way_leaves_nothing(databases: list[Database]) -> None:
    def crash(*arguments: object) -> None:
        if "CREATE TABLE payment" in str(arguments[2]):
            raise KeyboardInterrupt

    event.listen(databases[0].engine, "before_cursor_execute", crash)
    with pytest.raises(KeyboardInterrupt):
        upgrade_database(databases[0])

    assert inspect(databases[1].engine).get_table_names() == []
    upgrade_database(databases[1])
    assert inspect(databases[1].engine).has_table("ledger_item")


def test_one_that_is_up_to_date_is_opened_beside_a_writer(databases: list[Database]) -> None:
    upgrade_database(databases[0])

    with databases[0].write():
        upgrade_database(databases[1])


def test_a_database_of_a_newer_software_is_refused(databases: list[Database]) -> None:
    upgrade_database(databases[0])
    with databases[0].write() as uow:
        uow.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaUnknownError, match="9999"):
        upgrade_database(databases[0])
