"""Random uses of the estimators: each is a short program, drawn by its number."""

import copy
import pickle
import random
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import model_selection
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import get_scorer_names

import sknn
from sknn import (
    MLPClassifier,
    MLPRegressor,
    activations,
    augmentation,
    averaging,
    initializers,
    layers,
    losses,
    optimizers,
    schedules,
)
from sknn.activations import ACTIVATIONS
from sknn.architecture import FRONTS, NORMALIZATIONS, PARAMETRIZATIONS, SCALE
from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.estimators.settings import STOCHASTIC_ONLY
from sknn.initializers import INITIALIZERS
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES
from sknn.optimizers import OPTIMIZERS
from sknn.schedules import SCHEDULES
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.encoder import NUMERIC
from sknn.tabular.presets import PRESETS
from tests.estimators.random_data import (
    BAD_FORMS,
    BAD_TARGETS,
    BAD_VALUES,
    BAD_WEIGHTS,
    CLASSES,
    FORMS,
    NUMBERS,
    VALUES,
    WEIGHTS,
    classes_of,
    make_weight,
    make_X,
    make_y,
)

NETWORKS = (MLPClassifier, MLPRegressor)
TABULAR = (TabularMLPClassifier, TabularMLPRegressor)
CLASSIFIERS = (MLPClassifier, TabularMLPClassifier)
ESTIMATORS = (*NETWORKS, *TABULAR, TableEncoder)


# What a program may call.


class Softsign:
    """z / (1 + |z|), by its value and its derivative."""

    def forward(self, z):
        return z / (1 + np.abs(z))

    def backward(self, z, grad):
        return grad / (1 + np.abs(z)) ** 2


class Halves(BaseEstimator):
    """Holds out every second row."""

    def split(self, X, y=None, groups=None):
        rows = np.arange(y.shape[0] if hasattr(y, "shape") else len(y))
        yield rows[::2], rows[1::2]


class Nothing(BaseEstimator):
    """A splitter without a split."""

    def split(self, X, y=None, groups=None):
        return iter(())


def fall(epoch):
    return 1 / (1 + epoch)


def width(estimator, X, y):
    """Score how many features there are: a score that never improves."""
    return X.shape[1]


def nothing(estimator, X, y):
    return np.nan


OWN = (Softsign, Halves, Nothing, fall, width, nothing)
"""What `sknn.load` has to be told of."""

# Values of the parameters, as code.


def _names(*families):
    return [repr(name) for family in families for name in family]


FLAG = ["False", "True"]
SPLITTERS = [
    "ShuffleSplit(1, test_size=0.4, random_state=0)",
    "ShuffleSplit(2, test_size=0.4)",
    *("KFold(2)", "StratifiedKFold(2)", "GroupKFold(2)", "TimeSeriesSplit(2)", "LeaveOneOut()"),
    *("GroupShuffleSplit(1, random_state=0)", "Halves()", "Nothing()"),
]
RANDOM_STATES = ["0", "1", "2**32 - 1", "None", "RandomState(3)"]
SCHEDULE = [
    *_names(SCHEDULES),
    *("Step(0.5, [0.3])", "Exponential(1e-300)", "Polynomial(3.0)", "CosLog(2, growth=1.5)"),
    "Joined([Cosine(), OneCycle()], [1])",
]
CHECKPOINTS = ["str(folder / 'run.sknn')", "str(folder) + '/'", "folder", "folder / 'no' / 'x'"]
SCALES = ["1e-300", "1e-8", "0.001", "0.1", "1.0", "10", "1e10", "1e300"]
SIZES = ["(3,)", "(4, 4)", "()", "5", "[2, 3]", "(1,)", "(3, 3, 3)", "np.array([3, 2])"]

