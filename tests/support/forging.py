"""Messages as a member might make them, right or wrong in any one way.

Each is signed with a real key and stands in the sender's real log, so that nothing but the named
fault is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from node.core.decision import Batch, Decided, Placement
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    Purpose,
    Span,
    commit_subject,
    sign_status,
)
from protocol.encoding import encode_b64u, sha256
from protocol.entry import ExchangeEntry, RequestEntry, format_entry
from protocol.jws import sign_compact
from protocol.keys import SigningKey
from protocol.limits import MESSAGE_LIFE_S_MAX, SALT_BYTES
from protocol.message import (
    Envelope,
    LogHead,
    RegistryReference,
    WireMessage,
    digest_body,
    format_envelope,
    hash_envelope,
    is_reply,
    message_typ,
)
from protocol.purpose import METRICS, TEMPLATES
from protocol.strict_json import JsonObject, canonical_json
from schemas.exchange import QUERY_CONTENT_TYPE
from tests.support.nodes import SUBJECT, SUBJECT_SALT, TestNode

DAY_S = 86_400
Claims = Callable[[JsonObject], None]
"""Changes the claims in place before they are signed."""


def keep(_claims: JsonObject) -> None:
    """Change nothing."""


@dataclass(kw_only=True)
class Forgery:
    """What a message says, and how it departs from a right one."""

    body: bytes
    consents: tuple[bytes, ...] = ()
    op: str = "query"
    content_type: str = QUERY_CONTENT_TYPE
    jti: bytes | None = None
    iat_offset_s: int = 0
    life_s: int = MESSAGE_LIFE_S_MAX
    claims: Claims = keep
    payload: Callable[[bytes], bytes] = bytes
    """Changes the signed bytes after the claims are written."""
    typ: str | None = None
    key: SigningKey | None = None
    is_signature_broken: bool = False
    sent_body: bytes | None = None
    inclusion: str | None = None
    outer: dict[str, str] = field(default_factory=dict)
    """Members added to the outer object."""


def forge(sender: TestNode, forgery: Forgery, *, audience: str) -> WireMessage:
    """Make a message in the sender's log."""
    jti = forgery.jti or sender.sealer.random_bytes(16)

    def decide(batch: Batch) -> Decided[WireMessage]:
        salt = sender.sealer.random_bytes(SALT_BYTES)
        env = _sign(sender, forgery, audience=audience, jti=jti, salt=salt, batch=batch)
        entry = _log(forgery, msg=hash_envelope(env), audience=audience, jti=jti, batch=batch)

        def finish(placement: Placement | None) -> WireMessage:
            assert placement is not None

            body = forgery.body if forgery.sent_body is None else forgery.sent_body
            inclusion = placement.inclusion if forgery.inclusion is None else forgery.inclusion
            return WireMessage(env=env, body=body, salt=salt, inclusion=inclusion)

        return Decided(entry=format_entry(entry), finish=finish)

    return sender.writer.run(decide)


def forge_bytes(sender: TestNode, forgery: Forgery, *, audience: str) -> bytes:
    """Make a message and write it as it travels."""
    message = forge(sender, forgery, audience=audience)
    if not forgery.outer:
        return message.to_bytes()
    return canonical_json({**outer_members(message), **forgery.outer})


def outer_members(message: WireMessage) -> dict[str, str]:
    """Return the four members as texts."""
    return {
        "env": message.env,
        "body": encode_b64u(message.body),
        "salt": encode_b64u(message.salt),
        "inclusion": message.inclusion,
    }


def _log(
    forgery: Forgery, *, msg: bytes, audience: str, jti: bytes, batch: Batch
) -> RequestEntry | ExchangeEntry:
    if is_reply(forgery.op):
        return ExchangeEntry(
            at_ms=batch.now_ms,
            xid=jti,
            peer=audience,
            peer_n=1,
            n=1,
            op="query",
            msg=sha256(jti),
            ans=msg,
            code="full",
            use=0,
            consents=(),
            head=batch.head,
        )
    return RequestEntry(
        at_ms=batch.now_ms,
        xid=jti,
        peer=audience,
        n=1,
        op=forgery.op,
        msg=msg,
        purpose="-",
        consents=(),
    )


def _sign(
    sender: TestNode,
    forgery: Forgery,
    *,
    audience: str,
    jti: bytes,
    salt: bytes,
    batch: Batch,
) -> str:
    newest = sender.registry.newest
    iat = batch.now_ms // 1000 + forgery.iat_offset_s
    claims = format_envelope(
        Envelope(
            iss=sender.member_id,
            aud=audience,
            jti=jti,
            iat=iat,
            exp=iat + forgery.life_s,
            op=forgery.op,
            bd=digest_body(forgery.body, salt=salt),
            blen=len(forgery.body),
            bct=forgery.content_type,
            reg=RegistryReference(seq=newest.seq, hash=newest.hash),
            n=1,
            head=LogHead(size=batch.head.size, root=batch.head.root),
            consents=forgery.consents,
        )
    )
    forgery.claims(claims)
    env = sign_compact(
        forgery.payload(canonical_json(claims)),
        key=forgery.key or sender.keys.message,
        typ=forgery.typ or message_typ(forgery.op),
    )
    return break_signature(env) if forgery.is_signature_broken else env


def break_signature(token: str) -> str:
    """Change one bit of a compact JWS's signature, in a character that spells only whole bits."""
    signing_input, _, signature = token.rpartition(".")
    first = "B" if signature.startswith("A") else "A"
    return f"{signing_input}.{first}{signature[1:]}"


def build_consent(*, now_s: int, purpose: str = "P1") -> Consent:
    """Return a consent of the subject for alpha to ask beta."""
    template = TEMPLATES[purpose]
    return Consent(
        id="consent-1",
        iat=now_s,
        nbf=now_s,
        exp=now_s + 90 * DAY_S,
        basis="subject-consent",
        basis_ref="-",
        subject=commit_subject(SUBJECT, salt=SUBJECT_SALT),
        consumer="alpha.example",
        provider="beta.example",
        purpose=Purpose(
            code=template.code,
            template=template.template,
            template_hash=template.hash,
            text=template.text,
        ),
        ops=("query",),
        metrics=METRICS,
        last_months=12,
        k_min=1,
        frequency=Span(unit="day", n=100),
        max_uses=10,
        data_life=Span(unit="month", n=12),
        derive=("rating",),
        notice_uri="https://notice.example/1",
        notice_hash=sha256(b"notice"),
        notice_language="en",
        jurisdiction="CN",
        storage="own node",
        withdraw="hub",
        bundle="bundle-1",
    )


def change_purpose(consent: Consent, *, code: str) -> Consent:
    """Return the consent for another purpose."""
    template = TEMPLATES[code]
    purpose = Purpose(
        code=code, template=template.template, template_hash=template.hash, text=template.text
    )
    return replace(
        consent,
        purpose=purpose,
        metrics=tuple(metric for metric in consent.metrics if metric in template.metrics),
    )


def sign_state(
    consent: bytes,
    *,
    state: ConsentState,
    seq: int,
    key: SigningKey,
    now_s: int,
    by: str = "subject",
) -> str:
    """Sign a change of state."""
    status = ConsentStatus(
        consent=consent, seq=seq, state=state, iat=now_s, by=by, reason="for a test"
    )
    return sign_status(status, key=key)
