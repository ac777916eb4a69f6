"""Rounds: what shards make together, against one machine and against averages made by hand."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss

from sknn import MLPClassifier, MLPRegressor
from sknn.dask.tasks import find_gradient, take_steps
from sknn.schedules import EveryStep, OneCycle
from tests.dask.rows import (
    CODES,
    LABELS,
    N_ROWS,
    NUMBERS,
    SETTINGS,
    SHARES,
    SIGNS,
    WEIGHT,
    X,
    assert_same_network,
    classifier,
    lazy,
    pair,
    regressor,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("inline"),
]

SOME = np.where(np.arange(N_ROWS) % 3 == 0, 0, WEIGHT)  # nothing in the first shard


# Steps of all shards together, against one machine: the whole of the rows is a batch.

FEATURES = [
    {"solver": "sgd"},
    {"solver": "sgd", "momentum": 0.0, "learning_rate": "invscaling"},
    {"solver": "adam"},
    {"solver": "adamw", "weight_decay": 0.1},
    {"solver": "adamw", "weight_decay": 0.1, "weight_decay_schedule": "cosine"},
    {"solver": "nadam"},
    {"solver": "lion", "learning_rate_init": 1e-4},
    {"solver": "rmsprop"},
    {"solver": "adagrad"},
    {"solver": "muon"},
    {"solver": "schedule_free"},
    {"weight_averaging": "ema"},
    {"weight_averaging": "swa"},
    {"learning_rate": "one_cycle"},
    {"learning_rate": EveryStep(OneCycle())},
    {"learning_rate": "cosine", "warmup": 3},
    {"learning_rate": lambda epoch: 1 / (1 + epoch)},
    {"learning_rate_init": "auto"},
    {"max_grad_norm": 0.1},
    {"alpha": 0.5, "l1_ratio": 0.5},
    {"alpha": 0.5},
    {"intercept_init": "target"},
    {"initializer": "data"},
    {"normalization": "layer"},
    {"parametrization": "ntk"},
    {"front": "scale"},
    {"hidden_layer_sizes": (5, 5), "residual": True, "activation": "tanh"},
    {"hidden_layer_sizes": ()},
    {"loss": "huber"},
    {"loss": "gaussian"},
    {"loss": "quantile", "quantile": 0.8},
]


@pytest.mark.parametrize("features", FEATURES, ids=lambda features: "-".join(map(str, features)))
@pytest.mark.parametrize("n_shards", [pytest.param(1, marks=pytest.mark.long), 3])
def test_steps_of_all_shards_are_those_of_one_machine(features, n_shards):
    own, plain = pair(True, n_shards, **features)

    own.fit(lazy(X), lazy(NUMBERS))

    plain.fit(X, NUMBERS)
    assert_same_network(own, plain, rtol=1e-6)
    assert_allclose(own.loss_curve_, plain.loss_curve_, rtol=1e-6)
    assert own.n_iter_ == plain.n_iter_ == 20
    assert own.t_ == plain.t_


@pytest.mark.parametrize(
    ("y", "settings"),
    [
        (SIGNS, {}),
        (SIGNS, {"class_weight": {0: 1, 1: 5}}),
        (SIGNS, {"class_weight": "balanced", "label_smoothing": 0.1}),
        (CODES, {}),
        (CODES, {"class_weight": "balanced"}),
        (CODES, {"class_weight": {0: 0, 2: 3.0}}),
        (CODES, {"label_smoothing": 0.1}),
        (CODES, {"loss": "focal"}),
        (LABELS, {}),
        (LABELS, {"class_weight": {0: 2.0, 1: 1.0, 2: 0.5}}),
        (SHARES, {}),
        (np.c_[CODES, SIGNS], {}),
        (np.c_[CODES, SIGNS], {"class_weight": [{0: 2.0}, {1: 0.5}]}),
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [None, WEIGHT, SOME], ids=["even", "weighted", "none in one"])
def test_all_kinds_of_classes_and_weights_come_to_what_they_do_on_one_machine(y, settings, weight):
    own, plain = pair(False, max_iter=5, **settings)

    own.fit(lazy(X), lazy(y), None if weight is None else lazy(weight))

    plain.fit(X, y, weight)
    assert_same_network(own, plain, rtol=1e-6)
    assert_allclose(own.loss_curve_, plain.loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("weight", [None, WEIGHT, SOME], ids=["even", "weighted", "none in one"])
@pytest.mark.parametrize("y", [NUMBERS, np.c_[NUMBERS, X[:, 0] ** 2]], ids=["one", "several"])
def test_numbers_come_to_what_they_do_on_one_machine(y, weight):
    own, plain = pair(True, max_iter=5)

    own.fit(lazy(X), lazy(y), None if weight is None else lazy(weight))

    plain.fit(X, y, weight)
    assert_same_network(own, plain, rtol=1e-6)


def test_single_precision_stays_single():
    own, plain = pair(True, max_iter=5)
    single = X.astype(np.float32)

    own.fit(lazy(single), lazy(NUMBERS))

    plain.fit(single, NUMBERS)
    assert own.coefs_[0].dtype == np.float32
    assert_same_network(own, plain, rtol=1e-5)


@pytest.mark.parametrize("n_shards", [1, 2, 3, 4])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_unshuffled_batches_are_those_of_one_machine(n_shards, solver):
    own, plain = pair(True, n_shards, batch_size=12, max_iter=4, solver=solver)

    own.fit(lazy(X), lazy(NUMBERS))

    plain.fit(X, NUMBERS)
    assert_same_network(own, plain, rtol=1e-6)
    assert_allclose(own.loss_curve_, plain.loss_curve_, rtol=1e-6)


def test_early_stopping_stops_where_one_machine_does_on_the_same_rows():
    own = regressor(
        early_stopping=True, sync_every=1, shuffle=False, batch_size=54, max_iter=20
    ).fit(lazy(X), lazy(NUMBERS))
    held_out = [shard.number + 3 * shard.held_out for shard in shards_of(own)]
    held_out = np.concatenate(held_out)
    kept = np.setdiff1d(np.arange(N_ROWS), held_out)

    plain = MLPRegressor(
        **SETTINGS | {"max_iter": 20}, early_stopping=True, shuffle=False, batch_size=len(kept)
    ).fit(X[kept], NUMBERS[kept], X_val=X[held_out], y_val=NUMBERS[held_out])

    assert_same_network(own, plain, rtol=1e-6)
    assert_allclose(own.validation_scores_, plain.validation_scores_, rtol=1e-6)
    assert_allclose(own.history_["val_loss"], plain.history_["val_loss"], rtol=1e-6)


def shards_of(net):
    """Return the shards of a fit like that of an estimator."""
    from tests.dask.inline import InlineClient

    client = InlineClient()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sknn.dask.base.connected", lambda _: nullcontext(client))
        net.__sklearn_clone__().fit(lazy(X), lazy(NUMBERS))
    return [arguments[0] for arguments in client.arguments_of(find_gradient)[:3]]


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("scoring", [None, "loss"])
def test_the_loss_on_held_out_rows_is_that_of_scikit_learn(inline, weight, scoring):
    net = classifier(
        early_stopping=True, validation_fraction=0.4, learning_rate_init=1e-12, scoring=scoring
    ).fit(lazy(X), lazy(CODES), None if weight is None else lazy(weight))

    shards = [arguments[0] for arguments in inline.arguments_of(take_steps)[:3]]
    rows = np.concatenate([shard.number + 3 * shard.held_out for shard in shards])
    expected = log_loss(
        CODES[rows],
        net.predict_proba(X[rows]),
        sample_weight=None if weight is None else weight[rows],
    )
    assert_allclose(net.history_["val_loss"], expected)
    if scoring == "loss":
        assert_allclose(net.validation_scores_, -expected)


# Averages, by hand: each shard by itself on one machine.


def start(rng):
    """Return weights and intercepts to begin with."""
    coefs = [rng.normal(size=(3, 5)), rng.normal(size=(5, 1))]
    return coefs, [rng.normal(size=5), rng.normal(size=1)]


def alone(begin, rows, n_steps, factor=1.0, share=0.5, weight=None, **settings):
    """Return the parameters of one shard after an epoch that begins with some."""
    local = {
        "learning_rate_init": factor * settings.get("learning_rate_init", 0.001),
        "alpha": share * settings.get("alpha", 0.0001),
    }
    net = MLPRegressor(
        **SETTINGS
        | settings
        | local
        | {
            "max_iter": 1,
            "initializer": begin,
            "shuffle": False,
            "batch_size": len(rows) // n_steps,
        }
    ).fit(X[rows], NUMBERS[rows], None if weight is None else weight[rows])
    return [*net.coefs_, *net.intercepts_]


def mean(arrays, others, shares=(0.5, 0.5)):
    return [shares[0] * a + shares[1] * b for a, b in zip(arrays, others, strict=True)]


HALVES = np.arange(0, 60, 2), np.arange(1, 60, 2)


def rounds(begin, n_rounds, **settings):
    """Return an estimator that trains two shards, with a round for each epoch of five steps."""
    return regressor(
        n_shards=2,
        batch_size=12,
        sync_every=5,
        shuffle=False,
        max_iter=n_rounds,
        initializer=begin,
        **settings,
    )


SOLVERS = [
    ({"solver": "sgd", "learning_rate_init": 0.01}, 1.0),
    ({"solver": "sgd", "learning_rate_init": 0.01, "alpha": 1.0}, 1.0),
    ({"solver": "adam", "learning_rate_init": 0.01}, math.sqrt(2)),
    ({"solver": "muon", "learning_rate_init": 0.01}, math.sqrt(2)),
]


@pytest.mark.parametrize(("settings", "factor"), SOLVERS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_a_round_ends_with_the_average_of_separate_trainings(settings, factor, weight):
    begin = start(np.random.default_rng(1))

    net = rounds(begin, 1, **settings).fit(
        lazy(X), lazy(NUMBERS), None if weight is None else lazy(weight)
    )

    ends = [alone(begin, rows, 5, factor, weight=weight, **settings) for rows in HALVES]
    shares = [0.5, 0.5] if weight is None else [weight[rows].sum() for rows in HALVES]
    expected = mean(*ends, np.divide(shares, np.sum(shares)))
    for found, array in zip([*net.coefs_, *net.intercepts_], expected, strict=True):
        assert_allclose(found, array, rtol=1e-9, atol=1e-12)


def test_nesterov_steps_are_taken_along_the_averaged_differences():
    settings = {"solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.0}
    begin, rate, momentum = start(np.random.default_rng(1)), 0.7, 0.6

    net = rounds(begin, 3, outer_learning_rate=rate, outer_momentum=momentum, **settings).fit(
        lazy(X), lazy(NUMBERS)
    )

    theta = [*begin[0], *begin[1]]
    velocity = [np.zeros_like(array) for array in theta]
    for _ in range(3):
        ends = [alone((theta[:2], theta[2:]), rows, 5, **settings) for rows in HALVES]
        delta = [a - b for a, b in zip(theta, mean(*ends), strict=True)]
        velocity = [momentum * v + d for v, d in zip(velocity, delta, strict=True)]
        theta = [
            a - rate * (d + momentum * v) for a, d, v in zip(theta, delta, velocity, strict=True)
        ]
    for found, array in zip([*net.coefs_, *net.intercepts_], theta, strict=True):
        assert_allclose(found, array, rtol=1e-9, atol=1e-12)


def test_an_outer_rate_alone_goes_a_part_of_the_way():
    settings = {"solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.0}
    begin = start(np.random.default_rng(1))

    whole, part = (
        rounds(begin, 1, outer_learning_rate=rate, **settings).fit(lazy(X), lazy(NUMBERS))
        for rate in (1.0, 0.25)
    )

    assert_allclose(
        part.coefs_[0] - begin[0][0], 0.25 * (whole.coefs_[0] - begin[0][0]), atol=1e-12
    )


def test_rows_that_are_sorted_by_class_train_as_well_as_others():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 4))
    y = np.digitize(X @ [1.0, -1.0, 0.5, 0.0], [-1, -0.3, 0.3, 1])
    order = np.argsort(y, kind="stable")
    settings = {"n_shards": 4, "sync_every": 64, "max_iter": 15, "learning_rate_init": 0.01}

    scores = [
        classifier(**settings).fit(lazy(X[rows], 100), lazy(y[rows], 100)).score(X, y)
        for rows in (np.arange(1200), order)
    ]

    assert scores[1] > scores[0] - 0.02


def test_moments_are_averaged_too():
    """In the second round momentum goes on from the mean of both, here by one shard twice."""
    twice = np.repeat(X[:30], 2, axis=0), np.repeat(NUMBERS[:30], 2)  # rows go in turn
    settings = {"solver": "sgd", "shuffle": False, "max_iter": 6}

    net = regressor(n_shards=2, batch_size=12, sync_every=2, **settings).fit(*map(lazy, twice))

    plain = MLPRegressor(**SETTINGS | settings, batch_size=6, alpha=0.0001 / 2)
    assert_same_network(net, plain.fit(X[:30], NUMBERS[:30]), rtol=1e-9)


# What differs between rounds, and what does not.


@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.3, "dropout_schedule": "cosine"},
        {"augmentation": "mixup"},
        {"weight_averaging": "ema"},
        {"weight_averaging": "swa"},
        {"solver": "schedule_free"},
        {"solver": "muon"},
        {"normalization": "batch"},
        {"learning_rate": "one_cycle"},
        {"outer_momentum": 0.9, "outer_learning_rate": 0.7},
        {"early_stopping": True},
        {"random_state": np.random.RandomState(3)},
    ],
    ids=lambda settings: ", ".join(settings),  # no addresses
)
def test_a_fit_repeats_to_the_bit(settings):
    made = []
    for _ in range(2):
        again = {
            name: np.random.RandomState(3) if name == "random_state" else value
            for name, value in settings.items()
        }
        net = classifier(batch_size=12, sync_every=2, **again)
        made.append(net.fit(lazy(X), lazy(CODES)))

    assert_same_network(*made)
    assert made[0].loss_curve_ == made[1].loss_curve_
    other = classifier(batch_size=12, sync_every=2, **{**settings, "random_state": 7})
    assert not np.array_equal(other.fit(lazy(X), lazy(CODES)).coefs_[0], made[0].coefs_[0])


def test_partitions_do_not_matter():
    made = [regressor(batch_size=12).fit(lazy(X, n), lazy(NUMBERS, n)) for n in (7, 20, 60)]

    assert_same_network(made[0], made[1])
    assert_same_network(made[0], made[2])


def test_the_rates_of_a_round_are_those_of_its_steps(inline):
    net = regressor(
        solver="sgd", learning_rate=EveryStep(OneCycle()), batch_size=12, sync_every=2, max_iter=2
    )
    net.fit(lazy(X), lazy(NUMBERS))

    plain = MLPRegressor(
        **SETTINGS | {"max_iter": 2},
        solver="sgd",
        learning_rate=EveryStep(OneCycle()),
        batch_size=12,
    ).fit(X, NUMBERS)
    about = [arguments[3] for arguments in inline.arguments_of(take_steps)[::3]]
    assert [round_.n_steps for round_ in about] == [2, 2, 1] * 2
    assert [round_.first for round_ in about] == [0, 2, 4] * 2
    assert [round_.t + round_.first for round_ in about] == [0, 2, 4, 5, 7, 9]
    assert len(np.concatenate([round_.rates for round_ in about])) == 10
    assert_array_equal(net.history_["learning_rate"], plain.history_["learning_rate"])


def test_adaptive_rules_have_a_larger_rate_and_the_same_decay(inline):
    settings = {"solver": "adamw", "weight_decay": 0.1, "batch_size": 60}
    for sync_every, factor in [(1, 1), (2, math.sqrt(3))]:
        inline.tasks.clear()
        net = regressor(sync_every=sync_every, **settings).fit(lazy(X), lazy(NUMBERS))
        _, local, _, about = inline.tasks[-1][1]
        assert about.rates == pytest.approx(0.001 * factor)
        assert about.rates * local.solver.weight_decay == pytest.approx(0.001 * 0.1)
        assert net.history_["learning_rate"].tolist() == [0.001] * 3


def test_the_shards_come_to_the_end_of_an_epoch_together(inline):
    # 20 is no multiple of 3: the whole batch has 21 rows.
    net = regressor(batch_size=20, sync_every=1).fit(lazy(X), lazy(NUMBERS))

    assert set(net.history_["batch_size"]) == {21}
    counts = [arguments[3].first for arguments in inline.arguments_of(find_gradient)]
    assert counts == [0, 0, 0, 1, 1, 1, 2, 2, 2] * 3


def test_a_shard_with_one_row_more_makes_its_last_step_alone(inline):
    net = regressor(n_shards=2, batch_size=2, sync_every=1, max_iter=1)
    net.fit(lazy(X[:5], 5), lazy(NUMBERS[:5], 5))

    assert [arguments[3].first for arguments in inline.arguments_of(find_gradient)] == [
        0,
        0,
        1,
        1,
        2,
    ]
    assert net.t_ == 5


# How it ends.


def test_training_that_diverges_is_an_error():
    net = regressor(solver="sgd", learning_rate_init=1e9, max_iter=50)

    with pytest.raises(ValueError, match=r"non-finite.*diverged in epoch"):
        net.fit(lazy(X), lazy(NUMBERS))
    assert not hasattr(net, "coefs_")


@pytest.mark.parametrize("sync_every", [1, 4])
def test_training_that_diverges_may_go_on_at_a_lower_rate(sync_every):
    net = regressor(
        solver="sgd",
        learning_rate_init=30.0,
        max_iter=50,
        on_divergence="recover",
        sync_every=sync_every,
    ).fit(lazy(X), lazy(NUMBERS))

    assert np.isfinite(net.loss_)
    assert net.score(X, NUMBERS) > -0.1


@pytest.mark.parametrize(
    ("settings", "n_iter"), [({"target_loss": 1e9}, 1), ({"max_time": 1e-9}, 1), ({"tol": 1e9}, 4)]
)
def test_there_are_reasons_to_stop(settings, n_iter):
    net = regressor(**{"max_iter": 9, "n_iter_no_change": 2, **settings})

    assert net.fit(lazy(X), lazy(NUMBERS)).n_iter_ == n_iter


@pytest.mark.parametrize("function", [take_steps, find_gradient])
def test_an_interrupt_leaves_what_has_been_trained_and_wants_no_tasks_any_more(inline, function):
    n_done = 0

    def before(name):
        nonlocal n_done
        n_done += name == function.__name__
        if n_done > 7:
            raise KeyboardInterrupt

    inline.before = before
    net = regressor(sync_every=1 if function is find_gradient else 2, batch_size=60)
    with pytest.warns(UserWarning, match="interrupted"):
        net.fit(lazy(X), lazy(NUMBERS))

    assert net.n_iter_ == 2
    assert np.isfinite(net.predict(X)).all()
    assert len(inline.cancelled) >= 3  # the shards


def test_an_error_while_training_leaves_the_estimator_as_it_was_and_nothing_on_the_cluster(inline):
    net = regressor(max_iter=2).fit(lazy(X), lazy(NUMBERS))
    before, inline.cancelled = net.coefs_[0], []

    def fail(name):
        if name == "take_steps":
            raise OSError("no cluster")

    inline.before = fail
    with pytest.raises(OSError, match="no cluster"):
        net.fit(lazy(X), lazy(NUMBERS))

    assert net.coefs_[0] is before
    assert len(inline.cancelled) == 3


@pytest.mark.parametrize("sync_every", [1, 2])
@pytest.mark.parametrize("dies_in", [1, 5, 11])
def test_a_driver_that_dies_goes_on_to_the_same_bits(inline, tmp_path, sync_every, dies_in):
    settings = {
        "batch_size": 15,
        "sync_every": sync_every,
        "max_iter": 6,
        "dropout": 0.1,
        "early_stopping": True,
        "weight_averaging": "ema",
    } | ({"outer_momentum": 0.5} if sync_every > 1 else {})
    expected = regressor(**settings).fit(lazy(X), lazy(NUMBERS))
    n_rounds = 0

    def before(name):
        nonlocal n_rounds
        n_rounds += name in ("take_steps", "find_gradient")
        if n_rounds == 3 * dies_in:
            raise RuntimeError("the power is off")

    kept = {"checkpoint": str(tmp_path / "fit"), "checkpoint_seconds": 0}
    inline.before = before
    with pytest.raises(RuntimeError, match="the power is off"):
        regressor(**settings, **kept).fit(lazy(X), lazy(NUMBERS))

    inline.before = lambda name: None
    net = regressor(**settings, **kept).fit(lazy(X), lazy(NUMBERS))
    assert_same_network(net, expected)
    assert net.loss_curve_ == expected.loss_curve_
    assert net.validation_scores_ == expected.validation_scores_


def test_a_checkpoint_is_that_of_its_rows(tmp_path):
    net = regressor(checkpoint=str(tmp_path / "fit"), checkpoint_seconds=0)
    net.fit(lazy(X), lazy(NUMBERS))
    changed = X.copy()
    changed[33, 1] += 1e-9

    with pytest.raises(ValueError, match=r"other data \(X\)"):
        net.fit(lazy(changed), lazy(NUMBERS))


def test_a_warm_start_goes_on():
    once = regressor(solver="sgd", max_iter=6, shuffle=False, momentum=0.0)
    twice = regressor(solver="sgd", max_iter=3, shuffle=False, momentum=0.0, warm_start=True)

    once.fit(lazy(X), lazy(NUMBERS))
    twice.fit(lazy(X), lazy(NUMBERS)).fit(lazy(X), lazy(NUMBERS))

    assert_same_network(once, twice, rtol=1e-9)
    assert len(twice.loss_curve_) == 6


# What is said of it.


def test_a_line_tells_of_each_round(capsys):
    regressor(batch_size=15, sync_every=2, max_iter=2, verbose=True).fit(lazy(X), lazy(NUMBERS))

    lines = capsys.readouterr().out.splitlines()
    rounds_ = [line for line in lines if "round" in line]
    assert [line.partition(":")[0] for line in rounds_] == [
        f"Iteration {i}, round {r} of 2" for i in (1, 2) for r in (1, 2)
    ]
    assert all("loss = " in line and line.endswith(" rows/s") for line in rounds_)


def test_history_and_report_are_those_of_all_shards():
    net = regressor(batch_size=15, sync_every=2).fit(lazy(X), lazy(NUMBERS))
    plain = MLPRegressor(**SETTINGS, batch_size=15).fit(X, NUMBERS)

    assert list(net.history_) == list(plain.history_)
    assert len(net.history_) == 3
    report, other = net.training_report_, plain.training_report_
    for name in ("n_epochs", "n_steps", "n_samples_seen", "flops"):
        assert getattr(report, name) == getattr(other, name), name
    assert report.cpu_seconds > 0


@pytest.mark.long
def test_a_classifier_learns_as_well_as_on_one_machine():
    settings = {"max_iter": 60, "learning_rate_init": 0.02, "batch_size": 15}
    net = classifier(sync_every=2, **settings).fit(lazy(X), lazy(CODES))
    plain = MLPClassifier(**SETTINGS | settings).fit(X, CODES)

    assert net.score(X, CODES) > plain.score(X, CODES) - 0.05 > 0.8
