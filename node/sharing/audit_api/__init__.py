"""The auditor's API."""

from node.sharing.audit_api.routes import build_audit_router, send_bundle

__all__ = ["build_audit_router", "send_bundle"]
