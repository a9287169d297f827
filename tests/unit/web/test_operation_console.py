"""The administrator's pages of a whole node: health, jobs with their failures, keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.errors import UnavailableError
from node.core.people.service import Role
from node.web.console import build_console_routes
from node.web.health import Health
from node.web.operation import Operation
from node.web.operation_console import say_bytes
from protocol.keys import SigningKey
from protocol.registry import KeyEntry, sign_registry
from tests.support.console_node import (
    API_TOKEN,
    BUSINESS_DATE,
    HUB_KEY,
    NOW_MS,
    adopt_registry,
    build_empty_node,
)

HOST = "http://testserver"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("operation") / "home")
    adopt_registry(node, simulated=True)
    node.local.runs.run(as_of=BUSINESS_DATE, by="Wang <i>")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture(scope="module")
def client(node: Node) -> TestClient:
    routes = build_console_routes(node, health=Health(node).report, operation=Operation(node).read)
    return TestClient(Starlette(routes=routes), base_url=HOST, follow_redirects=False)


def show(client: TestClient, path: str, *, token: str = API_TOKEN, lang: str = "en") -> str:
    client.cookies.clear()
    client.post("/console/login", data={"token": token}, headers={"origin": HOST})
    answer = client.get(f"/console/operation{path}", params={"lang": lang})
    assert answer.status_code == 200, answer.status_code
    return str(answer.text)


def test_health_says_in_words_what_readyz_says(node: Node, client: TestClient) -> None:
    report = Health(node).report()

    page = show(client, "")

    assert all(name in page for name in report if name not in {"status", "exchanging", "reason"})
    assert "number of the newest registry snapshot" in page
    assert "The node does not exchange now:" in page
    assert "no witness has cosigned this log for too long" in str(report["reason"])
    assert str(report["reason"]) in page
    assert "newest</span>" in page
    assert show(client, "", lang="zh").count("磁盘剩余") == 1


def test_jobs_show_runs_with_who_began_them_and_rounds_with_their_failure(
    node: Node, client: TestClient
) -> None:
    async def fail() -> None:
        raise UnavailableError("nobody is there")

    async def break_down() -> None:
        raise ValueError("a row of the database")

    async def work() -> None:
        return

    for name, made in (("registry", fail()), ("witness", break_down()), ("receipts", work())):
        asyncio.run(node.rounds.run(name, made))
    asyncio.run(node.rounds.run("registry", work()))

    page = show(client, "/jobs")

    rows = {part.partition("</th>")[0].rpartition(">")[2]: part for part in page.split("<tr>")}
    assert "Wang &lt;i&gt;" in rows["rating"]
    assert "finished" in rows["rating"]
    assert "ValueError" in rows["cosignature"]
    assert "a row of the database" not in page
    assert ">well<" in rows["receipts"]
    assert ">well<" in rows["registry"]
    assert [state.failures for state in node.rounds.list_states()] == [0, 1, 1]


def test_own_keys_are_shown_with_dates_and_the_one_in_use(node: Node, client: TestClient) -> None:
    before = show(client, "/keys")
    old, now = SigningKey(b"\x07" * 32).public, NOW_MS // 1000
    used = node.keys.message.public
    own = [
        KeyEntry(
            key=old, use="message", nbf=now - 86_400, exp=now + 99, revoked_at=now, reason="lost"
        ),
        KeyEntry(key=used, use="message", nbf=now - 400 * 86_400, exp=now + 99),
    ]
    enter_own_keys(node, own)

    page = show(client, "/keys")

    rows = {kid: page.partition(kid)[2].partition("</tr>")[0] for kid in (old.kid, used.kid)}
    assert "The registry holds no key of this member." in before
    assert "revoked" in rows[old.kid]
    assert "lost" in rows[old.kid]
    assert "in use" not in rows[old.kid]
    assert "valid</span> · in use" in rows[used.kid]
    assert 'class="number due">400 days' in rows[used.kid]
    assert "alpha.example/chengxin/log/1" in page


def enter_own_keys(node: Node, keys: list[KeyEntry]) -> None:
    """Have the node adopt a next snapshot that names it with these keys."""
    newest = node.registry.newest
    member = replace(
        newest.members[0],
        member="alpha.example",
        log_origin="alpha.example/chengxin/log/1",
        keys=tuple(keys),
    )
    snapshot = replace(
        newest, seq=newest.seq + 1, prev=newest.hash, members=(*newest.members, member)
    )
    node.registry.adopt(sign_registry(snapshot, keys=[HUB_KEY]))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.AUDITOR])
def test_operation_is_for_who_keeps_the_exchange_going(
    node: Node, client: TestClient, role: Role
) -> None:
    token = API_TOKEN
    if role is not Role.OPERATOR:
        token = node.local.people.create_token(role=role, name="Li", life_s=600).token
    client.cookies.clear()
    client.post("/console/login", data={"token": token}, headers={"origin": HOST})

    answers = {client.get(f"/console/operation{one}").status_code for one in ("", "/jobs", "/keys")}

    assert answers == {200 if role in {Role.OPERATOR, Role.CREDIT_MANAGER} else 403}


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (5 << 30, "5.0 GiB")],
)
def test_bytes_are_said_in_their_largest_unit(count: int, words: str) -> None:
    assert say_bytes(count) == words
