"""Tokens of people and the access log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from node.core.clock import ManualClock, SystemClock
from node.core.database import Database, UnitOfWork
from node.core.errors import NotAuthenticatedError, NotFoundError
from node.core.migrations import upgrade_database
from node.core.people.service import (
    ACCESSES_AT_ONCE,
    NAME_CHARACTERS_MAX,
    OPERATOR_PRINCIPAL,
    TOKEN_LIFE_S_MAX,
    TOKEN_PREFIX,
    Look,
    OutOfScopeError,
    PeopleService,
    Principal,
    Role,
    Scope,
    TokenExpiredError,
    TokenInvalidError,
    TokenNotFoundError,
    TokenRevokedError,
    parse_life,
)
from node.core.people.store import PeopleStore
from protocol.encoding import decode_b64u, sha256
from tests.support.nodes import CountingBytes
from tests.support.stores import fail_inserts, sqlite_only, store_url

NOW_MS = 1_600_000_000_000  # more than a year ago: the database looks at its own clock too
HOUR_S = 3_600
LOOK = Look(what="log-entry", target="7")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(url=store_url(tmp_path / "node.sqlite"))
    upgrade_database(made)
    yield made
    made.dispose()


@pytest.fixture
def people(database: Database, clock: ManualClock) -> PeopleService:
    return PeopleService(database=database, clock=clock, random_bytes=CountingBytes(9))


def make(people: PeopleService, **changes: object) -> tuple[int, str]:
    values: dict[str, object] = {"role": Role.AUDITOR, "name": "Li Wei", "life_s": HOUR_S}
    made = people.create_token(**values | changes)  # type: ignore[arg-type]
    return made.token_id, made.token


def outcomes(people: PeopleService) -> list[tuple[str, str, str]]:
    return [(row.who, row.what, row.outcome) for row in people.list_accesses()]


@sqlite_only
def test_a_token_is_stored_as_its_hash_alone(people: PeopleService, database: Database) -> None:
    _, token = make(people)

    secret = decode_b64u(token.removeprefix(TOKEN_PREFIX), bytes_exact=32)
    assert people.list_tokens()[0].hash == sha256(secret)
    dump = Path(database.url.removeprefix("sqlite:///")).read_bytes()
    assert secret not in dump
    assert token.encode() not in dump


def test_a_token_says_who_looks_and_how_far(people: PeopleService) -> None:
    scopes = frozenset({Scope.BODIES})
    _, token = make(people, scopes=scopes, peer="beta.example", from_ms=5, to_ms=9)

    principal = people.get_principal(token)

    assert (principal.who, principal.name, principal.role) == ("token-1", "Li Wei", Role.AUDITOR)
    assert principal.has_scope(Scope.BODIES)
    assert [principal.reaches_time(at) for at in (4, 5, 8, 9)] == [False, True, True, False]
    assert principal.is_limited
    assert not principal.reaches_peer("gamma.example")
    with pytest.raises(OutOfScopeError):
        principal.check_scope(Scope.SUBJECTS)
    with pytest.raises(OutOfScopeError):
        principal.check_reach("gamma.example", at_ms=6)


@pytest.mark.parametrize(
    "token", ["", "wrong", f"{TOKEN_PREFIX}x", f"{TOKEN_PREFIX}{'A' * 43}", "é", "cxa_é"]
)
def test_an_unknown_token_is_refused_and_leaves_no_row(people: PeopleService, token: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        people.get_principal(token)

    assert people.list_accesses() == []


def test_an_expired_token_is_refused_and_the_attempt_recorded_once_a_minute(
    people: PeopleService, clock: ManualClock
) -> None:
    _, token = make(people)
    clock.advance_s(HOUR_S)

    for _ in range(3):
        with pytest.raises(TokenExpiredError):
            people.get_principal(token)
    clock.advance_s(60)
    with pytest.raises(TokenExpiredError):
        people.get_principal(token)

    assert outcomes(people) == [("token-1", "sign-in", "token-expired")] * 2


def test_a_revoked_token_ends_at_once_and_cannot_be_revoked_again(people: PeopleService) -> None:
    number, token = make(people)
    people.revoke_token(number)

    with pytest.raises(TokenRevokedError):
        people.get_principal(token)
    with pytest.raises(TokenNotFoundError):
        people.revoke_token(number)
    with pytest.raises(TokenNotFoundError):
        people.revoke_token(99)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": Role.OPERATOR},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * (NAME_CHARACTERS_MAX + 1)},
        {"name": "a\nb"},
        {"life_s": 0},
        {"life_s": TOKEN_LIFE_S_MAX + 1},
        {"from_ms": 5, "to_ms": 5},
    ],
)
def test_a_token_of_another_kind_is_not_made(
    people: PeopleService, changes: dict[str, object]
) -> None:
    with pytest.raises(TokenInvalidError):
        make(people, **changes)

    assert people.list_tokens() == []


@pytest.mark.parametrize(("words", "seconds"), [("30d", 2_592_000), ("12h", 43_200)])
def test_a_life_is_days_or_hours(words: str, seconds: int) -> None:
    assert parse_life(words) == seconds


@pytest.mark.parametrize("words", ["", "0d", "30", "d", "1w", "-1d", "1d ", "999999d"])
def test_another_life_is_refused(words: str) -> None:
    with pytest.raises(TokenInvalidError):
        parse_life(words)


def sign_in(people: PeopleService) -> Principal:
    return people.get_principal(make(people)[1])


def test_a_look_is_recorded_before_it_is_shown(people: PeopleService) -> None:
    assert people.look(sign_in(people), LOOK, lambda _: "seen") == "seen"

    (row,) = people.list_accesses()
    assert (row.at_ms, row.who, row.name) == (NOW_MS, "token-1", "Li Wei")
    assert (row.what, row.target, row.scope, row.outcome) == ("log-entry", "7", "", "ok")


def test_a_look_that_is_refused_is_recorded_with_its_code(people: PeopleService) -> None:
    def refuse(_: UnitOfWork) -> None:
        raise NotFoundError("nothing there")

    with pytest.raises(NotFoundError):
        people.look(sign_in(people), LOOK, refuse)

    assert outcomes(people) == [("token-1", "log-entry", "not-found")]


def test_where_the_look_cannot_be_recorded_nothing_is_shown(
    people: PeopleService, database: Database
) -> None:
    viewer = sign_in(people)
    with database.write() as uow:
        uow.connection.execute(text("DROP TABLE access_log"))

    with pytest.raises(DBAPIError):
        people.look(viewer, LOOK, lambda _: "seen")


@pytest.mark.parametrize(
    "limits",
    [
        {"scopes": frozenset({Scope.BODIES})},
        {"peer": "alpha.example"},
        {"from_ms": 1},
        {"to_ms": 1},
    ],
)
def test_limits_are_an_auditors_alone(people: PeopleService, limits: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalidError, match="auditor's token alone"):
        people.create_token(role=Role.SALES, name="Li Wei", life_s=3_600, **limits)


def test_a_row_of_the_access_log_is_not_changed(people: PeopleService, database: Database) -> None:
    people.record(sign_in(people), LOOK)

    with pytest.raises(DBAPIError, match="only appended to"), database.write() as uow:
        uow.connection.execute(text("UPDATE access_log SET who = 'x'"))

    assert len(people.list_accesses()) == 1


def test_looks_go_when_their_time_is_over_and_not_before(
    people: PeopleService, clock: ManualClock
) -> None:
    viewer = sign_in(people)
    for number in range(ACCESSES_AT_ONCE + 2):
        people.record(viewer, Look(what="log-entry", target=str(number)))
    clock.advance_s(400 * 86_400)
    people.record(viewer, LOOK)

    kept = people.erase_old_accesses(keep_days=401)
    clock.advance_s(2 * 86_400)
    gone = people.erase_old_accesses(keep_days=401)

    assert (kept, gone) == (0, ACCESSES_AT_ONCE + 2)
    assert [row.target for row in people.list_accesses()] == [LOOK.target]


def test_the_database_lets_no_look_of_the_last_year_go(
    database: Database,
) -> None:
    now = PeopleService(database=database, clock=SystemClock(), random_bytes=CountingBytes(9))
    now.record(OPERATOR_PRINCIPAL, LOOK)

    with pytest.raises(DBAPIError, match="only appended to"):
        now.erase_old_accesses(keep_days=-1)

    assert len(now.list_accesses()) == 1


def test_the_access_log_is_paged_from_its_newest_row(people: PeopleService) -> None:
    viewer = sign_in(people)
    for number in range(5):
        people.record(viewer, Look(what="log-entry", target=str(number)))

    first = people.list_accesses(limit=2)
    second = people.list_accesses(before=first[-1].access_id, limit=2)

    assert [row.target for row in first + second] == ["4", "3", "2", "1"]


def test_a_token_made_and_not_committed_is_none(people: PeopleService, database: Database) -> None:
    with database.write() as uow:
        fail_inserts(uow.connection, "access_token")

    with pytest.raises(DBAPIError):
        make(people)

    with database.read() as uow:
        assert PeopleStore(uow.connection).list_tokens(limit=9) == []


def test_an_address_that_no_store_takes_as_text_is_recorded_all_the_same(
    people: PeopleService,
) -> None:
    people.record(OPERATOR_PRINCIPAL, Look(what="peers", target="/manifests/a\x00b"))

    (look,) = people.list_accesses()
    assert look.target == "/manifests/a\ufffdb"
