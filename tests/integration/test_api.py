import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from node.bootstrap.home import init_home, key_path
from node.bootstrap.member import Node, build_node
from node.core.config import build_settings
from node.core.keystore import save_key
from node.core.log import LogStore
from node.core.log_key import get_signing_key
from node.web.api import CUSTOMERS_PAGE_MAX
from node.web.app import API_BODY_BYTES_MAX, build_app
from protocol.consent import ConsentState, hash_consent
from protocol.encoding import encode_b64u
from protocol.limits import ANSWER_BYTES_MAX, MESSAGE_BYTES_MAX, STATEMENT_BYTES_MAX
from protocol.message import MEDIA_TYPE, MEDIA_TYPES, parse_message
from protocol.registry import sign_registry
from protocol.strict_json import parse_object
from schemas.exchange import QUERY_CONTENT_TYPE, DeliveredConsent
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
from tests.support.stores import FILE_NAME, migrated_url

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
        self.node.witnessing.load()

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
        database_url=migrated_url(home / FILE_NAME),
        member_id="beta.example",
        business_date=BUSINESS_DATE,
        hub_anchor=encode_b64u(HUB_KEY.public.raw),
        api_token=TOKEN,
        key_passphrase="passphrase",
    )
    init_home(settings, key_names=())
    for name, key in (
        ("message", federation.keys["beta.example"].message),
        ("log", get_signing_key(federation.keys["beta.example"].log)),
    ):
        save_key(key, path=key_path(home, name), passphrase="passphrase")
    node = build_node(settings, clock=federation.clock)
    node.registry.adopt(sign_registry(federation.registry, keys=[HUB_KEY]))
    with TestClient(build_app(node)) as http:
        yield Site(federation=federation, node=node, http=http)
    federation.close()


