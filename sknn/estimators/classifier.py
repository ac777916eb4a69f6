"""MLPClassifier."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Self

from sklearn.base import ClassifierMixin

from sknn._component import own
from sknn._constraints import NONE, Check, Interval, OneOf
from sknn._math import Array
from sknn.estimators.base import BaseMLP
from sknn.estimators.class_weight import (
    check_partial_weights,
    class_factors,
    label_weights,
    sample_weights,
    smooth,
    warn_if_imbalanced,
)
from sknn.estimators.evaluation import HeldOut
from sknn.estimators.fields import estimator, param, with_parameters
from sknn.estimators.hints import with_hints
from sknn.estimators.parameters import MLPParameters
from sknn.estimators.prediction import ClassPredictions
from sknn.estimators.scoring import accuracy
from sknn.estimators.settings import available_if_stochastic, mixes_targets
from sknn.estimators.targets import (
    MultiOutputEncoding,
    as_classes,
    check_classes,
    learn_encoding,
)
from sknn.estimators.validation import is_class_loss
from sknn.losses import CLASSIFICATION_LOSSES, Grouped, LabelWeighted, Loss
from sknn.solvers import TrainingState


@with_parameters
class ClassifierParameters(MLPParameters):
    """What a user chooses of a multilayer perceptron for classification."""

    loss: Any = param(
        default="log_loss",
        type='{"log_loss", "focal"} or Loss',
        allowed=[OneOf(CLASSIFICATION_LOSSES), Check(is_class_loss, "a Loss of classes")],
    )
    label_smoothing: float = param(
        default=0.0,
        type="float",
        allowed=[Interval(Real, 0, 1)],
        doc="The share s of the targets that is spread evenly over the K classes while training, "
        ":math:`y' = (1 - s) y + s / K`, in [0, 1). Labels of multilabel problems have K = 2.",
    )
    class_weight: Any = param(
        default=None,
        type='dict, list of dict, "balanced" or None',
        allowed=[
            NONE,
            OneOf(["balanced"]),
            Check(lambda value: isinstance(value, (dict, list)), "a dict or a list of dicts"),
        ],
        doc="Weights of the classes; one without an entry weighs 1, and several targets may have a "
        'dict each. "balanced" gives all classes that occur the same total, sample weights '
        "included. In multilabel problems a dict has the weights of each label's positive samples, "
        'and "balanced" gives them that of the negative ones.',
    )
    target_type: str = param(
        default="auto",
        type='{"auto", "multilabel", "soft"}',
        allowed=[OneOf(["auto", "multilabel", "soft"])],
        doc="What a matrix y holds: labels that are true (1) or not (0), or probabilities of "
        'classes, in rows that sum to 1. "auto" takes a float matrix for probabilities if it has '
        "an entry strictly between 0 and 1; one that is exactly one-hot counts as labels.",
    )


@estimator
class MLPClassifier(ClassifierParameters, ClassPredictions, ClassifierMixin, BaseMLP):
    r"""Multilayer perceptron for classification.

    A network of layers :math:`h_{l+1} = f(h_l W_l + b_l)` is trained to minimise

    .. math::
        J(\theta) = \frac{1}{\sum_i w_i} \Big( -\sum_i w_i \log p_{i, y_i}
        + \frac{\alpha}{2} \sum_l \lVert W_l \rVert^2 \Big)

    over each batch, where p is the softmax of the raw scores. Two classes need but one score and
    the logistic function, and so does each of several labels.

    At its defaults it is the model of :class:`sklearn.neural_network.MLPClassifier`, up to rounding
    and the differences listed in the user guide.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        The classes, sorted, for each target; in multilabel problems the numbers of the labels.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        "softmax", or "logistic" for binary and multilabel problems.

    References
    ----------
    Hinton, G., "Connectionist learning procedures", Artificial Intelligence 40 (1989).

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPClassifier(random_state=0, max_iter=400))
    >>> print(f"{cross_val_score(model, X, y).mean():.2f}")
    0.98
    """

    @available_if_stochastic
    @with_hints
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch on the given samples, going on from the last call.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The classes; some may be missing.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur. Required in the first call; not for probabilities.
        X_val : array-like of shape (n_validation_samples, n_features), default=None
            Samples to validate on. With `early_stopping` the score on them decides when training
            ends: the best weights are then restored, and further calls change nothing.
        y_val : array-like of shape (n_validation_samples,) or more columns, default=None
            Their targets.
        sample_weight_val : float or array-like, default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_partial_weights(self.class_weight)
        classes = as_classes(classes)
        check_classes(getattr(self, "classes_", None), classes, y, self.target_type)
        given = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, given, is_partial=True, classes=classes)

    def _encode_targets(self, y: Any, is_first: bool, classes: Any, is_partial: bool) -> Array:
        if is_first:
            self._encoding = learn_encoding(y, classes, self.target_type)
            self.classes_: Any = self._encoding.classes
        if not is_first or classes is not None:
            self._encoding.check(y, must_have_all=self.warm_start and not is_partial)
        return self._encoding.encode(y)

    def _encode_held_out(self, y: Any) -> Array:
        self._encoding.check(y, must_have_all=False, name="y_val")
        return self._encoding.encode(y)

    def _training_targets(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        self._class_factors: list[Array] = []
        if self.class_weight is not None:
            self._class_factors = class_factors(self.class_weight, self._encoding, y, weight)
        return smooth(y, self.label_smoothing, self._encoding), self._weigh(y, weight)

    def _weigh(self, y: Array, weight: Array | None) -> Array | None:
        return sample_weights(self._class_factors, self._encoding, y, weight)

    def _make_loss(self, y: Array, weight: Array | None) -> Loss:
        encoding = self._encoding
        are_soft = encoding.are_soft or self.label_smoothing > 0 or mixes_targets(self)
        loss = CLASSIFICATION_LOSSES.resolve(own(self.loss))
        if isinstance(encoding, MultiOutputEncoding):
            return Grouped(loss.for_targets(True, are_soft), encoding.sizes)
        loss = loss.for_targets(encoding.is_multiclass, are_soft)
        if encoding.is_multilabel and self.class_weight is not None:
            return LabelWeighted(loss, label_weights(self.class_weight, y, weight))
        return loss

    def _strata(self, y: Array) -> Array | None:
        return self._encoding.strata(y, math.ceil(self.validation_fraction * len(y)))

    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        self._loss.inverse_link(raw)
        is_right = self._encoding.is_right(self._encoding.decide(raw), y)
        return accuracy(is_right, sample_weight)

    def _check_validation_scores(self, state: TrainingState, held_out: HeldOut) -> None:
        warn_if_imbalanced(self._encoding, held_out, state.best_score)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
