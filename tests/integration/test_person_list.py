"""Which customers a list hides as natural persons: those that their own pages hide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.records.portfolio import PortfolioService
from node.records.rules_retention import is_natural_person
from protocol.identifiers import SCHEMES, schemes
from tests.support.ledgers import House

PERSONAL = [
    pytest.param("uscc", "92330106MA2CFLB30M", id="sole trader"),
    pytest.param("uscc", "11010519491231002X", id="resident"),
    pytest.param("in.gstin", "27ABCPD1234E1Z5", id="India"),
    pytest.param("kr.brn", "1231234567", id="Korea"),
    pytest.param("sg.uen", "12345678X", id="Singapore"),
    pytest.param("eu.vat", "ESX1234567L", id="Spain"),
    pytest.param("ru.inn", "500100732259", id="Russia"),
    pytest.param("sim", "11010519491231002X", id="simulation"),
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.mark.parametrize(("scheme", "value"), PERSONAL)
def test_a_number_that_shows_a_person_hides_its_customer(
    house: House, scheme: str, value: str
) -> None:
    assert is_natural_person(kind="company", identifiers=[(scheme, value)])
    person = house.records.add_customer(scheme=scheme, value=value, name="示例", country="CN")
    house.records.add_customer(scheme="uscc", value="91330106MA2CFLB30M", name="示例", country="CN")

    found = PortfolioService(database=house.database, clock=house.clock).list_persons()

    assert found == {person.customer_id}


def test_each_scheme_whose_numbers_show_persons_is_tried() -> None:
    tried = {param.values[0] for param in PERSONAL} | {"cn.uscc"}  # as "uscc"
    shown = {name for name, one in SCHEMES.items() if one.is_personal is not schemes._is_nobody}

    assert shown <= tried
