"""The libraries of training, an extra: ``chengxin[models]``. Scoring and validation need none."""

from __future__ import annotations

from importlib.util import find_spec

from node.core.errors import RejectedError

LIBRARIES = ("numpy", "optbinning", "sklearn", "threadpoolctl")


class ModelsExtraMissingError(RejectedError):
    """A library that training needs is not installed."""

    code = "models-extra-missing"


def check_models_extra() -> None:
    """Check that models can be trained here.

    Raises:
        ModelsExtraMissingError: The extra is not installed.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise ModelsExtraMissingError(
            f"training needs {', '.join(missing)}: install chengxin[models]"
        )
