"""What the console's pages show, read from the services; the templates only lay it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from node.bootstrap.local import LocalNode
from node.core.errors import NodeError, UnavailableError
from node.core.money import divide_half_even
from node.rating.store import RatingRecord
from node.records.service import CUSTOMERS_PAGE_MAX, PortfolioRow
from node.records.store import CustomerRecord
from node.sharing.auditing import AuditService
from node.sharing.inquiring import InquiryService
from node.sharing.inquiry_desk import InquiryDesk
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService, IncomingRow, OutgoingRow
from node.sharing.upkeep import Upkeep
from node.web.texts import Texts

PORTFOLIO_CUSTOMERS_MAX = 5_000  # sorted and searched in memory; the API pages through more
ROWS_PER_PAGE = 50
REGISTER_ROWS_MAX = 200
LATE_DAYS = 90
PERMILLE = 1_000


class ConsoleNode(Protocol):
    """What the console needs of a node."""

    @property
    def local(self) -> LocalNode:
        """Records, assessment and rating."""
        ...

    @property
    def consents(self) -> ConsentService:
        """Consents held, and what was asked and answered."""
        ...

    @property
    def inquiries(self) -> InquiryService:
        """What was asked of several providers at once."""
        ...

    @property
    def inquiry_desk(self) -> InquiryDesk:
        """What carries inquiries out in the background."""
        ...

    @property
    def upkeep(self) -> Upkeep:
        """What says whether this node may exchange now."""
        ...

    @property
    def registry(self) -> RegistryHolder:
        """The federation's registry."""
        ...

    @property
    def auditing(self) -> AuditService:
        """What an auditor may see."""
        ...

    @property
    def api_token(self) -> str:
        """The token that buys a session."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How much of a customer who is signed in may see: ratings, what peers said, persons."""

    has_ratings: bool
    has_peers: bool
    has_persons: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """A customer in the list; ``figures`` is None without an invoice, ``rating`` before one."""

    customer: CustomerRecord
    figures: PortfolioRow | None
    rating: RatingRecord | None

    @property
    def currency(self) -> str:
        """The main currency, empty where nothing was sold."""
        return self.figures.currency if self.figures else ""

    @property
    def score_deci(self) -> int | None:
        """The score with peers."""
        return self.rating.score_with_peers_deci if self.rating else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencySum:
    """Owing and past due of one currency; ``share_permille`` is None where nothing is owed."""

    currency: str
    owing_minor: int
    past_due_minor: int
    share_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPage:
    """One page of the customer list, and what is said of the whole."""

    lines: tuple[CustomerLine, ...]
    matches: int
    page: int
    pages: int
    sums: tuple[CurrencySum, ...]
    customers: int
    without_score: int
    late: int
    changed: int
    is_cut: bool
    has_persons: bool
    hidden: int
    """Natural persons who are left out, since the role does not see them."""
    grades: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPage:
    """What left this house, with its subject where its consent is held, and what was asked."""

    incoming: tuple[tuple[IncomingRow, str | None], ...]
    outgoing: tuple[OutgoingRow, ...]
    rows_max: int


