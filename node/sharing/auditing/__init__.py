"""The auditor's view of a running node: read only, within a token's reach, each look recorded."""

from node.sharing.auditing.service import PAGE_MAX, AuditService
from node.sharing.auditing.views import (
    BundleFile,
    ConsentView,
    EntryView,
    HeadView,
    LogNotFoundError,
    ProvenEntry,
)

__all__ = [
    "PAGE_MAX",
    "AuditService",
    "BundleFile",
    "ConsentView",
    "EntryView",
    "HeadView",
    "LogNotFoundError",
    "ProvenEntry",
]