POOL = {
    "hidden_layer_sizes": SIZES,
    "activation": [
        *_names(ACTIVATIONS),
        *("['relu', 'tanh']", "LeakyReLU(0.5)", "ELU(2.0)", "Softsign()", "('gelu',)"),
    ],
    "solver": [
        *_names(["lbfgs"], OPTIMIZERS, OPTIMIZERS),
        *(
            "SGD(0.0, False)",
            "Adam(0.0, 0.0)",
            "RMSprop(0.5, momentum=0.5)",
            "Muon(nesterov=False)",
        ),
        *("NAdam(epsilon=1.0)", "Lion(0.5, 0.5)", "Adagrad(rate_decay=0.1)"),
    ],
    "alpha": ["0", "0.1", "1.0", "100", *SCALES],
    "batch_size": ["'auto'", "'adaptive'", "1", "2", "3", "7", "100", "np.int32(5)"],
    "learning_rate": [*SCHEDULE, "fall"],
    "learning_rate_init": ["'auto'", "0.001", "0.01", "0.1", *SCALES],
    "power_t": ["0", "0.5", "3.0", "1e300"],
    "max_iter": ["1", "2", "3", "5", "9"],
    "shuffle": [*FLAG, "np.True_"],
    "random_state": RANDOM_STATES,
    "tol": ["0", "1e-4", "0.1", "1e300", "np.float32(0.5)"],
    "verbose": [*FLAG, "2"],
    "warm_start": FLAG,
    "momentum": ["0", "0.5", "0.9", "1.0"],
    "nesterovs_momentum": FLAG,
    "early_stopping": FLAG,
    "validation_fraction": ["0.1", "0.5", "0.4", "0.9", "1e-300", "0", *SPLITTERS],
    "beta_1": ["0", "0.5", "0.9", "1 - 1e-16"],
    "beta_2": ["0", "0.5", "0.999", "1 - 1e-16"],
    "epsilon": ["1e-300", "1e-8", "1.0", "1e300"],
    "n_iter_no_change": ["1", "2", "10", "inf"],
    "max_fun": ["1", "3", "100", "15000"],
    "target_loss": ["None", "0.5", "-1", "1e300", "-1e300"],
    "dropout": ["0.0", "0.3", "0.9", "[0.2, 0.0]", "(0.5,)", "1e-300", "0.9999999"],
    "normalization": ["None", *_names(NORMALIZATIONS)],
    "residual": FLAG,
    "front": [
        *("None", "[]", "['fourier', 'scale']", "PiecewiseLinear(2)", "Fourier(2, 1e-3)"),
        *_names([SCALE], FRONTS),
        *("LayerNorm()", "BatchNorm()", "[ActivationLayer(Tanh()), 'scale']", "Dropout(0.2)"),
    ],
    "parametrization": _names(PARAMETRIZATIONS),
    "dropout_schedule": ["None", *SCHEDULE],
    "weight_decay_schedule": ["None", *SCHEDULE],
    "initializer": [
        *_names(INITIALIZERS),
        *("He()", "([], [])", "([np.ones((2, 3)), np.ones((3, 1))], [np.zeros(3), np.zeros(1)])"),
    ],
    "intercept_init": ["'auto'", "'target'", "'zero'"],
    "weight_decay": ["None", "0", "0.1", "1e300", "1e-300"],
    "l1_ratio": ["0.0", "0.5", "1.0", "1e-300"],
    "max_grad_norm": ["None", "1.0", "1e-300", "1e300"],
    "weight_averaging": ["None", *_names(AVERAGINGS), "EMA(0.5)", "SWA(0.0)"],
    "warmup": ["0", "1", "2", "100"],
    "scoring": ["None", "'loss'", *_names(get_scorer_names()), "width", "nothing"],
    "max_time": ["None", "1e6", "1e-9"],
    "max_flops": ["None", "1.0", "1e4", "1e300", "1e-300"],
    "refit_full": FLAG,
    "augmentation": [
        *("None", "GaussianNoise(0.0)", "Mixup(1e-300)", "Mixup(1e300)", "SwapNoise(0.9)"),
        *_names(AUGMENTATIONS),
    ],
    "checkpoint": ["None", "None", "None", *CHECKPOINTS],
    "checkpoint_seconds": ["0", "30.0", "1e300"],
    "on_divergence": ["'raise'", "'recover'"],
}
CLASS_WEIGHTS = [
    *("None", "'balanced'", "{0: 2.0}", "{1: 1e300}", "{0: 0.0}", "{'yes': 2, 'no': 1}"),
    *("{0: 1e-300, 1: 1e300}", "[{0: 2}, {1: 3.0}]", "{}", "{7: 0}", "{0: -1}", "[]", "{0: nan}"),
]
POOLS = {
    MLPClassifier: POOL
    | {
        "loss": [*_names(CLASSIFICATION_LOSSES), "Focal(0.0)", "Focal(50.0)"],
        "label_smoothing": ["0.0", "0.1", "0.9999", "1e-300"],
        "class_weight": CLASS_WEIGHTS,
        "target_type": ["'auto'", "'auto'", "'auto'", "'multilabel'", "'soft'"],
    },
    MLPRegressor: POOL
    | {
        "loss": [
            *_names(LOSSES),
            *("Quantile([0.1, 0.9])", "Quantile(0.999)", "Huber(1e-300)", "Huber(1e300)"),
            *("Tweedie(1.01)", "Tweedie(1.99)"),
        ],
        "quantile": ["None"] * 5 + ["0.1", "0.999", "1.0"],
    },
}
TABULAR_POOL = {
    "preset": _names(PRESETS),
    "categorical_features": ["'from_dtype'", "[0]", "[True]", "['word']", "['x0', 'kind']", "[]"],
    "cv": [
        *["2", "3"] * len(SPLITTERS),
        "None",
        *SPLITTERS,
        "[([0, 1], [2, 3]), ([2, 3], [0, 1])]",
    ],
    "max_iter": ["1", "2", "3"],
    "hidden_layer_sizes": ["None", *SIZES],
    "activation": ["None", *_names(ACTIVATIONS), "ELU(2.0)"],
    "learning_rate_init": ["None", *SCALES],
    "weight_decay": ["None", "0", "0.1", "1e300"],
    "dropout": ["None", "0", "0.5", "0.999999"],
    "batch_size": ["None", "1", "4", "100"],
    "n_bins": ["None", "2", "5", "100"],
    "max_time": ["None", "None", "1e6", "1e-9"],
    "max_flops": ["None", "None", "1.0", "1e6", "1e300"],
    "warm_start": FLAG,
    "random_state": RANDOM_STATES,
    "verbose": FLAG,
    "checkpoint": ["None", "None", "None", *CHECKPOINTS],
    "checkpoint_seconds": ["0", "30.0", "1e300"],
}
POOLS |= {
    TabularMLPClassifier: TABULAR_POOL
    | {"class_weight": CLASS_WEIGHTS, "label_smoothing": ["None", "0", "0.1", "0.9999"]},
    TabularMLPRegressor: TABULAR_POOL,
    TableEncoder: {
        "categorical_features": TABULAR_POOL["categorical_features"],
        "numeric": [*_names(NUMERIC), repr(NUMERIC), "['robust', 'robust']", "()"],
        "n_bins": ["2", "3", "32", "1000"],
        "n_frequencies": ["1", "2", "12"],
        "max_categories": ["1", "2", "100"],
        "min_target_categories": ["None", "1", "2", "9"],
        "max_width": ["1", "2", "10", "2048"],
        "random_state": RANDOM_STATES,
    },
}
ODD = [
    *("None", "-1", "0", "1.5", "nan", "inf", "True", "'x'", "''", "b'x'", "[]", "()", "{}"),
    *("Softsign", "np.array(1)", "np.float32(0.5)", "np.array([])", "10**400", "MLPClassifier"),
    *("[None]", "['x']", "[[1]]", "float", "1j", "(3, 'x')", "np.array(['a', 'b'])", "pd.NA"),
    *("Adam()", "Adam(beta_1=2)", "Cosine()", "Quantile([])", "Step(2.0)", "set()", "-inf"),
]
"""What hardly any parameter may be."""

