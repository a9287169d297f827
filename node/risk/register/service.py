"""Use cases of the register: enter, change, look again; refresh what the portfolio shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.errors import ConflictError, InvariantError, NotFoundError, RejectedError
from node.core.money import AMOUNT_MINOR_MAX, CURRENCY_FORM
from node.decision.evidence import build_converter
from node.records.errors import check_report_day
from node.records.ledger.posting import check_by, check_reason, check_text, get_customer
from node.records.store.persons import list_person_ids
from node.records.tables import NAME_CHARS_MAX
from node.risk.portfolio.reading import PortfolioReader
from node.risk.portfolio.rules_concentration import find_pd
from node.risk.portfolio.service import build_report
from node.risk.register.rules_register import (
    ComputedRisk,
    EntryEvent,
    EntryState,
    RiskType,
    estimate,
    judge_change,
    list_computed,
)
from node.risk.register.store import (
    EntrySays,
    EntryStep,
    RegisterRun,
    RegisterStore,
    RiskEntry,
    RiskVersion,
)

ENTRIES_MAX = 1_000
REVIEW_DAYS_MAX = 3_660
OWNER_OF_COMPUTED = "credit-manager"
STANDING = frozenset(EntryState) - {EntryState.CLOSED}
ALL_TYPES = frozenset(RiskType)


class RiskEntryNotFoundError(NotFoundError):
    """There is no such entry."""

    code = "risk-entry-not-found"


class RiskEntryInvalidError(RejectedError):
    """The amounts, the day or what is changed of an entry make no sense."""

    code = "risk-entry-invalid"


class RiskEntryChangedError(ConflictError):
    """Something happened to the entry meanwhile."""

    code = "risk-entry-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRisk:
    """A risk that a person enters; shares in millionths, the exposure in minor units."""

    risk_type: RiskType
    title: str
    owner: str
    controls: str
    review_on: date
    currency: str
    exposure_minor: int
    likelihood_ppm: int
    lgd_ppm: int
    customer_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskChange:
    """What is otherwise from now on; None stays. A computed entry's figures are not changed."""

    title: str | None = None
    owner: str | None = None
    controls: str | None = None
    review_on: date | None = None
    state: EntryState | None = None
    exposure_minor: int | None = None
    likelihood_ppm: int | None = None
    lgd_ppm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSelection:
    """Which entries are asked for."""

    states: Collection[EntryState] = STANDING
    types: Collection[RiskType] = ALL_TYPES
    is_due: bool = False
    """Those only whose day of review has come."""
    entries_max: int = ENTRIES_MAX
    """How many: those with the most money at risk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedEntry:
    """An entry with its expected loss in the portfolio's currency; None without a rate."""

    entry: RiskEntry
    currency: str
    loss_minor: int | None


