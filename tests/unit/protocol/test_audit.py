"""The audit of whole bundles: the root of trust, single bundles, both sides of an exchange."""

from dataclasses import replace

import pytest

from protocol.audit.findings import ExitStatus, LogVerdict, Outcome, Verdict
from protocol.bundle import format_snapshot, parse_bundle_files
from protocol.encoding import encode_b64u
from protocol.jws import sign_compact
from protocol.message import Envelope
from protocol.note import format_vkey
from protocol.registry import REGISTRY_TYP, KeyEntry, Registry
from protocol.strict_json import JsonValue, canonical_json
from tests.support.auditing import (
    ALPHA,
    BETA,
    GAMMA,
    Files,
    audit,
    audit_bundles,
    audit_files,
    codes,
    find_exchange,
    find_line,
    flip_in,
    make_pair,
)
from tests.support.federation import HUB_KEY, NOW_S, Federation, key_entry, make_key

OTHER_HUB = make_key("another hub")


def test_an_honest_federation_is_proven_whole() -> None:
    federation, consent = make_pair()
    asked = [federation.ask(ALPHA, BETA, consent), federation.ask(ALPHA, BETA, consent)]
    federation.ask(ALPHA, BETA, consent, code="consent-missing", use=0)
    federation.acknowledge(ALPHA, BETA, *asked)

    report = audit(federation.bundles())

    assert codes(report) == codes(report, Outcome.UNKNOWN) == set()
    assert report.verdict is Verdict.PROVEN
    assert report.exit_status is ExitStatus.PROVEN
    assert [log.verdict for log in report.logs] == [LogVerdict.HOLDS, LogVerdict.HOLDS]
    assert {one.verdict for one in report.exchanges} == {Verdict.PROVEN}
    assert (report.totals.bundles, report.totals.exchanges, report.totals.uses) == (2, 4, 2)
    assert report.totals.entries == sum(log.anchored for log in report.logs)
    assert report.totals.signatures > 20
    assert report.consents[0].uses == 2


def test_a_redacted_federation_is_proven_too() -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    federation.acknowledge(ALPHA, BETA, asked)

    report = audit(federation.bundles(redacted=True))

    assert report.verdict is Verdict.PROVEN
    outcomes = {line.outcome for one in report.exchanges for line in one.evidence}
    assert outcomes == {Outcome.HOLDS, Outcome.NOT_SHOWN}


@pytest.mark.parametrize("name", [ALPHA, BETA])
def test_one_side_alone_proves_an_exchange_by_the_proofs_of_the_other(name: str) -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    federation.acknowledge(ALPHA, BETA, asked)

    report = audit(federation.bundles(name))

    assert report.verdict is Verdict.PROVEN
    assert len(report.exchanges) == 2
    first = find_exchange(report, encode_b64u(asked.envelope.jti))
    logged = {line.text for line in first.evidence if line.code == "decision-logged"}
    assert logged == {"the decision is entry 1 of the log of beta.example"}


def test_receipts_tell_of_the_arrival_where_the_askers_log_is_not_here() -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    federation.acknowledge(ALPHA, BETA, asked)

    report = audit(federation.bundles(BETA))

    acknowledged = {
        one.xid: {line.code for line in one.evidence} & {"acknowledged", "arrival-not-shown"}
        for one in report.exchanges
    }
    assert sorted(map(sorted, acknowledged.values())) == [["acknowledged"], ["arrival-not-shown"]]


# --- the anchor and the registry


def test_without_an_anchor_the_key_comes_from_the_bundle_and_the_report_says_so() -> None:
    federation, _ = make_pair()

    report = audit_bundles(federation.bundles())

    assert report.anchor is not None
    assert (report.anchor.key, report.anchor.given) == (encode_b64u(HUB_KEY.public.raw), False)
    assert report.verdict is Verdict.PROVEN


def test_another_anchor_leaves_nothing_to_judge() -> None:
    federation, _ = make_pair()

    report = audit_bundles(federation.bundles(), anchor=OTHER_HUB.public)

    assert report.registry is None
    assert report.logs == ()
    assert report.exchanges == ()
    assert codes(report) == {"unknown-key"}
    assert report.exit_status is ExitStatus.CONTRADICTED


