"""Names that users bring from elsewhere, and what is called so here.

Foreign names are never accepted; a message that refuses one says the right one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SYNONYMS = {
    # what the same thing is called in Keras, PyTorch and elsewhere
    "mae": "absolute_error",
    "l1": "absolute_error",
    "l1loss": "absolute_error",
    "mean_absolute_error": "absolute_error",
    "mse": "squared_error",
    "l2": "squared_error",
    "mseloss": "squared_error",
    "mean_squared_error": "squared_error",
    "huberloss": "huber",
    "smooth_l1": "huber",
    "smoothl1loss": "huber",
    "logcosh": "log_cosh",
    "pinball": "quantile",
    "poissonnllloss": "poisson",
    "gaussiannllloss": "gaussian",
    "normal": "gaussian",
    "bce": "log_loss",
    "bceloss": "log_loss",
    "bcewithlogitsloss": "log_loss",
    "binary_crossentropy": "log_loss",
    "binary_cross_entropy": "log_loss",
    "categorical_crossentropy": "log_loss",
    "sparse_categorical_crossentropy": "log_loss",
    "cross_entropy": "log_loss",
    "crossentropy": "log_loss",
    "crossentropyloss": "log_loss",
    "nll": "log_loss",
    "nllloss": "log_loss",
    "softmax": "log_loss",
    "focal_loss": "focal",
    "binary_focal_crossentropy": "focal",
    "swish": "silu",
    "linear": "identity",
    "none": "identity",
    "leakyrelu": "leaky_relu",
    "l-bfgs": "lbfgs",
    "bfgs": "lbfgs",
    "momentum": "sgd",
    "nesterov": "sgd",
    "adamax": "adam",
    "batch_norm": "batch",
    "batchnorm": "batch",
    "batch_normalization": "batch",
    "batchnormalization": "batch",
    "batchnorm1d": "batch",
    "layer_norm": "layer",
    "layernorm": "layer",
    "layernormalization": "layer",
    "xavier": "glorot",
    "xavier_uniform": "glorot",
    "glorot_uniform": "glorot",
    "glorot_normal": "glorot",
    "kaiming": "he",
    "kaiming_uniform": "he",
    "he_uniform": "he",
    "he_normal": "he",
    "lecun_normal": "lecun",
    "exponential_moving_average": "ema",
    "moving_average": "ema",
    "stochastic_weight_averaging": "swa",
    "cosine_annealing": "cosine",
    "cosineannealinglr": "cosine",
    "cosine_decay": "cosine",
    "onecycle": "one_cycle",
    "onecyclelr": "one_cycle",
    "1cycle": "one_cycle",
    "steplr": "step",
    "exponentiallr": "exponential",
    "exponential_decay": "exponential",
    "reduce_lr_on_plateau": "adaptive",
    "reducelronplateau": "adaptive",
    "noise": "gaussian_noise",
}
"""Names by which other libraries call what we have; in lower case."""

_X_VAL = "X_val and y_val, of fit"

ELSEWHERE = {
    # parameters of Keras, PyTorch, skorch, XGBoost, LightGBM and scikit-learn's other estimators
    "epochs": "max_iter, of the constructor",
    "n_epochs": "max_iter, of the constructor",
    "num_epochs": "max_iter, of the constructor",
    "max_epochs": "max_iter, of the constructor",
    "nb_epoch": "max_iter, of the constructor",
    "iterations": "max_iter, of the constructor",
    "n_iter": "max_iter, of the constructor",
    "n_estimators": "max_iter, of the constructor",
    "lr": "learning_rate_init, of the constructor",
    "eta": "learning_rate_init, of the constructor",
    "eta0": "learning_rate_init, of the constructor",
    "learning_rate_initial": "learning_rate_init, of the constructor",
    "lr_scheduler": "learning_rate, of the constructor",
    "scheduler": "learning_rate, of the constructor",
    "schedule": "learning_rate, of the constructor",
    "eval_set": _X_VAL,
    "eval_x": _X_VAL,
    "eval_y": _X_VAL,
    "valid_sets": _X_VAL,
    "validation_data": _X_VAL,
    "validation_set": _X_VAL,
    "x_valid": _X_VAL,
    "y_valid": _X_VAL,
    "x_validation": _X_VAL,
    "y_validation": _X_VAL,
    "x_test": _X_VAL,
    "y_test": _X_VAL,
    "eval_sample_weight": "sample_weight_val, of fit",
    "sample_weight_eval_set": "sample_weight_val, of fit",
    "validation_split": "validation_fraction, of the constructor, with early_stopping=True",
    "valid_fraction": "validation_fraction, of the constructor, with early_stopping=True",
    "train_split": "validation_fraction, of the constructor, with early_stopping=True",
    "restore_best_weights": "what early_stopping=True does",
    "min_delta": "tol, of the constructor",
    "tolerance": "tol, of the constructor",
    "monitor": "scoring, of the constructor",
    "nesterov": "nesterovs_momentum, of the constructor",
    "act": "activation, of the constructor",
    "penalty": "alpha, of the constructor, with l1_ratio",
    "patience": "n_iter_no_change, of the constructor",
    "early_stopping_rounds": "n_iter_no_change, of the constructor, with early_stopping=True",
    "optimizer": "solver, of the constructor",
    "optim": "solver, of the constructor",
    "criterion": "loss, of the constructor",
    "loss_function": "loss, of the constructor",
    "loss_fn": "loss, of the constructor",
    "objective": "loss, of the constructor",
    "metric": "scoring, of the constructor",
    "metrics": "scoring, of the constructor",
    "eval_metric": "scoring, of the constructor",
    "units": "hidden_layer_sizes, of the constructor",
    "layers": "hidden_layer_sizes, of the constructor",
    "hidden": "hidden_layer_sizes, of the constructor",
    "hidden_layers": "hidden_layer_sizes, of the constructor",
    "hidden_units": "hidden_layer_sizes, of the constructor",
    "hidden_sizes": "hidden_layer_sizes, of the constructor",
    "activations": "activation, of the constructor",
    "batchsize": "batch_size, of the constructor",
    "minibatch_size": "batch_size, of the constructor",
    "l2": "alpha, of the constructor",
    "reg_lambda": "alpha, of the constructor",
    "kernel_regularizer": "alpha, of the constructor",
    "l1": "alpha with l1_ratio=1, of the constructor",
    "c": "alpha, of the constructor: about 1 / C",
    "dropout_rate": "dropout, of the constructor",
    "batch_norm": "normalization='batch', of the constructor",
    "batch_normalization": "normalization='batch', of the constructor",
    "use_batch_norm": "normalization='batch', of the constructor",
    "layer_norm": "normalization='layer', of the constructor",
    "clipnorm": "max_grad_norm, of the constructor",
    "grad_clip": "max_grad_norm, of the constructor",
    "gradient_clip_val": "max_grad_norm, of the constructor",
    "kernel_initializer": "initializer, of the constructor",
    "weight_init": "initializer, of the constructor",
    "seed": "random_state, of the constructor",
    "random_seed": "random_state, of the constructor",
    "use_ema": "weight_averaging='ema', of the constructor",
    "callbacks": "the method set_callbacks(...), with scikit-learn's callbacks",
    "weights": "sample_weight, of fit",
    "weight": "sample_weight, of fit",
    "sample_weights": "sample_weight, of fit",
    "class_weights": "class_weight, of the classifier's constructor",
    "pos_weight": "class_weight, of the classifier's constructor",
    "n_jobs": "the context sknn.lockstep(), which trains many networks together",
    "device": "nothing: all is computed by NumPy, on the processor",
}
"""What the parameters of other libraries are called here; in lower case."""

CUTOFF = 0.5
"""The likeness from which on a name is proposed."""


def closest(name: object, allowed: Iterable[str], cutoff: float = CUTOFF) -> str | None:
    """Return the allowed name that is most like another, whatever its case, or None."""
    by_lower: dict[str, str] = {}
    for candidate in allowed:
        by_lower.setdefault(candidate.lower(), candidate)
    text = str(name).lower().strip()
    synonym = SYNONYMS.get(text.replace(" ", "_"))
    if text not in by_lower and synonym in by_lower:
        return by_lower[synonym]
    close = difflib.get_close_matches(text, list(by_lower), n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None


def did_you_mean(name: object, allowed: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest allowed name, or an empty string."""
    close = closest(name, allowed)
    return f" Did you mean {close!r}?" if close is not None else ""
