"""The contract of a loss.

Conventions, once for all losses:

- *raw* holds the network's raw scores **output by output**: the last two axes are
  (n_outputs, n_samples). Sums over outputs then run along whole rows of samples, which
  costs half of what short rows of outputs do.
- A loss owns its link: it turns raw scores into a value, a gradient and, through the
  inverse link, a prediction.
- The objective is a weighted mean over samples and a sum over outputs. What is reported
  may differ by the constant `reported_divisor`, see there.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from scipy.special import xlogy

from sknn._component import Component, Registry
from sknn._math import Array, number
from sknn.operations import FUNCTION, SIMPLE


class Loss(Component):
    """Contract of a loss function.

    Attributes
    ----------
    out_activation : str
        The name of the inverse link (``out_activation_``).
    raw_per_target : int
        How many raw scores there are for each target; those of one kind lie together.
    lowest : float
        The targets are at least this large, or larger if `is_open`.
    is_open : bool
        Whether `lowest` itself is excluded.
    starts_at_target : bool
        Whether the output's intercepts begin at `start` unless a user says otherwise; not for the
        losses whose initial draw is to be scikit-learn's.
    grows_fast : bool
        Whether predictions grow exponentially with the raw scores, without a bound.
    predicts_deviations : bool
        Whether the second kind of raw scores gives standard deviations.

    See Also
    --------
    sknn.losses.SquaredError : The default of regressors.
    sknn.losses.LogLoss : The default of classifiers.
    sknn.MLPRegressor : Takes a name or an instance as `loss`.
    """

    out_activation: str = "identity"
    lowest: ClassVar[float] = -np.inf
    is_open: ClassVar[bool] = False
    starts_at_target: bool = True
    grows_fast: ClassVar[bool] = False
    predicts_deviations: ClassVar[bool] = False

    @property
    def raw_per_target(self) -> int:
        """How many raw scores there are for each target."""
        return 1

    @property
    def predicts_probabilities(self) -> bool:
        """Whether it is a loss of classes, whose predictions are probabilities."""
        return self.out_activation in ("logistic", "softmax")

    @property
    def score_levels(self) -> tuple[float, ...]:
        """The quantiles that are predicted, if they are several: they make up the score.

        Predictions then have a last axis for them; without any the score is R^2.
        """
        return ()

    def for_targets(self, one_of_many: bool, are_soft: bool) -> Loss:
        """Return the form of a classifier's loss that suits the targets.

        Parameters
        ----------
        one_of_many : bool
            Whether exactly one of several outputs is true; else each is so or not by itself.
        are_soft : bool
            Whether targets may lie between 0 and 1.

        Returns
        -------
        Loss
            Itself, or one that takes its place.
        """
        return self

    def constants(self) -> tuple[Any, ...]:
        """Return the numbers in the formula; the methods get them as arrays of raw's dtype.

        Returns
        -------
        tuple of float
            In the order in which the methods take them.
        """
        return ()

    def operations(self, n_raw: int) -> int:
        """Return what the gradient and the value of a sample cost, by `gradient` and `values`.

        One that does not say so counts, for each raw score, an operation for either and one for the
        weight.

        Parameters
        ----------
        n_raw : int
            Number of raw scores.

        Returns
        -------
        int
            Floating-point operations.
        """
        return 3 * SIMPLE * n_raw

    def link_operations(self, n_raw: int) -> int:
        """Return what the predictions of a sample cost, by `inverse_link`.

        One that does not say so counts an operation for each raw score.

        Parameters
        ----------
        n_raw : int
            Number of raw scores.

        Returns
        -------
        int
            Floating-point operations.
        """
        return SIMPLE * n_raw

    @abstractmethod
    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        """Replace raw by dL/draw, and leave in `record` what `values` needs.

        Parameters
        ----------
        raw : ndarray of shape (..., n_outputs, n_samples)
            Raw scores.
        target : ndarray of shape (..., n_targets, n_samples)
            Targets as numbers; as many as raw scores where `raw_per_target` is 1.
        weight : ndarray, broadcastable to raw
            Weights of the samples, divided by their sum; 1 / n_samples without weights.
        record : ndarray of shape (..., n_outputs, n_samples)
            Room for what `values` needs.
        scratch : ndarray of shape (2, ..., n_outputs, n_samples)
            Two arrays like raw, free to use.
        *constants : ndarray
            What ``constants()`` returns.
        """

    @abstractmethod
    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        """Return each sample's loss, summed over outputs.

        Parameters
        ----------
        record : ndarray of shape (..., n_outputs, n_samples)
            What `gradient` left, consumed; the leading axes may be more than there.
        target : ndarray of shape (..., n_targets, n_samples)
            Targets as numbers.
        scratch : ndarray of shape (2, ..., n_outputs, n_samples)
            Two arrays like record, free to use.
        *constants : ndarray
            What ``constants()`` returns.

        Returns
        -------
        ndarray of shape (..., n_samples)
            A view into `record`.
        """

    @abstractmethod
    def inverse_link(self, raw: Array) -> None:
        """Replace raw by predictions, in place; the first rows are what `predict` returns.

        Parameters
        ----------
        raw : ndarray of shape (..., n_outputs, n_samples)
            Raw scores, overwritten.
        """

    def pull_back(self, predicted: Array, slope: Array) -> None:
        """Replace, in `slope`, derivatives by predictions by those by raw scores.

        Only explanations of predictions and probabilities need it.

        Parameters
        ----------
        predicted : ndarray of shape (..., n_outputs, n_samples)
            What `inverse_link` has made of raw scores.
        slope : ndarray of the same shape
            The derivatives of a function of the predictions.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say how its predictions follow from raw scores: give "
            "it a method pull_back, or explain output='raw'."
        )

    def kinds(self, predicted: Array) -> Array:
        """Return rows of raw scores or predictions as (raw_per_target, n_targets, n_samples).

        Parameters
        ----------
        predicted : ndarray of shape (n_raw, n_samples)
            Raw scores or predictions; those of one kind lie together.

        Returns
        -------
        ndarray of shape (raw_per_target, n_targets, n_samples)
            A view.
        """
        return predicted.reshape(self.raw_per_target, -1, predicted.shape[1])

    def predictions(self, raw: Array) -> Array:
        """Return what an estimator predicts, of shape (n_samples,) or with axes for more.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores, consumed.

        Returns
        -------
        ndarray
            Predictions in the unit of y.
        """
        self.inverse_link(raw)
        if self.raw_per_target == 1:
            return by_sample(raw)
        kinds = self.kinds(raw)
        if not self.score_levels:
            return by_sample(kinds[0])
        levels = kinds.transpose(2, 1, 0)
        return np.ascontiguousarray(levels[:, 0] if levels.shape[1] == 1 else levels)

    def link(self, mean: Array) -> Array | None:
        """Return the raw scores (n_outputs,) whose prediction is `mean` (n_targets,), in float64.

        None says that the loss does not know them: then no intercept begins there.

        Parameters
        ----------
        mean : ndarray of shape (n_targets,)
            Means of the targets.

        Returns
        -------
        ndarray of shape (n_outputs,) or None
            The raw scores.
        """
        return None

    def start(self, y: Array, weight: Array | None) -> Array | None:
        """Return raw scores near all targets, where the output's intercepts may begin.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_targets)
            The targets.
        weight : ndarray of shape (n_samples,) or None
            Their weights; None weighs all alike.

        Returns
        -------
        ndarray of shape (n_raw,) or None
            None if it is not known.
        """
        return self.link(weighted_mean(y, weight))

    def best_constant(self, y: Array, weight: Array | None) -> Array | None:
        """Return the raw scores of the best prediction that is the same for all samples.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_targets)
            The targets.
        weight : ndarray of shape (n_samples,) or None
            Their weights; None weighs all alike.

        Returns
        -------
        ndarray of shape (n_raw,) or None
            None if it is not known.
        """
        return self.start(y, weight)

    def sample_values(self, raw: Array, target: Array) -> Array:
        """Return each sample's loss, in new arrays.

        Parameters
        ----------
        raw : ndarray of shape (n_outputs, n_samples)
            Raw scores, consumed.
        target : ndarray of shape (n_targets, n_samples)
            Targets as numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Summed over outputs.
        """
        constants = tuple(number(value, raw.dtype) for value in self.constants())
        target, weight = target.astype(raw.dtype), np.ones((), raw.dtype)
        record, scratch = np.empty_like(raw), np.empty((2, *raw.shape), raw.dtype)
        self.gradient(raw, target, weight, record, scratch, *constants)
        return self.values(record, target, scratch, *constants)

    def reported_divisor(self, n_outputs: int) -> float:
        """Return what scikit-learn's reported loss is divided by (its issue 8349).

        Parameters
        ----------
        n_outputs : int
            Number of outputs.

        Returns
        -------
        float
            What the sum over outputs is divided by; 1 for most losses.
        """
        return 1.0


