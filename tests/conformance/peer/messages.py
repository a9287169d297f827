"""Messages of the kit's members, right unless a case makes them wrong in one way.

Each is signed with a real key and stands in its sender's real log, so that nothing but the named
fault is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.encoding import encode_b64u, sha256
from protocol.entry import ExchangeEntry, KnownKind, RequestEntry, format_entry
from protocol.jws import ALGORITHM, sign_compact
from protocol.keys import SigningKey
from protocol.limits import JTI_BYTES, MESSAGE_LIFE_S_MAX, SALT_BYTES
from protocol.message import (
    Envelope,
    RegistryReference,
    WireMessage,
    digest_body,
    format_envelope,
    hash_envelope,
    message_typ,
)
from protocol.registry import Registry
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from tests.conformance.peer.parts import Log, Party, draw_bytes, read_clock_s

QUERY_TYPE = "application/vnd.chengxin.query+json"
BATCH_TYPE = "application/vnd.chengxin.query-batch+json"
POLL_TYPE = "application/vnd.chengxin.poll+json"
PUT_TYPE = "application/vnd.chengxin.consent-put+json"
SUMMARY_TYPE = "application/vnd.chengxin.summary+json"
SUMMARY_BATCH_TYPE = "application/vnd.chengxin.summary-batch+json"
ACCEPTED_TYPE = "application/vnd.chengxin.accepted+json"
ACK_TYPE = "application/vnd.chengxin.ack+json"
PROBLEM_TYPE = "application/problem+json"
SECTIONS = (
    "relation", "volume", "money", "index", "delay", "trend", "disputes", "adverse",
    "overdue_now", "lateness",
)  # fmt: skip


@dataclass(kw_only=True)
class Draft:
    """What a request says, and how it departs from a right one."""

    body: bytes
    consents: tuple[bytes, ...] = ()
    op: str = "query"
    content_type: str = QUERY_TYPE
    jti: bytes | None = None
    iat_offset_s: int = 0
    life_s: int = MESSAGE_LIFE_S_MAX
    claims: JsonObject = field(default_factory=dict)
    """Claims put over the right ones; a claim of the value ``…`` is left out."""
    header: Callable[[bytes], bytes] = bytes
    """Changes the bytes of the header before they are signed."""
    payload: Callable[[bytes], bytes] = bytes
    """Changes the bytes of the payload before they are signed."""
    token: Callable[[str], str] = str
    """Changes the signed token's text."""
    typ: str | None = None
    key: SigningKey | None = None
    is_signature_broken: bool = False
    sent_body: bytes | None = None
    entry: Callable[[RequestEntry], KnownKind] = lambda entry: entry
    """Changes what is logged of the message."""
    log: Log | None = None
    """The log that the entry is proven in, where it is not the sender's own."""
    inclusion: Callable[[str], str] = str
    outer: JsonObject = field(default_factory=dict)
    """Members put over the message's own."""
    is_patient: bool = True
    """Wait and send the same bytes again where the node asks for patience."""


