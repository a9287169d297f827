"""The node's configuration: one frozen ``Settings``, read once.

It comes from ``HOME/chengxin.toml`` and the environment (CHENGXIN_*); the environment wins.
docs/operating.md has a row for every setting; a test compares the two.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from node.core.errors import RejectedError
from node.core.files import replace_file
from node.core.member_groups import parse_member_groups
from protocol.errors import IdentifierError
from protocol.identifiers import parse_member_id
from protocol.limits import CLOCK_AHEAD_S_CEILING, CLOCK_AHEAD_S_DEFAULT

ACCESS_KEEP_DAYS_MIN = 365  # the database lets none younger go, whatever is asked of it
CONFIG_FILE_NAME = "chengxin.toml"
CONFIG_MODE = 0o644  # secrets have files of their own
ConfigValue = str | int | bool


class SettingsError(RejectedError):
    """A setting is missing or wrong: the node does not start."""

    code = "settings-invalid"


class Settings(BaseSettings):
    """What an operator can set. Paths are relative to ``home``."""

    model_config = SettingsConfigDict(
        env_prefix="CHENGXIN_", frozen=True, extra="forbid", populate_by_name=True
    )

    home: Path
    """Folder of keys, database and configuration."""
    role: Literal["member", "hub"] = "member"
    member_id: str
    """DNS-like name of this member or hub."""
    name: str = ""
    """Name shown to people."""
    host: str = "127.0.0.1"
    port: int = Field(default=8440, ge=0, le=65_535)
    public_url: str = ""
    """Address under which peers reach this node; ``http://host:port`` when empty."""
    subject_url: str = ""
    """Address under which subjects open their pages; ``public_url`` when empty."""
    hub_url: str = ""
    """Address of the association's hub; a node without one rates and does not exchange."""
    hub_anchor: str = ""
    """Public key of the hub's registry (base64url), given out of band: the root of trust."""
    database_url: str = ""
    """SQLAlchemy address; a SQLite file in ``home`` when empty."""
    business_date: date | None = None
    """Fixed business date, for working with old records; today when absent."""
    key_passphrase: SecretStr = SecretStr("")
    """Passphrase of the key files; read from ``home/passphrase`` when empty."""
    api_token: SecretStr = SecretStr("")
    """Bearer token of the operator's API and console; read from ``home/api_token`` when empty."""
    enrolment_token: SecretStr = SecretStr("")
    """Hub: token to enrol members with; read from ``home/enrolment_token`` when empty."""
    subject_token: SecretStr = SecretStr("")
    """Hub: token to enrol subjects with; read from ``home/subject_token`` when empty.

    Where neither is there, subjects are enrolled by invitation only.
    """
    simulated: bool = False
    """Hub: the federation is simulated; only then are subjects of the scheme ``sim`` admitted."""
    legal_basis: str = ""
    """Hub: statement of the legal basis, which members read; without it the hub does not start."""
    clock_ahead_s: int = Field(default=CLOCK_AHEAD_S_DEFAULT, ge=0, le=CLOCK_AHEAD_S_CEILING)
    rate_per_s: int = Field(default=10, ge=1, le=1_000_000)
    """Messages a second that each member may send."""
    rate_burst: int = Field(default=50, ge=1, le=1_000_000)
    witness_interval_s: int = Field(default=10, ge=1, le=3_600)
    witness_age_s_max: int = Field(default=14_400, ge=0)
    """Without a cosignature this fresh the node stops exchanging; 0 switches the rule off."""
    witness_policy: str = ""
    """File (C2SP tlog-policy) of the witnesses asked and their quorum; the hub's when empty."""
    watched_logs: str = ""
    """Hub: file (C2SP tlog-policy, lines ``log``) of logs of others that it cosigns too."""
    timestamp_url: str = ""
    """RFC 3161 authority that time-stamps the log's head once a day; none when empty."""
    timestamp_certificate: str = ""
    """PEM file of that authority's certificate, or its root's and those between."""
    timestamp_name: str = ""
    """Name of that authority in the log's entry; the host of its address when empty."""
    registry_interval_s: int = Field(default=300, ge=1, le=86_400)
    key_age_days_max: int = Field(default=365, ge=0)
    """A message key older than this is warned of; 0 switches the warning off."""
    status_interval_s: int = Field(default=60, ge=1, le=300)
    disk_free_bytes_min: int = Field(default=104_857_600, ge=0)
    """With less room than this the node stops exchanging; 0 switches the rule off."""
    message_keep_days: int = Field(default=730, ge=1, le=36_500)
    """How long bodies and salts of what was answered stay; envelopes stay with the log."""
    retention_policy: str = ""
    """File (TOML) of how long records stay after the end of their event; our own when empty."""
    access_keep_days: int = Field(default=1_095, ge=ACCESS_KEEP_DAYS_MIN, le=36_500)
    """How long rows of the access log stay."""
    statement_keep_months: int = Field(default=120, ge=12, le=600)
    """How long customers' financial statements stay after the end of their year."""
    statement_concepts: str = ""
    """File (TOML) of XBRL elements beside those built in; none when empty."""
    member_groups: str = ""
    """Members of one group of companies, blanks between them, ``;`` between groups."""
    defer_answers: Literal["never", "always"] = "never"
    """Accept questions first and answer them later, where their asker takes that."""
    accept_unkeyed_consents: bool = False
    """Answer under consents of subjects without a key, for whose papers their askers vouch."""
    password_passes: int = Field(default=3, ge=1, le=20)
    """Passes of argon2id over a password (RFC 9106, the second recommended choice)."""
    password_memory_kib: int = Field(default=65_536, ge=8, le=1_048_576)
    """Memory of argon2id for a password, in KiB; two are worked on at once, at most."""
    invitation_hours: int = Field(default=72, ge=1, le=720)
    """How long the one-time code of a new account, or for a new password, lives."""
    session_idle_minutes: int = Field(default=30, ge=1, le=1_440)
    """An account's session that nobody has used for so long is over."""
    session_hours: int = Field(default=8, ge=1, le=24)
    """An account's session is over after so long, used or not."""
    approval_factor: Literal["always", "accounts", "never"] = "accounts"
    """Who approves with a second factor: accounts; always, where tokens approve nothing; nobody."""
    approval_factor_minutes: int = Field(default=15, ge=1, le=480)
    """How old the last code may be when something is approved."""
    rating_run_hour: int | None = Field(default=None, ge=0, le=23)
    """Hour (UTC) from which on the whole portfolio is rated once a day; never when absent."""
    receipt_interval_s: int = Field(default=5, ge=1, le=60)
    standing_interval_s: int = Field(default=3_600, ge=1, le=86_400)
    """How often standing consents are looked at for changes to push."""
    peer_timeout_s: int = Field(default=10, ge=1, le=300)
    mail_host: str = ""
    """Mail server (SMTP) of notices that something waits; no mail is sent when empty."""
    mail_port: int = Field(default=587, ge=1, le=65_535)
    mail_tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the way to it is encrypted; ``none`` is for a server on this machine."""
    mail_ca_file: str = ""
    """Certificates (PEM) that the server is verified against; the system's when empty."""
    mail_from: str = ""
    """Address of the sender."""
    mail_user: str = ""
    mail_password: SecretStr = SecretStr("")
    """Password of that user; read from ``home/mail_password`` when empty."""
    mail_recipients: str = ""
    """Who is told: role, ``zh`` or ``en`` and address, ``;`` between recipients."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("member_id")
    @classmethod
    def _check_member_id(cls, value: str) -> str:
        try:
            return parse_member_id(value)
        except IdentifierError as err:
            raise ValueError(err.detail) from err

    @field_validator("member_groups")
    @classmethod
    def _check_member_groups(cls, value: str) -> str:
        parse_member_groups(value)
        return value

    @property
    def url(self) -> str:
        """Return the address under which peers reach this node."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def local_url(self) -> str:
        """Return the address under which commands on this machine reach this node."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def database(self) -> str:
        """Return the SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.home / 'node.sqlite'}"

    @property
    def first_log_origin(self) -> str:
        """Return the origin of the hub's log, or of the node's first: one key, one log for ever."""
        return f"{self.member_id}/chengxin/log/1"

    @property
    def witness_name(self) -> str:
        """Return the name under which a hub cosigns."""
        return f"{self.member_id}/chengxin/witness/1"


