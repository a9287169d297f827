from pathlib import Path

import pytest
from structlog.testing import capture_logs

from node.core.errors import NodeError
from node.hub.errors import (
    HubIdentityError,
    KeyNotHeldError,
    KeyTakenError,
    LegalBasisMissingError,
    MemberExistsError,
    MemberSuspendedError,
    MemberUnknownError,
    RevocationConflictError,
    SimulatedSubjectError,
    SubjectExistsError,
)
from node.hub.rules_snapshot import RevocationReason
from protocol.consent import commit_subject
from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError
from protocol.identifiers import parse_subject_id
from protocol.keys import SigningKey
from protocol.problems import WrongAudienceError
from tests.support.hubs import (
    ALPHA,
    BETA,
    HUB_KEY,
    NOW_S,
    SALT,
    SUBJECT,
    SUBJECT_KEY,
    WITNESS_KEY,
    Company,
    TestHub,
    enrol_subject,
    make_company,
    open_test_hub,
)

OTHER_KEY = SigningKey(sha256(b"other"))


@pytest.mark.parametrize("statement", ["", "  \n"])
def test_hub_without_a_legal_basis_stays_off(tmp_path: Path, statement: str) -> None:
    with pytest.raises(LegalBasisMissingError):
        open_test_hub(tmp_path, legal_basis=statement)


def test_one_key_for_registry_and_witness_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HubIdentityError):
        open_test_hub(tmp_path, witness_key=HUB_KEY)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"hub_key": OTHER_KEY}, id="registry-key"),
        pytest.param({"witness_key": OTHER_KEY}, id="witness-key"),
        pytest.param({"member_id": "other.example"}, id="name"),
        pytest.param({"simulated": False}, id="kind"),
    ],
)
def test_hub_does_not_go_on_with_the_chain_of_another(
    hub: TestHub, tmp_path: Path, changed: dict[str, object]
) -> None:
    with pytest.raises(HubIdentityError):
        open_test_hub(tmp_path, **changed)  # type: ignore[arg-type]  # a table of cases

    assert hub.service.get_snapshot(None).seq == 1


def test_member_is_in_the_registry_with_its_keys_and_log(hub: TestHub) -> None:
    snapshot = hub.service.enrol_member(ALPHA.enrol())

    registry = hub.open_newest()
    member = registry.find_member(ALPHA.member)
    assert member is not None
    assert registry.seq == snapshot.seq == 2
    assert member.status == "active"
    assert member.endpoints == {"v1": "https://node.example"}
    assert registry.get_message_key(ALPHA.message_key.kid, now_s=NOW_S)[0] == member
    assert registry.get_log_key(ALPHA.member) == (ALPHA.log_origin, ALPHA.log_key.public)


def test_same_enrolment_again_changes_nothing(hub: TestHub) -> None:
    first = hub.service.enrol_member(ALPHA.enrol())

    again = hub.service.enrol_member(ALPHA.enrol(iat=NOW_S + 1))

    assert again == first


def test_newer_enrolment_with_the_same_keys_moves_the_address(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())

    hub.service.enrol_member(ALPHA.enrol(endpoint="https://new.example", iat=NOW_S + 1))

    (entry,) = hub.service.directory()
    assert entry.endpoint == "https://new.example"
    assert hub.open_newest().seq == 3


def test_older_enrolment_played_again_moves_nothing(hub: TestHub) -> None:
    older = ALPHA.enrol()
    hub.service.enrol_member(older)
    hub.service.enrol_member(ALPHA.enrol(endpoint="https://new.example", iat=NOW_S + 1))

    with pytest.raises(MemberExistsError):
        hub.service.enrol_member(older)


def test_member_does_not_change_its_keys_or_its_log_by_enrolling(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    usurper = Company(member=ALPHA.member, message_key=OTHER_KEY, log_key=BETA.log_key)

    for tokens in (usurper.enrol(), ALPHA.enrol(log_origin=f"{ALPHA.member}/another/log")):
        with pytest.raises(MemberExistsError):
            hub.service.enrol_member(tokens)


def test_nobody_takes_the_hubs_own_name(hub: TestHub) -> None:
    with pytest.raises(MemberExistsError):
        hub.service.enrol_member(make_company("hub").enrol())


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(ALPHA.log_key, id="of-a-member"),
        pytest.param(SUBJECT_KEY, id="of-a-subject"),
        pytest.param(HUB_KEY, id="of-the-registry"),
        pytest.param(WITNESS_KEY, id="of-the-witness"),
    ],
)
def test_key_has_one_owner_for_ever(hub: TestHub, taken: SigningKey) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.enrol_subject(enrol_subject())
    newcomer = Company(member=BETA.member, message_key=taken, log_key=BETA.log_key)

    with pytest.raises(KeyTakenError):
        hub.service.enrol_member(newcomer.enrol())
    assert hub.open_newest().seq == 3
    assert [entry.member for entry in hub.service.directory()] == [ALPHA.member]


