"""A peer begins a new log: its messages are accepted, and the heads of both logs are kept."""

from dataclasses import replace

from node.core.database import Database
from node.core.writer import Writer
from protocol.checkpoint import hash_origin
from protocol.keys import SigningKey
from protocol.registry import KeyEntry, MemberEntry
from tests.support.exchanges import Scene
from tests.support.nodes import build_key_entry
from tests.support.stores import migrated_url

NEW_LOG_KEY = SigningKey(b"\x63" * 32)
ORIGIN, ORIGIN_2 = (f"alpha.example/chengxin/log/{number}" for number in (1, 2))


def move_log(member: MemberEntry) -> MemberEntry:
    def name(entry: KeyEntry) -> KeyEntry:
        return replace(entry, origin=ORIGIN) if entry.use == "log" else entry

    keys = (*map(name, member.keys), build_key_entry(NEW_LOG_KEY, use="log"))
    return replace(member, log_origin=ORIGIN_2, keys=keys)


def begin_new_log(scene: Scene) -> None:
    """Have alpha's next messages stand in a new log, on a database of its own."""
    consumer = scene.consumer
    consumer.writer.close()
    database = Database(url=migrated_url(consumer.local.settings.home / "second.sqlite"))
    consumer.writer = Writer(
        database=database,
        clock=scene.federation.clock,
        origin=ORIGIN_2,
        member_id=consumer.member_id,
        key=NEW_LOG_KEY,
    )


def find_head(scene: Scene, origin: str) -> str:
    return scene.provider.consents.get_peer_head(origin)


def test_messages_of_both_logs_are_answered_and_both_heads_are_kept(scene: Scene) -> None:
    consent = scene.hold(scene.grant())
    of_old = scene.forge(scene.query(consent))
    assert scene.provider.answer(scene.forge(scene.query(consent))).message is not None
    old_head = find_head(scene, ORIGIN)
    alpha, *others = scene.federation.registry.members
    scene.federation.publish(replace(scene.federation.registry, members=(move_log(alpha), *others)))
    begin_new_log(scene)

    replies = [scene.provider.answer(scene.forge(scene.query(consent)))]
    replies.append(scene.provider.answer(of_old))  # under way while the log changed

    assert [reply.code for reply in replies] == ["full", "full"]
    assert find_head(scene, ORIGIN_2).startswith(f"{ORIGIN_2}\n2\n")
    assert find_head(scene, ORIGIN).startswith(f"{ORIGIN}\n")
    assert find_head(scene, ORIGIN) == old_head
    for origin in (ORIGIN, ORIGIN_2):
        assert scene.provider.registry.find_log_origin(hash_origin(origin)) == origin
