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