def test_enrolment_for_another_hub_is_refused(hub: TestHub) -> None:
    with pytest.raises(WrongAudienceError):
        hub.service.enrol_member(ALPHA.enrol(hub="other.example"))


def test_suspended_member_is_refused_by_the_next_snapshot(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())

    suspended = hub.service.suspend_member(ALPHA.member)

    member = hub.open_newest().find_member(ALPHA.member)
    assert member is not None
    assert member.status == "suspended"
    assert hub.service.suspend_member(ALPHA.member) == suspended
    with pytest.raises(MemberSuspendedError):
        hub.service.enrol_member(ALPHA.enrol(iat=NOW_S + 1))
    with pytest.raises(MemberUnknownError):
        hub.service.suspend_member("nobody.example")


def test_revoked_key_stays_in_the_registry_with_the_first_time_and_reason(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    kid = ALPHA.message_key.kid
    hub.clock.advance_s(60)
    hub.service.revoke_key(kid, reason=RevocationReason.LOST)
    hub.clock.advance_s(60)

    hub.service.revoke_key(kid, reason=RevocationReason.LOST)
    with pytest.raises(RevocationConflictError):
        hub.service.revoke_key(kid, reason=RevocationReason.COMPROMISED)

    found = hub.open_newest().find_message_key(kid)
    assert found is not None
    assert (found[1].revoked_at, found[1].reason) == (NOW_S + 60, "lost")
    assert found[1].is_valid_at(NOW_S)
    assert not found[1].is_valid_at(NOW_S + 60)


@pytest.mark.parametrize("kid", [OTHER_KEY.kid, HUB_KEY.kid], ids=["unknown", "the-hubs-own"])
def test_key_of_no_member_or_subject_is_not_revoked(hub: TestHub, kid: str) -> None:
    with pytest.raises(KeyNotHeldError):
        hub.service.revoke_key(kid, reason=RevocationReason.LOST)


def test_subject_is_in_the_registry_as_a_commitment(hub: TestHub) -> None:
    commitment = hub.service.enrol_subject(enrol_subject())

    found = hub.open_newest().find_subject_key(SUBJECT_KEY.kid)
    assert found is not None
    assert commitment == commit_subject(parse_subject_id(SUBJECT), salt=SALT)
    assert (found[0].commitment, found[0].verified) == (commitment, "simulated")


def test_same_subject_again_changes_nothing(hub: TestHub) -> None:
    first = hub.service.enrol_subject(enrol_subject())

    assert hub.service.enrol_subject(enrol_subject()) == first
    assert hub.open_newest().seq == 2


def test_subject_does_not_get_a_second_key_by_enrolling(hub: TestHub) -> None:
    hub.service.enrol_subject(enrol_subject())
    other_subject = enrol_subject(subject="sim:2", key=OTHER_KEY)
    hub.service.enrol_subject(other_subject)

    for key in (OTHER_KEY, SigningKey(sha256(b"third"))):
        with pytest.raises(SubjectExistsError):
            hub.service.enrol_subject(enrol_subject(key=key))


def test_neither_id_nor_salt_of_a_subject_is_stored_or_logged(hub: TestHub, tmp_path: Path) -> None:
    with capture_logs() as logs:
        hub.service.enrol_subject(enrol_subject())

    value = SUBJECT.partition(":")[2]
    secrets = [value.encode(), SALT, encode_b64u(SALT).encode(), SALT.hex().encode()]
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    told = repr(logs).encode() + hub.service.get_snapshot(None).tokens[0].encode()
    assert [secret for secret in secrets if secret in stored + told] == []


def test_simulated_subject_has_no_place_in_a_real_federation(tmp_path: Path) -> None:
    hub = open_test_hub(tmp_path, simulated=False)

    with pytest.raises(SimulatedSubjectError):
        hub.service.enrol_subject(enrol_subject())
    hub.service.enrol_subject(enrol_subject(subject="cn.uscc:91350100M000100Y43"))

    assert hub.open_newest().subjects[0].verified == "operator"
    hub.database.dispose()


def test_refused_enrolment_leaves_nothing(hub: TestHub) -> None:
    refused: list[tuple[str, ...]] = [ALPHA.enrol()[:1], (), ("x.y.z",)]

    for tokens in refused:
        with pytest.raises((ProtocolError, NodeError)):
            hub.service.enrol_member(tokens)
        with pytest.raises((ProtocolError, NodeError)):
            hub.service.enrol_subject(tokens)

    assert hub.service.directory() == []
    assert hub.service.get_snapshot(None).seq == 1
