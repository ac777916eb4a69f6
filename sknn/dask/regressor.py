"""DaskMLPRegressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from sknn._constraints import InvalidParameterError
from sknn.dask.base import (
    CLIENT,
    N_SHARDS,
    OUTER_LEARNING_RATE,
    OUTER_MOMENTUM,
    SYNC_EVERY,
    BaseDaskMLP,
)
from sknn.dask.shards import Survey
from sknn.estimators.fields import estimator, with_parameters
from sknn.estimators.regressor import MLPRegressor, RegressorParameters
from sknn.targets import Numbers, TargetSettings


@with_parameters
class DaskRegressorParameters(RegressorParameters):
    """What a user chooses of a regressor on a cluster."""

    client: Any = CLIENT
    n_shards: int | None = N_SHARDS
    sync_every: int = SYNC_EVERY
    outer_learning_rate: float = OUTER_LEARNING_RATE
    outer_momentum: float = OUTER_MOMENTUM


@estimator
class DaskMLPRegressor(DaskRegressorParameters, RegressorMixin, BaseDaskMLP):
    """Multilayer perceptron for regression on a Dask cluster.

    One fit is shared by the workers: the rows are divided into shards, which stay where they are,
    and only parameters travel. With the same `random_state` it comes to the same, to the bit, on
    any number of workers. See the user guide for what `sync_every` trades.

    Attributes
    ----------
    n_outputs_ : int
        Number of targets.
    out_activation_ : str
        "identity", or "exp" with the Poisson, gamma and Tweedie losses.

    See Also
    --------
    sknn.MLPRegressor : The same network on one machine.
    sknn.data.from_parquet : Files larger than memory on one machine.

    References
    ----------
    Stich, S. U., "Local SGD converges fast and communicates little", ICLR 2019.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sknn.dask import DaskMLPRegressor
    >>> rng = da.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 3), chunks=(500, 3))
    >>> y = X.sum(axis=1)
    >>> client = Client(
    ...     processes=False, n_workers=1, dashboard_address=":0"
    ... )
    >>> net = DaskMLPRegressor(n_shards=2, max_iter=50, random_state=0)
    >>> net = net.fit(X, y)
    >>> print(f"{float(net.score(X, y)):.2f}")
    1.00
    >>> client.close()
    """

    _counterpart = MLPRegressor
    _are_numbers = True

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the targets of samples.

        Parameters
        ----------
        X : {array-like, dask Array or DataFrame} of shape (n_samples, n_features)
            The samples.
        return_std : bool, default=False
            Whether to return standard deviations, too; needs ``loss="gaussian"``.

        Returns
        -------
        array-like of shape (n_samples,) or (n_samples, n_outputs)
            As :meth:`sknn.MLPRegressor.predict`; lazy for a Dask collection.
        array-like of the same shape
            The standard deviations, with `return_std`.
        """
        return self._answer("predict", X, return_std=return_std)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Return R^2 on samples and their targets.

        Parameters
        ----------
        X : {array-like, dask Array or DataFrame} of shape (n_samples, n_features)
            The samples.
        y : {array-like, dask Array or Series} of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : {array-like, dask Array or Series}, default=None
            Weights of the samples.

        Returns
        -------
        float or dask Array of shape ()
            At most 1; lazy for Dask collections.
        """
        return self._score(X, y, sample_weight)

    def _check_cluster_settings(self) -> None:
        super()._check_cluster_settings()
        if self.early_stopping and self.scoring is None:
            loss = self._target_settings().loss
            if loss.score_levels:
                raise InvalidParameterError(
                    f"scoring=None with loss={self.loss!r} cannot be used on a cluster: the score "
                    "of quantiles is no sum over shards. Use scoring='loss'."
                )

    def _learn(self, surveys: list[Survey]) -> tuple[Numbers, Any]:
        n_columns = max(len(survey.sums) for survey in surveys)
        settings = self._target_settings()
        return self._learn_targets(np.empty((0, n_columns)), None, settings), None

    def _learn_targets(self, y: Any, classes: Any, settings: TargetSettings) -> Numbers:
        return Numbers.learn(y, settings)
