"""In which language a page is shown."""

from __future__ import annotations

import re

from starlette.requests import Request

from node.assessment.policy_file import Language

LANGUAGE_COOKIE = "chengxin_language"
LANGUAGES_READ_MAX = 16  # of the Accept-Language header
_LANGUAGE_TAG = re.compile(
    r"^\s*(zh|en)\b[^;,]*(?:;\s*q=([01](?:\.[0-9]{1,3})?))?\s*$", re.IGNORECASE
)


def choose_language(request: Request) -> Language:
    """Return the language of the address, the cookie or the browser, else English."""
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in set(Language):
            return Language(asked)
    best, best_weight = Language.EN, 0.0
    accepted = request.headers.get("accept-language", "").split(",", LANGUAGES_READ_MAX)
    for tag in accepted[:LANGUAGES_READ_MAX]:
        match = _LANGUAGE_TAG.match(tag)
        weight = float(match[2] or 1) if match else 0.0
        if match and weight > best_weight:
            best, best_weight = Language(match[1].lower()), weight
    return best
