"""A mapping: in which columns a system's own table holds what our template has, kept as TOML.

``[columns]`` names the column of each field of the template, ``[constants]`` says what a file does
not hold. Every rule is the template's: a mapping has none of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from node.records.importing.cells import AmountForm, CellError, DateForm, RowCells
from node.records.importing.draft import DraftRow, Exclusion
from node.records.importing.errors import MappingInvalidError
from node.records.importing.profiles import TemplateProfile

MAPPING_BYTES_MAX = 65_536
NAME_CHARS_MAX = 32  # as an import keeps it
OPTIONAL = frozenset({"line", "paid_on", "paid_amount", "disputed"})
Form = TypeVar("Form", DateForm, AmountForm)
_FIELDS = TemplateProfile().columns
_KEYS = frozenset({"name", "date_form", "amount_form", "columns", "constants"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedProfile:
    """Reads rows of a system's own file as rows of the template."""

    name: str
    by_field: Mapping[str, str]
    constants: Mapping[str, str]
    template: TemplateProfile

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it must find."""
        return frozenset(self.by_field.values())

    @property
    def document_column(self) -> str:
        """The column of the document number."""
        return self.by_field["document_no"]

    def read_row(self, row: RowCells) -> DraftRow | Exclusion:
        """Read one row.

        Raises:
            CellError: A cell cannot be read; it names the file's own column.
        """
        cells = {field: row.text(column) for field, column in self.by_field.items()}
        absent = dict.fromkeys(OPTIONAL, "")
        try:
            return self.template.read_row(RowCells({**absent, **self.constants, **cells}))
        except CellError as err:
            column = self.by_field.get(err.column, err.column)
            raise CellError(column=column, reason=err.reason) from err


def read_mapping(path: Path) -> MappedProfile:
    """Read a mapping.

    Raises:
        MappingInvalidError: The file is no mapping, and the text says why.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAPPING_BYTES_MAX + 1)
        if len(raw) > MAPPING_BYTES_MAX:
            raise MappingInvalidError(f"{path.name}: larger than {MAPPING_BYTES_MAX} bytes")
        found = tomllib.loads(raw.decode("utf-8"))
    except OSError as err:
        raise MappingInvalidError(f"{path.name}: {err.strerror}") from err
    except ValueError as err:  # of TOML or of UTF-8
        raise MappingInvalidError(f"{path.name}: {err}") from err
    return _build_profile(found, what=path.name)


def _build_profile(found: Mapping[str, object], *, what: str) -> MappedProfile:
    unknown = sorted(found.keys() - _KEYS)
    if unknown:
        raise MappingInvalidError(f"{what}: nothing is called {', '.join(unknown)}")
    by_field, constants = (_read_texts(found, key, what=what) for key in ("columns", "constants"))
    twice = sorted(by_field.keys() & constants.keys())
    if twice:
        raise MappingInvalidError(f"{what}: a column and a constant for {', '.join(twice)}")
    missing = sorted(_FIELDS - OPTIONAL - by_field.keys() - constants.keys())
    if missing or "document_no" not in by_field:
        raise MappingInvalidError(f"{what}: no column for {', '.join(missing or ['document_no'])}")
    name = found.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_CHARS_MAX:
        raise MappingInvalidError(f"{what}: name has 1 to {NAME_CHARS_MAX} characters")
    constants = {"line": "1"} | constants if "line" not in by_field else constants
    return MappedProfile(
        name=name,
        by_field=by_field,
        constants=constants,
        template=TemplateProfile(
            date_form=_choose(DateForm, found, "date_form", what=what),
            amount_form=_choose(AmountForm, found, "amount_form", what=what),
        ),
    )


def _read_texts(found: Mapping[str, object], key: str, *, what: str) -> dict[str, str]:
    table = found.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise MappingInvalidError(f"{what}: [{key}] holds names and texts")
    unknown = sorted(table.keys() - _FIELDS)
    if unknown:
        raise MappingInvalidError(f"{what}: the template has no {', '.join(unknown)}")
    return dict(table)


def _choose(forms: type[Form], found: Mapping[str, object], key: str, *, what: str) -> Form:
    try:
        return forms(str(found.get(key, next(iter(forms)).value)))
    except ValueError as err:
        names = ", ".join(form.value for form in forms)
        raise MappingInvalidError(f"{what}: {key} is one of {names}") from err
