"""What is out on a subject: made once a month, the same for every receiver, kept as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from node.bootstrap.home import init_home
from node.bootstrap.local import LocalNode, build_local_node
from node.core.clock import ManualClock
from node.core.config import build_settings
from node.core.database import UnitOfWork
from node.core.decision import Batch
from node.core.errors import InvariantError
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.releases import Disclosed, Disclosures, Question, disclose
from node.sharing.store import ReleaseStore
from node.sharing.tables import overdue_day, release
from protocol.message import LogHead
from schemas.summary import Section, Summary, Tier
from tests.support.exchanges import write_invoices
from tests.support.nodes import OTHER_SUBJECT, SUBJECT
from tests.support.stores import FILE_NAME, migrated_url

TODAY = date(2026, 6, 30)
EVERY_SECTION = frozenset(Section)
HEAD = LogHead(size=1, root=bytes(32))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalNode]:
    settings = build_settings(
        home=tmp_path,
        database_url=migrated_url(tmp_path / FILE_NAME),
        member_id="beta.example",
        business_date=TODAY,
    )
    init_home(settings, key_names=())
    opened = build_local_node(settings, clock=ManualClock(0))
    opened.records.import_file(write_invoices(SUBJECT, count=12).encode(), file_name="a.csv")
    yield opened
    opened.close()


def build_question(*, on: date = TODAY, months: int = 12) -> Question:
    return Question(
        subject=SUBJECT,
        last_months=months,
        metrics=EVERY_SECTION,
        business_date=on,
        policy=DisclosurePolicy(),
    )


def ask(node: LocalNode, question: Question) -> Summary | None:
    with node.database.write() as uow:
        return disclose(uow, question)


def import_more(node: LocalNode) -> None:
    """Let the subject have paid everything that was booked later at once."""
    rows = write_invoices(SUBJECT, count=12).replace("S000001-", "S000001-B").encode()
    node.records.import_file(rows, file_name="b.csv")


def list_stored(node: LocalNode) -> list[tuple[int, int]]:
    with node.database.read() as uow:
        query = select(release.c.made_for_month, release.c.months)
        return sorted((row[0], row[1]) for row in uow.connection.execute(query))


def test_the_first_question_makes_every_window_and_later_ones_make_none(node: LocalNode) -> None:
    month = 2026 * 12 + 5 - 1

    first = ask(node, build_question(months=3))
    stored = list_stored(node)
    second = ask(node, build_question(months=12))

    assert first is not None
    assert second is not None
    assert (first.window.first, second.window.first) == ("2026-03", "2025-06")
    assert first.window.last == second.window.last == "2026-05"
    assert list_stored(node) == stored == [(month, 3), (month, 12)]


def test_a_release_stays_as_it_was_made_whatever_is_booked_later(node: LocalNode) -> None:
    before = ask(node, build_question())
    import_more(node)

    assert ask(node, build_question()) == before


def test_the_next_month_makes_the_next_release(node: LocalNode) -> None:
    ask(node, build_question())
    import_more(node)

    later = ask(node, build_question(on=date(2026, 7, 6)))

    assert later is not None
    assert later.window.last == "2026-06"
    assert len(list_stored(node)) == 4


def test_a_month_is_released_five_days_after_its_end(node: LocalNode) -> None:
    made = []
    for day in (1, 4, 5):
        ask(node, build_question(on=date(2026, 7, day)))
        made.append(len(list_stored(node)))

    assert made == [2, 2, 4]


def test_the_order_of_asking_does_not_change_what_is_told(node: LocalNode) -> None:
    months = (12, 3)
    one = {length: ask(node, build_question(months=length)) for length in months}
    with node.database.write() as uow:
        uow.connection.execute(release.delete())
        uow.connection.execute(overdue_day.delete())

    other = {length: ask(node, build_question(months=length)) for length in reversed(months)}

    assert one == other


def test_the_class_of_the_present_is_worked_out_once_a_day(node: LocalNode) -> None:
    first = ask(node, build_question())
    with node.database.write() as uow:
        uow.connection.execute(update(overdue_day).values(oldest=">90"))

    again = ask(node, build_question())
    tomorrow = ask(node, build_question(on=date(2026, 7, 1)))

    told = [one.overdue_now.oldest for one in (first, again, tomorrow) if one and one.overdue_now]
    assert told == ["none", ">90", "none"]


def test_a_consent_drops_whole_sections_and_the_rest_stays_the_same(node: LocalNode) -> None:
    whole = ask(node, build_question())
    part = ask(node, replace(build_question(), metrics=frozenset({Section.DELAY})))

    assert whole is not None
    assert part is not None
    assert part.delay == whole.delay
    assert (part.money, part.overdue_now, part.relation) == (None, None, None)


def test_of_an_unknown_subject_nothing_is_told_and_that_is_kept_too(node: LocalNode) -> None:
    question = replace(build_question(), subject=OTHER_SUBJECT)

    assert ask(node, question) is None
    assert ask(node, question) is None

    assert len(list_stored(node)) == 2


def test_two_invoices_are_a_class_where_the_consent_names_it(node: LocalNode) -> None:
    rows = write_invoices(OTHER_SUBJECT, count=2).encode()
    node.records.import_file(rows, file_name="two.csv")
    question = replace(build_question(), subject=OTHER_SUBJECT)

    told = ask(node, question)
    withheld = ask(node, replace(question, metrics=EVERY_SECTION - {Section.LATENESS}))

    assert told is not None
    assert (told.tier, withheld) == (Tier.CLASS, None)


# --- answers kept as bytes


def in_batch(
    node: LocalNode, use: Callable[[Batch], Disclosed | None], *, commit: bool = True
) -> Disclosed | None:
    class UndoneError(Exception):
        pass

    found: list[Disclosed | None] = []

    def run() -> None:
        with node.database.write() as uow:
            found.append(use(Batch(uow=uow, head=HEAD, now_ms=0)))
            if not commit:
                raise UndoneError

    if commit:
        run()
    else:
        with pytest.raises(UndoneError):
            run()
    return found[0]


def test_an_answer_is_the_same_bytes_kept_or_made(node: LocalNode) -> None:
    disclosures = Disclosures()

    answers = [
        in_batch(node, lambda batch: disclosures.disclose(batch, build_question()))
        for _ in range(3)
    ]

    assert answers[0] is not None
    assert answers[0].tier == "full"
    assert answers == [answers[0]] * 3
    assert list(disclosures._kept) == [build_question()]


def test_what_a_batch_has_made_itself_is_not_kept(node: LocalNode) -> None:
    disclosures = Disclosures()

    def ask_twice(batch: Batch) -> Disclosed | None:
        disclosures.disclose(batch, build_question())
        return disclosures.disclose(batch, build_question())

    undone = in_batch(node, ask_twice, commit=False)

    assert undone is not None
    assert list(disclosures._kept) == []
    assert list_stored(node) == []


def test_silence_is_kept_as_well(node: LocalNode) -> None:
    disclosures = Disclosures()
    question = replace(build_question(), subject=OTHER_SUBJECT, metrics=frozenset({Section.DELAY}))

    answers = [
        in_batch(node, lambda batch: disclosures.disclose(batch, question)) for _ in range(3)
    ]

    assert answers == [None, None, None]
    assert list(disclosures._kept) == [question]


@pytest.mark.parametrize("body", ["{", '{"v":1}', '{"v":1,"v":1}'])
def test_a_stored_release_that_cannot_be_read_is_our_own_fault(node: LocalNode, body: str) -> None:
    disclosures = Disclosures()
    ask(node, build_question())
    with node.database.write() as uow:
        uow.connection.execute(update(release).values(body=body))

    with pytest.raises(InvariantError):
        in_batch(node, lambda batch: disclosures.disclose(batch, build_question()))


def test_a_release_is_written_once(node: LocalNode) -> None:
    ask(node, build_question())

    def write_again(uow: UnitOfWork) -> None:
        store = ReleaseStore(uow.connection)
        [stored, *_] = store.list_earlier(str(SUBJECT))
        store.add(str(SUBJECT), stored, made_for_month=2026 * 12 + 4)

    with pytest.raises(Exception, match=r"(?i)unique"), node.database.write() as uow:
        write_again(uow)
    with node.database.read() as uow:
        count = uow.connection.execute(text("SELECT count(*) FROM release")).scalar_one()
    assert count == 2
