"""What the pages of policies show: a version in words, its edit form, its preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from node.assessment.policy_file import Language
from node.bootstrap.local import LocalNode
from node.core.errors import NodeError
from node.core.policies.errors import PolicyFault
from node.core.policies.records import PolicyPreview, PolicyRecord
from node.core.policies.rules_states import PolicyState
from node.governance.policies.desk import PreviewJob
from node.governance.policies.rules_diff import list_changes
from node.governance.policies.rules_form import FieldKind, PolicyField, find_owner, list_fields
from node.governance.policies.rules_units import Place, find_key
from node.governance.policies.view import (
    build_preview_object,
    find_base,
    list_named,
    list_of_peers,
    read_document,
)
from node.governance.policies.wording import say_member, say_parts, say_value
from node.risk.monitoring.words import say_rule
from protocol.strict_json import JsonObject

CHANGES_SHOWN_MAX = 300
_FIGURES = frozenset({FieldKind.NUMBER, FieldKind.STEPS})
_INNER = 3  # parts of a place within an element of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One member of a policy, and what is wrong with what was typed."""

    field: PolicyField
    label: str
    value: str
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    """What is shown together: a factor, a grade, a top member."""

    title: str
    rows: tuple[FieldRow, ...]
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The figures of all factors, or grades, in one table: a row each."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One difference in words."""

    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """Everything the page of a version shows."""

    record: PolicyRecord
    base: PolicyRecord
    overviews: tuple[Overview, ...]
    groups: tuple[FieldGroup, ...]
    changes: tuple[ChangeRow, ...]
    change_count: int
    preview: PolicyPreview | None
    has_preview: bool
    is_uncalibrated: bool
    refused: NodeError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPage:
    """A draft as a form, with what is wrong of it as a whole."""

    record: PolicyRecord
    groups: tuple[FieldGroup, ...]
    wrong: tuple[str, ...]
    wrong_count: int
    reason: str
    seen: str
    refused: NodeError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """The newest preview of a version; names are of those whom the viewer may see."""

    record: PolicyRecord
    found: Mapping[str, Any] | None
    is_stale: bool
    at_ms: int
    names: Mapping[int, str]
    factors: Mapping[str, str]
    job: PreviewJob | None
    refused: NodeError | None


def read_version(
    local: LocalNode, version_id: int, *, language: Language, refused: NodeError | None = None
) -> VersionPage:
    """Read the page of a version.

    Raises:
        PolicyNotFoundError: There is none with this key.
    """
    record = local.policies.get(version_id)
    document = read_document(local.policies, record)
    base = find_base(local.policies, record)
    changes = list_changes(read_document(local.policies, base), document)
    rows = [
        ChangeRow(
            where=say_parts(one.parts, language),
            before=say_value(one.before, _place(one.parts), language),
            after=say_value(one.after, _place(one.parts), language),
        )
        for one in changes[:CHANGES_SHOWN_MAX]
    ]
    return VersionPage(
        record=record,
        base=base,
        overviews=build_overviews(document, language=language),
        groups=build_groups(document, language=language),
        changes=tuple(rows),
        change_count=len(changes),
        preview=local.policies.find_preview(version_id),
        has_preview=local.policies.kinds[record.name.kind].has_preview,
        is_uncalibrated=document.get("pd_basis") == "placeholder",
        refused=refused,
    )


def build_overviews(document: JsonObject, *, language: Language) -> tuple[Overview, ...]:
    """Return a table of each list whose elements have names: what every one of them is worth."""
    found = []
    fields = {one.place: one.value for one in list_fields(document) if one.kind in _FIGURES}
    for member, items in document.items():
        if not isinstance(items, list) or find_key(items) not in {"id", "grade"}:
            continue
        columns = list(
            dict.fromkeys(
                str(place[2]) for place in fields if place[0] == member and len(place) == _INNER
            )
        )
        rows = tuple(
            (
                _say_group(document, (member, number), language),
                tuple(fields.get((member, number, name), "") for name in columns),
            )
            for number in range(len(items))
        )
        words = tuple(say_member(name, language) for name in columns)
        found.append(Overview(title=say_member(member, language), columns=words, rows=rows))
    return tuple(found)


