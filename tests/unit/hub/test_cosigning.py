"""A hub of k of n keys: what waits, who may sign it, and that nobody signs two of one number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.core.database import Database, metadata
from node.hub.cosigning import (
    CheckedDraft,
    Cosigner,
    CosignerStateError,
    DraftRefusedError,
    NotASignerError,
    SignedOtherError,
)
from node.hub.errors import (
    DraftUnknownError,
    DraftWaitsError,
    HubIdentityError,
    KeyNotHeldError,
    SnapshotUnknownError,
    ThresholdInvalidError,
)
from node.hub.rules_snapshot import RevocationReason
from node.hub.store import DraftRow
from node.sharing.registry import RegistryHolder
from protocol.encoding import decode_b64u, sha256
from protocol.errors import MalformedError, ProtocolError, SignatureInvalidError
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_LIFE_S
from protocol.registry import Registry, parse_registry, sign_registry
from tests.support.hubs import ALPHA, BETA, HUB_KEY, NOW_S, TestHub, enrol_subject, open_test_hub
from tests.support.stores import store_url

FIRST, SECOND = SigningKey(sha256(b"cosigner: 1")), SigningKey(sha256(b"cosigner: 2"))
STRANGER = SigningKey(sha256(b"cosigner: none"))
HOUR_S = 3_600


class Officer:
    """Somebody with a hub key on a machine of their own."""

    def __init__(self, hub: TestHub, folder: Path, key: SigningKey) -> None:
        folder.mkdir(exist_ok=True)
        self.hub = hub
        self.folder = folder
        self.cosigner = Cosigner(folder, key=key, anchor=HUB_KEY.public)

    def fetch(self, seq: int) -> tuple[str, ...] | None:
        try:
            return self.hub.service.get_snapshot(seq).tokens
        except SnapshotUnknownError:
            return None

    def look(self, payload: bytes | None = None) -> tuple[str, ...]:
        """Return what the snapshot that waits would change."""
        return self._check(payload).differences

    def sign(self) -> DraftRow | None:
        checked = self._check(None)
        detached = self.cosigner.sign(checked, now_s=self.now_s)
        return self.hub.service.cosigning.add_signature(detached, signed=checked.registry.hash)

    @property
    def now_s(self) -> int:
        return self.hub.clock.now_ms() // 1000

    def _check(self, payload: bytes | None) -> CheckedDraft:
        newest = self.cosigner.follow(self.fetch)
        if payload is None:
            draft = self.hub.service.cosigning.find_draft()
            assert draft is not None
            payload = draft.payload
        return self.cosigner.check(payload, newest=newest, now_s=self.now_s)


@pytest.fixture
def first(hub: TestHub, tmp_path: Path) -> Officer:
    return Officer(hub, tmp_path / "first", FIRST)


@pytest.fixture
def second(hub: TestHub, tmp_path: Path) -> Officer:
    return Officer(hub, tmp_path / "second", SECOND)


@pytest.fixture
def member(tmp_path: Path) -> Iterator[RegistryHolder]:
    database = Database(url=store_url(tmp_path / "member.sqlite"))
    metadata.create_all(database.engine)
    holder = RegistryHolder(database=database, anchor=HUB_KEY.public)
    yield holder
    database.dispose()


def follow(member: RegistryHolder, hub: TestHub) -> None:
    for seq in range(member.newest_seq + 1, hub.service.get_snapshot(None).seq + 1):
        member.adopt(hub.service.get_snapshot(seq).tokens)


def share(hub: TestHub, *, threshold: int) -> None:
    """Have the hub and two cosigners sign together."""
    hub.service.cosigning.add_hub_key(FIRST.public)
    hub.service.cosigning.add_hub_key(SECOND.public)
    hub.service.cosigning.set_threshold(threshold)


def advance(hub: TestHub, seconds: int) -> None:
    hub.clock.advance_s(seconds)


def test_a_change_waits_until_enough_have_signed_and_members_follow(
    hub: TestHub, first: Officer, member: RegistryHolder
) -> None:
    share(hub, threshold=2)
    assert hub.service.cosigning.find_draft() is None  # The threshold of the one before was one.

    waiting = hub.service.enrol_member(ALPHA.enrol())

    assert hub.service.get_snapshot(None).seq == waiting.seq - 1
    assert hub.service.health().signatures_missing == 1
    assert first.look()[0].startswith("alpha.example: new member")
    assert first.sign() is None
    newest = hub.service.get_snapshot(None)
    assert (newest.seq, newest.hash, len(newest.tokens)) == (waiting.seq, waiting.hash, 2)
    follow(member, hub)
    assert member.newest.find_member("alpha.example") is not None
    assert hub.service.health().signatures_missing == 0


def test_all_of_three_have_to_sign_where_that_is_the_threshold(
    hub: TestHub, first: Officer, second: Officer
) -> None:
    share(hub, threshold=3)
    hub.service.enrol_member(ALPHA.enrol())

    left = first.sign()

    assert left is not None
    assert first.sign() == left  # Twice is once.
    assert second.sign() is None


def test_changes_go_into_one_that_nobody_else_has_signed(hub: TestHub, first: Officer) -> None:
    share(hub, threshold=2)

    one = hub.service.enrol_member(ALPHA.enrol())
    other = hub.service.enrol_member(BETA.enrol(endpoint="https://beta.example"))

    assert one.seq == other.seq
    assert len([line for line in first.look() if "new member" in line]) == 2


def test_a_change_after_a_signature_waits_for_the_next_number(
    hub: TestHub, first: Officer, second: Officer
) -> None:
    share(hub, threshold=3)
    one = hub.service.enrol_member(ALPHA.enrol())
    first.sign()

    hub.service.enrol_subject(enrol_subject())
    with pytest.raises(DraftWaitsError):
        hub.service.cosigning.set_threshold(2)
    assert second.sign() is None

    assert hub.service.get_snapshot(None).hash == one.hash
    assert second.look()[0].startswith("subject")


def test_a_renewal_is_told_from_a_change_and_made_once(hub: TestHub, first: Officer) -> None:
    share(hub, threshold=2)
    advance(hub, REGISTRY_LIFE_S // 2)

    hub.service.refresh_registry()
    waiting = hub.service.cosigning.find_draft()
    advance(hub, HOUR_S)
    hub.service.refresh_registry()

    assert hub.service.cosigning.find_draft() == waiting
    assert first.look() == ()
    assert first.sign() is None


def test_a_snapshot_that_nobody_signs_is_made_anew_in_time(hub: TestHub, first: Officer) -> None:
    share(hub, threshold=2)
    hub.service.enrol_member(ALPHA.enrol())
    old = hub.service.cosigning.find_draft()
    advance(hub, REGISTRY_LIFE_S // 2 + 1)

    hub.service.refresh_registry()

    new = hub.service.cosigning.find_draft()
    assert old is not None
    assert new is not None
    assert new.hash != old.hash
    assert first.sign() is None


def test_a_hub_that_was_taken_over_cannot_have_two_made_of_one_number(
    hub: TestHub, first: Officer
) -> None:
    share(hub, threshold=3)
    hub.service.enrol_member(ALPHA.enrol())
    draft = hub.service.cosigning.find_draft()
    assert draft is not None
    registry = parse_registry(draft.payload)
    (token,) = sign_registry(replace(registry, iat=registry.iat + 1), keys=[HUB_KEY])
    first.sign()

    with pytest.raises(SignedOtherError):
        first.look(_payload(token))

    advance(hub, REGISTRY_LIFE_S)
    with pytest.raises(DraftRefusedError, match="not of now"):
        first.look(draft.payload)


def test_a_snapshot_that_drops_a_key_is_not_signed(hub: TestHub, first: Officer) -> None:
    share(hub, threshold=2)
    hub.service.enrol_member(ALPHA.enrol())
    first.sign()
    hub.service.enrol_subject(enrol_subject())
    draft = hub.service.cosigning.find_draft()
    assert draft is not None
    registry = parse_registry(draft.payload)
    (token,) = sign_registry(_without_members(registry), keys=[HUB_KEY])

    with pytest.raises(DraftRefusedError, match="follow"):
        first.look(_payload(token))


def test_who_does_not_sign_for_the_hub_is_told(hub: TestHub, tmp_path: Path) -> None:
    share(hub, threshold=2)
    hub.service.enrol_member(ALPHA.enrol())

    with pytest.raises(NotASignerError):
        Officer(hub, tmp_path / "stranger", STRANGER).look()


def test_a_signature_of_a_stranger_or_of_something_else_is_refused(
    hub: TestHub, first: Officer
) -> None:
    share(hub, threshold=2)
    hub.service.enrol_member(ALPHA.enrol())
    draft = hub.service.cosigning.find_draft()
    assert draft is not None
    add = hub.service.cosigning.add_signature
    (strange,) = sign_registry(parse_registry(draft.payload), keys=[STRANGER])
    (own,) = sign_registry(parse_registry(draft.payload), keys=[FIRST])
    header, payload, signature = own.split(".")

    with pytest.raises(ProtocolError):
        add(_detach(strange), signed=draft.hash)
    with pytest.raises(MalformedError):
        add(own, signed=draft.hash)
    with pytest.raises(MalformedError):
        add(f"{header}..", signed=draft.hash)
    with pytest.raises(SignatureInvalidError):
        add(f"{header}..{'A' if signature[0] != 'A' else 'B'}{signature[1:]}", signed=draft.hash)
    with pytest.raises(DraftUnknownError):
        add(_detach(own), signed=bytes(32))

    assert payload
    assert hub.service.cosigning.find_draft() == draft
    assert first.sign() is None
    with pytest.raises(DraftUnknownError):
        add(_detach(own), signed=draft.hash)


def test_a_threshold_has_as_many_keys(hub: TestHub, first: Officer) -> None:
    share(hub, threshold=2)

    with pytest.raises(ThresholdInvalidError):
        hub.service.cosigning.set_threshold(4)
    with pytest.raises(ThresholdInvalidError):
        hub.service.cosigning.set_threshold(0)
    with pytest.raises(KeyNotHeldError):
        hub.service.cosigning.end_hub_key(STRANGER.kid, reason=RevocationReason.LOST)
    hub.service.cosigning.end_hub_key(SECOND.kid, reason=RevocationReason.LOST)
    with pytest.raises(ThresholdInvalidError):
        hub.service.cosigning.end_hub_key(FIRST.kid, reason=RevocationReason.LOST)

    assert first.look() == (f"hub: hub key {SECOND.kid} ends at {NOW_S}: lost",)


def test_a_changed_threshold_counts_from_the_snapshot_after_it(
    hub: TestHub, first: Officer
) -> None:
    share(hub, threshold=2)
    hub.service.cosigning.set_threshold(1)
    assert first.look() == ("threshold: 2 → 1",)
    assert hub.service.cosigning.set_threshold(1).seq == hub.service.get_snapshot(None).seq

    first.sign()
    hub.service.enrol_member(ALPHA.enrol())

    assert hub.service.cosigning.find_draft() is None


def test_a_rotation_of_the_hubs_own_key_leaves_the_cosigners_theirs(
    hub: TestHub, first: Officer
) -> None:
    share(hub, threshold=2)

    hub.service.rotate_hub_key(STRANGER.public)

    assert [line for line in first.look() if "ends at" in line] == [
        f"hub: hub key {HUB_KEY.kid} ends at {NOW_S}: superseded"
    ]


def test_what_waits_is_there_after_a_restart(hub: TestHub, first: Officer) -> None:
    share(hub, threshold=2)
    hub.service.enrol_member(ALPHA.enrol())
    waiting = hub.service.cosigning.find_draft()

    again = open_test_hub(hub.settings.home)

    assert again.service.cosigning.find_draft() == waiting
    again.database.dispose()
    assert first.sign() is None


def test_a_hub_whose_keys_are_all_elsewhere_signs_nothing(hub: TestHub) -> None:
    share(hub, threshold=1)
    hub.service.cosigning.end_hub_key(HUB_KEY.kid, reason=RevocationReason.SUPERSEDED)

    with pytest.raises(HubIdentityError):
        hub.service.status_list()


@pytest.mark.parametrize("name", ["newest.json", "signed.json"])
def test_a_cosigner_whose_memory_is_damaged_signs_nothing(
    hub: TestHub, first: Officer, name: str
) -> None:
    share(hub, threshold=3)
    hub.service.enrol_member(ALPHA.enrol())
    first.sign()
    (first.folder / name).write_text("{}")

    with pytest.raises(CosignerStateError):
        first.look()


def test_a_cosigner_takes_no_chain_of_another_hub(hub: TestHub, tmp_path: Path) -> None:
    cosigner = Cosigner(tmp_path, key=FIRST, anchor=STRANGER.public)

    with pytest.raises(ProtocolError):
        cosigner.follow(lambda seq: hub.service.get_snapshot(seq).tokens)
    with pytest.raises(DraftRefusedError, match="no snapshot"):
        cosigner.follow(lambda _seq: None)


def _payload(token: str) -> bytes:
    return decode_b64u(token.split(".")[1])


def _detach(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}..{signature}"


def _without_members(registry: Registry) -> Registry:
    return replace(registry, members=registry.members[:1])
