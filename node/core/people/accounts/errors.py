"""What an account, a password or a code is refused for.

Whoever is not signed in hears one error, whatever was wrong (``SignInRefusedError``): it does not
tell whether a name exists.
"""

from __future__ import annotations

from node.core.errors import (
    ConflictError,
    ForbiddenError,
    NotAuthenticatedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
)


class SignInRefusedError(NotAuthenticatedError):
    """Name and password do not open an account, or a code is none of it."""

    code = "sign-in-refused"


class SignInTooSoonError(NotAuthenticatedError):
    """After so many failures one waits; ``wait_s`` says how long."""

    code = "sign-in-too-soon"

    def __init__(self, *, wait_s: int) -> None:
        """Keep the seconds."""
        super().__init__(f"too many failures: try again in {wait_s} s")
        self.wait_s = wait_s


class SignInBusyError(UnavailableError):
    """So many passwords are worked on that another one would hold up every page."""

    code = "sign-in-busy"


class CodeInvalidError(RejectedError):
    """An invitation or a code for a new password is none, is used, or its time is over."""

    code = "account-code-invalid"


class PasswordUnfitError(RejectedError):
    """A password is too short, too long, or the name of its account."""

    code = "password-unfit"


class AccountInvalidError(RejectedError):
    """An account of this kind is not made: its login, name or roles are wrong."""

    code = "account-invalid"


class AccountNotFoundError(NotFoundError):
    """There is no such account, or no such session of it."""

    code = "account-not-found"


class AccountExistsError(ConflictError):
    """The login is taken, or the person has an account."""

    code = "account-exists"


class AccountStateError(ConflictError):
    """The account's state does not allow it."""

    code = "account-state"


class FactorStateError(ConflictError):
    """The account has a second factor already, or has none."""

    code = "factor-state"


class RoleNotHeldError(ForbiddenError):
    """The account does not hold this role."""

    code = "role-not-held"


class FactorMissingError(ForbiddenError):
    """Who approves needs a second factor: it is added under "My account"."""

    code = "factor-missing"


class FactorStaleError(ForbiddenError):
    """The last code is too long ago: a new one is asked for before approving."""

    code = "factor-stale"


class ApprovalByTokenError(ForbiddenError):
    """On this node approvals are given by accounts with a second factor alone."""

    code = "approval-by-token"


class CsrfError(ForbiddenError):
    """A form does not carry the sign of the session that sends it."""

    code = "cross-site"
