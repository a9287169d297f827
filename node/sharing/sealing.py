"""Make signed messages of this member.

What goes into an envelope is decided by the caller, who holds the writer's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol.consent import ConsentStatus, sign_status
from protocol.encoding import encode_b64u, sha256
from protocol.keys import SigningKey
from protocol.limits import MESSAGE_LIFE_S_MAX, SALT_BYTES
from protocol.manifest import FanOutManifest, sign_manifest
from protocol.message import (
    ACCEPTED,
    ANSWERED,
    Envelope,
    LogHead,
    RegistryReference,
    WireMessage,
    digest_body,
    seal_envelope,
)
from protocol.problems import PROBLEMS, TYPE_PREFIX, ProblemRow
from schemas.exchange import ACCEPTED_CONTENT_TYPE, PROBLEM_CONTENT_TYPE, AcceptedBody, ProblemBody
from schemas.notices import ACK_CONTENT_TYPE, AckBody

RandomBytes = Callable[[int], bytes]

# The two faces of "no answer" must not differ in a byte: one text, and no detail of its own.
_NO_ANSWER_DETAIL = "Nothing can be said under this consent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message before its inclusion proof."""

    envelope: Envelope
    env: str
    body: bytes
    salt: bytes
    msg_hash: bytes

    def complete(self, inclusion: str) -> WireMessage:
        """Return the message with its proof."""
        return WireMessage(env=self.env, body=self.body, salt=self.salt, inclusion=inclusion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Body and reply state of a message to make."""

    op: str
    body: bytes
    content_type: str
    consents: tuple[bytes, ...] = ()
    st: str | None = None


class Sealer:
    """Seals with this member's message key."""

    def __init__(self, *, member_id: str, key: SigningKey, random_bytes: RandomBytes) -> None:
        """Take the randomness as a port: salts and message ids come from it."""
        self.member_id = member_id
        self._key = key
        self.random_bytes = random_bytes

    @property
    def kid(self) -> str:
        """Return the name of the key in use."""
        return self._key.kid

    def change_key(self, key: SigningKey) -> None:
        """Sign with another key from now on; the caller has logged the change."""
        self._key = key

    def seal(
        self,
        content: Content,
        *,
        audience: str,
        jti: bytes,
        n: int,
        head: LogHead,
        registry: RegistryReference,
        now_s: int,
        req: bytes | None = None,
    ) -> Draft:
        """Sign one message."""
        salt = self.random_bytes(SALT_BYTES)
        envelope = Envelope(
            iss=self.member_id,
            aud=audience,
            jti=jti,
            iat=now_s,
            exp=now_s + MESSAGE_LIFE_S_MAX,
            op=content.op,
            bd=digest_body(content.body, salt=salt),
            blen=len(content.body),
            bct=content.content_type,
            reg=registry,
            n=n,
            head=head,
            consents=content.consents,
            req=req,
            st=content.st,
        )
        env = seal_envelope(envelope, key=self._key)
        return Draft(
            envelope=envelope,
            env=env,
            body=content.body,
            salt=salt,
            msg_hash=sha256(env.encode("ascii")),
        )

    def sign_manifest(self, manifest: FanOutManifest) -> str:
        """Sign what came of a fan-out."""
        return sign_manifest(manifest, key=self._key)

    def sign_status(self, status: ConsentStatus) -> str:
        """Sign a change of a consent's state as its provider."""
        return sign_status(status, key=self._key)


def build_answer(body: bytes, *, content_type: str, consents: tuple[bytes, ...] = ()) -> Content:
    """Return the content of a positive answer."""
    return Content(
        op="answer", body=body, content_type=content_type, consents=consents, st=ANSWERED
    )


def build_ack(of: bytes, *, consents: tuple[bytes, ...] = ()) -> Content:
    """Return the content that acknowledges a message which asked nothing."""
    body = AckBody(v=1, kind="ack", of=encode_b64u(of))
    return Content(
        op="ack",
        body=body.to_bytes(),
        content_type=ACK_CONTENT_TYPE,
        consents=consents,
        st=ANSWERED,
    )


def build_accepted(*, poll_after_s: int, consents: tuple[bytes, ...] = ()) -> Content:
    """Return the content that puts an asker off."""
    return Content(
        op="answer",
        body=AcceptedBody(v=1, kind="accepted", poll_after_s=poll_after_s).to_bytes(),
        content_type=ACCEPTED_CONTENT_TYPE,
        consents=consents,
        st=ACCEPTED,
    )


def build_problem(
    code: str, *, detail: str, consents: tuple[bytes, ...] = (), retry_after_s: int | None = None
) -> Content:
    """Return the content of a signed refusal."""
    return Content(
        op="problem",
        body=build_problem_body(code, detail=detail, retry_after_s=retry_after_s).to_bytes(),
        content_type=PROBLEM_CONTENT_TYPE,
        consents=consents,
        st=code,
    )


def build_problem_body(code: str, *, detail: str, retry_after_s: int | None = None) -> ProblemBody:
    """Return RFC 9457 problem details of a code of the problem table."""
    row: ProblemRow = PROBLEMS[code]
    return ProblemBody(
        type=f"{TYPE_PREFIX}{code}",
        title=row.title,
        status=row.status,
        detail=_NO_ANSWER_DETAIL if code == "no-answer" else detail[:512],
        code=code,
        source=row.hop.value,
        retry_after=retry_after_s,
    )
