import json
from dataclasses import replace

from node.assessment.cards import pack, unpack
from node.assessment.policy import read_preset_policy
from node.assessment.rules_scorecard import assess
from tests.unit.assessment.builders import AS_OF, build_own, build_peer, build_summary

POLICY = read_preset_policy("expert-2")


def test_a_card_names_the_messages_that_it_read_and_none_where_nobody_told() -> None:
    peer = build_peer(build_summary(), policy=POLICY)
    told, alone = (
        pack(
            assess(own=build_own([0, 3]), peers=peers, policy=POLICY, as_of=AS_OF),
            customer_id=1,
            subject_id="sim:1",
            created_at_ms=1,
        )
        for peers in ([peer], [])
    )

    assert told.readings == ((peer.msg_hash_b64u, "used"),)
    assert alone.readings == ()


def test_a_card_is_canonical_json_and_reads_back_as_it_was() -> None:
    peer = build_peer(build_summary(), policy=POLICY)
    result = assess(own=build_own([0, 3]), peers=[peer], policy=POLICY, as_of=AS_OF)
    odd = [replace(line, provider='示例 "a"\\\n\x7f') for line in result.evidence]
    packed = pack(
        replace(result, evidence=tuple(odd)), customer_id=1, subject_id="sim:1", created_at_ms=1
    )

    for text in (packed.said, packed.told):
        assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    assert unpack(packed.said, packed.told) == (tuple(odd), result.factors)
