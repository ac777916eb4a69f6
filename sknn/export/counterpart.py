"""Fitted networks as scikit-learn's own estimators."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import scipy.sparse as sp
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state

import sknn.estimators
from sknn._math import Array
from sknn.activations import Identity, Logistic, ReLU, Tanh
from sknn.export.layers import LAYER_FORMULAS
from sknn.export.links import LINK_FORMULAS
from sknn.export.models import single_of
from sknn.export.refusal import of_package, refusal
from sknn.layers import ActivationLayer, Affine, Linear, ScaledLinear
from sknn.parameters import tree_map
from sknn.targets import Classes, Labels, Numbers, Probabilities, SeveralClasses, Targets
from sknn.training import Trained

ACTIVATIONS = {Identity: "identity", Logistic: "logistic", ReLU: "relu", Tanh: "tanh"}
"""What scikit-learn calls our activations."""

THERE = "by scikit-learn's MLPClassifier and MLPRegressor"

HISTORY = (
    "n_iter_",
    "t_",
    "loss_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
)
"""What training has left and scikit-learn calls the same."""


@overload
def to_sklearn(estimator: sknn.estimators.MLPClassifier) -> MLPClassifier: ...
@overload
def to_sklearn(estimator: sknn.estimators.MLPRegressor) -> MLPRegressor: ...
@overload
def to_sklearn(estimator: Any) -> Any: ...
def to_sklearn(estimator: Any) -> Any:
    """Return scikit-learn's own MLPClassifier or MLPRegressor with the same answers.

    Dropout is of no account at prediction, and batch normalisation and the factors of
    ``front="scale"`` are multiplied with the weights. A loss that scikit-learn does not have is
    expressed by one whose predictions are the same; so are means without their deviations, and
    probabilities as targets. Parameters of the same names have the same values, where scikit-learn
    allows them. Its ``warm_start`` and ``partial_fit`` go on from the weights, with its own loss
    and moments that begin anew.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; or a search that has found one.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
        The fitted estimator.

    Raises
    ------
    ValueError
        If the network cannot be expressed so. It says what stands in the way.

    See Also
    --------
    sknn.export.to_onnx : A format that other languages read.
    sknn.export.to_python : A module that needs NumPy alone.
    sklearn.neural_network.MLPClassifier : What a classifier becomes.
    sklearn.neural_network.MLPRegressor : What a regressor becomes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.export import to_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(
    ...     5, normalization="batch", tol=0.01, random_state=0
    ... ).fit(X, y)
    >>> twin = to_sklearn(network)
    >>> type(twin).__module__.split(".")[0]
    'sklearn'
    >>> bool((twin.predict(X) == network.predict(X)).all())
    True
    """
    found = single_of(estimator, "to_sklearn")
    if not isinstance(found, (sknn.estimators.MLPClassifier, sknn.estimators.MLPRegressor)):
        raise ValueError(
            f"{type(found).__name__} cannot be expressed {THERE}: only an MLPClassifier or "
            "MLPRegressor of sknn can."
        )
    trained = found._trained()
    chain = _chain_of(trained)
    _fit_targets(chain, trained)
    kind: Any = MLPRegressor if trained.targets.are_numbers else MLPClassifier
    twin = kind(**_parameters_of(found, kind, chain))
    vars(twin).update(_attributes_of(found, trained.targets, chain, twin.solver))
    return twin


@dataclass
class Chain:
    """Weights and activations that follow each other, as scikit-learn has them.

    Attributes
    ----------
    coefs, intercepts : list of ndarray
    activations : list of str
        Those of the hidden layers.
    link : str
        What is made of raw scores.
    """

    coefs: list[Array] = field(default_factory=list)
    intercepts: list[Array] = field(default_factory=list)
    activations: list[str] = field(default_factory=list)
    link: str = ""

    def add_linear(self, coef: Array, intercept: Array | None) -> None:
        """Add weighted sums; without an activation in between there is the identity."""
        if len(self.activations) < len(self.coefs):
            self.activations.append("identity")
        self.coefs.append(np.array(coef))
        self.intercepts.append(
            np.zeros(coef.shape[1], coef.dtype) if intercept is None else np.array(intercept)
        )

    def scale(self, scale: Array, shift: Array) -> None:
        """Multiply the latest sums by factors and move them."""
        self.coefs[-1] = self.coefs[-1] * scale
        self.intercepts[-1] = self.intercepts[-1] * scale + shift

    def keep_outputs(self, columns: Any) -> None:
        """Keep some of the raw scores."""
        self.coefs[-1] = self.coefs[-1][:, columns]
        self.intercepts[-1] = self.intercepts[-1][columns]

    def subtract_outputs(self) -> None:
        """Make one score of two: by how much the second exceeds the first."""
        for arrays in (self.coefs, self.intercepts):
            arrays[-1] = arrays[-1][..., 1:] - arrays[-1][..., :1]


def _chain_of(trained: Trained) -> Chain:
    """Return a network as weights and activations, or raise ValueError."""
    network, chain = trained.network, Chain()
    network.publication.check_shapes(trained.parameters)
    parameters = [tree_map(np.asarray, tree) for tree in trained.parameters]
    for layer, own in zip(network.layers, parameters, strict=True):
        of_package(layer, LAYER_FORMULAS, "front")
        then, arrays = layer.at_prediction(own)
        if then is None:
            continue
        kind = type(then)
        if kind is Linear or kind is ScaledLinear:
            factors = arrays["scale"][:, np.newaxis] if kind is ScaledLinear else 1
            chain.add_linear(arrays["coef"] * factors, arrays.get("intercept"))
        elif kind is Affine and len(chain.activations) < len(chain.coefs):
            chain.scale(arrays["scale"], arrays["shift"])
        elif kind is ActivationLayer and type(then.activation) in ACTIVATIONS:
            chain.activations.append(ACTIVATIONS[type(then.activation)])
        else:
            raise _stands_in_the_way(then)
    return _with_one_activation(chain)


def _with_one_activation(chain: Chain) -> Chain:
    different = sorted(set(chain.activations))
    if len(different) > 1:
        raise refusal(
            f"activation={chain.activations!r}: hidden layers with several activations",
            THERE,
            "These have one for all hidden layers.",
        )
    return chain


def _stands_in_the_way(layer: Any) -> ValueError:
    name = type(layer).__name__
    if isinstance(layer, ActivationLayer):
        function = getattr(layer.activation, "function", layer.activation)
        return refusal(
            f"activation={type(function).__name__}",
            THERE,
            f"These have {', '.join(sorted(ACTIVATIONS.values()))}.",
        )
    parameter = {"LayerNorm": "normalization='layer'", "Residual": "residual=True"}.get(name)
    return refusal(f"{parameter or f'front={name}'} (the layer {name})", THERE)


def _fit_targets(chain: Chain, trained: Trained) -> None:
    """Give the raw scores the form that scikit-learn has for targets of a kind."""
    targets, loss = trained.targets, trained.loss
    chain.link = loss.out_activation
    for each in (loss, getattr(loss, "loss", loss)):
        of_package(each, LINK_FORMULAS, "loss")
    if isinstance(targets, SeveralClasses):
        raise refusal("y with several targets of classes", THERE, "Fit one network for each.")
    if isinstance(targets, Classes) and targets.has_one_class:
        raise refusal(
            f"y with the single class {targets.classes.tolist()[0]!r}",
            THERE,
            "Their predict_proba has two columns then.",
        )
    if loss.score_levels:
        raise refusal(f"loss={loss!r} with a prediction for each of several levels", THERE)
    if loss.raw_per_target > 1:
        chain.keep_outputs(slice(targets.n_outputs))  # the means
    if isinstance(targets, Probabilities) and targets.n_outputs == 2:
        chain.subtract_outputs()
        chain.link = "logistic"
    if chain.link == "exp" and "loss" not in inspect.signature(MLPRegressor).parameters:
        raise refusal(
            f"loss={type(loss).__name__}, whose predictions are exp of the raw scores,",
            "by scikit-learn's MLPRegressor before version 1.7",
        )


def _parameters_of(estimator: Any, kind: Any, chain: Chain) -> dict[str, Any]:
    """Return parameters for the constructor of scikit-learn's estimator."""
    sizes = tuple(coef.shape[1] for coef in chain.coefs[:-1])
    chosen: dict[str, Any] = {"hidden_layer_sizes": sizes}
    if chain.activations:
        chosen["activation"] = chain.activations[0]
    names = list(inspect.signature(kind).parameters)
    if "loss" in names:
        chosen["loss"] = "poisson" if chain.link == "exp" else "squared_error"
    given = estimator.get_params(deep=False)
    for name in names:
        if name in given and name not in chosen and _is_allowed(kind, name, given[name]):
            chosen[name] = copy.deepcopy(given[name])
    return chosen


