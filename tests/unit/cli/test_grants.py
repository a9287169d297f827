"""What a member does with consents through its running node, and what a subject signs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli.main import app
from node.core.keystore import load_key
from protocol.consent import ConsentState, open_consent, open_status
from protocol.encoding import encode_b64u
from protocol.keys import PublicKey
from protocol.purpose import TEMPLATES
from tests.support.loopback import Answer, serve

NAME = encode_b64u(bytes(32))
PASSPHRASE = "correct horse"
ANSWERS = {
    f"/api/v1/consents/{NAME}/record?format=json-ld": {"@type": "dpv:ConsentRecord"},
    f"/api/v1/consents/{NAME}/erase": {"erased": 2},
    f"/api/v1/consents/{NAME}/brake": {"consent": NAME, "state": "paused", "seq": 1},
    "/api/v1/corrections": {"windows": [12], "answers": 3},
    "/api/v1/notices": [
        {"id": "n1", "op": "push", "peer": "alpha.example", "state": "open", "tries": 2}
    ],
}
Sent = list[tuple[str, bytes]]


@contextmanager
def serve_node(sent: Sent) -> Iterator[str]:
    """Answer on loopback what a node would, and note what came."""

    def answer(path: str, body: bytes) -> Answer:
        sent.append((path, body))
        return 200, json.dumps(ANSWERS.get(path, {})).encode()

    with serve(answer) as url:
        yield url


def call(*arguments: str, url: str = "") -> Result:
    environment = (
        {"COLUMNS": "250", "CHENGXIN_PORT": url.rpartition(":")[2]} if url else {"COLUMNS": "250"}
    )
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = call("init", "--home", str(tmp_path / "home"), "--member-id", "acme.example")
    assert made.exit_code == 0
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("command", "said", "body"),
    [
        (("consent", "export", NAME, "--format", "json-ld"), "dpv:ConsentRecord", None),
        (("consent", "erase", NAME), "2 bodies erased", None),
        (
            ("consent", "brake", NAME, "--state", "paused", "--reason", "review"),
            "the consent is paused",
            {"state": "paused", "reason": "review"},
        ),
        (
            ("exchange", "correct", "sim:S000001", "--reason", "records-corrected"),
            "1 windows made anew, 3 past answers",
            {"subject": "sim:S000001", "reason": "records-corrected"},
        ),
        (("exchange", "notices"), "alpha.example", None),
        (("exchange", "notices", "--json"), '"tries": 2', None),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_a_command_asks_the_running_node(
    home: Path, command: tuple[str, ...], said: str, body: dict[str, str] | None
) -> None:
    sent: Sent = []

    with serve_node(sent) as url:
        result = call(*command, "--home", str(home), url=url)

    assert result.exit_code == 0, result.output
    assert said in result.output
    assert sent[0][0] in ANSWERS
    if body is not None:
        assert json.loads(sent[0][1]) == body


@pytest.fixture
def subject(tmp_path: Path) -> Path:
    made = call(
        "consent", "keygen", "--key", str(tmp_path / "S.pem"), "--salt", str(tmp_path / "S.salt"),
        "--passphrase", PASSPHRASE,
    )  # fmt: skip
    assert made.exit_code == 0
    return tmp_path


def find_key(folder: Path) -> PublicKey:
    return load_key(path=folder / "S.pem", passphrase=PASSPHRASE).public


@pytest.mark.parametrize(
    ("extra", "state"),
    [((), ConsentState.PAUSED), (("--resume",), ConsentState.ACTIVE)],
    ids=["pause", "resume"],
)
def test_a_subject_pauses_and_resumes_everywhere(
    subject: Path, extra: tuple[str, ...], state: ConsentState
) -> None:
    sent: Sent = []

    with serve_node(sent) as url:
        result = call(
            "consent", "pause", NAME, "--key", str(subject / "S.pem"), "--to", url, "--seq", "3",
            "--hub-url", url, "--passphrase", PASSPHRASE, *extra,
        )  # fmt: skip

    assert result.exit_code == 0, result.output
    assert [path for path, _ in sent] == ["/chengxin/v1/consent-statuses", "/hub/v1/statuses"]
    status, _ = open_status(sent[0][1].decode(), find_key=lambda _kid: find_key(subject))
    assert (status.state, status.seq, status.by) == (state, 3, "subject")


def test_a_standing_consent_names_what_watching_may_name(subject: Path) -> None:
    signed = call(
        "consent", "sign", "--subject", "sim:S000001", "--key", str(subject / "S.pem"),
        "--salt", str(subject / "S.salt"), "--consumer", "alpha.example",
        "--provider", "beta.example", "--out", str(subject / "bundle.json"), "--purpose", "P3",
        "--push", "--k-min", "5", "--data-life-months", "3", "--passphrase", PASSPHRASE,
    )  # fmt: skip

    assert signed.exit_code == 0, signed.output
    (one,) = json.loads((subject / "bundle.json").read_text(encoding="utf-8"))["consents"]
    consent = open_consent(one["token"], find_key=lambda _kid: find_key(subject))
    assert consent.ops == ("query", "push")
    assert consent.metrics == TEMPLATES["P3"].metrics
    assert (consent.k_min, consent.data_life.unit, consent.data_life.n) == (5, "month", 3)
