"""Nothing of a natural person or sole trader leaves, under whatever number it is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from node.records.customers import CustomerKind
from node.records.rules_retention import is_natural_person
from node.records.tables import customer, customer_identifier
from node.sharing.asking import PersonAskedError
from node.sharing.outgoing import Ask
from protocol.entry import ExchangeEntry
from protocol.identifiers import NaturalPersonIdError, parse_subject_id
from schemas.summary import Section
from tests.support.exchanges import Scene, build_scene, observe
from tests.support.grants import METRICS, ask, carry, entries, hold_on_both_sides, watch
from tests.support.nodes import SUBJECT, TestNode
from tests.support.traces import list_traces

SOLE_TRADER = "92330106MA2CFLB30M"


def call_a_person(node: TestNode) -> None:
    """Let the subject be a person of our records, as an operator enters it."""
    with node.local.database.write() as uow:
        uow.connection.execute(
            update(customer).where(customer.c.value == SUBJECT.value).values(kind="person")
        )
        # Whoever enters such a thing enters a fact: it is what a running node sees.
        uow.connection.execute(
            insert(customer_identifier).values(
                customer_id=1, scheme="sim", value="other", entered_by="li", entered_at_ms=1
            )
        )


def give_a_traders_number(node: TestNode) -> None:
    """Let the subject have a sole trader's number beside its own."""
    with node.local.database.write() as uow:
        uow.connection.execute(
            insert(customer_identifier).values(
                customer_id=1, scheme="uscc", value=SOLE_TRADER, entered_by="li", entered_at_ms=1
            )
        )


def merge_into_a_person(node: TestNode) -> None:
    """Let the subject turn out to be a person that was entered by itself."""
    person = node.local.records.add_customer(
        scheme="uscc", value=SOLE_TRADER, name="示例", country="CN"
    )
    node.local.customers.merge(1, into_id=person.customer_id, reason="one", by="li")


WAYS = [
    pytest.param(call_a_person, id="kind"),
    pytest.param(give_a_traders_number, id="another number"),
    pytest.param(merge_into_a_person, id="merged"),
]
MakePerson = Callable[[TestNode], None]


@pytest.mark.parametrize("make_person", WAYS)
def test_a_person_is_answered_as_somebody_unknown_is(scene: Scene, make_person: MakePerson) -> None:
    held = scene.hold(scene.grant())
    make_person(scene.provider)

    assert scene.send(scene.query(held)).code == "no-answer"


@pytest.mark.parametrize("make_person", WAYS)
def test_what_was_told_before_is_told_no_more_and_taken_back(
    scene: Scene, make_person: MakePerson
) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    scene.federation.clock.advance_s(1)
    ask(scene, held)  # kept as bytes by now
    make_person(scene.provider)

    assert scene.send(scene.query(held.hash)).code == "no-answer"
    corrected = asyncio.run(
        scene.provider.grants.correction.correct_release(SUBJECT, reason="disclosed-in-error")
    )
    assert corrected.answers == 1
    assert carry(scene.provider) == 1

    assert scene.consumer.consents.list_received(str(SUBJECT)) == []
    assert scene.send(scene.query(held.hash)).code == "no-answer"


@pytest.mark.parametrize("make_person", WAYS)
def test_an_answer_that_waits_to_be_fetched_is_not_given(
    tmp_path: Path, make_person: MakePerson
) -> None:
    scene = build_scene(tmp_path, defers=True)
    held = hold_on_both_sides(scene, scene.grant())
    question = Ask(
        consent=held.hash, purpose="P1", metrics=METRICS, last_months=12, takes_deferred=True
    )
    asyncio.run(scene.consumer.asking.ask(question))
    assert asyncio.run(scene.provider.later.make_answers()) == 1
    make_person(scene.provider)
    scene.federation.clock.advance_s(30)

    asyncio.run(scene.consumer.later.poll())

    polled = [one for one in entries(scene.provider, ExchangeEntry) if one.op == "poll"]
    assert [one.code for one in polled] == ["no-answer"]
    assert scene.consumer.consents.list_received(str(SUBJECT)) == []
    scene.federation.close()


@pytest.mark.parametrize("make_person", WAYS)
def test_nothing_of_a_person_is_pushed(scene: Scene, make_person: MakePerson) -> None:
    hold_on_both_sides(scene, watch(scene.grant()))
    make_person(scene.provider)

    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 0


@pytest.mark.parametrize("make_person", WAYS)
def test_nobody_is_asked_about_a_person_nor_handed_its_consent(
    scene: Scene, make_person: MakePerson
) -> None:
    held, _ = scene.hold_at_consumer(scene.grant())
    scene.consumer.local.records.add_customer(
        scheme=SUBJECT.scheme, value=SUBJECT.value, name="示例", country="CN"
    )
    make_person(scene.consumer)
    sent = len(observe(scene.consumer).entries)
    question = Ask(consent=held.hash, purpose="P1", metrics=METRICS, last_months=12)

    with pytest.raises(PersonAskedError):
        asyncio.run(scene.consumer.asking.deliver(held))
    with pytest.raises(PersonAskedError):
        asyncio.run(scene.consumer.asking.ask(question))
    with pytest.raises(PersonAskedError):
        asyncio.run(scene.consumer.asking.ask_batch([question]))

    assert len(observe(scene.consumer).entries) == sent


def test_a_consent_cannot_name_a_person_by_its_number() -> None:
    with pytest.raises(NaturalPersonIdError):
        parse_subject_id(f"cn.uscc:{SOLE_TRADER}")


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("cn.uscc", SOLE_TRADER),
        ("uscc", SOLE_TRADER),
        ("uscc", "11010519491231002X"),  # a resident number in a company's field
        ("cn.uscc", "11010519491231002X"),
        ("sim", "11010519491231002X"),
    ],
)
def test_who_is_a_natural_person_is_told_by_any_number(scheme: str, value: str) -> None:
    company = ("lei", "213800KUD8LAJWSQ9D15")

    assert is_natural_person(kind="company", identifiers=[company, (scheme, value)])
    assert not is_natural_person(kind="company", identifiers=[company])


def test_a_summary_has_no_section_that_names_a_person() -> None:
    assert {section.value for section in Section} == {
        "relation", "volume", "money", "index", "delay", "trend", "disputes", "adverse",
        "overdue_now", "lateness",
    }  # fmt: skip


def test_nothing_of_the_exchange_names_a_person_in_the_clear(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    local = scene.provider.local
    texts = (str(SUBJECT), "示例启明")  # The bare number is a part of its invoices' numbers.
    with local.database.write() as uow:
        named = update(customer).where(customer.c.id == 1).values(name=texts[1])
        uow.connection.execute(named)
    before = list_traces(local.database, local.settings.home, texts)

    local.customers.set_kind(1, kind=CustomerKind.PERSON, reason="a stall", by="li")

    assert [one for one in before if "." in one and not one.startswith("node.")] == [
        "customer.name"
    ]
    assert list_traces(local.database, local.settings.home, texts) == []
    assert scene.send(scene.query(held.hash)).code == "no-answer"
    local.customers.set_kind(1, kind=CustomerKind.COMPANY, reason="a company", by="wang")
    ask(scene, held)
