"""What is recorded of a customer beside its ledger: defaults and promises to pay."""

from node.records.undertakings.defaults import DefaultService
from node.records.undertakings.errors import (
    DefaultInvalidError,
    DefaultNotFoundError,
    PromiseInvalidError,
    PromiseNotFoundError,
    SamePersonError,
)
from node.records.undertakings.promises import NewPromise, PromiseService

__all__ = [
    "DefaultInvalidError",
    "DefaultNotFoundError",
    "DefaultService",
    "NewPromise",
    "PromiseInvalidError",
    "PromiseNotFoundError",
    "PromiseService",
    "SamePersonError",
]
