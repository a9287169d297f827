"""Objections beside a peer's summary, as the page of a customer shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.sharing.objections import ObjectionOutcome
from node.sharing.service import ReceivedSummary
from node.sharing.store.objections import SummaryObjection
from protocol.encoding import encode_b64u


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionView:
    """What stands beside a summary: its name for the form, and the newest objection to it."""

    message: str
    item: int
    newest: SummaryObjection | None

    @property
    def may_object(self) -> bool:
        """Whether none is open and none was upheld."""
        rejected = ObjectionOutcome.REJECTED
        return self.newest is None or self.newest.outcome == rejected


def view_objection(
    received: ReceivedSummary, objections: Sequence[SummaryObjection]
) -> ObjectionView:
    """Return what stands beside a summary; ``objections`` are the subject's, newest first."""
    named = (bytes(received.msg), received.item)
    found = (one for one in objections if (one.msg, one.item) == named)
    return ObjectionView(
        message=encode_b64u(named[0]), item=received.item, newest=next(found, None)
    )
