"""Reads the claims of a message in the spelling that nodes sign.

A short cut for auditors, as ``protocol.entry.quick``: what the pattern matches, ``parse_envelope``
reads to the same value; anything else is left to it.
"""

from __future__ import annotations

import binascii
import re

from protocol.message import ANSWERED, OPERATIONS, Envelope, LogHead, RegistryReference, is_reply

_HASH = rb"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])"
_XID = rb"([A-Za-z0-9_-]{21}[AQgw])"
_INT = rb"(0|[1-9][0-9]{0,14})"
_NAME = rb"([a-z0-9.-]{1,253})"
_CLAIMS = re.compile(
    rb'\{"aud":"' + _NAME + rb'","bct":"([A-Za-z0-9.+/;=-]{1,128})","bd":"' + _HASH
    + rb'","blen":' + _INT + rb',"consents":\[(?:"' + _HASH + rb'")?\],"exp":' + _INT
    + rb',"head":\{"root":"' + _HASH + rb'","size":' + _INT + rb'\},"iat":' + _INT
    + rb',"iss":"' + _NAME + rb'","jti":"' + _XID + rb'","n":' + _INT + rb',"op":"([a-z.]{1,16})"'
    + rb',"reg":\{"hash":"' + _HASH + rb'","seq":([1-9][0-9]{0,14})\}'
    + rb'(?:,"req":"' + _HASH + rb'","st":"200")?,"v":1\}'
)  # fmt: skip
_OPERATIONS = {op.encode("ascii"): op for op in OPERATIONS}
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def find_quick_envelope(payload: bytes) -> Envelope | None:
    """Return claims in their usual spelling, or None where ``parse_envelope`` must decide."""
    match = _CLAIMS.fullmatch(payload)
    if match is None:
        return None
    aud, bct, bd, blen, consent, exp, root, size, iat, iss, jti, n, op, ref, seq, req = (
        match.groups()
    )
    known = _OPERATIONS.get(op)
    if known is None or is_reply(known) is not (req is not None):
        return None
    return Envelope(
        iss=iss.decode("ascii"),
        aud=aud.decode("ascii"),
        jti=_decode(jti, b"=="),
        iat=int(iat),
        exp=int(exp),
        op=known,
        bd=_decode(bd),
        blen=int(blen),
        bct=bct.decode("ascii"),
        reg=RegistryReference(seq=int(seq), hash=_decode(ref)),
        n=int(n),
        head=LogHead(size=int(size), root=_decode(root)),
        consents=(_decode(consent),) if consent else (),
        req=_decode(req) if req else None,
        st=ANSWERED if req else None,
    )


def _decode(text: bytes, padding: bytes = b"=") -> bytes:
    return binascii.a2b_base64(text.translate(_FROM_URL) + padding)
