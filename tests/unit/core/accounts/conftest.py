"""A node with nobody who has an account, and a desk at it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import delete

from node.bootstrap.member import Node
from node.core.people.accounts.tables import (
    ACCOUNT_TABLES,
)
from node.core.people.tables import access_token, person
from tests.support.accounts import AccountDesk, build_desk
from tests.support.console_node import build_empty_node

SEEDS = count(1)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("accounts") / "home")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def desk(node: Node) -> AccountDesk:
    with node.local.database.write() as uow:
        for table in (*reversed(ACCOUNT_TABLES[1:]), access_token, person):
            uow.connection.execute(delete(table))
    return build_desk(node.local, seed=next(SEEDS))
