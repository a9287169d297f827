from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.database import Database
from node.sharing.registry import RegistryHolder
from tests.support.hubs import HUB_KEY, TestHub, open_test_hub
from tests.support.stores import migrated_url


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[TestHub]:
    opened = open_test_hub(tmp_path)
    yield opened
    opened.database.dispose()


@pytest.fixture
def member(tmp_path: Path) -> Iterator[RegistryHolder]:
    database = Database(url=migrated_url(tmp_path / "member.sqlite"))
    holder = RegistryHolder(database=database, anchor=HUB_KEY.public)
    yield holder
    database.dispose()
