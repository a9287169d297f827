"""The base of what the operator's API takes and gives: JSON in, unknown members refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ApiModel(BaseModel):
    """A body of the API.

    Lax in types, since the framework hands over parsed JSON, where an enum is still a text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
