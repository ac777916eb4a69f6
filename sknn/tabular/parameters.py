"""The parameters of the tabular estimators: name, default, what is allowed, and what they mean."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sknn._constraints import BOOLEAN, NONE, Check, Interval, Member, OneOf
from sknn._math import Array
from sknn.activations import ACTIVATIONS, Activation
from sknn.estimators.fields import Declared, param, with_parameters
from sknn.estimators.parameters import CHECKPOINT, CHECKPOINT_SECONDS
from sknn.estimators.validation import RANDOM_STATE, SEQUENCE, SPLITTER
from sknn.estimators.words import (
    ActivationName,
    CategoricalFeatures,
    Folds,
    Path,
    RandomState,
    Sizes,
)
from sknn.tabular.presets import PRESETS, PresetName

PRESETS_OWN = "None is the preset's."


class Published:
    """What is published of an ensemble once it is fitted, for type checkers."""

    n_features_in_: int
    feature_names_in_: Array
    preset_: dict[str, Any]
    oof_prediction_: Array | Any
    oof_score_: float
    n_iter_: list[int]


@with_parameters
class TabularParameters(Published, Declared):
    """What a user chooses of an ensemble for tables, and what is published once it is fitted.

    Attributes
    ----------
    n_features_in_ : int
        The number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where they are all strings.
    preset_ : dict
        The numbers that were used.
    oof_prediction_ : ndarray, or list of ndarray
        What the ensemble says of each row of X with the networks that have not been trained on it;
        NaN for rows that no fold has held out. Of classes their probabilities, of several targets a
        list of them.
    oof_score_ : float
        The score of these predictions, as `score` returns it.
    member_weights_ : DataFrame
        What each kind of network at each moment counts, and the temperature of its probabilities.
    members_ : list
        The networks of each kind.
    n_iter_ : list of int
        Epochs of each kind.
    training_report_ : TrainingReport
        What the training has cost: epochs, steps, operations, time, memory and energy.
    """

    preset: PresetName = param(
        default="default",
        type='{"fast", "default", "best"}',
        allowed=[OneOf(list(PRESETS))],
        doc="How much is spent: which networks there are, how many, and how long they are trained.",
        kw_only=False,
    )
    categorical_features: CategoricalFeatures = param(
        default="from_dtype",
        type='"from_dtype" or array-like of bool, int or str',
        doc="Which columns hold categories, beside those whose dtype says so (categories, strings, "
        "bools).",
    )
    cv: Folds | None = param(
        default=None,
        type="int, splitter, iterable of splits or None",
        allowed=[
            NONE,
            Interval(Integral, 2, None),
            SPLITTER,
            Check(
                lambda value: hasattr(value, "__iter__") and not isinstance(value, str), "splits"
            ),
        ],
        doc="Folds, of each of which every kind of network leaves one out: a number of at least 2, "
        f"or one of scikit-learn's splitters. {PRESETS_OWN}",
    )
    max_iter: int | None = param(
        default=None,
        type="int or None",
        allowed=[NONE, Interval(Integral, 1, None)],
        doc=f"Epochs of each network, at least 1. {PRESETS_OWN}",
    )
    hidden_layer_sizes: Sizes | None = param(
        default=None,
        type="sequence of int or None",
        allowed=[NONE, SEQUENCE, Interval(Integral, 1, None)],
        doc=f"Units of each hidden layer. {PRESETS_OWN}",
    )
    activation: ActivationName | Activation | None = param(
        default=None,
        type="str, Activation or None",
        allowed=[NONE, Member(ACTIVATIONS, Activation)],
        doc=f"The function between the layers. {PRESETS_OWN}",
    )
    learning_rate_init: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None, "neither")],
        doc=f"The highest learning rate, positive. {PRESETS_OWN}",
    )
    weight_decay: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None)],
        doc=f"Decoupled weight decay, at least 0. {PRESETS_OWN}",
    )
    dropout: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, 1)],
        doc="Share of a hidden layer's outputs that a training step sets to 0, in [0, 1). "
        f"{PRESETS_OWN}",
    )
    batch_size: int | None = param(
        default=None,
        type="int or None",
        allowed=[NONE, Interval(Integral, 1, None)],
        doc="Samples of a batch, at least 1. None chooses 64 to 1024 by the number of rows.",
    )
    n_bins: int | None = param(
        default=None,
        type="int or None",
        allowed=[NONE, Interval(Integral, 2, None)],
        doc=f"Bins of a number at most, at least 2. {PRESETS_OWN}",
    )
    max_time: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None, "neither")],
        doc="Seconds that `fit` may take, positive. Where they are short there are fewer epochs, "
        "then fewer kinds of networks, then fewer folds, and a warning says so.",
    )
    max_flops: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None, "neither")],
        doc="Floating-point operations that the training may take at most, positive, counted as in "
        "`training_report_`. Where they are few, the same is given up as for `max_time`; they mean "
        "the same ensemble on every machine.",
    )
    warm_start: bool = param(
        default=False,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether a further `fit` to the same table adds networks to those that there are.",
    )
    random_state: RandomState | None = param(
        default=None,
        type="int, RandomState instance or None",
        allowed=[RANDOM_STATE],
        doc="Seeds folds, weights, shuffling and dropout.",
    )
    verbose: bool | int = param(
        default=False,
        type="bool or int",
        allowed=[BOOLEAN, Interval(Integral, 0, None)],
        doc="Whether to print how far the training is.",
    )
    checkpoint: Path | None = CHECKPOINT
    checkpoint_seconds: float = CHECKPOINT_SECONDS
