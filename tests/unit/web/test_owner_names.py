"""A name in an address leads to one kind of thing: whose another table's key is says nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from node.records.store.owners import OWNED
from node.web.authorisation import OPERATIONS
from tests.support.console_node import build_empty_node

NAMED = re.compile(r"/([a-z-]+)/\{([a-z_]+)\}")
SEVERAL = {  # one table under several words
    "paper_id": {"contracts", "covers", "deliveries", "guarantees", "insurances", "papers"},
    "paper_event_id": {"cover-events", "paper-events"},
}


def test_each_name_with_an_owner_stands_behind_one_word(tmp_path: Path) -> None:
    local = build_empty_node(tmp_path / "home").local
    asked: set[str] = set()

    class Named(Mapping[str, object]):
        """Remembers under which names a customer is looked for."""

        def __getitem__(self, name: str) -> object:
            asked.add(name)
            raise KeyError(name)

        def __iter__(self) -> Iterator[str]:
            return iter(())

        def __len__(self) -> int:
            return 0

    local.find_customer_key(Named())
    owned = OWNED | asked
    words: dict[str, set[str]] = defaultdict(set)
    for _, path in OPERATIONS:
        for word, name in NAMED.findall(path):
            words[name].add(word)
    local.close()

    assert {"objection_id", "override_id", "action_id", "order_id"} <= owned
    clashing = {
        name: found
        for name, found in words.items()
        if name in owned and len(found) > 1 and not found <= SEVERAL.get(name, set())
    }
    assert clashing == {}
