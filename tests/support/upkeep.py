"""A node's own rounds in a federation without a hub."""

from __future__ import annotations

from node.sharing.guard import RollbackGuard
from node.sharing.hub_log import HubLogWatch
from node.sharing.peers import PeerClient
from node.sharing.upkeep import Upkeep
from node.sharing.witnessing import Witnessing
from tests.support.nodes import TestNode


def build_upkeep(node: TestNode) -> Upkeep:
    """Return the rounds of a node whose federation has no hub to ask."""
    peers = PeerClient(timeout_s=1)
    guard = RollbackGuard(
        database=node.local.database,
        writer=node.writer,
        registry=node.registry,
        peers=peers,
        member_id=node.member_id,
        hub_url="",
    )
    witnessing = Witnessing(
        database=node.local.database,
        writer=node.writer,
        registry=node.registry,
        peers=peers,
        guard=guard,
        clock=node.local.clock,
        hub_url="",
        policy=None,
    )
    return Upkeep(
        writer=node.writer,
        registry=node.registry,
        consents=node.consents,
        asking=node.asking,
        peers=peers,
        witnessing=witnessing,
        hub_log=HubLogWatch(database=node.local.database, peers=peers, hub_url=""),
        clock=node.local.clock,
        hub_url="",
        age_s_max=0,
    )
