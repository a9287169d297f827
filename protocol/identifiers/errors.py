"""Why a text is no identifier. No error holds the text: it may be a person's number (PIPL)."""

from __future__ import annotations

from protocol.errors import IdentifierError


class IdentifierFormError(IdentifierError):
    """The text does not have the one canonical form of its scheme."""

    code = "identifier-form"


class UnknownSchemeError(IdentifierError):
    """No scheme has this name; personal numbers (``cn.ric``) have none on purpose."""

    code = "identifier-scheme-unknown"


class IdentifierChecksumError(IdentifierError):
    """A check digit does not fit: the number is mistyped."""

    code = "identifier-checksum"


class NaturalPersonIdError(IdentifierError):
    """The number belongs to a natural person or a sole trader, who are no subjects."""

    code = "identifier-natural-person"


class MemberIdError(IdentifierError):
    """The text is no DNS-like name in lower case with at least one dot."""

    code = "member-id-invalid"
