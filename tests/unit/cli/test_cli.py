import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.bootstrap.home import load_member_keys
from node.cli.consent import withdraw
from node.cli.enrol import enrol_member
from node.cli.http import NodeClient, ServerRefusedError, post_enrolment
from node.cli.init import HomeExistsError
from node.cli.main import app, run
from node.cli.query import BatchFileError, read_subjects
from node.core.config import ConfigValue, SettingsError, build_settings, load_settings, write_config
from node.core.errors import UnavailableError
from node.core.keystore import KeyExistsError, KeyFileError, load_key
from node.records.service import CustomerNotFoundError
from node.sharing.subjects.rules_terms import check_signed, format_terms, parse_consents
from protocol.consent import hash_consent, open_consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import IdentifierError, MalformedError
from protocol.jws import split_compact
from protocol.limits import SALT_BYTES
from protocol.problems import OverCeilingError
from protocol.purpose import METRICS
from tests.support.loopback import Answer, serve
from tests.support.subjects import TERMS

PASSPHRASE = "correct horse"
CLOSED = "http://127.0.0.1:9"


def call(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(
        app, list(arguments), env={"COLUMNS": "250", **(env or {})}, catch_exceptions=True
    )


def init(home: Path, *extra: str) -> Result:
    return call("init", "--home", str(home), "--member-id", "acme.example", *extra)


def error_of(result: Result) -> BaseException:
    assert result.exit_code == 1
    assert result.exception is not None

    return result.exception


@pytest.fixture
def subject(tmp_path: Path) -> Path:
    made = call(
        "consent", "keygen", "--key", str(tmp_path / "S.pem"), "--salt", str(tmp_path / "S.salt"),
        "--passphrase", PASSPHRASE,
    )  # fmt: skip
    assert made.exit_code == 0, made.output

    return tmp_path


def sign(folder: Path, *extra: str, passphrase: str = PASSPHRASE) -> Result:
    return call(
        "consent", "sign", "--subject", "sim:S000001", "--key", str(folder / "S.pem"),
        "--salt", str(folder / "S.salt"), "--consumer", "alpha.example",
        "--provider", "beta.example", "--provider", "gamma.example",
        "--out", str(folder / "bundle.json"), "--passphrase", passphrase, *extra,
    )  # fmt: skip


def test_init_makes_a_home_that_loads(tmp_path: Path) -> None:
    home = tmp_path / "home"

    made = init(home, "--name", 'Acme "A" 示例', "--port", "18440", "--business-date", "2026-06-30")

    assert made.exit_code == 0
    settings = load_settings(home)
    assert (settings.member_id, settings.name) == ("acme.example", 'Acme "A" 示例')
    assert (settings.port, str(settings.business_date)) == (18440, "2026-06-30")
    keys = load_member_keys(settings)
    assert keys.message.kid != keys.log.kid
    secrets = [home / "passphrase", home / "api_token", *(home / "keys").iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_init_overwrites_no_key(tmp_path: Path) -> None:
    init(tmp_path / "home")
    before = (tmp_path / "home" / "keys" / "log.pem").read_bytes()

    assert isinstance(error_of(init(tmp_path / "home")), HomeExistsError)
    assert (tmp_path / "home" / "keys" / "log.pem").read_bytes() == before


@pytest.mark.parametrize("extra", [("--member-id", "not a name"), ("--port", "70000")])
def test_init_with_a_wrong_setting_makes_nothing(tmp_path: Path, extra: tuple[str, str]) -> None:
    home = tmp_path / "home"

    assert isinstance(error_of(init(home, *extra)), SettingsError)
    assert not home.exists()


def test_written_configuration_is_read_back(tmp_path: Path) -> None:
    values: dict[str, ConfigValue] = {
        "member_id": "acme.example",
        "name": 'quote " backslash \\ line \n tab \t delete \x7f 汉',
        "port": 1,
        "simulated": True,
    }

    write_config(tmp_path, values)

    settings = load_settings(tmp_path)
    assert {name: getattr(settings, name) for name in values} == values


def test_serve_without_an_anchor_is_refused_by_name(tmp_path: Path) -> None:
    init(tmp_path / "home")

    refused = error_of(call("serve", "--home", str(tmp_path / "home")))

    assert isinstance(refused, SettingsError)
    assert "hub_anchor" in refused.detail


def test_command_on_a_folder_without_configuration_is_refused(tmp_path: Path) -> None:
    assert isinstance(error_of(call("serve", "--home", str(tmp_path))), SettingsError)


def test_command_that_needs_a_home_asks_for_it() -> None:
    assert call("assess", "sim:S000001").exit_code == 2


@pytest.mark.parametrize("command", ["assess", "rate"])
@pytest.mark.parametrize("customer", [str(2**63), "9" * 5_000])
def test_a_customer_that_no_database_can_hold_is_none(
    tmp_path: Path, command: str, customer: str
) -> None:
    init(tmp_path / "N")

    done = call("--home", str(tmp_path / "N"), command, customer)

    assert isinstance(error_of(done), CustomerNotFoundError)


def test_unknown_command_is_wrong_usage() -> None:
    assert call("frobnicate").exit_code == 2


def test_refusal_is_one_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["chengxin", "serve", "--home", str(tmp_path)])

    with pytest.raises(SystemExit) as ended:
        run()

    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("settings-invalid: ")


def test_keygen_makes_a_key_and_a_salt_for_their_owner_alone(subject: Path) -> None:
    key = load_key(path=subject / "S.pem", passphrase=PASSPHRASE)
    salt = decode_b64u((subject / "S.salt").read_text(encoding="ascii"), bytes_exact=SALT_BYTES)

    assert len(key.public.raw) == 32
    assert len(set(salt)) > 1
    assert {stat.S_IMODE((subject / name).stat().st_mode) for name in ("S.pem", "S.salt")} == {
        0o600
    }


def test_keygen_overwrites_no_key(subject: Path) -> None:
    again = call(
        "consent", "keygen", "--key", str(subject / "S.pem"), "--salt", str(subject / "T.salt"),
        "--passphrase", PASSPHRASE,
    )  # fmt: skip

    assert isinstance(error_of(again), KeyExistsError)


def test_sign_makes_one_artefact_a_provider(subject: Path) -> None:
    result = sign(subject, "--metric", "volume", "--metric", "delay", "--uses", "3")

    assert result.exit_code == 0, result.output
    public = load_key(path=subject / "S.pem", passphrase=PASSPHRASE).public
    bundle = json.loads((subject / "bundle.json").read_text(encoding="utf-8"))["consents"]
    opened = [open_consent(one["token"], find_key=lambda _kid: public) for one in bundle]
    assert [one.provider for one in opened] == ["beta.example", "gamma.example"]
    assert {one.consumer for one in opened} == {"alpha.example"}
    assert {one.metrics for one in opened} == {("volume", "delay")}
    assert {one.max_uses for one in opened} == {3}
    assert len({one.bundle for one in opened}) == 1
    assert len({one.id for one in opened}) == 2
    for one in bundle:
        assert encode_b64u(hash_consent(one["token"])) in result.output


def test_sign_asks_for_every_section_where_none_is_named(subject: Path) -> None:
    sign(subject)

    token = json.loads((subject / "bundle.json").read_text(encoding="utf-8"))["consents"][0]
    claims = json.loads(split_compact(token["token"]).payload)
    assert set(json.dumps(claims).split('"')) >= set(METRICS)


def test_sign_with_another_passphrase_is_refused(subject: Path) -> None:
    assert isinstance(error_of(sign(subject, passphrase="wrong")), KeyFileError)
    assert not (subject / "bundle.json").exists()


def test_sign_for_no_known_purpose_is_wrong_usage(subject: Path) -> None:
    result = sign(subject, "--purpose", "P9")

    assert result.exit_code == 2
    assert "P1, P2, P3" in result.output


def test_sign_above_the_ceilings_is_refused(subject: Path) -> None:
    assert isinstance(error_of(sign(subject, "--uses", "101")), OverCeilingError)


def test_sign_without_its_salt_file_is_refused(subject: Path) -> None:
    (subject / "S.salt").unlink()

    assert isinstance(error_of(sign(subject)), KeyFileError)


def test_sign_for_no_subject_is_refused(subject: Path) -> None:
    assert isinstance(error_of(sign(subject, "--subject", "nobody")), IdentifierError)


def test_revoke_of_no_hash_is_refused(subject: Path) -> None:
    result = call(
        "consent", "revoke", "abc", "--key", str(subject / "S.pem"), "--to", CLOSED,
        "--passphrase", PASSPHRASE,
    )  # fmt: skip

    assert isinstance(error_of(result), MalformedError)


def test_revoke_goes_to_every_provider_and_the_hub_though_one_is_away(subject: Path) -> None:
    told: list[str] = []

    def answer(path: str, body: bytes) -> Answer:
        told.append(path)
        return (200, b"{}") if body.count(b".") == 2 else (422, b"{}")

    with serve(answer) as url:
        result = call(
            "consent", "revoke", encode_b64u(bytes(32)), "--key", str(subject / "S.pem"),
            "--to", CLOSED, "--to", url, "--hub-url", url, "--passphrase", PASSPHRASE,
        )  # fmt: skip

    assert isinstance(error_of(result), UnavailableError)
    assert told == ["/chengxin/v1/consent-statuses", "/hub/v1/statuses"]
    assert f"not withdrawn at {CLOSED}" in result.output


def test_withdraw_that_is_refused_says_by_which_rule() -> None:
    problem = {"code": "status-stale", "detail": "a later status is known"}

    with (
        serve(lambda _path, _body: (409, json.dumps(problem).encode())) as url,
        pytest.raises(ServerRefusedError, match="status-stale: a later status is known"),
    ):
        withdraw("a.b.c", urls=[url])


def test_enrolment_is_made_for_the_hub_that_answers(tmp_path: Path) -> None:
    init(tmp_path / "home")
    sent: list[bytes] = []

    def answer(path: str, body: bytes) -> Answer:
        if path == "/.well-known/chengxin":
            return 200, b'{"hub": "hub.example"}'
        sent.append(body)
        return 200, b"{}"

    with serve(answer) as url:
        settings = build_settings(home=tmp_path / "home", member_id="acme.example", hub_url=url)
        hub_id = enrol_member(settings, token="t")

    assert hub_id == "hub.example"
    tokens = json.loads(sent[0])["tokens"]
    assert len(tokens) == 2
    assert {json.loads(split_compact(token).payload)["hub"] for token in tokens} == {"hub.example"}


@pytest.mark.parametrize("said", [b"<html>", b"[]", b'{"hub": 1}', b"{}"])
def test_enrolment_at_what_is_no_hub_is_refused(said: bytes) -> None:
    with (
        serve(lambda _path, _body: (200, said)) as url,
        pytest.raises(ServerRefusedError),
    ):
        post_enrolment(url, "/hub/v1/members", token="t", sign=lambda _hub: [])


@pytest.mark.parametrize("url", [CLOSED, "http://[", "nowhere"])
def test_enrolment_where_nobody_answers_can_be_tried_again(url: str) -> None:
    with pytest.raises(UnavailableError):
        post_enrolment(url, "/hub/v1/members", token="t", sign=lambda _hub: [])


def test_enrol_command_without_its_token_file_is_refused(tmp_path: Path) -> None:
    init(tmp_path / "home", "--hub-url", CLOSED)

    result = call(
        "enrol", "--home", str(tmp_path / "home"), "--token-file", str(tmp_path / "absent")
    )

    assert isinstance(error_of(result), KeyFileError)


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (404, b'{"code": "not-found", "detail": "gone"}', "not-found: gone"),
        (500, b"Internal Server Error", "status 500"),
        (422, b"[]", "status 422"),
        (200, b"no JSON", "answers no JSON"),
    ],
    ids=["problem", "bare-failure", "other-json", "success-without-json"],
)
def test_node_client_says_what_the_node_refused(status: int, body: bytes, text: str) -> None:
    with serve(lambda _path, _body: (status, body)) as url:
        client = NodeClient(url=url, token="t")
        with pytest.raises(ServerRefusedError, match=text):
            client.get("/api/v1/consents")
        client.close()


