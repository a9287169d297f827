"""Errors of dunning."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class DunningInvalidError(RejectedError):
    """A run or a hold is not one: its day, reason or end is wrong."""

    code = "dunning-invalid"


class LetterNotFoundError(NotFoundError):
    """There is no such letter, hold or run."""

    code = "dunning-not-found"


class LetterStateError(ConflictError):
    """The letter is not in a state in which this can be done."""

    code = "dunning-letter-state"


class LetterOutdatedError(ConflictError):
    """Something was paid, disputed, promised or held since: another letter would be due by now."""

    code = "dunning-letter-outdated"


class DunningRunLostError(ConflictError):
    """Another goes on with this run, or another policy holds by now."""

    code = "dunning-run-lost"


class ChargeNotFoundError(NotFoundError):
    """There is no such charge."""

    code = "dunning-charge-not-found"


class ChargeInvalidError(RejectedError):
    """A charge is not paid or waived so: the amount, the day, or by what it was paid is wrong."""

    code = "dunning-charge-invalid"


class ChargeSettledError(ConflictError):
    """No more of the charge, or of what it is paid by, is open than was settled meanwhile."""

    code = "dunning-charge-settled"
