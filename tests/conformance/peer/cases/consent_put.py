"""The operation ``consent.put``: which artefacts a provider takes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from protocol.consent import CONSENT_TYP, Consent, ConsentState, Purpose, Span, hash_consent
from protocol.encoding import encode_b64u, sha256
from protocol.jws import sign_compact, split_compact
from protocol.limits import STATEMENT_BYTES_MAX, VOUCHED_USES_MAX
from protocol.purpose import METRICS, TEMPLATES
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.conformance.peer.case import CaseList, Run, expect_equal
from tests.conformance.peer.cases.common import get_answered, refuse_signed
from tests.conformance.peer.customers import Granted, rest_on_paper
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import Draft, flip_signature
from tests.conformance.peer.node import DISCOVERY_PATH
from tests.conformance.peer.parts import make_key

CASES = CaseList("consent.put")
YEAR_S = 366 * 86_400
MARK = "a text of its own"
MONITOR = TEMPLATES["P3"]
Change = Callable[[Consent], Consent]


def sign_anyway(granted: Granted, change: Change) -> Granted:
    """Sign claims that no honest software would, with the customer's own key."""
    consent = change(granted.consent)
    claims = parse_object(split_compact(granted.token, bytes_max=STATEMENT_BYTES_MAX).payload)
    claims |= {
        "nbf": consent.nbf,
        "exp": consent.exp,
        "ops": list(consent.ops),
        "metrics": list(consent.metrics),
        "derive": list(consent.derive),
        "data_life": consent.data_life.to_object(),
        "max_uses": consent.max_uses,
        "range": {"last_months": consent.last_months, "gran": "month", "k_min": 1},
        "purpose": {
            "code": consent.purpose.code,
            "template": consent.purpose.template,
            "template_hash": encode_b64u(consent.purpose.template_hash),
            "text": consent.purpose.text,
        },
    }
    return sign_claims(granted, claims)


def sign_claims(granted: Granted, claims: JsonObject, *, typ: str = CONSENT_TYP) -> Granted:
    """Sign any claims with the customer's own key."""
    token = sign_compact(canonical_json(claims), key=granted.customer.key, typ=typ)
    return replace(granted, token=token)


def read_claims(granted: Granted) -> JsonObject:
    """Return the claims of a consent."""
    return parse_object(split_compact(granted.token, bytes_max=STATEMENT_BYTES_MAX).payload)


def change_purpose(consent: Consent, **fields: object) -> Consent:
    purpose: Purpose = replace(consent.purpose, **fields)  # type: ignore[arg-type]  # a field's kind
    return replace(consent, purpose=purpose)


ABOVE: dict[str, Change] = {
    "more months than its purpose": lambda one: replace(one, last_months=36),
    "more uses than its purpose": lambda one: replace(one, max_uses=101),
    "a longer life than its purpose": lambda one: replace(one, exp=one.nbf + 2 * YEAR_S),
    "an operation that its purpose has not": lambda one: replace(one, ops=("query", "push")),
    "a longer keeping of data than its purpose": lambda one: replace(
        one, data_life=Span(unit="month", n=13)
    ),
    "a derivation that its purpose has not": lambda one: replace(one, derive=("alert",)),
    "a section that its purpose has not": lambda one: replace(
        change_purpose(one, code="P3", template=MONITOR.template, template_hash=MONITOR.hash),
        metrics=METRICS,
    ),
    "no life": lambda one: replace(one, exp=one.nbf),
    "a template that is none": lambda one: change_purpose(one, template="marketing/1"),
    "another hash of its template": lambda one: change_purpose(one, template_hash=bytes(32)),
}


def _refuse_above(change: Change) -> Run:
    def run(kit: Kit) -> None:
        granted = sign_anyway(kit.grant(), change)
        refuse_signed(kit, kit.write_put(granted), code="over-ceiling")
        refuse_signed(kit, kit.write_query(granted), code="consent-missing")

    return run


for _name, _change in ABOVE.items():
    CASES.add(f"a consent with {_name} is refused", ("CON-7", "CON-3"), _refuse_above(_change))


@CASES.case("JSN-10", "CON-6")
def a_consent_with_a_lone_surrogate_breaks_the_schema(kit: Kit) -> None:
    granted = kit.grant(lambda one: replace(one, basis_ref=MARK))
    payload = canonical_json(read_claims(granted)).replace(MARK.encode(), b"\\ud800")
    token = sign_compact(payload, key=granted.customer.key, typ=CONSENT_TYP)

    refuse_signed(kit, kit.write_put(replace(granted, token=token)), code="schema")


