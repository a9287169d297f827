"""The audit of third parties' copies: an intact one is evidence, a broken one is its holder's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.audit.findings import Outcome, Verdict
from protocol.bundle import parse_bundle_files
from protocol.encoding import encode_b64u
from protocol.message import WireMessage
from tests.support.auditing import ALPHA, BETA, GAMMA, audit, codes, find_exchange, find_line
from tests.support.federation import Asked, Federation
from tests.support.federation_parts import Record

Change = Callable[[WireMessage], WireMessage]


def damage_signature(message: WireMessage) -> WireMessage:
    return replace(message, env=message.env[:-4] + "AAAA")


def damage_body(message: WireMessage) -> WireMessage:
    return replace(message, body=message.body + b" ")


def damage_proof(message: WireMessage) -> WireMessage:
    return replace(message, inclusion="none")


DAMAGES = pytest.mark.parametrize("damage", [damage_signature, damage_body, damage_proof])


def hand_to_gamma(
    *, request: Change = lambda one: one, answer: Change | None = lambda one: one
) -> tuple[Federation, Asked]:
    """Have gamma's bundle hold a copy of an exchange between alpha and beta."""
    federation = Federation(ALPHA, BETA, GAMMA)
    asked = federation.ask(ALPHA, BETA, federation.consent(ALPHA, BETA))
    assert asked.answer is not None
    record = Record(
        side="in",
        request=request(asked.request),
        answer=None if answer is None else answer(asked.answer),
    )
    federation.members[GAMMA].records.append(record)
    return federation, asked


def test_an_intact_copy_of_a_third_party_is_evidence() -> None:
    federation, asked = hand_to_gamma()
    federation.members[ALPHA].records.clear()
    federation.members[BETA].records.clear()

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert find_exchange(report, encode_b64u(asked.envelope.jti)).verdict is Verdict.PROVEN


@DAMAGES
@pytest.mark.parametrize("what", ["request", "answer"])
def test_a_third_partys_broken_copy_names_its_bundle_and_leaves_the_exchange_proven(
    damage: Change, what: str
) -> None:
    federation, asked = (
        hand_to_gamma(request=damage) if what == "request" else hand_to_gamma(answer=damage)
    )

    report = audit(federation.bundles())

    line = find_line(report, "stranger-broken")
    assert codes(report) == {"stranger-broken"}
    assert f"the bundle of {GAMMA} holds a broken copy of the {what}" in line.text
    assert line.place is not None
    assert (line.place.bundle, line.place.line) == ("gamma", 1)
    assert find_exchange(report, encode_b64u(asked.envelope.jti)).verdict is Verdict.PROVEN


def test_a_third_partys_copy_with_the_proof_of_another_entry_is_broken() -> None:
    federation, _ = hand_to_gamma(request=lambda one: one)
    record = federation.members[GAMMA].records[0]
    assert record.answer is not None
    record.request = replace(record.request, inclusion=federation.members[ALPHA].log.prove(0))

    report = audit(federation.bundles())

    assert codes(report) == {"stranger-broken"}
    assert codes(report, Outcome.UNKNOWN) == set()


def test_a_broken_copy_of_a_request_alone_is_named_too() -> None:
    federation, _ = hand_to_gamma(request=damage_body, answer=None)

    assert codes(audit(federation.bundles())) == {"stranger-broken"}


def test_a_redacted_copy_of_a_third_party_is_not_broken() -> None:
    federation, _ = hand_to_gamma()

    assert audit(federation.bundles(redacted=True)).verdict is Verdict.PROVEN


def test_a_broken_copy_of_a_party_still_contradicts_its_exchange() -> None:
    federation, asked = hand_to_gamma()
    federation.members[ALPHA].records[0].request = damage_signature(asked.request)

    report = audit(federation.bundles())

    assert codes(report) == {"bad-signature"}
    assert find_exchange(report, encode_b64u(asked.envelope.jti)).verdict is Verdict.CONTRADICTED


def test_a_broken_copy_in_a_bundle_of_nobody_is_named_by_its_place() -> None:
    federation, _ = hand_to_gamma(request=damage_signature)
    files = federation.export(GAMMA)
    files["checkpoint"] = files["manifest.json"] = b"damaged\n"
    bundles = federation.bundles(ALPHA, BETA)

    report = audit([*bundles, parse_bundle_files(files, name="gamma")])

    assert "a member that cannot be told" in find_line(report, "stranger-broken").text
