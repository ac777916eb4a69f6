"""DaskMLPClassifier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn.dask.base import (
    CLIENT,
    N_SHARDS,
    OUTER_LEARNING_RATE,
    OUTER_MOMENTUM,
    SYNC_EVERY,
    BaseDaskMLP,
)
from sknn.dask.shards import Survey
from sknn.estimators.classifier import ClassifierParameters, MLPClassifier
from sknn.estimators.fields import estimator, with_parameters
from sknn.targets import ClassTargets, TargetSettings, learn_classes
from sknn.targets.class_weight import class_factors
from sknn.targets.kinds import labels_of


@with_parameters
class DaskClassifierParameters(ClassifierParameters):
    """What a user chooses of a classifier on a cluster."""

    client: Any = CLIENT
    n_shards: int | None = N_SHARDS
    sync_every: int = SYNC_EVERY
    outer_learning_rate: float = OUTER_LEARNING_RATE
    outer_momentum: float = OUTER_MOMENTUM


@estimator
class DaskMLPClassifier(DaskClassifierParameters, ClassifierMixin, BaseDaskMLP):
    """Multilayer perceptron for classification on a Dask cluster.

    One fit is shared by the workers: the rows are divided into shards, which stay where they are,
    and only parameters travel. With the same `random_state` it comes to the same, to the bit, on
    any number of workers. See the user guide for what `sync_every` trades.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        The classes, sorted; in multilabel problems the numbers of the labels.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        "softmax", or "logistic" for binary and multilabel problems.

    See Also
    --------
    sknn.MLPClassifier : The same network on one machine.
    sknn.data.from_parquet : Files larger than memory on one machine.

    References
    ----------
    Stich, S. U., "Local SGD converges fast and communicates little", ICLR 2019.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from sknn.dask import DaskMLPClassifier
    >>> X, y = (da.from_array(a, 50) for a in load_iris(return_X_y=True))
    >>> client = Client(
    ...     processes=False, n_workers=1, dashboard_address=":0"
    ... )
    >>> net = DaskMLPClassifier(
    ...     learning_rate_init=0.01, target_loss=0.1, n_shards=3, random_state=0
    ... ).fit(X, y)
    >>> net.predict(X).shape
    (150,)
    >>> print(f"{float(net.score(X, y)):.2f}")
    0.97
    >>> client.close()
    """

    classes_: Array | Any
    _counterpart = MLPClassifier
    _are_numbers = False

    def predict(self, X: Any) -> Any:
        """Predict the classes of samples.

        Parameters
        ----------
        X : {array-like, dask Array or DataFrame} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        array-like of shape (n_samples,) or (n_samples, n_labels)
            As :meth:`sknn.MLPClassifier.predict`; lazy for a Dask collection.
        """
        return self._answer("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, dask Array or DataFrame} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        array-like of shape (n_samples, n_classes)
            As :meth:`sknn.MLPClassifier.predict_proba`; lazy for a Dask collection.
        """
        return self._answer("predict_proba", X)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, dask Array or DataFrame} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        array-like of shape (n_samples, n_classes)
            As :meth:`sknn.MLPClassifier.predict_log_proba`; lazy for a Dask collection.
        """
        return self._answer("predict_log_proba", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Return the accuracy on samples and their targets.

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
            The share of samples that are right; lazy for Dask collections.
        """
        return self._score(X, y, sample_weight)

    def _learn(self, surveys: list[Survey]) -> tuple[ClassTargets, Any]:
        settings = self._target_settings()
        found = [s for s in surveys if s.n_rows]
        is_balanced = isinstance(settings.class_weight, str)
        if found[0].labels.ndim == 2:
            if is_balanced:
                raise InvalidParameterError(
                    "class_weight='balanced' on a cluster needs y with one column; give the "
                    "weights as a dict."
                )
            labels = np.concatenate([s.labels for s in found])
        else:
            if len({s.labels.dtype.kind in "UO" for s in found}) > 1:
                raise ValueError(
                    "Some partitions of y have texts and others numbers; labels need one type, for "
                    "example y.astype(str)."
                )
            labels = labels_of(np.concatenate([s.labels for s in found]))
            if is_balanced:
                totals = np.zeros(len(labels))
                for s in found:
                    totals[np.searchsorted(labels, s.labels)] += s.weights
                codes = np.arange(len(labels))
                factors = class_factors("balanced", labels, codes, totals)
                table = dict(zip(labels.tolist(), factors.tolist(), strict=True))
                settings = replace(settings, class_weight=table)
        return self._learn_targets(labels, None, settings), labels

    def _learn_targets(self, y: Any, classes: Any, settings: TargetSettings) -> ClassTargets:
        return learn_classes(y, classes, self.target_type, settings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
