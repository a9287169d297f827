"""Contracts, deliveries, guarantees and credit insurance of customers."""

from node.records.papers.errors import (
    PaperEventNotFoundError,
    PaperExistsError,
    PaperInvalidError,
    PaperNotFoundError,
)
from node.records.papers.reports import (
    COVERS,
    DeliveryReport,
    PaperReports,
    PaperState,
    read_cover,
)
from node.records.papers.service import NewEvent, PaperService

__all__ = [
    "COVERS",
    "DeliveryReport",
    "NewEvent",
    "PaperEventNotFoundError",
    "PaperExistsError",
    "PaperInvalidError",
    "PaperNotFoundError",
    "PaperReports",
    "PaperService",
    "PaperState",
    "read_cover",
]
