"""The receiver's checks: the table of their order, and each function that makes some of them."""

from dataclasses import replace

import pytest

from protocol.checkpoint import Checkpoint
from protocol.encoding import sha256
from protocol.entry import ExchangeEntry, RequestEntry, format_entry
from protocol.errors import EvidenceError, MalformedError, SignatureInvalidError
from protocol.exchange import (
    CHECKS,
    Check,
    FindRegistry,
    check_content,
    check_registry_reference,
    open_reply,
    open_request,
    verify_message_inclusion,
)
from protocol.jws import WrongTypeError, sign_compact
from protocol.message import (
    Envelope,
    LogHead,
    RegistryReference,
    WireMessage,
    format_envelope,
    message_typ,
    seal_envelope,
)
from protocol.problems import (
    PROBLEMS,
    BodyMismatchError,
    ClockSkewError,
    ExpiredError,
    InclusionInvalidError,
    KeyRevokedError,
    RegistryExpiredError,
    RegistryUnknownError,
    UnknownKeyProblemError,
    WrongAudienceError,
    WrongIssuerError,
)
from protocol.strict_json import canonical_json
from tests.support.auditing import ALPHA, BETA
from tests.support.federation import NOW_S, Asked, Federation, make_key
from tests.support.federation_parts import key_entry


class Pair:
    """An asker, an answerer and one answered question."""

    def __init__(self) -> None:
        self.federation = Federation(ALPHA, BETA)
        consent = self.federation.consent(ALPHA, BETA)
        self.asked: Asked = self.federation.ask(ALPHA, BETA, consent)
        self.request = self.asked.request
        self.envelope = self.asked.envelope
        self.registry = self.federation.registry
        assert self.asked.answer is not None
        assert self.asked.reply is not None
        self.answer = self.asked.answer
        self.reply = self.asked.reply

    @property
    def find_registry(self) -> FindRegistry:
        return lambda seq: (
            (self.registry.hash, self.registry.iat, self.registry.exp) if seq == 1 else None
        )

    def seal(self, envelope: Envelope, *, name: str = ALPHA) -> WireMessage:
        env = seal_envelope(envelope, key=self.federation.members[name].key)
        return replace(self.request, env=env)

    def open(self, message: WireMessage, *, audience: str = BETA, now_s: int = NOW_S) -> Envelope:
        return open_request(message, registry=self.registry, audience=audience, now_s=now_s)

    def open_reply(self, reply: WireMessage, *, now_s: int = NOW_S) -> Envelope:
        envelope, _ = open_reply(
            reply,
            request=self.envelope,
            request_hash=self.request.msg_hash,
            registry=self.registry,
            find_registry=self.find_registry,
            now_s=now_s,
        )
        return envelope


@pytest.fixture
def pair() -> Pair:
    return Pair()


# --- the table


def test_the_checks_are_numbered_in_their_order() -> None:
    assert [check.number for check in CHECKS] == list(range(1, 11))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.number))
def test_every_code_of_a_check_is_a_problem(check: Check) -> None:
    assert set(check.codes) <= set(PROBLEMS)
    assert len(set(check.codes)) == len(check.codes) > 0


def test_a_code_belongs_to_one_check_alone() -> None:
    codes = [code for check in CHECKS for code in check.codes]

    assert len(set(codes)) == len(codes)


def test_a_stranger_gets_no_signature_and_no_log_entry() -> None:
    assert [(check.signed, check.logged) for check in CHECKS[:3]] == [(False, "metrics")] * 3
    assert all(check.signed for check in CHECKS[3:])


def test_only_the_last_check_counts_a_use() -> None:
    assert [check.number for check in CHECKS if check.uses] == [10]


# --- checks 1 to 3


def test_a_request_that_holds_is_opened(pair: Pair) -> None:
    assert pair.open(pair.request) == pair.envelope


def test_a_token_of_another_form_is_malformed(pair: Pair) -> None:
    with pytest.raises(MalformedError):
        pair.open(replace(pair.request, env="a.b"))