@CASES.case("CON-10", "EXC-35", "CON-1")
def a_consent_that_holds_is_held_under_its_name(kit: Kit) -> None:
    granted = kit.grant()

    reply = get_answered(kit, kit.write_put(granted), code="held", uses=0)

    due = {"consent": encode_b64u(granted.hash), "state": "active", "seq": 0}
    expect_equal(reply.body, {"v": 1, "kind": "consent-held", "consents": [due]}, "what is held")


@CASES.case("CON-10")
def several_consents_are_held_in_the_order_of_delivery(kit: Kit) -> None:
    granted = [kit.grant(), kit.grant(customer=kit.thin), kit.grant()]

    reply = get_answered(kit, kit.write_put(*granted), code="held", uses=0)

    held = reply.body["consents"]
    names = (
        [one.get("consent") for one in held if isinstance(one, dict)]
        if isinstance(held, list)
        else []
    )
    expect_equal(names, [encode_b64u(one.hash) for one in granted], "the consents held")


@CASES.case("CON-13")
def delivering_again_changes_nothing(kit: Kit) -> None:
    granted = kit.hold(lambda one: replace(one, max_uses=1))
    get_answered(kit, kit.write_query(granted))

    reply = get_answered(kit, kit.write_put(granted), code="held", uses=0)

    expect_equal(reply.body["kind"], "consent-held", "the answer")
    refuse_signed(kit, kit.write_query(granted), code="consent-exhausted")


@CASES.case("CON-13", "CON-15")
def delivering_again_does_not_revive_a_withdrawn_consent(kit: Kit) -> None:
    granted = kit.hold()
    kit.set_state(granted, ConsentState.REVOKED)

    kit.deliver(granted)

    refuse_signed(kit, kit.write_query(granted), code="consent-revoked")


@CASES.case("CON-8", "CON-4")
def a_consent_signed_by_another_customer_is_refused(kit: Kit) -> None:
    granted = kit.grant(key=kit.thin.key)

    refuse_signed(kit, kit.write_put(granted), code="consent-signature")


@CASES.case("CON-5")
def a_consent_signed_by_nobodys_key_is_refused(kit: Kit) -> None:
    granted = kit.grant(key=make_key("nobody"))

    refuse_signed(kit, kit.write_put(granted), code="consent-signature")


@CASES.case("CON-5", "KEY-12")
def a_consent_with_a_broken_signature_is_refused(kit: Kit) -> None:
    granted = kit.grant()
    broken = replace(granted, token=flip_signature(granted.token))

    refuse_signed(kit, kit.write_put(broken), code="consent-signature")


@CASES.case("KEY-13", "CON-5")
def a_signature_for_another_kind_of_statement_is_no_consent(kit: Kit) -> None:
    granted = kit.grant()
    status = sign_claims(granted, read_claims(granted), typ="cx-consent-status+jws")

    refuse_signed(kit, kit.write_put(status), code="schema")


@CASES.case("CON-6", "CON-2", "GEN-3")
def a_consent_with_an_unknown_claim_is_refused(kit: Kit) -> None:
    granted = kit.grant()
    extended = sign_claims(granted, {**read_claims(granted), "extra": 1})

    refuse_signed(kit, kit.write_put(extended), code="schema")


@CASES.case("CON-6", "CON-2")
def a_consent_without_a_claim_is_refused(kit: Kit) -> None:
    granted = kit.grant()
    claims = {name: value for name, value in read_claims(granted).items() if name != "notice"}

    refuse_signed(kit, kit.write_put(sign_claims(granted, claims)), code="schema")


@CASES.case("CON-11")
def another_salt_does_not_open_the_commitment(kit: Kit) -> None:
    granted = kit.grant()
    other = replace(granted, customer=replace(granted.customer, salt=sha256(b"another")))

    refuse_signed(kit, kit.write_put(other), code="consent-signature")


@CASES.case("CON-11")
def another_subject_does_not_open_the_commitment(kit: Kit) -> None:
    granted = kit.grant()
    other = replace(granted, customer=replace(granted.customer, subject=kit.unknown.subject))

    refuse_signed(kit, kit.write_put(other), code="consent-signature")


@CASES.case("CON-12")
def a_consent_for_another_consumer_is_refused(kit: Kit) -> None:
    granted = kit.grant(lambda one: replace(one, consumer=kit.other.member))

    refuse_signed(kit, kit.write_put(granted), code="wrong-consumer")


