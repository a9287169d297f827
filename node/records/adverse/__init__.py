"""Adverse facts: what makes one, notices to its subject, objections, and how it goes."""

from node.records.adverse.errors import (
    FactInvalidError,
    FactNotFoundError,
    FactRefutedError,
    NoticeInvalidError,
    NoticeNotFoundError,
    ObjectionNotFoundError,
)
from node.records.adverse.notices import DueNotice, FactStanding, NewNotice, NoticeService

__all__ = [
    "DueNotice",
    "FactInvalidError",
    "FactNotFoundError",
    "FactRefutedError",
    "FactStanding",
    "NewNotice",
    "NoticeInvalidError",
    "NoticeNotFoundError",
    "NoticeService",
    "ObjectionNotFoundError",
]
