"""China's unified social credit code (GB 32100-2015) with the organisation code inside (GB 11714).

``stdnum.cn.uscc`` refuses the registrars A, N and Y, ignores the organisation code's own check
digit and lets 2.9 % of resident identity numbers pass: the rules are written out here.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent

REGISTRARS = MappingProxyType(
    {
        "1": "public institutions (机构编制)",
        "2": "foreign affairs (外交)",
        "3": "justice (司法)",
        "4": "culture (文化)",
        "5": "civil affairs (民政)",
        "6": "tourism (旅游)",
        "7": "religion (宗教)",
        "8": "trade unions (工会)",
        "9": "industry and commerce (工商)",
        "A": "institutions of the armed forces (军委改革编办)",
        "N": "agriculture (农业)",
        "Y": "others (其他)",
    }
)

# Registrar, kind, region; then organisation code and check character in an alphabet without IOSVZ.
SHAPE = re.compile(r"[0-9A-HJ-NP-RTUW-Y][1-9][0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}")

_SOLE_TRADER_PREFIX = "92"  # 个体工商户
_PERSONAL_SHAPE = re.compile(r"[0-9]{6}(?:18|19|20)[0-9]{9}[0-9X]")  # place, year of birth
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_CHECKS = "0X987654321"  # indexed by the sum modulo 11
_ORGANISATION = slice(8, 16)
_ORGANISATION_CHECK_INDEX = 16


def is_personal(value: str) -> bool:
    """Tell whether the code is a sole trader's or has the form of a resident identity number."""
    return value.startswith(_SOLE_TRADER_PREFIX) or is_resident_number(value)


def is_resident_number(value: str) -> bool:
    """Tell whether the text is a Chinese resident identity number (18 characters).

    The place of birth is not looked up, as ``stdnum.cn.ric.validate`` does: its table has gaps, and
    here a gap would let a person's number through.
    """
    if _PERSONAL_SHAPE.fullmatch(value) is None or ric.calc_check_digit(value) != value[-1]:
        return False
    try:
        ric.get_birth_date(value)
    except InvalidComponent:
        return False
    return True


def check_code(value: str) -> None:
    """Check the registrar and both check characters of a code of the right shape.

    Raises:
        InvalidComponent: No registrar has this character.
        InvalidChecksum: A check character does not fit.
    """
    if value[0] not in REGISTRARS:
        raise InvalidComponent
    weighted = zip(value[_ORGANISATION], _ORGANISATION_WEIGHTS, strict=True)
    total = sum(_ORGANISATION_ALPHABET.index(character) * weight for character, weight in weighted)
    if value[_ORGANISATION_CHECK_INDEX] != _ORGANISATION_CHECKS[total % 11]:
        raise InvalidChecksum
    if value[-1] != uscc.calc_check_digit(value[:-1]):
        raise InvalidChecksum
