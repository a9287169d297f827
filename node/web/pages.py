"""What the console's pages show, read from the services; the templates only lay it out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from node.bootstrap.local import LocalNode
from node.core.errors import NodeError, UnavailableError
from node.rating.store import RatingRecord
from node.sharing.auditing import AuditService
from node.sharing.inquiring import InquiryService
from node.sharing.inquiry_desk import InquiryDesk
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService, IncomingRow, OutgoingRow
from node.sharing.subjects.room import Subjects
from node.sharing.upkeep import Upkeep
from node.web.texts import Texts

REGISTER_ROWS_MAX = 200


class ConsoleNode(Protocol):
    """What the console needs of a node."""

    @property
    def local(self) -> LocalNode:
        """Records, assessment and rating."""
        ...

    @property
    def consents(self) -> ConsentService:
        """Consents held, and what was asked and answered."""
        ...

    @property
    def inquiries(self) -> InquiryService:
        """What was asked of several providers at once."""
        ...

    @property
    def inquiry_desk(self) -> InquiryDesk:
        """What carries inquiries out in the background."""
        ...

    @property
    def upkeep(self) -> Upkeep:
        """What says whether this node may exchange now."""
        ...

    @property
    def registry(self) -> RegistryHolder:
        """The federation's registry."""
        ...

    @property
    def subjects(self) -> Subjects:
        """Requests to subjects, and their sessions."""
        ...

    @property
    def auditing(self) -> AuditService:
        """What an auditor may see."""
        ...

    @property
    def api_token(self) -> str:
        """The token that buys a session."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How much of a customer who is signed in may see: ratings, what peers said, persons."""

    has_ratings: bool
    has_peers: bool
    has_persons: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPage:
    """What left this house, with its subject where its consent is held, and what was asked."""

    incoming: tuple[tuple[IncomingRow, str | None], ...]
    outgoing: tuple[OutgoingRow, ...]
    rows_max: int


def read_register(consents: ConsentService) -> RegisterPage:
    """Return the newest rows of the register."""
    incoming = consents.list_incoming(limit=REGISTER_ROWS_MAX)
    subjects: dict[bytes, str] = {}
    for consent in {row.consent for row in incoming if row.consent is not None}:
        if (held := consents.find(consent)) is not None:
            subjects[consent] = held.subject
    return RegisterPage(
        incoming=tuple(
            (row, None if row.consent is None else subjects.get(row.consent)) for row in incoming
        ),
        outgoing=tuple(consents.list_outgoing(limit=REGISTER_ROWS_MAX)),
        rows_max=REGISTER_ROWS_MAX,
    )


def is_simulated(registry: RegistryHolder) -> bool:
    """Tell whether the federation says that it is a simulation; without a registry it is none."""
    try:
        return registry.newest.simulated
    except UnavailableError:
        return False


def describe_grade(local: LocalNode, rating: RatingRecord, grade: str, *, texts: Texts) -> str:
    """Put a grade into words; a scale that is no longer held leaves the symbol."""
    try:
        return local.rating.describe(grade, language=texts.language, scale=rating.scale)
    except NodeError:
        return grade


def rate_without_peers(rating: RatingRecord) -> RatingRecord:
    """Return a rating as it would stand if no peer had said anything."""
    return replace(
        rating,
        grade_with_peers=rating.grade_own,
        score_with_peers_deci=rating.score_own_deci,
        with_peers_applied=rating.own_applied,
    )