@pytest.mark.parametrize(
    "registry",
    [
        b"",
        b"not json\n",
        b'{"seq":1,"tokens":[]}\n',
        b'{"seq":1,"tokens":["a.b.c"]}\n',
    ],
    ids=["empty", "no-json", "no-signature", "no-token"],
)
def test_no_readable_snapshot_and_no_anchor_is_a_finding(registry: bytes) -> None:
    federation, _ = make_pair()
    files = federation.export(ALPHA) | {"registry.jsonl": registry}

    report = audit_bundles([parse_bundle_files(files, name="alpha")])

    assert report.anchor is None
    assert "anchor-absent" in codes(report)


def test_a_bundle_without_snapshots_is_judged_by_those_of_another() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    theirs = federation.export(BETA) | {"registry.jsonl": b""}

    report = audit_files(alpha=federation.export(ALPHA), beta=theirs)

    assert codes(report) == {"registry-absent"}
    assert report.exchanges[0].verdict is Verdict.PROVEN


@pytest.mark.parametrize(
    "hub_keys",
    ["x", ["x"], [{"jwk": make_key("another hub").public.jwk}]],
    ids=["no-list", "no-entry", "another-key"],
)
def test_a_first_snapshot_that_does_not_name_its_signer_gives_no_anchor(
    hub_keys: JsonValue,
) -> None:
    federation, _ = make_pair()
    token = sign_compact(canonical_json({"hub_keys": hub_keys}), key=HUB_KEY, typ=REGISTRY_TYP)
    files = federation.export(ALPHA)
    files["registry.jsonl"] = format_snapshot(seq=1, tokens=[token])

    report = audit_bundles([parse_bundle_files(files, name="alpha")])

    assert "anchor-absent" in codes(report)


def test_the_chain_is_followed_over_a_change_of_the_hubs_key() -> None:
    federation, consent = make_pair()
    federation.publish(lambda draft: replace(draft, hub_keys=(*draft.hub_keys, _hub_key())))
    federation.publish(
        lambda draft: replace(draft, hub_keys=(*draft.hub_keys, _hub_key())), keys=[OTHER_HUB]
    )
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert report.registry is not None
    assert report.registry.snapshots == 3


def _hub_key() -> KeyEntry:
    return key_entry(OTHER_HUB, "hub")


def test_a_key_that_no_snapshot_names_signs_no_further_one() -> None:
    federation, _ = make_pair()
    federation.publish(keys=[OTHER_HUB])

    report = audit(federation.bundles())

    assert "unknown-key" in codes(report)
    assert report.registry is not None
    assert report.registry.snapshots == 1


def test_a_chain_that_does_not_begin_at_its_beginning_is_refused() -> None:
    federation, _ = make_pair()
    federation.publish()
    files = federation.export(ALPHA)
    files["registry.jsonl"] = files["registry.jsonl"].split(b"\n", 1)[1]

    report = audit_files(alpha=files)

    assert codes(report) == {"registry-chain"}


def test_a_line_that_gives_a_snapshot_another_number_is_refused() -> None:
    federation, _ = make_pair()
    files = federation.export(ALPHA)
    files["registry.jsonl"] = files["registry.jsonl"].replace(b'"seq":1,', b'"seq":2,')

    assert "registry-chain" in codes(audit_files(alpha=files))


def test_a_snapshot_that_drops_a_key_ends_the_chain() -> None:
    federation, _ = make_pair()
    federation.publish(lambda draft: replace(draft, members=draft.members[:1]))

    report = audit(federation.bundles())

    assert "registry-chain" in codes(report)


def test_two_snapshots_of_one_number_are_a_fork_of_the_registry() -> None:
    federation, _ = make_pair()
    federation.publish()
    ours = federation.export(ALPHA)
    federation.snapshots.pop()
    federation.publish(lambda draft: replace(draft, exp=draft.exp - 1))
    theirs = federation.export(BETA)

    report = audit_files(alpha=ours, beta=theirs)

    line = find_line(report, "registry-fork")
    assert "snapshots 2" in line.text
    assert report.findings[0].exhibits


