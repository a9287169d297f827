import pytest

from node.hub.errors import StatusConflictError, StatusListFullError
from node.hub.rules_snapshot import RevocationReason
from node.hub.rules_status import (
    STATUS_BYTES_MAX,
    STATUS_KEPT_S,
    STATUS_LIST_CHARACTERS_MAX,
    STATUSES_PER_SIGNER_MAX,
    Reported,
    check_room,
    measure_percent,
)
from node.hub.statuses import STATUS_LIST_CACHE_S
from node.hub.store import StatusSizes
from protocol.consent import ConsentState, ConsentStatus
from protocol.encoding import sha256
from protocol.errors import ProtocolError, SignatureInvalidError, TooLargeError
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_BYTES_MAX, STATUS_LIST_LIFE_S
from protocol.problems import (
    ClockSkewError,
    ConsentSignatureError,
    KeyRevokedError,
    NotAMemberError,
    UnknownKeyProblemError,
)
from protocol.status_list import StatusList, open_status_list, sign_status_list
from tests.support.hubs import (
    ALPHA,
    HUB,
    HUB_KEY,
    NOW_S,
    SUBJECT_KEY,
    TestHub,
    enrol_subject,
    make_status,
)

STRANGER = SigningKey(sha256(b"stranger"))


@pytest.fixture(autouse=True)
def enrolled(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.enrol_subject(enrol_subject())


def read_list(hub: TestHub) -> StatusList:
    return open_status_list(
        hub.service.status_list(),
        find_key=hub.open_newest().get_hub_key,
        now_s=hub.clock.now_ms() // 1000,
    )


@pytest.mark.parametrize(
    ("key", "by"),
    [(SUBJECT_KEY, "subject"), (ALPHA.message_key, "provider"), (HUB_KEY, "hub")],
    ids=["subject", "provider", "hub"],
)
def test_status_of_each_who_may_report_is_listed(hub: TestHub, key: SigningKey, by: str) -> None:
    token = make_status(key=key, by=by)

    hub.service.report_status(token)

    listed = read_list(hub)
    assert (listed.hub, listed.iat, listed.entries) == (HUB, NOW_S, (token,))


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param(make_status(key=STRANGER), UnknownKeyProblemError, id="stranger"),
        pytest.param(make_status(by="hub"), ConsentSignatureError, id="subject-as-hub"),
        pytest.param(make_status(by="provider"), ConsentSignatureError, id="subject-as-provider"),
        pytest.param(
            make_status(key=ALPHA.message_key), ConsentSignatureError, id="provider-as-subject"
        ),
        pytest.param(make_status(key=HUB_KEY), ConsentSignatureError, id="hub-as-subject"),
        pytest.param(
            make_status(key=ALPHA.log_key, by="provider"), UnknownKeyProblemError, id="log-key"
        ),
        pytest.param(make_status(iat=NOW_S + 11), ClockSkewError, id="from-the-future"),
        pytest.param("a" * (STATUS_BYTES_MAX + 1), TooLargeError, id="too-large"),
        pytest.param(make_status()[:-4] + "AAAA", SignatureInvalidError, id="bad-signature"),
        pytest.param("a.b", ProtocolError, id="no-token"),
    ],
)
def test_status_that_does_not_hold_is_refused(
    hub: TestHub, token: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        hub.service.report_status(token)

    assert read_list(hub).entries == ()


def test_longest_status_of_the_protocol_fits() -> None:
    longest = make_status(reason="\U0001f600" * 400, seq=2**53 - 1)

    assert len(longest) <= STATUS_BYTES_MAX


def test_revoked_key_and_suspended_member_report_nothing(hub: TestHub) -> None:
    hub.service.revoke_key(SUBJECT_KEY.kid, reason=RevocationReason.LOST)
    hub.service.suspend_member(ALPHA.member)

    with pytest.raises(KeyRevokedError):
        hub.service.report_status(make_status())
    with pytest.raises(NotAMemberError):
        hub.service.report_status(make_status(key=ALPHA.message_key, by="provider"))


def test_later_status_takes_the_place_of_the_earlier(hub: TestHub) -> None:
    hub.service.report_status(make_status(seq=1, state=ConsentState.PAUSED))
    later = make_status(seq=3, state=ConsentState.REVOKED)

    hub.service.report_status(later)

    assert read_list(hub).entries == (later,)


def test_same_status_again_changes_nothing(hub: TestHub) -> None:
    token = make_status()
    first = hub.service.report_status(token)

    assert hub.service.report_status(token) == first
    assert read_list(hub).entries == (token,)


@pytest.mark.parametrize(
    ("seq", "state"),
    [
        pytest.param(1, ConsentState.REVOKED, id="lower"),
        pytest.param(2, ConsentState.REVOKED, id="same-number"),
        pytest.param(3, ConsentState.PAUSED, id="no-transition"),
    ],
)
def test_status_that_does_not_follow_never_wins(
    hub: TestHub, seq: int, state: ConsentState
) -> None:
    standing = make_status(seq=2, state=ConsentState.PAUSED)
    hub.service.report_status(standing)

    with pytest.raises(StatusConflictError):
        hub.service.report_status(make_status(seq=seq, state=state))

    assert read_list(hub).entries == (standing,)


def test_final_state_stays(hub: TestHub) -> None:
    hub.service.report_status(make_status(seq=1, state=ConsentState.REVOKED))

    with pytest.raises(StatusConflictError):
        hub.service.report_status(make_status(seq=2, state=ConsentState.ACTIVE))


def test_nobody_stands_in_the_way_of_the_subjects_own_status(hub: TestHub) -> None:
    blocking = make_status(
        key=ALPHA.message_key, by="provider", seq=2**53 - 1, state=ConsentState.EXPIRED
    )
    hub.service.report_status(blocking)
    own = make_status(seq=1)

    hub.service.report_status(own)

    assert read_list(hub).entries == (blocking, own)


def test_list_is_signed_anew_after_a_change_and_after_some_seconds(hub: TestHub) -> None:
    first = hub.service.status_list()
    hub.clock.advance_s(STATUS_LIST_CACHE_S - 1)
    assert hub.service.status_list() == first
    hub.service.report_status(make_status())
    assert read_list(hub).iat == NOW_S + STATUS_LIST_CACHE_S - 1
    hub.clock.advance_s(STATUS_LIST_CACHE_S)

    assert read_list(hub).iat == NOW_S + 2 * STATUS_LIST_CACHE_S - 1


def test_list_is_never_older_than_its_life(hub: TestHub) -> None:
    hub.service.status_list()
    hub.clock.advance_s(STATUS_LIST_LIFE_S)

    assert read_list(hub).iat == NOW_S + STATUS_LIST_LIFE_S


def test_status_leaves_the_list_when_no_consent_can_be_alive_under_it(hub: TestHub) -> None:
    hub.service.report_status(make_status())
    hub.clock.advance_s(STATUS_KEPT_S + 1)

    assert read_list(hub).entries == ()


def make_reported(token: str) -> Reported:
    status = ConsentStatus(
        consent=bytes(32), seq=1, state=ConsentState.REVOKED, iat=1, by="subject", reason="r"
    )
    return Reported(status=status, signer="subject:x", token=token)


def test_full_list_can_still_be_sent() -> None:
    token = "t" * 997
    entries = STATUS_LIST_CHARACTERS_MAX // (len(token) + 3)
    full = [f"{number:05}{token[5:]}" for number in range(entries)]

    signed = sign_status_list(full, hub=HUB, iat=NOW_S, key=HUB_KEY)

    assert len(signed) < REGISTRY_BYTES_MAX


@pytest.mark.parametrize(
    "sizes",
    [
        StatusSizes(entries=1, characters=STATUS_LIST_CHARACTERS_MAX - 10, of_signer=0),
        StatusSizes(entries=0, characters=0, of_signer=STATUSES_PER_SIGNER_MAX),
    ],
    ids=["list", "share-of-the-signer"],
)
def test_full_list_takes_no_more(sizes: StatusSizes) -> None:
    check_room(make_reported("t"), sizes=StatusSizes(entries=0, characters=0, of_signer=0))

    with pytest.raises(StatusListFullError):
        check_room(make_reported("t" * 20), sizes=sizes)


def test_how_full_a_list_is_counts_what_stands_between_the_statuses() -> None:
    half = StatusSizes(entries=0, characters=STATUS_LIST_CHARACTERS_MAX // 2 + 1, of_signer=0)
    many = StatusSizes(entries=STATUS_LIST_CHARACTERS_MAX // 3, characters=3, of_signer=0)

    assert (measure_percent(half), measure_percent(many)) == (50, 100)
