"""Reads the exported logs: entries, hash tiles, checkpoint; names what is not what was signed.

Two independent copies of every leaf hash are in an export: the level 0 tile, and the entry itself.
Where they differ, the one whose tree has the signed root is right, and the other is named. Long
logs are read in ranges, by as many hands as there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from protocol.audit.anchoring import Chain
from protocol.audit.blocks import Preference
from protocol.audit.examining import Examiner
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.ports import Workspace
from protocol.audit.ranges import (
    BLOCKS_PER_RANGE,
    EntrySorter,
    ExportedLog,
    RangeRead,
    SortedEntries,
    read_range,
)
from protocol.audit.tree import LogTree
from protocol.bundle import (
    CHECKPOINT_FILE,
    MANIFEST_FILE,
    POLICY_FILE,
    TILE_FOLDER,
    Bundle,
    find_content,
)
from protocol.checkpoint import Checkpoint, parse_checkpoint
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.limits import HASH_BYTES
from protocol.log_policy import LogPolicy, WitnessedCheckpoint, parse_log_policy
from protocol.note import VerifierKey, parse_note
from protocol.tile import TILE_WIDTH, TileAddress, list_tiles, tile_path

NAMED_MAX = 20  # findings of one kind named one by one; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """An exported log as far as it can be read.

    ``altered`` are indices whose bytes do not hash to the leaf of the tree, with the bytes where
    there are any. The tree may be shorter than ``size``.
    """

    exported: ExportedLog
    member: str
    origin: str
    size: int
    root: bytes
    signed: Checkpoint | None
    cosigned_at_s: int | None
    checkpoint: str
    tree: LogTree
    altered: Mapping[int, bytes | None]
    present: int
    tiles: int
    sorted: SortedEntries

    @property
    def name(self) -> str:
        """Return the bundle's name."""
        return self.exported.name

    def place_entry(self, index: int) -> Place:
        """Return where an entry's bytes are."""
        return self.exported.place(index)


@dataclass(slots=True, kw_only=True)
class OpenedLog:
    """A log whose head and owner are known, and what was found so far; None and only findings."""

    bundle: Bundle
    number: int
    member: str = ""
    head: Checkpoint | None = None
    witnessed: WitnessedCheckpoint | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def exported(self) -> ExportedLog:
        """Return where the entries are, as many as the files can hold."""
        claimed = 0 if self.head is None else self.head.size
        held = len(self.bundle.list_tile_paths()) * TILE_WIDTH
        return ExportedLog(
            bundle=self.number,
            name=self.bundle.name,
            files=self.bundle.files,
            size=min(claimed, held),
        )

    def add(self, code: str, text: str, file: str) -> None:
        """Add a finding on a file."""
        place = Place(bundle=self.bundle.name, file=file)
        self.findings.append(Finding(outcome=Outcome.FAILS, code=code, text=text, place=place))


def open_log(bundle: Bundle, *, number: int, examiner: Examiner) -> OpenedLog:
    """Find out whose log a bundle holds, under which head."""
    opened = OpenedLog(bundle=bundle, number=number)
    claims = _list_claims(bundle)
    if not claims:
        text = "neither checkpoint nor manifest says how large the log is"
        opened.add("checkpoint", text, CHECKPOINT_FILE)
        return opened
    chain = examiner.chain
    owned = [(chain.find_owner(claim.origin), claim) for claim in claims]
    known = [(owner, claim) for owner, claim in owned if owner is not None]
    if not known:
        text = f"the registry knows no log {claims[0].origin}"
        opened.add("unknown-log", text, CHECKPOINT_FILE)
        return opened
    opened.member = known[0][0]
    opened.witnessed = _open_checkpoint(opened, examiner, origin=known[0][1].origin)
    # A checkpoint that does not hold is taken for damaged: the manifest says how far to read.
    opened.head = known[-1][1] if opened.witnessed is None else opened.witnessed.checkpoint
    _check_manifest(opened, opened.head)
    _check_policy(opened, chain, origin=opened.head.origin)
    return opened


