"""Presets: what systems call the columns of their lists; the words stand in one file a system."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources


class Preset(StrEnum):
    """Whose list a file is."""

    ANY = "any"
    SAP_FBL5N = "sap-fbl5n"
    KINGDEE = "kingdee"
    YONYOU = "yonyou"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is known of the lists of a system, before one is seen."""

    columns: Mapping[str, tuple[str, ...]]  # by field, the best first
    constants: Mapping[str, str]
    kinds: Mapping[str, str]
    currencies: Mapping[str, str]
    forms: Mapping[str, str]  # date_form, amount_form, encoding, credit_sign


def read_preset(preset: Preset) -> Words:
    """Return the words of a system."""
    text = (resources.files(__package__) / f"{preset.value}.toml").read_text("utf-8")
    found = tomllib.loads(text)
    return Words(
        columns={field: tuple(words) for field, words in found["columns"].items()},
        constants=found["constants"],
        kinds=found.get("kinds", {}),
        currencies=found.get("currencies", {}),
        forms={key: found[key] for key in ("date_form", "amount_form", "encoding", "credit_sign")},
    )