def _is_allowed(kind: Any, name: str, value: Any) -> bool:
    """Whether scikit-learn takes a value of a parameter."""
    try:
        kind(**{name: value})._validate_params()
    except ValueError:
        return False
    return True


def _attributes_of(estimator: Any, targets: Targets, chain: Chain, solver: str) -> dict[str, Any]:
    """Return the attributes of scikit-learn's estimator, with private ones that it reads."""
    fitted = vars(estimator)
    names = ("n_features_in_", "feature_names_in_", *HISTORY)
    attributes = {name: copy.copy(fitted[name]) for name in names if name in fitted}
    if solver == "lbfgs":
        for name in ("loss_curve_", "validation_scores_", "best_validation_score_"):
            attributes.pop(name, None)
    elif not estimator.early_stopping:
        attributes["validation_scores_"] = attributes["best_validation_score_"] = None
    attributes |= {
        "coefs_": chain.coefs,
        "intercepts_": chain.intercepts,
        "n_layers_": len(chain.coefs) + 1,
        "n_outputs_": chain.coefs[-1].shape[1],
        "out_activation_": chain.link,
        "_best_coefs": [coef.copy() for coef in chain.coefs],
        "_best_intercepts": [intercept.copy() for intercept in chain.intercepts],
        "_no_improvement_count": 0,
        "_random_state": check_random_state(copy.deepcopy(estimator.random_state)),
    }
    if not isinstance(targets, Numbers):
        binarizer = LabelBinarizer().fit(_examples(targets))
        attributes |= {"_label_binarizer": binarizer, "classes_": binarizer.classes_}
    return attributes


def _examples(targets: Any) -> Any:
    """Return targets from which a LabelBinarizer learns what there is to know."""
    if not isinstance(targets, Labels):
        return targets.classes
    both = np.repeat([[0], [1]], targets.n_outputs, axis=1)
    return getattr(sp, targets.container)(both) if targets.container else both
