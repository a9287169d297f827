"""Use cases of policies: drafted and edited, proposed, decided by a second person, made active.

One public method is one transaction. Versions of the house's own have ids that begin with ``own-``,
which none that ships has: a later release cannot ship what a house has already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork, parse_key
from node.core.errors import InvariantError
from node.core.policies.entering import (
    Entry,
    append_event,
    check_entry,
    check_none_planned,
    check_previewed,
    check_seen,
    get_active,
    get_record,
    make_active,
)
from node.core.policies.errors import (
    PolicyChangedError,
    PolicyFaultyError,
    PolicyKindUnknownError,
    PolicyNameError,
    PolicyNotFoundError,
    PolicyPlannedError,
    PolicyTakenError,
)
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import (
    OWN_PREFIX,
    PolicyName,
    PolicyPreview,
    PolicyRecord,
)
from node.core.policies.rules_states import (
    Actor,
    Origin,
    PolicyState,
    check_second_person,
    check_step,
)
from node.core.policies.store import PolicyStore
from node.core.policies.tables import (
    IDENTIFIER_CHARS_MAX,
)
from protocol.encoding import encode_b64u, sha256
from protocol.errors import MalformedError
from protocol.strict_json import JsonObject, parse_object

VERSIONS_PAGE_MAX = 200
REVISIONS_MAX = 500  # of one draft
SUMMARY_CHARS_MAX = 1_000_000
SHIPPER = Actor(who="release", name="release")


class PolicyService:
    """One public method, one transaction, one commit."""

    def __init__(self, *, database: Database, clock: Clock, kinds: Iterable[PolicyKind]) -> None:
        """``kinds`` are those that the rooms register."""
        self._database = database
        self._clock = clock
        self.kinds: Mapping[str, PolicyKind] = MappingProxyType({one.name: one for one in kinds})

    def draft(self, raw: bytes, *, entry: Entry, base_id: int | None = None) -> PolicyRecord:
        """Enter a file as the draft of a version that is not there yet.

        Raises:
            PolicyFaultyError: It is no policy of its kind.
            PolicyKindUnknownError: No room has policies of its kind.
            PolicyNameError: Its id is not one of the house's own.
            PolicyTakenError: There is a version of this number.
        """
        check_entry(entry)
        name = self._parse(raw)
        if not name.policy_id.startswith(OWN_PREFIX):
            raise PolicyNameError(f"an id of the house's own begins with {OWN_PREFIX}")
        with self._database.write() as uow:
            return self._draft(uow, name, raw, entry=entry, base_id=base_id)

    def copy(self, version_id: int, *, entry: Entry) -> PolicyRecord:
        """Begin a draft that says what a version says, under the next number of an id of our own.

        Raises:
            PolicyNotFoundError: There is none with this key.
        """
        check_entry(entry)
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            base = get_record(store, version_id)
            document = parse_object(store.get_content(base.text.text_id))
            policy_id = base.name.policy_id
            if not policy_id.startswith(OWN_PREFIX):
                policy_id = f"{OWN_PREFIX}{policy_id}"[:IDENTIFIER_CHARS_MAX]
            version = store.find_newest_version(base.name.kind, policy_id) + 1
            raw = write_document({**document, "id": policy_id, "version": version})
            return self._draft(uow, self._parse(raw), raw, entry=entry, base_id=version_id)

    def save(
        self, version_id: int, raw: bytes, *, seen_sha256_b64u: str, entry: Entry
    ) -> PolicyRecord:
        """Enter the next text of a draft; the same bytes again change nothing.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyStateError: It is no draft any more.
            PolicyFaultyError: It is no policy of its kind.
            PolicyNameError: It has another name.
            PolicyChangedError: Somebody else has edited it since it was seen, or too often.
        """
        check_entry(entry)
        name = self._parse(raw)
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            record = get_record(store, version_id)
            check_step(record.state, PolicyState.PROPOSED, origin=record.origin)
            if name != record.name:
                raise PolicyNameError(f"it is {record.name.label} and stays so")
            if encode_b64u(sha256(raw)) == record.text.sha256_b64u:
                return record
            check_seen(record, seen_sha256_b64u)
            if record.text.revision >= REVISIONS_MAX:
                raise PolicyChangedError(f"it was edited {REVISIONS_MAX} times: begin another one")
            self._append_text(store, record, raw, entry=entry)
            return get_record(store, version_id)

    def propose(self, version_id: int, *, seen_sha256_b64u: str, entry: Entry) -> PolicyRecord:
        """Put a draft before a second person; it is not edited any more.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyStateError: It is no draft.
            PolicyChangedError: It is another text than was seen.
        """
        return self._step(
            version_id, PolicyState.PROPOSED, seen_sha256_b64u=seen_sha256_b64u, entry=entry
        )

    def decide(
        self, version_id: int, *, is_approved: bool, seen_sha256_b64u: str, entry: Entry
    ) -> PolicyRecord:
        """Approve or reject what was proposed, as another person than who wrote or proposed it.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyStateError: It is not proposed.
            PolicySamePersonError: It is one who wrote or proposed it.
            PolicyChangedError: It is another text than was seen.
        """
        wanted = PolicyState.APPROVED if is_approved else PolicyState.REJECTED
        return self._step(version_id, wanted, seen_sha256_b64u=seen_sha256_b64u, entry=entry)

    def withdraw(self, version_id: int, *, entry: Entry) -> PolicyRecord:
        """Take back a version of our own that was never active.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyStateError: It was active, has ended, or ships.
            PolicyPlannedError: It is to become active on a later day.
        """
        return self._step(version_id, PolicyState.WITHDRAWN, entry=entry)

    def activate(self, version_id: int, *, entry: Entry, today: date) -> PolicyRecord:
        """Make an approved version the active one of its kind from now on; the other one retires.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyStateError: It is not approved, or is active.
            PolicyPlannedError: A version of its kind is to become active on a later day.
            PolicyNotPreviewedError: Nobody has looked at what it changes beside the active one, as
                of a day of the last month.
        """
        check_entry(entry)
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            record = get_record(store, version_id)
            check_step(record.state, PolicyState.ACTIVE, origin=record.origin)
            check_none_planned(store, record.name.kind)
            former = get_active(store, record.name.kind)
            kind = self.kinds[record.name.kind]
            check_previewed(store, kind, record, former, today=today)
            make_active(store, record, entry=entry, at_ms=self._clock.now_ms(), today=today)
            return get_record(store, version_id)

    def keep_preview(
        self,
        version_id: int,
        *,
        seen_sha256_b64u: str,
        base_sha256_b64u: str,
        as_of: date,
        actor: Actor,
        summary: JsonObject,
    ) -> PolicyPreview:
        """Keep the summary of what a text would change.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyChangedError: The text, or what is active, changed while it was worked out.
        """
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            record = get_record(store, version_id)
            check_seen(record, seen_sha256_b64u)
            base = get_active(store, record.name.kind)
            check_seen(base, base_sha256_b64u)
            store.append_preview(
                text_id=record.text.text_id,
                base_text_id=base.text.text_id,
                as_of=as_of,
                actor=actor,
                at_ms=self._clock.now_ms(),
                summary_json=json.dumps(summary, ensure_ascii=False, separators=(",", ":")),
            )
            kept = store.find_preview(text_id=record.text.text_id)
            if kept is None:
                raise InvariantError("a preview that was kept is not there")
            return kept

    def find_preview(self, version_id: int) -> PolicyPreview | None:
        """Return the newest preview of the text that a version has now.

        Raises:
            PolicyNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            store = PolicyStore(uow.connection)
            return store.find_preview(text_id=get_record(store, version_id).text.text_id)

    def get(self, version_id: int) -> PolicyRecord:
        """Return a version.

        Raises:
            PolicyNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return get_record(PolicyStore(uow.connection), version_id)

    def get_named(self, text: str) -> PolicyRecord:
        """Return the version that a person names: by its key, or as ``own-expert-2``.

        Raises:
            PolicyNotFoundError: There is none, or one of each of several kinds.
        """
        with self._database.read() as uow:
            store = PolicyStore(uow.connection)
            key = parse_key(text)
            if key is not None:
                return get_record(store, key)
            policy_id, _, number = text.rpartition("-")
            is_number = number.isascii() and number.isdigit() and len(number) <= len("10000")
            found = store.list_labelled(policy_id, int(number)) if is_number else []
        if len(found) != 1:
            raise PolicyNotFoundError("name one version: its number, or its label and version")
        return found[0]

    def get_active(self, kind: str) -> PolicyRecord:
        """Return the version of a kind that is active.

        Raises:
            PolicyKindUnknownError: There is no such kind.
        """
        if kind not in self.kinds:
            raise PolicyKindUnknownError(f"no room has policies of the kind {kind}")
        with self._database.read() as uow:
            return get_active(PolicyStore(uow.connection), kind)

    def get_content(self, text_id: int) -> bytes:
        """Return the exact bytes of a text that a record names."""
        with self._database.read() as uow:
            return PolicyStore(uow.connection).get_content(text_id)

    def list_versions(
        self, *, kind: str | None = None, limit: int = 100, before: int | None = None
    ) -> list[PolicyRecord]:
        """Return a page of versions, the newest first."""
        if kind is not None and kind not in self.kinds:
            return []
        with self._database.read() as uow:
            return PolicyStore(uow.connection).list_newest(
                kind=kind, limit=min(max(limit, 1), VERSIONS_PAGE_MAX), before=before
            )

    def _parse(self, raw: bytes) -> PolicyName:
        try:
            kind = parse_object(raw).get("kind")
        except MalformedError as err:
            raise PolicyFaultyError(err.detail) from err
        if not isinstance(kind, str) or kind not in self.kinds:
            known = ", ".join(sorted(self.kinds))
            raise PolicyKindUnknownError(f"its kind is none of {known}")
        return self.kinds[kind].parse(raw)

    def _draft(
        self, uow: UnitOfWork, name: PolicyName, raw: bytes, *, entry: Entry, base_id: int | None
    ) -> PolicyRecord:
        store = PolicyStore(uow.connection)
        if store.find_named(name) is not None:
            free = store.find_newest_version(name.kind, name.policy_id) + 1
            raise PolicyTakenError(f"there is a {name.label}; the next free version is {free}")
        if base_id is not None:
            get_record(store, base_id)
        version_id = store.append_version(name, origin=Origin.OWN, base_id=base_id)
        store.append_text(
            version_id,
            raw,
            revision=1,
            sha256_b64u=encode_b64u(sha256(raw)),
            actor=entry.actor,
            at_ms=self._clock.now_ms(),
            reason=entry.reason,
        )
        return get_record(store, version_id)

    def _append_text(
        self, store: PolicyStore, record: PolicyRecord, raw: bytes, *, entry: Entry
    ) -> None:
        store.append_text(
            record.version_id,
            raw,
            revision=record.text.revision + 1,
            sha256_b64u=encode_b64u(sha256(raw)),
            actor=entry.actor,
            at_ms=self._clock.now_ms(),
            reason=entry.reason,
        )

    def _step(
        self,
        version_id: int,
        wanted: PolicyState,
        *,
        entry: Entry,
        seen_sha256_b64u: str | None = None,
    ) -> PolicyRecord:
        check_entry(entry)
        with self._database.write() as uow:
            store = PolicyStore(uow.connection)
            record = get_record(store, version_id)
            check_step(record.state, wanted, origin=record.origin)
            if wanted in {PolicyState.APPROVED, PolicyState.REJECTED}:
                check_second_person(entry.actor, record.authors)
            if seen_sha256_b64u is not None:
                check_seen(record, seen_sha256_b64u)
            if wanted is PolicyState.WITHDRAWN and record.plan is not None:
                raise PolicyPlannedError(f"{record.name.label} is planned: withdraw that first")
            append_event(store, record, wanted, entry=entry, at_ms=self._clock.now_ms())
            return get_record(store, version_id)


def write_document(document: JsonObject) -> bytes:
    """Write a policy as people read it; the bytes are then what is approved."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