ALWAYS = {"max_iter", "hidden_layer_sizes", "random_state", "cv"}
"""Parameters that are never left at their defaults, for the sake of time and of repetition."""

MODULES = (activations, augmentation, averaging, initializers, layers, losses, optimizers)
NAMES = {
    **{name: value for module in MODULES for name, value in vars(module).items()},
    **vars(schedules),
    **vars(model_selection),
    **{function.__name__: function for function in (make_X, make_y, make_weight, classes_of)},
    **{function.__name__: function for function in (*OWN, *ESTIMATORS, clone)},
    **{"np": np, "pd": pd, "sknn": sknn, "copy": copy, "pickle": pickle, "OWN": OWN},
    **{"inf": np.inf, "nan": np.nan, "RandomState": np.random.RandomState},
}
"""What a program may name."""


@dataclass(frozen=True)
class Use:
    """A program.

    Attributes
    ----------
    Estimator : type
    number : int
    data : list of str
        Lines that make its data.
    steps : list of str
        Lines that use the estimator, the first of which makes it. The estimator is called `model`,
        what a line finds out `found`.
    """

    Estimator: type
    number: int
    data: list[str]
    steps: list[str]

    def __str__(self):
        name = self.Estimator.__name__
        head = f"# Use {self.number} of {name}: draw({name}, {self.number}), in an empty `folder`"
        return "\n".join([head, *self.data, *self.steps])


