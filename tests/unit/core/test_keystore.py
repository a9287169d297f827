import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from node.core.keystore import (
    KeyExistsError,
    KeyFileError,
    generate_key,
    load_key,
    make_secret_file,
    read_secret,
    save_key,
    write_secret_file,
)
from protocol.keys import SigningKey

KEY = SigningKey(b"\x21" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "message.pem"


def test_a_saved_key_is_the_key_that_is_loaded(path: Path) -> None:
    save_key(KEY, path=path, passphrase="secret")

    assert load_key(path=path, passphrase="secret") == KEY
    assert load_key(path=path, passphrase="secret").seed == KEY.seed


def test_a_key_file_is_encrypted_and_its_owners_alone(path: Path) -> None:
    save_key(KEY, path=path, passphrase="secret")

    assert b"ENCRYPTED" in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    save_key(KEY, path=path, passphrase="secret")
    before = path.read_bytes()

    with pytest.raises(KeyExistsError):
        save_key(generate_key(), path=path, passphrase="secret")

    assert path.read_bytes() == before


def test_no_key_is_saved_without_a_passphrase(path: Path) -> None:
    with pytest.raises(KeyFileError):
        save_key(KEY, path=path, passphrase="")

    assert not path.exists()


@pytest.mark.parametrize("passphrase", ["", "Secret", "secret "])
def test_another_passphrase_opens_nothing(path: Path, passphrase: str) -> None:
    save_key(KEY, path=path, passphrase="secret")

    with pytest.raises(KeyFileError) as refusal:
        load_key(path=path, passphrase=passphrase)

    assert str(path) in refusal.value.detail
    assert "secret" not in refusal.value.detail


def test_a_missing_a_damaged_and_an_unreadable_file_are_refused(path: Path) -> None:
    with pytest.raises(KeyFileError, match="does not exist"):
        load_key(path=path, passphrase="secret")
    save_key(KEY, path=path, passphrase="secret")
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(KeyFileError):
        load_key(path=path, passphrase="secret")
    with pytest.raises(KeyFileError):
        load_key(path=path.parent, passphrase="secret")


def test_a_key_of_another_kind_is_refused(path: Path) -> None:
    pem = X25519PrivateKey.from_private_bytes(b"\x01" * 32).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    write_secret_file(pem, path=path)

    with pytest.raises(KeyFileError, match="no Ed25519"):
        load_key(path=path, passphrase="secret")


def test_generated_keys_differ() -> None:
    assert generate_key() != generate_key()


def test_a_secret_file_is_made_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "api_token"

    token = make_secret_file(path)

    assert len(token) >= 32
    assert read_secret("", path=path) == token
    assert read_secret("configured", path=path) == "configured"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(KeyExistsError):
        make_secret_file(path)


def test_a_secret_that_is_nowhere_or_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        read_secret("", path=tmp_path / "absent")
    empty = tmp_path / "empty"
    empty.write_text(" \n", encoding="utf-8")
    with pytest.raises(KeyFileError):
        read_secret("", path=empty)