def test_query_without_a_consent_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    paths: list[str] = []

    def answer(path: str, _body: bytes) -> Answer:
        paths.append(path)
        return 200, b'[{"consent": "x", "state": "revoked"}]'

    with serve(answer) as url:
        init(tmp_path / "home")
        result = call(
            "query", "sim:S000001", "--home", str(tmp_path / "home"),
            env={"CHENGXIN_PORT": url.rpartition(":")[2]},
        )  # fmt: skip

    assert getattr(error_of(result), "code", "") == "consent-missing"
    assert [path.partition("?")[0] for path in paths] == ["/api/v1/consents"]


def test_query_asks_under_the_active_consents_and_prints_the_outcomes(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []
    outcome = {"peer": "beta.example", "status": "200", "summary": None}

    def answer(path: str, body: bytes) -> Answer:
        if path.startswith("/api/v1/consents"):
            return 200, b'[{"consent": "x", "state": "active"}]'
        asked.append(json.loads(body))
        return 200, json.dumps({"outcomes": [outcome]}).encode()

    with serve(answer) as url:
        init(tmp_path / "home")
        result = call(
            "query", "sim:S000001", "--home", str(tmp_path / "home"), "--metric", "delay", "--json",
            env={"CHENGXIN_PORT": url.rpartition(":")[2]},
        )  # fmt: skip
        table = call(
            "query", "sim:S000001", "--home", str(tmp_path / "home"),
            env={"CHENGXIN_PORT": url.rpartition(":")[2]},
        )  # fmt: skip

    assert json.loads(result.output) == {"outcomes": [outcome]}
    assert asked[0] == {
        "consents": ["x"],
        "purpose": "P1",
        "metrics": ["delay"],
        "last_months": 12,
    }
    assert asked[1]["metrics"] == list(METRICS)
    assert "beta.example" in table.output


def test_exchange_status_lists_what_is_in_doubt_and_settles_it(tmp_path: Path) -> None:
    doubt = {"id": "A", "peer": "beta.example", "op": "query", "subject": "", "at_ms": 0}
    paths: list[str] = []

    def answer(path: str, _body: bytes) -> Answer:
        paths.append(path)
        settled = path.endswith("settle")
        extra = {"status": "expired"} if settled else {"would_be": "stored"}
        return 200, json.dumps([{**doubt, **extra}]).encode()

    with serve(answer) as url:
        init(tmp_path / "home")
        env, home = {"CHENGXIN_PORT": url.rpartition(":")[2]}, ("--home", str(tmp_path / "home"))
        listed = call("exchange", "status", *home, env=env)
        settled = call("exchange", "status", "--settle", *home, env=env)
        shown = call("exchange", "status", "--json", *home, env=env)

    assert "beta.example" in listed.output
    assert "expired" in settled.output
    assert json.loads(shown.output)[0]["would_be"] == "stored"
    assert paths == ["/api/v1/asks/open", "/api/v1/asks/open/settle", "/api/v1/asks/open"]


def test_exchange_give_up_names_the_message(tmp_path: Path) -> None:
    paths: list[str] = []

    def answer(path: str, _body: bytes) -> Answer:
        paths.append(path)
        return 200, b'{"count": 1}'

    with serve(answer) as url:
        init(tmp_path / "home")
        env = {"CHENGXIN_PORT": url.rpartition(":")[2]}
        result = call("exchange", "give-up", "AB", "--home", str(tmp_path / "home"), env=env)

    assert "given up" in result.output
    assert paths == ["/api/v1/asks/AB/give-up"]


def test_query_of_a_file_of_customers_is_one_message_a_provider(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []
    (tmp_path / "customers.txt").write_text("sim:S1\nsim:S2\n\nsim:S1\n", encoding="utf-8")

    def answer(path: str, body: bytes) -> Answer:
        if path.startswith("/api/v1/consents"):
            name = path[-1]
            held = [
                {"consent": f"{name}{provider}", "provider": provider, "state": "active"}
                for provider in ("beta", "gamma")
            ]
            return 200, json.dumps(held).encode()
        asked.append(json.loads(body))
        item = {"code": "full", "summary": None}
        return 200, json.dumps({"peer": "beta", "status": "200", "items": [item]}).encode()

    with serve(answer) as url:
        init(tmp_path / "home")
        result = call(
            "query", "--batch", str(tmp_path / "customers.txt"), "--home", str(tmp_path / "home"),
            env={"CHENGXIN_PORT": url.rpartition(":")[2]},
        )  # fmt: skip

    assert [one["consents"] for one in asked] == [["1beta", "2beta"], ["1gamma", "2gamma"]]
    assert "full" in result.output


@pytest.mark.parametrize("content", ["", "\n\n", None])
def test_query_of_no_customers_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "customers.txt").write_text(content, encoding="utf-8")

    with pytest.raises(BatchFileError):
        read_subjects(tmp_path / "customers.txt")


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (("keep", "MSG", "--reason", "a case"), "/api/v1/messages/MSG/hold"),
        (("release", "MSG"), "/api/v1/messages/MSG/release"),
    ],
)
def test_exchange_keep_and_release_name_the_message(
    tmp_path: Path, command: tuple[str, ...], path: str
) -> None:
    paths: list[str] = []

    def answer(asked: str, _body: bytes) -> Answer:
        paths.append(asked)
        return 200, b'{"count": 1}'

    with serve(answer) as url:
        init(tmp_path / "home")
        env = {"CHENGXIN_PORT": url.rpartition(":")[2]}
        result = call("exchange", *command, "--home", str(tmp_path / "home"), env=env)

    assert "MSG" in result.output
    assert paths == [path]


