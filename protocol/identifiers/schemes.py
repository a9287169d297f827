"""The table of subject schemes: what each number looks like, what is checked, whom it may name.

python-stdnum knows the algorithms. Its gaps are closed here, one comment each; it never sees a text
that does not match our shape, so that Unicode digits and missing lengths do not reach it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from stdnum import lei, luhn
from stdnum.au import abn
from stdnum.br import cnpj
from stdnum.de import vat as de_vat
from stdnum.exceptions import InvalidChecksum, InvalidComponent
from stdnum.fr import siren
from stdnum.gb import vat as gb_vat
from stdnum.iso7064 import mod_97_10
from stdnum.jp import cn as jp_cn
from stdnum.no import orgnr
from stdnum.ru import inn
from stdnum.sg import uen
from stdnum.tw import ubn
from stdnum.us import ein
from stdnum.util import clean

from protocol.identifiers import cn_uscc, eu_vat

_BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KOREAN_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3)
_UEN_COMPANY_CHARACTERS = re.compile(r"[0-9]{9}[A-Z]")


class Check(StrEnum):
    """How much of a number is checked."""

    CHECKSUM = "checksum"
    FORMAT = "format"


class Person(StrEnum):
    """What a number of the scheme tells about natural persons and sole traders."""

    NEVER = "never given to a natural person"
    REFUSED = "the number shows it, and it is refused"
    PARTLY = "refused where the number shows it; elsewhere the enrolling hub looks"
    HIDDEN = "the number does not show it: the enrolling hub looks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One scheme.

    ``is_personal`` is asked first, so that a person's number is named as such even when mistyped;
    ``check`` sees only values that match ``shape`` and are not all zeros.
    """

    name: str
    country: str  # ISO 3166-1 alpha-2, or "" where no one country issues the number
    checked: Check
    person: Person
    shape: re.Pattern[str]
    is_personal: Callable[[str], bool]
    check: Callable[[str], object]
    compact: Callable[[str], str]


def _compact(text: str) -> str:
    return clean(text, " -./,").upper().strip()


def _is_nobody(_value: str) -> bool:
    return False


def _is_anything(_value: str) -> None:
    """Accept every value of the right shape: no rule beyond it is public."""


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _without_prefix(prefix: str) -> Callable[[str], str]:
    return lambda text: _compact(text).removeprefix(prefix)


def _check_lei(value: str) -> None:
    # Modulo 97 the pairs 00, 01 and 99 stand for 97, 98 and 02: a second spelling of one entity.
    if mod_97_10.calc_check_digits(value[:18]) != value[18:]:
        raise InvalidChecksum


def _check_gstin(value: str) -> None:
    # stdnum lacks the states 38, 97 and 99; the shape names them.
    luhn.validate(value, _BASE_36)


def _check_kr_brn(value: str) -> None:
    # stdnum leaves out the check digit.
    digits = [int(character) for character in value]
    total = sum(d * weight for d, weight in zip(digits, _KOREAN_WEIGHTS, strict=False))
    total += sum(divmod(digits[8] * 5, 10))
    if (total + digits[9]) % 10 != 0:
        raise InvalidChecksum
    if value[:3] < "101" or value[5:9] == "0000":
        raise InvalidComponent


def _check_tw_ubn(value: str) -> None:
    # Since April 2023 the sum need only be a multiple of 5, stdnum still asks for 10. A seventh
    # digit 7 weighs 28, whose digits sum to 10: it counts as 1 or 0.
    remainder = ubn.calc_checksum(value) % 5
    if remainder != 0 and not (remainder == 4 and value[6] == "7"):  # noqa: PLR2004  see above
        raise InvalidChecksum


def _check_sg_uen(value: str) -> None:
    # stdnum.sg.uen.validate compares the year with today's, and we have no clock.
    if _UEN_COMPANY_CHARACTERS.fullmatch(value) is not None:
        expected = uen.calc_local_company_check_digit(value)
    elif value[3:5] in uen.OTHER_UEN_ENTITY_TYPES:
        expected = uen.calc_other_check_digit(value)
    else:
        raise InvalidComponent
    if value[-1] != expected:
        raise InvalidChecksum


def _scheme(
    name: str,
    *,
    country: str,
    person: Person,
    shape: str | re.Pattern[str],
    check: Callable[[str], object],
    is_personal: Callable[[str], bool] = _is_nobody,
    compact: Callable[[str], str] = _compact,
) -> Scheme:
    return Scheme(
        name=name,
        country=country,
        checked=Check.FORMAT if check is _is_anything else Check.CHECKSUM,
        person=person,
        shape=re.compile(shape),
        is_personal=is_personal,
        check=check,
        compact=compact,
    )


