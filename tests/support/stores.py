"""The stores that tests use: SQLite files, or databases of a PostgreSQL server of their own.

``CHENGXIN_TEST_STORE`` says which: ``sqlite`` (as without it) or ``postgresql``. The server comes
from Debian's packages, runs on loopback in a folder that is thrown away, never confirms a disk, and
is stopped by its process id when the tests end.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from node.core.database import Database
from node.core.migrations import upgrade_database

STORE = os.environ.get("CHENGXIN_TEST_STORE", "sqlite")  # noqa: TID251  of the tests alone
ON_SQLITE = STORE == "sqlite"
FILE_NAME = "node.sqlite"
NAMES_MAX = 300  # databases kept: about 8 MiB each
_copies = count(1)
sqlite_only = pytest.mark.skipif(not ON_SQLITE, reason="of SQLite's files and driver alone")


def store_url(path: Path) -> str:
    """Return the address of the store that stands for this file; it is empty at first."""
    if ON_SQLITE:
        return f"sqlite:///{path}"
    return start_server().make_database(path)


def migrated_url(path: Path) -> str:
    """Return the address of a store at the newest schema: migrating is most of a start's cost."""
    return template_url(path, get_empty_store())


def template_url(path: Path, template: bytes | str) -> str:
    """Return the address of the store that stands for this file; a copy of another at first."""
    if isinstance(template, str):
        return start_server().make_database(path, template=template)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(template)
    return f"sqlite:///{path}"


def back_up_store(url: str) -> bytes | str:
    """Return a copy of a store that nobody has open."""
    if ON_SQLITE:
        return Path(url.removeprefix("sqlite:///")).read_bytes()
    server, name = start_server(), make_url(url).database
    assert name is not None
    copy = f"{name}_{next(_copies)}"
    server.copy_database(name, to=copy)
    return copy


def restore_store(url: str, backup: bytes | str) -> None:
    """Put a copy in the place of a store that nobody has open."""
    if isinstance(backup, bytes):
        path = Path(url.removeprefix("sqlite:///"))
        for beside in path.parent.glob(f"{path.name}*"):
            beside.unlink()
        path.write_bytes(backup)
        return
    name = make_url(url).database
    assert name is not None
    start_server().copy_database(backup, to=name)


def get_empty_store() -> bytes | str:
    """Return a copy of a store at the newest schema in which nothing is."""
    return build_migrated_file() if ON_SQLITE else start_server().get_migrated_name()


@cache
def build_migrated_file() -> bytes:
    """Return an empty SQLite database at the newest schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        database = Database(url=f"sqlite:///{path}")
        upgrade_database(database)
        database.dispose()
        return path.read_bytes()


# What the store says then; the text of a server's error is hidden, since it may hold values.
FAILURE = "disk" if ON_SQLITE else "IntegrityConstraintViolation"


def fail_inserts(connection: Connection, table: str) -> None:
    """Have the store itself refuse every further row of a table."""
    if ON_SQLITE:
        when = f"CREATE TRIGGER fail AFTER INSERT ON {table} "
        connection.exec_driver_sql(when + "BEGIN SELECT RAISE(ABORT, 'disk'); END")
        return
    connection.exec_driver_sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'disk' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER fail AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail()"
    )


class Server:
    """A PostgreSQL server of the tests' own."""

    def __init__(self) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not binaries:
            pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
        self._binaries = binaries[-1]
        # A server refuses to run as root; Debian's package has made a user for it.
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        memory = Path("/dev/shm")  # noqa: S108  mkdtemp makes a folder of its own there
        self.folder = Path(
            tempfile.mkdtemp(prefix="chengxin-postgresql-", dir=memory if memory.is_dir() else None)
        )
        shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        self._migrated: str | None = None
        self._names: list[str] = []
        self._run("initdb", "-D", str(self._data), "-U", "chengxin", "-A", "trust", "-E", "UTF8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
            f"{self.folder} -c fsync=off -c full_page_writes=off -c max_connections=300"
        )
        log = self.folder / "server.log"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(log), "-o", options, "start")

    def stop(self) -> None:
        """Stop the server and throw its folder away."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_database(self, path: Path, *, template: str = "template0") -> str:
        """Return the address of the database that stands for a file; made when first asked for."""
        name = f"t_{hashlib.sha256(str(path).encode()).hexdigest()[:24]}"
        if name not in self._names:
            self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
            self._names.append(name)
            self._forget_oldest()
        return self.address(name)

    def _forget_oldest(self) -> None:
        if len(self._names) > NAMES_MAX:
            oldest = self._names.pop(0)
            with suppress(OperationalError):  # A fixture of the whole run may still use it.
                self.execute(f"DROP DATABASE {oldest}")

    def copy_database(self, name: str, *, to: str) -> None:
        """Copy a database that nobody uses, over the other one."""
        self.execute(f"DROP DATABASE IF EXISTS {to} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {to} TEMPLATE {name} STRATEGY FILE_COPY")

    def get_migrated_name(self) -> str:
        """Return the name of an empty database at the newest schema."""
        if self._migrated is None:
            url = self.make_database(Path("migrated"))
            database = Database(url=url)
            upgrade_database(database)
            database.dispose()
            self._migrated = make_url(url).database
            self._names.remove(str(self._migrated))  # what others are copied from is kept
        assert self._migrated is not None
        return self._migrated

    def address(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://chengxin@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        """Execute a statement about databases, outside of any transaction."""
        engine = create_engine(
            self.address("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        with engine.connect() as connection:  # closed in earnest, a refused statement or not
            connection.execute(text(statement))

    def _run(self, command: str, *arguments: str) -> None:
        line = [str(self._binaries / command), *arguments]
        if os.geteuid() == 0:
            line = ["runuser", "-u", self._user, "--", *line]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@cache
def start_server() -> Server:
    """Return the server of this test run; started when first asked for."""
    atexit.register(stop_server)
    return Server()


def stop_server() -> None:
    """Stop the server of this test run, if there is one; a worker never reaches ``atexit``."""
    if start_server.cache_info().currsize:
        start_server().stop()
        start_server.cache_clear()
