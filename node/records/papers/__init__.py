"""Contracts, deliveries, guarantees and credit insurance of customers."""

from node.records.papers.errors import (
    PaperEventNotFoundError,
    PaperExistsError,
    PaperInvalidError,
    PaperNotFoundError,
)
from node.records.papers.exposed import (
    COVERS,
    NO_CURRENCY,
    ExposedBasis,
    choose_currency,
    read_bases_of,
    read_basis,
    read_cover,
)
from node.records.papers.reports import DeliveryReport, PaperReports, PaperState
from node.records.papers.service import NewEvent, PaperService

__all__ = [
    "COVERS",
    "NO_CURRENCY",
    "DeliveryReport",
    "ExposedBasis",
    "NewEvent",
    "PaperEventNotFoundError",
    "PaperExistsError",
    "PaperInvalidError",
    "PaperNotFoundError",
    "PaperReports",
    "PaperService",
    "PaperState",
    "choose_currency",
    "read_bases_of",
    "read_basis",
    "read_cover",
]
