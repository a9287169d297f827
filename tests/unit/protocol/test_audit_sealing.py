"""Messages that both sides logged as they were oddly sealed: where they stand and in full alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.audit.findings import Verdict
from protocol.bundle import parse_bundle_files
from protocol.consent import Span
from protocol.jws import sign_compact
from protocol.keys import SigningKey
from protocol.message import Envelope, format_envelope, message_typ, seal_envelope
from protocol.strict_json import canonical_json
from tests.support import federation as federating
from tests.support.auditing import ALPHA, BETA, GAMMA, audit
from tests.support.federation import Federation

Seal = Callable[[Envelope, SigningKey], str]


def sign_badly(envelope: Envelope, key: SigningKey) -> str:
    signed, _, signature = seal_envelope(envelope, key=key).rpartition(".")
    return f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def seal_widely(envelope: Envelope, key: SigningKey) -> str:
    claims = canonical_json(format_envelope(envelope)).replace(b":", b": ", 1)
    return sign_compact(claims, key=key, typ=message_typ(envelope.op))


def seal_as_another(envelope: Envelope, key: SigningKey) -> str:
    claims = canonical_json(format_envelope(envelope))
    return sign_compact(claims, key=key, typ=message_typ("push"))


def make_gamma_key() -> SigningKey:
    return Federation(ALPHA, BETA, GAMMA).members[GAMMA].key


ODDLY_SEALED: dict[str, tuple[Verdict, Seal]] = {
    "another signature": (Verdict.CONTRADICTED, sign_badly),
    "signature with stray bits": (
        Verdict.CONTRADICTED,
        lambda one, key: seal_envelope(one, key=key)[:-1] + "B",
    ),
    "a token of four parts": (
        Verdict.CONTRADICTED,
        lambda one, key: seal_envelope(one, key=key) + ".AAAA",
    ),
    "another header": (
        Verdict.CONTRADICTED,
        lambda one, key: "AAAA." + seal_envelope(one, key=key).partition(".")[2],
    ),
    "no token": (Verdict.CONTRADICTED, lambda _one, _key: "AAAA"),
    "too large": (
        Verdict.CONTRADICTED,
        lambda one, key: seal_envelope(one, key=key) + "A" * 17_000,
    ),
    "claims in another spelling": (Verdict.PROVEN, seal_widely),
    "a header of another operation": (Verdict.CONTRADICTED, seal_as_another),
    "a member of whom no bundle is here": (
        Verdict.CONTRADICTED,
        lambda one, _key: seal_envelope(replace(one, iss=GAMMA), key=make_gamma_key()),
    ),
}


@pytest.mark.parametrize(("verdict", "seal"), ODDLY_SEALED.values(), ids=ODDLY_SEALED)
def test_what_is_logged_as_it_was_oddly_sealed_comes_to_the_same(
    verdict: Verdict, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    federation = Federation(ALPHA, BETA, GAMMA)
    span = Span(unit="day", n=100)
    consent = federation.consent(ALPHA, BETA, lambda one: replace(one, frequency=span))
    federation.ask(ALPHA, BETA, consent)
    with monkeypatch.context() as patch:
        patch.setattr(federating, "seal_envelope", lambda one, *, key: seal(one, key))
        federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    files = {name: federation.export(name) for name in (ALPHA, BETA)}
    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    assert audit(bundles).verdict is verdict