LEFT_OUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A request as it goes out."""

    raw: bytes
    envelope: Envelope
    msg_hash: bytes
    draft: Draft


def seal_request(party: Party, draft: Draft, *, audience: str, registry: Registry) -> Sealed:
    """Sign and log a request."""
    jti, salt = draft.jti or draw_bytes(JTI_BYTES), draw_bytes(SALT_BYTES)
    iat = read_clock_s() + draft.iat_offset_s
    with party.log.lock:
        envelope = Envelope(
            iss=party.member,
            aud=audience,
            jti=jti,
            iat=iat,
            exp=iat + draft.life_s,
            op=draft.op,
            bd=digest_body(draft.body, salt=salt),
            blen=len(draft.body),
            bct=draft.content_type,
            reg=RegistryReference(seq=registry.seq, hash=registry.hash),
            n=party.next_n(audience),
            head=party.log.head,
            consents=draft.consents,
        )
        env = _sign(envelope, draft, key=draft.key or party.key)
        entry = RequestEntry(
            at_ms=read_clock_s() * 1000,
            xid=jti,
            peer=audience,
            n=envelope.n,
            op=draft.op,
            msg=hash_token(env),
            purpose="-",
            consents=draft.consents,
        )
        log = draft.log or party.log
        inclusion = log.prove(log.append(format_entry(draft.entry(entry))))
    body = draft.body if draft.sent_body is None else draft.sent_body
    outer: JsonObject = {
        "env": env,
        "body": encode_b64u(body),
        "salt": encode_b64u(salt),
        "inclusion": draft.inclusion(inclusion),
    }
    raw = canonical_json(_put_over(outer, draft.outer))
    return Sealed(raw=raw, envelope=envelope, msg_hash=hash_token(env), draft=draft)


@dataclass(kw_only=True)
class ReplyDraft:
    """What a member of the kit answers, and how it departs from a right answer."""

    body: bytes
    content_type: str = SUMMARY_TYPE
    op: str = "answer"
    st: str = "200"
    code: str = "full"
    use: int = 1
    codes: tuple[str, ...] = ()
    iat_offset_s: int = 0
    life_s: int = MESSAGE_LIFE_S_MAX
    claims: JsonObject = field(default_factory=dict)
    typ: str | None = None
    key: SigningKey | None = None
    is_signature_broken: bool = False
    sent_body: bytes | None = None
    entry: Callable[[ExchangeEntry], KnownKind] = lambda entry: entry
    inclusion: Callable[[str], str] = str
    outer: JsonObject = field(default_factory=dict)


def seal_reply(
    party: Party,
    draft: ReplyDraft,
    *,
    request: Envelope,
    request_hash: bytes,
    registry: Registry,
) -> tuple[bytes, bytes]:
    """Sign and log a reply; return its bytes and its hash."""
    salt, iat = draw_bytes(SALT_BYTES), read_clock_s() + draft.iat_offset_s
    with party.log.lock:
        envelope = Envelope(
            iss=party.member,
            aud=request.iss,
            jti=request.jti,
            iat=iat,
            exp=iat + draft.life_s,
            op=draft.op,
            bd=digest_body(draft.body, salt=salt),
            blen=len(draft.body),
            bct=draft.content_type,
            reg=RegistryReference(seq=registry.seq, hash=registry.hash),
            n=party.next_n(request.iss),
            head=party.log.head,
            consents=request.consents,
            req=request_hash,
            st=draft.st,
        )
        env = _sign_reply(envelope, draft, key=draft.key or party.key)
        entry = ExchangeEntry(
            at_ms=read_clock_s() * 1000,
            xid=request.jti,
            peer=request.iss,
            peer_n=request.n,
            n=envelope.n,
            op=request.op,
            msg=request_hash,
            ans=hash_envelope(env),
            code=draft.code,
            use=draft.use,
            codes=draft.codes,
            consents=request.consents,
            head=request.head,
        )
        inclusion = party.log.prove(party.log.append(format_entry(draft.entry(entry))))
    body = draft.body if draft.sent_body is None else draft.sent_body
    message = WireMessage(env=env, body=body, salt=salt, inclusion=draft.inclusion(inclusion))
    outer: JsonObject = {
        "env": message.env,
        "body": encode_b64u(message.body),
        "salt": encode_b64u(message.salt),
        "inclusion": message.inclusion,
    }
    return canonical_json(_put_over(outer, draft.outer)), hash_envelope(env)


def hash_token(env: str) -> bytes:
    """Return ``msg_hash`` of any text, one that is no ASCII too."""
    return sha256(env.encode("utf-8"))


def write_query(consent: bytes, /, **changes: JsonValue) -> bytes:
    """Write the body of a query for everything."""
    body: JsonObject = {
        "v": 1,
        "kind": "query",
        "consent": encode_b64u(consent),
        "purpose": "P1",
        "metrics": list(SECTIONS),
        "last_months": 12,
    }
    return canonical_json(_put_over(body, changes))


def flip_signature(token: str) -> str:
    """Change one bit of a compact JWS's signature, in a character that spells only whole bits."""
    signing_input, _, signature = token.rpartition(".")
    first = "B" if signature.startswith("A") else "A"
    return f"{signing_input}.{first}{signature[1:]}"


def _sign(envelope: Envelope, draft: Draft, *, key: SigningKey) -> str:
    claims = _put_over(format_envelope(envelope), draft.claims)
    typ = draft.typ or message_typ(draft.op)
    header: JsonObject = {"alg": ALGORITHM, "kid": key.kid, "typ": typ}
    parts = draft.header(canonical_json(header)), draft.payload(canonical_json(claims))
    signing_input = ".".join(map(encode_b64u, parts))
    token = f"{signing_input}.{encode_b64u(key.sign(signing_input.encode()))}"
    return draft.token(flip_signature(token) if draft.is_signature_broken else token)


def _sign_reply(envelope: Envelope, draft: ReplyDraft, *, key: SigningKey) -> str:
    claims = _put_over(format_envelope(envelope), draft.claims)
    token = sign_compact(canonical_json(claims), key=key, typ=draft.typ or message_typ(draft.op))
    return flip_signature(token) if draft.is_signature_broken else token


def _put_over(members: JsonObject, changes: JsonObject) -> JsonObject:
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value != LEFT_OUT}
