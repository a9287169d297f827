"""Taxonomies that XBRL files are read by: those built in, and an operator's own from a file.

Built in are IFRS and US-GAAP with their elements, and the general taxonomy of China's Ministry of
Finance with the elements that it takes from IFRS. China's own elements, of the Ministry and of the
stock exchanges, could not be checked against a published list: they come from the operator's file.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.assessment.statements.chart import CHART
from node.assessment.statements.concepts import (
    CAS_NAMESPACE,
    CONCEPTS,
    CONCEPTS_VERSION,
    IFRS_NAMESPACE,
    US_GAAP_NAMESPACE,
    Alternatives,
)
from node.assessment.statements.rules_statement import Gaap
from node.assessment.statements.xbrl_parts import Instance
from node.core.errors import RejectedError

CONCEPTS_BYTES_MAX = 262_144
TAXONOMIES_MAX = 20
NAMESPACES_MAX = 20
ALTERNATIVES_MAX = 20
ADDENDS_MAX = 10
VERSION_CHARS_MAX = 32
_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ELEMENT = re.compile(r"(?:(?P<prefix>[a-z][a-z0-9-]{0,31}):)?(?P<name>[^\W\d][\w.-]{0,199})")
_FIELDS = frozenset({"prefix", "gaap", "namespaces", "extends", "items"})
_ANY = "*"  # in a namespace: one part of its path, such as the day of a version


class ConceptsInvalidError(RejectedError):
    """The file of elements is not what it must be."""

    code = "concepts-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The namespaces whose elements go by one prefix."""

    prefix: str
    namespaces: tuple[re.Pattern[str], ...]

    def has(self, namespace: str) -> bool:
        """Tell whether a namespace is one of these."""
        return any(one.fullmatch(namespace) for one in self.namespaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """Elements by item; the first layer is its own, the others are what it builds on.

    Elements are named ``prefix:Name``. Where ``is_leading``, a file that has any fact of the first
    layer is of this taxonomy, however many it has of others.
    """

    gaap: Gaap
    layers: tuple[Layer, ...]
    items: Mapping[str, Alternatives]
    version: str
    is_leading: bool = False

    def find_element(self, namespace: str, name: str) -> str | None:
        """Return how the table names an element, None where its namespace is of another."""
        prefix = next((one.prefix for one in self.layers if one.has(namespace)), None)
        return None if prefix is None else f"{prefix}:{name}"

    @property
    def elements(self) -> frozenset[str]:
        """Every element of the table."""
        return frozenset(
            name for alternatives in self.items.values() for names in alternatives for name in names
        )

    @property
    def anchors(self) -> frozenset[str]:
        """The elements of total assets: of which days there is a balance."""
        return frozenset(name for names in self.items.get("total-assets", ()) for name in names)


def _prefix(table: Mapping[str, Alternatives], prefix: str) -> dict[str, Alternatives]:
    return {
        code: tuple(tuple(f"{prefix}:{name}" for name in names) for names in alternatives)
        for code, alternatives in table.items()
    }


_IFRS_LAYER = Layer(prefix="ifrs-full", namespaces=(IFRS_NAMESPACE,))
_IFRS = Taxonomy(
    gaap=Gaap.IFRS,
    layers=(_IFRS_LAYER,),
    items=_prefix(CONCEPTS[Gaap.IFRS], "ifrs-full"),
    version=CONCEPTS_VERSION,
)
_US_GAAP = Taxonomy(
    gaap=Gaap.US_GAAP,
    layers=(Layer(prefix="us-gaap", namespaces=(US_GAAP_NAMESPACE,)),),
    items=_prefix(CONCEPTS[Gaap.US_GAAP], "us-gaap"),
    version=CONCEPTS_VERSION,
)
_CAS = Taxonomy(
    gaap=Gaap.CAS,
    layers=(Layer(prefix="cas", namespaces=(CAS_NAMESPACE,)), _IFRS_LAYER),
    items=_IFRS.items,
    version=CONCEPTS_VERSION,
    is_leading=True,
)
BUILT_IN: tuple[Taxonomy, ...] = (_CAS, _IFRS, _US_GAAP)
_BASES = {"ifrs": _IFRS, "us-gaap": _US_GAAP}


def choose_taxonomy(instance: Instance, taxonomies: Sequence[Taxonomy]) -> Taxonomy | None:
    """Return the taxonomy of a file: a leading one of which it has anything, else the most of."""
    counts: Counter[int] = Counter()
    for namespace, count in Counter(fact.namespace for fact in instance.facts).items():
        for index, one in enumerate(taxonomies):
            if one.layers[0].has(namespace):
                counts[index] += count
    leading = next(
        (one for index, one in enumerate(taxonomies) if one.is_leading and counts[index]), None
    )
    if leading is not None or not counts:
        return leading
    return taxonomies[max(sorted(counts), key=lambda index: counts[index])]


def read_taxonomies(path: str, *, home: Path) -> tuple[Taxonomy, ...]:
    """Return the taxonomies of a file, relative to the home folder, before those built in.

    Raises:
        ConceptsInvalidError: It cannot be read, or is not of the form.
    """
    if not path:
        return BUILT_IN
    place = home / path
    try:
        with place.open("rb") as file:
            raw = file.read(CONCEPTS_BYTES_MAX + 1)
    except OSError as err:
        raise ConceptsInvalidError(f"{place} cannot be read: {err.strerror}") from err
    return (*parse_taxonomies(raw), *BUILT_IN)


def parse_taxonomies(raw: bytes) -> tuple[Taxonomy, ...]:
    """Read the taxonomies of a file.

    Raises:
        ConceptsInvalidError: It is too large, no TOML, has an unknown key, or names what there is
            not.
    """
    if len(raw) > CONCEPTS_BYTES_MAX:
        raise ConceptsInvalidError(f"larger than {CONCEPTS_BYTES_MAX} bytes")
    try:
        values = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise ConceptsInvalidError(f"no TOML: {err}") from err
    if values.keys() != {"version", "taxonomy"}:
        raise ConceptsInvalidError("it has version and [[taxonomy]], and nothing else")
    version, tables = values["version"], values["taxonomy"]
    is_version = isinstance(version, str) and 0 < len(version) <= VERSION_CHARS_MAX
    if not is_version or not version.isprintable():
        raise ConceptsInvalidError(f"version: 1 to {VERSION_CHARS_MAX} printable characters")
    if not isinstance(tables, list) or not 0 < len(tables) <= TAXONOMIES_MAX:
        raise ConceptsInvalidError(f"taxonomy: 1 to {TAXONOMIES_MAX} tables")
    return tuple(_parse_taxonomy(one, version=version) for one in tables)


def _parse_taxonomy(values: object, *, version: str) -> Taxonomy:
    if not isinstance(values, dict) or not {"prefix", "gaap", "namespaces"} <= values.keys():
        raise ConceptsInvalidError("a taxonomy has prefix, gaap and namespaces")
    for name in sorted(values.keys() - _FIELDS):
        raise ConceptsInvalidError(f"{name}: unknown")
    prefix, gaap = values["prefix"], values["gaap"]
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        raise ConceptsInvalidError("prefix: small letters, digits and hyphens")
    if gaap not in set(Gaap):
        raise ConceptsInvalidError(f"gaap: one of {', '.join(Gaap)}")
    extends = values.get("extends")
    if extends is not None and extends not in _BASES:
        raise ConceptsInvalidError(f"extends: one of {', '.join(_BASES)}")
    base = None if extends is None else _BASES[str(extends)]
    layers = (
        Layer(prefix=prefix, namespaces=_parse_namespaces(values["namespaces"])),
        *(() if base is None else base.layers),
    )
    items = _parse_items(values.get("items", {}), layers=layers)
    below: Mapping[str, Alternatives] = {} if base is None else base.items
    return Taxonomy(
        gaap=Gaap(gaap),
        layers=layers,
        items={
            code: (*items.get(code, ()), *below.get(code, ()))
            for code in CHART
            if code in items or code in below
        },
        version=version,
        is_leading=True,
    )


def _parse_namespaces(values: object) -> tuple[re.Pattern[str], ...]:
    """Read namespaces as they stand in a file; a star is any one part of a path."""
    if not isinstance(values, list) or not 0 < len(values) <= NAMESPACES_MAX:
        raise ConceptsInvalidError(f"namespaces: 1 to {NAMESPACES_MAX} of them")
    found = []
    for one in values:
        if not isinstance(one, str) or not one.isprintable() or not one.strip(f"{_ANY} "):
            raise ConceptsInvalidError("namespaces: texts")
        found.append(re.compile("[^/]*".join(re.escape(part) for part in one.split(_ANY))))
    return tuple(found)


def _parse_items(values: object, *, layers: Sequence[Layer]) -> dict[str, Alternatives]:
    if not isinstance(values, dict):
        raise ConceptsInvalidError("items: a table")
    found: dict[str, Alternatives] = {}
    for code, alternatives in values.items():
        if code not in CHART:
            raise ConceptsInvalidError(f"items: {code} is no item of the chart")
        if not isinstance(alternatives, list) or len(alternatives) > ALTERNATIVES_MAX:
            raise ConceptsInvalidError(f"{code}: at most {ALTERNATIVES_MAX} alternatives")
        found[code] = tuple(_parse_sum(one, code=code, layers=layers) for one in alternatives)
    return found


def _parse_sum(value: object, *, code: str, layers: Sequence[Layer]) -> tuple[str, ...]:
    """Read elements that are added up; one without a prefix is of the first layer."""
    parts = value.split("+") if isinstance(value, str) else []
    if not 0 < len(parts) <= ADDENDS_MAX:
        raise ConceptsInvalidError(f"{code}: names of elements, at most {ADDENDS_MAX} added up")
    names = []
    for part in parts:
        match = _ELEMENT.fullmatch(part.strip())
        prefix = layers[0].prefix if match is None else match["prefix"] or layers[0].prefix
        if match is None or prefix not in {one.prefix for one in layers}:
            raise ConceptsInvalidError(f"{code}: {part.strip()[:64]} names no element")
        names.append(f"{prefix}:{match['name']}")
    return tuple(names)


def build_concepts_template() -> str:
    """Return a file of elements to be filled in, with every item in both languages."""
    lines = [
        "# Elements of taxonomies that are not built in. 未内置的分类标准元素对照表。",
        "# An item has alternatives, tried in order; elements joined by + are added up.",
        "# Set statement_concepts to the name of this file.",
        'version = "own-1"',
        "",
        "[[taxonomy]]",
        'prefix = "cas"',
        'gaap = "cas"',
        "# As in the file's xmlns; * is any one part of the path.",
        'namespaces = ["http://xbrl.mof.gov.cn/taxonomy/*/cas"]',
        'extends = "ifrs"  # its elements are read too, after these',
        "",
        "[taxonomy.items]",
    ]
    lines += [f"# {item.words.zh} {item.words.en}\n{code} = []" for code, item in CHART.items()]
    return "\n".join(lines) + "\n"
