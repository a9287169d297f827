"""The receiver's checks, in order: the first that fails wins (docs/protocol/exchange.md §3).

``CHECKS`` is the table; ``open_request`` makes checks 1 to 3, a node makes 4 and 5 on its own
state, then ``check_content`` makes 6 to 8, and ``protocol.consent.check_use`` is 9. Disclosure (10)
is the provider's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest

from protocol.checkpoint import Checkpoint, open_checkpoint
from protocol.entry import Entry, ExchangeEntry, RequestEntry, parse_entry
from protocol.errors import EvidenceError, MalformedError, ProtocolError, SchemaError
from protocol.freshness import check_freshness
from protocol.jws import WrongTypeError, split_compact
from protocol.keys import PublicKey
from protocol.limits import CLOCK_AHEAD_S_DEFAULT
from protocol.log_proof import parse_log_proof
from protocol.merkle import leaf_hash, verify_inclusion
from protocol.message import (
    POSITIVE_STATES,
    Envelope,
    WireMessage,
    check_body,
    is_reply,
    message_typ,
    parse_envelope,
)
from protocol.note import SignatureKind, VerifierKey
from protocol.problems import (
    InclusionInvalidError,
    QuotaError,
    RegistryExpiredError,
    RegistryUnknownError,
    WrongAudienceError,
    WrongIssuerError,
)
from protocol.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row of the check order: its codes, and what a failure leaves behind."""

    number: int
    name: str
    codes: tuple[str, ...]
    signed: bool  # the refusal is a signed message
    logged: str  # metrics, exchange, minute (once a peer and minute) or none
    uses: int  # uses counted


CHECKS: tuple[Check, ...] = (
    Check(
        number=1,
        name="size, form, header",
        codes=("too-large", "malformed", "unsupported-version"),
        signed=False,
        logged="metrics",
        uses=0,
    ),
    Check(
        number=2,
        name="key in the newest snapshot, valid now",
        codes=("unknown-key", "key-revoked", "not-a-member"),
        signed=False,
        logged="metrics",
        uses=0,
    ),
    Check(
        number=3,
        name="signature, then kind, issuer and audience",
        codes=("bad-signature", "wrong-type", "wrong-issuer", "wrong-audience"),
        signed=False,
        logged="metrics",
        uses=0,
    ),
    Check(
        number=4,
        name="message id",
        codes=("replay-mismatch",),
        signed=True,
        logged="exchange",
        uses=0,
    ),
    Check(number=5, name="rate", codes=("quota",), signed=True, logged="minute", uses=0),
    Check(
        number=6,
        name="time",
        codes=("life-too-long", "clock-skew", "expired"),
        signed=True,
        logged="exchange",
        uses=0,
    ),
    Check(
        number=7,
        name="registry snapshot named",
        codes=("registry-unknown", "registry-expired"),
        signed=True,
        logged="exchange",
        uses=0,
    ),
    Check(
        number=8,
        name="body digest, inclusion, schema",
        codes=("body-mismatch", "bad-inclusion", "schema"),
        signed=True,
        logged="exchange",
        uses=0,
    ),
    Check(
        number=9,
        name="consent",
        codes=(
            "consent-missing",
            "consent-signature",
            "wrong-consumer",
            "wrong-provider",
            "consent-unkeyed",
            "consent-revoked",
            "consent-paused",
            "consent-replaced",
            "consent-not-yet-valid",
            "consent-expired",
            "consent-exhausted",
            "purpose-mismatch",
            "operation-not-allowed",
            "metric-not-allowed",
            "over-ceiling",
            "frequency-exceeded",
        ),
        signed=True,
        logged="exchange",
        uses=0,
    ),
    Check(
        number=10, name="disclosure", codes=("no-answer",), signed=True, logged="exchange", uses=1
    ),
)

POLL_CODES = ("poll-unknown",)
"""Of a poll alone, before its check 9: signed and logged like that check's refusals, no use."""

_OF_ONE_QUESTION = ("consent", "disclosure")
ITEM_CODES = frozenset(
    [
        SchemaError.code,
        *(code for check in CHECKS if check.name in _OF_ONE_QUESTION for code in check.codes),
    ]
)
"""What an item of a batch's answer may be refused with: checks 9 and 10, each made by itself."""

FindRegistry = Callable[[int], tuple[bytes, int, int] | None]
"""``find_registry(seq)``: hash, ``iat`` and ``exp`` of a snapshot that the receiver holds."""


def open_request(
    message: WireMessage, *, registry: Registry, audience: str, now_s: int
) -> Envelope:
    """Make checks 1 (header and claims) to 3 on a request by the receiver's own newest snapshot.

    Raises:
        MalformedError: Header or claims have another form, or are of another version or kind.
        PeerProblemError: The key, the issuer or the audience is wrong.
        SignatureInvalidError: The signature does not verify.
    """
    token = split_compact(message.env)
    envelope = _read_claims(token.payload)
    owner, key = registry.get_message_key(token.header.kid, now_s=now_s)
    key.verify(token.signing_input, token.signature)
    if token.header.typ != message_typ(envelope.op):
        raise WrongTypeError(f"typ is {token.header.typ!r}, op is {envelope.op!r}")
    if envelope.iss != owner.member:
        raise WrongIssuerError(f"the key belongs to {owner.member}")
    if envelope.aud != audience:
        raise WrongAudienceError(f"the message is meant for {envelope.aud}")
    return envelope


