"""A node's life under its HTTP face: what its log and its health say from start to stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from node.bootstrap.home import init_home
from node.bootstrap.member import Node, build_node
from node.core.config import Settings, build_settings
from node.core.database import Database
from node.core.log import LogStore
from node.core.log_check import CheckState
from node.core.log_tables import log_batch
from node.web.app import build_app
from protocol.encoding import encode_b64u
from protocol.entry import GenesisEntry, StartEntry, StopEntry, parse_entry
from protocol.tile import encode_bundle
from tests.support.logs import append
from tests.support.nodes import HUB_KEY
from tests.support.stores import FILE_NAME, migrated_url

ENTRIES = 300


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = build_settings(
        home=tmp_path / "home",
        database_url=migrated_url(tmp_path / "home" / FILE_NAME),
        member_id="beta.example",
        hub_anchor=encode_b64u(HUB_KEY.public.raw),
        api_token="a-token-of-the-tests",
        key_passphrase="passphrase",
        witness_interval_s=1,
    )
    init_home(made)
    return made


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    built = build_node(settings)
    yield built
    built.writer.close()
    built.local.close()


def list_entries(settings: Settings) -> list[object]:
    database = Database(url=settings.database)
    with database.read() as uow:
        store = LogStore(uow.connection)
        entries = store.list_entries(first=0, count=store.count_entries())
    database.dispose()
    return [type(parse_entry(entry)) for entry in entries]


def test_each_run_of_a_node_is_between_its_start_and_its_stop(settings: Settings) -> None:
    for _ in range(2):
        with TestClient(build_app(build_node(settings))):
            pass

    assert list_entries(settings) == [GenesisEntry, StartEntry, StopEntry, StartEntry, StopEntry]


def test_a_start_names_the_software(node: Node) -> None:
    with TestClient(build_app(node)), node.local.database.read() as uow:
        entry = parse_entry(LogStore(uow.connection).list_entries(first=1, count=1)[0])

    assert isinstance(entry, StartEntry)
    assert entry.software.startswith("chengxin ")


def wait_for_the_check(node: Node, http: TestClient) -> dict[str, object]:
    """Ask for the health until the check of the log is over; return it."""
    said: dict[str, object] = http.get("/readyz").json()
    while said["log_check"] == CheckState.RUNNING.value:
        said = http.get("/readyz").json()
    assert said["log_checked_size"] == node.log_check.checked_size

    return said


def test_health_says_how_far_the_check_of_the_log_is(node: Node) -> None:
    with TestClient(build_app(node)) as http:
        said = wait_for_the_check(node, http)

    assert (said["log_check"], said["log_checked_size"]) == ("verified", 1)


def test_a_log_damaged_in_an_old_entry_is_stopped_and_health_says_so(settings: Settings) -> None:
    first = build_node(settings)
    for _ in range(ENTRIES):
        first.writer.run(append(b"entry"))
    bundle = encode_bundle([b"other"])
    with first.local.database.write() as uow:
        uow.connection.execute(
            update(log_batch).where(log_batch.c.first == 7).values(entries=bundle)
        )
    first.writer.close()
    first.local.close()

    node = build_node(settings)
    with TestClient(build_app(node)) as http:
        said = wait_for_the_check(node, http)
        answer = http.get("/readyz")

    assert (answer.status_code, said["log_check"]) == (503, "damaged")
    assert "the log is stopped: tile 0/0" in str(answer.json()["reason"])
    assert node.writer.state.edge.size == ENTRIES + 2  # genesis and start, and no stop
