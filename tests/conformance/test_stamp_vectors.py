"""Public time-stamps (RFC 3161) of two authorities, from ../shared/vectors/log/rfc3161-client."""

from pathlib import Path

import pytest

from node.core.timestamps import TimestampInvalidError, read_certificates, verify_timestamp

rfc3161_client = pytest.importorskip("rfc3161_client")
TEXT = b"hello"
# The one over SHA-256 of the text, signed under the chain beside it. Two others are over other
# hashes of the text, one has a broken signature, one brings no certificate.
HOLDS = "sigstage/response-sha256.tsr"
MADE_AT_S = 1_746_791_935


@pytest.fixture(scope="module")
def stamps(shared_dir: Path) -> Path:
    return shared_dir / "vectors/log/rfc3161-client/test/fixtures"


def read_token(path: Path) -> bytes:
    token: bytes = rfc3161_client.decode_timestamp_response(path.read_bytes()).time_stamp_token()
    return token


def test_another_authoritys_stamp_holds_for_its_text_and_for_no_other(stamps: Path) -> None:
    token = read_token(stamps / HOLDS)
    certificates = read_certificates(stamps / "sigstage/ts_chain.pem")

    verified = verify_timestamp(token, text=TEXT, certificates=certificates)

    assert verified.made_at_s == MADE_AT_S
    with pytest.raises(TimestampInvalidError):
        verify_timestamp(token, text=TEXT + b"\n", certificates=certificates)


def test_a_stamp_under_another_authoritys_certificates_is_refused(stamps: Path) -> None:
    with pytest.raises(TimestampInvalidError):
        verify_timestamp(
            read_token(stamps / HOLDS),
            text=TEXT,
            certificates=read_certificates(stamps / "test_tsa/ts_chain.pem"),
        )


def test_every_other_stamp_is_refused_for_this_text(stamps: Path) -> None:
    others = sorted(path for path in stamps.glob("*/*.tsr") if not path.match(HOLDS))
    assert len(others) == 7

    for path in others:
        certificates = read_certificates(path.parent / "ts_chain.pem")
        with pytest.raises(TimestampInvalidError):
            verify_timestamp(read_token(path), text=TEXT, certificates=certificates)
