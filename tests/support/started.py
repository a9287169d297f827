"""Stores as a member's first start leaves them: most of what tests wait for is the same each time.

Tests of migrations, of the first start and of what ships use ``node.bootstrap`` itself.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from node.bootstrap.local import build_local_node
from node.core.clock import ManualClock
from node.core.config import build_settings
from tests.support.stores import FILE_NAME, back_up_store, migrated_url, template_url


def started_url(path: Path, *, at_ms: int) -> str:
    """Return the address of a store in which a node started at this moment; it holds no records."""
    return template_url(path, _start(at_ms))


@cache
def _start(at_ms: int) -> bytes | str:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = build_settings(
            home=home,
            member_id="first.example",
            database_url=migrated_url(home / FILE_NAME),
            key_passphrase="passphrase",
        )
        build_local_node(settings, clock=ManualClock(at_ms)).close()
        return back_up_store(settings.database)
