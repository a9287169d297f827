"""The history of cosigned heads in a bundle is thinned to what it proves."""

import pytest

from node.sharing.export import WITNESSED_EVERY_S, thin_heads


def heads(*times: int) -> list[tuple[int, str, int]]:
    return [(size, f"head at {at_s}", at_s) for size, at_s in enumerate(times, start=1)]


@pytest.mark.parametrize(
    ("times", "ends_s", "kept"),
    [
        ([], [], []),
        ([0], [], [0]),
        ([0, 10, 20], [], [0, 20]),
        ([0, 10, WITNESSED_EVERY_S, WITNESSED_EVERY_S + 10], [], [0, 3_600, 3_610]),
        ([0, 10, 20, 30], [25], [0, 20, 30]),
        ([0, 10, 20, 30], [20], [0, 10, 30]),
        ([0, 10, 20], [50], [0, 20]),
    ],
    ids=["none", "one", "newest", "hourly", "before-an-end", "at-an-end", "end-later"],
)
def test_one_an_hour_the_newest_and_the_last_before_a_theft_are_kept(
    times: list[int], ends_s: list[int], kept: list[int]
) -> None:
    assert list(thin_heads(heads(*times), ends_s=ends_s)) == [f"head at {one}" for one in kept]
