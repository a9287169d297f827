"""The problem table: every refusal a peer can hear, with HTTP status, title and error class.

A code is a row here (RFC 9457), a section in docs/protocol/problems.md and a test. ``no-answer``
stands for "no data" and "withheld" alike: a stranger learns from it nothing about a subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from protocol.errors import ProtocolError

TYPE_PREFIX = "urn:chengxin:problem:"


class Hop(StrEnum):
    """Who failed; the RFC 9457 extension member ``source``."""

    CALLER = "caller"
    CONSUMER_NODE = "consumer-node"
    PROVIDER_NODE = "provider-node"
    PROVIDER_DATA = "provider-data"
    HUB = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRow:
    """One row: slug, HTTP status, title and the hop that is named."""

    code: str
    status: int
    title: str
    hop: Hop


class PeerProblemError(ProtocolError):
    """A refusal with a row in the table. Never raised directly."""


class UnknownKeyProblemError(PeerProblemError):
    """No member of the newest snapshot has this key."""

    code = "unknown-key"


class KeyRevokedError(PeerProblemError):
    """The key is revoked, not yet valid or expired."""

    code = "key-revoked"


class NotAMemberError(PeerProblemError):
    """The key's owner is suspended or has left."""

    code = "not-a-member"


class WrongIssuerError(PeerProblemError):
    """``iss`` is not the member that the key belongs to."""

    code = "wrong-issuer"


class WrongAudienceError(PeerProblemError):
    """The message is meant for somebody else."""

    code = "wrong-audience"


class ReplayMismatchError(PeerProblemError):
    """The ``jti`` was used for another message."""

    code = "replay-mismatch"


class QuotaError(PeerProblemError):
    """The member asks faster than its bucket fills."""

    code = "quota"


class ClockSkewError(PeerProblemError):
    """``iat`` lies in the receiver's future."""

    code = "clock-skew"


class ExpiredError(PeerProblemError):
    """``exp`` has passed."""

    code = "expired"


class LifeTooLongError(PeerProblemError):
    """``exp`` is not within 300 s after ``iat``."""

    code = "life-too-long"


class RegistryUnknownError(PeerProblemError):
    """``reg`` names no snapshot that the receiver or its hub knows."""

    code = "registry-unknown"


class RegistryExpiredError(PeerProblemError):
    """The snapshot that ``reg`` names had expired when the message was made."""

    code = "registry-expired"


class BodyMismatchError(PeerProblemError):
    """Body and salt do not hash to ``bd``."""

    code = "body-mismatch"


class InclusionInvalidError(PeerProblemError):
    """The proof beside the envelope does not show it in the sender's log."""

    code = "bad-inclusion"


class ConsentMissingError(PeerProblemError):
    """The provider holds no such consent."""

    code = "consent-missing"


class ConsentSignatureError(PeerProblemError):
    """The consent is not signed by a key that the registry binds to its subject."""

    code = "consent-signature"


class ConsentNotYetValidError(PeerProblemError):
    """The consent begins later."""

    code = "consent-not-yet-valid"


class ConsentExpiredError(PeerProblemError):
    """The consent has ended."""

    code = "consent-expired"


class ConsentPausedError(PeerProblemError):
    """The subject has paused the consent."""

    code = "consent-paused"


class ConsentUnkeyedError(PeerProblemError):
    """The provider takes no consent that its subject has not signed itself."""

    code = "consent-unkeyed"


class ConsentRevokedError(PeerProblemError):
    """The subject has withdrawn the consent."""

    code = "consent-revoked"


class ConsentReplacedError(PeerProblemError):
    """A newer consent stands in its place."""

    code = "consent-replaced"


class ConsentExhaustedError(PeerProblemError):
    """Every use has been used."""

    code = "consent-exhausted"


class WrongConsumerError(PeerProblemError):
    """The consent was given to another member."""

    code = "wrong-consumer"


class WrongProviderError(PeerProblemError):
    """The consent names another provider."""

    code = "wrong-provider"


class PurposeMismatchError(PeerProblemError):
    """The consent was given for another purpose."""

    code = "purpose-mismatch"


class OperationNotAllowedError(PeerProblemError):
    """The consent does not allow this kind of question."""

    code = "operation-not-allowed"


class MetricNotAllowedError(PeerProblemError):
    """The query asks for a section that the consent does not name."""

    code = "metric-not-allowed"


class OverCeilingError(PeerProblemError):
    """The query asks for a longer range than the consent or its purpose allows."""

    code = "over-ceiling"


