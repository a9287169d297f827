"""Consents: taking them in, changing their state, and the cached verdict on an artefact.

What is cached, by its hash, is that the artefact is well-formed and signed by a key of the
registry, which never changes for these bytes. State, uses, times and the signer's standing are
looked at each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock

from node.core.decision import Batch, Decided
from node.core.errors import ConflictError, NotFoundError
from node.sharing.batching import ExchangeBatch
from node.sharing.changes import SummaryChange, SummaryEvent, TellChange, tell_nobody
from node.sharing.store import HeldConsent, SharingStore
from node.sharing.store.grants import GrantStore
from protocol.consent import (
    FINAL_STATES,
    Consent,
    ConsentState,
    ConsentStatus,
    combine_states,
    commit_subject,
    follows,
    hash_consent,
    open_consent,
    open_status,
)
from protocol.consent_signer import check_signer, check_unkeyed, find_consent_key
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.entry import ConsentEntry, format_entry
from protocol.errors import SignatureInvalidError, UnknownKeyError
from protocol.identifiers import SubjectId, parse_subject_id
from protocol.jws import split_compact
from protocol.keys import PublicKey
from protocol.limits import SALT_BYTES, STATEMENT_BYTES_MAX
from protocol.problems import (
    ConsentSignatureError,
    ConsentUnkeyedError,
    WrongConsumerError,
    WrongProviderError,
)
from protocol.registry import Registry
from protocol.status_signer import StatusKey, check_party, check_statement, find_status_key
from protocol.strict_json import parse_object
from schemas.exchange import DeliveredConsent

VERDICTS_MAX = 4_096


class StaleStatusError(ConflictError):
    """A status with this or a higher number is known already, or the state is final."""

    code = "status-stale"


class ConsentNotHeldError(NotFoundError):
    """No such consent is held here."""

    code = "consent-not-held"


class ConsentVerdicts:
    """Parsed artefacts whose signature has verified, by hash."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = Lock()
        self._verified: OrderedDict[bytes, tuple[Consent, str]] = OrderedDict()

    def verify(self, token: str, *, registry: Registry) -> Consent:
        """Return the artefact if its subject signed it, or the consumer that vouches for it.

        Raises:
            ConsentSignatureError: The signature, its key or the commitment does not hold.
            ProtocolError: The form does not hold, or the artefact is above its purpose's ceilings.
        """
        name = hash_consent(token)
        with self._lock:
            known = self._verified.get(name)
        if known is None:
            known = self._open(token, registry=registry)
            with self._lock:
                self._verified[name] = known
                if len(self._verified) > VERDICTS_MAX:
                    self._verified.popitem(last=False)
        consent, kid = known
        check_signer(consent, kid=kid, registry=registry)
        return consent

    def _open(self, token: str, *, registry: Registry) -> tuple[Consent, str]:
        used: list[str] = []

        def find_key(kid: str) -> PublicKey:
            used.append(kid)
            return find_consent_key(registry, kid)

        try:
            consent = open_consent(token, find_key=find_key)
        except (UnknownKeyError, SignatureInvalidError) as err:
            raise ConsentSignatureError("not signed by a key of the registry") from err
        return consent, used[0]


def take_consent(
    delivered: DeliveredConsent, *, verdicts: ConsentVerdicts, registry: Registry
) -> tuple[HeldConsent, Consent]:
    """Check a delivered consent and return it as it will be held.

    Raises:
        ConsentSignatureError: Not signed by its subject, or the commitment does not open.
        ProtocolError: Another leaf.
    """
    consent = verdicts.verify(delivered.token, registry=registry)
    subject = parse_subject_id(delivered.subject)
    salt = decode_b64u(delivered.salt, bytes_exact=SALT_BYTES)
    check_opening(consent, subject=subject, salt=salt)
    held = HeldConsent(
        hash=hash_consent(delivered.token),
        token=delivered.token,
        subject=str(subject),
        salt=salt,
        consumer=consent.consumer,
        provider=consent.provider,
        bundle=consent.bundle,
        state=ConsentState.ACTIVE,
        seq=0,
        uses=0,
        window_start_s=0,
        window_uses=0,
        exp=consent.exp,
        delivered=False,
        evidence=consent.evidence,
    )
    return held, consent


def check_opening(consent: Consent, *, subject: SubjectId, salt: bytes) -> None:
    """Check that id and salt open the commitment.

    Raises:
        ConsentSignatureError: They do not.
    """
    if commit_subject(subject, salt=salt) != consent.subject:
        raise ConsentSignatureError("subject id and salt do not open the commitment")


def check_parties(
    consent: Consent, *, consumer: str | None = None, provider: str | None = None
) -> None:
    """Check who is named.

    Raises:
        WrongConsumerError: Another consumer.
        WrongProviderError: Another provider.
    """
    if consumer is not None and consent.consumer != consumer:
        raise WrongConsumerError("the consent names another consumer")
    if provider is not None and consent.provider != provider:
        raise WrongProviderError("the consent names another provider")


def check_accepted(consent: Consent, *, accepts_unkeyed: bool) -> None:
    """Check that a provider's policy takes a consent with a paper in the place of a signature.

    Raises:
        ConsentUnkeyedError: It does not.
    """
    if consent.evidence is not None and not accepts_unkeyed:
        raise ConsentUnkeyedError("only consents that their subjects have signed count here")


