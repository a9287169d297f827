"""The console's forms: what is typed is entered once, by who is signed in, or refused in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from node.core.clock import ManualClock
from node.core.people.service import Role
from node.records.rules_default import DefaultState
from node.web.entry_desk import KEY_LIFE_S
from tests.support.console_node import BUSINESS_DATE
from tests.support.console_people import Desk, close_desk, make_home, open_desk, read_form

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 31)
HASH = "ab" * 32


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("empty") / "home")


@pytest.fixture
def desk(tmp_path: Path, home: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home", like=home)
    desk.sign_in(Role.CREDIT_MANAGER, "Zhao Min")
    yield desk
    close_desk(desk)


def key_of(page: str, number: str) -> int:
    found = re.search(rf'href="/console/items/([0-9]+)">[^<]*{number}', page)
    assert found is not None, page
    return int(found[1])


def list_open(desk: Desk) -> dict[str, int]:
    lines = desk.node.local.ledger.list_open(desk.customer_id, as_of=BUSINESS_DATE)
    return {f"{line.document_no}/{line.line}": line.open_minor for line in lines}


def test_an_invoice_is_entered_with_its_instalments_by_who_is_signed_in(desk: Desk) -> None:
    page = desk.enter(
        f"{desk.home}/enter/invoice",
        document_no="R 1",
        happened_on="2026-05-01",
        currency="eur",
        **{"due_on.1": "2026-06-01", "term.1": "1.234,56"},
        **{"due_on.3": "2026-07-31", "term.3": "1,000.00"},
    )

    assert "EUR\N{NO-BREAK SPACE}2,234.56" in page
    story = desk.tell(key_of(page, "R 1"))
    assert story.versions[0].entered_by == "Zhao Min"
    assert list_open(desk) == {"R 1/1": 123_456, "R 1/2": 100_000}


def test_what_cannot_be_read_is_said_beside_its_field_and_what_was_typed_is_kept(
    desk: Desk,
) -> None:
    path = f"{desk.home}/enter/invoice"
    form = desk.open_form(path)
    typed = {"document_no": "R<1>", "happened_on": "1 May", "term.1": "1,234", "currency": "EUR"}

    answer = desk.send(path, form | typed)

    assert answer.status_code == 422
    page = answer.text
    assert 'id="happened_on-wrong">A day is written' in page
    assert 'id="term.1-wrong">It can be read in two ways' in page
    assert 'id="due_on.1-wrong">This is needed' in page
    assert 'value="R&lt;1&gt;"' in page
    assert read_form(page)["happened_on"] == "1 May"
    assert list_open(desk) == {}


def test_more_rows_are_shown_and_nothing_is_entered(desk: Desk) -> None:
    path = f"{desk.home}/enter/invoice"
    form = desk.open_form(path) | {"more": "1", "due_on.1": "2026-06-01", "document_no": "R1"}

    answer = desk.send(path, form)

    assert answer.status_code == 200
    assert {"due_on.9", "term.9"} <= set(read_form(answer.text))
    assert read_form(answer.text)["due_on.1"] == "2026-06-01"


def test_a_form_that_is_sent_twice_enters_once_and_leads_to_the_same_result(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"/console/items/{item_id}/enter/dispute"
    form = desk.open_form(path) | {"amount": "4.00", "cause": "price"}

    first, again = desk.send(path, form), desk.send(path, form)

    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    assert len(desk.tell(item_id).disputes) == 1


def test_another_content_with_the_key_of_a_form_that_was_entered_is_asked_about(
    desk: Desk,
) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"/console/items/{item_id}/enter/dispute"
    form = desk.open_form(path) | {"amount": "4.00", "cause": "price"}
    desk.send(path, form)

    answer = desk.send(path, form | {"amount": "5.00"})

    assert answer.status_code == 409
    assert "entered already, with something else" in answer.text
    assert len(desk.tell(item_id).disputes) == 1
    assert desk.send(path, read_form(answer.text)).status_code == 303
    assert len(desk.tell(item_id).disputes) == 2


@pytest.mark.parametrize("key", ["", "1.2", "a.b.c", "1782820800.AAAA.BBBB", "9" * 40 + ".a.b"])
def test_a_form_of_before_a_restart_enters_nothing_until_it_is_sent_again(
    desk: Desk, key: str
) -> None:
    path = f"{desk.home}/enter/default"
    form = desk.open_form(path) | {"evidence": "court", "sha256": HASH, "key": key}

    answer = desk.send(path, form)

    assert answer.status_code == 409
    assert "may have been entered" in answer.text
    assert desk.node.local.defaults.list_defaults(desk.customer_id) == []
    assert desk.send(path, read_form(answer.text)).status_code == 303


def test_a_form_of_yesterday_or_of_another_person_enters_nothing(desk: Desk) -> None:
    path = f"{desk.home}/enter/default"
    typed = {"evidence": "court", "sha256": HASH}
    form = desk.open_form(path) | typed
    desk.sign_in(Role.COLLECTOR, "Li Wei")
    assert desk.send(path, form).status_code == 409
    late = desk.open_form(path) | typed
    clock = desk.node.local.clock
    assert isinstance(clock, ManualClock)
    clock.advance_s(KEY_LIFE_S + 1)
    desk.sign_in(Role.COLLECTOR, "Li Wei")

    assert desk.send(path, late).status_code == 409


def test_what_the_ledger_refuses_stands_above_the_form_which_may_be_sent_again(
    desk: Desk,
) -> None:
    desk.invoice("R1", (JUNE, 1_000))
    path = f"{desk.home}/enter/invoice"
    form = desk.open_form(path) | {"due_on.1": "2026-06-01", "term.1": "10", "currency": "EUR"}
    form["document_no"] = "R1"

    answer = desk.send(path, form)

    assert answer.status_code == 409
    assert "A document of this number is here already." in answer.text
    assert desk.send(path, read_form(answer.text) | {"document_no": "R2"}).status_code == 303


@pytest.mark.parametrize(
    ("allocate", "left"),
    [
        ("oldest-first", {"R1/2": 500, "R2/1": 700}),
        ("exact", {"R1/2": 500, "R2/1": 700}),
        ("none", {"R1/1": 1_000, "R1/2": 500, "R2/1": 700, "P1/1": 1_000}),
    ],
)
def test_a_payment_pays_for_what_is_said(desk: Desk, allocate: str, left: dict[str, int]) -> None:
    desk.invoice("R1", (JUNE, 1_000), (JULY, 500))
    desk.invoice("R2", (JULY, 700))

    page = desk.enter(
        f"{desk.home}/enter/payment", document_no="P1", amount="10", allocate=allocate
    )

    assert list_open(desk) == left
    assert desk.tell(key_of(page, "P1")).versions[0].entered_by == "Zhao Min"


def test_a_payment_pays_for_the_instalments_that_are_chosen(desk: Desk) -> None:
    first, second = desk.invoice("R1", (JUNE, 1_000), (JULY, 500))
    (third,) = desk.invoice("R2", (JULY, 700))

    desk.enter(
        f"{desk.home}/enter/payment",
        document_no="P1",
        amount="7.00",
        allocate="chosen",
        items=[str(second), str(third)],
        **{f"amount.{third}": "1.50"},
    )

    assert list_open(desk) == {"R1/1": 1_000, "R2/1": 550, "P1/1": 50}
    assert {row.other_id for row in desk.tell(second).applied}
    assert not desk.tell(first).applied


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"allocate": "chosen"}, "items"),
        ({"allocate": "oldest-first", "items": "{key}"}, "allocate"),
        ({"allocate": "chosen", "items": "999"}, "items"),
        ({"allocate": "chosen", "amount.{key}": "10.01"}, "amount.{key}"),
        ({"allocate": "chosen", "items": "{key}", "currency": "USD"}, "items"),
        ({"allocate": "all"}, "allocate"),
        ({"amount": "-1"}, "amount"),
    ],
)
def test_a_payment_that_contradicts_itself_is_not_entered(
    desk: Desk, typed: dict[str, str], wrong: str
) -> None:
    (key,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"{desk.home}/enter/payment"
    form = desk.open_form(path) | {"document_no": "P1", "amount": "10.00"}
    filled = {name.format(key=key): value.format(key=key) for name, value in typed.items()}

    answer = desk.send(path, form | filled)

    assert answer.status_code == 422
    assert f'id="{wrong.format(key=key)}-wrong"' in answer.text
    assert list_open(desk) == {"R1/1": 1_000}


def test_what_is_left_of_a_credit_note_is_applied_later(desk: Desk) -> None:
    page = desk.enter(
        f"{desk.home}/enter/credit-note",
        document_no="G1",
        amount="5",
        currency="EUR",
        allocate="none",
    )
    note = key_of(page, "G1")
    desk.invoice("R1", (JUNE, 300))

    desk.enter(f"/console/items/{note}/enter/apply", allocate="oldest-first")

    assert list_open(desk) == {"G1/1": 200}


def test_a_dispute_is_entered_and_ended_once(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    desk.enter(f"/console/items/{item_id}/enter/dispute", amount="4", cause="quality")
    (dispute,) = desk.tell(item_id).disputes
    path = f"/console/items/{item_id}/disputes/{dispute.dispute_id}/end"

    desk.enter(path, outcome="partly", reason="half of it was late")

    (ended,) = desk.tell(item_id).disputes
    assert ended.end is not None
    assert ended.end.reason == "half of it was late"
    assert desk.client.get(path).status_code == 404
    assert desk.client.get(f"/console/items/{item_id}/disputes/99/end").status_code == 404


def test_a_promise_is_entered_for_chosen_items_and_withdrawn(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    desk.enter(f"{desk.home}/enter/promise", items=str(item_id), amount="10", due_on="2026-07-15")
    (one,) = desk.node.local.promises.report(desk.customer_id, as_of=BUSINESS_DATE).promises
    assert one.promise.item_ids == (item_id,)
    assert one.promise.entered_by == "Zhao Min"

    desk.enter(f"{desk.home}/promises/{one.promise.promise_id}/withdrawal", reason="they called")

    (one,) = desk.node.local.promises.report(desk.customer_id, as_of=BUSINESS_DATE).promises
    assert one.promise.end_reason == "they called"
    path = f"{desk.home}/promises/{one.promise.promise_id}/withdrawal"
    assert desk.client.get(path).status_code == 404


def test_what_is_written_off_is_recovered_by_a_payment_that_pays_for_it(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"{desk.home}/enter/write-off"
    ticked = desk.client.get(path, params={"item": item_id}).text
    assert read_form(ticked)["items"] == str(item_id)
    page = desk.enter(path, items=str(item_id), document_no="W1")
    loss = key_of(page, "W1")
    assert list_open(desk) == {}

    page = desk.enter(f"/console/items/{loss}/enter/recovery", amount="4", document_no="P9")

    assert list_open(desk) == {}
    (applied,) = desk.tell(key_of(page, "P9")).applied
    assert (applied.other_id, applied.amount_minor) == (item_id, 400)
    form = desk.open_form(f"/console/items/{loss}/enter/recovery")
    form |= {"amount": "6.01", "document_no": "P10"}
    refused = desk.send(f"/console/items/{loss}/enter/recovery", form)
    assert refused.status_code == 422
    assert desk.node.local.ledger.list_named(desk.customer_id, "P10") == []


def test_a_correction_is_the_next_version_with_its_reason(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"/console/items/{item_id}/enter/correction"
    unchanged = desk.open_form(path) | {"reason": "none"}
    assert "Nothing is changed." in desk.send(path, unchanged).text

    page = desk.enter(path, amount="9", due_on="2026-06-15", reason="list of last year")

    new = desk.tell(key_of(page, "R1"))
    assert (new.item.amount_minor, new.item.due_on) == (900, date(2026, 6, 15))
    assert new.versions[0].correction_reason == "list of last year"
    assert desk.client.get(path).status_code == 404
    desk.enter(f"/console/items/{new.item.item_id}/enter/cancellation", reason="not ours")
    assert list_open(desk) == {}


def test_a_default_is_confirmed_by_another_person_alone_and_ended(desk: Desk) -> None:
    desk.enter(f"{desk.home}/enter/default", evidence="court", sha256=HASH.upper())
    (found,) = desk.node.local.defaults.list_defaults(desk.customer_id)
    path = f"{desk.home}/defaults/{found.default_id}/decision"
    form = desk.open_form(path) | {"outcome": "confirmed", "reason": "the file"}
    refused = desk.send(path, form)
    assert refused.status_code == 409
    assert "Another person confirms it" in refused.text
    desk.sign_in(Role.ANALYST, "Li Wei")

    desk.enter(path, outcome="confirmed", reason="the court's file")

    (found,) = desk.node.local.defaults.list_defaults(desk.customer_id)
    assert found.state is DefaultState.CONFIRMED
    desk.enter(f"{desk.home}/defaults/{found.default_id}/end", outcome="cured")
    (found,) = desk.node.local.defaults.list_defaults(desk.customer_id)
    assert found.state is DefaultState.ENDED


def test_what_was_entered_is_shown_to_who_entered_it_alone(desk: Desk) -> None:
    path = f"{desk.home}/enter/default"
    form = desk.open_form(path) | {"evidence": "court", "sha256": HASH}
    place = desk.send(path, form).headers["location"]

    assert HASH in desk.client.get(place).text
    desk.sign_in(Role.CREDIT_MANAGER, "Li Wei")
    assert desk.client.get(place).status_code == 404


def test_a_form_of_another_site_enters_nothing(desk: Desk) -> None:
    path = f"{desk.home}/enter/invoice"
    form = desk.open_form(path) | {"document_no": "R1", "due_on.1": "2026-06-01", "term.1": "1"}

    answer = desk.client.post(path, data=form, headers={"origin": "http://evil.example"})

    assert answer.status_code == 403
    assert list_open(desk) == {}


def test_two_at_once_enter_once(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"/console/items/{item_id}/enter/dispute"
    form = desk.open_form(path) | {"amount": "4.00", "cause": "price"}

    with ThreadPoolExecutor(4) as pool, desk.client:  # the client's one event loop serves all
        answers = list(pool.map(lambda _: desk.send(path, form), range(4)))

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(desk.tell(item_id).disputes) == 1


def test_each_of_two_at_once_that_are_refused_is_shown_why(desk: Desk) -> None:
    (item_id,) = desk.invoice("R1", (JUNE, 1_000))
    path = f"/console/items/{item_id}/enter/dispute"
    form = desk.open_form(path) | {"amount": "10.01", "cause": "price"}

    with ThreadPoolExecutor(4) as pool, desk.client:
        answers = list(pool.map(lambda _: desk.send(path, form), range(4)))

    assert {answer.status_code for answer in answers} == {422}
    assert all('value="10.01"' in answer.text for answer in answers)
    assert desk.tell(item_id).disputes == ()


def test_every_form_speaks_chinese(desk: Desk) -> None:
    desk.invoice("R1", (JUNE, 1_000))
    page = desk.client.get(f"{desk.home}/enter/payment", params={"lang": "zh"}).text

    assert "先到期先核销" in page
    answer = desk.send(f"{desk.home}/enter/payment?lang=zh", read_form(page) | {"amount": "1,234"})
    assert "可有两种读法" in answer.text
    assert "请填写" in answer.text
