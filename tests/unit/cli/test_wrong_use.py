"""What is wrong with an argument is said in one line, before anything is done."""

import stat
from pathlib import Path

import pytest

from node.cli.consent import ProvidersError
from node.cli.http import NodeClient, ServerRefusedError
from node.cli.hub_client import HubClient
from node.core.config import build_settings
from node.core.errors import UnavailableError
from node.core.keystore import KeyExistsError, load_key
from node.records.commands import RejectReportError
from protocol.errors import IdentifierError, MalformedError
from tests.unit.cli.test_cli import PASSPHRASE, call, error_of, init, sign, subject

__all__ = ["subject"]
CLOSED = {"CHENGXIN_PORT": "9"}


def keygen(folder: Path, *, key: str, salt: str) -> BaseException | None:
    return call(
        "consent", "keygen", "--key", str(folder / key), "--salt", str(folder / salt),
        "--passphrase", PASSPHRASE,
    ).exception  # fmt: skip


def test_a_reject_report_that_cannot_be_written_is_said_before_the_import(tmp_path: Path) -> None:
    init(tmp_path / "N")
    (tmp_path / "in.csv").write_text("x", encoding="utf-8")

    done = call(
        "--home", str(tmp_path / "N"), "import", str(tmp_path / "in.csv"),
        "--reject-report", str(tmp_path / "absent" / "rejects.csv"),
    )  # fmt: skip

    assert isinstance(error_of(done), RejectReportError)


def test_a_file_of_any_name_is_named_when_it_is_refused(tmp_path: Path) -> None:
    init(tmp_path / "N")
    (tmp_path / "[red]in.csv").write_text("x", encoding="utf-8")

    done = call("--home", str(tmp_path / "N"), "import", str(tmp_path / "[red]in.csv"))

    assert done.exit_code == 4
    assert "[red]in.csv: " in done.output


@pytest.mark.parametrize("command", [("give-up",), ("keep", "--reason", "x"), ("release",)])
def test_a_name_that_begins_with_a_hyphen_is_no_option(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    init(tmp_path / "N")

    done = call("exchange", *command, "-" + "A" * 42, "--home", str(tmp_path / "N"), env=CLOSED)

    assert isinstance(error_of(done), UnavailableError)


def test_a_name_that_fits_no_address_names_nothing() -> None:
    client = NodeClient(url="http://127.0.0.1:9", token="t")

    with pytest.raises(ServerRefusedError, match="nothing of this name"):
        client.get("/api/v1/manifests/\x01")
    client.close()


def test_what_is_no_address_is_no_hubs() -> None:
    with pytest.raises(UnavailableError, match="no address"):
        HubClient("http://[::1")


def test_the_last_day_there_is_can_be_named(tmp_path: Path) -> None:
    init(tmp_path / "N")

    done = call(
        "--home", str(tmp_path / "N"), "audit", "export", "--out", str(tmp_path / "out"),
        "--to", "9999-12-31",
    )  # fmt: skip

    assert isinstance(error_of(done), MalformedError)  # No anchor is set; the day was taken.


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8440"),
        ("0.0.0.0", "http://127.0.0.1:8440"),  # noqa: S104  compared, not bound
        ("::", "http://[::1]:8440"),
        ("node.internal", "http://node.internal:8440"),
    ],
)
def test_commands_reach_their_node_on_this_machine(tmp_path: Path, host: str, url: str) -> None:
    settings = build_settings(
        home=tmp_path, member_id="acme.example", host=host, public_url="https://acme.example"
    )

    assert settings.local_url == url


def test_a_new_officer_makes_a_key_with_the_old_salt(subject: Path) -> None:
    salt = (subject / "S.salt").read_bytes()

    keygen(subject, key="T.pem", salt="S.salt")

    assert (subject / "S.salt").read_bytes() == salt
    assert load_key(path=subject / "T.pem", passphrase=PASSPHRASE).kid


def test_keygen_with_what_is_no_salt_makes_no_key(subject: Path) -> None:
    (subject / "bad.salt").write_text("x", encoding="ascii")

    assert isinstance(keygen(subject, key="T.pem", salt="bad.salt"), MalformedError)
    assert not (subject / "T.pem").exists()


def test_keygen_that_finds_a_key_makes_no_salt(subject: Path) -> None:
    assert isinstance(keygen(subject, key="S.pem", salt="T.salt"), KeyExistsError)
    assert not (subject / "T.salt").exists()


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        (("--provider", "beta.example"), ProvidersError),
        (("--provider", "alpha.example"), ProvidersError),
        (("--provider", "../x"), IdentifierError),
        (("--consumer", "ALPHA.EXAMPLE"), IdentifierError),
    ],
)
def test_consents_that_nobody_could_use_are_not_signed(
    subject: Path, extra: tuple[str, str], error: type[Exception]
) -> None:
    assert isinstance(error_of(sign(subject, *extra)), error)
    assert not (subject / "bundle.json").exists()


def test_a_signed_bundle_is_its_owners_alone_and_goes_over_no_file(subject: Path) -> None:
    sign(subject)

    assert stat.S_IMODE((subject / "bundle.json").stat().st_mode) == 0o600
    assert isinstance(error_of(sign(subject, "--out", str(subject / "S.pem"))), KeyExistsError)
    assert load_key(path=subject / "S.pem", passphrase=PASSPHRASE).kid