def check_problem(answer: Response, *, status: int, code: str) -> dict[str, object]:
    """Check that an answer is an RFC 9457 problem, and return it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    problem: dict[str, object] = answer.json()
    assert set(problem) == MEMBERS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:chengxin:problem:{code}"

    return problem


def delivered_to_beta() -> DeliveredConsent:
    """Return a consent under which beta may ask alpha."""
    consent = replace(build_consent(now_s=NOW_S), consumer="beta.example", provider="alpha.example")
    return deliver(consent)


def ask_body(**changes: object) -> dict[str, object]:
    return {
        "consents": [encode_b64u(bytes(32))],
        "purpose": "P1",
        "metrics": [section.value for section in Section],
        **changes,
    }


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}]
)
@pytest.mark.parametrize("path", READ_ROUTES)
def test_reading_needs_the_bearer_token(site: Site, path: str, headers: dict[str, str]) -> None:
    answer = site.http.get(f"/api/v1{path}", headers=headers)

    check_problem(answer, status=401, code="not-authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", WRITE_ROUTES)
def test_a_stranger_hears_nothing_of_what_is_wrong_with_a_body(site: Site, path: str) -> None:
    answer = site.http.post(f"/api/v1{path}", content=b"{no json", headers={})

    check_problem(answer, status=401, code="not-authenticated")


def test_an_address_that_is_none_of_the_api_needs_the_token_too(site: Site) -> None:
    check_problem(site.http.get("/api/v1/nothing"), status=401, code="not-authenticated")
    check_problem(site.http.get("/api/v1/nothing", headers=BEARER), status=404, code="not-found")


def test_unknown_address_and_method_are_problems(site: Site) -> None:
    check_problem(site.http.get("/nothing"), status=404, code="not-found")
    check_problem(site.http.get("/chengxin/v1/messages"), status=405, code="rejected")


@pytest.mark.parametrize(
    "content",
    [
        b"{no json",
        b"",
        b"[]",
        b'{"consents": []}',
        b'{"consents": [{}]}',
        b'{"consents": 1, "x": 1}',
    ],
)
def test_body_of_another_shape_is_a_schema_problem(site: Site, content: bytes) -> None:
    answer = site.http.post(
        "/api/v1/consents", content=content, headers={**BEARER, "content-type": "application/json"}
    )

    check_problem(answer, status=422, code="schema")


@pytest.mark.parametrize("number", [2**63, 10**40])
def test_a_customer_that_no_database_can_hold_is_a_schema_problem(site: Site, number: int) -> None:
    for answer in (
        site.http.get(f"/api/v1/customers?after={number}", headers=BEARER),
        site.http.get(f"/api/v1/customers/{number}/assessment", headers=BEARER),
        site.http.post(f"/api/v1/customers/{number}/ratings", headers=BEARER),
    ):
        check_problem(answer, status=422, code="schema")


def test_schema_problem_names_the_place_and_not_the_value(site: Site) -> None:
    answer = site.http.post("/api/v1/asks", json=ask_body(last_months="secret-7"), headers=BEARER)

    problem = check_problem(answer, status=422, code="schema")
    assert "last_months" in str(problem["detail"])
    assert "secret-7" not in answer.text


def test_oversized_body_of_the_api_is_refused_as_declared_and_as_sent(site: Site) -> None:
    content = b" " * (API_BODY_BYTES_MAX + 1)

    declared = site.http.post("/api/v1/consents", content=content, headers=BEARER)
    streamed = site.http.post(
        "/api/v1/consents", content=iter([content[:-1], b" "]), headers=BEARER
    )

    check_problem(declared, status=413, code="too-large")
    check_problem(streamed, status=413, code="too-large")


def test_node_without_a_hub_is_alive_and_says_what_waits(site: Site) -> None:
    ready = site.http.get("/readyz")

    assert site.http.get("/livez").json() == {"status": "live"}
    assert ready.status_code == 503
    said = ready.json()
    assert (said["status"], said["exchanging"]) == ("degraded", False)
    assert (said["registry_seq"], said["witness_age_s"]) == (1, -1)
    assert "witness" in said["reason"]
    assert site.http.get("/api/v1/customers", headers=BEARER).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/asks", ask_body()),
        (f"/asks/{encode_b64u(bytes(16))}/settle", None),
        (f"/consents/{encode_b64u(bytes(32))}/deliver", None),
    ],
    ids=["ask", "settle", "deliver"],
)
def test_exchanging_waits_while_the_node_is_degraded(
    site: Site, path: str, body: dict[str, object] | None
) -> None:
    answer = site.http.post(f"/api/v1{path}", json=body, headers=BEARER)

    check_problem(answer, status=503, code="unavailable")
    assert answer.headers["retry-after"] == "1"


def test_a_purpose_that_no_manifest_could_name_is_refused(site: Site) -> None:
    site.cosign()

    answer = site.http.post("/api/v1/asks", json=ask_body(purpose="P" * 9), headers=BEARER)

    check_problem(answer, status=422, code="schema")


def test_node_is_ready_while_a_witness_has_seen_its_log_lately(site: Site) -> None:
    site.cosign()
    fresh = site.http.get("/readyz")
    site.federation.clock.advance_s(site.node.local.settings.witness_age_s_max + 1)
    stale = site.http.get("/readyz")

    assert (fresh.status_code, fresh.json()["exchanging"]) == (200, True)
    assert fresh.json()["witness_age_s"] == 0
    assert "reason" not in fresh.json()
    assert (stale.status_code, stale.json()["exchanging"]) == (503, False)


def test_node_stops_exchanging_when_its_registry_has_expired(site: Site) -> None:
    site.cosign()
    site.federation.clock.advance_s(86_400)

    assert "registry" in site.http.get("/readyz").json()["reason"]


def test_a_registry_past_half_of_its_life_is_warned_of_and_measured(site: Site) -> None:
    site.cosign()
    site.federation.clock.advance_s(50_000)

    warning, _age = site.http.get("/readyz").json()["warnings"]
    measured = site.http.get("/metrics", headers=BEARER).text

    assert "is the hub reachable" in warning
    assert "chengxin_registry_left_seconds 36400.0" in measured


def test_the_age_of_the_message_key_is_measured_and_warned_of(site: Site) -> None:
    measured = site.http.get("/metrics", headers=BEARER).text
    said = site.http.get("/readyz").json()["warnings"]

    (days,) = (
        float(line.split()[1])
        for line in measured.splitlines()
        if line.startswith("chengxin_message_key_age_days ")
    )
    assert days == site.federation.clock.now_ms() // 1000 // 86_400  # its key began in 1970
    assert said == [f"the message key is {days:.0f} days old: change it"]


def test_discovery_says_who_answers_and_within_which_limits(site: Site) -> None:
    said = site.http.get("/.well-known/chengxin").json()

    assert (said["member"], said["role"], said["versions"]) == ("beta.example", "member", [1])
    assert said["media_types"] == [MEDIA_TYPE]
    assert said["message_kid"] == site.node.keys.message.kid
    assert said["log_origin"] == "beta.example/chengxin/log/1"
    assert said["limits"]["message_bytes_max"] == MESSAGE_BYTES_MAX
    assert set(said["operations"]) >= {"query", "consent.put", "receipt", "poll"}
    assert QUERY_CONTENT_TYPE in said["operations"]["query"]
    assert site.http.get(said["links"]["health"]).status_code in {200, 503}


def test_health_says_age_room_and_receipts_and_the_metrics_show_them(site: Site) -> None:
    said = site.http.get("/readyz").json()

    assert said["registry_age_s"] >= 0
    assert said["disk_free_bytes"] > 0
    assert said["receipts_missing"] == 0
    shown = site.http.get("/metrics", headers=BEARER).text
    assert "chengxin_disk_free_bytes " in shown
    assert "chengxin_receipts_missing 0.0" in shown


def test_a_version_that_is_not_spoken_is_told_which_are(site: Site) -> None:
    answer = site.http.post(
        "/chengxin/v1/messages",
        content=b"{}",
        headers={"content-type": MEDIA_TYPE.replace("v=1", "v=9")},
    )

    assert answer.json()["code"] == "unsupported-version"
    assert all(spoken in answer.json()["detail"] for spoken in MEDIA_TYPES)


def test_checkpoint_of_the_log_is_public(site: Site) -> None:
    answer = site.http.get("/chengxin/v1/log/checkpoint")

    assert answer.text == site.node.writer.state.checkpoint
    assert answer.text.startswith("beta.example/chengxin/log/1\n2\n")  # genesis and start


@pytest.mark.parametrize(
    ("media_type", "code"),
    [
        ("application/json", "malformed"),
        ("", "malformed"),
        (MEDIA_TYPE.replace("v=1", "v=2"), "unsupported-version"),
        (MEDIA_TYPE.partition(";")[0], "unsupported-version"),
    ],
    ids=["json", "none", "version-2", "no-version"],
)
def test_message_of_another_media_type_is_refused(site: Site, media_type: str, code: str) -> None:
    answer = site.http.post(
        "/chengxin/v1/messages", content=b"{}", headers={"content-type": media_type}
    )

    assert answer.status_code in {400, 415, 422}
    check_problem(answer, status=answer.status_code, code=code)


def test_oversized_message_and_status_are_refused(site: Site) -> None:
    message = site.http.post(
        "/chengxin/v1/messages", content=b" " * (MESSAGE_BYTES_MAX + 1), headers=MESSAGE
    )
    status = site.http.post(
        "/chengxin/v1/consent-statuses", content=b" " * (STATEMENT_BYTES_MAX + 1)
    )

    check_problem(message, status=413, code="too-large")
    check_problem(status, status=413, code="too-large")


def test_message_waits_while_the_node_is_degraded(site: Site) -> None:
    raw = forge_bytes(site.alpha, write_put(deliver(build_consent(now_s=NOW_S))), audience="x")

    answer = site.http.post("/chengxin/v1/messages", content=raw, headers=MESSAGE)

    check_problem(answer, status=503, code="unavailable")


def test_bytes_that_are_no_message_are_refused_unsigned(site: Site) -> None:
    site.cosign()

    answer = site.http.post("/chengxin/v1/messages", content=b"{no json", headers=MESSAGE)

    check_problem(answer, status=answer.status_code, code="malformed")


def test_peer_delivers_asks_is_answered_and_refused_after_withdrawal(site: Site) -> None:
    site.cosign()
    site.node.local.records.import_file(
        write_invoices(SUBJECT, count=12).encode(), file_name="invoices.csv"
    )
    given = deliver(build_consent(now_s=NOW_S))
    consent = hash_consent(given.token)
    query = {
        "v": 1,
        "kind": "query",
        "consent": encode_b64u(consent),
        "purpose": "P1",
        "metrics": ["volume"],
        "last_months": 12,
    }

    def ask() -> tuple[int, str, dict[str, object]]:
        body = json.dumps(query, sort_keys=True, separators=(",", ":")).encode()
        return site.post_message(Forgery(body=body, consents=(consent,)))

    before = ask()
    held = site.post_message(write_put(given))
    answered = ask()
    withdrawal = sign_state(
        consent, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=NOW_S
    )
    withdrawn = site.http.post("/chengxin/v1/consent-statuses", content=withdrawal.encode())
    after = ask()

    assert before[:2] == (403, "consent-missing")
    assert held[0] == 200
    assert (answered[0], answered[2]["kind"]) == (200, "payment-behaviour-summary")
    assert withdrawn.json() == {"consent": encode_b64u(consent), "state": "revoked", "seq": 1}
    assert after[:2] == (403, "consent-revoked")
    left = site.http.get("/api/v1/exchanges/in", headers=BEARER).json()
    assert {row["peer"] for row in left} == {"alpha.example"}
    assert sum(row["uses"] for row in left) == 1


@pytest.mark.parametrize("content", [b"", b"a.b.c", "ä.b.c".encode(), b"{}"])
def test_status_that_is_no_signed_statement_is_refused(site: Site, content: bytes) -> None:
    answer = site.http.post("/chengxin/v1/consent-statuses", content=content)

    check_problem(answer, status=answer.status_code, code="malformed")


def test_status_of_a_consent_not_held_is_not_found(site: Site) -> None:
    token = sign_state(bytes(32), state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=NOW_S)

    answer = site.http.post("/chengxin/v1/consent-statuses", content=token.encode())

    check_problem(answer, status=404, code="consent-not-held")


def test_consents_are_held_once_and_listed(site: Site) -> None:
    given = delivered_to_beta()
    body = {"consents": [given.model_dump(mode="json")]}

    first = site.http.post("/api/v1/consents", json=body, headers=BEARER)
    again = site.http.post("/api/v1/consents", json=body, headers=BEARER)
    listed = site.http.get(f"/api/v1/consents?subject={SUBJECT}", headers=BEARER)
    others = site.http.get("/api/v1/consents?subject=sim:other", headers=BEARER)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == listed.json()
    view = first.json()[0]
    assert view["consent"] == encode_b64u(hash_consent(given.token))
    assert (view["state"], view["uses"], view["delivered"]) == ("active", 0, False)
    assert others.json() == []


def test_consent_that_names_another_consumer_is_not_held(site: Site) -> None:
    given = deliver(build_consent(now_s=NOW_S))

    answer = site.http.post(
        "/api/v1/consents", json={"consents": [given.model_dump(mode="json")]}, headers=BEARER
    )

    check_problem(answer, status=403, code="wrong-consumer")
    assert site.http.get("/api/v1/consents", headers=BEARER).json() == []


def test_ask_without_a_consent_sends_nothing(site: Site) -> None:
    site.cosign()

    made = site.http.post("/api/v1/asks", json=ask_body(), headers=BEARER).json()

    assert [one["status"] for one in made["outcomes"]] == ["consent-missing"]
    assert made["manifest"]["items"] == []
    assert site.http.get("/api/v1/exchanges/out", headers=BEARER).json() == []


def test_what_is_not_there_cannot_be_delivered_or_settled(site: Site) -> None:
    site.cosign()

    deliver_none = f"/api/v1/consents/{encode_b64u(bytes(32))}/deliver"
    settle_none = f"/api/v1/asks/{encode_b64u(bytes(16))}/settle"

    check_problem(site.http.post(deliver_none, headers=BEARER), status=404, code="not-found")
    check_problem(site.http.post(settle_none, headers=BEARER), status=404, code="ask-not-found")
    check_problem(
        site.http.post("/api/v1/asks/abc/settle", headers=BEARER), status=400, code="malformed"
    )


def test_no_receipt_is_due_where_nothing_was_asked(site: Site) -> None:
    assert site.http.post("/api/v1/receipts", headers=BEARER).json() == {"count": 0}


def test_customers_are_listed_page_by_page(site: Site) -> None:
    records = site.node.local.records
    for number in range(3):
        records.add_customer(scheme="sim", value=f"S00000{number}", name=f"Customer {number}")

    page = site.http.get("/api/v1/customers?limit=2", headers=BEARER).json()
    rest = site.http.get(f"/api/v1/customers?after={page[-1]['id']}", headers=BEARER).json()
    most = site.http.get(f"/api/v1/customers?limit={10 * CUSTOMERS_PAGE_MAX}", headers=BEARER)

    assert [row["subject"] for row in page + rest] == ["sim:S000000", "sim:S000001", "sim:S000002"]
    assert len(most.json()) == 3


def test_customer_is_rated_and_every_point_explained(site: Site) -> None:
    site.node.local.records.import_file(
        write_invoices(SUBJECT, count=12).encode(), file_name="invoices.csv"
    )
    customer = site.http.get("/api/v1/customers", headers=BEARER).json()[0]["id"]
    path = f"/api/v1/customers/{customer}"

    before = site.http.get(f"{path}/assessment", headers=BEARER)
    rating = site.http.post(f"{path}/ratings", headers=BEARER).json()
    explained = site.http.get(f"{path}/assessment?language=zh", headers=BEARER).json()

    check_problem(before, status=404, code="not-found")
    assert (rating["customer"], rating["as_of"]) == (customer, BUSINESS_DATE.isoformat())
    assert rating["grade_own"] == rating["grade_with_peers"] != ""
    assert explained["own"]["score_deci"] == explained["with_peers"]["score_deci"]


def test_rating_nobody_is_not_found(site: Site) -> None:
    answer = site.http.post("/api/v1/customers/999/ratings", headers=BEARER)

    assert answer.status_code == 404
    check_problem(answer, status=404, code=answer.json()["code"])