def read_portfolio(
    local: LocalNode, texts: Texts, *, query: str, sort: str, page: int, sight: Sight
) -> PortfolioPage:
    """Return a page of customers, the riskiest first unless another order is asked for."""
    held = _read_lines(local)
    persons = local.portfolio.list_persons()
    every = [
        _limit(line, sight)
        for line in held
        if sight.has_persons or line.customer.customer_id not in persons
    ]
    found = [line for line in every if _matches(line.customer, query)]
    ordered = _order(found, sort=sort)
    pages = max(1, -(-len(found) // ROWS_PER_PAGE))
    page = min(max(page, 1), pages)
    shown = ordered[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
    ratings = [line.rating for line in every if line.rating]
    return PortfolioPage(
        lines=tuple(shown),
        matches=len(found),
        page=page,
        pages=pages,
        sums=_sum_up(every),
        customers=len(every),
        without_score=sum(line.score_deci is None for line in every),
        late=sum(_overdue_days(line) > LATE_DAYS for line in every),
        changed=sum(rating.grade_own != rating.grade_with_peers for rating in ratings),
        is_cut=local.records.count_customers() > len(held),
        has_persons=any(line.customer.customer_id in persons for line in every),
        hidden=len(held) - len(every),
        grades=_describe_grades(local, texts, [line.rating for line in shown if line.rating]),
    )


def read_register(consents: ConsentService) -> RegisterPage:
    """Return the newest rows of the register."""
    incoming = consents.list_incoming(limit=REGISTER_ROWS_MAX)
    subjects: dict[bytes, str] = {}
    for consent in {row.consent for row in incoming if row.consent is not None}:
        if (held := consents.find(consent)) is not None:
            subjects[consent] = held.subject
    return RegisterPage(
        incoming=tuple(
            (row, None if row.consent is None else subjects.get(row.consent)) for row in incoming
        ),
        outgoing=tuple(consents.list_outgoing(limit=REGISTER_ROWS_MAX)),
        rows_max=REGISTER_ROWS_MAX,
    )


def is_simulated(registry: RegistryHolder) -> bool:
    """Tell whether the federation says that it is a simulation; without a registry it is none."""
    try:
        return registry.newest.simulated
    except UnavailableError:
        return False


def describe_grade(local: LocalNode, rating: RatingRecord, grade: str, *, texts: Texts) -> str:
    """Put a grade into words; a scale that is no longer held leaves the symbol."""
    try:
        return local.rating.describe(grade, language=texts.language, scale=rating.scale)
    except NodeError:
        return grade


def _read_lines(local: LocalNode) -> list[CustomerLine]:
    as_of = local.business_date()
    lines: list[CustomerLine] = []
    after = 0
    while len(lines) < PORTFOLIO_CUSTOMERS_MAX:
        customers = local.records.list_customers(limit=CUSTOMERS_PAGE_MAX, after=after)
        if not customers:
            break
        rows = local.records.list_portfolio(as_of=as_of, limit=CUSTOMERS_PAGE_MAX, after=after)
        figures = {row.customer.customer_id: row for row in rows}
        # Collective accounts have no rating, so that a page of these may reach further than ours.
        latest = local.rating.latest_ratings(limit=CUSTOMERS_PAGE_MAX, after=after)
        ratings = {rating.customer_id: rating for rating in latest}
        lines += [
            CustomerLine(
                customer=customer,
                figures=figures.get(customer.customer_id),
                rating=ratings.get(customer.customer_id),
            )
            for customer in customers
        ]
        after = customers[-1].customer_id
    return lines


def _limit(line: CustomerLine, sight: Sight) -> CustomerLine:
    """Return a line without what is not to be seen of its rating."""
    if line.rating is None or (sight.has_ratings and sight.has_peers):
        return line
    return replace(line, rating=rate_without_peers(line.rating) if sight.has_ratings else None)


def rate_without_peers(rating: RatingRecord) -> RatingRecord:
    """Return a rating as it would stand if no peer had said anything."""
    return replace(
        rating,
        grade_with_peers=rating.grade_own,
        score_with_peers_deci=rating.score_own_deci,
        with_peers_applied=rating.own_applied,
    )


def _matches(customer: CustomerRecord, query: str) -> bool:
    wanted = query.casefold()
    return wanted in customer.name.casefold() or wanted in customer.subject_id.casefold()


def _overdue_days(line: CustomerLine) -> int:
    return (line.figures.oldest_overdue_days or 0) if line.figures else 0


def _order(lines: Sequence[CustomerLine], *, sort: str) -> list[CustomerLine]:
    # Amounts of different currencies cannot be compared: the currency of most customers is first.
    counts = Counter(line.currency for line in lines)
    rank = {
        currency: number
        for number, currency in enumerate(sorted(counts, key=lambda one: (one == "", -counts[one])))
    }
    key = SORTS.get(sort, SORTS[SORT_DEFAULT])
    by_currency = sort not in _SORTS_WITHOUT_MONEY
    return sorted(
        lines,
        key=lambda line: (
            rank[line.currency] if by_currency else 0,
            key(line),
            line.customer.customer_id,
        ),
    )


def _last(value: int | None, *, is_descending: bool) -> tuple[bool, int]:
    # What is not there comes last in either direction.
    return value is None, 0 if value is None else (-value if is_descending else value)


def _by_past_due(line: CustomerLine) -> tuple[object, ...]:
    past_due = line.figures.past_due_minor if line.figures else None
    owing = line.figures.owing_minor if line.figures else None
    return (*_last(past_due, is_descending=True), *_last(owing, is_descending=True))


def _by_owing(line: CustomerLine) -> tuple[object, ...]:
    return _last(line.figures.owing_minor if line.figures else None, is_descending=True)


def _by_oldest(line: CustomerLine) -> tuple[object, ...]:
    days = line.figures.oldest_overdue_days if line.figures else None
    return _last(days, is_descending=True)


def _by_index(line: CustomerLine) -> tuple[object, ...]:
    return _last(line.figures.index_deci if line.figures else None, is_descending=False)


def _by_dbt(line: CustomerLine) -> tuple[object, ...]:
    return _last(line.figures.late_days_deci if line.figures else None, is_descending=True)


def _by_score(line: CustomerLine) -> tuple[object, ...]:
    return _last(line.score_deci, is_descending=False)


def _by_name(line: CustomerLine) -> tuple[object, ...]:
    return (line.customer.name.casefold(),)


SORT_DEFAULT = "past-due"
SORTS: Mapping[str, Callable[[CustomerLine], tuple[object, ...]]] = MappingProxyType(
    {
        SORT_DEFAULT: _by_past_due,
        "owing": _by_owing,
        "oldest": _by_oldest,
        "index": _by_index,
        "dbt": _by_dbt,
        "score": _by_score,
        "name": _by_name,
    }
)
_SORTS_WITHOUT_MONEY = frozenset({"oldest", "index", "dbt", "score", "name"})


def _sum_up(lines: Sequence[CustomerLine]) -> tuple[CurrencySum, ...]:
    owing: Counter[str] = Counter()
    past_due: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for line in lines:
        if line.figures:
            owing[line.currency] += line.figures.owing_minor
            past_due[line.currency] += line.figures.past_due_minor
            count[line.currency] += 1
    return tuple(
        CurrencySum(
            currency=currency,
            owing_minor=owing[currency],
            past_due_minor=past_due[currency],
            share_permille=_find_share(past_due[currency], owing[currency]),
        )
        for currency, _ in count.most_common()
    )


def _find_share(part_minor: int, whole_minor: int) -> int | None:
    return divide_half_even(part_minor * PERMILLE, whole_minor) if whole_minor > 0 else None


def _describe_grades(
    local: LocalNode, texts: Texts, ratings: Sequence[RatingRecord]
) -> tuple[tuple[str, str], ...]:
    words: dict[str, str] = {}
    for rating in ratings:
        for grade in (rating.grade_own, rating.grade_with_peers):
            if grade not in words:
                words[grade] = describe_grade(local, rating, grade, texts=texts)
    return tuple(sorted(words.items()))
