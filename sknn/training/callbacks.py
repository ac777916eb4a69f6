"""scikit-learn's callbacks, which came with version 1.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sklearn

from sknn.training.trained import Trained
from sknn.training.validation import in_context_of_caller

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """In place of scikit-learn's, where it has none."""

        def set_callbacks(self, *callbacks: Any) -> Any:
            """Raise: callbacks need scikit-learn 1.9 or newer."""
            raise NotImplementedError(
                "Callbacks need scikit-learn 1.9 or newer; this is version "
                f"{sklearn.__version__}. Update it with pip install -U scikit-learn."
            )

    def with_callbacks(method: Any) -> Any:
        """Return the method itself."""
        return method


__all__ = ["CallbackSupportMixin", "EpochTasks", "Hooks", "with_callbacks"]


class Hooks(NamedTuple):
    """What a training calls, epoch by epoch.

    Attributes
    ----------
    before_epoch : callable or None
        ``before_epoch()`` is called when an epoch begins.
    after_epoch : callable or None
        ``after_epoch(trained)`` is called when it has ended, and returns whether to stop.
    """

    before_epoch: Callable[[], object] | None = None
    after_epoch: Callable[[Trained], bool] | None = None


class EpochTasks:
    """Tells an estimator's callbacks of its epochs, each a task below that of the fit.

    Parameters
    ----------
    estimator : BaseEstimator
        With callbacks of its own or of a meta-estimator.
    X, y : array-like
        The training data as they were given.
    metadata : dict
        What else was given to fit.
    n_epochs : int
        How many they are at most.
    """

    def __init__(
        self, estimator: Any, X: Any, y: Any, metadata: dict[str, Any], n_epochs: int
    ) -> None:
        self._estimator = estimator
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
        self._fit.call_on_fit_task_begin(estimator=estimator, **self._data)
        self._epoch: Any = None

    @classmethod
    def of(
        cls, estimator: Any, X: Any, y: Any, sample_weight: Any, n_epochs: int
    ) -> EpochTasks | None:
        """Return the tasks of a fit, or None if nobody wants to be told."""
        if not vars(estimator).get("_skl_callbacks"):
            return None
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        return cls(estimator, X, y, metadata, n_epochs)

    def hooks(self, attributes: Callable[[Trained], dict[str, Any]]) -> Hooks:
        """Return what a training has to call so that callbacks hear of its epochs.

        Parameters
        ----------
        attributes : callable
            Returns the attributes of an estimator that has been trained so far.
        """

        def end_epoch(trained: Trained) -> bool:
            epoch, self._epoch = self._epoch, None
            return bool(
                epoch.call_on_fit_task_end(
                    estimator=self._estimator,
                    **self._data,
                    reconstruction_attributes=lambda: attributes(trained),
                )
            )

        return Hooks(in_context_of_caller(self._begin_epoch), in_context_of_caller(end_epoch))

    def end_fit(self, attributes: dict[str, Any]) -> None:
        """End the task of the fit, and that of an epoch that was interrupted."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=attributes
        )

    def _begin_epoch(self) -> None:
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)
