"""The status list: the newest signed status of every consent and signer, signed as a whole."""

from __future__ import annotations

import threading

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.chain import RegistryChain
from node.hub.log import HubLog
from node.hub.rules_status import STATUS_KEPT_S, check_follows, check_room, verify_reported
from node.hub.store import HubStore
from protocol.consent import ConsentState, ConsentStatus, StatusSigner, sign_status
from protocol.entry import StatusListEntry
from protocol.status_list import hash_statuses, sign_status_list

STATUS_LIST_CACHE_S = 5

_log = structlog.get_logger()


class StatusBoard:
    """Takes statuses in and signs the list."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        chain: RegistryChain,
        hub: str,
        log: HubLog,
        clock_ahead_s: int,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._chain = chain
        self._hub = hub
        self._log = log
        self._logged: bytes | None = None  # the entries last logged, by hash; under the lock
        self._clock_ahead_s = clock_ahead_s
        self._lock = threading.Lock()
        self._signed: tuple[int, str] | None = None  # when, and the list; under the lock

    def report(self, token: str) -> ConsentStatus:
        """Take a signed change of a consent's state in; the same one again changes nothing.

        Raises:
            StatusConflictError: The signer has reported a later, another or a final status.
            StatusListFullError: There is no room.
            ProtocolError: The status does not hold.
        """
        at_s = now_s(self._clock)
        with self._database.read() as uow:
            registry = self._chain.get_registry(HubStore(uow.connection))
        reported = verify_reported(
            token, registry=registry, now_s=at_s, ahead_s=self._clock_ahead_s
        )
        status, signer = reported.status, reported.signer
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = store.find_status(status.consent, signer=signer)
            if known is not None:
                if known.token == token:
                    return status
                check_follows(reported, known=known)
            sizes = store.measure_statuses(signer=signer, since_s=at_s - STATUS_KEPT_S)
            check_room(reported, sizes=sizes)
            store.put_status(
                status.consent,
                row_id=None if known is None else known.id,
                signer=signer,
                seq=status.seq,
                state=status.state.value,
                token=token,
                at_s=at_s,
            )
        with self._lock:  # After the commit: a list signed meanwhile may lack it.
            self._signed = None
        _log.info("status_reported", by=status.by, state=status.state.value, seq=status.seq)
        return status

    def revoke(self, consent: bytes, *, reason: str) -> ConsentStatus:
        """State by the hub's own word that a consent is revoked.

        Raises:
            StatusConflictError: The hub has said so already.
            StatusListFullError: There is no room.
        """
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            known = store.find_status(consent, signer=StatusSigner.HUB.value)
            key = self._chain.get_signer(store)
        status = ConsentStatus(
            consent=consent,
            seq=1 if known is None else known.seq + 1,
            state=ConsentState.REVOKED,
            iat=now_s(self._clock),
            by=StatusSigner.HUB.value,
            reason=reason,
        )
        return self.report(sign_status(status, key=key))

    def sign_list(self) -> str:
        """Return the signed list: signed anew after a change, and every few seconds without.

        What it says is in the hub's own log before it leaves.

        Raises:
            NodeError: The log is held, or takes no entry.
        """
        self._log.check_open()
        with self._lock:
            at_s = now_s(self._clock)
            if self._signed is None or not 0 <= at_s - self._signed[0] < STATUS_LIST_CACHE_S:
                with self._database.read() as uow:
                    since_s = at_s - STATUS_KEPT_S
                    store = HubStore(uow.connection)
                    entries = store.list_status_tokens(since_s=since_s)
                    key = self._chain.get_signer(store)
                self._log_entries(entries)
                token = sign_status_list(entries, hub=self._hub, iat=at_s, key=key)
                self._signed = (at_s, token)
            return self._signed[1]

    def _log_entries(self, entries: list[str]) -> None:
        digest = hash_statuses(entries)
        if digest == self._logged:
            return
        with self._database.write() as uow:
            entry = StatusListEntry(at_ms=self._clock.now_ms(), statuses=digest, count=len(entries))
            self._log.append(HubStore(uow.connection).log, [entry])
        self._logged = digest
