"""What is set aside at the start is not walked by later collections."""

from __future__ import annotations

import gc

from node.core.heap import YOUNGEST_OBJECTS_MAX, settle_heap


def test_what_lives_as_long_as_the_process_is_set_aside() -> None:
    before = gc.get_threshold()
    try:
        settle_heap()

        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == YOUNGEST_OBJECTS_MAX
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