def draw(Estimator, number):
    """Return the use of a number."""
    rng = random.Random(f"{Estimator.__name__} {number}")
    parameters = _draw_parameters(Estimator, rng)
    data, options = _draw_data(Estimator, parameters, rng)
    made = ", ".join(f"{name}={value}" for name, value in parameters.items())
    steps = [f"model = {Estimator.__name__}({made})"]
    actions = _actions(Estimator, options, rng)
    if rng.random() < 0.9:
        steps.append(_choose(rng, actions["learn"]))
    for _ in range(rng.randrange(1, 5)):
        kind = rng.choices(["learn", "ask", "move", "change"], [2, 3, 2, 1])[0]
        steps.append(_choose(rng, actions[kind]))
    return Use(Estimator, number, data, steps)


def _choose(rng, choices):
    choice = rng.choice(choices)
    return choice() if callable(choice) else choice


# Parameters.


def _draw_parameters(Estimator, rng):
    pool, share = POOLS[Estimator], rng.choice([0.0, 0.05, 0.1, 0.3])
    drawn = {
        name: rng.choice(values)
        for name, values in pool.items()
        if name in ALWAYS or rng.random() < share
    }
    if rng.random() < 0.85:
        _reconcile(drawn, rng)
    if rng.random() < 0.05:
        drawn[rng.choice(list(pool))] = rng.choice(ODD)
    return drawn


def _reconcile(drawn, rng):
    """Leave out most of what excludes each other."""
    if drawn.get("solver") == "'lbfgs'":
        for name in (*STOCHASTIC_ONLY, "weight_decay", "learning_rate_init", "normalization"):
            drawn.pop(name, None)
    if drawn.get("solver") == "'schedule_free'":
        drawn.pop("weight_averaging", None)
    if drawn.get("solver", "").lower().startswith(("'sgd", "sgd")):
        drawn.pop("parametrization", None)
    if drawn.get("residual") == "True":
        drawn["hidden_layer_sizes"] = "(4, 4)"
    for name in ("activation", "dropout"):
        if drawn.get(name, "")[:1] in ("[", "("):
            drawn["hidden_layer_sizes"] = "(3,)" if drawn[name].endswith(",)") else "(4, 4)"
    if drawn.get("refit_full") == "True":
        drawn["early_stopping"] = "True"
        drawn.pop("warm_start", None)
    if drawn.get("early_stopping") == "True":
        if rng.random() < 0.7:
            drawn["validation_fraction"] = "0.4"
        if rng.random() < 0.7:
            drawn["scoring"] = rng.choice(["None", "'loss'", "width", "nothing"])


# Data.


def _draw_data(Estimator, parameters, rng):
    """Return lines that make data, and what else is passed to fit, as code."""
    is_table = Estimator in (*TABULAR, TableEncoder)
    sizes = [1, 3, 8, 13, 25, 40, 40, 40] if is_table else [1, 2, 3, 5, 8, 13, 25, 40]
    n, m = rng.choice(sizes), rng.choice([1, 2, 3, 5, 8])
    values = _mostly(rng, ["normal"], VALUES, BAD_VALUES)
    usual = ["array", "words"] if is_table else ["array"]
    form = _mostly(rng, usual, FORMS, BAD_FORMS)
    if Estimator in CLASSIFIERS:
        kind = _mostly(rng, ["binary", "three"], [*CLASSES], [*NUMBERS, *BAD_TARGETS])
    elif parameters.get("loss") in ("'poisson'", "'gamma'", "Tweedie(1.01)", "Tweedie(1.99)"):
        kind = rng.choice(["positive", "two positive", "large", "tiny", "one huge", "number"])
    else:
        kind = _mostly(rng, ["number", "numbers"], [*NUMBERS], [*CLASSES, *BAD_TARGETS])
    seed = rng.randrange(1000)
    new_values = "normal" if rng.random() < 0.9 else values
    data = [
        f"X = make_X({seed}, ({n}, {m}), {values!r}, {form!r})",
        f"y = make_y({seed}, {n}, {kind!r})",
        f"new = make_X({seed + 1}, (4, {m}), {new_values!r}, {form!r})",
    ]
    options = []
    weight = rng.choice([None, _mostly(rng, ["random"], WEIGHTS, BAD_WEIGHTS)])
    data.append("w = None" if weight is None else f"w = make_weight({seed}, {n}, {weight!r})")
    if weight is not None:
        options.append("sample_weight=w")
    if Estimator in NETWORKS:
        options += _draw_validation(data, seed, n, m, kind, rng)
    if Estimator is not TableEncoder and rng.random() < 0.15:
        options.append(f"groups=np.arange({n}) % {rng.choice([1, 2, 3])}")
    return data, options


