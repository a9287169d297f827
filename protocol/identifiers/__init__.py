"""Who is asked about (subjects) and who asks (members).

A subject id is ``scheme:value`` in one spelling, since it is hashed and compared as text. ``parse``
refuses every other spelling; ``normalise_subject_id`` is for what people type. A natural person is
no subject: such a number is refused, and no error of this package holds the text it refuses, so
that it cannot reach a log (docs/protocol/identifiers.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from stdnum.exceptions import InvalidChecksum, ValidationError

from protocol.identifiers.errors import (
    IdentifierChecksumError,
    IdentifierFormError,
    MemberIdError,
    NaturalPersonIdError,
    UnknownSchemeError,
)
from protocol.identifiers.schemes import SCHEMES, Check, Person, Scheme
from protocol.limits import MEMBER_ID_CHARACTERS_MAX, SUBJECT_ID_CHARACTERS_MAX

__all__ = [
    "SCHEMES",
    "Check",
    "IdentifierChecksumError",
    "IdentifierFormError",
    "MemberId",
    "MemberIdError",
    "NaturalPersonIdError",
    "Person",
    "Scheme",
    "SubjectId",
    "UnknownSchemeError",
    "normalise_subject_id",
    "parse_member_id",
    "parse_subject_id",
]

MemberId = NewType("MemberId", str)

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# RFC 1123 §2.1: the last label is never all digits, so that no member is called like an address.
_MEMBER_ID = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectId:
    """A company, by one number of one register. Made by ``parse_subject_id`` only."""

    scheme: str
    value: str

    def __str__(self) -> str:
        """Return ``scheme:value``, the form that is signed and hashed."""
        return f"{self.scheme}:{self.value}"


def parse_subject_id(text: str) -> SubjectId:
    """Read a subject id in its canonical form.

    Raises:
        UnknownSchemeError: Its scheme is none of ``SCHEMES``.
        NaturalPersonIdError: It names a natural person or a sole trader.
        IdentifierFormError: Another spelling, or no number of the scheme.
        IdentifierChecksumError: A check digit does not fit.
    """
    if len(text) > SUBJECT_ID_CHARACTERS_MAX:
        raise IdentifierFormError(f"longer than {SUBJECT_ID_CHARACTERS_MAX} characters")
    name, colon, value = text.partition(":")
    if not colon:
        raise IdentifierFormError("a subject id is scheme:value")
    return _check_value(_get_scheme(name), value)


def normalise_subject_id(*, scheme: str, value: str) -> SubjectId:
    """Read a number as people write it: spaces, dots, hyphens, lower case, full-width digits.

    Raises:
        IdentifierError: The leaves of ``parse_subject_id``.
    """
    if len(value) > SUBJECT_ID_CHARACTERS_MAX:
        raise IdentifierFormError(f"longer than {SUBJECT_ID_CHARACTERS_MAX} characters")
    row = _get_scheme(scheme)
    try:
        compacted = row.compact(value)
    except ValidationError as err:
        raise IdentifierFormError(f"not a number of the scheme {row.name}") from err
    return _check_value(row, compacted)


def parse_member_id(text: str) -> MemberId:
    """Read a member's DNS-like name: lower case, at least one dot.

    Raises:
        MemberIdError: Another form.
    """
    if len(text) > MEMBER_ID_CHARACTERS_MAX or _MEMBER_ID.fullmatch(text) is None:
        raise MemberIdError("a member id is a DNS name in lower case with at least one dot")
    return MemberId(text)


def _get_scheme(name: str) -> Scheme:
    scheme = SCHEMES.get(name)
    if scheme is None:
        raise UnknownSchemeError("no such scheme")
    return scheme


def _check_value(scheme: Scheme, value: str) -> SubjectId:
    if scheme.is_personal(value):
        raise NaturalPersonIdError(f"a natural person or sole trader in the scheme {scheme.name}")
    if scheme.shape.fullmatch(value) is None or not value.strip("0"):
        raise IdentifierFormError(f"not the canonical form of the scheme {scheme.name}")
    try:
        scheme.check(value)
    except InvalidChecksum as err:
        raise IdentifierChecksumError(f"a wrong check digit in the scheme {scheme.name}") from err
    except ValidationError as err:
        raise IdentifierFormError(f"not a number of the scheme {scheme.name}") from err
    return SubjectId(scheme=scheme.name, value=value)