def test_claims_of_another_form_are_malformed_and_not_answered_by_schema(pair: Pair) -> None:
    key = pair.federation.members[ALPHA].key
    payload = canonical_json(format_envelope(pair.envelope) | {"more": 1})
    env = sign_compact(payload, key=key, typ=message_typ("query"))

    with pytest.raises(MalformedError):
        pair.open(replace(pair.request, env=env))


@pytest.mark.parametrize("typ", ["cx-consent+jws", message_typ("push"), "cx-query"])
def test_a_typ_that_is_not_the_operations_is_refused(pair: Pair, typ: str) -> None:
    key = pair.federation.members[ALPHA].key
    env = sign_compact(canonical_json(format_envelope(pair.envelope)), key=key, typ=typ)

    with pytest.raises(WrongTypeError):
        pair.open(replace(pair.request, env=env))


def test_a_key_of_nobody_is_refused(pair: Pair) -> None:
    env = seal_envelope(pair.envelope, key=make_key("nobody"))

    with pytest.raises(UnknownKeyProblemError):
        pair.open(replace(pair.request, env=env))


def test_a_key_that_is_not_valid_now_is_refused(pair: Pair) -> None:
    with pytest.raises(KeyRevokedError):
        pair.open(pair.request, now_s=NOW_S + 2 * 366 * 86_400)


def test_a_changed_signature_is_refused(pair: Pair) -> None:
    head, _, signature = pair.request.env.rpartition(".")
    other = "B" if signature[0] == "A" else "A"

    with pytest.raises(SignatureInvalidError):
        pair.open(replace(pair.request, env=f"{head}.{other}{signature[1:]}"))


def test_an_issuer_that_does_not_own_the_key_is_refused(pair: Pair) -> None:
    with pytest.raises(WrongIssuerError):
        pair.open(pair.seal(replace(pair.envelope, iss="gamma.example")))


def test_a_message_for_somebody_else_is_refused(pair: Pair) -> None:
    with pytest.raises(WrongAudienceError):
        pair.open(pair.request, audience="gamma.example")


# --- checks 6 to 8


def check(pair: Pair, message: WireMessage, envelope: Envelope, now_s: int = NOW_S) -> Checkpoint:
    return check_content(
        message,
        envelope,
        registry=pair.registry,
        find_registry=pair.find_registry,
        now_s=now_s,
    )


def test_content_that_holds_gives_the_senders_proven_head(pair: Pair) -> None:
    checkpoint = check(pair, pair.request, pair.envelope)

    log = pair.federation.members[ALPHA].log
    assert (checkpoint.origin, checkpoint.size) == (log.origin, 2)
    assert checkpoint.root == log.nodes(2).edge.root


def test_the_first_failing_one_of_time_registry_body_and_inclusion_wins(pair: Pair) -> None:
    bad = replace(pair.request, body=b"other", inclusion="none")
    unknown = replace(pair.envelope, reg=RegistryReference(seq=9, hash=bytes(32)))

    with pytest.raises(ExpiredError):
        check(pair, bad, unknown, NOW_S + 300)
    with pytest.raises(RegistryUnknownError):
        check(pair, bad, unknown)
    with pytest.raises(BodyMismatchError):
        check(pair, bad, pair.envelope)
    with pytest.raises(InclusionInvalidError):
        check(pair, replace(bad, body=pair.request.body), pair.envelope)


@pytest.mark.parametrize("now_s", [NOW_S - 11])
def test_a_message_from_the_future_is_refused(pair: Pair, now_s: int) -> None:
    with pytest.raises(ClockSkewError):
        check(pair, pair.request, pair.envelope, now_s)


@pytest.mark.parametrize(
    "reference",
    [RegistryReference(seq=2, hash=bytes(32)), RegistryReference(seq=1, hash=bytes(32))],
    ids=["number", "hash"],
)
def test_a_snapshot_that_is_not_held_is_refused(pair: Pair, reference: RegistryReference) -> None:
    with pytest.raises(RegistryUnknownError):
        check_registry_reference(
            replace(pair.envelope, reg=reference), find_registry=pair.find_registry
        )


