"""A key that no row can have finds nothing, on either store, and is no fault of the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.database import ID_MAX, Database
from node.core.people.store import PeopleStore
from node.records.rules_adverse import FactKey, FactSource
from node.records.store import (
    AdverseStore,
    CustomerStore,
    DefaultStore,
    ItemStore,
    PaperStore,
    PromiseStore,
    RecordsStore,
)
from node.records.store.holding import HoldingStore
from node.records.store.owners import OWNED, find_owner
from tests.support.ledgers import House

KEYS = (0, 2**31, ID_MAX, ID_MAX + 1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    house = House(tmp_path)
    yield house.database
    house.database.dispose()


def test_a_key_that_no_row_can_have_finds_nothing(database: Database) -> None:
    with database.write() as uow:
        one = uow.connection
        for key in KEYS:
            assert RecordsStore(one).find_customer_by_id(key) is None
            assert RecordsStore(one).list_customers(limit=1, after=key or 1) == []
            assert ItemStore(one).find_item(key) is None
            assert ItemStore(one).find_dispute(key) is None
            assert DefaultStore(one).find_default(key) is None
            assert PromiseStore(one).end_promise(key, reason="x", by="li", at_ms=1) is False
            assert PaperStore(one).find_paper(key) is None
            assert PaperStore(one).find_event(key) is None
            for source in FactSource:
                fact = FactKey(source=source, number=key)
                assert AdverseStore(one).find_fact(fact) is None
            assert AdverseStore(one).find_objection(key) is None
            assert AdverseStore(one).end_notice(key, reason="x", by="li", at_ms=1) is False
            assert CustomerStore(one).end_fact("contact", key, by="li", at_ms=1) is None
            assert HoldingStore(one).end_hold(key, reason="x", by="li", at_ms=1) is False
            assert PeopleStore(one).find_token_by_id(key) is None
            assert PeopleStore(one).revoke_token(key, at_ms=1) is False
            assert PeopleStore(one).list_accesses(before=key, limit=1) == []
            for name in OWNED:
                assert find_owner(one, name, key) is None
