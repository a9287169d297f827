"""The fields of a form, as many as it may have."""

from __future__ import annotations

from urllib.parse import parse_qs

from node.core.errors import RejectedError

FORM_FIELDS_MAX = 8


class FormFieldsError(RejectedError):
    """A form has more fields than any form of the console."""

    code = "form-fields"


def parse_form(body: bytes, *, fields_max: int = FORM_FIELDS_MAX) -> dict[str, list[str]]:
    """Return the fields of a form.

    Raises:
        FormFieldsError: There are more than any form of ours has.
    """
    try:
        return parse_qs(body.decode("utf-8", errors="replace"), max_num_fields=fields_max)
    except ValueError as err:
        raise FormFieldsError(f"at most {fields_max} fields") from err