@pytest.mark.parametrize(("late_s", "is_refused"), [(-1, False), (0, True)])
def test_a_snapshot_counts_until_its_end(pair: Pair, late_s: int, *, is_refused: bool) -> None:
    envelope = replace(pair.envelope, iat=pair.registry.exp + late_s)

    if is_refused:
        with pytest.raises(RegistryExpiredError):
            check_registry_reference(envelope, find_registry=pair.find_registry)
    else:
        check_registry_reference(envelope, find_registry=pair.find_registry)


# --- inclusion


def test_both_messages_of_an_exchange_are_in_their_senders_logs(pair: Pair) -> None:
    assert verify_message_inclusion(pair.request, pair.envelope, registry=pair.registry).size == 2
    assert verify_message_inclusion(pair.answer, pair.reply, registry=pair.registry).size == 2


@pytest.mark.parametrize("kind", ["none", "no-entry", "genesis", "response", "another-log"])
def test_a_proof_that_does_not_show_the_message_is_refused(pair: Pair, kind: str) -> None:
    log = pair.federation.members[ALPHA].log
    lines = pair.request.inclusion.split("\n")
    proof = {
        "none": "",
        "no-entry": "\n".join(line for line in lines if not line.startswith("extra ")),
        "genesis": log.prove(0),
        "response": log.prove(2),
        "another-log": pair.answer.inclusion,
    }[kind]

    with pytest.raises(InclusionInvalidError):
        verify_message_inclusion(
            replace(pair.request, inclusion=proof), pair.envelope, registry=pair.registry
        )


@pytest.mark.parametrize("change", ["xid", "peer", "n", "msg"])
def test_a_proof_of_another_messages_entry_is_refused(pair: Pair, change: str) -> None:
    entry = RequestEntry(
        at_ms=1,
        xid=bytes(16) if change == "xid" else pair.envelope.jti,
        peer="gamma.example" if change == "peer" else BETA,
        n=9 if change == "n" else pair.envelope.n,
        op="query",
        msg=sha256(b"x") if change == "msg" else pair.request.msg_hash,
        purpose="P1",
        consents=(),
    )
    log = pair.federation.members[ALPHA].log
    proof = log.prove(log.append(format_entry(entry)))

    with pytest.raises(InclusionInvalidError):
        verify_message_inclusion(
            replace(pair.request, inclusion=proof), pair.envelope, registry=pair.registry
        )


def test_a_reply_logged_as_a_request_is_not_proven(pair: Pair) -> None:
    entry = RequestEntry(
        at_ms=1,
        xid=pair.reply.jti,
        peer=ALPHA,
        n=pair.reply.n,
        op="query",
        msg=pair.answer.msg_hash,
        purpose="P1",
        consents=(),
    )
    log = pair.federation.members[BETA].log
    proof = log.prove(log.append(format_entry(entry)))

    with pytest.raises(InclusionInvalidError, match="another kind"):
        verify_message_inclusion(
            replace(pair.answer, inclusion=proof), pair.reply, registry=pair.registry
        )


def test_a_request_logged_as_an_answer_is_not_proven(pair: Pair) -> None:
    entry = ExchangeEntry(
        at_ms=1,
        xid=pair.envelope.jti,
        peer=BETA,
        peer_n=1,
        n=pair.envelope.n,
        op="query",
        msg=bytes(32),
        ans=pair.request.msg_hash,
        code="full",
        use=1,
        consents=(),
        head=pair.envelope.head,
    )
    log = pair.federation.members[ALPHA].log
    proof = log.prove(log.append(format_entry(entry)))

    with pytest.raises(InclusionInvalidError, match="another kind"):
        verify_message_inclusion(
            replace(pair.request, inclusion=proof), pair.envelope, registry=pair.registry
        )


