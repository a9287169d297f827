"""What is recorded of a customer beside its ledger."""

from node.records.undertakings.defaults import DefaultService
from node.records.undertakings.errors import (
    DefaultInvalidError,
    DefaultNotFoundError,
    FactInvalidError,
    FactNotFoundError,
    NoticeInvalidError,
    NoticeNotFoundError,
    ObjectionNotFoundError,
    PromiseInvalidError,
    PromiseNotFoundError,
    SamePersonError,
)
from node.records.undertakings.notices import NewNotice, NoticeService
from node.records.undertakings.promises import NewPromise, PromiseService

__all__ = [
    "DefaultInvalidError",
    "DefaultNotFoundError",
    "DefaultService",
    "FactInvalidError",
    "FactNotFoundError",
    "NewNotice",
    "NewPromise",
    "NoticeInvalidError",
    "NoticeNotFoundError",
    "NoticeService",
    "ObjectionNotFoundError",
    "PromiseInvalidError",
    "PromiseNotFoundError",
    "PromiseService",
    "SamePersonError",
]
