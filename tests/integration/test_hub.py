"""The hub over HTTP: routes, statuses, bounded bodies."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.core.config import SettingsError
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError, UnavailableError
from node.hub.api import ENROLMENT_BYTES_MAX, STATUS_BODY_BYTES_MAX, build_hub_routes
from node.hub.service import HubService
from protocol.cosignature import adopt_cosignatures
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.limits import WITNESS_REQUEST_BYTES_MAX
from protocol.note import parse_vkey
from protocol.purpose import TEMPLATES
from protocol.registry import check_succession, open_registry
from protocol.status_list import open_status_list
from protocol.strict_json import canonical_json
from tests.support.hubs import (
    ALPHA,
    BETA,
    HUB,
    HUB_KEY,
    LEGAL_BASIS,
    LOG_KEY,
    NOW_S,
    SUBJECT,
    SUBJECT_KEY,
    SUBJECT_TOKEN,
    TOKEN,
    WITNESS_KEY,
    TestHub,
    enrol_subject,
    make_status,
    open_test_hub,
)

DIGEST = hashlib.sha256(ALPHA.log_origin.encode()).hexdigest()
BEARER = {"authorization": f"Bearer {TOKEN}"}
SUBJECT_BEARER = {"authorization": f"Bearer {SUBJECT_TOKEN}"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[TestHub]:
    opened = open_test_hub(tmp_path)
    yield opened
    opened.database.dispose()


@pytest.fixture
def client(hub: TestHub) -> Iterator[TestClient]:
    routes = build_hub_routes(hub.service, enrolment_token=TOKEN, subject_token=SUBJECT_TOKEN)
    with TestClient(Starlette(routes=routes)) as opened:
        yield opened


def enrol_alpha(client: TestClient) -> None:
    answer = client.post("/hub/v1/members", json={"tokens": ALPHA.enrol()}, headers=BEARER)
    assert answer.status_code == 200


def test_federation_is_built_and_read_over_http(client: TestClient) -> None:
    enrol_alpha(client)
    answer = client.post(
        "/hub/v1/subjects", json={"tokens": enrol_subject()}, headers=SUBJECT_BEARER
    )

    newest = open_registry(
        client.get("/hub/v1/registry").json()["tokens"], anchors=[HUB_KEY.public]
    )
    first, second = (
        open_registry(
            client.get(f"/hub/v1/registry/{seq}").json()["tokens"], anchors=[HUB_KEY.public]
        )
        for seq in (1, 2)
    )
    found = newest.find_subject_key(SUBJECT_KEY.kid)
    assert found is not None
    assert decode_b64u(answer.json()["commitment"]) == found[0].commitment
    check_succession(second, older=first)
    check_succession(newest, older=second)
    assert client.get("/hub/v1/directory").json()["members"] == [
        {
            "member": ALPHA.member,
            "name": "A company",
            "endpoint": "https://node.example",
            "status": "active",
        }
    ]


def test_purposes_are_published_as_they_are_hashed(client: TestClient) -> None:
    published = client.get("/hub/v1/purposes").json()["purposes"]

    assert [one["template"]["code"] for one in published] == list(TEMPLATES)
    assert [decode_b64u(one["hash"]) for one in published] == [
        sha256(canonical_json(one["template"])) for one in published
    ]


def test_hub_says_what_it_is(client: TestClient) -> None:
    said = client.get("/.well-known/chengxin").json()

    assert (said["role"], said["hub"], said["versions"]) == ("hub", HUB, [1])
    assert decode_b64u(said["anchor"]) == HUB_KEY.public.raw
    assert parse_vkey(said["witness_vkey"]).public == WITNESS_KEY.public
    assert said["limits"]["add_checkpoint_bytes_max"] == WITNESS_REQUEST_BYTES_MAX
    assert client.get("/hub/v1/legal-basis").text == LEGAL_BASIS
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").json()["registry_seq"] == 1


def test_status_is_reported_and_listed(client: TestClient, hub: TestHub) -> None:
    client.post("/hub/v1/subjects", json={"tokens": enrol_subject()}, headers=SUBJECT_BEARER)
    token = make_status()

    for _ in range(2):
        assert client.post("/hub/v1/statuses", content=token).json()["seq"] == 1

    listed = open_status_list(
        client.get("/hub/v1/status-list").text,
        find_key=hub.open_newest().get_hub_key,
        now_s=NOW_S,
    )
    assert listed.entries == (token,)


def test_witness_speaks_tlog_witness(client: TestClient) -> None:
    enrol_alpha(client)

    cosigned = client.post("/add-checkpoint", content=ALPHA.ask_witness(0, 3))
    stale = client.post("/add-checkpoint", content=ALPHA.ask_witness(2, 7))
    monitored = client.get(f"/{DIGEST}/checkpoint")

    vkey = parse_vkey(client.get("/.well-known/chengxin").json()["witness_vkey"])
    note, _ = adopt_cosignatures(ALPHA.head(3), answer=cosigned.content, keys=[vkey])
    assert cosigned.status_code == 200
    assert (stale.status_code, stale.text) == (409, "3\n")
    assert stale.headers["content-type"] == "text/x.tlog.size"
    assert monitored.text == note
    assert client.get(f"/{'0' * 64}/checkpoint").status_code == 404


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        pytest.param(b"\xff", 400, "witness-request-malformed", id="no-request"),
        pytest.param(ALPHA.ask_witness(7, 3), 400, "witness-request-malformed", id="backwards"),
        pytest.param(BETA.ask_witness(0, 3), 404, "witness-unknown-origin", id="unknown-log"),
        pytest.param(
            ALPHA.ask_witness(0, 3, note=ALPHA.head(3, key=BETA.log_key)),
            403,
            "witness-log-unsigned",
            id="unsigned",
        ),
        pytest.param(
            ALPHA.ask_witness(3, 7, note=ALPHA.head(7, root=bytes(32))),
            422,
            "witness-proof-invalid",
            id="fork",
        ),
        pytest.param(
            ALPHA.ask_witness(3, 3, note=ALPHA.head(3, root=bytes(32))),
            409,
            "witness-forked-root",
            id="two-roots-at-one-size",
        ),
        pytest.param(b"x" * (WITNESS_REQUEST_BYTES_MAX + 1), 413, "too-large", id="too-large"),
    ],
)
def test_witness_refuses_with_the_status_of_tlog_witness(
    client: TestClient, raw: bytes, status: int, code: str
) -> None:
    enrol_alpha(client)
    client.post("/add-checkpoint", content=ALPHA.ask_witness(0, 3))

    answer = client.post("/add-checkpoint", content=raw)

    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:chengxin:problem:{code}"


def test_of_two_requests_that_race_from_one_size_exactly_one_is_cosigned(
    client: TestClient,
) -> None:
    enrol_alpha(client)
    client.post("/add-checkpoint", content=ALPHA.ask_witness(0, 3))
    start = threading.Barrier(2)
    answers: dict[int, tuple[int, str]] = {}

    def ask(new_size: int) -> None:
        start.wait()
        answer = client.post("/add-checkpoint", content=ALPHA.ask_witness(3, new_size))
        answers[new_size] = (answer.status_code, answer.text)

    threads = [threading.Thread(target=ask, args=(size,)) for size in (7, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (won,) = (size for size, answer in answers.items() if answer[0] == 200)
    assert answers[16 - won] == (409, f"{won}\n")
    assert client.get(f"/{DIGEST}/checkpoint").text.split("\n")[1] == str(won)


def jws(payload: dict[str, object]) -> str:
    """A token of the right form that nobody has signed."""
    header = {"alg": "Ed25519", "kid": SUBJECT_KEY.kid, "typ": "cx-enrolment+jws"}
    parts = [json.dumps(part, sort_keys=True, separators=(",", ":")) for part in (header, payload)]
    encoded = [encode_b64u(part.encode()) for part in parts]
    return ".".join([*encoded, encode_b64u(bytes(64))])


@pytest.mark.parametrize("path", ["/hub/v1/members", "/hub/v1/subjects"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": TOKEN},
        {"authorization": SUBJECT_TOKEN},
    ],
    ids=["none", "empty", "wrong", "no-scheme", "no-scheme-for-subjects"],
)
def test_nobody_is_enrolled_without_the_token(
    client: TestClient, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, json={"tokens": ALPHA.enrol()}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/hub/v1/directory").json() == {"members": []}


def test_the_token_for_members_admits_no_subject_and_the_other_way_round(
    client: TestClient,
) -> None:
    member = {"tokens": ALPHA.enrol()}
    subject = {"tokens": enrol_subject()}

    refused = (
        client.post("/hub/v1/members", json=member, headers=SUBJECT_BEARER),
        client.post("/hub/v1/subjects", json=subject, headers=BEARER),
    )

    assert [answer.status_code for answer in refused] == [401, 401]
    assert client.get("/readyz").json()["subjects"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"", 400, "malformed", id="empty"),
        pytest.param(b'{"tokens":[],"tokens":[]}', 400, "malformed", id="duplicate-members"),
        pytest.param(b"[]", 400, "malformed", id="no-object"),
        pytest.param(b"{}", 422, "schema", id="no-tokens"),
        pytest.param(b'{"tokens":[1]}', 422, "schema", id="no-text"),
        pytest.param(b'{"tokens":[],"more":1}', 422, "schema", id="unknown-member"),
        pytest.param(b'{"tokens":["a","b","c","d","e"]}', 422, "schema", id="too-many"),
        pytest.param(b'{"tokens":[]}', 422, "possession-unproven", id="unsigned"),
        pytest.param(b'{"tokens":["a.b.c"]}', 400, "malformed", id="no-jws"),
        pytest.param(b" " * (ENROLMENT_BYTES_MAX + 1), 413, "too-large", id="too-large"),
    ],
)
def test_malformed_enrolment_is_refused(
    client: TestClient, body: bytes, status: int, code: str
) -> None:
    for path, headers in (
        ("/hub/v1/members", BEARER),
        ("/hub/v1/subjects", SUBJECT_BEARER),
    ):
        answer = client.post(path, content=body, headers=headers)

        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"


def test_body_that_does_not_declare_its_length_is_bounded_too(client: TestClient) -> None:
    def stream() -> Iterator[bytes]:
        for _ in range(4):
            yield b"x" * STATUS_BODY_BYTES_MAX

    assert client.post("/hub/v1/statuses", content=stream()).status_code == 413


def test_conflicts_are_answered_409(client: TestClient) -> None:
    enrol_alpha(client)
    moved = ALPHA.enrol(log_origin=f"{ALPHA.member}/another/log")

    answer = client.post("/hub/v1/members", json={"tokens": moved}, headers=BEARER)

    assert (answer.status_code, answer.json()["source"]) == (409, "hub")


@pytest.mark.parametrize(
    "seq", ["2", "0", "01", "-1", "one", "\u0661", "9" * 10, "9" * 5000], ids=lambda seq: seq[:12]
)
def test_snapshot_that_is_not_there_is_answered_404(client: TestClient, seq: str) -> None:
    answer = client.get(f"/hub/v1/registry/{seq}")

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (
        404,
        "snapshot-unknown",
    )


def test_status_that_is_no_ascii_is_refused(client: TestClient) -> None:
    assert client.post("/hub/v1/statuses", content="é").status_code == 400


def test_natural_person_is_no_subject_and_its_number_is_not_told(client: TestClient) -> None:
    number = "11010519491231002X"
    token = jws(
        {
            "v": 1,
            "kind": "subject",
            "hub": HUB,
            "iat": NOW_S,
            "subject": f"cn.uscc:{number}",
            "salt": encode_b64u(bytes(32)),
            "key": SUBJECT_KEY.public.jwk,
        }
    )
    unsigned = token.rpartition(".")[0]
    signed = f"{unsigned}.{encode_b64u(SUBJECT_KEY.sign(unsigned.encode()))}"

    answer = client.post("/hub/v1/subjects", json={"tokens": [signed]}, headers=SUBJECT_BEARER)

    assert answer.status_code == 422
    assert number not in answer.text


def test_bug_of_ours_is_answered_500(hub: TestHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_service: HubService) -> None:
        raise InvariantError("broken")

    monkeypatch.setattr(HubService, "directory", fail)
    routes = build_hub_routes(hub.service, enrolment_token=TOKEN)
    with TestClient(Starlette(routes=routes)) as client:
        assert client.get("/hub/v1/directory").status_code == 500


def test_empty_enrolment_token_opens_no_hub(hub: TestHub) -> None:
    with pytest.raises(SettingsError):
        build_hub_routes(hub.service, enrolment_token="")


class FaultyDatabase(Database):
    """Fails at the next commit: before it, or after it has been applied."""

    def __init__(self, *, url: str) -> None:
        super().__init__(url=url)
        self.fault = ""

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        fault, self.fault = self.fault, ""
        with super().write() as uow:
            yield uow
            if fault == "not applied":
                raise UnavailableError("the disk is full")
        if fault == "applied":
            raise UnavailableError("the commit is reported failed")


@pytest.mark.parametrize("fault", ["not applied", "applied"])
def test_no_cosignature_leaves_when_the_commit_fails_and_the_log_can_go_on(
    hub: TestHub, fault: str
) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    database = FaultyDatabase(url=hub.settings.database)
    service = HubService(
        settings=hub.settings,
        database=database,
        clock=hub.clock,
        hub_key=HUB_KEY,
        witness_key=WITNESS_KEY,
        log_key=LOG_KEY,
    )
    routes = build_hub_routes(service, enrolment_token=TOKEN)
    with TestClient(Starlette(routes=routes)) as client:
        database.fault = fault
        failed = client.post("/add-checkpoint", content=ALPHA.ask_witness(0, 3))
        again = client.post("/add-checkpoint", content=ALPHA.ask_witness(0, 3))
        if again.status_code == 409:
            again = client.post("/add-checkpoint", content=ALPHA.ask_witness(int(again.text), 3))

    assert failed.status_code == 503
    assert failed.headers["retry-after"]
    assert again.status_code == 200
    database.dispose()


@pytest.mark.parametrize("fault", ["not applied", "applied"])
def test_enrolment_that_failed_is_made_good_by_the_same_again(hub: TestHub, fault: str) -> None:
    database = FaultyDatabase(url=hub.settings.database)
    service = HubService(
        settings=hub.settings,
        database=database,
        clock=hub.clock,
        hub_key=HUB_KEY,
        witness_key=WITNESS_KEY,
        log_key=LOG_KEY,
    )
    database.fault = fault
    with pytest.raises(UnavailableError):
        service.enrol_member(ALPHA.enrol())

    assert service.enrol_member(ALPHA.enrol()).seq == 2
    assert [entry.member for entry in service.directory()] == [ALPHA.member]
    database.dispose()


def test_every_route_of_the_subject_is_free_of_its_id(client: TestClient) -> None:
    client.post("/hub/v1/subjects", json={"tokens": enrol_subject()}, headers=SUBJECT_BEARER)
    value = SUBJECT.partition(":")[2]

    told = [
        client.get(path).text
        for path in ("/hub/v1/registry", "/hub/v1/directory", "/hub/v1/status-list", "/readyz")
    ]

    assert [text for text in told if value in text] == []
