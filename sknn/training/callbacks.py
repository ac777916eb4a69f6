"""scikit-learn's callbacks, which came with version 1.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import sklearn

from sknn._component import are_equal, own
from sknn._constraints import InvalidParameterError
from sknn.training.trained import Trained
from sknn.training.validation import in_context_of_caller

F = TypeVar("F", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """In place of scikit-learn's, where it has none."""

        def set_callbacks(self, *callbacks: Any) -> Any:
            """Raise: callbacks need scikit-learn 1.9 or newer.

            Parameters
            ----------
            *callbacks : object
                What scikit-learn's own method takes.

            Raises
            ------
            NotImplementedError
                Always.
            """
            raise NotImplementedError(
                "Callbacks need scikit-learn 1.9 or newer; this is version "
                f"{sklearn.__version__}. Update it with pip install -U scikit-learn."
            )

    def _with_callbacks(method: Any) -> Any:
        return method


def with_callbacks(method: F) -> F:
    """Return a method after which its callbacks end; itself, where scikit-learn has none.

    scikit-learn's own decorator says nothing of types.

    Parameters
    ----------
    method : callable
        The ``fit`` of an estimator.

    Returns
    -------
    callable
        A method of the same signature.
    """
    decorated: F = _with_callbacks(method)
    return decorated


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
        self._estimator, self._before = estimator, dict(vars(estimator))
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
        self._fit.call_on_fit_task_begin(estimator=estimator, **self._data)
        self._running: list[Any] = []
        self._words = {name: own(getattr(estimator, name)) for name in estimator._declared}

    @classmethod
    def of(
        cls, estimator: Any, X: Any, y: Any, sample_weight: Any, n_epochs: int
    ) -> EpochTasks | None:
        """Return the tasks of a fit, or None if nobody wants to be told.

        Parameters
        ----------
        estimator : BaseEstimator
            What is fitted.
        X : array-like
            The samples as they were given.
        y : array-like
            The targets as they were given.
        sample_weight : array-like or None
            Their weights.
        n_epochs : int
            Epochs at most.

        Returns
        -------
        EpochTasks or None
            The tasks.
        """
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

        Returns
        -------
        Hooks
            For the order of the training.
        """
        running: list[Any] = []  # of this training: another's epoch may run meanwhile

        def begin_epoch() -> None:
            running.append(self._fit.subcontext(task_name="epoch"))
            self._running.append(running[0])
            running[0].call_on_fit_task_begin(estimator=self._estimator, **self._data)
            self._check_parameters()

        def end_epoch(trained: Trained) -> bool:
            epoch = running.pop()
            self._running.remove(epoch)
            is_over = epoch.call_on_fit_task_end(
                estimator=self._estimator,
                **self._data,
                reconstruction_attributes=lambda: attributes(trained),
            )
            self._check_parameters()
            return bool(is_over)

        return Hooks(in_context_of_caller(begin_epoch), in_context_of_caller(end_epoch))

    def end_fit(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """End the task of the fit, and those of epochs that were interrupted.

        Parameters
        ----------
        attributes : dict
            Those of the fitted estimator.

        Returns
        -------
        dict
            What callbacks have written on the estimator.
        """
        for epoch in self._running:
            epoch.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=attributes
        )
        known = self._before
        now = vars(self._estimator).items()
        return {k: v for k, v in now if k not in known or known[k] is not v}

    def _check_parameters(self) -> None:
        """Raise if a callback has set a parameter, which would have no effect, and not say so."""
        for name, value in self._words.items():
            now = getattr(self._estimator, name)
            if not are_equal(now, value):
                setattr(self._estimator, name, value)
                raise InvalidParameterError(
                    f"A callback has set {name} from {value!r} to {now!r} while the estimator "
                    "trains, which has no effect: fit reads its parameters when it begins. A "
                    "learning rate that changes is a Schedule, or a function of the epoch, in "
                    "learning_rate; the function may read what the callback writes."
                )