def build_groups(
    document: JsonObject,
    *,
    language: Language,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> tuple[FieldGroup, ...]:
    """Return the fields of a policy, grouped; with what was typed and what is wrong with it."""
    typed, wrong = typed or {}, wrong or {}
    groups = []
    for place, fields in groupby(list_fields(document), key=lambda one: one.group):
        rows = tuple(
            FieldRow(
                field=one,
                label=_say_place(one.place[len(place) :] or one.place, language),
                value=typed.get(one.name, one.value),
                wrong=wrong.get(one.name, ""),
            )
            for one in fields
        )
        title = _say_group(document, place, language)
        is_open = any(row.wrong for row in rows)
        groups.append(FieldGroup(title=title, rows=rows, is_open=is_open))
    return tuple(groups)


def build_edit(
    record: PolicyRecord,
    document: JsonObject,
    *,
    language: Language,
    typed: Mapping[str, str] | None = None,
    faults: Sequence[PolicyFault] = (),
    seen: str = "",
    refused: NodeError | None = None,
) -> EditPage:
    """Return the form of a draft, each fault at its field."""
    fields = {one.name: one for one in list_fields(document)}
    owned: dict[str, str] = {}
    whole = []
    for fault in faults:
        name = find_owner(fields, fault)
        if name:
            owned.setdefault(name, fault.message)
        else:
            whole.append(f"{fault.path}: {fault.message}" if fault.place else fault.message)
    return EditPage(
        record=record,
        groups=build_groups(document, language=language, typed=typed, wrong=owned),
        wrong=tuple(whole),
        wrong_count=len(owned) + len(whole),
        reason=(typed or {}).get("reason", ""),
        seen=seen or record.text.sha256_b64u,
        refused=refused,
    )


def read_preview(
    local: LocalNode,
    version_id: int,
    *,
    job: PreviewJob | None,
    sees_persons: bool,
    sees_peers: bool,
    language: Language,
    refused: NodeError | None = None,
) -> PreviewPage:
    """Read the newest preview of a version, with the names of the customers that move most.

    Raises:
        PolicyNotFoundError: There is none with this key.
    """
    record = local.policies.get(version_id)
    found = local.policies.find_preview(version_id)
    active = local.policies.get_active(record.name.kind)
    is_stale = record.state is not PolicyState.ACTIVE and (
        found is not None and found.base_text_id != active.text.text_id
    )
    keys = [] if found is None else list_named(found)
    hidden = frozenset() if sees_persons else local.portfolio.list_persons(among=keys)
    if found is not None and not sees_peers:
        hidden |= list_of_peers(found)
    shown = None if found is None else build_preview_object(found, hidden=hidden)
    return PreviewPage(
        record=record,
        found=shown,
        is_stale=is_stale,
        at_ms=0 if found is None else found.entered_at_ms,
        names={key: local.records.get_customer(key).name for key in keys if key not in hidden},
        factors=_name_rules(shown, language)
        | _name_factors(read_document(local.policies, record), language),
        job=job,
        refused=refused,
    )


def _name_rules(found: Mapping[str, Any] | None, language: Language) -> dict[str, str]:
    alerts = () if found is None else found["summary"].get("alerts", ())
    return {one["rule"]: say_rule(one["rule"], None, language) for one in alerts}


def _name_factors(document: JsonObject, language: Language) -> dict[str, str]:
    """Name the factors of a scorecard, or the signals of a risk policy."""
    factors = document.get("factors", document.get("signals", []))
    named: dict[str, str] = {}
    for one in factors if isinstance(factors, list) else []:
        names = one.get("names") if isinstance(one, dict) else None
        if isinstance(one, dict) and isinstance(names, dict):
            named[str(one["id"])] = str(names[language.value])
    return named


def _place(parts: Sequence[Any]) -> Place:
    return tuple(one.member for one in parts)


def _say_place(place: Place, language: Language) -> str:
    words = (
        say_member(part, language) if isinstance(part, str) else str(part + 1) for part in place
    )
    return " · ".join(words)


def _say_group(document: JsonObject, place: Place, language: Language) -> str:
    head = say_member(str(place[0]), language)
    if len(place) == 1:
        return head
    items = document[str(place[0])]
    if not isinstance(items, list) or not isinstance(place[1], int):
        return head
    item, key = items[place[1]], find_key(items)
    if not isinstance(item, dict) or key is None:
        return f"{head} {place[1] + 1}"
    names = item.get("names")
    words = names.get(language.value) if isinstance(names, dict) else None
    return f"{head} {item[key]}" + (f" · {words}" if words else "")
