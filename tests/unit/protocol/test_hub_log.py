"""A snapshot counts where the hub's own log has it, and the log appends to what was seen of it."""

from dataclasses import dataclass, replace

import pytest

from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.encoding import sha256
from protocol.entry import GenesisEntry, KnownKind, RegistryEntry, StopEntry, format_entry
from protocol.errors import UnknownKeyError
from protocol.hub_log import HubLogForkedError, RegistryUnloggedError, verify_logged
from protocol.keys import SigningKey
from protocol.log_proof import format_log_proof
from protocol.merkle import build_consistency, build_inclusion, leaf_hash
from protocol.registry import Registry
from protocol.tile import EMPTY_EDGE, TileCache, TileNodes
from tests.support.snapshots import ALPHA, FIRST, STRANGER, entry, key, opened

HUB_LOG = key("hub's log")
ORIGIN = "hub.example/chengxin/log/1"
HUB_ENTRY = replace(
    ALPHA, member="hub.example", roles=(), log_origin=ORIGIN, keys=(entry(HUB_LOG, "log"),)
)
SNAPSHOT = opened(replace(FIRST, members=(HUB_ENTRY, ALPHA)))
GENESIS = GenesisEntry(at_ms=1, member="hub.example", origin=ORIGIN)
LOGGED = RegistryEntry(at_ms=2, seq=SNAPSHOT.seq, hash=SNAPSHOT.hash)


@dataclass(frozen=True)
class Log:
    """A hub's log of these entries."""

    entries: tuple[KnownKind, ...]

    @property
    def nodes(self) -> TileNodes:
        leaves = [leaf_hash(format_entry(one)) for one in self.entries]
        edge = EMPTY_EDGE.extend(leaves)[0]
        return TileNodes(edge=edge, cache=TileCache(lambda _level, _index, _width: b""))

    @property
    def head(self) -> Checkpoint:
        edge = self.nodes.edge
        return Checkpoint(origin=ORIGIN, size=edge.size, root=edge.root)

    def prove(self, index: int, *, signer: SigningKey = HUB_LOG) -> str:
        return format_log_proof(
            index=index,
            hashes=build_inclusion(index, len(self.entries), self.nodes.read_node),
            note=sign_checkpoint(self.head, key=signer),
            extra=format_entry(self.entries[index]),
        )

    def append_from(self, old_size: int) -> list[bytes]:
        return build_consistency(old_size, len(self.entries), self.nodes.read_node)


LOG = Log((GENESIS, LOGGED, StopEntry(at_ms=3)))


def verify(
    inclusion: str, *, registry: Registry = SNAPSHOT, held: Checkpoint | None = None
) -> Checkpoint:
    proof = () if held is None else LOG.append_from(held.size)
    return verify_logged(registry, inclusion=inclusion, consistency=proof, held=held)


def test_a_snapshot_in_the_hubs_log_is_proven() -> None:
    assert verify(LOG.prove(1)) == LOG.head
    assert verify(LOG.prove(1), held=Log(LOG.entries[:2]).head) == LOG.head


@pytest.mark.parametrize(
    "inclusion",
    [
        pytest.param(LOG.prove(0), id="another-entry"),
        pytest.param(LOG.prove(1, signer=STRANGER), id="another-key"),
        pytest.param(LOG.prove(1).replace("index 1", "index 2"), id="another-place"),
        pytest.param(
            Log((GENESIS, replace(LOGGED, hash=sha256(b"other")))).prove(1), id="another-hash"
        ),
        pytest.param(Log((GENESIS, replace(LOGGED, seq=2))).prove(1), id="another-number"),
        pytest.param("nothing", id="no-proof"),
    ],
)
def test_what_does_not_prove_this_snapshot_is_refused(inclusion: str) -> None:
    with pytest.raises(RegistryUnloggedError):
        verify(inclusion)


def test_a_log_that_does_not_append_to_the_head_held_is_refused() -> None:
    other = Log((GENESIS, StopEntry(at_ms=9)))
    longer = Checkpoint(origin=ORIGIN, size=9, root=sha256(b"longer"))

    with pytest.raises(HubLogForkedError):
        verify(LOG.prove(1), held=other.head)
    with pytest.raises(HubLogForkedError):
        verify_logged(SNAPSHOT, inclusion=LOG.prove(1), consistency=(), held=longer)


def test_a_hub_without_a_log_proves_nothing() -> None:
    with pytest.raises(UnknownKeyError):
        verify(LOG.prove(1), registry=opened())
