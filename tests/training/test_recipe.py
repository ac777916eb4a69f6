"""A recipe says all that training does; the user's words in it are only for what is said."""

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from sknn import MLPRegressor
from sknn.augmentation import GaussianNoise
from sknn.estimators.settings import make_recipe
from sknn.losses import SquaredError
from sknn.optimizers import SGD
from sknn.samples import as_samples
from sknn.targets import Numbers, TargetSettings
from sknn.training import Order, Recipe, TrainingSet, train

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = X[:, :1] - X[:, 1:2] ** 2


def make(**parameters):
    options = {"max_iter": 4, "batch_size": 10, "random_state": 0} | parameters
    return make_recipe(MLPRegressor((5, 5), **options))


class View:
    """What has been trained, as scikit-learn lets scorers see it."""

    def __init__(self, trained):
        self.trained = trained

    def fit(self):
        raise AssertionError("nobody trains what is scored")


def theta_of(recipe):
    """Return the parameters that training by a recipe leads to."""
    targets = Numbers.learn(Y, TargetSettings(loss=SquaredError()))
    data = TrainingSet(as_samples(X), Y, Y[:, 0])
    order = Order(recipe=recipe, targets=targets, data=data, view=View)
    return train(order).theta()


def test_the_words_change_nothing_but_what_is_said():
    recipe = make()
    nonsense = dict.fromkeys(recipe.words, "as the user has said")
    other = replace(recipe, words=nonsense)
    np.testing.assert_array_equal(theta_of(other), theta_of(recipe))

    words = recipe.words | {"learning_rate_init": "a third", "max_iter": "a few"}
    with pytest.warns(UserWarning, match="increase max_iter=a few or learning_rate_init=a third"):
        theta_of(replace(recipe, words=words))


CHANGES = {
    "layers": make(activation="tanh").layers,
    "draw": make(initializer="he").draw,
    "initial_arrays": (
        [np.ones((3, 5)), np.ones((5, 5)), np.ones((5, 1))],
        [np.zeros(5), np.zeros(5), np.zeros(1)],
    ),
    "intercept_init": "target",
    "penalty": make(l1_ratio=0.5).penalty,
    "alpha": 3.0,
    "solver": make().solver.changed(optimizer=SGD()),
    "augmentation": GaussianNoise(),
    "finds_rate": True,
    "early_stopping": True,
    "random_state": 1,
}
WITH_EARLY_STOPPING = {
    "validation_fraction": 0.5,
    "scoring": lambda view, X, y: -view.trained.state.n_iter,
    "refit_full": True,
}


@pytest.mark.parametrize("name", [*CHANGES, *WITH_EARLY_STOPPING])
def test_each_part_counts(name):
    recipe = make(alpha=1.0, early_stopping=name in WITH_EARLY_STOPPING, max_iter=8)
    changed = replace(recipe, **{name: (CHANGES | WITH_EARLY_STOPPING)[name]})

    assert not np.array_equal(theta_of(changed), theta_of(recipe))


def test_each_part_that_does_not_only_speak_or_limit_is_tested():
    names = {field.name for field in fields(Recipe)}

    assert names == {*CHANGES, *WITH_EARLY_STOPPING, "words", "max_time", "verbose"}


def test_a_recipe_serves_for_many_trainings():
    recipe = make(early_stopping=True, augmentation="gaussian_noise", dropout=0.2)
    first = theta_of(recipe)

    np.testing.assert_array_equal(theta_of(recipe), first)
    with pytest.raises(FrozenInstanceError):
        recipe.alpha = 2.0
