"""Reads one exported log: entries, hash tiles, checkpoint; names what is not what was signed.

Two independent copies of every leaf hash are in an export: the level 0 tile, and the entry itself.
Where they differ, the one whose tree has the signed root is right, and the other is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from protocol.audit.anchoring import Chain
from protocol.audit.examining import Examiner
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.splitting import split_entries
from protocol.audit.tree import Tree
from protocol.bundle import (
    CHECKPOINT_FILE,
    MANIFEST_FILE,
    POLICY_FILE,
    TILE_FOLDER,
    Bundle,
)
from protocol.checkpoint import Checkpoint, parse_checkpoint
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.limits import HASH_BYTES
from protocol.log_policy import LogPolicy, WitnessedCheckpoint, parse_log_policy
from protocol.merkle import leaf_hash
from protocol.note import VerifierKey, parse_note
from protocol.tile import TILE_WIDTH, TileAddress, list_tiles, tile_path

NAMED_MAX = 20  # findings of one kind named one by one; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """An exported log as far as it can be read.

    ``entries`` has None where an entry's bytes are missing; ``altered`` are indices whose bytes do
    not hash to the leaf of the tree. The tree may be shorter than ``size``.
    """

    bundle: Bundle
    member: str
    origin: str
    size: int
    root: bytes
    signed: Checkpoint | None
    cosigned_at_s: int | None
    tree: Tree
    entries: tuple[bytes | None, ...]
    altered: frozenset[int]
    tiles: int

    def place_entry(self, index: int) -> Place:
        """Return where an entry's bytes are."""
        start = index - index % TILE_WIDTH
        width = min(TILE_WIDTH, self.size - start)
        path = tile_path(None, index // TILE_WIDTH, width)
        return Place(bundle=self.bundle.name, file=path, entry=index)


class LogReader:
    """Reads the log of one bundle and collects findings."""

    def __init__(self, bundle: Bundle, *, examiner: Examiner) -> None:
        """Take the bundle and the keys."""
        self._bundle = bundle
        self._examiner = examiner
        self._findings: list[Finding] = []

    def read(self) -> ReadLog | None:
        """Return the log; None where nothing says whose it is and how large."""
        claims = self._list_claims()
        if not claims:
            text = "neither checkpoint nor manifest says how large the log is"
            self._add("checkpoint", text, CHECKPOINT_FILE)
            return None
        chain = self._examiner.chain
        owned = [(chain.find_owner(claim.origin), claim) for claim in claims]
        known = [(owner, claim) for owner, claim in owned if owner is not None]
        if not known:
            text = f"the registry knows no log {claims[0].origin}"
            self._add("unknown-log", text, CHECKPOINT_FILE)
            return None
        member = known[0][0]
        witnessed = self._open_checkpoint(member)
        # A checkpoint that does not hold is taken for damaged: the manifest says how far to read.
        head = known[-1][1] if witnessed is None else witnessed.checkpoint
        self._check_manifest(head, member=member)
        self._check_policy(chain, member=member)
        return self._read_tiles(head, member=member, witnessed=witnessed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what was found, also where ``read`` returned None."""
        return tuple(self._findings)

    def _list_claims(self) -> list[Checkpoint]:
        """Return the heads that checkpoint and manifest state, unverified, in this order."""
        claims: list[Checkpoint] = []
        with suppress(ProtocolError):  # What is wrong with it is said where it is opened.
            claims.append(parse_checkpoint(parse_note(self._bundle.checkpoint).text))
        manifest = self._bundle.manifest
        if manifest is not None:
            stated = Checkpoint(origin=manifest.origin, size=manifest.size, root=manifest.root)
            claims.append(stated)
        return claims

    def _open_checkpoint(self, member: str) -> WitnessedCheckpoint | None:
        try:
            return self._examiner.open_witnessed(self._bundle.checkpoint, member=member)
        except ProtocolError as err:
            self._add(err.code, f"the checkpoint does not hold: {err.detail}", CHECKPOINT_FILE)
            return None

    def _check_manifest(self, head: Checkpoint, *, member: str) -> None:
        manifest = self._bundle.manifest
        if manifest is None:
            return
        stated = (manifest.member, manifest.origin, manifest.size, manifest.root)
        if stated != (member, head.origin, head.size, head.root):
            self._add("manifest", "the manifest is not of this checkpoint", MANIFEST_FILE)

    def _check_policy(self, chain: Chain, *, member: str) -> None:
        try:
            policy = parse_log_policy(self._bundle.policy)
        except ProtocolError as err:
            self._add("policy", f"the policy file cannot be read: {err.detail}", POLICY_FILE)
            return
        if not _is_of_registry(policy, log=chain.get_log_key(member), witnesses=chain.witnesses):
            self._add("policy", "the policy file trusts other keys than the registry", POLICY_FILE)

    def _read_tiles(
        self, head: Checkpoint, *, member: str, witnessed: WitnessedCheckpoint | None
    ) -> ReadLog:
        size = min(head.size, len(self._bundle.tiles) * TILE_WIDTH)
        if size < head.size:
            self._add(
                "tiles-missing", f"{head.size} entries need more tiles than there are", TILE_FOLDER
            )
        hashes = self._read_leaf_tiles(size)
        entries = self._read_entries(size, hashes)
        by_tile = [
            given if given is not None else _find_leaf(entry)
            for given, entry in zip(hashes, entries, strict=True)
        ]
        by_entry = [
            leaf if (leaf := _find_leaf(entry)) is not None else given
            for given, entry in zip(hashes, entries, strict=True)
        ]
        tree = self._choose_tree(head, by_tile=by_tile, by_entry=by_entry)
        altered = frozenset(
            index for index, leaf in enumerate(tree.leaves) if _find_leaf(entries[index]) != leaf
        )
        log = ReadLog(
            bundle=self._bundle,
            member=member,
            origin=head.origin,
            size=head.size,
            root=head.root,
            signed=None if witnessed is None else witnessed.checkpoint,
            cosigned_at_s=None
            if witnessed is None
            else max(one.at_s for one in witnessed.cosigners),
            tree=tree,
            entries=tuple(entries),
            altered=altered,
            tiles=self._check_tiles(head.size if tree.size == head.size else size, tree),
        )
        self._add_altered(log, root_of_entries=_root_of(by_entry, size=head.size))
        return log

    def _read_leaf_tiles(self, size: int) -> list[bytes | None]:
        hashes: list[bytes | None] = []
        for index, width in _blocks(size):
            data = self._bundle.tiles.get(tile_path(0, index, width), b"")
            if len(data) == width * HASH_BYTES:
                starts = range(0, len(data), HASH_BYTES)
                hashes += [data[start : start + HASH_BYTES] for start in starts]
            else:
                hashes += [None] * width
        return hashes

    def _read_entries(self, size: int, hashes: Sequence[bytes | None]) -> list[bytes | None]:
        entries: list[bytes | None] = []
        for index, width in _blocks(size):
            first = index * TILE_WIDTH
            path = tile_path(None, index, width)
            data = self._bundle.tiles.get(path)
            if data is None:
                self._add(
                    "entries-missing", f"entries {first} to {first + width - 1} are missing", path
                )
                entries += [None] * width
                continue
            split = split_entries(data, leaves=hashes[first : first + width])
            entries += split.entries
            for number in split.mislengthed:
                place = Place(bundle=self._bundle.name, file=path, entry=first + number)
                text = f"the length before entry {first + number} is not the entry's length"
                self._findings.append(
                    Finding(outcome=Outcome.FAILS, code="length-altered", text=text, place=place)
                )
            if split.rest:
                text = f"{split.rest} bytes stand in it that belong to no entry"
                self._add("entries-overlong", text, path)
        return entries

    def _choose_tree(
        self,
        head: Checkpoint,
        *,
        by_tile: Sequence[bytes | None],
        by_entry: Sequence[bytes | None],
    ) -> Tree:
        tree = _build_tree(by_tile)
        if tree.size == head.size and tree.root(head.size) == head.root:
            return tree
        other = _build_tree(by_entry) if list(by_tile) != list(by_entry) else tree
        if other.size < head.size:
            self._add(
                "tree-short", f"entry {other.size} and its hash are both missing", TILE_FOLDER
            )
        elif other.root(head.size) != head.root:
            text = (
                f"the {head.size} entries hash to {encode_b64u(other.root(head.size))}, "
                f"the checkpoint says {encode_b64u(head.root)}"
            )
            self._add("root-mismatch", text, CHECKPOINT_FILE)
        return other

    def _check_tiles(self, size: int, tree: Tree) -> int:
        """Compare every tile with the one that the leaves make; return how many are right."""
        right = 0
        expected = {tile_path(None, index, width) for index, width in _blocks(size)}
        for tile in list_tiles(size):
            expected.add(tile.path)
            data = self._bundle.tiles.get(tile.path)
            due = tree.build_tile(tile)
            if data is None:
                self._add("tile-missing", "the tile is missing", tile.path)
            elif due is not None and data != due:
                self._add("tile-altered", _describe_difference(tile, data, due), tile.path)
            else:
                right += 1
        strays = sorted(set(self._bundle.tiles) - expected)
        for path in strays[:NAMED_MAX]:
            self._add("tile-unexpected", f"a log of {size} entries has no such file", path)
        return right

    def _add_altered(self, log: ReadLog, *, root_of_entries: bytes | None) -> None:
        present = [index for index in sorted(log.altered) if log.entries[index] is not None]
        root = "no root" if root_of_entries is None else f"the root {encode_b64u(root_of_entries)}"
        for index in present[:NAMED_MAX]:
            self._findings.append(
                Finding(
                    outcome=Outcome.FAILS,
                    code="entry-altered",
                    text=f"entry {index} does not hash to its leaf in the signed tree; the entries "
                    f"as exported give {root}, the signed root is {encode_b64u(log.root)}",
                    place=log.place_entry(index),
                )
            )
        if len(present) > NAMED_MAX:
            more = len(present) - NAMED_MAX
            self._add(
                "entry-altered", f"{more} more entries do not hash to their leaves", TILE_FOLDER
            )

    def _add(self, code: str, text: str, file: str) -> None:
        place = Place(bundle=self._bundle.name, file=file)
        self._findings.append(Finding(outcome=Outcome.FAILS, code=code, text=text, place=place))


def _blocks(size: int) -> list[tuple[int, int]]:
    """Return index and width of every entry bundle."""
    full, rest = divmod(size, TILE_WIDTH)
    return [(index, TILE_WIDTH) for index in range(full)] + ([(full, rest)] if rest else [])


def _find_leaf(entry: bytes | None) -> bytes | None:
    return None if entry is None else leaf_hash(entry)


def _build_tree(leaves: Sequence[bytes | None]) -> Tree:
    """Build the tree of the leaves up to the first that is missing."""
    known: list[bytes] = []
    for leaf in leaves:
        if leaf is None:
            break
        known.append(leaf)
    return Tree(known)


def _root_of(leaves: Sequence[bytes | None], *, size: int) -> bytes | None:
    tree = _build_tree(leaves)
    return tree.root(size) if tree.size == size else None


def _describe_difference(tile: TileAddress, data: bytes, due: bytes) -> str:
    if len(data) != len(due):
        return f"{len(data)} bytes where {len(due)} are due"
    starts = range(0, len(due), HASH_BYTES)
    wrong = [
        start // HASH_BYTES
        for start in starts
        if data[start : start + HASH_BYTES] != due[start : start + HASH_BYTES]
    ]
    named = ", ".join(str(tile.index * TILE_WIDTH + one) for one in wrong[:NAMED_MAX])
    return f"hash {named} of level {tile.level} is not what the signed entries hash to"


def _is_of_registry(
    policy: LogPolicy, *, log: VerifierKey, witnesses: Sequence[VerifierKey]
) -> bool:
    named = [one.key for one in policy.witnesses]
    is_witnessed = not policy.has_quorum(()) and all(key in witnesses for key in named)
    return [one.key for one in policy.logs] == [log] and is_witnessed
