"""Entries, statements and log texts of the byte fixtures (tests.support.fixtures)."""

from __future__ import annotations

from dataclasses import replace

from protocol.consent import (
    ConsentState,
    ConsentStatus,
    commit_subject,
    hash_consent,
    sign_consent,
    sign_status,
)
from protocol.cosignature import build_add_checkpoint, cosign_checkpoint
from protocol.encoding import sha256
from protocol.enrolment import (
    Leaving,
    MemberEnrolment,
    SubjectEnrolment,
    UnkeyedEnrolment,
    sign_leaving,
    sign_member_enrolment,
    sign_subject_enrolment,
    sign_unkeyed_enrolment,
)
from protocol.entry import (
    AbortedEntry,
    AnchorEntry,
    ConsentEntry,
    ErasedEntry,
    ExchangeEntry,
    GenesisEntry,
    HeadEntry,
    KeyChangeEntry,
    KnownKind,
    MemberKeyEntry,
    MemberStandingEntry,
    PreviousLog,
    RegistryEntry,
    RequestEntry,
    ResponseEntry,
    StartEntry,
    StatusListEntry,
    StopEntry,
    UnackedEntry,
    format_entry,
)
from protocol.keychange import KeyChange, sign_key_change
from protocol.limits import VOUCHED_LIFE_S_MAX, VOUCHED_USES_MAX
from protocol.manifest import FanOutManifest, ManifestItem, sign_manifest
from protocol.merkle import build_consistency
from protocol.message import LogHead
from protocol.purpose import WATCHED_METRICS
from protocol.status_list import sign_status_list
from protocol.strict_json import canonical_json
from tests.support.federation import Federation
from tests.support.federation_parts import (
    HUB,
    HUB_KEY,
    NOW_S,
    SUBJECT,
    SUBJECT_KEY,
    SUBJECT_SALT,
    WITNESS,
    WITNESS_KEY,
    build_consent,
    make_key,
)

ALPHA, BETA = "alpha.example", "beta.example"
XID, MSG, ANS, CONSENT, ROOT = (
    sha256(b"fixture: xid")[:16],
    *(sha256(f"fixture: {name}".encode()) for name in ("msg", "ans", "consent", "root")),
)
HEAD = LogHead(size=3, root=ROOT)
AT_MS = NOW_S * 1000

UNKEYED_SALT = sha256(b"fixture: salt of a customer without a key")


def build_entries() -> dict[str, bytes]:
    """Return an entry of every kind, and those with optional members in both ways."""
    previous = PreviousLog(origin="alpha.example/chengxin/log/1", head=HEAD, reason="key")
    exchange = ExchangeEntry(
        at_ms=AT_MS, xid=XID, peer=ALPHA, peer_n=1, n=4, op="query", msg=MSG, ans=ANS, code="full",
        use=1, consents=(CONSENT,), head=HEAD,
    )  # fmt: skip
    batch = replace(
        exchange, code="batch", use=1, consents=(CONSENT, MSG), codes=("mix", "consent-revoked")
    )
    entries: dict[str, KnownKind] = {
        "genesis": GenesisEntry(at_ms=AT_MS, member=ALPHA, origin=f"{ALPHA}/chengxin/log/1"),
        "genesis-after": GenesisEntry(
            at_ms=AT_MS, member=ALPHA, origin=f"{ALPHA}/chengxin/log/2", previous=previous
        ),
        "request": RequestEntry(
            at_ms=AT_MS, xid=XID, peer=BETA, n=1, op="query", msg=MSG, purpose="P1",
            consents=(CONSENT,),
        ),
        "exchange": exchange,
        "exchange-batch": batch,
        "response": ResponseEntry(
            at_ms=AT_MS, xid=XID, peer=BETA, peer_n=4, msg=MSG, ans=ANS, code="200", head=HEAD
        ),
        "consent": ConsentEntry(
            at_ms=AT_MS, consent=CONSENT, seq=1, state="revoked", status=sha256(b"status")
        ),
        "unacked": UnackedEntry(at_ms=AT_MS, xid=XID, peer=ALPHA, ans=ANS),
        "aborted": AbortedEntry(at_ms=AT_MS, peer=BETA, n=2, reason="not-sent"),
        "aborted-given-up": AbortedEntry(
            at_ms=AT_MS, peer=BETA, n=3, reason="given-up", xid=XID
        ),
        "key": KeyChangeEntry(
            at_ms=AT_MS, use="message", kid=make_key("new").kid, statement=sha256(b"statement")
        ),
        "head": HeadEntry(at_ms=AT_MS, origin=f"{BETA}/chengxin/log/1", head=HEAD),
        "erased": ErasedEntry(
            at_ms=AT_MS, xid=XID, peer=BETA, basis="data-life", msgs=(MSG, ANS)
        ),
        "anchor": AnchorEntry(at_ms=AT_MS, head=HEAD, authority="tsa", token=sha256(b"token")),
        "start": StartEntry(at_ms=AT_MS, software="chengxin 0.1"),
        "stop": StopEntry(at_ms=AT_MS),
        "registry": RegistryEntry(at_ms=AT_MS, seq=2, hash=sha256(b"snapshot")),
        "member": MemberStandingEntry(at_ms=AT_MS, member=BETA, status="active", registry=2),
        "member-key": MemberKeyEntry(
            at_ms=AT_MS, member=BETA, use="log", kid=make_key("new").kid, event="entered",
            registry=2,
        ),
        "status-list": StatusListEntry(at_ms=AT_MS, statuses=sha256(b"[]"), count=0),
    }  # fmt: skip
    return {name: format_entry(entry) for name, entry in entries.items()}


