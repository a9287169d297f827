"""Wiring: the one place that knows every room."""

from node.bootstrap.home import (
    MEMBER_KEYS,
    Keys,
    init_home,
    key_path,
    load_member_keys,
    open_key_ring,
    read_anchor,
)
from node.bootstrap.local import LocalNode, build_local_node, open_database
from node.bootstrap.member import Node, build_node, erase_derived

__all__ = [
    "MEMBER_KEYS",
    "Keys",
    "LocalNode",
    "Node",
    "build_local_node",
    "build_node",
    "erase_derived",
    "init_home",
    "key_path",
    "load_member_keys",
    "open_database",
    "open_key_ring",
    "read_anchor",
]
