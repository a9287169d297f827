"""Changes of a consent's state, brought by anybody or through the hub's list."""

from __future__ import annotations

from protocol.consent import ConsentState
from protocol.keys import SigningKey
from protocol.limits import STATUS_LIST_LIFE_S
from tests.conformance.peer.case import CaseList, Run, expect, expect_equal
from tests.conformance.peer.cases.common import get_answered, refuse_signed
from tests.conformance.peer.hub import HUB_KEY
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.node import STATUSES_PATH, Http
from tests.conformance.peer.parts import make_key

CASES = CaseList("status")
HOUR_S = 3_600
LISTS_S_MAX = 620  # two polls, which may be 300 s apart
FINAL = (
    ConsentState.REVOKED, ConsentState.EXPIRED, ConsentState.EXHAUSTED, ConsentState.REPLACED,
)  # fmt: skip


def check_refused(http: Http, *, status: int, code: str) -> None:
    """Check that a status was refused, unsigned."""
    expect_equal((http.status, http.read_problem().get("code")), (status, code), "the refusal")


@CASES.case("CON-15", "CON-26")
def a_pause_ends_with_the_next_status(kit: Kit) -> None:
    granted = kit.hold()

    kit.set_state(granted, ConsentState.PAUSED, seq=1)
    refuse_signed(kit, kit.write_query(granted), code="consent-paused")
    kit.set_state(granted, ConsentState.ACTIVE, seq=2)
    get_answered(kit, kit.write_query(granted))


def _stay_final(state: ConsentState) -> Run:
    def run(kit: Kit) -> None:
        granted = kit.hold()
        kit.set_state(granted, state)

        http = kit.post_status(granted, ConsentState.ACTIVE, seq=2)

        check_refused(http, status=409, code="status-stale")
        refuse_signed(kit, kit.write_query(granted), code=f"consent-{state.value}")

    return run


for _state in FINAL:
    CASES.add(f"{_state.value} is final", ("CON-15", "CON-18", "CON-26"), _stay_final(_state))


@CASES.case("CON-15", "CON-18")
def nobody_states_anything_of_a_consent_that_is_final(kit: Kit) -> None:
    granted = kit.hold()
    kit.set_state(granted, ConsentState.REVOKED)

    for state in (ConsentState.PAUSED, ConsentState.ACTIVE, ConsentState.REVOKED):
        http = kit.post_status(granted, state, seq=1, key=HUB_KEY, by="hub")
        check_refused(http, status=409, code="status-stale")


@CASES.case("CON-18")
def a_number_that_is_not_above_the_last_is_stale(kit: Kit) -> None:
    granted = kit.hold()
    kit.set_state(granted, ConsentState.PAUSED, seq=5)

    for seq in (5, 4):
        http = kit.post_status(granted, ConsentState.ACTIVE, seq=seq)
        check_refused(http, status=409, code="status-stale")
    refuse_signed(kit, kit.write_query(granted), code="consent-paused")


@CASES.case("CON-19")
def the_same_status_again_changes_nothing(kit: Kit) -> None:
    granted = kit.hold()
    token = kit.sign_state(granted, ConsentState.PAUSED).encode()

    posted = [kit.node.post(STATUSES_PATH, token, content_type="text/plain") for _ in range(2)]

    expect_equal([http.status for http in posted], [200, 200], "the HTTP status of both")
    kit.set_state(granted, ConsentState.ACTIVE, seq=2)
    get_answered(kit, kit.write_query(granted))


@CASES.case("CON-17")
def another_customers_status_is_refused(kit: Kit) -> None:
    granted = kit.hold()

    http = kit.post_status(granted, ConsentState.REVOKED, key=kit.thin.key)

    check_refused(http, status=403, code="consent-signature")
    get_answered(kit, kit.write_query(granted))


@CASES.case("CON-16")
def a_status_signed_by_nobodys_key_is_refused(kit: Kit) -> None:
    granted = kit.hold()

    http = kit.post_status(granted, ConsentState.REVOKED, key=make_key("nobody"))

    check_refused(http, status=403, code="consent-signature")
    get_answered(kit, kit.write_query(granted))