def test_a_witness_key_that_cannot_be_read_witnesses_nothing() -> None:
    federation = Federation(ALPHA)
    federation.snapshots.clear()
    federation.publish(lambda draft: replace(draft, witness_vkey="no key"))

    assert codes(audit(federation.bundles())) == {"witness-quorum", "policy"}


def test_a_log_key_is_no_witness() -> None:
    federation = Federation(ALPHA)
    federation.snapshots.clear()
    vkey = format_vkey(federation.members[ALPHA].log.vkey)
    federation.publish(lambda draft: replace(draft, witness_vkey=vkey))

    assert codes(audit(federation.bundles())) == {"witness-quorum", "policy"}


# --- several bundles


def test_two_exports_of_one_log_are_joined_and_the_longer_one_judges() -> None:
    federation, consent = make_pair()
    early = federation.bundles(BETA)[0]
    federation.ask(ALPHA, BETA, consent)

    report = audit([early, *federation.bundles(BETA), early])

    assert [log.bundle for log in report.logs] == ["beta", "beta#2", "beta#3"]
    assert [log.size for log in report.logs] == [1, 2, 1]
    assert report.totals.exchanges == 1
    assert codes(report) == set()


def test_members_that_never_met_are_proven_side_by_side() -> None:
    federation = Federation(ALPHA, BETA, GAMMA)

    report = audit(federation.bundles())

    assert [log.member for log in report.logs] == [ALPHA, BETA, GAMMA]
    assert report.verdict is Verdict.PROVEN


# --- keys and their time


def revoke_messages_of(name: str, *, at_s: int, federation: Federation) -> None:
    def change(draft: Registry) -> Registry:
        members = tuple(
            replace(
                member,
                keys=(
                    replace(member.keys[0], revoked_at=at_s, reason="lost"),
                    *member.keys[1:],
                ),
            )
            if member.member == name
            else member
            for member in draft.members
        )
        return replace(draft, members=members)

    federation.publish(change)


@pytest.mark.parametrize("name", [ALPHA, BETA])
def test_a_message_signed_after_its_key_was_revoked_is_contradicted(name: str) -> None:
    federation, consent = make_pair()
    revoke_messages_of(name, at_s=NOW_S - 10, federation=federation)
    federation.ask(ALPHA, BETA, consent)

    assert codes(audit(federation.bundles())) == {"key-revoked"}


def test_a_message_signed_before_its_key_was_revoked_is_proven() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    revoke_messages_of(ALPHA, at_s=NOW_S + 1, federation=federation)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_a_key_that_no_member_has_proves_nothing() -> None:
    federation, consent = make_pair()
    federation.members[ALPHA].key = make_key("a stranger")
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert "unknown-key" in codes(report)
    assert "request-absent" in codes(report, Outcome.UNKNOWN)


def test_a_member_that_signs_in_the_name_of_another_is_found() -> None:
    federation = Federation(ALPHA, BETA, GAMMA)
    consent = federation.consent(ALPHA, BETA)
    federation.members[ALPHA].key = federation.members[GAMMA].key
    federation.ask(ALPHA, BETA, consent)

    assert "wrong-issuer" in codes(audit(federation.bundles(ALPHA, BETA)))


def test_a_statement_of_another_kind_is_no_message() -> None:
    federation, _ = make_pair()
    files = federation.export(ALPHA)
    token = federation.snapshots[0][1][0]
    files["messages.jsonl"] = (
        f'{{"request":"{token[:16_000]}","request_inclusion":"","side":"out"}}\n'.encode()
    )

    assert codes(audit_files(alpha=files)) >= {"message-unreadable"}


# --- the snapshot that a message names


def test_a_message_that_names_a_snapshot_beyond_the_bundles_is_undetermined() -> None:
    federation, consent = make_pair()
    federation.publish()
    federation.ask(ALPHA, BETA, consent)
    federation.snapshots.pop()

    report = audit(federation.bundles())

    assert codes(report, Outcome.UNKNOWN) == {"registry-unknown"}
    assert report.exit_status is ExitStatus.UNDETERMINED


