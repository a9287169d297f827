"""Who waits to be assessed again goes back and forward, and waits on."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import text

from node.assessment.renewal.service import queue_default_within
from node.core.migrations import build_config
from tests.support.stores import get_empty_store, restore_store, store_url
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import build_room


def test_who_waits_goes_back_and_forward(tmp_path: Path) -> None:
    restore_store(store_url(tmp_path / "room.sqlite"), get_empty_store())
    room = build_room(tmp_path)
    key = room.add_customer("c1")
    room.rating.rate_customer(key, as_of=AS_OF)
    with room.database.write() as uow:
        for _ in range(2):
            queue_default_within(uow, key, room.clock.now_ms())
        twice = uow.connection.execute(text("SELECT times FROM assessment_renewal")).scalar_one()
    config = build_config(room.database)

    command.downgrade(config, "0044")
    command.upgrade(config, "head")

    with room.database.read() as uow:
        once = uow.connection.execute(text("SELECT times FROM assessment_renewal")).scalar_one()
    waiting = [one.customer_id for one in room.renewals.list_open(shows_peers=True)]
    room.database.dispose()
    assert (twice, once, waiting) == (2, 1, [key])
