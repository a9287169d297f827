"""Room on the disk: read at most every two seconds, refused below the floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.core.clock import ManualClock
from node.core.disk import CACHED_MS, DiskFullError, DiskWatch

TOO_MUCH_BYTES = 2**62


def test_less_room_than_the_floor_is_refused(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path, clock=ManualClock(0), free_bytes_min=TOO_MUCH_BYTES)

    with pytest.raises(DiskFullError, match=str(TOO_MUCH_BYTES)):
        watch.check()


@pytest.mark.parametrize("floor", [0, 1])
def test_enough_room_or_no_floor_is_no_reason_to_stop(tmp_path: Path, floor: int) -> None:
    watch = DiskWatch(tmp_path, clock=ManualClock(0), free_bytes_min=floor)

    watch.check()

    assert watch.read_free_bytes() > 0


def test_the_disk_is_looked_at_again_after_two_seconds(tmp_path: Path) -> None:
    clock = ManualClock(0)
    watch = DiskWatch(tmp_path, clock=clock, free_bytes_min=1)
    watch._known = (0, 7)

    clock.at_ms = CACHED_MS - 1
    known = watch.read_free_bytes()
    clock.at_ms = CACHED_MS

    assert known == 7
    assert watch.read_free_bytes() != 7