def _read_claims(payload: bytes) -> Envelope:
    """Read the claims for form and version; nothing is believed before the signature holds."""
    try:
        return parse_envelope(payload)
    except SchemaError as err:
        # Claims that cannot be read cannot be answered: the refusal is unsigned, unlike a body's.
        raise MalformedError(err.detail) from err


def check_content(
    message: WireMessage,
    envelope: Envelope,
    *,
    registry: Registry,
    find_registry: FindRegistry,
    now_s: int,
    ahead_s: int = CLOCK_AHEAD_S_DEFAULT,
) -> Checkpoint:
    """Make checks 6 to 8 up to the body's schema; return the sender's proven head.

    Raises:
        PeerProblemError: The first failing one of time, registry, body and inclusion.
    """
    check_freshness(envelope, now_s=now_s, ahead_s=ahead_s)
    check_registry_reference(envelope, find_registry=find_registry)
    check_body(envelope, body=message.body, salt=message.salt)
    return verify_message_inclusion(message, envelope, registry=registry)


def check_registry_reference(envelope: Envelope, *, find_registry: FindRegistry) -> None:
    """Check the snapshot that the sender names (check 7); it never decides a key.

    Raises:
        RegistryUnknownError: The receiver holds no such snapshot.
        RegistryExpiredError: It had ended when the message was made.
    """
    held = find_registry(envelope.reg.seq)
    if held is None or not compare_digest(held[0], envelope.reg.hash):
        raise RegistryUnknownError(f"snapshot {envelope.reg.seq} is not held here")
    if envelope.iat >= held[2]:
        raise RegistryExpiredError(f"snapshot {envelope.reg.seq} ended at {held[2]}")


def verify_message_inclusion(
    message: WireMessage, envelope: Envelope, *, registry: Registry
) -> Checkpoint:
    """Verify that the sender's log holds this message's entry, and return the proven head.

    The entry is the proof's ``extra``.

    Raises:
        InclusionInvalidError: Proof, checkpoint or entry does not hold, or is of another message.
    """
    try:
        proof = parse_log_proof(message.inclusion)
        # The claimed origin picks the key; an older log of the sender's still proves what it holds.
        claimed = proof.note.partition("\n")[0]
        origin, key = registry.get_log_key(envelope.iss, origin=claimed)
        entry = proof.extra if proof.extra is not None else b""
        checkpoint = _open_head(proof.note, _log_vkey(origin, key.raw))
        verify_inclusion(
            index=proof.index,
            size=checkpoint.size,
            leaf=leaf_hash(entry),
            proof=proof.hashes,
            root=checkpoint.root,
        )
        _check_entry(parse_entry(entry), message=message, envelope=envelope)
    except ProtocolError as err:
        raise InclusionInvalidError(err.detail) from err
    return checkpoint


def open_reply(
    reply: WireMessage,
    *,
    request: Envelope,
    request_hash: bytes,
    registry: Registry,
    find_registry: FindRegistry,
    now_s: int,
    ahead_s: int = CLOCK_AHEAD_S_DEFAULT,
) -> tuple[Envelope, Checkpoint | None]:
    """Verify the reply to our own request; return its claims and the replier's head, if proven.

    A stored reply may be older than a retry: its freshness is judged against the request, which it
    must follow.

    Raises:
        ProtocolError: The leaf that says what does not hold.
    """
    envelope = open_request(reply, registry=registry, audience=request.iss, now_s=now_s)
    if envelope.iss != request.aud or envelope.jti != request.jti:
        raise WrongIssuerError("the reply answers another request")
    if envelope.req is None or not compare_digest(envelope.req, request_hash):
        raise EvidenceError("the reply is bound to another request")
    check_freshness(envelope, now_s=min(now_s, envelope.exp - 1), ahead_s=ahead_s)
    # A refusal may tell us that our own clock is ahead: it then seems older than the request.
    if envelope.st in POSITIVE_STATES and envelope.iat + ahead_s < request.iat:
        raise EvidenceError("the reply is older than its request")
    check_registry_reference(envelope, find_registry=find_registry)
    check_body(envelope, body=reply.body, salt=reply.salt)
    if envelope.st == QuotaError.code and not reply.inclusion:
        return envelope, None  # one refusal of the minute is logged, the others are in no log
    return envelope, verify_message_inclusion(reply, envelope, registry=registry)


def _check_entry(entry: Entry, *, message: WireMessage, envelope: Envelope) -> None:
    match entry:
        case RequestEntry() if not is_reply(envelope.op):
            named = entry.msg
        case ExchangeEntry() if is_reply(envelope.op):
            named = entry.ans
        case _:
            raise EvidenceError("the entry is of another kind")
    if named != message.msg_hash or (entry.xid, entry.peer, entry.n) != (
        envelope.jti,
        envelope.aud,
        envelope.n,
    ):
        raise EvidenceError("the entry is of another message")


@lru_cache(maxsize=4096)
def _log_vkey(origin: str, raw: bytes) -> VerifierKey:
    return VerifierKey(name=origin, kind=SignatureKind.ED25519, public=PublicKey(raw))


@lru_cache(maxsize=256)  # The messages of one batch stand under one head.
def _open_head(note: str, vkey: VerifierKey) -> Checkpoint:
    return open_checkpoint(note, vkey=vkey)