def check_new_papers(
    store: SharingStore,
    taken: Sequence[tuple[HeldConsent, Consent]],
    *,
    registry: Registry,
    now_s: int,
) -> None:
    """Check what holds for vouched consents when they first come here.

    Raises:
        ConsentSignatureError: A subject has a key by now, or a paper is another subject's.
    """
    subjects: dict[bytes, str] = {}  # of the papers that come together
    for held, consent in taken:
        if consent.evidence is None or store.find_consent(held.hash) is not None:
            continue
        check_unkeyed(consent, registry=registry, at_s=now_s)
        is_first = subjects.setdefault(consent.evidence, held.subject) == held.subject
        if not is_first or store.is_paper_of_another(consent.evidence, subject=held.subject):
            raise ConsentSignatureError("the same paper stands behind a consent of another subject")


def hold_consent(
    store: SharingStore, held: HeldConsent, consent: Consent, *, at_ms: int
) -> HeldConsent:
    """Insert a consent unless it is held, retire the one that it replaces; return it as held."""
    known = store.find_consent(held.hash)
    if known is not None:
        return known
    if _is_replaced(store, held):
        held = replace(held, state=ConsentState.REPLACED)
    store.add_consent(held, at_ms=at_ms)
    if consent.replaces is not None:
        older = store.find_consent(consent.replaces)
        if (
            older is not None
            and older.subject == held.subject
            and older.state is not ConsentState.REVOKED
        ):
            store.set_consent_state(older.hash, state=ConsentState.REPLACED, seq=older.seq)
    return held


def _is_replaced(store: SharingStore, held: HeldConsent) -> bool:
    """Tell whether an earlier consent of the same subject stands in this one's place."""
    name = encode_b64u(held.hash)
    for other in store.list_consents(subject=held.subject):
        payload = split_compact(other.token, bytes_max=STATEMENT_BYTES_MAX).payload
        if name.encode("ascii") in payload and parse_object(payload).get("replaces") == name:
            return True
    return False


def verify_status(
    token: str,
    *,
    registry: Registry,
    find_consent: Callable[[bytes], Consent | None],
    now_s: int,
) -> ConsentStatus:
    """Verify a signed status: by the subject itself, by the consent's provider, or by the hub.

    Raises:
        ConsentNotHeldError: The consent is not held here.
        ConsentSignatureError: Signed by somebody who may not.
        ProtocolError: Another leaf.
    """
    keys: list[StatusKey] = []

    def find_key(kid: str) -> PublicKey:
        keys.append(find_status_key(registry, kid))
        return keys[-1].entry.key

    try:
        status, _ = open_status(token, find_key=find_key)
    except UnknownKeyError as err:
        raise ConsentSignatureError("signed by no subject's, provider's or hub's key") from err
    consent = find_consent(status.consent)
    if consent is None:
        raise ConsentNotHeldError("no such consent is held here")
    check_party(status, keys[0], consent=consent)
    check_statement(status, keys[0], now_s=now_s)
    return status


def decide_status(
    batch: Batch, token: str, status: ConsentStatus, *, tell_change: TellChange = tell_nobody
) -> Decided[HeldConsent]:
    """Apply a verified status in the writer's transaction; the same one again changes nothing.

    A signer's status changes that signer's state; the consent's is the strictest of all.

    Raises:
        ConsentNotHeldError: The consent is not held here.
        StaleStatusError: A later status of this signer is known, or a state is final.
    """
    ExchangeBatch.of(batch).forget_consent(status.consent)
    store = SharingStore(batch.connection)
    held = store.find_consent(status.consent)
    if held is None:
        raise ConsentNotHeldError("no such consent is held here")
    if store.find_status_token(status.consent, by=status.by, seq=status.seq) == token:
        return Decided(entry=None, finish=lambda _placement: held)
    stated = store.list_states(status.consent)
    seq, own = stated.get(status.by, (0, ConsentState.ACTIVE))
    # What follows from a newer artefact may still be stated, once.
    is_said = held.state is not status.state or status.state in {one for _, one in stated.values()}
    is_over = held.state in FINAL_STATES and is_said
    if is_over or status.seq <= seq or not follows(own, status.state):
        raise StaleStatusError(f"the consent is {held.state.value}, {status.by} has said {seq}")
    states = {by: state for by, (_, state) in stated.items()} | {status.by: status.state}
    state = combine_states(states.values())
    store.set_consent_state(status.consent, state=state, seq=status.seq)
    store.add_status(
        status.consent,
        by=status.by,
        seq=status.seq,
        state=status.state,
        token=token,
        at_ms=batch.now_ms,
    )
    if state is ConsentState.REVOKED:
        grants = GrantStore(batch.connection)
        grants.forget_plan(status.consent)  # Its copies go earlier now, and serve nothing new.
        msgs = tuple(grants.list_kept_under(status.consent))
        change = SummaryChange(
            event=SummaryEvent.REVOKED, msgs=msgs, subject=held.subject, at_ms=batch.now_ms
        )
        tell_change(batch.uow, change)
    entry = format_entry(
        ConsentEntry(
            at_ms=batch.now_ms,
            consent=status.consent,
            seq=status.seq,
            state=status.state.value,
            status=sha256(token.encode("ascii")),
        )
    )
    newer = replace(held, state=state, seq=status.seq)
    return Decided(entry=entry, finish=lambda _placement: newer)
