"""The auditor's API on a real node: what a token reaches, and what is recorded."""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import update
from starlette.requests import Request
from starlette.testclient import TestClient

from node.core.errors import NodeError
from node.core.http.access import get_viewer
from node.core.http.problems import handle_error
from node.core.people.service import Principal, Role, Scope
from node.sharing.audit_api import build_audit_router
from node.sharing.tables import exchange_in
from node.web.app import build_app as build_whole_app
from protocol.audit.findings import Verdict
from protocol.bundle import parse_bundle_files
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.log_proof import parse_log_proof
from protocol.merkle import leaf_hash
from tests.support.auditing import audit_bundles
from tests.support.auditor import DAY_S, AuditedNode, build_audited_node
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.log_changes import begin_next_log
from tests.support.nodes import HUB_KEY, SUBJECT
from tests.support.scene_console import OPERATOR_TOKEN

PATHS = (
    "/log",
    "/log/entries",
    "/log/entries/1",
    "/exchanges",
    "/exchanges/1",
    "/peers",
    "/consents",
    "/statuses",
    "/access",
    "/health",
    "/export",
    "/logs",
    "/logs/1",
)


@dataclass(frozen=True, kw_only=True)
class Office:
    node: AuditedNode
    http: TestClient

    def get(self, path: str, token: str | None = None, **params: str | int) -> Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.http.get(f"/audit{path}", headers=headers, params=params)

    def read(self, path: str, token: str, **params: str | int) -> dict[str, object]:
        answer = self.get(path, token, **params)
        assert answer.status_code == 200, answer.text
        value: dict[str, object] = answer.json()
        return value

    def find_query(self, token: str) -> int:
        rows = json.loads(self.get("/exchanges", token).text)["exchanges"]
        return int(next(row["index"] for row in rows if row["op"] == "query" and row["uses"]))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    node = build_audited_node(tmp_path)
    yield Office(node=node, http=TestClient(build_app(node)))
    node.scene.federation.close()


def build_app(node: AuditedNode) -> FastAPI:
    def find(request: Request) -> Principal:
        return get_viewer(request, token=OPERATOR_TOKEN, people=node.people)

    app = FastAPI(exception_handlers={NodeError: handle_error, ProtocolError: handle_error})
    app.include_router(
        build_audit_router(auditing=node.auditing, viewer=find, health=lambda: {"status": "ready"})
    )
    return app


