"""The list of all customers: ordered, narrowed down and paged by the store, as its address says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from urllib.parse import urlencode

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import RejectedError
from node.core.money import divide_half_even
from node.rating.tables import GRADE_CHARS_MAX
from node.risk.monitoring.words import say
from node.risk.overview.rules_listing import Moved, Narrowing, Sort
from node.risk.overview.rules_search import split_query
from node.risk.overview.service import CustomerLine, Freshness
from node.risk.overview.store.listing import Paging, Sights
from node.risk.overview.store.totals import CurrencyTotal, Totals
from node.risk.rules_finding import RiskStatus
from node.web.pages import Sight, describe_grade, rate_without_peers
from node.web.texts import Texts
from node.web.wording import say_code

ROWS_PER_PAGE = 50
QUERY_CHARS_MAX = 100
LIST_PATH = "/console/"
PERMILLE = 1_000
_SORTS_OF_RATINGS = frozenset({Sort.SCORE})
# What narrows the list by its address, in the order in which it is shown.
_NARROWED_BY = (
    *("q", "grade", "unrated", "status", "watched", "late", "changed", "currency", "moved"),
)
_YES = "1"


class ListFilterError(RejectedError):
    """The address narrows the list down by what there is not."""

    code = "list-filter-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """One thing that the list is narrowed down by, in words, and the list without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencySum:
    """Owing and past due of one currency; ``share_permille`` is None where nothing is owed."""

    currency: str
    owing_minor: int
    past_due_minor: int
    share_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One page of the list, and what is said of all customers that one may see."""

    asked: Mapping[str, str]
    sort: Sort
    lines: tuple[CustomerLine, ...]
    matches: int
    before: str
    after: str
    totals: Totals
    sums: tuple[CurrencySum, ...]
    narrowed: tuple[Narrowed, ...]
    note: Freshness | None
    """As of when the list is, where that is not now."""
    is_new: bool
    """Whether the list is being made for the first time."""
    has_persons: bool
    grades: tuple[tuple[str, str], ...]

    def address(self, **changes: str) -> str:
        """Return the address of this list with something changed, from its first page."""
        return build_list_address(dict(self.asked) | changes)

    @property
    def query(self) -> str:
        """What is searched for."""
        return self.asked.get("q", "")


def build_list_address(asked: Mapping[str, str]) -> str:
    """Return the address of the list that is asked for in this way."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{LIST_PATH}?{query}" if query else LIST_PATH


def read_list(
    local: LocalNode, texts: Texts, params: Mapping[str, str], *, sight: Sight
) -> ListPage:
    """Return the page that an address asks for, as far as one may see.

    What asks for ratings or risk is as if it were not there for who may not see them.

    Raises:
        ListFilterError: It narrows down by what there is not.
        ListCursorError: A cursor is none of this list.
    """
    asked = _choose_params(params, sight)
    narrowing = _parse_narrowing(asked)
    sort = Sort(asked.get("sort", Sort.PAST_DUE))
    found = local.monitoring.overview.list_customers(
        narrowing,
        Paging(
            sort=sort,
            before=params.get("before", ""),
            after=params.get("after", ""),
            size=ROWS_PER_PAGE,
        ),
        sights=find_sights(local, sight),
    )
    persons = local.portfolio.list_persons(among=[one.customer.customer_id for one in found.lines])
    lines = tuple(
        _limit(one, sight)
        for one in found.lines
        if sight.has_persons or one.customer.customer_id not in persons
    )
    freshness = found.freshness
    return ListPage(
        asked=asked,
        sort=sort,
        lines=lines,
        matches=found.cut.matches,
        before=found.cut.before,
        after=found.cut.after,
        totals=found.totals,
        sums=tuple(map(_share, found.totals.sums)),
        narrowed=tuple(_say_narrowed(asked, texts)),
        note=freshness if freshness and freshness.is_behind else None,
        is_new=freshness is None,
        has_persons=bool(persons),
        grades=_describe_grades(local, texts, lines),
    )


def find_sights(local: LocalNode, sight: Sight) -> Sights:
    """Return what of customers may be seen, as the overview asks for it."""
    return Sights(
        as_of=local.business_date(),
        has_peers=sight.has_ratings and sight.has_peers,
        has_persons=sight.has_persons,
    )


