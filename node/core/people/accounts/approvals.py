"""Who may approve by how they are here: with a second factor, and a code that is fresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from node.core.clock import Clock
from node.core.people.accounts.errors import (
    ApprovalByTokenError,
    FactorMissingError,
    FactorStaleError,
)
from node.core.people.service import Principal

MINUTE_MS = 60_000
ApprovalFactor = Literal["always", "accounts", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The rule of this node.

    ``accounts``: an account needs the factor, a token approves without. ``always``: a token
    approves nothing. ``never``: an account approves without. Whether a role may approve is not
    asked here: deputies approve in any role, so what counts is the act.
    """

    clock: Clock
    factor: ApprovalFactor
    minutes: int

    def check_token(self) -> None:
        """Check that tokens, and so commands, approve here at all.

        Raises:
            ApprovalByTokenError: They do not.
        """
        if self.factor == "always":
            raise ApprovalByTokenError(
                "here approvals are given on the console, by accounts with a second factor"
            )

    def check(self, principal: Principal) -> None:
        """Check that somebody may approve something now.

        Raises:
            ApprovalByTokenError: It is a token, and they approve nothing here.
            FactorMissingError: The account has no second factor.
            FactorStaleError: Its last code is too long ago.
        """
        session = principal.session
        if session is None:
            self.check_token()
            return
        if self.factor == "never":
            return
        if not session.has_factor:
            raise FactorMissingError('add a second factor first, under "My account"')
        at_ms = session.factor_at_ms
        if at_ms is None or self.clock.now_ms() - at_ms >= self.minutes * MINUTE_MS:
            raise FactorStaleError(
                f"enter a new code first: the last one is older than {self.minutes} minutes"
            )
