"""The registry's tables come and go with what is in them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from alembic import command
from sqlalchemy import inspect

from node.core.database import Database
from node.core.migrations import build_config
from node.rating.store import ModelEvent, ModelStore, NewModel
from tests.support.stores import store_url

NEW = NewModel(
    name="ledger",
    sha256_b64u="a" * 43,
    data_sha256_b64u="b" * 43,
    policy_sha256_b64u="c" * 43,
    trained_until=date(2025, 3, 5),
    trained_by="张",
    trained_at_ms=7,
    model_json="{}",
    policy_json="{}",
    report_json="{}",
)


def test_the_registry_goes_back_and_forward_with_models_in_it(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    command.upgrade(config, "0033")
    with database.write() as uow:
        store = ModelStore(uow.connection)
        first, second = store.append(NEW), store.append(NEW)
        event = ModelEvent(kind="approved", entered_by="li", entered_at_ms=8, reason="good")
        store.append_event(first.model_id, event)
        kept = store.list_newest(limit=5)

    command.downgrade(config, "0032")
    gone = set(inspect(database.engine).get_table_names())
    command.upgrade(config, "0033")
    with database.read() as uow:
        after = ModelStore(uow.connection).list_newest(limit=5)
    database.dispose()

    assert [one.version for one in kept] == [second.version, first.version] == [2, 1]
    assert kept[1].events == (event,)
    assert not gone & {"statistical_model", "model_event"}
    assert after == []
