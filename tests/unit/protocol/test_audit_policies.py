"""The audit under an auditor's own witness policy: which heads meet it, and what they prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from protocol import audit as auditor
from protocol.audit.findings import Outcome, PolicyLogReport, Report, Verdict
from protocol.audit.policies import find_quorum_time
from protocol.bundle import WITNESSED_FILE, format_head, format_witnessed, parse_bundle_files
from protocol.cosignature import cosign_checkpoint
from protocol.keys import SigningKey
from protocol.log_policy import (
    Cosigner,
    LogPolicy,
    PolicyGroup,
    PolicyLog,
    PolicyWitness,
    parse_log_policy,
)
from protocol.note import SignatureKind, VerifierKey, add_signatures
from protocol.report import build_object, build_text
from tests.support.auditing import ALPHA, BETA, Files, codes, find_line, make_pair
from tests.support.federation import HUB_KEY, NOW_S, WITNESS, Federation
from tests.support.federation_parts import WITNESS_KEY, make_key
from tests.unit.protocol.test_audit_keys import STOLEN_S, compromise

UNKNOWN = Outcome.UNKNOWN
BANK, COURT = make_key("the bank's witness"), make_key("the court's witness")


def vkey(key: SigningKey) -> VerifierKey:
    name = "bank.example/witness" if key is BANK else "court.example/witness"
    return VerifierKey(name=name, kind=SignatureKind.COSIGNATURE_V1, public=key.public)


def make_policy(*, threshold: int = 2, logs: Sequence[VerifierKey] = ()) -> LogPolicy:
    return LogPolicy(
        logs=tuple(PolicyLog(key=key) for key in logs),
        witnesses=(
            PolicyWitness(name="bank", key=vkey(BANK)),
            PolicyWitness(name="court", key=vkey(COURT)),
        ),
        groups=(PolicyGroup(name="both", threshold=threshold, members=("bank", "court")),),
        quorum="both",
    )


def cosigned(federation: Federation, name: str, *keys: SigningKey, at_s: int = NOW_S) -> str:
    """Return the log's head with the hub's cosignature and those of other witnesses."""
    log = federation.members[name].log
    signatures = [
        cosign_checkpoint(log.checkpoint(), name=one.name, key=key, now_s=at_s + number)
        for number, (one, key) in enumerate(
            [(WITNESS, WITNESS_KEY), *((vkey(key), key) for key in keys)]
        )
    ]
    return add_signatures(log.signed(), signatures)


def export(federation: Federation, name: str, checkpoint: str) -> Files:
    return {**federation.export(name), "checkpoint": checkpoint.encode()}


def audit(policy: LogPolicy, **files: Files) -> Report:
    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]
    return auditor.audit_bundles(bundles, anchor=HUB_KEY.public, policy=policy)


def get_log(report: Report, number: int = 0) -> PolicyLogReport:
    assert report.policy is not None
    return report.policy.logs[number]


@pytest.fixture
def federation() -> Federation:
    made, consent = make_pair()
    made.ask(ALPHA, BETA, consent)
    return made


def test_heads_that_meet_the_policy_prove_the_logs(federation: Federation) -> None:
    report = audit(
        make_policy(),
        alpha=export(federation, ALPHA, cosigned(federation, ALPHA, BANK, COURT)),
        beta=export(federation, BETA, cosigned(federation, BETA, COURT, BANK)),
    )

    assert report.verdict is Verdict.PROVEN
    log = get_log(report)
    assert (log.seen, log.met, log.member) == (2, 1, ALPHA)  # its own, and what beta holds of it
    (head,) = log.heads
    assert (head.size, head.cosigners, head.at_s) == (3, ("bank", "court"), NOW_S + 2)
    assert "the newest of them holds 3 of 3 entries" in build_text(report)
    value = build_object(report)["policy"]
    assert isinstance(value, dict)
    assert value["quorum"] == "both"


def test_a_log_without_the_quorum_is_open(federation: Federation) -> None:
    report = audit(
        make_policy(),
        alpha=export(federation, ALPHA, cosigned(federation, ALPHA, BANK, COURT)),
        beta=export(federation, BETA, cosigned(federation, BETA, BANK)),
    )

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"policy-unmet"}
    assert find_line(report, "policy-unmet").place is not None
    assert get_log(report, 1).met == 0


def test_entries_above_the_newest_head_that_meets_the_policy_are_open() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    early = cosigned(federation, ALPHA, BANK, COURT)
    federation.ask(ALPHA, BETA, federation.consent(ALPHA, BETA, lambda one: replace(one, id="2")))
    alpha = federation.export(ALPHA)
    alpha[WITNESSED_FILE] = format_witnessed(early)

    report = audit(
        make_policy(),
        alpha=alpha,
        beta=export(federation, BETA, cosigned(federation, BETA, BANK, COURT)),
    )

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"policy-short"}
    assert "holds 3 of 5 entries" in find_line(report, "policy-short").text


def test_a_head_that_a_peer_holds_counts_like_any_other(federation: Federation) -> None:
    beta = export(federation, BETA, cosigned(federation, BETA, BANK, COURT))
    held = cosigned(federation, ALPHA, BANK, COURT)
    beta["heads.jsonl"] += format_head(peer=ALPHA, checkpoint=held)

    report = audit(make_policy(), alpha=federation.export(ALPHA), beta=beta)

    assert report.verdict is Verdict.PROVEN


def test_a_cosignature_that_does_not_hold_is_contradicted(federation: Federation) -> None:
    log = federation.members[ALPHA].log
    other = replace(log.checkpoint(), size=1)
    forged = cosign_checkpoint(other, name=vkey(BANK).name, key=BANK, now_s=NOW_S)
    note = add_signatures(cosigned(federation, ALPHA, COURT), [forged])

    report = audit(
        make_policy(threshold=1),
        alpha=export(federation, ALPHA, note),
        beta=export(federation, BETA, cosigned(federation, BETA, BANK)),
    )

    assert codes(report) == {"policy-cosignature"}
    assert codes(report, UNKNOWN) == {"policy-unmet"}


def test_heads_of_other_entries_are_not_counted(federation: Federation) -> None:
    log = federation.members[ALPHA].log
    log.entries.append(b"{}")
    beyond = cosigned(federation, ALPHA, BANK, COURT)
    log.entries.pop()
    beta = export(federation, BETA, cosigned(federation, BETA, BANK, COURT))
    beta["heads.jsonl"] += format_head(peer=ALPHA, checkpoint=beyond)
    beta["heads.jsonl"] += format_head(peer=ALPHA, checkpoint=beyond.replace("\n4\n", "\n3\n"))

    report = audit(make_policy(), alpha=federation.export(ALPHA), beta=beta)

    assert (get_log(report).seen, get_log(report).met) == (2, 0)
    assert {"policy-unmet", "heads-beyond"} <= codes(report, UNKNOWN)


@pytest.mark.parametrize("is_named", [True, False])
def test_a_policy_that_names_logs_admits_no_other(
    federation: Federation, *, is_named: bool
) -> None:
    logs = [federation.members[BETA].log.vkey]
    logs += [federation.members[ALPHA].log.vkey] if is_named else []

    report = audit(
        make_policy(logs=logs),
        alpha=export(federation, ALPHA, cosigned(federation, ALPHA, BANK, COURT)),
        beta=export(federation, BETA, cosigned(federation, BETA, BANK, COURT)),
    )

    assert codes(report, UNKNOWN) == (set() if is_named else {"policy-log"})


def test_a_policy_without_witnesses_is_met_by_any_head_and_says_no_time(
    federation: Federation,
) -> None:
    report = audit(
        parse_log_policy(b"quorum none\n"),
        alpha=federation.export(ALPHA),
        beta=federation.export(BETA),
    )

    assert report.verdict is Verdict.PROVEN
    assert {head.at_s for head in get_log(report).heads} == {None}
    build_object(report)


@pytest.mark.parametrize(("threshold", "expected"), [(1, 10), (2, 20)])
def test_a_quorum_is_as_old_as_the_last_cosignature_that_it_needs(
    threshold: int, expected: int
) -> None:
    cosigners = [Cosigner(name="court", at_s=20), Cosigner(name="bank", at_s=10)]

    assert find_quorum_time(make_policy(threshold=threshold), cosigners) == expected


def test_what_is_no_quorum_has_no_time() -> None:
    assert find_quorum_time(make_policy(), [Cosigner(name="bank", at_s=10)]) is None


# --- a stolen key under the policy


def audit_stolen(*heads: str, policy: LogPolicy, federation: Federation) -> Report:
    compromise(federation, ALPHA)
    newest = cosigned(federation, ALPHA, BANK, COURT, at_s=STOLEN_S + 50)
    alpha = export(federation, ALPHA, newest)
    alpha[WITNESSED_FILE] = b"".join(map(format_witnessed, heads))
    return audit(
        policy, alpha=alpha, beta=export(federation, BETA, cosigned(federation, BETA, BANK, COURT))
    )


def test_what_the_policys_witnesses_saw_before_a_key_was_stolen_counts(
    federation: Federation,
) -> None:
    head = cosigned(federation, ALPHA, BANK, COURT, at_s=STOLEN_S - 10)

    report = audit_stolen(head, policy=make_policy(), federation=federation)

    assert report.verdict is Verdict.PROVEN


def test_what_the_hub_alone_saw_before_a_key_was_stolen_is_open_under_a_policy(
    federation: Federation,
) -> None:
    head = cosigned(federation, ALPHA, BANK, at_s=STOLEN_S - 10)

    report = audit_stolen(head, policy=make_policy(), federation=federation)

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"key-compromised"}
    assert "policy given" in find_line(report, "key-compromised").text


def test_what_nobody_saw_before_a_key_was_stolen_is_void_under_a_policy_too(
    federation: Federation,
) -> None:
    head = cosigned(federation, ALPHA, BANK, COURT, at_s=STOLEN_S + 10)

    report = audit_stolen(head, policy=make_policy(), federation=federation)

    assert codes(report) == {"key-compromised"}


def test_under_a_policy_that_asks_for_nobody_the_hub_dates_a_stolen_key(
    federation: Federation,
) -> None:
    head = cosigned(federation, ALPHA, at_s=STOLEN_S - 10)
    policy = replace(make_policy(), quorum="none")

    report = audit_stolen(head, policy=policy, federation=federation)

    assert codes(report) == codes(report, UNKNOWN) == set()
