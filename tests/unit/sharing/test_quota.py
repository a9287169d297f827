from node.sharing.quota import PEERS_MAX, TokenBuckets

NOW_MS = 1_790_000_040_000  # the beginning of a minute


def take(buckets: TokenBuckets, *, count: int, now_ms: int, peer: str = "alpha.example") -> int:
    """Return how many of so many messages are let in."""
    return sum(buckets.take_token(peer, now_ms=now_ms) for _ in range(count))


def test_a_member_may_send_its_burst_at_once_and_no_more() -> None:
    buckets = TokenBuckets(rate_per_s=2, burst=5)

    assert take(buckets, count=8, now_ms=NOW_MS) == 5


def test_tokens_come_back_at_the_rate_and_up_to_the_burst() -> None:
    buckets = TokenBuckets(rate_per_s=2, burst=5)
    take(buckets, count=5, now_ms=NOW_MS)

    assert take(buckets, count=5, now_ms=NOW_MS + 499) == 0
    assert take(buckets, count=5, now_ms=NOW_MS + 500) == 1
    assert take(buckets, count=5, now_ms=NOW_MS + 1_500) == 2
    assert take(buckets, count=9, now_ms=NOW_MS + 600_000) == 5


def test_no_fraction_of_a_token_is_lost() -> None:
    buckets = TokenBuckets(rate_per_s=3, burst=1)
    take(buckets, count=1, now_ms=NOW_MS)

    admitted = sum(take(buckets, count=1, now_ms=NOW_MS + at_ms) for at_ms in range(1, 10_001))

    assert admitted == 30 - 1  # one a 334th millisecond: a whole one is needed


def test_a_refusal_takes_no_token() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=1)
    take(buckets, count=50, now_ms=NOW_MS)

    assert take(buckets, count=1, now_ms=NOW_MS + 1_000) == 1


def test_every_member_has_its_own_bucket() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=2)

    assert take(buckets, count=5, now_ms=NOW_MS) == 2
    assert take(buckets, count=5, now_ms=NOW_MS, peer="beta.example") == 2


def test_a_clock_that_steps_back_gives_and_takes_nothing() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=3)
    take(buckets, count=1, now_ms=NOW_MS)

    assert take(buckets, count=5, now_ms=NOW_MS - 60_000) == 2


def test_the_first_refusal_of_a_minute_is_the_one_to_log() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=1)
    moments = [NOW_MS, NOW_MS + 59_999, NOW_MS + 60_000, NOW_MS + 60_001]

    first = [buckets.note_refusal("alpha.example", now_ms=moment) for moment in moments]

    assert first == [True, False, True, False]
    assert buckets.note_refusal("beta.example", now_ms=NOW_MS)


def test_the_table_of_buckets_is_bounded() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=1)

    for index in range(PEERS_MAX + 10):
        buckets.take_token(f"member-{index}.example", now_ms=NOW_MS)

    assert len(buckets._buckets) == PEERS_MAX