def _draw_validation(data, seed, n, m, kind, rng):
    """Return what a fit validates on, as code, with the lines that make it added to others."""
    if rng.random() < 0.75:
        return []
    if rng.random() < 0.5:
        return ["X_val=X", "y_val=y"]
    n_val = rng.choice([1, 2, 10])
    data += [
        f"X_val = make_X({seed + 2}, ({n_val}, {m}), {_mostly(rng, ['normal'], VALUES, VALUES)!r})",
        f"y_val = make_y({seed + 2}, {n_val}, {kind!r})",
    ]
    found = ["X_val=X_val", "y_val=y_val"]
    if rng.random() < 0.3:
        data.append(
            f"w_val = make_weight({seed}, {n_val}, {_mostly(rng, WEIGHTS, WEIGHTS, BAD_WEIGHTS)!r})"
        )
        found.append("sample_weight_val=w_val")
    return found[rng.random() < 0.05 :]


def _mostly(rng, usual, odd, bad):
    """Return something usual or odd, and seldom something bad."""
    return rng.choice(rng.choices([usual, odd, bad], [10, 9, 1])[0])


# Steps.


def _actions(Estimator, options, rng):
    """Return what can be done with an estimator, as code."""
    own = {
        MLPClassifier: ASK_NETWORK + ASK_CLASSIFIER,
        MLPRegressor: [*ASK_NETWORK, "found = model.predict(new, return_std=True)"],
        TabularMLPClassifier: [*ASK_CLASSIFIER, "found = model.predict_set(new, 0.9)"],
        TabularMLPRegressor: [
            "found = model.predict(new, return_std=True)",
            "found = model.predict_interval(new, 0.9)",
        ],
    }

    def learn(method, extra=(), without=()):
        share = rng.choice([0, 1, 1])
        chosen = [each for each in options if share and not each.startswith(without)]
        return f"model.{method}({', '.join(['X', 'y', *chosen, *extra])})"

    def change():
        name = rng.choice(list(POOLS[Estimator]))
        return f"model.set_params({name}={rng.choice(POOLS[Estimator][name])})"

    learning = [lambda: learn("fit")]
    if Estimator in NETWORKS:
        classes = ["classes=classes_of(y)"] if Estimator in CLASSIFIERS else []
        learning += [lambda: learn("partial_fit", classes, ("groups",)), learning[0]]
    if Estimator is TableEncoder:
        learning += ["model.fit(X)", "found = model.fit_transform(X, y)"]
    ask = ASK_ENCODER if Estimator is TableEncoder else [*ASK, *own[Estimator]]
    move = MOVE if Estimator is TableEncoder else [*MOVE, "model = model.trim()"]
    return {"learn": learning, "ask": ask, "move": move, "change": [change]}


ASK = [
    *("found = model.predict(new)", "found = model.predict(X)", "found = model.score(X, y)"),
    "found = model.predict(make_X(0, (2, 4)))",
    "found = model.feature_importances_",
    "found = model.score(X, y, sample_weight=w)",
]
ASK_CLASSIFIER = ["found = model.predict_proba(new)", "found = model.predict_log_proba(new)"]
ASK_NETWORK = [
    *("found = model.hidden_layer_outputs(new)", "found = model.summary()"),
    *("found = model.history_.drop(columns='seconds')", "found = model.lr_find_"),
]
ASK_ENCODER = [
    *("found = model.transform(new)", "found = model.transform(X)", "found = model.slopes(new)"),
    *("found = model.get_feature_names_out()", "found = model.fit_transform(X)"),
]
MOVE = [
    "model = clone(model)",
    "model = copy.deepcopy(model)",
    "model = pickle.loads(pickle.dumps(model))",
    "sknn.save(model, folder / 'model.sknn'); model = sknn.load(folder / 'model.sknn', OWN)",
]
