"""What the page of an error says, and with which status."""

from __future__ import annotations

from node.assessment.service import CollectiveAccountError
from node.core.errors import ForbiddenError, NodeError, NotFoundError, RejectedError
from node.core.http.problems import status_of
from node.core.people.accounts.errors import (
    ApprovalByTokenError,
    CsrfError,
    FactorMissingError,
    FactorStaleError,
)
from node.records.rules_ageing_list import CursorInvalidError
from node.risk.overview.rules_listing import ListCursorError
from node.sharing.inquiring import InquiryRefusedError
from node.sharing.objections import (
    ObjectionExistsError,
    ObjectionNotOpenError,
    OwnObjectionError,
)
from node.web.customer_list import ListFilterError
from node.web.drop_desk import DropGoneError
from node.web.entry_console import FormUnfitError
from node.web.entry_desk import EntryGoneError
from node.web.import_desk import UploadGoneError
from node.web.ledger_console import ViewInvalidError
from node.web.steward_console import MergeFormError
from protocol.errors import ProtocolError, TooLargeError


class CrossSiteError(RejectedError):
    """A form did not come from the console itself."""

    code = "cross-site"


# By class, the narrower ones first.
_ERROR_TEXTS: tuple[tuple[type[NodeError | ProtocolError], str], ...] = (
    (CrossSiteError, "error.cross-site"),
    (OwnObjectionError, "error.own-objection"),
    (CsrfError, "error.cross-site"),
    (FactorMissingError, "error.factor-missing"),
    (FactorStaleError, "error.factor-stale"),
    (ApprovalByTokenError, "error.approval-by-token"),
    (ForbiddenError, "error.forbidden"),
    (UploadGoneError, "error.upload-gone"),
    (DropGoneError, "error.drop-gone"),
    (EntryGoneError, "error.entry-gone"),
    (MergeFormError, "error.merge-form"),
    (FormUnfitError, "error.form-unfit"),
    (ObjectionExistsError, "error.objection-exists"),
    (ObjectionNotOpenError, "error.objection-not-open"),
    (InquiryRefusedError, "error.inquiry-refused"),
    (NotFoundError, "error.not-found"),
    (CollectiveAccountError, "error.collective"),
    (ViewInvalidError, "error.view"),
    (CursorInvalidError, "error.cursor"),
    (ListCursorError, "error.cursor"),
    (ListFilterError, "error.list-filter"),
    (TooLargeError, "error.too-large"),
)


def choose_error_text(error: NodeError | ProtocolError) -> tuple[int, str]:
    """Return the status of an error's page, and the text that it shows."""
    key = next((key for kind, key in _ERROR_TEXTS if isinstance(error, kind)), "error.other")
    return 403 if isinstance(error, CrossSiteError) else status_of(error), key
