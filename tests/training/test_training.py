"""From a recipe, targets and samples to a trained network, without an estimator."""

import gc
import weakref
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.activations import Tanh
from sknn.architecture import build_layers
from sknn.estimators.settings import make_recipe
from sknn.layers import Affine, Layer
from sknn.losses import Quantile, SquaredError
from sknn.samples import as_samples
from sknn.schedules import Cosine, EveryStep
from sknn.targets import Numbers, TargetSettings
from sknn.training import HeldOut, Order, TrainingSet, train, train_together
from sknn.training.training import Training
from tests.parallel.threads import HAS_THREADS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4))
Y = np.sin(X[:, :1]) + 0.1 * RNG.standard_normal((60, 1))


def make_order(seed=0, loss=None, n_rows=60, recipe=None, **parameters):
    """Return an order for a small regression."""
    options = {"max_iter": 5, "random_state": seed, "batch_size": 16} | parameters
    settings = TargetSettings(loss=loss or SquaredError())
    return Order(
        recipe=recipe or make_recipe(MLPRegressor((5,), "tanh", **options)),
        targets=Numbers.learn(Y, settings),
        data=TrainingSet(as_samples(X[:n_rows]), Y[:n_rows], Y[:n_rows, 0]),
    )


def test_training_is_the_fit_of_the_estimator():
    trained = train(make_order())
    model = MLPRegressor((5,), "tanh", max_iter=5, random_state=0, batch_size=16).fit(X, Y[:, 0])

    published = trained.published()
    assert published["loss_curve_"] == model.loss_curve_
    for ours, theirs in zip(published["coefs_"], model.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(trained.loss.predictions(trained.raw_scores(X)), model.predict(X))


def test_an_ensemble_inside_one_fit_is_a_stack(stack_sizes):
    together = train_together([make_order(seed) for seed in range(4)])

    assert stack_sizes == [4]
    for seed, trained in enumerate(together):
        np.testing.assert_array_equal(trained.theta(), train(make_order(seed)).theta())


def test_ensembles_meet_in_lockstep(stack_sizes):
    """The members of several fits are one stack."""
    from joblib import Parallel, delayed

    def fit(first):
        members = train_together([make_order(seed) for seed in range(first, first + 3)])
        return [member.theta() for member in members]

    alone = [fit(first) for first in (0, 3)]
    assert stack_sizes == [3, 3]
    stack_sizes.clear()
    with sknn.lockstep():
        met = Parallel(n_jobs=2)(delayed(fit)(first) for first in (0, 3))

    assert stack_sizes == ([6] if HAS_THREADS else [3, 3])
    np.testing.assert_array_equal(np.array(met), np.array(alone))


def test_members_that_train_again_on_all_rows_do_so_together(stack_sizes):
    options = {"early_stopping": True, "refit_full": True, "max_iter": 8}
    together = train_together([make_order(seed, **options) for seed in range(3)])

    assert stack_sizes[0] == 3
    assert sum(stack_sizes) == 6
    for seed, trained in enumerate(together):
        np.testing.assert_array_equal(trained.theta(), train(make_order(seed, **options)).theta())


def test_specs_are_not_changed_by_a_training():
    order = make_order(early_stopping=True, refit_full=True, max_time=60.0, max_iter=8)
    before = {
        name: vars(part).copy()
        for name, part in vars(order.recipe).items()
        if hasattr(part, "__dict__")
    }
    solver = vars(order.recipe.solver).copy()
    train(order)

    assert vars(order.recipe.solver) == solver
    assert before["penalty"] == vars(order.recipe.penalty)


class Centred(Layer):
    """Subtracts the mean of the training rows that it is shown."""

    calibrates = True
    seen = ()

    def parameters(self, n_in):
        return Affine().parameters(n_in)

    def calibrate(self, parameters, x, rng):
        Centred.seen = x.copy()
        parameters["scale"].fill(1)
        parameters["shift"][...] = -x.mean(axis=0)

    def bind(self, site):
        return Affine().bind(site)

    def apply(self, x, parameters):
        return Affine().apply(x, parameters)


def with_front(**parameters):
    recipe = make_order(**parameters).recipe
    layers = partial(build_layers, [5], [Tanh()])
    return replace(recipe, layers=lambda n_raw: [Centred(), *layers(n_raw)])


def test_layers_see_rows_that_are_trained_on_and_no_others():
    order = make_order(recipe=with_front(early_stopping=True, max_iter=1))
    problem = Training(order).problem

    assert len(problem.rows) == 54
    np.testing.assert_array_equal(Centred.seen, X[problem.rows])


def test_a_training_that_goes_on_is_not_calibrated_again():
    recipe = with_front(max_iter=1)
    first = train(make_order(recipe=recipe))
    Centred.seen = ()
    second = train(replace(make_order(recipe=recipe), previous=first))

    assert len(Centred.seen) == 0
    assert np.all(second.parameters[0]["shift"] != first.parameters[0]["shift"])


def test_parameters_of_new_layers_are_published():
    published = train(make_order(recipe=with_front(max_iter=1))).published()

    assert set(published["affine_"][0]) == {"scale", "shift"}
    assert published["n_layers_"] == 3
    assert len(published["coefs_"]) == 2


def test_a_problem_is_let_go_of_without_the_garbage_collector():
    gc.disable()
    try:
        training = Training(make_order(early_stopping=True))
        problem = weakref.ref(training.problem)
        del training
        assert problem() is None
    finally:
        gc.enable()


def test_given_samples_are_validated_on_in_the_dtype_of_the_parameters():
    order = make_order(early_stopping=True)
    held_out = HeldOut(samples=as_samples(X[:20].astype(np.float32)), y=Y[:20], labels=Y[:20, 0])
    trained = train(replace(order, data=replace(order.data, held_out=held_out)))

    assert len(trained.state.validation_scores) == trained.state.n_iter
    raw = trained.network.predict(X[:20].astype(np.float32).astype(float), trained.parameters)
    best = trained.targets.score(raw, Y[:20], None)
    assert best == pytest.approx(trained.state.best_score, rel=1e-12)


@pytest.mark.parametrize("estimator", [MLPRegressor, MLPClassifier])
def test_a_fitted_estimator_has_its_parameters_once(estimator):
    """Beside what is published nothing holds them, in memory or in a pickle."""
    options = {"early_stopping": True, "weight_averaging": "ema", "max_iter": 3}
    model = estimator((5,), random_state=0, **options).fit(X, Y[:, 0] > 0)
    state = model._state

    assert state.theta.size == 0
    assert state.position is None
    assert state.best_theta is None
    np.testing.assert_array_equal(model._trained().theta(), model._network.join(vars(model)))
    model.coefs_[0] = model.coefs_[0] + 1
    np.testing.assert_array_equal(model._trained().parameters[0]["coef"], model.coefs_[0])


def test_a_rate_by_steps_is_the_same_on_all_rows():
    options = {"early_stopping": True, "refit_full": True, "max_iter": 8}
    model = MLPRegressor((5,), learning_rate=EveryStep(Cosine()), random_state=0, **options)
    model.fit(X, Y[:, 0])
    best = int(np.argmax(model.validation_scores_)) + 1

    assert model.n_iter_ == best
    rates = 0.5e-3 * (1 + np.cos(np.pi * np.arange(best) / 8))
    np.testing.assert_allclose(model.history_["learning_rate"], rates)


CHANGES = [
    {"dropout": 0.3},
    {"activation": "relu"},
    {"loss": "huber"},
    {"solver": "sgd"},
    {"solver": "lbfgs"},
    {"batch_size": 7},
    {"residual": True},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_training_goes_on_with_other_layers_that_have_no_parameters(change):
    model = MLPRegressor((5, 5), warm_start=True, max_iter=2, random_state=0).fit(X, Y[:, 0])
    before = model.coefs_[0].copy()
    model.set_params(**change).fit(X, Y[:, 0])

    assert model.coefs_[0].shape == before.shape
    assert 0 < np.abs(model.coefs_[0] - before).max() < 2


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_goes_on_with_arrays_that_were_assigned(method):
    """A network that has been pruned, say, or lists in place of arrays."""
    model = MLPRegressor((6,), warm_start=True, max_iter=2, random_state=0).fit(X, Y[:, 0])
    first, last = model.coefs_
    model.coefs_ = [first[:, :4], last[:4]]
    model.intercepts_ = [model.intercepts_[0][:4], model.intercepts_[1].tolist()]
    model.set_params(hidden_layer_sizes=(4,))
    getattr(model, method)(X, Y[:, 0])

    assert model.coefs_[0].shape == (4, 4)
    assert "Linear         4          20" in model.summary()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_layer_sizes": (5, 6)}, r"hidden_layer_sizes=\(5, 6\) differs .* \(5, 5\)"),
        ({"normalization": "layer"}, "normalization='layer' differs"),
        ({"loss": Quantile([0.1, 0.9])}, "coefs_ has an array of shape"),
    ],
)
def test_training_does_not_go_on_with_another_network(change, message):
    model = MLPRegressor((5, 5), warm_start=True, max_iter=2, random_state=0).fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=message):
        model.set_params(**change).fit(X, Y[:, 0])


def test_weights_are_adapted_to_huge_rows_without_a_warning_of_numpy():
    model = MLPClassifier((3,), initializer="data", max_iter=1, random_state=0)
    model.fit(1e300 * X, Y[:, 0] > 0)

    assert all(np.isfinite(coef).all() for coef in model.coefs_)
