"""Use cases of financial statements: one public method, one transaction, one commit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from node.assessment.statements.coverage import (
    COVERAGE_PAGE_MAX,
    CoveragePage,
    read_coverage,
)
from node.assessment.statements.errors import (
    StatementExistsError,
    StatementInvalidError,
    StatementNotFoundError,
)
from node.assessment.statements.report import (
    StatementReport,
    build_report,
    choose_basis,
    choose_counting,
)
from node.assessment.statements.rules_checks import check_series, check_statement
from node.assessment.statements.rules_findings import Finding, has_errors
from node.assessment.statements.rules_statement import (
    NOTHING,
    Basis,
    Provenance,
    Statement,
    complete,
    end_of_month_before,
)
from node.assessment.statements.store import StatementStore, StatementVersion
from node.assessment.statements.taxonomies import BUILT_IN, Taxonomy
from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.records.archiving import check_not_archived
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import RecordsStore
from node.records.store.holding import HoldingStore

KEEP_MONTHS = 120
EXPIRED_PAGE = 500
AFTER_WITHDRAWAL = "entered anew after a withdrawal"
SHA256_FORM = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What became of statements that were given: their keys in order, and what was found.

    A statement that is there already, figure by figure, keeps its key (``is_known``).
    """

    statement_ids: tuple[int, ...]
    findings: tuple[Finding, ...]
    known: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredStatements:
    """What is too old to be kept: how many versions, and how many of them a hold keeps."""

    versions: int
    held: int