def read_logs(opened: Sequence[OpenedLog], *, workspace: Workspace) -> Iterator[ReadLog]:
    """Read every log whose head is known; the findings go to what was opened."""
    logs = [one.exported for one in opened]
    tasks = [
        (number, first)
        for number, log in enumerate(logs)
        for first in range(0, -(-log.size // TILE_WIDTH), BLOCKS_PER_RANGE)
    ]
    ranges = zip(tasks, workspace.map(read_range, tasks, shared=logs, what="logs"), strict=True)
    by_log = {
        number: [read for _, read in group]
        for number, group in groupby(ranges, key=lambda pair: pair[0][0])
    }
    for number, one in enumerate(opened):
        if one.head is not None:
            parts = by_log.get(number, [])
            yield _assemble(one, one.head, logs[number], parts)


def _list_claims(bundle: Bundle) -> list[Checkpoint]:
    """Return the heads that checkpoint and manifest state, unverified, in this order."""
    claims: list[Checkpoint] = []
    with suppress(ProtocolError):  # What is wrong with it is said where it is opened.
        claims.append(parse_checkpoint(parse_note(bundle.checkpoint).text))
    manifest = bundle.manifest
    if manifest is not None:
        stated = Checkpoint(origin=manifest.origin, size=manifest.size, root=manifest.root)
        claims.append(stated)
    return claims


def _open_checkpoint(
    opened: OpenedLog, examiner: Examiner, *, origin: str
) -> WitnessedCheckpoint | None:
    try:
        return examiner.open_witnessed(opened.bundle.checkpoint, origin=origin)
    except ProtocolError as err:
        opened.add(err.code, f"the checkpoint does not hold: {err.detail}", CHECKPOINT_FILE)
        return None


def _check_manifest(opened: OpenedLog, head: Checkpoint) -> None:
    manifest = opened.bundle.manifest
    if manifest is None:
        return
    stated = (manifest.member, manifest.origin, manifest.size, manifest.root)
    if stated != (opened.member, head.origin, head.size, head.root):
        opened.add("manifest", "the manifest is not of this checkpoint", MANIFEST_FILE)


def _check_policy(opened: OpenedLog, chain: Chain, *, origin: str) -> None:
    try:
        policy = parse_log_policy(opened.bundle.policy)
    except ProtocolError as err:
        opened.add("policy", f"the policy file cannot be read: {err.detail}", POLICY_FILE)
        return
    key = chain.get_log_key(origin)
    if chain.is_hub_log(origin):
        is_of_registry = [one.key for one in policy.logs] == [key]
    else:
        is_of_registry = _is_of_registry(policy, log=key, witnesses=chain.witnesses)
    if not is_of_registry:
        opened.add("policy", "the policy file trusts other keys than the registry", POLICY_FILE)


def _assemble(
    opened: OpenedLog,
    head: Checkpoint,
    exported: ExportedLog,
    parts: Sequence[RangeRead],
) -> ReadLog:
    if exported.size < head.size:
        text = f"{head.size} entries need more tiles than there are"
        opened.add("tiles-missing", text, TILE_FOLDER)
    found = merge_sorted(part.sorted for part in parts)
    for part in parts:
        opened.findings += part.findings
    preference, tree = _choose_tree(opened, head, exported, parts)
    differing = [pair for part in parts for pair in part.differing]
    altered = dict(differing)
    if preference is Preference.ENTRY:
        altered = {index: None for index, raw in differing if raw is None}
        late = SortedEntries()
        sorter = EntrySorter(exported, late)
        for index, raw in differing:
            if raw is not None:
                sorter.take(index, raw)
        found = merge_sorted((found, late))
    altered = {index: raw for index, raw in altered.items() if index < tree.size}
    size = head.size if tree.size == head.size else exported.size
    tiles = _check_tiles(opened, size, tree, parts)
    _add_altered(opened, altered, exported=exported, head=head, parts=parts)
    witnessed = opened.witnessed
    return ReadLog(
        exported=exported,
        member=opened.member,
        origin=head.origin,
        size=head.size,
        root=head.root,
        signed=None if witnessed is None else witnessed.checkpoint,
        cosigned_at_s=_find_cosigned(witnessed),
        checkpoint=opened.bundle.checkpoint,
        tree=tree,
        altered=altered,
        present=sum(part.present for part in parts),
        tiles=tiles,
        sorted=found,
    )


def merge_sorted(parts: Iterable[SortedEntries]) -> SortedEntries:
    """Join what several ranges hold."""
    whole = SortedEntries()
    for part in parts:
        whole.kinds.update(part.kinds)
        whole.others += part.others
        whole.findings += part.findings
        if whole.first_unknown is None:
            whole.first_unknown = part.first_unknown
        for peer, runs in part.runs.items():
            known = whole.runs.setdefault(peer, [])
            for first, count in runs:
                if known and known[-1][0] + known[-1][1] == first:
                    known[-1][1] += count
                else:
                    known.append([first, count])
    return whole


def _build_tree(
    exported: ExportedLog, parts: Sequence[RangeRead], *, preference: Preference
) -> LogTree:
    """Build the tree of the leaves up to the first that is missing."""
    shorts = [part.short for part in parts if part.short is not None]
    roots: list[bytes] = []
    for part in parts:
        ours = part.roots_by_tile if preference is Preference.TILE else part.roots_by_entry
        roots += [root or b"" for root in ours]
    return LogTree(
        exported.files,
        exported=exported.size,
        size=min([*shorts, exported.size]),
        block_roots=roots,
        preference=preference,
        odd=frozenset(block for part in parts for block in part.odd_blocks),
    )


def _choose_tree(
    opened: OpenedLog, head: Checkpoint, exported: ExportedLog, parts: Sequence[RangeRead]
) -> tuple[Preference, LogTree]:
    tree = _build_tree(exported, parts, preference=Preference.TILE)
    if tree.size == head.size and tree.root(head.size) == head.root:
        return Preference.TILE, tree
    preference = Preference.TILE
    if any(part.differing for part in parts):
        preference = Preference.ENTRY
        tree = _build_tree(exported, parts, preference=preference)
    if tree.size < head.size:
        text = f"entry {tree.size} and its hash are both missing"
        opened.add("tree-short", text, TILE_FOLDER)
    elif tree.root(head.size) != head.root:
        text = (
            f"the {head.size} entries hash to {encode_b64u(tree.root(head.size))}, "
            f"the checkpoint says {encode_b64u(head.root)}"
        )
        opened.add("root-mismatch", text, CHECKPOINT_FILE)
    return preference, tree


def _check_tiles(opened: OpenedLog, size: int, tree: LogTree, parts: Sequence[RangeRead]) -> int:
    """Compare every tile with the one that the leaves make; return how many are right."""
    files = opened.bundle.files
    odd = {block for part in parts for block in part.odd_blocks}
    right = 0
    blocks = -(-size // TILE_WIDTH)
    expected = {
        tile_path(None, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
        for index in range(blocks)
    }
    for tile in list_tiles(size):
        expected.add(tile.path)
        if tile.level == 0 and tile.index not in odd:
            right += 1
            continue
        data = find_content(files, tile.path)
        due = tree.build_tile(tile)
        if data is None:
            opened.add("tile-missing", "the tile is missing", tile.path)
        elif due is not None and data != due:
            opened.add("tile-altered", _describe_difference(tile, data, due), tile.path)
        else:
            right += 1
    strays = sorted(set(opened.bundle.list_tile_paths()) - expected)
    for path in strays[:NAMED_MAX]:
        opened.add("tile-unexpected", f"a log of {size} entries has no such file", path)
    return right


def _add_altered(
    opened: OpenedLog,
    altered: Mapping[int, bytes | None],
    *,
    exported: ExportedLog,
    head: Checkpoint,
    parts: Sequence[RangeRead],
) -> None:
    present = [index for index in sorted(altered) if altered[index] is not None]
    if not present:
        return
    other = _build_tree(exported, parts, preference=Preference.ENTRY)
    # Altered is what differs from the whole tree of the signed root, so the other is as large.
    root = f"the root {encode_b64u(other.root(head.size))}"
    for index in present[:NAMED_MAX]:
        opened.findings.append(
            Finding(
                outcome=Outcome.FAILS,
                code="entry-altered",
                text=f"entry {index} does not hash to its leaf in the signed tree; the entries "
                f"as exported give {root}, the signed root is {encode_b64u(head.root)}",
                place=exported.place(index),
            )
        )
    if len(present) > NAMED_MAX:
        more = len(present) - NAMED_MAX
        text = f"{more} more entries do not hash to their leaves"
        opened.add("entry-altered", text, TILE_FOLDER)


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


def _find_cosigned(witnessed: WitnessedCheckpoint | None) -> int | None:
    times = () if witnessed is None else (one.at_s for one in witnessed.cosigners)
    return max(times, default=None)
