"""Use cases of procedures: published as versions, read and confirmed by persons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.files import SHA256_FORM
from node.core.people.names import fold_name
from node.core.people.service import Principal, Role
from node.governance.people import list_holders
from node.governance.texts import check_lines
from node.governance.training.errors import (
    NotConfirmableError,
    ProcedureInvalidError,
    ProcedureNotFoundError,
    ProcedureOutdatedError,
)
from node.governance.training.record import Confirmation, Procedure, Standing
from node.governance.training.store import ProcedureStore
from node.governance.training.tables import SLUG_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX
from node.records.ledger.posting import check_by, check_text

PROCEDURES_MAX = 500
CONFIRMATIONS_MAX = 1_000
_SLUG_FORM = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
READERS = frozenset(Role) - {Role.OPERATOR, Role.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProcedure:
    """What a version says, or the hash of the paper that says it, and for whom."""

    slug: str
    title: str
    text: str | None = None
    document_sha256_hex: str | None = None
    roles: frozenset[Role]
    """Who has to read it; none of them: it is over."""


class TrainingService:
    """One public method is one transaction."""

    def __init__(
        self, *, database: Database, clock: Clock, business_date: date | None = None
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date

    def publish(self, new: NewProcedure, *, by: str) -> Procedure:
        """Enter the next version of a procedure: everybody for whom it is reads it anew.

        Raises:
            ProcedureInvalidError: Its name, text, hash or roles cannot be so.
        """
        check_by(by)
        _check(new)
        with self._database.write() as uow:
            store = ProcedureStore(uow.connection)
            before = store.find(new.slug)
            procedure = Procedure(
                version_id=0,
                slug=new.slug,
                version=1 if before is None else before.version + 1,
                title=new.title,
                text=new.text,
                document_sha256_hex=new.document_sha256_hex,
                roles=new.roles,
                published_on=self._today(),
                entered_by=by,
                entered_at_ms=self._clock.now_ms(),
            )
            return replace(procedure, version_id=store.append(procedure))

    def confirm(self, slug: str, *, version: int, actor: Principal) -> Confirmation:
        """Keep that a person has read the newest version; a second time changes nothing.

        Raises:
            ProcedureNotFoundError: There is no such version.
            ProcedureOutdatedError: There is a newer one.
            NotConfirmableError: It is the operator's token, or not for the person's role.
        """
        person = fold_name(actor.name)
        with self._database.write() as uow:
            store = ProcedureStore(uow.connection)
            found = _get(store, slug, version=version)
            if actor.role not in READERS or not person:
                raise NotConfirmableError("a person confirms, with a token of its own")
            newest = _get(store, slug)
            if found.version != newest.version:
                raise ProcedureOutdatedError(f"version {newest.version} is to be read")
            if actor.role not in found.roles:
                raise NotConfirmableError(f"it is not for the role {actor.role}")
            for one in store.list_confirmations([found.version_id]):
                if one.person == person:
                    return one
            confirmation = Confirmation(
                version_id=found.version_id,
                person=person,
                name=actor.name,
                who=actor.who,
                role=actor.role,
                confirmed_on=self._today(),
                confirmed_at_ms=self._clock.now_ms(),
            )
            store.append_confirmation(confirmation)
            return confirmation

    def get(self, slug: str, *, version: int | None = None) -> Procedure:
        """Return a version of a procedure, or the newest.

        Raises:
            ProcedureNotFoundError: There is none.
        """
        with self._database.read() as uow:
            return _get(ProcedureStore(uow.connection), slug, version=version)

    def list_procedures(self) -> list[Procedure]:
        """Return the newest version of each procedure."""
        with self._database.read() as uow:
            return ProcedureStore(uow.connection).list_newest(limit=PROCEDURES_MAX)

    def list_standings(self) -> list[Standing]:
        """Return who has confirmed the newest version of each procedure, and who has not.

        Asked are the persons who hold a role that it names by a token that is in force now.
        """
        with self._database.read() as uow:
            return self._list_standings(uow)

    def list_own(self, actor: Principal) -> list[tuple[Procedure, bool]]:
        """Return the procedures for a person's role, and whether the person has confirmed each."""
        person = fold_name(actor.name)
        with self._database.read() as uow:
            store = ProcedureStore(uow.connection)
            found = [
                one for one in store.list_newest(limit=PROCEDURES_MAX) if actor.role in one.roles
            ]
            done = {
                one.version_id
                for one in store.list_confirmations([one.version_id for one in found])
                if one.person == person
            }
            return [(one, one.version_id in done) for one in found]

    def list_of_person(self, name: str) -> list[tuple[Procedure, Confirmation]]:
        """Return what a person has confirmed and when: its line of the training register."""
        with self._database.read() as uow:
            return ProcedureStore(uow.connection).list_of_person(
                fold_name(name), limit=CONFIRMATIONS_MAX
            )

    def _list_standings(self, uow: UnitOfWork) -> list[Standing]:
        store = ProcedureStore(uow.connection)
        procedures = store.list_newest(limit=PROCEDURES_MAX)
        holders = list_holders(uow, now_ms=self._clock.now_ms())
        said = _group(store.list_confirmations(one.version_id for one in procedures))
        standings = []
        for one in procedures:
            asked = [holder for holder in holders if holder.roles & one.roles]
            done = said.get(one.version_id, {})
            standings.append(
                Standing(
                    procedure=one,
                    confirmed=tuple(done[each.person] for each in asked if each.person in done),
                    missing=tuple(each for each in asked if each.person not in done),
                )
            )
        return standings

    def _today(self) -> date:
        return current_business_date(self._clock, fixed=self._business_date)


def _group(confirmations: Iterable[Confirmation]) -> dict[int, dict[str, Confirmation]]:
    found: dict[int, dict[str, Confirmation]] = {}
    for one in confirmations:
        found.setdefault(one.version_id, {})[one.person] = one
    return found


def _check(new: NewProcedure) -> None:
    if not _SLUG_FORM.fullmatch(new.slug) or len(new.slug) > SLUG_CHARS_MAX:
        raise ProcedureInvalidError("a name is of small letters, digits and hyphens: order-check")
    check_text(new.title, what="a title", chars_max=TITLE_CHARS_MAX)
    if new.text is None and new.document_sha256_hex is None:
        raise ProcedureInvalidError("a text, or the SHA-256 of the paper")
    if new.text is not None:
        check_lines(new.text, what="a text", chars_max=TEXT_CHARS_MAX)
    digest = new.document_sha256_hex
    if digest is not None and not SHA256_FORM.fullmatch(digest):
        raise ProcedureInvalidError("a paper is named by its SHA-256")
    if not new.roles <= READERS:
        raise ProcedureInvalidError("the operator's token and auditors confirm nothing")


def _get(store: ProcedureStore, slug: str, *, version: int | None = None) -> Procedure:
    found = store.find(slug, version=version)
    if found is None:
        raise ProcedureNotFoundError(f"there is no such procedure {slug}")
    return found
