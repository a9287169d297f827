"""Procedures as versions, confirmed by persons with their own tokens; who has not yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.migrations import build_config
from node.core.people.service import OPERATOR_PRINCIPAL, Principal, Role
from node.governance.training.record import Standing
from node.governance.training.service import NewProcedure, TrainingService
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import build_empty_node

READERS = frozenset({Role.COLLECTOR, Role.SALES})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("training") / "home")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def node(shared: Node) -> Iterator[Node]:
    yield shared
    config = build_config(shared.local.database)
    command.downgrade(config, "0050")
    command.upgrade(config, "head")
    for one in shared.local.people.list_tokens():
        if one.revoked_at_ms is None:
            shared.local.people.revoke_token(one.token_id)


def sign_in(node: Node, role: Role, name: str) -> Principal:
    people = node.local.people
    return people.get_principal(people.create_token(role=role, name=name, life_s=60).token)


def publish(training: TrainingService, text: str, roles: frozenset[Role] = READERS) -> None:
    training.publish(
        NewProcedure(slug="order-check", title="Order check", text=text, roles=roles), by="wang"
    )


def names_of(standing: Standing) -> tuple[list[str], list[str], int | None]:
    return (
        [one.name for one in standing.confirmed],
        [one.name for one in standing.missing],
        standing.percent,
    )


def test_who_has_not_confirmed_the_newest_version_is_named_by_the_tokens_in_force(
    node: Node,
) -> None:
    training = node.local.governance.training
    publish(training, "Read me.\nThen confirm.")
    li = sign_in(node, Role.COLLECTOR, "Li Wei")
    sign_in(node, Role.SALES, "LI-WEI")  # the same person under another role
    sign_in(node, Role.SALES, "Sun")
    gone = sign_in(node, Role.SALES, "Zhou")
    sign_in(node, Role.ANALYST, "Qian")  # it is not for analysts
    node.local.people.revoke_token(gone.token_id)

    (before,) = training.list_standings()
    training.confirm("order-check", version=1, actor=li)
    again = training.confirm("order-check", version=1, actor=li)
    (after,) = training.list_standings()
    publish(training, "Read me anew.")
    (anew,) = training.list_standings()
    register = training.list_of_person("li wei")

    assert names_of(before) == ([], ["LI-WEI", "Sun"], 0)
    assert names_of(after) == (["Li Wei"], ["Sun"], 50)
    assert names_of(anew) == ([], ["LI-WEI", "Sun"], 0)
    assert [(one.version, said.confirmed_at_ms) for one, said in register] == [
        (1, again.confirmed_at_ms)
    ]


def test_only_a_person_confirms_the_newest_version_of_what_is_for_its_role(node: Node) -> None:
    training = node.local.governance.training
    publish(training, "one")
    publish(training, "two")
    collector = sign_in(node, Role.COLLECTOR, "Li")
    analyst = sign_in(node, Role.ANALYST, "Qian")

    refused = []
    for slug, version, actor in (
        ("order-check", 2, OPERATOR_PRINCIPAL),
        ("order-check", 2, analyst),
        ("order-check", 1, collector),
        ("order-check", 3, collector),
        ("other", 1, collector),
    ):
        with pytest.raises(NodeError) as error:
            training.confirm(slug, version=version, actor=actor)
        refused.append(error.value.code)

    assert refused == [
        "not-confirmable",
        "not-confirmable",
        "procedure-outdated",
        "procedure-not-found",
        "procedure-not-found",
    ]
    assert names_of(training.list_standings()[0])[0] == []


def test_a_procedure_for_nobody_has_no_percentage(node: Node) -> None:
    publish(node.local.governance.training, "over", roles=frozenset())

    (standing,) = node.local.governance.training.list_standings()

    assert names_of(standing) == ([], [], None)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"slug": "Order Check"}, "procedure-invalid"),
        ({"slug": "../etc"}, "procedure-invalid"),
        ({"text": None}, "procedure-invalid"),
        ({"document_sha256_hex": "AB" * 32}, "procedure-invalid"),
        ({"roles": frozenset({Role.AUDITOR})}, "procedure-invalid"),
        ({"text": "a\x1b[2J"}, "text-invalid"),
        ({"title": ""}, "item-invalid"),
    ],
    ids=["spaces", "path", "empty", "hash", "auditor", "escape", "title"],
)
def test_what_cannot_be_a_procedure_is_refused(
    shared: Node, changed: dict[str, object], code: str
) -> None:
    given: dict[str, object] = {
        "slug": "order-check",
        "title": "Order check",
        "text": "a",
        "roles": READERS,
    }
    new = NewProcedure(**(given | changed))  # type: ignore[arg-type]

    with pytest.raises(NodeError) as refused:
        shared.local.governance.training.publish(new, by="wang")

    assert refused.value.code == code
    assert shared.local.governance.training.list_procedures() == []


def test_a_salesperson_reads_and_confirms_over_the_api_and_publishes_nothing(node: Node) -> None:
    publish(node.local.governance.training, "one")
    tokens = {
        role: node.local.people.create_token(role=role, name=f"P {role}", life_s=60).token
        for role in (Role.SALES, Role.CFO)
    }
    body = {"by": "P sales", "name": "x", "title": "X", "text": "x", "roles": ["sales"]}

    http = TestClient(build_app(node))  # Not begun: its end would close the shared node.

    def call(role: Role, method: str, path: str, sent: object = None) -> tuple[int, object]:
        headers = {"authorization": f"Bearer {tokens[role]}"}
        found = http.request(method, f"{API_PREFIX}{path}", headers=headers, json=sent)
        return found.status_code, found.json()

    read = call(Role.SALES, "GET", "/procedures/order-check")
    refused = call(Role.SALES, "POST", "/procedures", body)
    confirmed = call(Role.SALES, "POST", "/procedures/order-check/confirmations", {"version": 1})
    hidden = call(Role.SALES, "GET", "/training")
    _, standings = call(Role.CFO, "GET", "/training")

    assert read[0] == 200
    assert (refused[0], confirmed[0], hidden[0]) == (403, 200, 403)
    assert isinstance(standings, list)
    assert [one["name"] for one in standings[0]["confirmed"]] == ["P sales"]