def test_an_answered_message_that_names_an_expired_snapshot_is_contradicted() -> None:
    federation, consent = make_pair()
    federation.now_s += 2 * 86_400

    federation.ask(ALPHA, BETA, consent)

    assert codes(audit(federation.bundles())) == {"registry-expired"}


def test_a_message_that_names_another_snapshot_of_that_number_is_contradicted() -> None:
    federation, consent = make_pair()

    def rename(envelope: Envelope) -> Envelope:
        return replace(envelope, reg=replace(envelope.reg, hash=bytes(32)))

    asked = federation.request(
        ALPHA, BETA, op="consent.put", body=b"{}", purpose="-", consents=(consent,), change=rename
    )
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"registry-unknown"}


# --- bundles that are damaged outside the log


def files_of_pair() -> tuple[Federation, Files, Files]:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    return federation, federation.export(ALPHA), federation.export(BETA)


@pytest.mark.parametrize("content", [None, b"{}", b"\xff"], ids=["missing", "empty", "no-utf-8"])
def test_without_a_manifest_the_rest_is_judged(content: bytes | None) -> None:
    _, ours, theirs = files_of_pair()
    ours.pop("manifest.json")
    ours |= {} if content is None else {"manifest.json": content}

    report = audit_files(alpha=ours, beta=theirs)

    assert codes(report) == {"unreadable"}
    assert report.exchanges[0].verdict is Verdict.PROVEN


def test_a_manifest_of_another_head_is_found() -> None:
    _, ours, theirs = files_of_pair()
    ours["manifest.json"] = theirs["manifest.json"]

    assert codes(audit_files(alpha=ours)) == {"manifest"}


@pytest.mark.parametrize(
    ("policy", "is_found"),
    [(b"log x\n", True), (b"quorum none\n", True), (None, False)],
    ids=["no-policy", "trusts-anybody", "its-own"],
)
def test_the_policy_file_must_trust_the_registrys_keys(
    policy: bytes | None, *, is_found: bool
) -> None:
    _, ours, _ = files_of_pair()
    ours["policy"] = policy or ours["policy"]

    assert ("policy" in codes(audit_files(alpha=ours))) is is_found


def test_a_file_that_is_no_part_of_a_bundle_is_found() -> None:
    _, ours, _ = files_of_pair()

    report = audit_files(alpha=ours | {"notes.txt": b"hello"})

    assert find_line(report, "unreadable").text.endswith("no file of a bundle")


def test_a_message_that_cannot_be_read_names_the_exchanges_it_may_belong_to() -> None:
    _, ours, theirs = files_of_pair()
    ours["messages.jsonl"] = b"{" + ours["messages.jsonl"]

    report = audit_files(alpha=ours, beta=theirs)

    (finding,) = [one for one in report.findings if one.code == "unreadable"]
    assert finding.place is not None
    assert finding.place.text == "alpha/messages.jsonl:1"
    assert finding.affects == (report.exchanges[0].xid,)


def test_an_envelope_that_is_no_token_names_the_exchanges_it_may_belong_to() -> None:
    _, ours, theirs = files_of_pair()
    ours["messages.jsonl"] = b'{"request":"x","request_inclusion":"","side":"out"}\n'

    report = audit_files(alpha=ours, beta=theirs)

    (finding,) = [one for one in report.findings if one.code == "message-unreadable"]
    assert finding.affects == (report.exchanges[0].xid,)


def test_a_request_that_cannot_be_read_is_found_by_its_answer() -> None:
    _, ours, theirs = files_of_pair()
    start = ours["messages.jsonl"].index(b'"request":"') + len(b'"request":"')
    ours = flip_in(ours, "messages.jsonl", start + 3)

    report = audit_files(alpha=ours, beta=theirs)

    (one,) = report.exchanges
    assert one.verdict is Verdict.CONTRADICTED
    assert codes(report) == {"malformed"}


def test_a_peers_checkpoint_that_does_not_verify_is_found() -> None:
    _, ours, theirs = files_of_pair()
    ours = flip_in(ours, "heads.jsonl", ours["heads.jsonl"].index(b"log/1\\n2\\n") + 7)

    report = audit_files(alpha=ours, beta=theirs)

    assert codes(report) == {"note-signature-invalid"}
