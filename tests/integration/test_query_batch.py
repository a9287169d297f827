"""Many customers in one message: each question judged, counted and logged by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from node.core.errors import RejectedError
from node.sharing.asking import BatchProvidersError
from node.sharing.outgoing import Ask, Outcome
from node.sharing.peers import PeerRefusedError, PeerUnreachableError
from node.sharing.store import HeldConsent
from protocol.consent import ConsentState, commit_subject
from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry, RequestEntry, parse_entry
from protocol.limits import ANSWER_BYTES_MAX, CONSENTS_PER_MESSAGE_MAX
from protocol.problems import MetricNotAllowedError
from protocol.strict_json import JsonValue, canonical_json
from schemas.exchange import (
    QUERY_BATCH_CONTENT_TYPE,
    BatchSummary,
    SummaryBatchBody,
)
from schemas.summary import (
    DELAY_CLASSES,
    AdverseFact,
    Section,
    Summary,
)
from tests.support.exchanges import Scene, observe
from tests.support.exchanges import deliver as sign_for
from tests.support.forging import Forgery
from tests.support.nodes import OTHER_SUBJECT, OTHER_SUBJECT_KEY, SUBJECT, SUBJECT_SALT


def deliver(scene: Scene, name: str, **change: object) -> HeldConsent:
    consent = replace(scene.grant(), id=name, **change)  # type: ignore[arg-type]  # a consent's own
    held, _ = scene.hold_at_consumer(consent)
    asyncio.run(scene.consumer.asking.deliver(held))
    return held


def build_asks(*held: HeldConsent) -> list[Ask]:
    return [
        Ask(consent=one.hash, purpose="P1", metrics=(Section.VOLUME,), last_months=12)
        for one in held
    ]


def ask_batch(scene: Scene, *held: HeldConsent, key: str | None = None) -> Outcome:
    return asyncio.run(scene.consumer.fan_out.ask_batch(build_asks(*held), key=key))


def find_exchange(scene: Scene) -> ExchangeEntry:
    found = [one for one in scene.provider_entries() if isinstance(one, ExchangeEntry)][-1]
    assert found.op == "query"
    return found


def test_each_question_of_a_batch_has_its_own_code_and_use(scene: Scene) -> None:
    good, revoked = deliver(scene, "one"), deliver(scene, "two")
    scene.change_state(revoked.hash, ConsentState.REVOKED)

    outcome = ask_batch(scene, good, revoked)

    assert outcome.status == "200"
    assert [item.code for item in outcome.items] == ["full", "consent-revoked"]
    assert outcome.items[0].summary is not None
    entry = find_exchange(scene)
    assert (entry.code, entry.codes, entry.use) == ("batch", ("full", "consent-revoked"), 1)
    assert entry.consents == (good.hash, revoked.hash)
    assert [scene.find(one.hash).uses for one in (good, revoked)] == [1, 0]


def test_a_batch_is_one_request_and_every_summary_is_kept(scene: Scene) -> None:
    first, second = deliver(scene, "one"), deliver(scene, "two")
    requests = len(observe(scene.consumer).entries)

    outcome = ask_batch(scene, first, second)

    entries = [parse_entry(raw) for raw in observe(scene.consumer).entries[requests:]]
    [request] = [one for one in entries if isinstance(one, RequestEntry)]
    assert request.consents == (first.hash, second.hash)
    kept = observe(scene.consumer).tables["received_summary"]
    assert len(kept) == 2
    [received] = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary == outcome.items[1].summary


def test_a_customer_nobody_knows_is_no_answer_and_counts(scene: Scene) -> None:
    commitment = commit_subject(OTHER_SUBJECT, salt=SUBJECT_SALT)
    consent = replace(scene.grant(), id="other", subject=commitment)
    given = sign_for(consent, key=OTHER_SUBJECT_KEY, subject=OTHER_SUBJECT)
    [unknown] = scene.consumer.consents.hold([given])
    asyncio.run(scene.consumer.asking.deliver(unknown))

    outcome = ask_batch(scene, deliver(scene, "one"), unknown)

    assert [item.code for item in outcome.items] == ["full", "no-answer"]
    assert find_exchange(scene).use == 2


def test_a_batch_without_a_reply_is_settled_and_counts_once(scene: Scene) -> None:
    held = deliver(scene, "one"), deliver(scene, "two")
    scene.federation.peers.loses_replies = True
    with pytest.raises(PeerUnreachableError):
        ask_batch(scene, *held)
    scene.federation.peers.loses_replies = False

    [(_, outcome)] = asyncio.run(scene.consumer.settling.settle_all())

    assert [item.subject for item in outcome.items] == [str(SUBJECT)] * 2
    assert [scene.find(one.hash).uses for one in held] == [1, 1]


def test_a_batch_repeated_under_its_key_is_the_same_message(scene: Scene) -> None:
    held = deliver(scene, "one"), deliver(scene, "two")
    first = ask_batch(scene, *held, key="k")

    again = ask_batch(scene, *held, key="k")

    assert (again.jti, again.items) == (first.jti, first.items)
    assert [scene.find(one.hash).uses for one in held] == [1, 1]


def test_nothing_is_sent_where_one_consent_does_not_cover_its_question(scene: Scene) -> None:
    good, narrow = deliver(scene, "one"), deliver(scene, "two", metrics=("relation",))
    before = observe(scene.consumer)

    with pytest.raises(MetricNotAllowedError):
        ask_batch(scene, good, narrow)

    assert observe(scene.consumer) == before


def test_a_batch_goes_to_one_provider(scene: Scene) -> None:
    good = deliver(scene, "one")
    other, _ = scene.hold_at_consumer(replace(scene.grant(), id="two", provider="gamma.example"))

    with pytest.raises(BatchProvidersError):
        ask_batch(scene, good, other)


def test_a_batch_under_one_consent_twice_is_refused_before_it_is_sent(scene: Scene) -> None:
    good = deliver(scene, "one")

    with pytest.raises(RejectedError):
        ask_batch(scene, good, good)


def write_batch(*items: JsonValue) -> bytes:
    return canonical_json({"v": 1, "kind": "query-batch", "purpose": "P1", "items": list(items)})


def question(consent: bytes) -> dict[str, JsonValue]:
    return {"consent": encode_b64u(consent), "metrics": ["volume"], "last_months": 12}


@pytest.mark.parametrize("fault", ["twice", "none", "too-many", "other-consents"])
def test_a_batch_of_another_form_is_schema(scene: Scene, fault: str) -> None:
    consents = [bytes([n]) * 32 for n in range(CONSENTS_PER_MESSAGE_MAX + 1)]
    bodies = {
        "twice": (write_batch(question(consents[0]), question(consents[0])), consents[:1]),
        "none": (write_batch(), []),
        "too-many": (write_batch(*map(question, consents)), consents[:100]),
        "other-consents": (write_batch(question(consents[0])), consents[1:2]),
    }
    body, named = bodies[fault]

    reply = scene.send(
        Forgery(body=body, content_type=QUERY_BATCH_CONTENT_TYPE, consents=tuple(named))
    )

    assert reply.code == "schema"


def lie(scene: Scene, change: object) -> None:
    """Have the provider disclose something else."""
    disclosures = scene.provider.answering._ports.disclosures
    disclose = disclosures.disclose

    def disclose_other(*args: object, **named: object) -> object:
        made = disclose(*args, **named)  # type: ignore[arg-type]  # handed on as they came
        assert made is not None
        other = Summary.from_bytes(made.body).model_copy(update=change)  # type: ignore[arg-type]
        return replace(made, body=other.to_bytes())

    disclosures.disclose = disclose_other  # type: ignore[method-assign,assignment]  # a liar


def test_a_batch_with_a_summary_on_somebody_else_is_dropped_whole(scene: Scene) -> None:
    held = deliver(scene, "one"), deliver(scene, "two")
    lie(scene, {"subject": str(OTHER_SUBJECT)})

    with pytest.raises(PeerRefusedError):
        ask_batch(scene, *held)

    assert observe(scene.consumer).tables["received_summary"] == []


def test_a_hundred_of_the_largest_summaries_fit_into_an_answer(scene: Scene) -> None:
    outcome = ask_batch(scene, deliver(scene, "one"))
    summary = outcome.items[0].summary
    assert summary is not None
    fact = AdverseFact(kind="insolvency", quarter="2026-Q1", settled=False)
    wide = "x" * 128
    largest = Summary.model_construct(
        **{
            **summary.model_dump(),
            "subject": wide,
            "adverse": {"facts": [fact.model_dump()] * 16},
            "delay": {
                "mix": dict.fromkeys(map(str, DELAY_CLASSES), 100),
                "dbt_days": 3650,
                "dbt_weighting": "amount",
                "worst": "in_terms",
            },
            "money": dict.fromkeys(
                ("currency", "amount_paid", "high_credit", "owing", "past_due"), "200k-500k"
            ),
            "disputes": {"count": "3-5", "share": "5-20%"},
            "trend": {"direction": "better"},
            "index": {"value": 100, "weighting": "amount"},
            "lateness": {"seen": "none"},
            "overdue_now": {"as_of": "2026-06-30", "oldest": "61-90"},
            "relation": {"years": "5-10", "last_sale": "<=12m"},
            "volume": {"n_invoices": "50-99"},
        }
    )
    item = BatchSummary.model_construct(consent="c" * 43, code="full", summary=largest)
    body = SummaryBatchBody.model_construct(
        v=1, kind="summary-batch", items=[item] * CONSENTS_PER_MESSAGE_MAX
    )

    size = len(canonical_json(body.model_dump(mode="json", warnings=False)))

    assert size < ANSWER_BYTES_MAX // 2
