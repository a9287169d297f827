"""A hub on a real database, and the companies and customers that ask something of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.core.clock import ManualClock
from node.core.config import Settings, build_settings
from node.core.database import Database
from node.hub.service import HubService
from node.sharing.registry import RegistryHolder
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.consent import ConsentState, ConsentStatus, sign_status
from protocol.cosignature import build_add_checkpoint
from protocol.encoding import sha256
from protocol.enrolment import (
    MemberEnrolment,
    SubjectEnrolment,
    sign_member_enrolment,
    sign_subject_enrolment,
)
from protocol.identifiers import parse_subject_id
from protocol.keys import SigningKey
from protocol.merkle import build_consistency, leaf_hash
from protocol.note import VerifierKey
from protocol.registry import Registry, open_registry
from protocol.tile import EMPTY_EDGE, TileCache, TileNodes
from tests.support.stores import FILE_NAME, ON_SQLITE, migrated_url, store_url

HUB = "hub.example"
NOW_S = 1_790_000_000
LEGAL_BASIS = "A try-out with simulated companies."
TOKEN = "enrol-me"
SUBJECT_TOKEN = "enrol-a-customer"
HUB_KEY = SigningKey(sha256(b"hub: registry"))
WITNESS_KEY = SigningKey(sha256(b"hub: witness"))
LOG_KEY = SigningKey(sha256(b"hub: log"))

LEAVES = [leaf_hash(bytes([number])) for number in range(9)]
EDGE = EMPTY_EDGE.extend(LEAVES)[0]
NODES = TileNodes(edge=EDGE, cache=TileCache(lambda _level, _index, _width: b""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company that wants to be a member."""

    member: str
    message_key: SigningKey
    log_key: SigningKey

    @property
    def log_origin(self) -> str:
        return f"{self.member}/chengxin/log/1"

    def enrol(
        self,
        *,
        name: str = "A company",
        endpoint: str = "https://node.example",
        hub: str = HUB,
        iat: int = NOW_S,
        log_origin: str | None = None,
    ) -> tuple[str, ...]:
        enrolment = MemberEnrolment(
            hub=hub,
            iat=iat,
            member=self.member,
            name=name,
            endpoint=endpoint,
            log_origin=log_origin or self.log_origin,
            keys={"message": self.message_key.public, "log": self.log_key.public},
        )
        return sign_member_enrolment(enrolment, keys=[self.message_key, self.log_key])

    def head(self, size: int, *, root: bytes | None = None, key: SigningKey | None = None) -> str:
        value = EMPTY_EDGE.extend(LEAVES[:size])[0].root if root is None else root
        head = Checkpoint(origin=self.log_origin, size=size, root=value)
        return sign_checkpoint(head, key=key or self.log_key)

    def ask_witness(self, old_size: int, new_size: int, *, note: str | None = None) -> bytes:
        is_step = 0 < old_size < new_size
        proof = build_consistency(old_size, new_size, NODES.read_node) if is_step else []
        request = build_add_checkpoint(
            old_size=old_size, proof=proof, note=note or self.head(new_size)
        )
        return request.text.encode()


def make_company(label: str) -> Company:
    return Company(
        member=f"{label}.example",
        message_key=SigningKey(sha256(f"{label}: message".encode())),
        log_key=SigningKey(sha256(f"{label}: log".encode())),
    )


ALPHA = make_company("alpha")
BETA = make_company("beta")
SUBJECT_KEY = SigningKey(sha256(b"subject"))
SALT = sha256(b"salt")
SUBJECT = "sim:0200756072"


def enrol_subject(
    *,
    subject: str = SUBJECT,
    key: SigningKey = SUBJECT_KEY,
    salt: bytes = SALT,
    iat: int = NOW_S,
) -> tuple[str, ...]:
    enrolment = SubjectEnrolment(
        hub=HUB, iat=iat, subject=parse_subject_id(subject), salt=salt, key=key.public
    )
    return sign_subject_enrolment(enrolment, key=key)


def make_status(
    *,
    key: SigningKey = SUBJECT_KEY,
    by: str = "subject",
    seq: int = 1,
    state: ConsentState = ConsentState.REVOKED,
    consent: bytes = sha256(b"consent"),
    iat: int = NOW_S,
    reason: str = "changed my mind",
) -> str:
    status = ConsentStatus(consent=consent, seq=seq, state=state, iat=iat, by=by, reason=reason)
    return sign_status(status, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestHub:
    """A hub and what it stands on."""

    __test__ = False

    service: HubService
    database: Database
    clock: ManualClock
    settings: Settings

    def open_newest(self) -> Registry:
        return open_registry(self.service.get_snapshot(None).tokens, anchors=[HUB_KEY.public])


def make_settings(home: Path, **values: object) -> Settings:
    merged = {
        "role": "hub",
        "member_id": HUB,
        "name": "Example Association",
        "simulated": True,
        "legal_basis": LEGAL_BASIS,
        "database_url": "" if ON_SQLITE else store_url(home / FILE_NAME),
        **values,
    }
    return build_settings(home=home, **merged)


def open_test_hub(
    home: Path,
    *,
    hub_key: SigningKey = HUB_KEY,
    witness_key: SigningKey = WITNESS_KEY,
    log_key: SigningKey = LOG_KEY,
    foreign_logs: Sequence[VerifierKey] = (),
    at_s: int = NOW_S,
    **values: object,
) -> TestHub:
    migrated_url(home / FILE_NAME)  # which the settings name
    settings = make_settings(home, **values)
    database = Database(url=settings.database)
    clock = ManualClock(at_ms=at_s * 1000)
    try:
        service = HubService(
            settings=settings,
            database=database,
            clock=clock,
            hub_key=hub_key,
            witness_key=witness_key,
            log_key=log_key,
            foreign_logs=foreign_logs,
        )
    except BaseException:
        database.dispose()
        raise
    return TestHub(service=service, database=database, clock=clock, settings=settings)


def follow(member: RegistryHolder, service: HubService) -> None:
    """Have a member take every snapshot that it does not hold yet."""
    for seq in range(member.newest_seq + 1, service.get_snapshot(None).seq + 1):
        member.adopt(service.get_snapshot(seq).tokens)
