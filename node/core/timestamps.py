"""RFC 3161 time-stamps, by a library that is an extra: ``chengxin[timestamp]``.

A token is kept as its DER alone (``TimeStampToken``), which any other tool reads too. Certificates
are the operator's or the auditor's choice: none is built in, and the system's store is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from node.core.errors import RejectedError
from protocol.encoding import sha256

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

TOKEN_BYTES_MAX = 65_536
CERTIFICATES_BYTES_MAX = 1_048_576
# PKIStatusInfo { status granted(0) }: what a bare token is put behind to be read as a response.
_GRANTED = bytes.fromhex("3003020100")
_SEQUENCE = 0x30
_SHORT_LENGTH_MAX = 0x7F


class TimestampExtraMissingError(RejectedError):
    """The library is not installed."""

    code = "timestamp-extra-missing"


class TimestampCertificateError(RejectedError):
    """The file of certificates cannot be read or holds none."""

    code = "timestamp-certificate-invalid"


class TimestampInvalidError(RejectedError):
    """A reply is no token of this authority over this text."""

    code = "timestamp-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTimestamp:
    """A token that holds, and the second at which its authority says it was made."""

    token: bytes
    made_at_s: int


class TimestampQuery:
    """One question to an authority, with its nonce."""

    def __init__(self, text: bytes) -> None:
        """Ask for SHA-256 of a text.

        Raises:
            TimestampExtraMissingError: The library is not installed.
        """
        check_timestamp_extra()
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415  an extra

        self._text = text
        self._request: TimeStampRequest = (
            TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).build()
        )

    @property
    def raw(self) -> bytes:
        """Return the request as it is sent."""
        return self._request.as_bytes()

    def verify_reply(
        self, raw: bytes, *, certificates: Sequence[x509.Certificate]
    ) -> VerifiedTimestamp:
        """Check the reply to this question and return its token.

        Raises:
            TimestampInvalidError: Refused, of another question, or not of these certificates.
        """
        response = _decode(raw)
        made_at_s = _verify(
            response, text=self._text, certificates=certificates, request=self._request
        )
        return VerifiedTimestamp(token=response.time_stamp_token(), made_at_s=made_at_s)


def verify_timestamp(
    token: bytes, *, text: bytes, certificates: Sequence[x509.Certificate]
) -> VerifiedTimestamp:
    """Check a token that is held over SHA-256 of a text.

    Raises:
        TimestampExtraMissingError: The library is not installed.
        TimestampInvalidError: It is none, of another text, or not of these certificates.
    """
    check_timestamp_extra()
    response = _decode(_wrap(_GRANTED + token))
    made_at_s = _verify(response, text=text, certificates=certificates, request=None)
    return VerifiedTimestamp(token=token, made_at_s=made_at_s)


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a PEM file: the authority's own or its root's, and those between.

    Raises:
        TimestampCertificateError: There is none, or the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(CERTIFICATES_BYTES_MAX)
        return tuple(x509.load_pem_x509_certificates(raw))
    except OSError as err:
        raise TimestampCertificateError(f"{path}: {err.strerror}") from err
    except ValueError as err:
        raise TimestampCertificateError(f"{path} holds no certificate in PEM") from err


def check_timestamp_extra() -> None:
    """Check that the library is there.

    Raises:
        TimestampExtraMissingError: It is not installed.
    """
    try:
        import rfc3161_client  # noqa: F401, PLC0415  an extra
    except ImportError as err:
        raise TimestampExtraMissingError("install chengxin[timestamp] for time-stamps") from err


def _decode(raw: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415  an extra

    try:
        return decode_timestamp_response(raw)
    except ValueError as err:
        raise TimestampInvalidError("the reply is no time-stamp response") from err


def _verify(
    response: TimeStampResponse,
    *,
    text: bytes,
    certificates: Sequence[x509.Certificate],
    request: TimeStampRequest | None,
) -> int:
    from rfc3161_client import VerifierBuilder  # noqa: PLC0415  an extra

    builder = VerifierBuilder(
        roots=list(certificates), nonce=None if request is None else request.nonce
    )
    try:
        # The message's own digest algorithm is not asked: SHA-256 alone is what we speak of.
        builder.build().verify(response, sha256(text))
        return int(response.tst_info.gen_time.timestamp())
    except Exception as err:  # A hostile reply's certificates raise what their reader will.
        raise TimestampInvalidError(f"the time-stamp does not hold: {err}") from err


def _wrap(content: bytes) -> bytes:
    """Return a DER SEQUENCE of a content."""
    length = len(content)
    if length <= _SHORT_LENGTH_MAX:
        return bytes((_SEQUENCE, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((_SEQUENCE, 0x80 | len(octets))) + octets + content
