"""Where accounts alone approve, no token does over the API, whatever the operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.accounts.errors import ApprovalByTokenError
from node.core.people.service import Role
from node.web.app import API_PREFIX, build_app
from node.web.approving import APPROVING
from node.web.authorisation import OPERATIONS
from tests.support.console_node import API_TOKEN, build_empty_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("approvals") / "home")
    accounts = node.local.accounts
    always = replace(accounts, approvals=replace(accounts.approvals, factor="always"))
    yield replace(node, local=replace(node.local, accounts=always))
    node.writer.close()
    node.local.close()


def test_no_token_approves_over_the_api_where_accounts_alone_do(node: Node) -> None:
    made = node.local.people.create_token(role=Role.CREDIT_MANAGER, name="Wang", life_s=3_600)
    asked = [path.replace("{", "").replace("}", "") for _, path in sorted(APPROVING)]
    with TestClient(build_app(node)) as http:
        codes = {
            (path, who): http.post(
                f"{API_PREFIX}{path}", headers={"authorization": f"Bearer {token}"}
            ).json()["code"]
            for path in asked
            for who, token in (("operator", API_TOKEN), ("manager", made.token))
        }
        reading = http.get(
            f"{API_PREFIX}/decisions", headers={"authorization": f"Bearer {made.token}"}
        )

    assert set(codes.values()) == {ApprovalByTokenError.code}
    assert reading.status_code == 200
    assert set(OPERATIONS) >= APPROVING
    refused = [row for row in node.local.people.list_accesses() if row.what == "approve"]
    assert {row.outcome for row in refused} == {ApprovalByTokenError.code}
    assert len(refused) == len(codes)