def test_an_older_log_of_the_sender_still_proves_what_it_holds(pair: Pair) -> None:
    alpha = pair.registry.members[0]
    retired = tuple(
        replace(entry, origin=alpha.log_origin) if entry.use == "log" else entry
        for entry in alpha.keys
    )
    fresh = key_entry(make_key("alpha: second log"), "log")
    moved = replace(alpha, log_origin=f"{ALPHA}/chengxin/log/2", keys=(*retired, fresh))
    newer = replace(pair.registry, members=(moved, *pair.registry.members[1:]))

    assert (
        verify_message_inclusion(pair.request, pair.envelope, registry=newer).origin
        == alpha.log_origin
    )


def test_a_log_of_another_member_proves_nothing_of_the_senders(pair: Pair) -> None:
    usurper = replace(pair.envelope, iss=BETA)

    with pytest.raises(InclusionInvalidError, match="no log key of beta"):
        verify_message_inclusion(pair.request, usurper, registry=pair.registry)


def test_a_sender_without_a_log_proves_nothing(pair: Pair) -> None:
    stranger = replace(pair.envelope, iss="gamma.example")

    with pytest.raises(InclusionInvalidError):
        verify_message_inclusion(pair.request, stranger, registry=pair.registry)


# --- replies


def test_a_reply_that_holds_is_opened(pair: Pair) -> None:
    assert pair.open_reply(pair.answer) == pair.reply


def test_a_stored_reply_is_accepted_after_its_end(pair: Pair) -> None:
    assert pair.open_reply(pair.answer, now_s=NOW_S + 5_000) == pair.reply


def reseal(pair: Pair, envelope: Envelope) -> WireMessage:
    env = seal_envelope(envelope, key=pair.federation.members[BETA].key)
    return replace(pair.answer, env=env)


@pytest.mark.parametrize("name", ["jti", "req"])
def test_a_reply_to_another_request_is_refused(pair: Pair, name: str) -> None:
    if name == "jti":
        reply = replace(pair.reply, jti=bytes(16))
    else:
        reply = replace(pair.reply, req=sha256(b"another"))

    with pytest.raises((WrongIssuerError, EvidenceError)):
        pair.open_reply(reseal(pair, reply))


def test_a_request_is_no_reply(pair: Pair) -> None:
    envelope = replace(
        pair.envelope, iss=BETA, aud=ALPHA, head=LogHead(size=1, root=pair.envelope.head.root)
    )

    with pytest.raises(EvidenceError):
        pair.open_reply(reseal(pair, envelope))


def test_a_reply_of_somebody_else_is_refused(pair: Pair) -> None:
    reply = replace(pair.reply, iss=ALPHA)
    env = seal_envelope(reply, key=pair.federation.members[ALPHA].key)

    with pytest.raises(WrongIssuerError):
        pair.open_reply(replace(pair.answer, env=env))


def test_an_answer_older_than_its_request_is_refused(pair: Pair) -> None:
    older = replace(pair.reply, iat=NOW_S - 11, exp=NOW_S + 100)

    with pytest.raises(EvidenceError, match="older"):
        pair.open_reply(reseal(pair, older))


def test_a_refusal_may_seem_older_than_its_request(pair: Pair) -> None:
    # Ours may be the clock that is wrong; its inclusion is then what is looked at next.
    older = replace(pair.reply, op="problem", st="clock-skew", iat=NOW_S - 100, exp=NOW_S + 100)

    with pytest.raises(InclusionInvalidError):
        pair.open_reply(reseal(pair, older))


@pytest.mark.parametrize("inclusion", ["", "none"])
def test_a_refusal_for_haste_alone_may_stand_in_no_log(pair: Pair, inclusion: str) -> None:
    quota = replace(pair.reply, op="problem", st="quota")
    reply = replace(reseal(pair, quota), inclusion=inclusion)

    if inclusion:
        with pytest.raises(InclusionInvalidError):
            pair.open_reply(reply)
    else:
        assert pair.open_reply(reply) == quota
