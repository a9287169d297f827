"""The tables of policies come and go with what is in them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import inspect, select

from node.core.database import Database
from node.core.migrations import build_config
from node.core.policies.records import PolicyName
from node.core.policies.rules_states import Actor, Origin
from node.core.policies.store import PolicyStore
from node.core.policies.tables import policy_version
from tests.support.stores import store_url

NAME = PolicyName(kind="rating-scale", policy_id="own-scale", version=1)


def test_versions_go_back_and_forward(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    command.upgrade(config, "0041")
    with database.write() as uow:
        store = PolicyStore(uow.connection)
        version_id = store.append_version(NAME, origin=Origin.OWN, base_id=None)
        text_id = store.append_text(
            version_id,
            b"{}",
            revision=1,
            sha256_b64u="a" * 43,
            actor=Actor(who="token-1", name="Li"),
            at_ms=7,
            reason="why",
        )
        store.point(NAME.kind, version_id=version_id, text_id=text_id)
        store.point(NAME.kind, version_id=version_id, text_id=text_id)
        kept = store.find_active_text(NAME.kind)
        content = store.find_content(NAME.kind, "a" * 43)
        elsewhere = store.find_content("assessment-policy", "a" * 43)
    command.downgrade(config, "0040")
    gone = set(inspect(database.engine).get_table_names())
    command.upgrade(config, "0041")
    with database.read() as uow:
        after = uow.connection.execute(select(policy_version.c.id)).all()
    database.dispose()

    assert kept == (text_id, "a" * 43)
    assert (content, elsewhere) == (b"{}", None)
    assert not [name for name in gone if name.startswith("policy_")]
    assert after == []
