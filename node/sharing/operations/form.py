"""What an operation is: the type of its body, how that is read, and the decision on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from node.core.decision import Batch
from node.sharing.changes import TellChange, tell_nobody
from node.sharing.consents import ConsentVerdicts
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.releases import Disclosures
from node.sharing.sealing import Content
from node.sharing.store import SharingStore
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError
from protocol.exchange import CHECKS, POLL_CODES
from protocol.message import Envelope, WireMessage
from protocol.registry import Registry

BodyT = TypeVar("BodyT")
# An artefact or a body inside a signed message may break any rule: what is no code of a signed
# refusal is `schema`.
SIGNED_CODES = frozenset(
    [*(code for check in CHECKS if check.signed for code in check.codes), *POLL_CODES]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a decision says: content, log code, uses counted and the consent used."""

    content: Content
    code: str
    uses: int = 0
    consent: bytes | None = None
    codes: tuple[str, ...] = ()
    """Of a batch: tier or problem under each consent of the content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What decisions of every kind may need of this node."""

    member_id: str
    verdicts: ConsentVerdicts
    disclosures: Disclosures
    policy: DisclosurePolicy
    business_date: Callable[[], date]
    defers: bool = False
    """Whether a question is accepted first and answered later, where its asker takes that."""
    accepts_unkeyed: bool = False
    """Whether a consent counts that its consumer vouches for, its subject having no key."""
    tell_change: TellChange = tell_nobody
    """Tells higher rooms what has become of summaries that were received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A request after checks 1 to 3, with what the checks off the lock found."""

    message: WireMessage
    envelope: Envelope
    msg_hash: bytes
    registry: Registry
    head: Checkpoint | None
    decide: Callable[[Case], Verdict] | None
    failure: ProtocolError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request before its decision, inside the writer's transaction."""

    ports: Ports
    batch: Batch
    store: SharingStore
    opened: Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[BodyT]):
    """One kind of body that is answered here.

    ``decide`` makes checks 9 and 10; what it writes is part of the writer's transaction. A
    ``ProtocolError`` out of it is the refusal, and must come before anything is written.
    """

    op: str
    content_type: str
    read: Callable[[bytes], BodyT]
    list_consents: Callable[[BodyT], tuple[bytes, ...]]
    """The consents that the envelope must name, in order."""
    decide: Callable[[Case, BodyT], Verdict]

    def open(self, raw: bytes) -> tuple[tuple[bytes, ...], Callable[[Case], Verdict]]:
        """Read a body (check 8); return the consents it concerns and the decision on it.

        Raises:
            ProtocolError: The body breaks its schema, or is not JSON of the subset.
        """
        body = self.read(raw)
        return self.list_consents(body), lambda case: self.decide(case, body)
