"""A node's folder: its keys and secrets, and the key of the hub that it trusts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.core.config import Settings, SettingsError
from node.core.database import Database
from node.core.field_files import FieldKeyFiles
from node.core.field_keys import FieldCipher
from node.core.fields import has_encrypted, set_cipher
from node.core.keyring import KeyRing
from node.core.keystore import (
    draw_bytes,
    generate_key,
    load_key,
    make_secret_file,
    read_secret,
    save_key,
)
from node.core.log_key import LogKey
from node.core.migrations import upgrade_database
from node.sharing.own_keys import pick_key
from node.sharing.own_logs import pick_log
from node.sharing.registry import RegistryHolder
from protocol.encoding import decode_b64u
from protocol.errors import ProtocolError
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey, SigningKey

MEMBER_KEYS = ("message", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A member's two key pairs; the log key is that of the log of ``log_origin``, or lost."""

    message: SigningKey
    log: LogKey
    log_origin: str


def open_database(settings: Settings) -> Database:
    """Open the database at the newest schema, with the keys of its encrypted fields."""
    database = Database(url=settings.database)
    files = open_field_files(settings, database=database)
    set_cipher(database, FieldCipher(secrets=files, random_bytes=draw_bytes))
    upgrade_database(database)
    return database


def open_field_files(settings: Settings, *, database: Database) -> FieldKeyFiles:
    """Return the secrets of a database's encrypted fields; none is opened yet."""
    return FieldKeyFiles(
        folder=settings.home / "keys",
        load_passphrase=lambda: read_secret(
            settings.key_passphrase.get_secret_value(), path=settings.home / "passphrase"
        ),
        may_make=lambda: not has_encrypted(database),
    )


def init_home(settings: Settings, *, key_names: Sequence[str] = MEMBER_KEYS) -> None:
    """Make keys, passphrase and API token in a home folder; those that are there stay.

    An interrupted start is made good: nothing is made anew.

    Raises:
        KeyFileError: A key that is there does not open, or a file cannot be written.
    """
    passphrase_path = settings.home / "passphrase"
    configured = settings.key_passphrase.get_secret_value()
    if not configured and not passphrase_path.exists():
        make_secret_file(passphrase_path)
    passphrase = read_secret(configured, path=passphrase_path)
    for name in key_names:
        path = key_path(settings.home, name)
        if path.exists():
            load_key(path=path, passphrase=passphrase)
        else:
            save_key(generate_key(), path=path, passphrase=passphrase)
    token_path = settings.home / "api_token"
    if not settings.api_token.get_secret_value() and not token_path.exists():
        make_secret_file(token_path)


def load_member_keys(settings: Settings, *, database: Database | None = None) -> Keys:
    """Read a member's keys: those in use, as the database says; the first ones without it.

    A log key whose file is gone is told by the registry that the database holds.

    Raises:
        KeyFileError: One is missing or locked with another passphrase.
        LogDamagedError: No log key that is here or in the registry has signed the log's head.
    """
    ring, logs = open_key_ring(settings, "message"), open_key_ring(settings, "log")
    if database is None:
        origin = settings.first_log_origin
        return Keys(message=ring.load()[0].key, log=logs.load()[0].key, log_origin=origin)
    origin, log = pick_log(
        logs,
        database=database,
        first_origin=settings.first_log_origin,
        find_entered=lambda name: _find_entered(settings, database, origin=name),
    )
    return Keys(message=pick_key(ring, database=database).key, log=log, log_origin=origin)


def _find_entered(settings: Settings, database: Database, *, origin: str) -> PublicKey | None:
    """Return the key under which the registry that is held here has a log of this member's."""
    registry = RegistryHolder(database=database, anchor=read_anchor(settings))
    member = registry.newest.find_member(settings.member_id) if registry.newest_seq else None
    entry = None if member is None else member.log_keys.get(origin)
    return None if entry is None else entry.key


def open_key_ring(settings: Settings, name: str) -> KeyRing:
    """Return the key files of one use.

    Raises:
        KeyFileError: There is no passphrase.
    """
    passphrase = read_secret(
        settings.key_passphrase.get_secret_value(), path=settings.home / "passphrase"
    )
    return KeyRing(folder=settings.home / "keys", name=name, passphrase=passphrase)


def key_path(home: Path, name: str) -> Path:
    """Return the file of a key."""
    return home / "keys" / f"{name}.pem"


def read_anchor(settings: Settings) -> PublicKey:
    """Return the hub's key that was given out of band.

    Raises:
        SettingsError: There is none, or it is no key.
    """
    try:
        return PublicKey(decode_b64u(settings.hub_anchor, bytes_exact=PUBLIC_KEY_BYTES))
    except ProtocolError as err:
        raise SettingsError("setting hub_anchor: not the 32 bytes of a hub's key") from err
