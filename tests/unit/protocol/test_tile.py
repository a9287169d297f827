"""Tiles: paths, bundles, the right edge, and nodes read from tiles."""

from collections.abc import Callable

import pytest

from protocol.merkle import (
    EMPTY_FRONTIER,
    EMPTY_ROOT,
    TreeShapeError,
    build_consistency,
    build_inclusion,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from protocol.tile import (
    EMPTY_EDGE,
    TILE_BYTES,
    FullTile,
    RightEdge,
    TileAddress,
    TileCache,
    TileError,
    TileNodes,
    TilePathError,
    build_partial_tile,
    encode_bundle,
    list_tiles,
    load_edge,
    parse_bundle,
    parse_tile_path,
    tile_path,
    tile_root,
)

SIZE = 66_000  # two full level 1 tiles would need 131,072: one full, one partial, and a level 2
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(SIZE)]


class Tiles:
    """A store of full tiles that counts how often it is read."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads = 0

    def add(self, tiles: list[FullTile]) -> None:
        self.tiles.update({(tile.level, tile.index): tile.data for tile in tiles})

    def read(self, level: int, index: int, width: int) -> bytes:
        assert width == 256
        self.reads += 1
        return self.tiles[level, index]

    def read_any(self, level: int, index: int, width: int) -> bytes:
        if width == 256:
            return self.read(level, index, width)
        if level == 0:
            return b"".join(LEAVES[index * 256 : index * 256 + width])
        return build_partial_tile(level, index, width, self.read)


@pytest.fixture(scope="module")
def grown() -> tuple[RightEdge, Tiles]:
    tiles = Tiles()
    edge, position = EMPTY_EDGE, 0
    for batch in (1, 254, 1, 1, 511, 512, 60_000, SIZE):
        edge, full = edge.extend(LEAVES[position : position + batch])
        tiles.add(full)
        position += batch
    return edge, tiles


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ((0, 0, 256), "tile/0/000"),
        ((0, 0, 1), "tile/0/000.p/1"),
        ((3, 999, 255), "tile/3/999.p/255"),
        ((0, 1000, 256), "tile/0/x001/000"),
        ((12, 1_234_067, 256), "tile/12/x001/x234/067"),
        ((63, 1_234_067, 7), "tile/63/x001/x234/067.p/7"),
        ((None, 1_234_067, 256), "tile/entries/x001/x234/067"),
        ((None, 0, 17), "tile/entries/000.p/17"),
        ((0, 2**55 - 1, 256), "tile/0/x036/x028/x797/x018/x963/967"),
    ],
)
def test_tile_has_one_path(address: tuple[int | None, int, int], path: str) -> None:
    level, index, width = address

    assert tile_path(*address) == path
    assert parse_tile_path(path) == TileAddress(level=level, index=index, width=width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/1",
        "tile/0/0001",
        "tile/00/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/0/001/000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/data/000",
        "tile/8/0/000",
        "tile/0/\u0660\u0660\u0661",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x001/x001/x001/x001/x001/x001/001",
    ],
)
def test_any_other_path_is_refused(path: str) -> None:
    with pytest.raises(TilePathError):
        parse_tile_path(path)


@pytest.mark.parametrize("address", [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_tile_out_of_range_has_no_path(address: tuple[int, int, int]) -> None:
    with pytest.raises(TilePathError):
        tile_path(*address)


def test_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    tiles = list(list_tiles(70_000))

    assert len(tiles) == 277
    assert [(tile.level, tile.index, tile.width) for tile in tiles if tile.width < 256] == [
        (0, 273, 112),
        (1, 1, 17),
        (2, 0, 1),
    ]


def test_tree_of_256_has_a_full_tile_and_the_one_above() -> None:
    assert [tile.path for tile in list_tiles(256)] == ["tile/0/000", "tile/1/000.p/1"]


def test_tree_of_no_size_has_no_tiles() -> None:
    assert list(list_tiles(0)) == []
    with pytest.raises(TreeShapeError):
        list(list_tiles(-1))


@pytest.mark.parametrize("entries", [[b""], [b"one", b"", b"three"], [b"x" * 65_535], [b"e"] * 256])
def test_bundle_reads_back(entries: list[bytes]) -> None:
    assert parse_bundle(encode_bundle(entries), width=len(entries)) == entries


@pytest.mark.parametrize("entries", [[], [b""] * 257, [b"x" * 65_536]])
def test_impossible_bundle_is_refused(entries: list[bytes]) -> None:
    with pytest.raises(TileError):
        encode_bundle(entries)


@pytest.mark.parametrize(
    ("data", "width"),
    [
        pytest.param(b"", 1, id="nothing"),
        pytest.param(b"\x00", 1, id="half-a-length"),
        pytest.param(b"\x00\x02a", 1, id="half-an-entry"),
        pytest.param(b"\x00\x01a", 2, id="one-of-two"),
        pytest.param(b"\x00\x01a\x00\x01b", 1, id="two-of-one"),
        pytest.param(b"\x00\x01a\x00", 1, id="a-byte-left"),
    ],
)
def test_broken_bundle_is_refused(data: bytes, width: int) -> None:
    with pytest.raises(TileError):
        parse_bundle(data, width=width)


def test_edge_has_the_root_of_the_tree_at_every_size() -> None:
    edge, frontier = EMPTY_EDGE, EMPTY_FRONTIER
    assert edge.root == EMPTY_ROOT

    for leaf in LEAVES[:600]:
        edge, _ = edge.extend([leaf])
        frontier = frontier.extend([leaf])

        assert edge.frontier == frontier


def test_edge_does_not_depend_on_the_batches(grown: tuple[RightEdge, Tiles]) -> None:
    at_once, tiles = EMPTY_EDGE.extend(LEAVES)

    assert grown[0] == at_once
    assert grown[1].tiles == {(tile.level, tile.index): tile.data for tile in tiles}
    assert at_once.root == EMPTY_FRONTIER.extend(LEAVES).root


def test_extending_leaves_the_old_edge_alone() -> None:
    old, _ = EMPTY_EDGE.extend(LEAVES[:255])
    levels = old.levels

    new, full = old.extend(LEAVES[255:257])

    assert (old.size, old.levels) == (255, levels)
    assert new.size == 257
    assert full == [FullTile(level=0, index=0, data=b"".join(LEAVES[:256]))]


def test_extending_by_nothing_changes_nothing(grown: tuple[RightEdge, Tiles]) -> None:
    assert grown[0].extend([]) == (grown[0], [])


def test_leaf_hash_of_another_length_is_refused() -> None:
    with pytest.raises(TreeShapeError):
        EMPTY_EDGE.extend([b"short"])


def test_tile_of_level_1_holds_the_roots_of_the_tiles_below(
    grown: tuple[RightEdge, Tiles],
) -> None:
    tiles = grown[1].tiles

    assert len(tiles[1, 0]) == TILE_BYTES
    assert tile_root(tiles[0, 7]) == tiles[1, 0][7 * 32 : 8 * 32]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_536, SIZE])
def test_edge_is_rebuilt_from_the_partial_tiles(size: int) -> None:
    tiles = Tiles()
    edge, full = EMPTY_EDGE.extend(LEAVES[:size])
    tiles.add(full)

    assert load_edge(size, tiles.read_any) == edge


def test_edge_of_no_size_or_of_a_broken_tile_is_refused() -> None:
    with pytest.raises(TreeShapeError):
        load_edge(-1, Tiles().read)
    with pytest.raises(TileError):
        load_edge(3, lambda _level, _index, _width: b"\0" * 64)
    with pytest.raises(TileError):
        tile_root(b"\0" * 64)


@pytest.mark.parametrize("size", [1, 256, 300, 65_536, SIZE - 1, SIZE])
def test_proofs_from_tiles_serve_every_size_up_to_the_head(
    grown: tuple[RightEdge, Tiles], size: int
) -> None:
    edge, tiles = grown
    nodes = TileNodes(edge=edge, cache=TileCache(tiles.read))
    root = EMPTY_FRONTIER.extend(LEAVES[:size]).root

    for index in {0, size // 3, size // 2, size - 1}:
        proof = build_inclusion(index, size, nodes.read_node)
        verify_inclusion(index=index, size=size, leaf=LEAVES[index], proof=proof, root=root)
    verify_consistency(
        old_size=size,
        new_size=SIZE,
        old_root=root,
        new_root=edge.root,
        proof=build_consistency(size, SIZE, nodes.read_node),
    )


def test_proof_near_the_head_reads_no_tile(grown: tuple[RightEdge, Tiles]) -> None:
    edge, tiles = grown
    cache = TileCache(tiles.read)
    nodes = TileNodes(edge=edge, cache=cache)
    build_inclusion(SIZE - 1, SIZE, nodes.read_node)
    before = tiles.reads

    build_inclusion(SIZE - 1, SIZE, nodes.read_node)
    build_inclusion(SIZE - 2, SIZE, nodes.read_node)

    assert tiles.reads == before


def test_cache_drops_the_tile_not_used_longest(grown: tuple[RightEdge, Tiles]) -> None:
    tiles = grown[1]
    cache = TileCache(tiles.read, tiles_max=2)
    before = tiles.reads

    for index in (0, 1, 0, 2, 0, 1):
        cache.read_tile(0, index)

    assert tiles.reads - before == 4  # 0, 1, 2, and 1 once more


def test_tiles_are_served_at_every_width_that_existed(grown: tuple[RightEdge, Tiles]) -> None:
    edge, tiles = grown
    nodes = TileNodes(edge=edge, cache=TileCache(tiles.read))

    for size in (1, 255, 256, 300, 65_537, SIZE):
        for tile in list_tiles(size):
            assert tile.level is not None
            served = nodes.read_tile(tile.level, tile.index, tile.width)
            assert served == tiles.read_any(tile.level, tile.index, tile.width)


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [
        pytest.param(0, SIZE // 256, SIZE % 256 + 1, id="wider-than-the-edge"),
        pytest.param(0, SIZE // 256 + 1, 1, id="beyond-the-edge"),
        pytest.param(3, 0, 1, id="above-the-root"),
        pytest.param(0, 0, 0, id="no-width"),
        pytest.param(0, 0, 257, id="wider-than-a-tile"),
    ],
)
def test_tile_outside_the_tree_is_not_served(
    grown: tuple[RightEdge, Tiles], level: int, index: int, width: int
) -> None:
    nodes = TileNodes(edge=grown[0], cache=TileCache(grown[1].read))

    with pytest.raises(TreeShapeError):
        nodes.read_tile(level, index, width)


@pytest.mark.parametrize(
    ("level", "index"),
    [(0, SIZE), (0, -1), (1, SIZE // 2), (16, 1), (17, 0), (24, 0), (0, SIZE + 512)],
)
def test_node_outside_the_tree_is_refused(
    grown: tuple[RightEdge, Tiles], level: int, index: int
) -> None:
    with pytest.raises(TreeShapeError):
        grown[0].find_node(level, index)


def test_broken_tile_in_the_store_is_refused(grown: tuple[RightEdge, Tiles]) -> None:
    short: Callable[[int, int, int], bytes] = lambda _level, _index, _width: b"\0" * 8191  # noqa: E731
    nodes = TileNodes(edge=grown[0], cache=TileCache(short))

    with pytest.raises(TileError):
        nodes.read_node(0, 0)