def build_statements(federation: Federation) -> dict[str, bytes]:
    """Return a statement of every kind."""
    alpha = federation.members[ALPHA]
    token = alpha.consents[0]
    status = ConsentStatus(
        consent=hash_consent(token), seq=1, state=ConsentState.REVOKED, iat=NOW_S, by="subject",
        reason="withdrawn",
    )  # fmt: skip
    signed = sign_status(status, key=SUBJECT_KEY)
    member = MemberEnrolment(
        hub=HUB, iat=NOW_S, member=ALPHA, name="Alpha", endpoint="https://alpha.example",
        log_origin=alpha.log.origin,
        keys={"message": alpha.key.public, "log": alpha.log.key.public},
    )  # fmt: skip
    subject = SubjectEnrolment(
        hub=HUB, iat=NOW_S, subject=SUBJECT, salt=SUBJECT_SALT, key=SUBJECT_KEY.public
    )
    unkeyed = UnkeyedEnrolment(
        hub=HUB, iat=NOW_S, member=ALPHA, subject=SUBJECT, salt=UNKEYED_SALT, document=MSG
    )
    vouched = replace(
        build_consent(ALPHA, BETA),
        subject=commit_subject(SUBJECT, salt=UNKEYED_SALT),
        metrics=WATCHED_METRICS,
        max_uses=VOUCHED_USES_MAX,
        exp=NOW_S + VOUCHED_LIFE_S_MAX,
        nbf=NOW_S,
        evidence=ANS,
    )
    withdrawn = sign_consent(vouched, key=alpha.key)
    withdrawal = replace(status, consent=hash_consent(withdrawn), by="consumer")
    new = make_key("fixture: new message key")
    change = KeyChange(
        member=ALPHA, use="message", old=alpha.key.kid, new=new.public, iat=NOW_S, nbf=NOW_S + 60,
        reason="routine",
    )  # fmt: skip
    item = ManifestItem(peer=BETA, consent=CONSENT, outcome="200", msg=MSG, ans=ANS)
    manifest = FanOutManifest(
        id=XID, iss=ALPHA, iat=NOW_S, deadline=NOW_S + 20, purpose="P1", items=(item,)
    )
    lists = {
        "registry.json": federation.snapshots[0][1],
        "enrolment-member.json": sign_member_enrolment(member, keys=[alpha.key, alpha.log.key]),
        "enrolment-subject.json": sign_subject_enrolment(subject, key=SUBJECT_KEY),
        "key-change.json": sign_key_change(change, old=alpha.key, new=new),
    }
    texts = {
        "consent.jws": token,
        "consent-status.jws": signed,
        "status-list.jws": sign_status_list([signed], hub=HUB, iat=NOW_S, key=HUB_KEY),
        "enrolment-unkeyed.jws": sign_unkeyed_enrolment(unkeyed, key=alpha.key),
        "consent-vouched.jws": withdrawn,
        "consent-vouched-status.jws": sign_status(withdrawal, key=alpha.key),
        "leaving.jws": sign_leaving(Leaving(hub=HUB, iat=NOW_S, member=ALPHA), key=alpha.key),
        "manifest.jws": sign_manifest(manifest, key=alpha.key),
    }
    written = {name: canonical_json({"tokens": list(tokens)}) for name, tokens in lists.items()}
    return written | {name: text.encode() for name, text in texts.items()}


def build_log_texts(federation: Federation) -> dict[str, bytes]:
    """Return checkpoint, proof, policy and what a witness is asked and answers."""
    log = federation.members[BETA].log
    size = len(log.entries)
    request = build_add_checkpoint(
        old_size=1, proof=build_consistency(1, size, log.nodes(size).read_node), note=log.signed()
    )
    cosignature = cosign_checkpoint(
        log.checkpoint(), name=WITNESS.name, key=WITNESS_KEY, now_s=NOW_S
    )
    exported = federation.export(BETA)
    return {
        "checkpoint": log.cosigned().encode(),
        "proof": log.prove(1).encode(),
        "add-checkpoint": request.text.encode(),
        "cosignature": cosignature.line.encode(),
        "policy": exported["policy"],
    }