def load_settings(home: Path) -> Settings:
    """Read the configuration of a home folder.

    Raises:
        SettingsError: The file is missing or unreadable, or a setting is wrong: the text names it,
            not its value.
    """
    path = home / CONFIG_FILE_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise SettingsError(f"{path} does not exist: run chengxin init first") from err
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise SettingsError(f"{path} cannot be read: {err}") from err
    if "home" in values:
        raise SettingsError("setting home: it is the folder that the file stands in")
    return build_settings(home=home, **values)


def build_settings(*, home: Path, **values: object) -> Settings:
    """Build settings from values; the environment wins.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    try:
        from_environment = _EnvironmentSettings().model_dump(exclude_unset=True)
        merged = {**values, **from_environment, "home": home}
        return Settings.model_validate(merged)
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {place}: {first['msg']}") from err


def write_config(home: Path, values: Mapping[str, ConfigValue]) -> None:
    """Write the configuration file of a home folder, as a whole.

    Raises:
        SettingsError: It cannot be written.
    """
    # JSON's spelling of texts, integers and booleans is TOML's too, but for the character 0x7f.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    text = "\n".join(lines).replace("\x7f", "\\u007f") + "\n"
    path = home / CONFIG_FILE_NAME
    try:
        replace_file(text.encode("utf-8"), path=path, mode=CONFIG_MODE)
    except OSError as err:
        raise SettingsError(f"{path} cannot be written: {err.strerror}") from err


class _EnvironmentSettings(Settings):
    """The same settings, none required: what the environment alone says."""

    home: Path = Path()
    member_id: str = "unset.example"
