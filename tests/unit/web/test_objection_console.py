"""Forms of objections to a peer's summary, beside the summary."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from node.core.people.service import Role
from protocol.encoding import encode_b64u
from tests.support.console_node import receive_summary
from tests.support.console_people import Desk, close_desk, open_desk


@pytest.fixture
def desk(tmp_path: Path, closed: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home", like=closed)
    desk.invoice("R1", (date(2026, 6, 1), 100_000))
    yield desk
    close_desk(desk)


def receive(desk: Desk) -> dict[str, str]:
    record = desk.node.local.records.get_customer(desk.customer_id)
    message = encode_b64u(receive_summary(desk.node, record))
    return {"message": message, "item": "0", "raised_by": "subject"}


def read(desk: Desk, language: str = "en") -> str:
    return unescape(desk.client.get(desk.home, params={"lang": language}).text)


def test_an_objection_is_entered_by_one_person_and_ended_by_another(desk: Desk) -> None:
    form, path = receive(desk), f"{desk.home}/objections"
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    assert f'action="{path}"' in read(desk)

    assert desk.send(path, form).status_code == 303
    shown = read(desk)
    assert "Objection by the subject of 2026-06-30, entered by Li. Open" in shown
    assert f'action="{path}"' not in shown  # one is open
    assert f'action="{path}/1/end"' not in shown  # her own
    again = desk.send(path, form)
    assert (again.status_code, "is open already" in again.text) == (409, True)
    own = desk.send(f"{path}/1/end", {"outcome": "rejected"})
    assert (own.status_code, "another person does" in own.text) == (403, True)

    desk.sign_in(Role.CREDIT_MANAGER, "Wang")
    assert f'action="{path}/1/end"' in read(desk)
    assert desk.send(f"{path}/1/end", {"outcome": "rejected"}).status_code == 303
    assert "异议不成立" in read(desk, "zh")
    assert f'action="{path}"' in read(desk)
    assert desk.send(path, form | {"raised_by": "provider"}).status_code == 303
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    assert desk.send(f"{path}/2/end", {"outcome": "upheld"}).status_code == 303
    assert f'action="{path}"' not in read(desk)  # upheld stands for good


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"raised_by": ""}, 422),
        ({"raised_by": "rival"}, 422),
        ({"message": "x"}, 404),
        ({"item": "1"}, 404),
        ({"item": "-1"}, 404),
    ],
)
def test_what_is_no_objection_enters_nothing(
    desk: Desk, typed: dict[str, str], status: int
) -> None:
    form = receive(desk)
    desk.sign_in(Role.CREDIT_MANAGER, "Li")

    assert desk.send(f"{desk.home}/objections", form | typed).status_code == status
    assert desk.node.local.objections.list_objections() == []


def test_a_summary_of_another_customer_is_not_objected_to_here(desk: Desk) -> None:
    form = receive(desk)
    other = desk.node.local.records.add_customer(scheme="sim", value="C2", name="B", country="DE")
    desk.sign_in(Role.CREDIT_MANAGER, "Li")
    path = f"/console/customers/{other.customer_id}/objections"

    assert desk.send(path, form).status_code == 404
    assert desk.send(f"{desk.home}/objections", form).status_code == 303
    desk.sign_in(Role.CREDIT_MANAGER, "Wang")
    assert desk.send(f"{path}/1/end", {"outcome": "upheld"}).status_code == 404
    assert desk.node.local.objections.list_objections()[0].outcome is None


@pytest.mark.parametrize("role", [Role.ANALYST, Role.CFO, Role.STEWARD])
def test_other_roles_enter_none(desk: Desk, role: Role) -> None:
    form = receive(desk)
    desk.sign_in(role, "Zhang")

    assert f'action="{desk.home}/objections"' not in read(desk)
    assert desk.send(f"{desk.home}/objections", form).status_code == 403
    assert desk.node.local.objections.list_objections() == []