class RegisterService:
    """One public method is one transaction, but for the refreshes; entered by whom ``by`` names."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        reader: PortfolioReader,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._reader = reader
        self._business_date = business_date

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def enter(self, new: NewRisk, *, by: str) -> int:
        """Enter a risk and return its key.

        Raises:
            CustomerNotFoundError: The customer that it is about is not there.
            RiskEntryInvalidError: The currency is no code, the amount too large, or the review is
                past or too far away.
            LossInvalidError: A share is not within 0 and 1, or the exposure below 0.
            ItemInvalidError: A text cannot be kept.
        """
        check_by(by)
        if not CURRENCY_FORM.fullmatch(new.currency):
            raise RiskEntryInvalidError("a currency is a code of three capitals")
        says = EntrySays(
            title=new.title,
            owner=new.owner,
            controls=new.controls,
            review_on=new.review_on,
            state=EntryState.OPEN,
            figures=estimate(
                currency=new.currency,
                exposure_minor=new.exposure_minor,
                likelihood_ppm=new.likelihood_ppm,
                lgd_ppm=new.lgd_ppm,
            ),
        )
        self._check(says, is_review_new=True)
        with self._database.write() as uow:
            key = None
            if new.customer_id is not None:
                key = get_customer(uow, new.customer_id).customer_id
            step = self._build_step(EntryEvent.ENTERED, by=by, reason="")
            return RegisterStore(uow.connection).append(
                says, step, risk_type=new.risk_type, customer_id=key
            )

    def change(self, entry_id: int, change: RiskChange, *, reason: str, by: str) -> RiskEntry:
        """Change an entry, and return it as it stands then; without a change it was looked at.

        Raises:
            RiskEntryNotFoundError: There is none with this key.
            RiskEntryInvalidError: Figures or the title of a computed entry, an amount that is too
                large, or a review that is past or too far away.
            RiskEntryChangedError: Something happened to it meanwhile.
            LossInvalidError: A share is not within 0 and 1, or the exposure below 0.
            ItemInvalidError: A text cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            store = RegisterStore(uow.connection)
            entry = _get(store, entry_id)
            says = _apply(entry, change)
            self._check(says, is_review_new=change.review_on is not None)
            event = EntryEvent.REVIEWED if says == entry.says else EntryEvent.CHANGED
            step = self._build_step(event, by=by, reason=reason)
            _move(store, entry, says, step)
            return _get(store, entry_id)

    def list_entries(self, selection: RegisterSelection | None = None) -> list[RankedEntry]:
        """Return entries, most money at risk first; those without a figure or rate last.

        Raises:
            PolicyNoneActiveError: No policy of the portfolio is active.
        """
        selection = selection or RegisterSelection()
        today = self.today()
        with self._database.read() as uow:
            currency = self._reader.policies.read_active(uow).body.currency
            convert = build_converter(uow, currency, as_of=today)
            found = RegisterStore(uow.connection).list_entries(
                states=selection.states,
                types=selection.types,
                review_by=today if selection.is_due else None,
                currency_entries_max=selection.entries_max,
            )
        ranked = []
        for one in found:
            loss = one.says.figures.expected_loss_minor
            in_ours = None if loss is None else convert(loss, one.says.figures.currency)
            ranked.append(RankedEntry(entry=one, currency=currency, loss_minor=in_ours))
        ranked.sort(
            key=lambda one: (one.loss_minor is None, -(one.loss_minor or 0), one.entry.entry_id)
        )
        return ranked[: selection.entries_max]

    def get(self, entry_id: int) -> tuple[RiskEntry, list[RiskVersion]]:
        """Return an entry with all that it has said.

        Raises:
            RiskEntryNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            store = RegisterStore(uow.connection)
            return _get(store, entry_id), store.list_versions(entry_id)

    def refresh(self, *, by: str) -> RegisterRun:
        """Look at the portfolio of today: limits not kept, the expected loss of each grade.

        A cause is told once; again where it is worse or had gone. With nothing new, nothing of an
        entry is written.
        The portfolio is read in one transaction, and all entries with the run are written in
        another: what is entered between the two is in the next look, and what stops it leaves
        nothing of this one. Of two at once each writes what its own look has seen.

        Raises:
            PortfolioTooLargeError: There are too many customers.
            RecordsGoneError: Records or papers of today have expired.
            ReportInvalidError: Records are not of such a day.
            PolicyNoneActiveError: No policy of the portfolio, or no scale, is active.
            RiskEntryChangedError: Somebody changed an entry at the same moment; nothing is kept.
            ItemInvalidError: Who cannot be kept.
            InvariantError: What was kept is not there.
        """
        check_by(by)
        today = self.today()
        check_report_day(today)
        with self._database.read() as uow:
            portfolio = self._reader.read(uow, as_of=today)
        report, body = build_report(portfolio), portfolio.policy.body
        scale = portfolio.scale.body
        symbols = [*(one.grade for one in scale.grades), scale.default.grade]
        computed = list_computed(
            report.dimensions,
            report.breaches,
            currency=body.currency,
            lgd_ppm=body.lgd_ppm,
            pd_by_grade=[(one, find_pd(scale, one)) for one in symbols],
        )
        review_on = today + timedelta(days=body.review_days)
        with self._database.write() as uow:
            store = RegisterStore(uow.connection)
            changes = self._keep(store, computed, review_on=review_on, by=by)
            store.append_run(
                as_of=today,
                policy_sha256_b64u=portfolio.policy.sha256_b64u,
                scale_sha256_b64u=portfolio.scale.reference.sha256_b64u,
                entries=len(computed),
                changes=changes,
                entered_by=by,
                entered_at_ms=self._clock.now_ms(),
            )
            newest = store.find_newest_run()
        if newest is None:
            raise InvariantError("a look was kept and is not there")
        return newest

    def refresh_daily(self) -> bool:
        """Refresh unless that was done today by the policy and the scale that hold.

        Whether it was done is read before, in a transaction of its own: two processes that look at
        once may both refresh, and the second one finds nothing new.

        Raises:
            NodeError: As ``refresh`` raises it.
        """
        with self._database.read() as uow:
            last = RegisterStore(uow.connection).find_newest_run()
            policy = self._reader.policies.read_active(uow).sha256_b64u
            scale = self._reader.scales.read_active(uow).reference.sha256_b64u
        terms = (self.today(), policy, scale)
        if (
            last is not None
            and (
                last.as_of,
                last.policy_sha256_b64u,
                last.scale_sha256_b64u,
            )
            == terms
        ):
            return False
        self.refresh(by="schedule")
        return True

    def list_person_ids(self) -> frozenset[int]:
        """Return all natural persons: what one owes may be in any computed sum."""
        with self._database.read() as uow:
            return list_person_ids(uow.connection)

    def find_customer_id(self, entry_id: int) -> int | None:
        """Return whom an entry is about."""
        with self._database.read() as uow:
            found = RegisterStore(uow.connection).find(entry_id)
        return None if found is None else found.customer_id

    def _keep(
        self,
        store: RegisterStore,
        computed: Collection[ComputedRisk],
        *,
        review_on: date,
        by: str,
    ) -> int:
        known, changes = store.list_computed(), 0
        judged = store.list_judged()
        for one in computed:
            held = known.pop(one.cause, None)
            if held is None:
                says = EntrySays(
                    title="",
                    owner=OWNER_OF_COMPUTED,
                    controls="",
                    review_on=review_on,
                    state=EntryState.OPEN,
                    figures=one.figures,
                )
                store.append(
                    says,
                    self._build_step(EntryEvent.COMPUTED, by=by, reason=""),
                    risk_type=one.risk_type,
                    cause=one.cause,
                    customer_id=one.customer_id,
                )
                changes += 1
                continue
            event = judge_change(
                held.says.figures,
                one.figures,
                judged=judged[held.entry_id],
                state=held.says.state,
            )
            if event is None:
                continue
            is_told = event is not EntryEvent.UPDATED  # worse or back: somebody looks at it anew
            says = replace(
                held.says,
                figures=one.figures,
                state=EntryState.OPEN if is_told else held.says.state,
                review_on=review_on if is_told else held.says.review_on,
            )
            _move(store, held, says, self._build_step(event, by=by, reason=""))
            changes += 1
        for gone in known.values():
            if gone.says.state is not EntryState.CLOSED:
                says = replace(gone.says, state=EntryState.CLOSED)
                _move(store, gone, says, self._build_step(EntryEvent.CEASED, by=by, reason=""))
                changes += 1
        return changes

    def _check(self, says: EntrySays, *, is_review_new: bool) -> None:
        today = self.today()
        check_by(says.owner)
        for text, what in ((says.title, "a title"), (says.controls, "what is done about it")):
            if text:
                check_text(text, what=what, chars_max=NAME_CHARS_MAX)
        if says.figures.exposure_minor > AMOUNT_MINOR_MAX:
            raise RiskEntryInvalidError("the exposure is too large")
        last = today + timedelta(days=REVIEW_DAYS_MAX)
        if is_review_new and not today <= says.review_on <= last:
            raise RiskEntryInvalidError(f"the review is within {REVIEW_DAYS_MAX} days from today")

    def _build_step(self, event: EntryEvent, *, by: str, reason: str) -> EntryStep:
        return EntryStep(
            event=event, on=self.today(), reason=reason, by=by, at_ms=self._clock.now_ms()
        )


def _get(store: RegisterStore, entry_id: int) -> RiskEntry:
    found = store.find(entry_id)
    if found is None:
        raise RiskEntryNotFoundError(f"there is no entry {entry_id}")
    return found


def _move(store: RegisterStore, entry: RiskEntry, says: EntrySays, step: EntryStep) -> None:
    if not store.move(entry, says, step):
        raise RiskEntryChangedError(f"something happened to entry {entry.entry_id} meanwhile")


def _apply(entry: RiskEntry, change: RiskChange) -> EntrySays:
    says, figures = entry.says, entry.says.figures
    numbers = (change.exposure_minor, change.likelihood_ppm, change.lgd_ppm)
    is_refigured = any(one is not None for one in numbers)
    if entry.cause is not None and (is_refigured or change.title is not None):
        raise RiskEntryInvalidError("what the portfolio shows is computed, and not entered")
    if is_refigured:
        figures = estimate(
            currency=figures.currency,
            exposure_minor=_or(change.exposure_minor, figures.exposure_minor),
            likelihood_ppm=_or(change.likelihood_ppm, figures.likelihood_ppm or 0),
            lgd_ppm=_or(change.lgd_ppm, figures.lgd_ppm or 0),
        )
    return EntrySays(
        title=says.title if change.title is None else change.title,
        owner=says.owner if change.owner is None else change.owner,
        controls=says.controls if change.controls is None else change.controls,
        review_on=says.review_on if change.review_on is None else change.review_on,
        state=says.state if change.state is None else change.state,
        figures=figures,
    )


def _or(value: int | None, other: int) -> int:
    return other if value is None else value
