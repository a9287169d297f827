"""Bodies of what a member sends without being asked: push, correct, erase, and the ``ack`` of each.

They answer no question, so each is acknowledged by name, and none counts a use at its receiver.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from protocol.limits import ERASED_MESSAGES_MAX
from schemas.summary import Section, Summary
from schemas.wire import Hash, One, WireModel

PUSH_CONTENT_TYPE = "application/vnd.chengxin.push+json"
CORRECT_CONTENT_TYPE = "application/vnd.chengxin.correct+json"
ERASE_CONTENT_TYPE = "application/vnd.chengxin.erase+json"
ACK_CONTENT_TYPE = "application/vnd.chengxin.ack+json"


class PushBody(WireModel):
    """A summary under a standing consent, because a band or class in it has changed."""

    v: One
    kind: Literal["push"]
    consent: Hash
    changed: Annotated[list[Section], Field(min_length=1, max_length=len(Section))]
    summary: Summary

    @model_validator(mode="after")
    def _check_changed(self) -> Self:
        if len(set(self.changed)) != len(self.changed):
            raise ValueError("a section is named twice")
        if any(getattr(self.summary, section.value) is None for section in self.changed):
            raise ValueError("a changed section is not in the summary")
        return self


class CorrectBody(WireModel):
    """What was told was wrong: a summary in its place, or none where nothing may be said now."""

    v: One
    kind: Literal["correct"]
    supersedes: Annotated[Hash, Field(description="the answer, push or correction that was wrong")]
    consent: Hash
    reason: Literal["records-corrected", "subject-objected", "disclosed-in-error"]
    summary: Summary | None = None


class EraseBody(WireModel):
    """The signed statement that body and salt of these answers are erased here."""

    v: One
    kind: Literal["erase"]
    basis: Literal["data-life", "revoked", "corrected", "request"]
    answers: Annotated[list[Hash], Field(min_length=1, max_length=ERASED_MESSAGES_MAX)]

    @model_validator(mode="after")
    def _check_answers(self) -> Self:
        if len(set(self.answers)) != len(self.answers):
            raise ValueError("an answer is named twice")
        return self


class AckBody(WireModel):
    """The message ``of`` has arrived, verifies and was acted on."""

    v: One
    kind: Literal["ack"]
    of: Hash
