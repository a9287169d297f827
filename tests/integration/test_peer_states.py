"""What becomes of a summary decides whether it counts, and who is to be assessed again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from node.assessment.policy import Source
from node.assessment.renewal.store import Renewal
from node.assessment.service import AssessmentPair
from node.bootstrap.peers import build_training_reader
from node.core.errors import NodeError
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.sharing.objections import ObjectionOutcome, RaisedBy
from node.sharing.received_states import SummaryJudge
from node.sharing.rules_state import SummaryState
from protocol.consent import Consent, ConsentState, Span
from protocol.encoding import encode_b64u
from tests.support.exchanges import Scene, write_invoices
from tests.support.forging import sign_state
from tests.support.grants import (
    ask,
    carry,
    correct,
    correct_an_invoice,
    hold_on_both_sides,
    watch,
)
from tests.support.nodes import BUSINESS_DATE, SUBJECT, SUBJECT_KEY

DAY_S = 86_400
Change = Callable[[Scene, bytes, bytes], None]


def assess(scene: Scene) -> AssessmentPair:
    return scene.consumer.local.assessment.assess_customer(
        find_customer(scene), as_of=BUSINESS_DATE
    )


def find_customer(scene: Scene) -> int:
    found = scene.consumer.local.assessment.find_customer_id(str(SUBJECT))
    assert found is not None
    return found


def list_codes(pair: AssessmentPair) -> list[tuple[str | None, str]]:
    lines = pair.with_peers.assessment.evidence
    return [
        (line.provider, line.code)
        for line in lines
        if line.source is Source.PEERS and line.provider
    ]


def list_causes(scene: Scene) -> list[str]:
    return [one.cause.value for one in list_waiting(scene)]


def list_waiting(scene: Scene) -> list[Renewal]:
    return scene.consumer.local.renewals.list_open(shows_peers=True)


def live_two_days(consent: Consent) -> Consent:
    return replace(consent, data_life=Span(unit="day", n=2))


def know_and_ask(
    scene: Scene, change: Callable[[Consent], Consent] = lambda consent: consent
) -> tuple[bytes, bytes]:
    """Have the consumer know the subject, and ask; return the consent and the answer."""
    scene.consumer.local.records.import_file(
        write_invoices(SUBJECT, count=3).encode(), file_name="own.csv"
    )
    held = hold_on_both_sides(scene, change(scene.grant()))
    return held.hash, ask(scene, held)


# --- each state


def dispute(scene: Scene, _consent: bytes, ans: bytes) -> None:
    scene.consumer.local.objections.enter(ans, raised_by=RaisedBy.SUBJECT, by="li")


def revoke(scene: Scene, consent: bytes, _ans: bytes) -> None:
    token = sign_state(
        consent, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    scene.consumer.consents.submit_status(token).result(timeout=10)


def erase(scene: Scene, consent: bytes, _ans: bytes) -> None:
    asyncio.run(scene.consumer.grants.erasure.erase_consent(consent))


def outlive(scene: Scene, _consent: bytes, _ans: bytes) -> None:
    carry(scene.consumer)
    scene.federation.clock.advance_s(2 * DAY_S)
    scene.federation.publish(scene.federation.registry)
    carry(scene.consumer)


@pytest.mark.parametrize(
    ("change", "code", "cause"),
    [
        (dispute, "left-out.disputed", "disputed"),
        (revoke, "left-out.revoked", "revoked"),
        (erase, "left-out.erased", "erased"),
        (outlive, "left-out.expired", "expired"),
    ],
    ids=["disputed", "revoked", "erased", "expired"],
)
def test_what_may_not_count_is_left_out_told_and_queued_once(
    scene: Scene, change: Change, code: str, cause: str
) -> None:
    consent, ans = know_and_ask(scene, live_two_days)
    before = assess(scene)
    assert list_codes(before) == [("beta.example", "used")]
    assert list_causes(scene) == []

    change(scene, consent, ans)

    assert list_causes(scene) == [cause]
    (waiting,) = list_waiting(scene)
    assert (waiting.customer_id, waiting.ref) == (find_customer(scene), encode_b64u(ans))
    after = assess(scene)
    assert list_codes(after) == [("beta.example", code)]
    assert after.with_peers.assessment.score_deci == before.own.assessment.score_deci
    assert list_causes(scene) == []


def test_a_correction_counts_in_the_place_of_what_it_corrects(scene: Scene) -> None:
    know_and_ask(scene)
    assess(scene)
    correct_an_invoice(scene)
    assert correct(scene) == 1
    assert carry(scene.provider) == 1

    assert list_causes(scene) == ["superseded"]
    after = assess(scene)

    assert sorted(list_codes(after)) == [
        ("beta.example", "left-out.corrected"),
        ("beta.example", "used"),
    ]
    assert list_causes(scene) == []


@pytest.mark.parametrize(
    ("reason", "code", "cause"),
    [
        ("records-corrected", "left-out.withdrawn", "superseded"),
        ("subject-objected", "left-out.disputed", "disputed"),
    ],
)
def test_what_its_provider_takes_back_does_not_count(
    scene: Scene, reason: str, code: str, cause: str
) -> None:
    consent, _ = know_and_ask(scene)
    assess(scene)
    correct_an_invoice(scene)
    asyncio.run(scene.provider.grants.correction.correct_release(SUBJECT, reason=reason))
    # Nothing new may leave under a paused consent, so the wrong answer is only taken back.
    scene.change_state(consent, ConsentState.PAUSED)
    assert carry(scene.provider) == 1

    assert list_causes(scene) == [cause]
    assert list_codes(assess(scene)) == [("beta.example", code)]


def test_a_push_of_a_changed_band_queues_the_customer(scene: Scene) -> None:
    scene.consumer.local.records.import_file(
        write_invoices(SUBJECT, count=3).encode(), file_name="own.csv"
    )
    hold_on_both_sides(scene, watch(scene.grant()))
    assess(scene)
    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 1
    assert carry(scene.provider) == 1

    assert list_causes(scene) == ["band-change"]
    assert ("beta.example", "used") in list_codes(assess(scene))
    assert list_causes(scene) == []


def test_who_was_never_assessed_is_not_queued(scene: Scene) -> None:
    consent, _ = know_and_ask(scene)

    revoke(scene, consent, b"")

    assert list_causes(scene) == []


def test_a_look_back_renews_nothing(scene: Scene) -> None:
    _, ans = know_and_ask(scene)
    assess(scene)
    dispute(scene, b"", ans)

    scene.consumer.local.assessment.assess_customer(
        find_customer(scene), as_of=BUSINESS_DATE - timedelta(days=30)
    )

    assert list_causes(scene) == ["disputed"]


def test_who_may_not_see_peers_hears_of_own_defaults_only(scene: Scene) -> None:
    _, ans = know_and_ask(scene)
    assess(scene)
    dispute(scene, b"", ans)
    local, customer_id = scene.consumer.local, find_customer(scene)
    key = local.defaults.propose(
        customer_id,
        evidence_class=EvidenceClass.WRITTEN_NOTICE,
        on=BUSINESS_DATE,
        document_sha256_hex=sha256(b"notice").hexdigest(),
        by="li",
    )
    assert list_causes(scene) == ["disputed"]  # proposed is not confirmed

    local.defaults.decide(key, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")

    assert list_causes(scene) == ["disputed", "own-default"]
    seen = local.renewals.list_open(shows_peers=False)
    assert [one.cause.value for one in seen] == ["own-default"]
    assert local.renewals.list_causes(customer_id, shows_peers=True) == list_waiting(scene)


# --- objections


def test_what_is_rejected_counts_again_and_what_is_upheld_never(scene: Scene) -> None:
    _, ans = know_and_ask(scene)
    objections = scene.consumer.local.objections
    key = objections.enter(ans, raised_by=RaisedBy.SUBJECT, by="li")
    assert list_codes(assess(scene)) == [("beta.example", "left-out.disputed")]

    objections.end(key, outcome=ObjectionOutcome.REJECTED, by="wang")

    assert list_causes(scene) == ["reinstated"]
    assert list_codes(assess(scene)) == [("beta.example", "used")]
    again = objections.enter(ans, raised_by=RaisedBy.PROVIDER, by="li")
    objections.end(again, outcome=ObjectionOutcome.UPHELD, by="wang")
    assert list_codes(assess(scene)) == [("beta.example", "left-out.disputed")]
    assert [one.outcome for one in objections.list_objections()] == ["upheld", "rejected"]


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda o, ans, _: o.enter(ans, raised_by=RaisedBy.SUBJECT, by="li"), "objection-exists"),
        (
            lambda o, _, __: o.enter(bytes(32), raised_by=RaisedBy.SUBJECT, by="li"),
            "summary-not-received",
        ),
        (
            lambda o, _, __: o.enter(b"short", raised_by=RaisedBy.SUBJECT, by="li"),
            "summary-not-received",
        ),
        (
            lambda o, _, key: o.end(key, outcome=ObjectionOutcome.REJECTED, by=" LI "),
            "own-objection",
        ),
        (
            lambda o, _, key: o.end(key + 1, outcome=ObjectionOutcome.REJECTED, by="wang"),
            "objection-not-open",
        ),
    ],
    ids=["twice", "unknown", "no-hash", "own", "none-open"],
)
def test_an_objection_is_refused(scene: Scene, act: Callable[..., object], code: str) -> None:
    _, ans = know_and_ask(scene)
    objections = scene.consumer.local.objections
    key = objections.enter(ans, raised_by=RaisedBy.SUBJECT, by="li")

    with pytest.raises(NodeError) as caught:
        act(objections, ans, key)

    assert caught.value.code == code


# --- providers


@pytest.mark.parametrize("status", ["suspended", "left"])
def test_a_provider_who_is_no_member_any_more_is_not_heard(scene: Scene, status: str) -> None:
    know_and_ask(scene)
    members = tuple(
        replace(one, status=status) if one.member == "beta.example" else one
        for one in scene.federation.registry.members
    )
    scene.federation.publish(replace(scene.federation.registry, members=members))

    assert list_codes(assess(scene)) == [("beta.example", "left-out.not-a-member")]


@pytest.mark.parametrize(
    ("groups", "state", "group"),
    [
        ({}, SummaryState.USABLE, ""),
        (
            {"beta.example": "beta.example", "gamma.example": "beta.example"},
            "usable",
            "beta.example",
        ),
        (
            {"alpha.example": "alpha.example", "beta.example": "alpha.example"},
            "own-group",
            "alpha.example",
        ),
    ],
    ids=["alone", "theirs", "ours"],
)
def test_a_provider_of_our_own_group_is_not_heard(
    scene: Scene, groups: dict[str, str], state: str, group: str
) -> None:
    know_and_ask(scene)
    judge = SummaryJudge(clock=scene.federation.clock, member_id="alpha.example", groups=groups)

    with scene.consumer.local.database.read() as uow:
        (judged,) = judge.list_judged(uow, [str(SUBJECT)])[str(SUBJECT)]

    assert (judged.state, judged.group) == (state, group)
    assert (judged.summary is None) is (state != SummaryState.USABLE)


@pytest.mark.parametrize(
    ("derive", "left_out"),
    [(("rating",), "not-for-rating"), (("rating", "model"), "")],
    ids=["no", "yes"],
)
def test_a_summary_teaches_a_model_only_where_its_consent_says_so(
    scene: Scene, derive: tuple[str, ...], left_out: str
) -> None:
    _, ans = know_and_ask(scene, lambda consent: replace(consent, derive=derive))
    local = scene.consumer.local
    list_known = build_training_reader(local.settings, local.clock)

    with local.database.read() as uow:
        (told,) = list_known(uow, [str(SUBJECT)])[str(SUBJECT)]

    assert told.msg_hash_b64u == encode_b64u(ans)
    assert (told.left_out, told.summary is None) == (left_out, bool(left_out))
    dispute(scene, b"", ans)
    with local.database.read() as uow:
        (disputed,) = list_known(uow, [str(SUBJECT)])[str(SUBJECT)]
    assert (disputed.summary, disputed.left_out) == (None, "disputed")