class FrequencyError(PeerProblemError):
    """The consent's calendar window is used up; it opens again."""

    code = "frequency-exceeded"


class PollUnknownError(PeerProblemError):
    """No question of this peer with that name was accepted here, or it is too long ago."""

    code = "poll-unknown"


class NoAnswerError(PeerProblemError):
    """There is no data, or it is withheld: the two look the same."""

    code = "no-answer"


def _rows(*rows: ProblemRow) -> MappingProxyType[str, ProblemRow]:
    return MappingProxyType({row.code: row for row in rows})


def _row(code: str, status: int, title: str, hop: Hop = Hop.CALLER) -> ProblemRow:
    return ProblemRow(code=code, status=status, title=title, hop=hop)


PROBLEMS = _rows(
    _row("malformed", 400, "The message does not have the specified form", Hop.CONSUMER_NODE),
    _row("too-large", 413, "The message is larger than allowed", Hop.CONSUMER_NODE),
    _row("unsupported-version", 400, "This protocol version is not spoken here", Hop.CONSUMER_NODE),
    _row("unknown-key", 401, "The signing key belongs to no member", Hop.CONSUMER_NODE),
    _row("key-revoked", 401, "The signing key is not valid now", Hop.CONSUMER_NODE),
    _row("not-a-member", 403, "The signer is not an active member", Hop.CONSUMER_NODE),
    _row("bad-signature", 401, "The signature does not verify", Hop.CONSUMER_NODE),
    _row("wrong-type", 400, "The message is of another kind", Hop.CONSUMER_NODE),
    _row("wrong-issuer", 401, "The issuer is not the owner of the key", Hop.CONSUMER_NODE),
    _row("wrong-audience", 403, "The message is meant for another member", Hop.CONSUMER_NODE),
    _row("replay-mismatch", 409, "This message id was used for another message", Hop.CONSUMER_NODE),
    _row("quota", 429, "Too many messages: ask more slowly", Hop.CONSUMER_NODE),
    _row("clock-skew", 401, "The message comes from the future", Hop.CONSUMER_NODE),
    _row("expired", 401, "The message has expired", Hop.CONSUMER_NODE),
    _row("life-too-long", 400, "The message lives longer than allowed", Hop.CONSUMER_NODE),
    _row(
        "registry-unknown",
        409,
        "The named registry snapshot is not known here",
        Hop.CONSUMER_NODE,
    ),
    _row("registry-expired", 401, "The named registry snapshot has expired", Hop.CONSUMER_NODE),
    _row("body-mismatch", 422, "The body is not the one that was signed", Hop.CONSUMER_NODE),
    _row(
        "bad-inclusion",
        422,
        "The message is not proven to be in its sender's log",
        Hop.CONSUMER_NODE,
    ),
    _row("schema", 422, "The body breaks its schema", Hop.CONSUMER_NODE),
    _row("consent-missing", 403, "No such consent is held here"),
    _row("consent-signature", 403, "The consent is not signed by its subject"),
    _row("consent-unkeyed", 403, "Consents of subjects without a key are not accepted here"),
    _row("consent-not-yet-valid", 403, "The consent is not valid yet"),
    _row("consent-expired", 403, "The consent has expired"),
    _row("consent-paused", 403, "The consent is paused"),
    _row("consent-revoked", 403, "The consent has been withdrawn"),
    _row("consent-replaced", 403, "The consent has been replaced"),
    _row("consent-exhausted", 403, "The consent has been used up"),
    _row("wrong-consumer", 403, "The consent was given to another member"),
    _row("wrong-provider", 403, "The consent names another provider"),
    _row("purpose-mismatch", 403, "The consent was given for another purpose"),
    _row("operation-not-allowed", 403, "The consent does not allow this kind of question"),
    _row("metric-not-allowed", 403, "The consent does not name a section asked for"),
    _row("over-ceiling", 403, "The range asked for exceeds the consent"),
    _row("frequency-exceeded", 403, "The consent's window is used up for now"),
    _row("poll-unknown", 404, "No such question waits for an answer here", Hop.CONSUMER_NODE),
    _row("no-answer", 404, "There is no answer", Hop.PROVIDER_DATA),
    _row(
        "log-unavailable",
        503,
        "The exchange log cannot be written: nothing is answered",
        Hop.PROVIDER_NODE,
    ),
    _row("unavailable", 503, "The node does not exchange at present", Hop.PROVIDER_NODE),
)  # fmt: skip
