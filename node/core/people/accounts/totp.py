"""One-time codes by time: RFC 6238 on SHA-1, six digits, steps of 30 s, as every app knows them."""

from __future__ import annotations

import base64
from hmac import compare_digest
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20  # RFC 4226 §4: 160 bits
STEP_S = 30
DIGITS = 6
STEPS_AROUND = 1  # RFC 6238 §5.2: one step for the way and for clocks that differ


def compute_code(secret: bytes, *, step: int, digits: int = DIGITS) -> str:
    """Return the code of a time step, counted from the epoch in 30 s (RFC 6238 §4.2)."""
    # SHA-1 within HMAC is what apps have; it is not weak there (RFC 6238 §1.2, RFC 4226 B.2).
    made = TOTP(secret, digits, SHA1(), STEP_S)  # noqa: S303
    return made.generate(step * STEP_S).decode("ascii")


def find_step(secret: bytes, code: str, *, now_s: int, after_step: int) -> int | None:
    """Return the time step that a code is of, None where it is of none that is accepted.

    A step at or before ``after_step`` is not accepted: each code opens once (RFC 6238 §5.2).
    """
    given = code.replace(" ", "")
    now = now_s // STEP_S
    found = None
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        expected = compute_code(secret, step=step)
        if compare_digest(given.encode("utf-8"), expected.encode("ascii")) and step > after_step:
            found = step
    return found


def format_secret(secret: bytes) -> str:
    """Return a secret as apps take it by hand: base32 in groups of four."""
    text = base64.b32encode(secret).decode("ascii").rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def build_uri(secret: bytes, *, login: str, issuer: str) -> str:
    """Return the address that an app takes as a picture or a link (Key URI format)."""
    name = quote(f"{issuer}:{login}", safe="")
    values = {
        "secret": format_secret(secret).replace(" ", ""),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": str(DIGITS),
        "period": str(STEP_S),
    }
    return f"otpauth://totp/{name}?{urlencode(values, quote_via=quote)}"