def sign_request(folder: Path, terms: bytes, *extra: str) -> Result:
    (folder / "request.json").write_bytes(terms)
    return call(
        "consent", "sign-request", str(folder / "request.json"), "--key", str(folder / "S.pem"),
        "--salt", str(folder / "S.salt"), "--out", str(folder / "signed.json"),
        "--passphrase", PASSPHRASE, *extra,
    )  # fmt: skip


def test_a_request_in_a_file_is_shown_and_signed_as_it_says(subject: Path) -> None:
    result = sign_request(subject, format_terms(TERMS), "--yes", "--language", "zh")

    assert result.exit_code == 0, result.output
    public = load_key(path=subject / "S.pem", passphrase=PASSPHRASE).public
    (one,) = parse_consents((subject / "signed.json").read_bytes())
    signed = open_consent(one.token, find_key=lambda _kid: public)
    check_signed(
        TERMS,
        [signed],
        salt=decode_b64u(one.salt),
        asked_at_s=signed.iat,
        now_s=signed.iat,
    )
    for words in ("alpha.example asks", "beta.example", "90 days", "10 times"):
        assert words in result.output


def test_a_request_that_is_not_agreed_to_or_none_is_not_signed(subject: Path) -> None:
    asked = sign_request(subject, format_terms(TERMS))  # nobody says yes
    altered = sign_request(subject, format_terms(TERMS).replace(b'"max_uses":10', b'"max_uses":0'))

    assert asked.exit_code == 1
    assert altered.exit_code == 1
    assert not (subject / "signed.json").exists()