class StatementService:
    """Enters, corrects, withdraws, reports and expires."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        business_date: date | None = None,
        keep_months: int = KEEP_MONTHS,
        taxonomies: Sequence[Taxonomy] = BUILT_IN,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``taxonomies`` are those by which files of XBRL are read.
        """
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._keep_months = keep_months
        self.taxonomies = tuple(taxonomies)

    def enter(
        self,
        customer_id: int,
        statements: Sequence[Statement],
        *,
        provenance: Provenance,
        by: str,
        is_trial: bool = False,
    ) -> Entered:
        """Enter statements, all or none; a trial finds the same, refuses nothing, keeps nothing.

        Raises:
            CustomerNotFoundError: There is none with this key.
            CustomerArchivedError: The relation is closed.
            StatementInvalidError: Any has a finding that refuses it.
            StatementExistsError: There is another one of that year and basis.
        """
        check_by(by)
        alone = [finding for one in statements for finding in self._check_alone(one, provenance)]
        if has_errors(alone) and is_trial:
            return Entered(statement_ids=(), findings=tuple(alone))
        if has_errors(alone):
            raise StatementInvalidError(alone)
        if is_trial:
            with self._database.read() as uow:
                new, known = _sort_out(uow, customer_id, statements)
                beside = self._check_beside(uow, customer_id, new)
            return Entered(statement_ids=(), findings=(*alone, *beside), known=len(known))
        with self._database.write() as uow:
            key = get_customer(uow, customer_id).customer_id
            check_not_archived(uow, key)
            new, known = _sort_out(uow, customer_id, statements)
            beside = self._check_beside(uow, customer_id, new)
            ids = dict(known)
            for one in new:
                ids[_place(one)] = self._append(
                    uow, one, customer_id=key, provenance=provenance, reason=None, by=by
                )
        return Entered(
            statement_ids=tuple(ids[_place(one)] for one in statements),
            findings=(*alone, *beside),
            known=len(known),
        )

    def correct(
        self,
        customer_id: int,
        statement_id: int,
        statement: Statement,
        *,
        provenance: Provenance,
        reason: str,
        by: str,
        is_trial: bool = False,
    ) -> Entered:
        """Enter the next version of a statement; its year and basis stay. A trial keeps nothing.

        Raises:
            StatementNotFoundError: The customer has no such statement that counts.
            StatementInvalidError: It has a finding that refuses it, or another year or basis.
        """
        check_by(by)
        check_reason(reason)
        alone = self._check_alone(statement, provenance)
        if is_trial:
            return self._try_correction(customer_id, statement, alone)
        if has_errors(alone):
            raise StatementInvalidError(alone)
        with self._database.write() as uow:
            check_not_archived(uow, get_customer(uow, customer_id).customer_id)
            found = _get_version(uow, customer_id, statement_id)
            if _place(found.statement) != _place(statement):
                raise StatementInvalidError(
                    [Finding(code="other-year", year_end=found.statement.year_end.isoformat())]
                )
            beside = self._check_beside(uow, customer_id, [statement])
            key = self._append(
                uow,
                statement,
                customer_id=found.customer_id,
                provenance=provenance,
                reason=reason,
                by=by,
            )
        return Entered(statement_ids=(key,), findings=(*alone, *beside))

    def get_version(self, customer_id: int, statement_id: int) -> StatementVersion:
        """Return a statement of a customer that counts, to be corrected or withdrawn.

        Raises:
            StatementNotFoundError: The customer has no such statement that counts.
        """
        with self._database.read() as uow:
            return _get_version(uow, customer_id, statement_id)

    def withdraw(self, customer_id: int, statement_id: int, *, reason: str, by: str) -> int:
        """Enter that a statement counts no longer; return the key of that version.

        Raises:
            StatementNotFoundError: The customer has no such statement that counts.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            check_not_archived(uow, get_customer(uow, customer_id).customer_id)
            found = _get_version(uow, customer_id, statement_id)
            return self._append(
                uow,
                replace(found.statement, lines=NOTHING, opening=NOTHING),
                customer_id=found.customer_id,
                provenance=found.provenance,
                reason=reason,
                by=by,
                is_withdrawn=True,
            )

    def report(
        self,
        customer_id: int,
        *,
        basis: Basis | None = None,
        as_of: date | None = None,
        known_at_ms: int | None = None,
    ) -> StatementReport:
        """Report a customer's statements as of a day, and as they were known at a moment.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
            versions = _list_versions(uow, key, known_at_ms=known_at_ms)
        return build_report(
            versions,
            customer_id=key,
            basis=basis,
            as_of=as_of or self.today(),
            known_at_ms=known_at_ms,
        )

    def list_coverage(
        self, *, as_of: date | None = None, after: int = 0, limit: int = COVERAGE_PAGE_MAX
    ) -> CoveragePage:
        """Return a page of customers with whether the last closed year of each is there."""
        with self._database.read() as uow:
            return read_coverage(
                uow,
                as_of=as_of or self.today(),
                after=after,
                limit=min(limit, COVERAGE_PAGE_MAX),
            )

    def list_versions(self, customer_id: int) -> list[StatementVersion]:
        """Return every version of a customer's statements, in the order of their entry.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return _list_versions(uow, get_customer(uow, customer_id).customer_id)

    def expire(self, *, by: str, is_trial: bool = False) -> ExpiredStatements:
        """Delete the statements of years that ended longer ago than the term; a hold keeps them.

        A trial only counts. What is too old is not entered again either.
        """
        check_by(by)
        versions, held, after = 0, 0, 0
        while True:
            with self._database.write() as uow:
                page = StatementStore(uow.connection).list_older(
                    self._oldest(), after=after, limit=EXPIRED_PAGE
                )
                kept = _list_held(uow, page, day=self.today())
                gone = [one.statement_id for one in page if one.statement_id not in kept]
                if not is_trial:
                    StatementStore(uow.connection).delete(gone)
            versions += len(gone)
            held += len(kept)
            if len(page) < EXPIRED_PAGE:
                break
            after = page[-1].statement_id
        if versions and not is_trial:
            self._database.overwrite_deleted()
        return ExpiredStatements(versions=versions, held=held)

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _oldest(self) -> date:
        """Return the day before which a year that ended is too old."""
        return end_of_month_before(self.today(), months=self._keep_months)

    def _check_alone(self, statement: Statement, provenance: Provenance) -> list[Finding]:
        year_end = statement.year_end.isoformat()
        found = check_statement(statement, received_on=provenance.received_on, today=self.today())
        if statement.year_end < self._oldest():
            found.append(Finding(code="too-old", year_end=year_end))
        document = provenance.document_sha256_hex
        if document is not None and not SHA256_FORM.fullmatch(document):
            found.append(Finding(code="document-hash", year_end=year_end))
        return found

    def _try_correction(
        self, customer_id: int, statement: Statement, alone: Sequence[Finding]
    ) -> Entered:
        if has_errors(alone):
            return Entered(statement_ids=(), findings=tuple(alone))
        with self._database.read() as uow:
            beside = self._check_beside(uow, customer_id, [statement])
        return Entered(statement_ids=(), findings=(*alone, *beside))

    def _check_beside(
        self, uow: UnitOfWork, customer_id: int, statements: Sequence[Statement]
    ) -> list[Finding]:
        """Check what is given within the series that it becomes part of."""
        found: list[Finding] = []
        given = {_place(one): one for one in statements}
        standing = {
            _place(one.statement): one.statement for one in _list_counting(uow, customer_id)
        }
        for basis in sorted({one.basis for one in statements}):
            series = standing | given
            ordered = [series[place] for place in sorted(series) if place[1] is basis]
            beside = check_series(ordered)
            for before, one in zip([None, *ordered], ordered, strict=False):
                is_touched = before is not None and _place(before) in given
                if is_touched or _place(one) in given:
                    found.extend(beside[one.year_end])
        return found

    def _append(
        self,
        uow: UnitOfWork,
        statement: Statement,
        *,
        customer_id: int,
        provenance: Provenance,
        reason: str | None,
        by: str,
        is_withdrawn: bool = False,
    ) -> int:
        store = StatementStore(uow.connection)
        version = 1 + store.find_last_version((customer_id, statement.year_end, statement.basis))
        return store.append(
            statement,
            customer_id=customer_id,
            version=version,
            provenance=provenance,
            reason=reason if version == 1 else reason or AFTER_WITHDRAWAL,
            by=by,
            at_ms=self._clock.now_ms(),
            is_withdrawn=is_withdrawn,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestStatement:
    """A customer's newest statement with the totals that follow from its lines, in minor units."""

    version: StatementVersion
    amounts: Mapping[str, int]


