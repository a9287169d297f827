"""What every answer of the console says to the browser, and what a page with a script may more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONTENT_POLICY = "content-security-policy"
SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        CONTENT_POLICY: (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        # Not no-referrer: the browser would then send "Origin: null" with our own forms.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
)
# Of a page that follows something as it goes on: our own script, which asks this node alone.
LIVE_POLICY = f"{SECURITY_HEADERS[CONTENT_POLICY]}; script-src 'self'; connect-src 'self'"
