"""Orders that race for the last of a limit: never more than fit, from threads and processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.risk import Watch, build_watch

ROOT = Path(__file__).parents[2]
LIMIT_MINOR = 100_00
PROCESSES = 3


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    watch = build_watch(tmp_path_factory.mktemp("race"))
    yield watch
    watch.house.database.dispose()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(amounts=st.lists(st.integers(1, LIMIT_MINOR + 1), min_size=2, max_size=5))
def test_threads_never_reserve_more_than_the_limit(watch: Watch, amounts: list[int]) -> None:
    watch.count += 1
    run = watch.count
    key = watch.house.add_customer(f"T{run}")
    watch.give_limit(LIMIT_MINOR, customer_id=key)

    def order(one: tuple[int, int]) -> int:
        number, minor = one
        answer = watch.ask(f"{run}-{number}", minor, key="k", customer_id=key)
        return minor if answer["may_proceed"] else 0

    with ThreadPoolExecutor(len(amounts)) as pool:
        passed = list(pool.map(order, enumerate(amounts)))

    assert sum(passed) <= LIMIT_MINOR
    exposure = watch.expose(customer_id=key, currency="CNY")
    assert exposure.ordered_minor == sum(passed)
    # What was refused had no room: the largest sum of some orders that fits leaves none of it out.
    assert all(
        sum(passed) + minor > LIMIT_MINOR
        for minor, one in zip(amounts, passed, strict=True)
        if not one
    )


@pytest.mark.slow
def test_processes_never_both_take_the_last_of_a_limit(watch: Watch) -> None:
    keys = [watch.house.add_customer(f"P{number}") for number in range(6)]
    for key in keys:
        watch.give_limit(LIMIT_MINOR, customer_id=key)
    url = watch.house.database.engine.url.render_as_string(hide_password=False)
    names = [f"p{number}" for number in range(PROCESSES)]
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.risk_race",
                url,
                name,
                ",".join(map(str, keys)),
                str(60_00),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    lines = [one.communicate(timeout=50)[0].split() for one in started]

    assert [one.returncode for one in started] == [0] * PROCESSES
    passed: dict[int, int] = {}
    for found in lines:
        for name, went in zip(found[::2], found[1::2], strict=True):
            passed[int(name)] = passed.get(int(name), 0) + int(went)
    assert passed == dict.fromkeys(keys, 1)
