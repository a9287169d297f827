import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from node.bootstrap import Node, build_node, init_home, key_path
from node.core.config import build_settings
from node.core.keystore import save_key
from node.core.log import LogStore
from node.web.api import CUSTOMERS_PAGE_MAX
from node.web.app import API_BODY_BYTES_MAX, build_app
from protocol.consent import ConsentState, hash_consent
from protocol.encoding import encode_b64u
from protocol.limits import ANSWER_BYTES_MAX, MESSAGE_BYTES_MAX, STATEMENT_BYTES_MAX
from protocol.message import MEDIA_TYPE, parse_message
from protocol.registry import sign_registry
from protocol.strict_json import parse_object
from schemas.exchange import DeliveredConsent
from schemas.summary import Section
from tests.support.exchanges import deliver, write_invoices, write_put
from tests.support.forging import Forgery, build_consent, forge_bytes, sign_state
from tests.support.nodes import (
    BUSINESS_DATE,
    HUB_KEY,
    NOW_S,
    SUBJECT,
    SUBJECT_KEY,
    TestFederation,
    TestNode,
)

TOKEN = "a-token-of-the-api-tests"
BEARER = {"authorization": f"Bearer {TOKEN}"}
MESSAGE = {"content-type": MEDIA_TYPE}
PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "code", "source"}
READ_ROUTES = ["/consents", "/exchanges/out", "/exchanges/in", "/customers"]
WRITE_ROUTES = ["/consents", "/asks", "/receipts", "/witness", "/customers/1/ratings"]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Beta's node behind its whole HTTP face; alpha is a member that sends it messages."""

    federation: TestFederation
    node: Node
    http: TestClient

    @property
    def alpha(self) -> TestNode:
        return self.federation.nodes[0]

    def cosign(self) -> None:
        """Let a witness have seen the log now."""
        head = self.node.writer.state
        with self.node.local.database.write() as uow:
            LogStore(uow.connection).store_witnessed(
                size=head.edge.size, checkpoint=head.checkpoint, at_s=NOW_S
            )
        self.node.upkeep.load()

    def post_message(self, forgery: Forgery) -> tuple[int, str, dict[str, object]]:
        """Send a message of alpha's; return status, code and body of the signed answer."""
        raw = forge_bytes(self.alpha, forgery, audience="beta.example")
        answer = self.http.post("/chengxin/v1/messages", content=raw, headers=MESSAGE)
        assert answer.headers["content-type"] == MEDIA_TYPE

        body = parse_object(parse_message(answer.content, bytes_max=ANSWER_BYTES_MAX).body)
        return answer.status_code, str(body.get("code", "")), dict(body)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    federation = TestFederation(folder=tmp_path / "federation")
    home = tmp_path / "home"
    settings = build_settings(
        home=home,
        member_id="beta.example",
        business_date=BUSINESS_DATE,
        hub_anchor=encode_b64u(HUB_KEY.public.raw),
        api_token=TOKEN,
        key_passphrase="passphrase",
    )
    init_home(settings, key_names=())
    for name, key in (
        ("message", federation.keys["beta.example"].message),
        ("log", federation.keys["beta.example"].log),
    ):
        save_key(key, path=key_path(home, name), passphrase="passphrase")
    node = build_node(settings, clock=federation.clock)
    node.registry.adopt(sign_registry(federation.registry, keys=[HUB_KEY]))
    with TestClient(build_app(node)) as http:
        yield Site(federation=federation, node=node, http=http)
    federation.close()


def check_problem(answer: object, *, status: int, code: str) -> dict[str, object]:
    """Check that an answer is an RFC 9457 problem, and return it."""
    assert isinstance(answer, httpx_response)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    problem: dict[str, object] = answer.json()
    assert set(problem) == MEMBERS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:chengxin:problem:{code}"

    return problem


def delivered_to_beta() -> DeliveredConsent:
    """Return a consent under which beta may ask alpha."""
    consent = replace(
        build_consent(now_s=NOW_S), consumer="beta.example", provider="alpha.example"
    )
    return deliver(consent)


def ask_body(**changes: object) -> dict[str, object]:
    return {
        "consents": [encode_b64u(bytes(32))],
        "purpose": "P1",
        "metrics": [section.value for section in Section],
        **changes,
    }
