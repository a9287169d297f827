"""A message: one hop, one audience, at most 300 s old (docs/protocol/message.md).

``{env, body, salt, inclusion}``: the envelope signs a salted digest of the body, so that body and
salt can be erased and the envelope still verifies. Bytes are stored as they came and never
re-serialised. ``msg_hash`` = SHA-256(env) names the message everywhere. What a receiver does with
one is in ``protocol.exchange``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from protocol import PROTOCOL_VERSION, SPOKEN_VERSIONS
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError, SchemaError, TooLargeError, UnsupportedVersionError
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import (
    CONSENTS_PER_MESSAGE_MAX,
    HASH_BYTES,
    INCLUSION_BYTES_MAX,
    JTI_BYTES,
    MEMBER_ID_CHARACTERS_MAX,
    SALT_BYTES,
)
from protocol.problems import PROBLEMS, BodyMismatchError
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, canonical_json, parse_object

_MEDIA_TYPE_BARE = "application/vnd.chengxin.message+json"
MEDIA_TYPE = f"{_MEDIA_TYPE_BARE};v={PROTOCOL_VERSION}"
MEDIA_TYPES = tuple(f"{_MEDIA_TYPE_BARE};v={version}" for version in SPOKEN_VERSIONS)
ANSWERED = "200"
ACCEPTED = "202"
POSITIVE_STATES = frozenset({ANSWERED, ACCEPTED})
_BODY_DOMAIN = b"cx/body/v1\n"

OPERATIONS = frozenset(
    {
        "query",
        "answer",
        "problem",
        "receipt",
        "consent.put",
        "push",
        "correct",
        "ack",
        "poll",
        "erase",
    }
)
_REPLIES = frozenset({"answer", "problem", "ack"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryReference:
    """The registry snapshot by which the sender judged."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """Size and root of a log."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The signed claims.

    ``n`` is the sender's counter for this peer; receivers record it and never order by it. ``req``
    and ``st`` are on replies alone: the ``msg_hash`` answered, and ``200``, ``202`` or a problem.
    """

    iss: str
    aud: str
    jti: bytes
    iat: int
    exp: int
    op: str
    bd: bytes
    blen: int
    bct: str
    reg: RegistryReference
    n: int
    head: LogHead
    consents: tuple[bytes, ...] = ()
    req: bytes | None = None
    st: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage:
    """A message as it travels; nothing of it is verified."""

    env: str
    body: bytes
    salt: bytes
    inclusion: str

    @property
    def msg_hash(self) -> bytes:
        """Return the message's name."""
        return hash_envelope(self.env)

    def to_bytes(self) -> bytes:
        """Write the message; equal parts give equal bytes."""
        outer = {
            "body": encode_b64u(self.body),
            "env": self.env,
            "inclusion": self.inclusion,
            "salt": encode_b64u(self.salt),
        }
        # Four texts in canonical order: canonical_json's walk over values has nothing to find.
        return json.dumps(outer, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def hash_envelope(env: str) -> bytes:
    """Return ``msg_hash``, SHA-256 of the compact JWS."""
    return sha256(env.encode("ascii"))


def digest_body(body: bytes, *, salt: bytes) -> bytes:
    r"""Return ``bd``: SHA-256("cx/body/v1\n" ‖ salt ‖ body)."""
    return sha256(_BODY_DOMAIN, salt, body)


def message_typ(op: str) -> str:
    """Return the JWS ``typ`` of an operation, ``cx-consent-put+jws`` for ``consent.put``."""
    return f"cx-{op.replace('.', '-')}+jws"


def seal_envelope(envelope: Envelope, *, key: SigningKey) -> str:
    """Sign the claims."""
    return sign_compact(
        canonical_json(format_envelope(envelope)), key=key, typ=message_typ(envelope.op)
    )


def format_envelope(envelope: Envelope) -> JsonObject:
    """Return the claims as they are signed."""
    claims: JsonObject = {
        "v": PROTOCOL_VERSION,
        "iss": envelope.iss,
        "aud": envelope.aud,
        "jti": encode_b64u(envelope.jti),
        "iat": envelope.iat,
        "exp": envelope.exp,
        "op": envelope.op,
        "bd": encode_b64u(envelope.bd),
        "blen": envelope.blen,
        "bct": envelope.bct,
        "reg": {"seq": envelope.reg.seq, "hash": encode_b64u(envelope.reg.hash)},
        "n": envelope.n,
        "head": {"size": envelope.head.size, "root": encode_b64u(envelope.head.root)},
        "consents": [encode_b64u(consent) for consent in envelope.consents],
    }
    if envelope.req is not None and envelope.st is not None:
        claims["req"] = encode_b64u(envelope.req)
        claims["st"] = envelope.st
    return claims


def parse_message(raw: bytes, *, bytes_max: int) -> WireMessage:
    """Read a message's outer form (check 1); nothing of it is verified yet.

    Raises:
        TooLargeError: Over ``bytes_max``.
        MalformedError: Another form.
        SchemaError: A member is missing or unknown.
    """
    if len(raw) > bytes_max:
        raise TooLargeError(f"a message of {len(raw)} bytes, {bytes_max} are allowed")
    outer = parse_object(raw)
    env, body, salt, inclusion = (
        outer.pop(name, None) for name in ("env", "body", "salt", "inclusion")
    )
    if outer or not (
        isinstance(env, str)
        and isinstance(body, str)
        and isinstance(salt, str)
        and isinstance(inclusion, str)
    ):
        raise MalformedError("a message has exactly env, body, salt and inclusion")
    if len(inclusion) > INCLUSION_BYTES_MAX:
        raise TooLargeError(f"an inclusion proof of more than {INCLUSION_BYTES_MAX} bytes")
    if not env.isascii():
        raise MalformedError("an envelope is ASCII")
    return WireMessage(
        env=env,
        body=decode_b64u(body),
        salt=decode_b64u(salt, bytes_exact=SALT_BYTES),
        inclusion=inclusion,
    )


def open_envelope(env: str, *, op: str, find_key: Callable[[str], PublicKey]) -> Envelope:
    """Verify an envelope of one operation and return its claims.

    The caller still compares issuer and key owner, audience, time and body: ``protocol.exchange``
    does all of it in order.

    Raises:
        MalformedError: Not the specified form, or of another operation.
        SignatureInvalidError: The signature does not verify.
        SchemaError: A claim is missing, unknown or wrong.
        UnsupportedVersionError: Another major version.
    """
    payload, _ = open_compact(env, typ=message_typ(op), find_key=find_key)
    envelope = parse_envelope(payload)
    if envelope.op != op:
        raise SchemaError("env.op: not the operation of its typ")
    return envelope


def is_reply(op: str) -> bool:
    """Tell whether an operation answers another message."""
    return op in _REPLIES


def parse_envelope(payload: bytes) -> Envelope:
    """Read the claims of a verified payload.

    Raises:
        MalformedError: Not JSON of the subset.
        SchemaError: A claim is missing, unknown or wrong.
        UnsupportedVersionError: Another major version.
    """
    reader = ShapeReader(parse_object(payload), what="env")
    if reader.integer("v") not in SPOKEN_VERSIONS:
        raise UnsupportedVersionError(f"spoken here: {', '.join(map(str, SPOKEN_VERSIONS))}")
    reg, head = reader.inner("reg"), reader.inner("head")
    op = reader.choice("op", OPERATIONS)
    consents = reader.texts("consents", count_max=CONSENTS_PER_MESSAGE_MAX)
    replies = is_reply(op)
    envelope = Envelope(
        iss=reader.text("iss", characters_max=MEMBER_ID_CHARACTERS_MAX),
        aud=reader.text("aud", characters_max=MEMBER_ID_CHARACTERS_MAX),
        jti=reader.octets("jti", bytes_exact=JTI_BYTES),
        iat=reader.integer("iat"),
        exp=reader.integer("exp"),
        op=op,
        bd=reader.octets("bd"),
        blen=reader.integer("blen"),
        bct=reader.text("bct", characters_max=128),
        reg=RegistryReference(seq=reg.integer("seq", low=1), hash=reg.octets("hash")),
        n=reader.integer("n"),
        head=LogHead(size=head.integer("size"), root=head.octets("root")),
        consents=tuple(decode_b64u(consent, bytes_exact=HASH_BYTES) for consent in consents),
        req=reader.octets("req") if replies else None,
        st=reader.choice("st", _REPLY_STATES) if replies else None,
    )
    for part in (reg, head, reader):
        part.finish()
    return envelope


def check_body(envelope: Envelope, *, body: bytes, salt: bytes) -> None:
    """Check that body and salt are the signed ones (check 8).

    Raises:
        BodyMismatchError: They are not.
    """
    if envelope.blen != len(body) or not compare_digest(envelope.bd, digest_body(body, salt=salt)):
        raise BodyMismatchError("body and salt do not hash to bd")


_REPLY_STATES = POSITIVE_STATES | frozenset(PROBLEMS)