def check_problem(answer: Response, *, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("token", [None, "", "wrong", "cxa_wrong"])
def test_nothing_is_shown_without_a_token(office: Office, token: str | None) -> None:
    for path in PATHS:
        answer = office.get(path, token, limit="nonsense")

        check_problem(answer, status=401, code="not-authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert office.node.list_looks() == []


def test_an_expired_or_revoked_token_says_so_and_shows_nothing(office: Office) -> None:
    expired, revoked = office.node.make_token(life_s=60), office.node.make_token()
    office.node.people.revoke_token(2)
    office.node.scene.federation.clock.advance_s(60)

    check_problem(office.get("/log", expired), status=401, code="token-expired")
    check_problem(office.get("/log", revoked), status=401, code="token-revoked")
    assert office.node.list_looks() == [
        ("token-2", "sign-in", "", "token-revoked"),
        ("token-1", "sign-in", "", "token-expired"),
    ]


def test_every_look_of_an_auditor_is_recorded(office: Office) -> None:
    token = office.node.make_token()
    office.node.cosign()
    for path in PATHS:
        assert office.get(path, token).status_code == 200, path

    looks = [(who, what, outcome) for who, what, _, outcome in office.node.list_looks()]
    named = [
        "log-head", "log-entries", "log-entry", "exchanges", "exchange", "peers", "consents",
        "statuses", "access-log", "health", "export", "logs", "log-head",
    ]  # fmt: skip
    assert looks == [("token-1", what, "ok") for what in reversed(named)]


def test_an_entry_comes_with_its_proof_and_its_very_bytes(office: Office) -> None:
    entry = office.read("/log/entries/2", office.node.make_token())

    proof = parse_log_proof(str(entry["proof"]))
    assert str(entry["entry"]).encode() == proof.extra
    assert decode_b64u(str(entry["leaf"])) == leaf_hash(proof.extra or b"")
    assert proof.note == office.node.scene.provider.writer.state.checkpoint


def test_entries_are_paged(office: Office) -> None:
    token = office.node.make_token()
    size = office.node.scene.provider.writer.state.edge.size

    seen, cursor, pages = [], 0, 0
    while True:
        page = json.loads(office.get("/log/entries", token, first=cursor, limit=3).text)
        seen += [one["index"] for one in page["entries"]]
        pages += 1
        if page["next"] is None:
            break
        cursor = page["next"]

    assert seen == list(range(size))
    assert pages == size // 3 + 1
    assert office.get("/log/entries", token, limit=201).status_code == 422
    check_problem(office.get(f"/log/entries/{size}", token), status=404, code="entry-not-found")


def test_exchanges_are_paged_without_a_gap_or_a_repetition(office: Office) -> None:
    token = office.node.make_token()
    whole = json.loads(office.get("/exchanges", token).text)["exchanges"]

    seen: list[object] = []
    cursor: dict[str, str] = {}
    while True:
        page = json.loads(office.get("/exchanges", token, limit=2, **cursor).text)
        seen += page["exchanges"]
        if page["next"] is None:
            break
        cursor = {"before": page["next"]}

    assert seen == whole
    assert len(whole) == 5
    check_problem(office.get("/exchanges", token, before="x"), status=422, code="cursor-invalid")


def test_a_body_needs_its_scope(office: Office) -> None:
    plain, wide = office.node.make_token(), office.node.make_token(Scope.BODIES)
    index = office.find_query(plain)

    closed = json.loads(office.get(f"/exchanges/{index}", plain).text)
    refused = office.get(f"/exchanges/{index}", plain, bodies=1)
    opened = json.loads(office.get(f"/exchanges/{index}", wide, bodies=1).text)

    assert closed["request"]["envelope"] == opened["request"]["envelope"]
    assert (closed["request"]["body"], closed["answer"]["salt"]) == (None, None)
    check_problem(refused, status=403, code="out-of-scope")
    assert json.loads(opened["request"]["body"])["kind"] == "query"
    assert json.loads(opened["answer"]["body"])["kind"] == "payment-behaviour-summary"
    assert office.node.list_looks()[:2] == [
        ("token-2", "exchange", "bodies", "ok"),
        ("token-1", "exchange", "bodies", "out-of-scope"),
    ]


def test_an_operator_who_opens_a_body_is_recorded_and_who_only_reads_is_not(
    office: Office,
) -> None:
    index = office.find_query(OPERATOR_TOKEN)
    office.read(f"/exchanges/{index}", OPERATOR_TOKEN)
    assert office.node.list_looks() == []

    office.read(f"/exchanges/{index}", OPERATOR_TOKEN, bodies=1)

    assert office.node.list_looks() == [("operator", "exchange", "bodies", "ok")]


def test_a_subject_needs_its_scope(office: Office) -> None:
    plain, wide = office.node.make_token(), office.node.make_token(Scope.SUBJECTS)

    closed = json.loads(office.get("/consents", plain).text)["consents"]
    opened = json.loads(office.get("/consents", wide, subjects=1).text)["consents"]
    name = closed[0]["consent"]
    detail = json.loads(office.get(f"/consents/{name}", plain).text)

    assert [one["subject"] for one in closed] == [None]
    assert [one["subject"] for one in opened] == [str(SUBJECT)]
    assert closed[0]["token"] == opened[0]["token"]
    check_problem(office.get("/consents", plain, subjects=1), status=403, code="out-of-scope")
    refused = office.get(f"/consents/{name}", plain, subjects=1)
    check_problem(refused, status=403, code="out-of-scope")
    assert [one["state"] for one in detail["statuses"]] == ["revoked"]
    assert [one["uses"] for one in detail["uses"]] == [1, 1]
    missing = office.get(f"/consents/{encode_b64u(bytes(32))}", plain)
    check_problem(missing, status=404, code="consent-not-found")


def test_a_token_for_one_member_sees_of_others_their_leaves_alone(office: Office) -> None:
    token = office.node.make_token(peer="gamma.example")
    index = office.find_query(OPERATOR_TOKEN)

    entries = json.loads(office.get("/log/entries", token).text)["entries"]

    shown = [one["index"] for one in entries if one["entry"] is not None]
    assert shown == [0]  # the genesis is of nobody's
    assert all(len(decode_b64u(one["leaf"])) == 32 for one in entries)
    assert json.loads(office.get("/exchanges", token).text)["exchanges"] == []
    assert json.loads(office.get("/consents", token).text)["consents"] == []
    assert json.loads(office.get("/statuses", token).text)["statuses"] == []
    assert json.loads(office.get("/peers", token).text) == []
    check_problem(office.get(f"/exchanges/{index}", token), status=403, code="out-of-scope")
    check_problem(office.get(f"/log/entries/{index}", token), status=403, code="out-of-scope")
    consent = json.loads(office.get("/consents", OPERATOR_TOKEN).text)["consents"][0]["consent"]
    check_problem(office.get(f"/consents/{consent}", token), status=403, code="out-of-scope")
    check_problem(office.get("/export", token), status=403, code="out-of-scope")


def test_a_limited_token_sees_of_the_access_log_its_own_looks_alone(office: Office) -> None:
    whole, limited = office.node.make_token(), office.node.make_token(peer="gamma.example")
    office.read("/log", whole)
    office.read("/log", limited)

    theirs = json.loads(office.get("/access", limited).text)["accesses"]
    everybodys = json.loads(office.get("/access", whole).text)["accesses"]

    assert {one["who"] for one in theirs} == {"token-2"}
    assert {one["who"] for one in everybodys} == {"token-1", "token-2"}
    first = theirs[-1]["id"]
    older = json.loads(office.get("/access", limited, before=first).text)["accesses"]
    assert older == []


def test_a_token_for_another_time_sees_nothing_of_this_one(office: Office) -> None:
    now_ms = office.node.scene.federation.clock.now_ms()
    early = office.node.make_token(to_ms=now_ms)
    now = office.node.make_token(peer="alpha.example", from_ms=now_ms, to_ms=now_ms + 1)
    size = office.node.scene.provider.writer.state.edge.size

    hidden = json.loads(office.get("/log/entries", early).text)["entries"]
    shown = json.loads(office.get("/log/entries", now).text)["entries"]

    assert [one["entry"] for one in hidden] == [None] * size
    assert all(one["entry"] is not None for one in shown)
    assert json.loads(office.get("/exchanges", early).text)["exchanges"] == []
    assert len(json.loads(office.get("/exchanges", now).text)["exchanges"]) == 5
    assert json.loads(office.get("/statuses", early).text)["statuses"] == []


def test_a_token_for_one_member_sees_no_question_of_another_under_its_consent(
    office: Office,
) -> None:
    token = office.node.make_token(peer="alpha.example")
    consent = json.loads(office.get("/consents", token).text)["consents"][0]["consent"]
    path = f"/consents/{consent}"
    shown = json.loads(office.get(path, token).text)["uses"]
    with office.node.local.database.write() as uow:
        uow.connection.execute(
            update(exchange_in)
            .where(exchange_in.c.seq == shown[0]["index"])
            .values(peer="gamma.example")
        )

    assert office.read(path, token)["uses"] == shown[1:]


def test_an_entry_of_no_exchange_has_no_messages(office: Office) -> None:
    check_problem(
        office.get("/exchanges/0", office.node.make_token()), status=404, code="copy-not-found"
    )


def test_peers_have_their_counters(office: Office) -> None:
    (peer,) = json.loads(office.get("/peers", office.node.make_token()).text)

    assert (peer["peer"], peer["answered"], peer["uses"]) == ("alpha.example", 5, 2)
    assert peer["n"] == 5


def unpack(answer: Response) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        return {
            one.name.partition("/")[2]: content.read()
            for one in archive.getmembers()
            if (content := archive.extractfile(one)) is not None
        }


def test_a_bundle_is_redacted_unless_both_scopes_are_given(office: Office) -> None:
    office.node.cosign()
    plain, bodies = office.node.make_token(), office.node.make_token(Scope.BODIES)
    every = office.node.make_token(*Scope)

    redacted = unpack(office.get("/export", plain))
    whole = unpack(office.get("/export", every, redacted=0))

    assert b"request_body" not in redacted["messages.jsonl"].replace(b'"op":"receipt"', b"")[:9]
    assert str(SUBJECT).encode() not in redacted["consents.jsonl"]
    assert str(SUBJECT).encode() in whole["consents.jsonl"]
    for files in (redacted, whole):
        report = audit_bundles([parse_bundle_files(files, name="beta")], anchor=HUB_KEY.public)
        assert report.verdict is not Verdict.CONTRADICTED
    for token in (plain, bodies):
        refused = office.get("/export", token, redacted=0)
        check_problem(refused, status=403, code="out-of-scope")
    assert office.node.list_looks()[0] == ("token-2", "export", "bodies", "out-of-scope")


def test_a_bundle_that_nobody_has_cosigned_is_not_made_and_no_file_is_left(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    check_problem(
        office.get("/export", office.node.make_token()), status=503, code="log-not-cosigned"
    )
    office.node.cosign()
    assert office.get("/export", office.node.make_token()).status_code == 200

    assert list(folder.iterdir()) == []


def test_the_auditor_and_the_operator_read_who_looked(office: Office) -> None:
    token = office.node.make_token()
    office.read("/log", token)

    theirs = json.loads(office.get("/access", token).text)["accesses"]
    ours = json.loads(office.get("/access", OPERATOR_TOKEN, limit=1).text)

    assert [one["what"] for one in theirs] == ["access-log", "log-head"]
    assert [one["what"] for one in ours["accesses"]] == ["access-log"]
    older = json.loads(office.get("/access", OPERATOR_TOKEN, before=ours["next"]).text)
    assert [one["what"] for one in older["accesses"]] == ["log-head"]


def test_a_token_stands_in_no_log_and_in_no_table(
    office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    token = office.node.make_token()
    office.read("/log", token)
    office.get(f"/log/{token}", token)
    office.get("/log", f"{token}x")

    said = capfd.readouterr()
    assert token not in said.out + said.err
    database = office.node.scene.provider.local.database
    path = Path(database.url.removeprefix("sqlite:///"))
    stored = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert token.encode() not in stored


def test_a_token_opens_the_auditors_paths_of_the_whole_node_and_no_others(tmp_path: Path) -> None:
    node = build_empty_node(tmp_path / "home")
    made = node.local.people.create_token(role=Role.AUDITOR, name="Li Wei", life_s=DAY_S)
    bearer = {"authorization": f"Bearer {made.token}"}

    with TestClient(build_whole_app(node)) as http:
        assert http.get("/api/v1/audit/log", headers=bearer).status_code == 200
        assert http.get("/api/v1/audit/health", headers=bearer).json()["log_size"] > 0
        for path in ("/api/v1/customers", "/api/v1/exchanges/in"):
            check_problem(http.get(path, headers=bearer), status=403, code="out-of-reach")
        check_problem(http.get("/metrics", headers=bearer), status=401, code="not-authenticated")
        refused = http.post("/api/v1/receipts", headers=bearer)
        check_problem(refused, status=403, code="out-of-reach")
        assert http.post("/api/v1/audit/log", headers=bearer).status_code == 405
        operator = {"authorization": f"Bearer {API_TOKEN}"}
        assert http.get("/api/v1/audit/log", headers=operator).status_code == 200


# --- several logs


@pytest.fixture
def moved(office: Office) -> Office:
    """The provider's next log is open: what was exchanged stands in the first."""
    office.node.cosign()
    begin_next_log(office.node.scene.federation, office.node.scene.provider)
    return office


def test_each_log_is_read_under_its_own_number(moved: Office) -> None:
    token = moved.node.make_token()
    old, new = json.loads(moved.get("/logs", token).text)
    assert (old["log"], old["end_reason"], new["log"], new["end_reason"]) == (1, "year", 2, None)
    assert [one["origin"].rpartition("/")[2] for one in (old, new)] == ["1", "2"]

    assert moved.read("/log", token) == moved.read("/logs/2", token) == new
    assert moved.read("/logs/1", token) == old
    assert old["witnessed"]["size"] == old["size"] - 2  # without the two entries of its end
    assert new["witnessed"] is None
    entries = json.loads(moved.get("/logs/1/entries", token, limit=200).text)["entries"]
    assert len(entries) == old["size"]
    assert len(json.loads(moved.get("/log/entries", token).text)["entries"]) == new["size"] == 1


def test_entries_of_an_ended_log_are_proven_under_its_last_head(moved: Office) -> None:
    token = moved.node.make_token()
    head = moved.read("/logs/1", token)

    entry = moved.read("/logs/1/entries/2", token)

    proof = parse_log_proof(str(entry["proof"]))
    assert proof.note == head["checkpoint"]
    assert proof.index == 2
    assert leaf_hash(str(entry["entry"]).encode()) == decode_b64u(str(entry["leaf"]))
    check_problem(
        moved.get(f"/logs/1/entries/{head['size']}", token), status=404, code="entry-not-found"
    )
    check_problem(moved.get("/log/entries/2", token), status=404, code="entry-not-found")


def test_exchanges_name_the_log_and_the_entry_in_it(moved: Office) -> None:
    token = moved.node.make_token()
    rows = json.loads(moved.get("/exchanges", token).text)["exchanges"]
    assert {row["log"] for row in rows} == {1}
    row = rows[0]

    found = moved.read(f"/logs/1/exchanges/{row['index']}", token)

    assert found["exchange"] == row
    check_problem(
        moved.get(f"/exchanges/{row['index']}", token), status=404, code="entry-not-found"
    )


@pytest.mark.parametrize("log", [0, 3, 64, 10**30])
@pytest.mark.parametrize("path", ["", "/entries", "/entries/0", "/exchanges/0"])
def test_a_log_that_is_not_here_is_not_found(moved: Office, log: int, path: str) -> None:
    token = moved.node.make_token()

    check_problem(moved.get(f"/logs/{log}{path}", token), status=404, code="log-not-found")


def test_a_number_that_is_none_is_refused(moved: Office) -> None:
    assert moved.get("/logs/first", moved.node.make_token()).status_code == 422


def test_a_download_holds_a_bundle_of_each_log(moved: Office) -> None:
    moved.node.cosign()
    answer = moved.get("/export", moved.node.make_token())

    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = archive.getnames()

    manifests = [name for name in names if name.endswith("/manifest.json")]
    assert sorted(manifests) == [
        f"beta.example/beta.example-{number}/manifest.json" for number in (1, 2)
    ]
