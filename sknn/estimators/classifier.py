"""MLPClassifier."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self, get_args

from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sknn._component import own
from sknn._constraints import NONE, Check, Interval, OneOf
from sknn._math import Array
from sknn.data import StoredRows
from sknn.estimators.base import BaseMLP
from sknn.estimators.fields import estimator, param, with_parameters
from sknn.estimators.hints import with_hints
from sknn.estimators.parameters import MLPParameters
from sknn.estimators.settings import available_if_stochastic, mixes_targets
from sknn.estimators.stored import score_stored
from sknn.estimators.words import ClassLosses, ClassWeight, TargetType
from sknn.losses import CLASSIFICATION_LOSSES, Loss
from sknn.targets import ClassTargets, TargetSettings, learn_classes
from sknn.targets.class_weight import check_partial_weights
from sknn.targets.kinds import as_classes, check_classes


def _is_class_loss(value: Any) -> bool:
    return isinstance(value, Loss) and value.predicts_probabilities


@with_parameters
class ClassifierParameters(MLPParameters):
    """What a user chooses of a multilayer perceptron for classification."""

    loss: ClassLosses = param(
        default="log_loss",
        type='{"log_loss", "focal"} or Loss',
        allowed=[OneOf(CLASSIFICATION_LOSSES), Check(_is_class_loss, "a Loss of classes")],
    )
    label_smoothing: float = param(
        default=0.0,
        type="float",
        allowed=[Interval(Real, 0, 1)],
        doc="The share s of the targets that is spread evenly over the K classes while training, "
        ":math:`y' = (1 - s) y + s / K`, in [0, 1). Labels of multilabel problems have K = 2.",
    )
    class_weight: ClassWeight | None = param(
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
    target_type: TargetType = param(
        default="auto",
        type='{"auto", "multilabel", "soft"}',
        allowed=[OneOf(get_args(TargetType))],
        doc="What a matrix y holds: labels that are true (1) or not (0), or probabilities of "
        'classes, in rows that sum to 1. "auto" takes a float matrix for probabilities if it has '
        "an entry strictly between 0 and 1; one that is exactly one-hot counts as labels.",
    )


@estimator
class MLPClassifier(ClassifierParameters, ClassifierMixin, BaseMLP):
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

    See Also
    --------
    sknn.MLPRegressor : The same network for numbers.
    sknn.TabularMLPClassifier : Networks with defaults for tables: nothing to encode or to tune.
    sknn.model_selection.LearningRateSearchCV : Finds the learning rate.
    sklearn.neural_network.MLPClassifier : The model that it equals at its defaults.

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
    >>> network = MLPClassifier(random_state=0, max_iter=400)
    >>> model = make_pipeline(StandardScaler(), network)
    >>> print(f"{cross_val_score(model, X, y).mean():.2f}")
    0.98
    """

    classes_: Array | Any
    _targets: ClassTargets

    @available_if_stochastic
    @with_hints
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
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

    def predict(self, X: Any) -> Array | Any:
        """Predict the classes of samples.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class, or for each label whether its probability exceeds 1/2.
            Multilabel predictions are sparse if the targets were.
        """
        raw = self._predict_raw(X)
        return self._targets.predict(raw)

    def predict_proba(self, X: Any) -> Array | Any:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each of ``classes_``. Rows sum to 1, but not in multilabel problems. With
            several targets of many classes, one array for each target.
        """
        raw = self._predict_raw(X)
        return self._targets.predict_proba(raw)

    def predict_log_proba(self, X: Any) -> Array | Any:
        """Predict the logarithms of the probabilities of the classes.

        They are computed from the raw scores (a log-softmax), so they stay finite where the
        probability itself is rounded to 0.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each of ``classes_``.
        """
        raw = self._predict_raw(X)
        return self._targets.predict_log_proba(raw)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy on samples and their targets.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets. Of probabilities the most likely class counts; of several targets all must
            be right.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            The share of samples that are right.
        """
        if "_targets" not in vars(self):
            check_is_fitted(self)
        if isinstance(X, StoredRows):
            return score_stored(self, X, y, sample_weight)
        return self._targets.accuracy(self.predict(X), y, sample_weight)

    def _target_settings(self) -> TargetSettings:
        return TargetSettings(
            loss=CLASSIFICATION_LOSSES.resolve(own(self.loss)),
            class_weight=self.class_weight,
            label_smoothing=self.label_smoothing,
            are_mixed=mixes_targets(self),
        )

    def _learn_targets(self, y: Any, classes: Any, settings: TargetSettings) -> ClassTargets:
        return learn_classes(y, classes, self.target_type, settings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
