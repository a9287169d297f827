"""Consents: signed within their purpose's ceilings, checked use by use, changed by statuses."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from protocol.consent import (
    CONSENT_TYP,
    FINAL_STATES,
    TRANSITIONS,
    Consent,
    ConsentState,
    ConsentStatus,
    Span,
    Standing,
    Use,
    check_against,
    check_ceilings,
    check_use,
    commit_subject,
    find_end,
    hash_consent,
    open_consent,
    open_status,
    read_held_consent,
    read_held_derivations,
    read_held_status,
    sign_consent,
    sign_status,
    span_end,
    window_start,
)
from protocol.encoding import encode_b64u, sha256
from protocol.errors import MalformedError, SchemaError, SignatureInvalidError
from protocol.jws import WrongTypeError, sign_compact, split_compact
from protocol.keys import PublicKey
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.problems import (
    ConsentExhaustedError,
    ConsentExpiredError,
    ConsentNotYetValidError,
    ConsentPausedError,
    ConsentReplacedError,
    ConsentRevokedError,
    FrequencyError,
    MetricNotAllowedError,
    OperationNotAllowedError,
    OverCeilingError,
    PeerProblemError,
    PurposeMismatchError,
    WrongConsumerError,
    WrongProviderError,
)
from protocol.purpose import TEMPLATES, PurposeTemplate
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.support.auditing import ALPHA, BETA
from tests.support.federation import (
    NOW_S,
    SUBJECT,
    SUBJECT_KEY,
    SUBJECT_SALT,
    build_consent,
    make_key,
)

CONSENT = build_consent(ALPHA, BETA)
TOKEN = sign_consent(CONSENT, key=SUBJECT_KEY)
CLAIMS = parse_object(split_compact(TOKEN, bytes_max=STATEMENT_BYTES_MAX).payload)
USE = Use(
    consumer=ALPHA,
    provider=BETA,
    purpose="P1",
    op="query",
    metrics=["delay"],
    last_months=12,
)
FRESH = Standing(state=ConsentState.ACTIVE, uses=0, uses_in_window=0)
STATUS = ConsentStatus(
    consent=hash_consent(TOKEN),
    seq=1,
    state=ConsentState.REVOKED,
    iat=NOW_S,
    by="subject",
    reason="withdrawn",
)


def find(_kid: str) -> PublicKey:
    return SUBJECT_KEY.public


def sign(claims: JsonObject) -> str:
    return sign_compact(canonical_json(claims), key=SUBJECT_KEY, typ=CONSENT_TYP)


# --- the artefact


@pytest.mark.parametrize("replaces", [None, sha256(b"older")], ids=["new", "replacing"])
def test_a_consent_opens_to_what_was_signed(replaces: bytes | None) -> None:
    consent = replace(CONSENT, replaces=replaces)

    assert open_consent(sign_consent(consent, key=SUBJECT_KEY), find_key=find) == consent


def test_a_consent_under_another_key_is_refused() -> None:
    with pytest.raises(SignatureInvalidError):
        open_consent(TOKEN, find_key=lambda _kid: make_key("another").public)


def test_a_status_is_no_consent() -> None:
    token = sign_status(STATUS, key=SUBJECT_KEY)

    with pytest.raises(WrongTypeError):
        open_consent(token, find_key=find)


def test_a_consent_is_named_by_its_bytes() -> None:
    assert hash_consent(TOKEN) == sha256(TOKEN.encode())


def test_a_subject_is_committed_to_with_a_salt() -> None:
    assert commit_subject(SUBJECT, salt=SUBJECT_SALT) == sha256(
        SUBJECT_SALT + str(SUBJECT).encode()
    )
    assert commit_subject(SUBJECT, salt=bytes(32)) != CONSENT.subject


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_a_consent_with_a_claim_missing_is_refused(name: str) -> None:
    rest = {key: value for key, value in CLAIMS.items() if key != name}

    with pytest.raises(SchemaError):
        open_consent(sign(rest), find_key=find)


def inner(name: str, **change: object) -> JsonObject:
    part = CLAIMS[name]
    assert isinstance(part, dict)
    return {name: {**part, **change}}  # type: ignore[dict-item]  # wrong on purpose


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"v": 2},
        {"basis": "habit"},
        {"onward": "anybody"},
        {"ops": []},
        {"ops": ["sell"]},
        {"metrics": []},
        {"metrics": ["secrets"]},
        {"metrics": ["delay", "delay"]},
        {"max_uses": 0},
        {"max_uses": 10_001},
        {"derive": ["gossip"]},
        {"replaces": "x"},
        {"subject": encode_b64u(bytes(31))},
        inner("purpose", more=1),
        inner("purpose", code=""),
        inner("range", gran="day"),
        inner("range", last_months=0),
        inner("range", k_min=0),
        inner("range", more=1),
        inner("freq", unit="minute"),
        inner("freq", n=0),
        inner("freq", more=1),
        inner("notice", hash="x"),
        inner("notice", more=1),
        inner("data_life", n="1"),
    ],
    ids=str,
)
def test_a_consent_with_a_wrong_claim_is_refused(change: JsonObject) -> None:
    with pytest.raises((SchemaError, MalformedError)):
        open_consent(sign(CLAIMS | change), find_key=find)


# --- ceilings


def test_a_consent_at_its_ceilings_is_accepted() -> None:
    template = TEMPLATES["P1"]
    check_ceilings(
        replace(
            CONSENT,
            last_months=template.months_max,
            max_uses=template.uses_max,
            exp=CONSENT.nbf + template.life_s_max,
        )
    )


@pytest.mark.parametrize(
    "consent",
    [
        replace(CONSENT, purpose=replace(CONSENT.purpose, code="P9")),
        replace(CONSENT, purpose=replace(CONSENT.purpose, template="marketing/1")),
        replace(CONSENT, purpose=replace(CONSENT.purpose, template_hash=bytes(32))),
        replace(CONSENT, last_months=25),
        replace(CONSENT, max_uses=101),
        replace(CONSENT, exp=CONSENT.nbf + 366 * 86_400 + 1),
        replace(CONSENT, exp=CONSENT.nbf),
        replace(CONSENT, ops=("query", "push")),
        replace(CONSENT, data_life=Span(unit="month", n=13)),
        replace(CONSENT, derive=("alert",)),
    ],
    ids=[
        "purpose",
        "template-name",
        "template",
        "months",
        "uses",
        "life",
        "no-life",
        "operation",
        "data-life",
        "derivation",
    ],
)
def test_a_consent_above_its_purpose_is_neither_signed_nor_opened(consent: Consent) -> None:
    with pytest.raises(OverCeilingError):
        check_ceilings(consent)
    with pytest.raises(OverCeilingError):
        sign_consent(consent, key=SUBJECT_KEY)


def test_a_foreign_consent_above_its_purpose_is_not_opened() -> None:
    with pytest.raises(OverCeilingError):
        open_consent(sign(CLAIMS | {"max_uses": 101}), find_key=find)


@pytest.mark.parametrize(
    "template",
    [replace(TEMPLATES["P1"], metrics=("delay",)), replace(TEMPLATES["P1"], k_min=2)],
    ids=["metric", "k_min"],
)
def test_a_consent_asks_for_no_more_and_promises_no_less_than_its_template(
    template: PurposeTemplate,
) -> None:
    check_against(replace(CONSENT, metrics=("delay",), k_min=2), template)

    with pytest.raises(OverCeilingError):
        check_against(replace(CONSENT, metrics=("delay", "money"), k_min=1), template)


def test_a_consent_held_is_read_without_its_key() -> None:
    assert read_held_consent(TOKEN) == CONSENT


@pytest.mark.parametrize("derive", [(), ("rating",), ("rating", "model")])
def test_of_a_consent_held_only_what_may_be_derived_is_read(derive: tuple[str, ...]) -> None:
    token = sign_consent(replace(CONSENT, derive=derive), key=SUBJECT_KEY)

    assert read_held_derivations(token) == derive == read_held_consent(token).derive


@pytest.mark.parametrize("derive", ["rating", ["gossip"], [7]], ids=repr)
def test_what_may_be_derived_is_read_in_its_form_only(derive: object) -> None:
    body = parse_object(split_compact(TOKEN, bytes_max=STATEMENT_BYTES_MAX).payload)
    wrong: JsonObject = {**body, "derive": derive}  # type: ignore[dict-item]  # what is refused
    token = sign_compact(canonical_json(wrong), typ=CONSENT_TYP, key=SUBJECT_KEY)

    with pytest.raises(SchemaError):
        read_held_derivations(token)


# --- check 9


def test_a_use_within_the_consent_is_covered() -> None:
    check_use(CONSENT, use=USE, standing=FRESH, now_s=NOW_S)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"consumer": "gamma.example"}, WrongConsumerError),
        ({"provider": "gamma.example"}, WrongProviderError),
        ({"purpose": "P2"}, PurposeMismatchError),
        ({"op": "push"}, OperationNotAllowedError),
        ({"metrics": ["delay", "money"]}, MetricNotAllowedError),
        ({"last_months": 13}, OverCeilingError),
    ],
    ids=["consumer", "provider", "purpose", "operation", "metric", "range"],
)
def test_a_use_beyond_the_consent_is_refused(
    change: dict[str, object], error: type[PeerProblemError]
) -> None:
    use = replace(USE, **change)  # type: ignore[arg-type]  # any field in turn

    with pytest.raises(error):
        check_use(CONSENT, use=use, standing=FRESH, now_s=NOW_S)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (ConsentState.REVOKED, ConsentRevokedError),
        (ConsentState.PAUSED, ConsentPausedError),
        (ConsentState.EXPIRED, ConsentExpiredError),
        (ConsentState.EXHAUSTED, ConsentExhaustedError),
        (ConsentState.REPLACED, ConsentReplacedError),
    ],
)
def test_a_consent_in_another_state_covers_nothing(
    state: ConsentState, error: type[PeerProblemError]
) -> None:
    with pytest.raises(error):
        check_use(CONSENT, use=USE, standing=replace(FRESH, state=state), now_s=NOW_S)


def test_a_consent_covers_from_its_beginning_to_before_its_end() -> None:
    check_use(CONSENT, use=USE, standing=FRESH, now_s=CONSENT.nbf)
    check_use(CONSENT, use=USE, standing=FRESH, now_s=CONSENT.exp - 1)

    with pytest.raises(ConsentNotYetValidError):
        check_use(CONSENT, use=USE, standing=FRESH, now_s=CONSENT.nbf - 1)
    with pytest.raises(ConsentExpiredError):
        check_use(CONSENT, use=USE, standing=FRESH, now_s=CONSENT.exp)


def test_uses_end_with_their_number_and_with_their_window() -> None:
    check_use(CONSENT, use=USE, standing=replace(FRESH, uses=4, uses_in_window=2), now_s=NOW_S)

    with pytest.raises(ConsentExhaustedError):
        check_use(CONSENT, use=USE, standing=replace(FRESH, uses=5), now_s=NOW_S)
    with pytest.raises(FrequencyError):
        check_use(CONSENT, use=USE, standing=replace(FRESH, uses_in_window=3), now_s=NOW_S)


def test_a_stranger_learns_nothing_of_the_state() -> None:
    use = replace(USE, consumer="gamma.example")

    with pytest.raises(WrongConsumerError):
        check_use(
            CONSENT,
            use=use,
            standing=replace(FRESH, state=ConsentState.REVOKED, uses=99),
            now_s=CONSENT.exp,
        )


# --- windows


@pytest.mark.parametrize(
    ("unit", "start"),
    [
        ("hour", datetime(2026, 8, 14, 15, tzinfo=UTC)),
        ("day", datetime(2026, 8, 14, tzinfo=UTC)),
        ("month", datetime(2026, 8, 1, tzinfo=UTC)),
        ("year", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_window_is_a_calendar_unit(unit: str, start: datetime) -> None:
    moment = datetime(2026, 8, 14, 15, 59, 59, tzinfo=UTC)
    span = Span(unit=unit, n=3)

    assert window_start(span, now_s=int(moment.timestamp())) == int(start.timestamp())
    assert window_start(span, now_s=int(start.timestamp())) == int(start.timestamp())


@pytest.mark.parametrize(
    ("span", "end"),
    [
        (Span(unit="hour", n=2), datetime(2026, 1, 31, 13, 30, tzinfo=UTC)),
        (Span(unit="day", n=1), datetime(2026, 2, 1, 11, 30, tzinfo=UTC)),
        (Span(unit="month", n=1), datetime(2026, 2, 28, 11, 30, tzinfo=UTC)),
        (Span(unit="month", n=12), datetime(2027, 1, 31, 11, 30, tzinfo=UTC)),
        (Span(unit="year", n=1), datetime(2027, 1, 31, 11, 30, tzinfo=UTC)),
        (Span(unit="year", n=10_000), datetime(3026, 1, 31, 11, 30, tzinfo=UTC)),
    ],
    ids=str,
)
def test_a_span_ends_in_the_calendar_and_never_lasts_longer_than_it_says(
    span: Span, end: datetime
) -> None:
    begin_s = int(datetime(2026, 1, 31, 11, 30, tzinfo=UTC).timestamp())

    assert span_end(span, from_s=begin_s) == int(end.timestamp())
    assert span_end(span, from_s=begin_s) - begin_s <= span.longest_s


# --- states


def test_a_final_state_leads_nowhere() -> None:
    assert set(TRANSITIONS) == set(ConsentState)
    assert all(TRANSITIONS[state] == frozenset() for state in FINAL_STATES)
    assert ConsentState.ACTIVE in TRANSITIONS[ConsentState.PAUSED]
    assert all(state not in TRANSITIONS[state] for state in ConsentState)


def test_a_status_opens_to_what_was_signed_and_names_its_signer() -> None:
    token = sign_status(STATUS, key=SUBJECT_KEY)

    assert open_status(token, find_key=find) == (STATUS, SUBJECT_KEY.kid)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"seq": 0},
        {"state": "odd"},
        {"by": "anybody"},
        {"reason": ""},
        {"consent": "x"},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_status_of_another_form_is_refused(change: JsonObject) -> None:
    token = sign_status(STATUS, key=SUBJECT_KEY)
    split = split_compact(token)
    claims = parse_object(split.payload) | change
    other = sign_compact(canonical_json(claims), key=SUBJECT_KEY, typ=split.header.typ)

    with pytest.raises((SchemaError, MalformedError)):
        open_status(other, find_key=find)


def test_a_status_held_is_read_without_its_key() -> None:
    assert read_held_status(sign_status(STATUS, key=SUBJECT_KEY)) == STATUS


@pytest.mark.parametrize(
    ("uses", "now_s", "end"),
    [
        (0, CONSENT.exp - 1, None),
        (CONSENT.max_uses, CONSENT.exp - 1, ConsentState.EXHAUSTED),
        (0, CONSENT.exp, ConsentState.EXPIRED),
        (CONSENT.max_uses, CONSENT.exp, ConsentState.EXPIRED),
    ],
    ids=["running", "used up", "over", "both"],
)
def test_a_consent_ends_by_itself_with_its_time_or_its_uses(
    uses: int, now_s: int, end: ConsentState | None
) -> None:
    assert find_end(CONSENT, standing=replace(FRESH, uses=uses), now_s=now_s) is end
