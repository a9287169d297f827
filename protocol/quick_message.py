"""Reads the claims of a message in the spelling that nodes sign.

A short cut for auditors, as ``protocol.entry.quick``: what the pattern matches, ``parse_envelope``
reads to the same value; anything else is left to it. Every value has one spelling here.
"""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

from protocol.message import ANSWERED, OPERATIONS, Envelope, LogHead, RegistryReference, is_reply

_HASH = rb"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_XID = rb"([A-Za-z0-9_-]{21}[AQgw])"
_INT = rb"(0|[1-9][0-9]{0,14})"
_NAME = rb"([a-z0-9.-]{1,253})"
_CLAIMS = re.compile(
    rb'\{"aud":"' + _NAME + rb'","bct":"([A-Za-z0-9.+/;=-]{1,128})","bd":"(' + _HASH
    + rb')","blen":' + _INT + rb',"consents":\[((?:"' + _HASH + rb'")?)\],"exp":' + _INT
    + rb',"head":(\{"root":"' + _HASH + rb'","size":(?:0|[1-9][0-9]{0,14})\}),"iat":' + _INT
    + rb',"iss":"' + _NAME + rb'","jti":"' + _XID + rb'","n":' + _INT + rb',"op":"([a-z.]{1,16})"'
    + rb',"reg":(\{"hash":"' + _HASH + rb'","seq":[1-9][0-9]{0,14}\})'
    + rb'(?:,"req":"(' + _HASH + rb')","st":"200")?,"v":1\}'
)  # fmt: skip
# The same, to be written.
_WRITTEN = b'%b%b","blen":%d,"consents":[%b%b%b%b%b","n":%b%b%b%b'
_OPERATIONS = {op.encode("ascii"): is_reply(op) for op in OPERATIONS}
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_HASH_AT = slice(9, 52)  # within the text of a head or a reference
_SIZE_AT, _SEQ_AT = slice(61, -1), slice(60, -1)


class ClaimTexts(NamedTuple):
    """The claims as they are written: of ``consents`` what stands between the brackets.

    ``head`` and ``reg`` are whole objects; ``req`` is None but on a reply, whose state is 200.
    """

    aud: bytes
    bct: bytes
    bd: bytes
    blen: bytes
    consents: bytes
    exp: bytes
    head: bytes
    iat: bytes
    iss: bytes
    jti: bytes
    n: bytes
    op: bytes
    reg: bytes
    req: bytes | None


class OwnTexts(NamedTuple):
    """The claims that each message has for itself; ``req`` is empty in those of a request."""

    bd: bytes
    body_bytes: int
    consents: bytes
    head: bytes
    jti: bytes
    n: bytes
    req: bytes = b""


class ClaimFrame(NamedTuple):
    """The other claims, which many messages of one sender have in common, as they are written."""

    start: bytes
    exp: bytes
    iat: bytes
    op: bytes
    end: bytes

    def write(self, own: OwnTexts) -> bytes:
        """Return claims whole."""
        start, exp, iat, op, end = self
        bd, body_bytes, consents, head, jti, n, req = own
        return _WRITTEN % (start, bd, body_bytes, consents, exp, head, iat, jti, n, op, req, end)


def build_claim_frame(texts: ClaimTexts) -> ClaimFrame:
    """Return the frame of claims in their usual spelling."""
    return ClaimFrame(
        start=b'{"aud":"%b","bct":"%b","bd":"' % (texts.aud, texts.bct),
        exp=b'],"exp":%b,"head":' % texts.exp,
        iat=b',"iat":%b,"iss":"%b","jti":"' % (texts.iat, texts.iss),
        op=b',"op":"%b","reg":%b' % (texts.op, texts.reg)
        + (b"" if texts.req is None else b',"req":"'),
        end=b',"v":1}' if texts.req is None else b'","st":"200","v":1}',
    )


def find_claim_texts(payload: bytes) -> ClaimTexts | None:
    """Return claims in their usual spelling, as they are written, or None."""
    match = _CLAIMS.fullmatch(payload)
    if match is None:
        return None
    texts = ClaimTexts._make(match.groups())
    return texts if _OPERATIONS.get(texts.op) is (texts.req is not None) else None


def find_quick_envelope(payload: bytes) -> Envelope | None:
    """Return claims in their usual spelling, or None where ``parse_envelope`` must decide."""
    texts = find_claim_texts(payload)
    if texts is None:
        return None
    return Envelope(
        iss=texts.iss.decode("ascii"),
        aud=texts.aud.decode("ascii"),
        jti=_decode(texts.jti, b"=="),
        iat=int(texts.iat),
        exp=int(texts.exp),
        op=texts.op.decode("ascii"),
        bd=_decode(texts.bd),
        blen=int(texts.blen),
        bct=texts.bct.decode("ascii"),
        reg=read_reference_text(texts.reg),
        n=int(texts.n),
        head=LogHead(size=int(texts.head[_SIZE_AT]), root=_decode(texts.head[_HASH_AT])),
        consents=(_decode(texts.consents[1:-1]),) if texts.consents else (),
        req=None if texts.req is None else _decode(texts.req),
        st=None if texts.req is None else ANSWERED,
    )


def read_reference_text(text: bytes) -> RegistryReference:
    """Return the value of a reference to a snapshot in its usual spelling."""
    return RegistryReference(seq=int(text[_SEQ_AT]), hash=_decode(text[_HASH_AT]))


def _decode(text: bytes, padding: bytes = b"=") -> bytes:
    return binascii.a2b_base64(text.translate(_FROM_URL) + padding)