def find_newest_statement(
    uow: UnitOfWork, customer_id: int, *, as_of: date
) -> NewestStatement | None:
    """Return the newest statement that counts on a day, of the basis that evidence is of."""
    counting = choose_counting(_list_versions(uow, customer_id), as_of=as_of)
    basis = choose_basis(counting)
    if basis is None:
        return None
    newest = counting.by_basis[basis][-1]
    return NewestStatement(version=newest, amounts=complete(newest.statement.lines)[0])


def _place(statement: Statement) -> tuple[date, Basis]:
    return (statement.year_end, statement.basis)


def _list_versions(
    uow: UnitOfWork, customer_id: int, *, known_at_ms: int | None = None
) -> list[StatementVersion]:
    """Return the versions of a customer and of those that turned out to be it."""
    ids = RecordsStore(uow.connection).list_ids(customer_id, known_at_ms=known_at_ms)
    return StatementStore(uow.connection).list_versions(ids, known_at_ms=known_at_ms)


def _list_counting(uow: UnitOfWork, customer_id: int) -> list[StatementVersion]:
    key = get_customer(uow, customer_id).customer_id
    counting = choose_counting(_list_versions(uow, key), as_of=date.max)
    return [one for series in counting.by_basis.values() for one in series]


def _sort_out(
    uow: UnitOfWork, customer_id: int, statements: Sequence[Statement]
) -> tuple[list[Statement], dict[tuple[date, Basis], int]]:
    """Return what is new, and the keys of what is there already with the same figures.

    Raises:
        StatementExistsError: One is there with others, or is given twice.
    """
    standing = {_place(one.statement): one for one in _list_counting(uow, customer_id)}
    new: dict[tuple[date, Basis], Statement] = {}
    known: dict[tuple[date, Basis], int] = {}
    for one in statements:
        place = _place(one)
        there = standing.get(place)
        if place in new or place in known or (there is not None and there.statement != one):
            key = "" if there is None else f" (key {there.statement_id})"
            raise StatementExistsError(
                f"{place[0]} {place[1]}: there is a statement{key}; correct it with a reason"
            )
        if there is None:
            new[place] = one
        else:
            known[place] = there.statement_id
    return list(new.values()), known


def _get_version(uow: UnitOfWork, customer_id: int, statement_id: int) -> StatementVersion:
    for one in _list_counting(uow, customer_id):
        if one.statement_id == statement_id:
            return one
    raise StatementNotFoundError("the customer has no such statement that counts")


def _list_held(uow: UnitOfWork, page: Sequence[StatementVersion], *, day: date) -> set[int]:
    """Return which versions are of customers that are held whole, as entered or as merged since."""
    owners = {
        one.customer_id: {one.customer_id, get_customer(uow, one.customer_id).customer_id}
        for one in page
    }
    asked = sorted({key for keys in owners.values() for key in keys})
    holds = HoldingStore(uow.connection).list_holds(asked) if asked else []
    held = {one.customer_id for one in holds if one.item_id is None and one.is_active(day)}
    return {one.statement_id for one in page if owners[one.customer_id] & held}
