"""A hub and three members as processes: a wrong clock, a witness away, a restored backup."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import Federation, Member, open_federation, run_disturbed, wait_for

HOURS_3 = 10_800
WITNESS_AGE_S = 5
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(400)]


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with open_federation(tmp_path, witness_age_s_max=WITNESS_AGE_S) as made:
        yield made


def ask(federation: Federation, consumer: str, *providers: str) -> list[str]:
    asked = federation.ask(federation.find(consumer), *map(federation.find, providers))
    return [one["status"] for one in asked]


def audit(federation: Federation, *members: Member) -> tuple[int, dict[str, Any]]:
    status, report = federation.verify(federation.export("bundles", *members))
    return status, json.loads(report)


def list_failures(report: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [*report["findings"]]
    lines += [one for log in report["logs"] for one in log["findings"]]
    for kind in ("exchanges", "consents"):
        lines += [line for one in report[kind] for line in one["evidence"]]
    return [line for line in lines if line["outcome"] == "fails"]


@pytest.mark.parametrize("ahead_s", [HOURS_3, -HOURS_3], ids=["ahead", "behind"])
def test_a_node_whose_clock_is_hours_off_says_so_and_goes_on_when_it_is_set_right(
    federation: Federation, ahead_s: int
) -> None:
    alpha, beta, gamma = federation.members
    before = ask(federation, "alpha", "beta", "gamma")
    alpha.set_clock(ahead_s)
    wait_for(lambda: alpha.read_health().get("warnings"), what="a warning of the clock")
    health = alpha.read_health()
    wrong = ask(federation, "alpha", "beta", "gamma")
    peers = ask(federation, "beta", "alpha", "gamma")
    alpha.set_clock(0)
    alpha.wait_until_ready()

    right = ask(federation, "alpha", "beta", "gamma") + ask(federation, "beta", "alpha", "gamma")

    assert before == ["200", "200"]
    assert abs(health["clock_offset_s"] + ahead_s) <= 2
    assert any("is it set by NTP?" in one for one in health["warnings"])
    assert "200" not in wrong
    assert peers[0] != "200"
    assert peers[1] == "200"  # who is not concerned goes on
    assert right == ["200"] * 4
    status, report = audit(federation, alpha, beta, gamma)
    assert list_failures(report) == []
    assert status in {0, 3}


def test_exchange_waits_for_the_witness_and_resumes_without_hands(federation: Federation) -> None:
    alpha, beta, gamma = federation.members
    assert ask(federation, "alpha", "beta", "gamma") == ["200", "200"]
    federation.stop_hub()
    within = ask(federation, "alpha", "beta", "gamma")
    reasons = [one.wait_until_degraded()["reason"] for one in federation.members]
    waiting = federation.ask(alpha, beta)
    rated = alpha.post("/api/v1/customers/1/ratings").status_code
    records = str(federation.folder / "data" / "member-1.csv")
    imported = run_disturbed("--home", str(alpha.home), "import", records).returncode
    gamma.stop()
    gamma.start()  # without its hub
    gamma.wait_until_live()
    unconfirmed = gamma.wait_until_degraded()

    federation.start_hub()
    for one in federation.members:
        one.wait_until_ready()

    assert within == ["200", "200"]
    assert reasons == ["no witness has cosigned this log for too long"] * 3
    assert [one["status"] for one in waiting] == ["unavailable"]
    assert (rated, imported) == (200, 0)
    assert unconfirmed["log"] == "unconfirmed"
    assert ask(federation, "alpha", "beta", "gamma") == ["200", "200"]
    status, report = audit(federation, alpha, beta, gamma)
    assert (status, list_failures(report)) == (0, [])
    assert all(log["anchored"] == log["size"] for log in report["logs"])


def back_up(member: Member, path: Path) -> None:
    """Copy a stopped member's database by SQLite's own means."""
    with (
        closing(sqlite3.connect(member.home / "node.sqlite")) as source,
        closing(sqlite3.connect(path)) as copy,
    ):
        source.backup(copy)


def put_back(member: Member, path: Path) -> None:
    for file in member.home.glob("node.sqlite*"):
        file.unlink()
    shutil.copy(path, member.home / "node.sqlite")


def test_a_member_restored_from_a_backup_refuses_says_so_and_goes_on_in_a_new_log(
    federation: Federation, tmp_path: Path
) -> None:
    alpha, beta, gamma = federation.members
    alpha.stop()
    back_up(alpha, tmp_path / "copy.sqlite")
    alpha.start()
    alpha.wait_until_ready()
    assert ask(federation, "alpha", "beta", "gamma") == ["200", "200"]
    assert ask(federation, "beta", "alpha") == ["200"]
    assert alpha.post("/api/v1/receipts").is_success
    assert alpha.post("/api/v1/witness").is_success
    alpha.kill()
    put_back(alpha, tmp_path / "copy.sqlite")
    alpha.start()
    alpha.wait_until_live()
    wait_for(lambda: alpha.read_health()["log"] == "contradicted", what="the rollback to be seen")
    health = alpha.read_health()
    refused = ask(federation, "alpha", "beta")
    others = ask(federation, "beta", "gamma")

    begun = run_disturbed(
        "log", "new", "--home", str(alpha.home), "--reason", "rollback", "--lead", "0"
    )
    alpha.wait_until_ready()

    assert "the hub holds a head of" in health["reason"]
    assert (refused, others) == (["unavailable"], ["200"])
    assert begun.returncode == 0, begun.stderr
    assert ask(federation, "alpha", "beta", "gamma") == ["200", "200"]
    assert ask(federation, "beta", "alpha") == ["200"]
    status, report = audit(federation, alpha, beta, gamma)
    assert (status, list_failures(report)) == (3, [])
    (told,) = [one for one in report["findings"] if one["code"] == "log-rolled-back"]
    assert told["text"].startswith("alpha.example says that its log")