def _choose_params(params: Mapping[str, str], sight: Sight) -> dict[str, str]:
    """Return what of an address asks for something that may be seen."""
    may = {
        "grade": sight.has_ratings,
        "unrated": sight.has_ratings,
        "status": sight.has_ratings,
        "watched": sight.has_ratings,
        "moved": sight.has_ratings,
        "since": sight.has_ratings,
        "changed": sight.has_ratings and sight.has_peers,
    }
    asked = {
        name: params[name].strip()
        for name in (*_NARROWED_BY, "since")
        if params.get(name, "").strip() and may.get(name, True)
    }
    if "q" in asked:
        asked["q"] = asked["q"][:QUERY_CHARS_MAX]
    sort = params.get("sort", "")
    if sort in set(Sort) and (sight.has_ratings or sort not in _SORTS_OF_RATINGS):
        asked["sort"] = sort
    if asked.get("sort") == Sort.PAST_DUE:
        del asked["sort"]
    return asked


def _parse_narrowing(asked: Mapping[str, str]) -> Narrowing:
    query = asked.get("q", "")
    try:
        moved = Moved(asked["moved"]) if "moved" in asked else None
        since = date.fromisoformat(asked["since"]) if "since" in asked else None
        status = RiskStatus(asked["status"]) if "status" in asked else None
    except ValueError as err:
        raise ListFilterError("the address narrows the list down by what there is not") from err
    grade, currency = asked.get("grade", ""), asked.get("currency", "")
    is_printable = (grade + currency + query).isprintable()
    if (moved is None) != (since is None) or len(grade) > GRADE_CHARS_MAX or not is_printable:
        raise ListFilterError("the address narrows the list down by what there is not")
    return Narrowing(
        words=split_query(query),
        number=parse_key(query) if query else None,
        currency=currency,
        grade=grade,
        is_unrated=asked.get("unrated") == _YES,
        status=status,
        is_watched=asked.get("watched") == _YES,
        is_late=asked.get("late") == _YES,
        is_changed=asked.get("changed") == _YES,
        moved=moved,
        since=since,
    )


def _say_narrowed(asked: Mapping[str, str], texts: Texts) -> list[Narrowed]:
    found = []
    for name in _NARROWED_BY:
        if name not in asked:
            continue
        without = {key: value for key, value in asked.items() if key not in _TOGETHER[name]}
        found.append(Narrowed(words=_SAY[name](asked, texts), without=build_list_address(without)))
    return found


def _say_moved(asked: Mapping[str, str], texts: Texts) -> str:
    return texts(
        "narrowed.moved", what=say_code("moved", asked["moved"], texts), day=asked["since"]
    )


_TOGETHER: Mapping[str, frozenset[str]] = MappingProxyType(
    {name: frozenset({name}) for name in _NARROWED_BY} | {"moved": frozenset({"moved", "since"})}
)
_SAY: Mapping[str, Callable[[Mapping[str, str], Texts], str]] = MappingProxyType(
    {
        "q": lambda asked, texts: texts("narrowed.query", query=asked["q"]),
        "grade": lambda asked, texts: texts("narrowed.grade", grade=asked["grade"]),
        "unrated": lambda _, texts: texts("none.rated"),
        "status": lambda asked, texts: texts(
            "narrowed.status", status=say("status", asked["status"], texts.language)
        ),
        "watched": lambda _, texts: texts("narrowed.watched"),
        "late": lambda _, texts: texts("sum.late"),
        "changed": lambda _, texts: texts("sum.changed"),
        "currency": lambda asked, texts: texts("narrowed.currency", currency=asked["currency"]),
        "moved": _say_moved,
    }
)


def _limit(line: CustomerLine, sight: Sight) -> CustomerLine:
    """Return a line without what is not to be seen of its rating."""
    if line.rating is None or (sight.has_ratings and sight.has_peers):
        return line
    rating = rate_without_peers(line.rating) if sight.has_ratings else None
    return replace(line, rating=rating)


def _share(total: CurrencyTotal) -> CurrencySum:
    owing = total.owing_minor
    return CurrencySum(
        currency=total.currency,
        owing_minor=owing,
        past_due_minor=total.past_due_minor,
        share_permille=divide_half_even(total.past_due_minor * PERMILLE, owing)
        if owing > 0
        else None,
    )


def _describe_grades(
    local: LocalNode, texts: Texts, lines: tuple[CustomerLine, ...]
) -> tuple[tuple[str, str], ...]:
    words: dict[str, str] = {}
    for rating in (line.rating for line in lines if line.rating is not None):
        for grade in (rating.grade_own, rating.grade_with_peers):
            if grade not in words:
                words[grade] = describe_grade(local, rating, grade, texts=texts)
    return tuple(sorted(words.items()))
