"""Why a request that is sent again is not done."""

from __future__ import annotations

from node.core.errors import ConflictError


class KeyReusedError(ConflictError):
    """The idempotency key stands for another request of this kind, or somebody else's."""

    code = "idempotency-key-reused"


class AnswerLostError(ConflictError):
    """It is at work, or was done and its answer was lost: look before asking for it anew."""

    code = "idempotency-answer-lost"
