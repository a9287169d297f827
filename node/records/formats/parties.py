"""A buyer's identifiers in a document under the schemes of the network, as far as they are known.

A number whose check digit is right stands under our scheme. Another one keeps the name of its list
(``icd.0088``), so that it is found again and never taken for a checked one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from node.records.formats.errors import FieldError
from node.records.formats.trade import PartyId
from protocol.errors import IdentifierError
from protocol.identifiers import NaturalPersonIdError, normalise_subject_id

# ISO 6523 and the code list of electronic addresses, where one of our schemes is the same list.
_SCHEME_BY_LIST = {
    "0002": "fr.siren",
    "0060": "duns",
    "0151": "au.abn",
    "0188": "jp.cn",
    "0192": "no.orgnr",
    "0195": "sg.uen",
    "0199": "lei",
}
_SCHEME_BY_VAT_COUNTRY = {"DE": "de.vat", "GB": "gb.vat", "CN": "cn.uscc"}
_SCHEME_BY_COUNTRY = {"FR": "fr.siren", "NO": "no.orgnr", "CN": "cn.uscc", "SG": "sg.uen"}
_LIST = re.compile(r"[0-9]{4}")
_VALUE = re.compile(r"[A-Za-z0-9._/-]{1,64}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def build_listed_id(*, list_code: str, value: str) -> PartyId | None:
    """Return an identifier of a coded list, or nothing where the list is none of companies."""
    if not _LIST.fullmatch(list_code):
        return None
    if list_code.startswith("99"):  # the tax numbers of a country each
        return build_vat_id(value)
    return _choose(_SCHEME_BY_LIST.get(list_code), value, fallback=f"icd.{list_code}")


def build_vat_id(value: str) -> PartyId | None:
    """Return a tax number by the country that it begins with."""
    country = value[:2].upper()
    if country == "NO":
        bare = "".join(value[2:].upper().split()).removesuffix("MVA")
        return _choose("no.orgnr", bare, fallback="vat", kept=value)
    if country == "CN":
        _refuse_person(value[2:])
    return _choose(_SCHEME_BY_VAT_COUNTRY.get(country, "eu.vat"), value, fallback="vat")


def build_registered_id(*, country: str | None, value: str) -> PartyId | None:
    """Return a number of the register of a country."""
    if country is None:
        return _choose(None, value, fallback="register")
    return _choose(_SCHEME_BY_COUNTRY.get(country), value, fallback=f"register.{country.lower()}")


def build_own_id(value: str) -> PartyId | None:
    """Return the number that the seller has given to the buyer."""
    return _choose(None, value, fallback="customer.no")


def read_country(text: str) -> str | None:
    """Return a country's code, or nothing where it is none."""
    return text if _COUNTRY.fullmatch(text) else None


def is_checked(identifier: PartyId) -> bool:
    """Tell whether an identifier is under a scheme of the network."""
    try:
        normalise_subject_id(scheme=identifier.scheme, value=identifier.value)
    except IdentifierError:
        return False
    return True


def unique(identifiers: Iterable[PartyId | None]) -> tuple[PartyId, ...]:
    """Return identifiers once each: the checked ones first, each kind in its order."""
    found = dict.fromkeys(one for one in identifiers if one is not None)
    return tuple(sorted(found, key=lambda one: not is_checked(one)))


def _refuse_person(code: str) -> None:
    """Refuse the code of a person, which the country before it would hide."""
    try:
        normalise_subject_id(scheme="cn.uscc", value=code)
    except NaturalPersonIdError as err:
        raise FieldError(field="buyer", reason="a natural person or sole trader") from err
    except IdentifierError:
        return


def _choose(
    scheme: str | None, value: str, *, fallback: str, kept: str | None = None
) -> PartyId | None:
    if scheme is not None:
        try:
            subject = normalise_subject_id(scheme=scheme, value=value)
        except NaturalPersonIdError as err:
            raise FieldError(field="buyer", reason="a natural person or sole trader") from err
        except IdentifierError:
            pass
        else:
            return PartyId(scheme=subject.scheme, value=subject.value)
    compact = "".join((value if kept is None else kept).split())
    return PartyId(scheme=fallback, value=compact) if _VALUE.fullmatch(compact) else None