LOSSES: Registry[Loss] = Registry("loss")
"""The losses of regressors."""

CLASSIFICATION_LOSSES: Registry[Loss] = Registry("loss")
"""The losses of classifiers."""


def weighted_mean(y: Array, weight: Array | None) -> Array:
    """Return the mean over samples, in float64 whatever the dtypes are."""
    weight = None if weight is None else weight.astype(np.float64)
    return np.asarray(np.average(y.astype(np.float64), axis=0, weights=weight))


def weighted_quantile(y: Array, weight: Array | None, level: float) -> Array:
    """Return the smallest value of each column that so much of the weight does not exceed."""
    columns = y.astype(np.float64)
    order = np.argsort(columns, axis=0)
    weights = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    shares = np.cumsum(weights[order], axis=0) / weights.sum()
    first = np.minimum((shares < level).sum(axis=0), len(y) - 1)
    return np.take_along_axis(columns, np.take_along_axis(order, first[np.newaxis], 0), 0)[0]


def by_sample(rows: Array) -> Array:
    """Return rows of outputs as one number, or a row of them, for each sample.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_samples)
        A row for each output.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_rows)
        The first if there is one output.
    """
    return rows[0] if len(rows) == 1 else np.ascontiguousarray(rows.T)


def sum_outputs(values: Array) -> Array:
    """Sum in place over the outputs axis, into its first row, and return that row."""
    total = values[..., 0, :]
    for k in range(1, values.shape[-2]):
        np.add(total, values[..., k, :], out=total)
    return total


POWER = 2 * FUNCTION + SIMPLE
"""What a power costs as `power` computes it."""


def power(base: Array, exponent: Array, out: Array) -> None:
    """Write base ** exponent to `out`, which may be `base`, for base >= 0."""
    # np.power has short cuts for one exponent that it does not take for a column of them; in the
    # last digit a stack of models would differ from single ones.
    xlogy(exponent, base, out)
    np.exp(out, out)
