"""Every form of the console, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.web.entry_defaults import DEFAULT_FORMS
from node.web.entry_documents import DOCUMENT_FORMS
from node.web.entry_events import EVENT_FORMS
from node.web.entry_evidence import EVIDENCE_FORMS
from node.web.entry_form import EntryForm

ENTRY_FORMS: tuple[EntryForm, ...] = (
    *DOCUMENT_FORMS,
    *EVENT_FORMS,
    *DEFAULT_FORMS,
    *EVIDENCE_FORMS,
)
FORMS_BY_NAME: Mapping[str, EntryForm] = MappingProxyType({form.name: form for form in ENTRY_FORMS})
