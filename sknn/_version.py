"""The version, and pickles that know theirs."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning

__version__ = "0.5.0"

KEY = "_sknn_version"
"""Under which name a pickle has the version that has written it."""

UNKNOWN = "pre-0.2.0"
"""The version of pickles that do not say it."""


class OtherVersionWarning(InconsistentVersionWarning):
    """A pickle comes from another version of sknn; scikit-learn warns alike of its own."""

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was pickled by sknn {self.original_sklearn_version}, and "
            f"is loaded by {self.current_sklearn_version}. It may not work, or give other results: "
            "fit it again, or load it with the version that has pickled it."
        )


class Versioned:
    """Mixin of estimators and components whose pickles carry the version."""

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**state, KEY: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        version = state.pop(KEY, UNKNOWN)
        if version != __version__:
            warnings.warn(
                OtherVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)  # type: ignore[misc]