@CASES.case("CON-17")
def a_status_by_the_customer_in_the_hubs_name_is_refused(kit: Kit) -> None:
    granted = kit.hold()

    http = kit.post_status(granted, ConsentState.REVOKED, by="hub")

    check_refused(http, status=403, code="consent-signature")


@CASES.case("CON-40")
def a_status_from_the_future_is_refused(kit: Kit) -> None:
    granted = kit.hold()
    token = kit.sign_state(granted, ConsentState.REVOKED, ahead_s=HOUR_S).encode()

    http = kit.node.post(STATUSES_PATH, token, content_type="text/plain")

    check_refused(http, status=401, code="clock-skew")
    get_answered(kit, kit.write_query(granted))


@CASES.case("CON-42")
def of_several_signers_the_strictest_counts(kit: Kit) -> None:
    granted = kit.hold()
    kit.set_state(granted, ConsentState.PAUSED)

    opened = kit.post_status(granted, ConsentState.PAUSED, seq=9, key=HUB_KEY, by="hub")
    opened_again = kit.post_status(granted, ConsentState.ACTIVE, seq=10, key=HUB_KEY, by="hub")

    expect_equal((opened.status, opened_again.status), (200, 200), "the hub's own statuses")
    refuse_signed(kit, kit.write_query(granted), code="consent-paused")
    kit.set_state(granted, ConsentState.ACTIVE, seq=2)
    get_answered(kit, kit.write_query(granted))


@CASES.case("CON-17")
def the_hub_may_withdraw_a_consent(kit: Kit) -> None:
    granted = kit.hold()

    http = kit.post_status(granted, ConsentState.REVOKED, key=HUB_KEY, by="hub")

    expect_equal(http.status, 200, "a status by the hub")
    refuse_signed(kit, kit.write_query(granted), code="consent-revoked")


@CASES.case("CON-16")
def a_status_of_a_consent_that_is_not_held_is_refused(kit: Kit) -> None:
    http = kit.post_status(kit.grant(), ConsentState.REVOKED)

    expect_equal(http.status, 404, "the HTTP status")


@CASES.case("KEY-13")
def a_consent_is_no_status(kit: Kit) -> None:
    granted = kit.hold()

    http = kit.node.post(STATUSES_PATH, granted.token.encode(), content_type="text/plain")

    expect(not http.status < 400, "a consent is taken for a status")
    get_answered(kit, kit.write_query(granted))


BAD_LISTS: dict[str, tuple[int, SigningKey]] = {
    "that has ended": (STATUS_LIST_LIFE_S + 1, HUB_KEY),
    "from the future": (-HOUR_S, HUB_KEY),
    "that another key signs": (0, make_key("nobody")),
}


def _do_not_take(age_s: int, key: SigningKey) -> Run:
    def run(kit: Kit) -> None:
        granted = kit.hold()
        try:
            kit.hub.list_age_s, kit.hub.list_key = age_s, key
            kit.hub.statuses.append(kit.sign_state(granted, ConsentState.REVOKED))
            given = kit.hub.lists_given + 1  # One may be on its way.
            kit.wait(
                lambda: kit.hub.lists_given > given,
                "the node does not ask for the status list",
                s_max=LISTS_S_MAX,
            )
            get_answered(kit, kit.write_query(granted))
        finally:
            kit.hub.list_age_s, kit.hub.list_key = 0, HUB_KEY

    return run


for _name, (_age_s, _key) in BAD_LISTS.items():
    CASES.add(f"nothing in a list {_name} is taken", ("CON-37",), _do_not_take(_age_s, _key))


@CASES.case("CON-37", "CON-17")
def a_withdrawal_at_the_hub_reaches_the_node_within_a_poll(kit: Kit) -> None:
    granted = kit.hold(lambda one: one)
    kit.hub.statuses.append(kit.sign_state(granted, ConsentState.REVOKED))

    kit.wait(
        lambda: kit.exchange(kit.write_query(granted)).code == "consent-revoked",
        "a withdrawal in the status list has no effect",
        s_max=310,
    )
