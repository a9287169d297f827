"""``chengxin cosign``: a hub of two keys of three, its officers on machines of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.clock import now_s
from node.hub.cosigning import SignedOtherError
from protocol.encoding import decode_b64u, encode_b64u
from protocol.keys import PublicKey
from tests.support import hubs
from tests.support.places import Place, call, check, error_of, open_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as opened:
        yield opened


def make_cosigner(place: Place, name: str) -> Path:
    """Make a cosigner's folder and enter its key at the hub."""
    home = place.folder / name
    anchor = encode_b64u(hubs.HUB_KEY.public.raw)
    said = check(
        call("cosign", "init", "--home", str(home), "--hub-url", place.url, "--anchor", anchor)
    )
    key = check(call("cosign", "key", "--home", str(home))).strip()
    assert key in said
    place.hub.service.cosigning.add_hub_key(PublicKey(decode_b64u(key)))
    return home


def test_an_officer_sees_what_changes_and_signs_it(place: Place) -> None:
    home = make_cosigner(place, "officer")
    place.hub.service.cosigning.set_threshold(2)
    waiting = place.hub.service.enrol_member(hubs.ALPHA.enrol(iat=now_s(place.hub.clock)))

    declined = call("cosign", "sign", "--home", str(home), said="n\n")
    signed = check(call("cosign", "sign", "--home", str(home), said="y\n"))

    assert declined.exit_code == 4
    assert "alpha.example: new member" in declined.output
    assert "signed and published" in signed
    assert place.hub.service.get_snapshot(None).seq == waiting.seq
    assert "nothing waits" in check(call("cosign", "sign", "--home", str(home)))


def test_a_timer_signs_renewals_and_leaves_the_rest_to_an_officer(place: Place) -> None:
    home = make_cosigner(place, "timer")
    place.hub.service.cosigning.set_threshold(2)
    place.hub.service.enrol_member(hubs.ALPHA.enrol(iat=now_s(place.hub.clock)))

    changed = call("cosign", "sign", "--home", str(home), "--renewals")
    assert changed.exit_code == 3
    check(call("cosign", "sign", "--home", str(home), "--yes"))
    place.hub.service.publish()
    renewed = check(call("cosign", "sign", "--home", str(home), "--renewals"))

    assert "a renewal" in renewed
    assert "signed and published" in renewed


def test_a_cosigner_signs_one_of_each_number(place: Place) -> None:
    home = make_cosigner(place, "first")
    make_cosigner(place, "second")
    place.hub.service.cosigning.set_threshold(3)
    place.hub.service.enrol_member(hubs.ALPHA.enrol(iat=now_s(place.hub.clock)))
    assert "others have to sign" in check(call("cosign", "sign", "--home", str(home), "--yes"))
    with place.hub.database.write() as uow:  # As a thief of the hub's machine would.
        uow.connection.exec_driver_sql("DELETE FROM hub_draft")
    place.hub.clock.advance_s(60)
    place.hub.service.enrol_member(
        hubs.BETA.enrol(endpoint="https://beta.example", iat=now_s(place.hub.clock))
    )

    refused = call("cosign", "sign", "--home", str(home), "--yes")

    assert isinstance(error_of(refused), SignedOtherError)


def test_a_folder_is_made_once(place: Place) -> None:
    home = make_cosigner(place, "officer")
    anchor = encode_b64u(hubs.HUB_KEY.public.raw)
    key = check(call("cosign", "key", "--home", str(home)))

    again = call("cosign", "init", "--home", str(home), "--hub-url", place.url, "--anchor", anchor)

    assert getattr(error_of(again), "code", "") == "cosigner-exists"
    assert check(call("cosign", "key", "--home", str(home))) == key
    nowhere = call("cosign", "sign", "--home", str(place.folder / "nowhere"))
    assert getattr(error_of(nowhere), "code", "") in {"cosigner-config", "key-file"}
