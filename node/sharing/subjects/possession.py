"""Showing that a subject's key is in hand: a challenge of this node, signed by the key.

What is signed is a token of a kind of its own, so that it can never be taken for a consent, a
status or a message (the kind stands in the signed header, and each opener looks for its own). It
names this node, the address at which the page stood, and a number that this node has drawn and
takes once: what a page elsewhere is given opens nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.core.clock import Clock
from node.core.database import Database
from node.core.people.accounts.attempts import Attempts, Key, Knocker, record_act
from node.core.people.accounts.rules_delay import build_key, parse_address
from node.sharing.registry import RegistryHolder
from node.sharing.subjects.errors import SubjectProofError
from node.sharing.subjects.record import SubjectSession
from node.sharing.subjects.requests import SECOND_MS, SUBJECT
from node.sharing.subjects.sessions import SubjectSessions
from node.sharing.subjects.store import SubjectStore
from protocol.consent import commit_subject
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import ProtocolError, UnknownKeyError
from protocol.identifiers import parse_subject_id
from protocol.jws import open_compact
from protocol.keys import PublicKey
from protocol.limits import SALT_BYTES, STATEMENT_BYTES_MAX
from protocol.registry import KeyEntry, Registry, SubjectEntry
from protocol.shape import ShapeReader
from protocol.strict_json import parse_canonical

POSSESSION_TYP = "cx-subject-session+jws"
NONCE_BYTES = 32
CHALLENGE_MS = 120_000
SESSION_MS = 1_800_000
PROOF_FREE = 10  # failures of one address without a wait
ORIGIN_CHARACTERS_MAX = 300
_REFUSED = "the key of a subject that is entered was not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What is to be signed besides the page's address."""

    node: str
    nonce: str
    exp: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a browser brings: the signed challenge, and what opens the subject's commitment."""

    token: str
    subject: str
    salt: str


class PossessionDesk:
    """Gives challenges and opens sessions for proofs."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        registry: RegistryHolder,
        sessions: SubjectSessions,
        random_bytes: Callable[[int], bytes],
        member_id: str,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._registry = registry
        self._sessions = sessions
        self._random_bytes = random_bytes
        self._member_id = member_id
        self._attempts = Attempts(database=database, clock=clock)

    def challenge(self, *, address: str) -> Challenge:
        """Return a challenge that one proof may answer, within two minutes.

        Raises:
            SignInTooSoonError: After so many failures from an address one waits.
        """
        # It counts until a proof takes it back: else a stranger could fill the store with them.
        self._attempts.begin([_build_key(address)], knocker=Knocker(target="subject's key"))
        nonce = self._random_bytes(NONCE_BYTES)
        expires_at_ms = self._clock.now_ms() + CHALLENGE_MS
        with self._database.write() as uow:
            store = SubjectStore(uow.connection)
            store.forget_old(before_ms=self._clock.now_ms())
            store.add_challenge(sha256(nonce), expires_at_ms=expires_at_ms)
        return Challenge(
            node=self._member_id, nonce=encode_b64u(nonce), exp=expires_at_ms // SECOND_MS
        )

    def enter(self, proof: Proof, *, origin: str, address: str) -> str:
        """Return the secret of a session for a proof.

        Args:
            proof: What the browser brings.
            origin: The address at which this node's pages stand.
            address: Where the browser is.

        Raises:
            SubjectProofError: It is none, whatever is wrong with it.
        """
        try:
            subject, kid, nonce = self._verify(proof, origin=origin)
        except ProtocolError as err:
            raise SubjectProofError(_REFUSED) from err
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            store = SubjectStore(uow.connection)
            if not store.take_challenge(sha256(nonce), now_ms=now_ms):
                raise SubjectProofError(_REFUSED)
            self._attempts.succeed(uow, [_build_key(address)])
            knocker = Knocker(who=SUBJECT, target="own page by key")
            record_act(uow, knocker, what=SUBJECT, at_ms=now_ms)
            session = SubjectSession(
                subject=subject, request_id=None, kid=kid, expires_at_ms=now_ms + SESSION_MS
            )
            return self._sessions.begin(uow, session)

    def _verify(self, proof: Proof, *, origin: str) -> tuple[str, str, bytes]:
        registry, now_s = self._registry.newest, self._clock.now_ms() // SECOND_MS

        def find_key(kid: str) -> PublicKey:
            return _get_key(registry, kid)[1].key

        payload, header = open_compact(
            proof.token, typ=POSSESSION_TYP, find_key=find_key, bytes_max=STATEMENT_BYTES_MAX
        )
        reader = ShapeReader(parse_canonical(payload), what="proof")
        reader.integer("v", low=1, high=1)
        reader.choice("aud", {self._member_id})
        signed_origin = reader.text("origin", characters_max=ORIGIN_CHARACTERS_MAX)
        nonce = reader.octets("nonce", bytes_exact=NONCE_BYTES)
        exp = reader.integer("exp")
        reader.finish()
        subject = parse_subject_id(proof.subject)
        salt = decode_b64u(proof.salt, bytes_exact=SALT_BYTES)
        entry, key = _get_key(registry, header.kid)
        is_own = entry.commitment == commit_subject(subject, salt=salt)
        if not (is_own and key.is_valid_at(now_s) and signed_origin == origin and now_s < exp):
            raise SubjectProofError(_REFUSED)
        return str(subject), header.kid, nonce


def _build_key(address: str) -> Key:
    return Key(
        key=build_key("subject-key", parse_address(address)), free=PROOF_FREE, is_forgiven=False
    )


def _get_key(registry: Registry, kid: str) -> tuple[SubjectEntry, KeyEntry]:
    found = registry.find_subject_key(kid)
    if found is None:
        raise UnknownKeyError("no subject has this key")
    return found
