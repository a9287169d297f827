"""Use cases of requests for a consent: asked by an officer, opened by a code, signed or refused.

What comes back signed is verified as any consent, and must be what was asked for.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.people.accounts.attempts import Attempts, Key, Knocker, record_act
from node.core.people.accounts.rules_delay import build_key, parse_address
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.store import HeldConsent
from node.sharing.subjects.errors import (
    RequestCodeError,
    RequestEndedError,
    RequestInvalidError,
    RequestNotFoundError,
)
from node.sharing.subjects.record import (
    ConsentRequest,
    NewCode,
    RequestState,
    SubjectSession,
)
from node.sharing.subjects.rules_terms import (
    ConsentTerms,
    check_signed,
    check_terms,
    list_payloads,
)
from node.sharing.subjects.sessions import SubjectSessions
from node.sharing.subjects.store import SubjectStore
from protocol.encoding import decode_b64u, sha256
from protocol.limits import SALT_BYTES
from schemas.exchange import DeliveredConsent

CODE_BYTES = 10  # 80 bits: a plain hash keeps it, guessing does not find it
CODE_CHARACTERS_MAX = 64
CODE_FREE = 10  # failures of one address without a wait
REQUEST_DAYS_MAX = 30
REQUESTS_LISTED_MAX = 100
DAY_MS = 86_400_000
SECOND_MS = 1_000
SUBJECT = "subject"  # who acts, in the access log
PROVIDER = "provider"


class ConsentRequests:
    """One public method is one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        registry: RegistryHolder,
        consents: ConsentService,
        sessions: SubjectSessions,
        random_bytes: Callable[[int], bytes],
        member_id: str,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._registry = registry
        self._consents = consents
        self._sessions = sessions
        self._random_bytes = random_bytes
        self._member_id = member_id
        self._attempts = Attempts(database=database, clock=clock)

    def ask(self, terms: ConsentTerms, *, open_days: int, by: str) -> NewCode:
        """Prepare a request; the code that opens it is told this once.

        Raises:
            RequestInvalidError: The terms cannot be asked for, or a provider is none.
            UnavailableError: There is no registry yet.
        """
        check_terms(terms)
        if terms.consumer != self._member_id:
            raise RequestInvalidError("another member asks for itself")
        if not 1 <= open_days <= REQUEST_DAYS_MAX:
            raise RequestInvalidError(f"it is open for 1 to {REQUEST_DAYS_MAX} days")
        strangers = sorted(set(terms.providers) - set(self.list_providers()))
        if strangers:
            raise RequestInvalidError(f"no member that answers: {', '.join(strangers)}")
        code, now_ms = self._draw_code(), self._clock.now_ms()
        with self._database.write() as uow:
            store = SubjectStore(uow.connection)
            number = store.add_request(
                terms,
                code_hash=hash_code(code),
                expires_at_ms=now_ms + open_days * DAY_MS,
                by=by,
                at_ms=now_ms,
            )
            return NewCode(request=_get(store, number), code=code)

    def renew_code(self, request_id: int) -> NewCode:
        """Make another code for an open request; what the former one has opened is closed.

        Raises:
            RequestNotFoundError: There is no such request.
            RequestEndedError: It is over.
        """
        code = self._draw_code()
        with self._database.write() as uow:
            store = SubjectStore(uow.connection)
            self._get_open(store, request_id)
            store.set_code(request_id, code_hash=hash_code(code))
            store.end_sessions_of(request_id)
            return NewCode(request=_get(store, request_id), code=code)

    def withdraw(self, request_id: int) -> ConsentRequest:
        """Take a request back that nobody has signed.

        Raises:
            RequestNotFoundError: There is no such request.
            RequestEndedError: It is over.
        """
        with self._database.write() as uow:
            return self._end(uow, request_id, RequestState.WITHDRAWN)

    def get(self, request_id: int) -> ConsentRequest:
        """Return a request.

        Raises:
            RequestNotFoundError: There is no such request.
        """
        with self._database.read() as uow:
            return _get(SubjectStore(uow.connection), request_id)

    def list_of(self, subject: str) -> list[ConsentRequest]:
        """Return the requests to a subject, the newest first."""
        with self._database.read() as uow:
            return SubjectStore(uow.connection).list_requests(subject, limit=REQUESTS_LISTED_MAX)

    def list_providers(self) -> list[str]:
        """Return the members that answer, apart from this one.

        Raises:
            UnavailableError: There is no registry yet.
        """
        return sorted(
            one.member
            for one in self._registry.newest.members
            if one.member != self._member_id and PROVIDER in one.roles
        )

    def open(self, code: str, *, address: str) -> str:
        """Use a code up, and return the secret of the session that it opens.

        Raises:
            RequestCodeError: It opens no request that is open.
            SignInTooSoonError: After so many failures from an address one waits.
        """
        key = Key(
            key=build_key("consent-code", parse_address(address)), free=CODE_FREE, is_forgiven=False
        )
        self._attempts.begin([key], knocker=Knocker(target="consent code"))
        hashed, now_ms = hash_code(code), self._clock.now_ms()
        with self._database.write() as uow:
            store = SubjectStore(uow.connection)
            found = store.find_by_code(hashed)
            if found is None or not found.is_open(now_ms=now_ms):
                raise RequestCodeError("the code opens no request")
            if not store.mark_opened(found.request_id, code_hash=hashed, at_ms=now_ms):
                raise RequestCodeError("the code opens no request")
            self._attempts.succeed(uow, [key])
            self._record(uow, found.request_id, "opened")
            session = SubjectSession(
                subject=found.subject,
                request_id=found.request_id,
                kid=None,
                expires_at_ms=found.expires_at_ms,
            )
            return self._sessions.begin(uow, session)

    def list_payloads(
        self, request_id: int, *, salt: bytes, language: str
    ) -> list[tuple[str, bytes]]:
        """Return for each provider the bytes that the subject's key would sign.

        Raises:
            RequestEndedError: The request is over.
            RequestInvalidError: There is no such language.
        """
        with self._database.read() as uow:
            found = self._get_open(SubjectStore(uow.connection), request_id)
        now_s = self._clock.now_ms() // SECOND_MS
        return list_payloads(found.terms, salt=salt, language=language, now_s=now_s)

    def sign(self, request_id: int, delivered: Sequence[DeliveredConsent]) -> list[HeldConsent]:
        """Take in what the subject has signed, and end the request; the same again is the same.

        Raises:
            OtherTermsError: It is not what was asked for.
            RequestEndedError: The request is over, and not by these.
            ProtocolError: A consent does not hold; nothing is taken in.
        """
        request = self.get(request_id)
        taken = self._consents.verify(delivered)
        salts = {decode_b64u(one.salt, bytes_exact=SALT_BYTES) for one in delivered}
        check_signed(
            request.terms,
            [consent for _, consent in taken],
            salt=min(salts),
            asked_at_s=request.entered_at_ms // SECOND_MS,
            now_s=self._clock.now_ms() // SECOND_MS,
        )
        names = [held.hash for held, _ in taken]
        with self._database.write() as uow:
            store = SubjectStore(uow.connection)
            if set(names) == set(_get(store, request_id).consents):
                return self._consents.hold_within(uow, taken)
            self._end(uow, request_id, RequestState.SIGNED)
            held = self._consents.hold_within(uow, taken)
            for name in names:
                store.add_answer(request_id, consent=name)
            return held

    def refuse(self, request_id: int) -> ConsentRequest:
        """Enter that the subject does not sign.

        Raises:
            RequestEndedError: The request is over.
        """
        with self._database.write() as uow:
            return self._end(uow, request_id, RequestState.REFUSED)

    def _end(self, uow: UnitOfWork, request_id: int, state: RequestState) -> ConsentRequest:
        store = SubjectStore(uow.connection)
        self._get_open(store, request_id)
        if not store.end_request(request_id, state=state, at_ms=self._clock.now_ms()):
            raise RequestEndedError("the request is over")
        if state is not RequestState.WITHDRAWN:  # That one the page of the officer records.
            self._record(uow, request_id, state.value)
        return _get(store, request_id)

    def _get_open(self, store: SubjectStore, request_id: int) -> ConsentRequest:
        found = _get(store, request_id)
        if not found.is_open(now_ms=self._clock.now_ms()):
            raise RequestEndedError("the request is over")
        return found

    def _record(self, uow: UnitOfWork, request_id: int, step: str) -> None:
        knocker = Knocker(who=SUBJECT, target=f"consent request {request_id} {step}")
        record_act(uow, knocker, what=SUBJECT, at_ms=self._clock.now_ms())

    def _draw_code(self) -> str:
        text = base64.b32encode(self._random_bytes(CODE_BYTES)).decode("ascii").lower()
        return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def hash_code(code: str) -> bytes:
    """Return what is kept of a code; case, spaces and hyphens do not matter."""
    given = code[:CODE_CHARACTERS_MAX].replace("-", "").replace(" ", "").strip().casefold()
    return sha256(given.encode("utf-8"))


def _get(store: SubjectStore, request_id: int) -> ConsentRequest:
    found = store.find_request(request_id)
    if found is None:
        raise RequestNotFoundError("there is no such request")
    return found
