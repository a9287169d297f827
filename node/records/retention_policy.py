"""The retention policy as a file: the one that ships with the node, or the operator's own."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib import resources
from pathlib import Path

from node.core.errors import RejectedError
from node.records.rules_retention import RetentionPolicy

PRESET = "retention-1"
POLICY_BYTES_MAX = 65_536
VERSION_CHARS_MAX = 32


class RetentionPolicyError(RejectedError):
    """The file of the retention policy is not what it must be."""

    code = "retention-policy-invalid"


def read_retention_policy(path: str = "", *, home: Path | None = None) -> RetentionPolicy:
    """Read the policy of a file, relative to the home folder; the preset for an empty path.

    Raises:
        RetentionPolicyError: It cannot be read, has a key too many or too few, or a wrong term.
    """
    if not path:
        preset = resources.files(__package__) / "policies" / f"{PRESET}.toml"
        return parse_retention_policy(preset.read_bytes())
    place = Path(path) if home is None else home / path
    try:
        with place.open("rb") as file:
            raw = file.read(POLICY_BYTES_MAX + 1)
    except OSError as err:
        raise RetentionPolicyError(f"{place} cannot be read: {err.strerror}") from err
    return parse_retention_policy(raw)


def parse_retention_policy(raw: bytes) -> RetentionPolicy:
    """Read a policy.

    Raises:
        RetentionPolicyError: It is too large, no TOML, has a key too many or too few, or a term
            that a policy cannot have.
    """
    if len(raw) > POLICY_BYTES_MAX:
        raise RetentionPolicyError(f"larger than {POLICY_BYTES_MAX} bytes")
    try:
        values = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise RetentionPolicyError(f"no TOML: {err}") from err
    kinds = {
        field.name: {"str": str, "int": int, "bool": bool}[str(field.type)]
        for field in dataclasses.fields(RetentionPolicy)
    }
    for name in sorted(kinds.keys() ^ values.keys()):
        raise RetentionPolicyError(f"{name}: {'missing' if name in kinds else 'unknown'}")
    for name, kind in kinds.items():
        if type(values[name]) is not kind:
            raise RetentionPolicyError(f"{name}: not of its kind ({kind.__name__})")
    version = values["version"]
    if not 0 < len(version) <= VERSION_CHARS_MAX or not version.isprintable():
        raise RetentionPolicyError(f"version: 1 to {VERSION_CHARS_MAX} printable characters")
    try:
        return RetentionPolicy(**values)
    except ValueError as err:
        raise RetentionPolicyError(str(err)) from err
