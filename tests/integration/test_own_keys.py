"""A node's message key is changed while it runs, and after a crash at any step."""

from pathlib import Path

import pytest

from node.bootstrap.home import load_member_keys, open_key_ring
from node.core.keyring import KeyFile, KeyRing
from node.core.log import LogStore
from node.hub.rules_snapshot import RevocationReason
from node.sharing.export import export_bundle
from node.sharing.registry import RegistryHolder
from node.sharing.store import OwnKeyStore
from protocol.__main__ import read_bundle
from protocol.bundle import KEY_CHANGES_FILE
from protocol.encoding import sha256
from protocol.entry import KeyChangeEntry
from protocol.jws import split_compact
from protocol.keychange import KeyChange, sign_key_change
from tests.support import hubs
from tests.support.sites import MemberSite

LEAD_S = 600
DAY_S = 86_400


def open_ring(site: MemberSite) -> KeyRing:
    return open_key_ring(site.settings, "message")


def make_key(site: MemberSite) -> tuple[KeyFile, tuple[str, ...]]:
    """Make the next key and keep its statement, as the command does."""
    ring = open_ring(site)
    old, new = ring.load()[-1], ring.add()
    change = KeyChange(
        member=hubs.ALPHA.member,
        use="message",
        old=old.key.kid,
        new=new.key.public,
        iat=site.now_s,
        nbf=site.now_s + LEAD_S,
        reason="routine",
    )
    tokens = sign_key_change(change, old=old.key, new=new.key)
    ring.keep_statement(new.number, tokens)
    return new, tokens


def rotate(site: MemberSite) -> KeyFile:
    new, tokens = make_key(site)
    site.hub.service.change_key(tokens)
    site.follow_registry()
    return new


def list_key_entries(site: MemberSite) -> list[KeyChangeEntry]:
    return [entry for entry in site.read_log() if isinstance(entry, KeyChangeEntry)]


def list_kept_statements(site: MemberSite) -> list[list[str]]:
    with site.node.local.database.read() as uow:
        return OwnKeyStore(uow.connection).list_tokens()


def test_new_key_is_used_once_it_counts_and_is_logged_first(site: MemberSite) -> None:
    new = rotate(site)
    assert not site.follow_keys()  # announced, and not yet valid
    assert site.node.own_keys.kid == hubs.ALPHA.message_key.kid
    site.hub.clock.advance_s(LEAD_S)

    assert site.follow_keys()
    assert not site.follow_keys()

    assert site.node.own_keys.kid == new.key.kid
    (entry,) = list_key_entries(site)
    tokens = open_ring(site).find_statement(new.number)
    assert tokens is not None
    assert list_kept_statements(site) == [list(tokens)]
    assert (entry.use, entry.kid) == ("message", new.key.kid)
    assert entry.statement == sha256(split_compact(tokens[0]).payload)


def test_key_that_no_snapshot_holds_is_not_used(site: MemberSite) -> None:
    make_key(site)  # stopped before it was sent
    site.hub.clock.advance_s(LEAD_S)
    site.follow_registry()

    assert not site.follow_keys()

    assert site.node.own_keys.kid == hubs.ALPHA.message_key.kid


def test_restart_before_the_change_is_used_goes_on_where_it_stood(site: MemberSite) -> None:
    new = rotate(site)
    site.restart()
    site.confirm()
    site.hub.clock.advance_s(LEAD_S)
    assert site.node.own_keys.kid == hubs.ALPHA.message_key.kid

    assert site.follow_keys()

    assert site.node.own_keys.kid == new.key.kid


def test_restart_after_the_change_was_logged_signs_with_the_new_key_and_logs_it_once(
    site: MemberSite,
) -> None:
    new = rotate(site)
    site.hub.clock.advance_s(LEAD_S)
    site.follow_keys()

    site.restart()
    site.confirm()

    assert site.node.own_keys.kid == new.key.kid
    assert not site.follow_keys()
    assert len(list_key_entries(site)) == 1
    keys = load_member_keys(site.settings, database=site.node.local.database)
    assert keys.message.kid == new.key.kid


def test_crash_between_the_log_and_the_use_logs_the_change_once(site: MemberSite) -> None:
    rotate(site)
    site.hub.clock.advance_s(LEAD_S)
    site.follow_keys()
    site.node.own_keys._sealer.change_key(hubs.ALPHA.message_key)  # as if it had not happened

    assert site.follow_keys()

    assert len(list_key_entries(site)) == 1


def test_key_of_a_revoked_one_by_invitation_is_used_without_a_change_of_the_old(
    site: MemberSite,
) -> None:
    site.hub.service.revoke_key(hubs.ALPHA.message_key.kid, reason=RevocationReason.COMPROMISED)
    new = open_ring(site).add()
    fresh = hubs.Company(member=hubs.ALPHA.member, message_key=new.key, log_key=hubs.ALPHA.log_key)
    tokens = fresh.enrol()
    open_ring(site).keep_statement(new.number, tokens)
    token = site.hub.service.invite(kind="rekey", member=hubs.ALPHA.member, life_s=60).token
    site.hub.service.enrol_member(tokens, invitation=token)
    site.follow_registry()

    assert site.follow_keys()

    assert site.node.own_keys.kid == new.key.kid
    (entry,) = list_key_entries(site)
    assert entry.statement == sha256(split_compact(tokens[0]).payload)


def test_age_and_end_of_the_key_are_warned_of(site: MemberSite) -> None:
    keys = site.node.own_keys
    assert keys.list_warnings() == []
    site.hub.clock.advance_s(366 * DAY_S)
    (warning,) = keys.list_warnings()
    assert "366 days old" in warning

    site.hub.service.force_rotation(hubs.ALPHA.message_key.kid, by_s=site.now_s + 20 * DAY_S)
    site.follow_registry()

    assert "ends in 20 days (rotation-forced)" in keys.list_warnings()[1]
    standing = keys.find_standing()
    assert standing is not None
    assert (standing.age_days, standing.reason) == (366, "rotation-forced")


@pytest.mark.parametrize("is_changed", [True, False])
def test_statement_of_a_changed_key_travels_in_the_bundle(
    site: MemberSite, tmp_path: Path, *, is_changed: bool
) -> None:
    if is_changed:
        rotate(site)
        site.hub.clock.advance_s(LEAD_S)
        site.follow_keys()
    database, note = site.node.local.database, site.node.writer.state.checkpoint
    with database.write() as uow:
        size = site.node.writer.state.edge.size
        LogStore(uow.connection).store_witnessed(size=size, checkpoint=note, at_s=site.now_s)
    registry = RegistryHolder(database=database, anchor=hubs.HUB_KEY.public)

    with database.read() as uow:
        written = export_bundle(
            uow,
            member_id=hubs.ALPHA.member,
            registry=registry.newest,
            exported_at_s=site.now_s,
            out=tmp_path / "bundle",
            redacted=True,
        )

    bundle = read_bundle(written.folder)
    shown = [list(record.tokens) for record in bundle.key_changes]
    assert shown == list_kept_statements(site)
    assert (written.folder / KEY_CHANGES_FILE).exists() is is_changed
    assert bool(shown) is is_changed
    assert bundle.file_faults == ()
