"""A code of the second factor: of an app by the time, or one of the recovery codes, each once."""

from __future__ import annotations

import base64

from node.core.database import UnitOfWork
from node.core.people.accounts.attempts import SECOND_MS, Key
from node.core.people.accounts.rules_delay import CODE_WAIT_S_MAX, NAME_FREE, build_key
from node.core.people.accounts.store import AccountStore
from node.core.people.accounts.totp import DIGITS, find_step
from node.core.people.service import SessionFacts
from protocol.encoding import sha256

RECOVERY_BYTES = 10  # 80 bits each: a plain hash keeps them, guessing does not find one
RECOVERY_CODES = 10
CODE_CHARACTERS_MAX = 64


def build_code_key(facts: SessionFacts, *, device: str = "") -> Key:
    """Return under which key wrong codes of an account are counted.

    Who is inside, and who comes with a device of the account's, is counted apart: whoever has got
    the password and guesses codes makes neither of them wait.
    """
    account = str(facts.account_id)
    if not facts.awaits_code:
        return Key(key=build_key("code-inside", account), free=NAME_FREE)
    if device:
        return Key(key=build_key("code-device", account, device), free=NAME_FREE)
    return Key(key=build_key("code", account), free=NAME_FREE, wait_s_max=CODE_WAIT_S_MAX)


def take_code(uow: UnitOfWork, account_id: int, code: str, *, now_ms: int) -> bool:
    """Tell whether a code is right, and take it: it opens nothing again."""
    store = AccountStore(uow.connection)
    factor = store.find_factor(account_id)
    if factor is None or factor.confirmed_at_ms is None:
        return False
    given = code.strip().replace(" ", "")[:CODE_CHARACTERS_MAX]
    if len(given) == DIGITS:
        step = find_step(
            factor.secret, given, now_s=now_ms // SECOND_MS, after_step=factor.last_step
        )
        return step is not None and store.use_step(account_id, step)
    return store.use_recovery(account_id, hash_recovery(given), at_ms=now_ms)


def format_recovery(secret: bytes) -> str:
    """Return a recovery code as a person writes it down: base32 in groups of four."""
    text = base64.b32encode(secret).decode("ascii").lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def hash_recovery(code: str) -> bytes:
    """Return what is kept of a recovery code; case and hyphens do not matter."""
    return sha256(code.replace("-", "").casefold().encode("utf-8"))