@CASES.case("CON-12", "CON-25")
def a_consent_for_another_provider_is_refused_and_not_held(kit: Kit) -> None:
    granted = kit.grant(lambda one: replace(one, provider=kit.other.member))

    refuse_signed(kit, kit.write_put(granted), code="wrong-provider")
    refuse_signed(kit, kit.write_query(granted), code="consent-missing")


@CASES.case("CON-12")
def one_bad_consent_refuses_the_whole_message(kit: Kit) -> None:
    good = kit.grant()
    bad = kit.grant(lambda one: replace(one, provider=kit.other.member))

    refuse_signed(kit, kit.write_put(good, bad), code="wrong-provider")
    refuse_signed(kit, kit.write_query(good), code="consent-missing")


@CASES.case("CON-14")
def a_consent_that_replaces_another_retires_it(kit: Kit) -> None:
    older = kit.hold()
    newer = kit.hold(lambda one: replace(one, replaces=older.hash))

    refuse_signed(kit, kit.write_query(older), code="consent-replaced")
    get_answered(kit, kit.write_query(newer))


@CASES.case("CON-14")
def a_replaced_consent_that_arrives_later_is_replaced_from_the_start(kit: Kit) -> None:
    older = kit.grant()
    kit.hold(lambda one: replace(one, replaces=older.hash))

    kit.deliver(older)

    refuse_signed(kit, kit.write_query(older), code="consent-replaced")


@CASES.case("CON-14")
def a_consent_of_another_subject_replaces_nothing(kit: Kit) -> None:
    held = kit.hold()
    kit.hold(lambda one: replace(one, replaces=held.hash), customer=kit.thin)

    get_answered(kit, kit.write_query(held))


@CASES.case("EXC-33", "EXC-29")
def what_is_no_consent_at_all_breaks_the_schema(kit: Kit) -> None:
    granted = kit.grant()
    nothing = replace(granted, token="a.b.c")

    refuse_signed(kit, kit.write_put(nothing), code="schema")


@CASES.case("EXC-31")
def consents_named_in_another_order_break_the_schema(kit: Kit) -> None:
    granted = [kit.grant(), kit.grant()]
    draft = kit.write_put(*granted)

    swapped = replace(draft, consents=tuple(reversed(draft.consents)))
    refuse_signed(kit, swapped, code="schema")


@CASES.case("EXC-29", "LIM-1")
def more_than_a_hundred_consents_or_none_break_the_schema(kit: Kit) -> None:
    draft = kit.write_put(kit.grant())
    body: JsonObject = {"v": 1, "kind": "consent-put", "consents": []}

    nothing: Draft = replace(draft, body=canonical_json(body), consents=())
    refuse_signed(kit, nothing, code="schema")


@CASES.case("CON-1")
def a_consent_is_named_by_the_hash_of_its_text(kit: Kit) -> None:
    granted = kit.hold()

    expect_equal(granted.hash, sha256(granted.token.encode("ascii")), "the kit's own name of it")
    expect_equal(granted.hash, hash_consent(granted.token), "the library's name of it")
    get_answered(kit, kit.write_query(granted))


@CASES.case("CON-51", "CON-47", "CON-48")
def a_vouched_consent_is_taken_only_where_the_node_says_that_it_takes_such(kit: Kit) -> None:
    told = json.loads(kit.node.get(DISCOVERY_PATH).body)
    takes = told.get("accept_unkeyed_consents") is True

    if takes:
        get_answered(kit, kit.write_put(kit.vouch()), code="held", uses=0)
    else:
        refuse_signed(kit, kit.write_put(kit.vouch()), code="consent-unkeyed")


@CASES.case("CON-47")
def nobody_but_the_consumer_vouches(kit: Kit) -> None:
    refuse_signed(kit, kit.write_put(kit.vouch(key=kit.other.key)), code="consent-signature")
    refuse_signed(kit, kit.write_put(kit.vouch(key=kit.keyless.key)), code="consent-signature")


@CASES.case("CON-48")
def nobody_vouches_for_a_customer_that_has_a_key(kit: Kit) -> None:
    granted = kit.grant(rest_on_paper, key=kit.asker.key)

    refuse_signed(kit, kit.write_put(granted), code="consent-signature")


@CASES.case("CON-50")
def a_paper_for_more_than_papers_allow_is_refused(kit: Kit) -> None:
    granted = kit.vouch()
    claims = read_claims(granted) | {"max_uses": VOUCHED_USES_MAX + 1}
    token = sign_compact(canonical_json(claims), key=kit.asker.key, typ=CONSENT_TYP)

    refuse_signed(kit, kit.write_put(replace(granted, token=token)), code="over-ceiling")