_ALL = (
    _scheme(
        "cn.uscc",
        country="CN",
        person=Person.REFUSED,
        shape=cn_uscc.SHAPE,
        is_personal=cn_uscc.is_personal,
        check=cn_uscc.check_code,
    ),
    _scheme(
        "lei",
        country="",
        person=Person.HIDDEN,
        shape=r"[0-9A-Z]{18}[0-9]{2}",  # stdnum does not ask for the length
        check=_check_lei,
        compact=lei.compact,
    ),
    _scheme(
        "eu.vat",
        country="",
        person=Person.PARTLY,
        shape=eu_vat.SHAPE,
        is_personal=eu_vat.is_personal,
        check=eu_vat.check_number,
        compact=eu_vat.compact_number,
    ),
    _scheme(
        "gb.vat",
        country="GB",
        person=Person.HIDDEN,
        shape=r"[0-9]{9}|(?:GD|HA)[0-9]{3}",  # 12 digits name a branch, which is no subject
        check=gb_vat.validate,
        compact=_without_prefix("GB"),
    ),
    _scheme(
        "de.vat",
        country="DE",
        person=Person.HIDDEN,
        shape=r"[1-9][0-9]{8}",
        check=de_vat.validate,
        compact=_without_prefix("DE"),
    ),
    _scheme(
        "fr.siren",
        country="FR",
        person=Person.HIDDEN,
        shape=r"[0-9]{9}",
        check=siren.validate,
    ),
    _scheme(
        "us.ein",
        country="US",
        person=Person.HIDDEN,
        shape=r"[0-9]{9}",
        check=ein.get_campus,  # no check digit, but only known prefixes
    ),
    _scheme(
        "jp.cn",
        country="JP",
        person=Person.NEVER,
        shape=r"[1-9][0-9]{12}",
        check=jp_cn.validate,
    ),
    _scheme(
        "in.gstin",
        country="IN",
        person=Person.REFUSED,
        # State, PAN (its fourth letter is the kind of holder), registration, Z, check character.
        shape=r"(?:0[1-9]|[12][0-9]|3[0-8]|97|99)[A-Z]{3}[ABCFGHJKLT][A-Z](?!0000)[0-9]{4}[A-Z]"
        r"[1-9A-Z]Z[0-9A-Z]",
        is_personal=_matches(r"[0-9]{2}[A-Z]{3}P[0-9A-Z]{9}"),
        check=_check_gstin,
    ),
    _scheme(
        "br.cnpj",
        country="BR",
        person=Person.HIDDEN,
        shape=r"(?!0{12})[0-9A-Z]{12}[0-9]{2}",
        check=cnpj.validate,
    ),
    _scheme(
        "kr.brn",
        country="KR",
        person=Person.REFUSED,
        shape=r"[0-9]{3}8[1-8][0-9]{5}",
        # Digits 4 and 5: 81-88 corporations and public bodies; the other codes are individuals'.
        is_personal=_matches(r"[0-9]{3}(?:[0-79][0-9]|8[09])[0-9]{5}"),
        check=_check_kr_brn,
    ),
    _scheme(
        "tw.ubn",
        country="TW",
        person=Person.HIDDEN,
        shape=r"[0-9]{8}",
        check=_check_tw_ubn,
    ),
    _scheme(
        "sg.uen",
        country="SG",
        person=Person.REFUSED,
        shape=r"[0-9]{9}[A-Z]|[RST][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]",
        # Businesses (9 characters) are sole proprietorships and partnerships: which one, it hides.
        is_personal=_matches(r"[0-9]{8}[A-Z]"),
        check=_check_sg_uen,
    ),
    _scheme(
        "au.abn",
        country="AU",
        person=Person.HIDDEN,
        shape=r"[0-9]{11}",
        check=abn.validate,
    ),
    _scheme(
        "no.orgnr",
        country="NO",
        person=Person.HIDDEN,
        shape=r"[0-9]{9}",
        check=orgnr.validate,
    ),
    _scheme(
        "ru.inn",
        country="RU",
        person=Person.REFUSED,
        shape=r"[0-9]{10}",
        is_personal=_matches(r"[0-9]{12}"),  # persons and sole traders have two check digits
        check=inn.validate,
    ),
    _scheme(
        "hk.br",
        country="HK",
        person=Person.HIDDEN,
        shape=r"[0-9]{8}",
        check=_is_anything,
    ),
    _scheme(
        "duns",
        country="",
        person=Person.HIDDEN,
        shape=r"[0-9]{9}",
        check=_is_anything,  # its old check digit is no longer guaranteed
    ),
    _scheme(
        "sim",
        country="",
        person=Person.NEVER,
        shape=r"[0-9A-Z]{1,32}",
        is_personal=cn_uscc.is_resident_number,  # real data may be under a simulation
        check=_is_anything,
        compact=lambda text: text.strip().upper(),
    ),
)

SCHEMES = MappingProxyType({scheme.name: scheme for scheme in _ALL})
