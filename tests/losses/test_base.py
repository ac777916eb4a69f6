"""What every loss of the registries has to do."""

import itertools
import tracemalloc
from functools import partial

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import huber, softmax

from sknn._component import stack
from sknn.losses import (
    LOSSES,
    AbsoluteError,
    BinaryFocal,
    BinaryLogLoss,
    Focal,
    GammaLoss,
    Gaussian,
    Grouped,
    Huber,
    LabelWeighted,
    LogCosh,
    LogLoss,
    Loss,
    PoissonLoss,
    Quantile,
    SquaredError,
    Tweedie,
)
from sknn.losses._base import power, sum_outputs, weighted_mean, weighted_quantile
from tests.cases import name_of
from tests.counting import count, counted, says_its_cost
from tests.losses.evaluating import CASES, Case, dtypes, evaluate, grid, id_of


@grid
def test_gradient_is_the_numeric_derivative(case):
    raw, target = case.make()
    _, gradient = evaluate(case.loss, raw, target)
    for k, i in np.ndindex(raw.shape):
        ahead, behind = raw.copy(), raw.copy()
        ahead[k, i] += 1e-6
        behind[k, i] -= 1e-6
        pair = (evaluate(case.loss, moved, target)[0][i] for moved in (ahead, behind))
        numeric = np.subtract(*pair) / 2e-6
        assert gradient[k, i] == pytest.approx(numeric, rel=1e-6, abs=2e-9)


@grid
def test_slopes_by_predictions_are_pulled_back_to_raw_scores(case):
    raw, _ = case.make()
    factors = np.random.default_rng(0).standard_normal(raw.shape)

    def predict(scores):
        predicted = scores.copy()
        case.loss.inverse_link(predicted)
        return predicted

    slope = factors.copy()
    case.loss.pull_back(predict(raw), slope)
    for k, i in np.ndindex(raw.shape):
        step = np.zeros_like(raw)
        step[k, i] = 1e-6
        numeric = (factors * (predict(raw + step) - predict(raw - step))).sum() / 2e-6
        assert slope[k, i] == pytest.approx(numeric, rel=1e-6, abs=1e-8)


@grid
@dtypes
def test_a_leading_axis_means_models(case, dtype):
    cases = [case.make(seed=seed) for seed in range(3)]
    raws, targets = (np.stack(arrays) for arrays in zip(*cases, strict=True))

    values, gradients = evaluate(case.loss, raws, targets, dtype)

    for m, (raw, target) in enumerate(cases):
        value, gradient = evaluate(case.loss, raw, target, dtype)
        np.testing.assert_array_equal(values[m], value)
        np.testing.assert_array_equal(gradients[m], gradient)
        assert value.dtype == gradient.dtype == dtype


@pytest.mark.parametrize(
    "losses",
    [
        [Huber(0.3), Huber(0.7)],
        [Tweedie(1.5), Tweedie(1.8)],
        [Quantile(0.1), Quantile(0.6)],
        [Quantile([0.1, 0.5]), Quantile([0.2, 0.5])],
        [Focal(0.5), Focal(2.0)],
        [BinaryFocal(0.5), BinaryFocal(2.0)],
        [Grouped(Focal(0.5), (2, 3)), Grouped(Focal(2.0), (2, 3))],
        [LabelWeighted(BinaryFocal(g), (2.0, w, 0.5)) for g, w in ((0.5, 1.5), (2.0, 3.0))],
    ],
    ids=lambda losses: name_of(losses[0]),
)
@dtypes
def test_models_of_a_stack_have_their_own_numbers(losses, dtype):
    cases = [Case(loss).make(seed=seed) for seed, loss in enumerate(losses)]
    raws, targets = (np.stack(arrays) for arrays in zip(*cases, strict=True))

    values, gradients = evaluate(stack(losses, 2), raws, targets, dtype)

    for m, (loss, (raw, target)) in enumerate(zip(losses, cases, strict=True)):
        value, gradient = evaluate(loss, raw, target, dtype)
        np.testing.assert_array_equal(values[m], value)
        np.testing.assert_array_equal(gradients[m], gradient)


@grid
def test_weights_multiply_the_gradient_and_arguments_stay_as_they_are(case):
    raw, target = case.make()
    _, expected = evaluate(case.loss, raw, target)
    target = target.astype(float)
    weight = np.random.default_rng(0).random((1, raw.shape[1]))
    before = target.copy(), weight.copy()
    constants = [np.asarray(value) for value in case.loss.constants()]
    record, scratch = np.empty_like(raw), np.empty((2, *raw.shape))

    case.loss.gradient(raw, target, weight, record, scratch, *constants)
    case.loss.values(record, target, scratch, *constants)

    np.testing.assert_array_equal(target, before[0])
    np.testing.assert_array_equal(weight, before[1])
    np.testing.assert_allclose(raw, expected * weight, rtol=1e-14)


@grid
@pytest.mark.parametrize("lead", [(), (2,)], ids=["single", "stack"])
def test_nothing_is_allocated_that_grows_with_the_samples(case, lead):
    def peak(n_samples):
        raw, target = case.make(n_samples=n_samples)
        raw, target = (np.tile(a.astype(float), (*lead, 1, 1)) for a in (raw, target))
        record, scratch, weight = np.empty_like(raw), np.empty((2, *raw.shape)), np.ones(())
        constants = [np.asarray(value) for value in case.loss.constants()]
        tracemalloc.start()
        case.loss.gradient(raw, target, weight, record, scratch, *constants)
        case.loss.values(record, target, scratch, *constants)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    # A row of so many more samples has 160 kB; NumPy may convert through buffers of a fixed size.
    assert peak(40_000) - peak(20_000) < 20_000


@grid
def test_float32_and_float64_agree_and_are_finite_for_large_scores(case):
    n_samples = 41
    raw, target = case.make(n_samples)
    far = np.linspace(-60, 60, n_samples)
    raw = np.array([np.roll(far, 7 * k) for k in range(len(raw))])
    values, gradient = evaluate(case.loss, raw, target)
    values32, gradient32 = evaluate(case.loss, raw, target, np.float32)

    assert np.isfinite(values).all()
    assert np.isfinite(values32).all()
    np.testing.assert_allclose(gradient32, gradient, rtol=1e-4, atol=1e-5)


def clips(case):
    """Whether a loss clips probabilities, each precision otherwise."""
    return isinstance(getattr(case.loss, "loss", case.loss), (LogLoss, BinaryLogLoss))


@pytest.mark.parametrize("case", [case for case in CASES if not clips(case)], ids=id_of)
def test_values_of_large_scores_are_the_same_in_both_precisions(case):
    raw, target = case.make(41)
    raw = np.array([np.roll(np.linspace(-60, 60, 41), 7 * k) for k in range(len(raw))])
    values, values32 = (evaluate(case.loss, raw, target, d)[0] for d in (np.float64, np.float32))

    np.testing.assert_allclose(values32, values, rtol=1e-4, atol=1e-5)


NO_LINK = {AbsoluteError, Huber, LogCosh, SquaredError}
"""Losses whose raw scores are the predictions."""


@grid
def test_operations_are_those_that_numpy_is_asked_for(case):
    raw, target = case.make(n_samples=7)
    scores, record, scratch = counted(raw), counted(raw), counted([raw, raw])
    target = counted(target)
    constants = [np.asarray(value) for value in case.loss.constants()]
    n_made = count(
        partial(case.loss.gradient, scores, target, np.array(0.1), record, scratch, *constants),
        partial(case.loss.values, record, target, scratch, *constants),
    )

    # The sum over k outputs counts k; it is made by k - 1 additions.
    assert case.loss.operations(len(raw)) == n_made / 7 + 1
    link = count(partial(case.loss.inverse_link, counted(raw)))
    assert case.loss.link_operations(len(raw)) == link / 7


@grid
def test_every_loss_says_what_it_costs(case):
    loss, n_raw = case.loss, len(case.make()[0])
    has_no_link = type(loss) in NO_LINK or (isinstance(loss, Quantile) and not loss.has_many)

    assert says_its_cost(type(loss), "operations", "gradient", "values")
    assert says_its_cost(type(loss), "link_operations", "inverse_link")
    assert loss.operations(n_raw) >= n_raw
    assert (loss.link_operations(n_raw) == 0) == has_no_link


RANGES = {
    "identity": (-np.inf, np.inf),
    "logistic": (0, 1),
    "softmax": (0, 1),
    "exp": (np.finfo(np.float32).tiny, np.inf),
}


@grid
@dtypes
def test_inverse_link_has_the_range_of_the_targets(case, dtype):
    loss = case.loss
    n_rows = case.make()[0].shape[0]
    raw = np.linspace(-60, 60, 10 * n_rows, dtype=dtype).reshape(n_rows, 10)
    loss.inverse_link(raw)

    assert raw.dtype == dtype
    assert np.isfinite(raw).all()
    lowest, highest = RANGES[loss.out_activation]
    assert raw.min() >= lowest
    assert raw.max() <= highest


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.loss.out_activation == "softmax"], ids=id_of
)
@dtypes
def test_probabilities_of_one_class_among_several_add_up_to_one(case, dtype):
    raw, _ = case.make()
    raw = (20 * raw).astype(dtype)
    case.loss.inverse_link(raw)

    groups = case.loss.groups() if isinstance(case.loss, Grouped) else [slice(None)]
    for g in groups:
        np.testing.assert_allclose(raw[g].sum(axis=0), 1, rtol=1e-6)


def mean(y):
    return y.mean(axis=0)


def mean_and_std(y):
    return np.append(y.mean(axis=0), y.std(axis=0))


def least(formula):
    """Return the function from targets to the number where a formula's mean is least."""

    def find(y):
        return [minimize_scalar(lambda c: formula(c, y).mean(), tol=1e-12).x]

    return find


def least_focal(y):
    """Return the probabilities that minimise the focal loss with gamma = 2."""
    shares = y.mean(axis=0)

    def total(z):
        p = softmax(z)
        return -(shares * (1 - p) ** 2 * np.log(p)).sum()

    return softmax(minimize(total, np.zeros(3), tol=1e-10).x)


def least_binary_focal(y):
    """Return the probability that minimises the binary focal loss with gamma = 2."""
    share = y.mean()

    def total(p):
        return -share * (1 - p) ** 2 * np.log(p) - (1 - share) * p**2 * np.log(1 - p)

    return [minimize_scalar(total, bounds=(0.01, 0.99), options={"xatol": 1e-10}).x]


SMOOTH = [
    (SquaredError(), mean),
    (PoissonLoss(), mean),
    (GammaLoss(), mean),
    (Tweedie(), mean),
    (LogLoss(), mean),
    (LogLoss(is_soft=True), mean),
    (BinaryLogLoss(), mean),
    (BinaryLogLoss(is_soft=True), mean),
    (Gaussian(), mean_and_std),
    (Huber(0.5), least(lambda c, y: huber(0.5, y - c))),
    (LogCosh(), least(lambda c, y: np.log(np.cosh(y - c)))),
    (Focal(), least_focal),
    (BinaryFocal(), least_binary_focal),
]


@pytest.mark.parametrize(("loss", "expected"), SMOOTH, ids=lambda case: name_of(case)[:20])
def test_the_best_constant(loss, expected):
    n_outputs = 3 if loss.out_activation == "softmax" else 1
    case = Case(loss, getattr(loss, "is_soft", False))
    _, target = case.make(41, n_outputs, seed=1)
    n_raw = n_outputs * loss.raw_per_target

    def total(constant):
        values, gradient = evaluate(loss, np.repeat(constant[:, np.newaxis], 41, 1), target)
        return values.mean(), gradient.mean(axis=1)

    best = minimize(total, np.zeros(n_raw), jac=True, tol=1e-12).x[:, np.newaxis]
    loss.inverse_link(best)

    np.testing.assert_allclose(best[:, 0], expected(target.T), rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "levels"),
    [
        (AbsoluteError(), [0.5]),
        (Quantile(), [0.5]),
        (Quantile(0.1), [0.1]),
        (Quantile([0.1, 0.5, 0.9]), [0.1, 0.5, 0.9]),
    ],
    ids=["AbsoluteError", "Quantile", "Quantile-low", "Quantile-many"],
)
def test_the_best_constants_are_quantiles(loss, levels):
    rng = np.random.default_rng(1)
    target = rng.standard_normal((1, 41))
    quantiles = np.quantile(target, levels, method="inverted_cdf")
    best = quantiles.copy()
    best[1:] = np.log(np.expm1(np.diff(quantiles)))

    def total(constant):
        return evaluate(loss, np.repeat(constant[:, np.newaxis], 41, 1), target)[0].mean()

    least_total = total(best)
    for size in (1e-3, 1e-1, 1):
        for direction in rng.standard_normal((100, len(levels))):
            assert total(best + size * direction) > least_total


@grid
@pytest.mark.parametrize("method", ["start", "best_constant"])
def test_the_beginning_weighs_targets_as_rows_repeated(case, method):
    _, target = case.make(30)
    n_raw = len(target) * case.loss.raw_per_target
    n_times = np.random.default_rng(1).integers(1, 4, 30)
    begin = getattr(case.loss, method)

    weighted = begin(target.T, n_times.astype(np.float32))

    assert (weighted.shape, weighted.dtype) == ((n_raw,), np.float64)
    np.testing.assert_allclose(
        weighted, begin(np.repeat(target.T, n_times, axis=0), None), rtol=1e-12, atol=1e-12
    )
    assert np.abs(weighted - begin(target.T, None)).max() > 1e-6


REGRESSION_CASES = [*(LOSSES.resolve(name) for name in LOSSES), Quantile([0.1, 0.5, 0.9])]
NEAR_THE_MEAN = (Huber, LogCosh)  # they begin there, their best constant has no formula


@pytest.mark.parametrize(
    "loss", [loss for loss in REGRESSION_CASES if not isinstance(loss, NEAR_THE_MEAN)], ids=name_of
)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_no_constant_is_better_than_the_best_one(loss, n_outputs):
    _, target = Case(loss).make(301, n_outputs)
    weight = np.random.default_rng(0).random(301)
    best = loss.best_constant(target.T, weight)

    def mean_loss(raw):
        values, _ = evaluate(loss, np.repeat(raw[:, np.newaxis], 301, axis=1), target)
        return np.average(values, weights=weight)

    least_loss = mean_loss(best)
    for k, step in itertools.product(range(len(best)), (-0.1, 0.1)):
        moved = best.copy()
        moved[k] += step
        assert mean_loss(moved) > least_loss


@pytest.mark.parametrize("loss", [Huber(), LogCosh()], ids=name_of)
def test_losses_without_a_formula_for_it_begin_at_the_mean(loss):
    y = np.array([[1.0, 5.0], [4.0, 5.0]])

    np.testing.assert_allclose(loss.best_constant(y, np.array([1.0, 2.0])), [3.0, 5.0])


@grid
def test_values_of_samples_are_those_of_training(case):
    raw, target = case.make()
    expected, _ = evaluate(case.loss, raw, target)
    before = target.copy()

    np.testing.assert_array_equal(case.loss.sample_values(raw.copy(), target), expected)
    np.testing.assert_array_equal(target, before)


@pytest.mark.parametrize(
    ("loss", "n_targets", "shape"),
    [
        (SquaredError(), 1, (4,)),
        (SquaredError(), 2, (4, 2)),
        (Gaussian(), 1, (4,)),
        (Gaussian(), 2, (4, 2)),
        (Quantile([0.1, 0.5, 0.9]), 1, (4, 3)),
        (Quantile([0.1, 0.5, 0.9]), 2, (4, 2, 3)),
    ],
    ids=name_of,
)
def test_predictions_have_a_row_for_each_sample(loss, n_targets, shape):
    n_raw = n_targets * loss.raw_per_target
    raw = np.random.default_rng(0).standard_normal((n_raw, 4))
    rows = raw.copy()
    loss.inverse_link(rows)
    predicted = loss.predictions(raw.copy())

    assert predicted.shape == shape
    assert predicted.flags.c_contiguous
    # The rows of one kind lie together: of a normal distribution only the means are predicted.
    n_kinds = len(loss.score_levels) or 1
    by_kind = rows[: n_kinds * n_targets].reshape(n_kinds, n_targets, 4)
    np.testing.assert_array_equal(predicted, by_kind.transpose(2, 1, 0).reshape(shape))


def test_means_and_quantiles_worked_out_by_hand():
    y, weight = np.array([[3, 1], [1, 2], [2, 3]], np.uint8), np.array([1, 2, 5], np.float32)

    np.testing.assert_array_equal(weighted_mean(y, None), [2, 2])
    np.testing.assert_array_equal(weighted_mean(y, weight), [15 / 8, 20 / 8])
    np.testing.assert_array_equal(weighted_quantile(y, None, 0.5), [2, 2])
    # Up to 1, 2 and 3 there are 2, 7 and 8 of 8 parts of the weight; in the second column 1, 3, 8.
    for level, expected in ((0.2, [1, 2]), (0.25, [1, 2]), (0.5, [2, 3]), (0.9, [3, 3])):
        np.testing.assert_array_equal(weighted_quantile(y, weight, level), expected)


def test_means_of_half_precision_do_not_overflow():
    y = np.full((100, 1), 60_000, np.float16)

    np.testing.assert_allclose(weighted_mean(y, np.full(100, 0.1, np.float16)), np.float64(y[0]))


def test_outputs_are_summed_in_their_first_row():
    values = np.arange(12.0).reshape(2, 3, 2)
    total = sum_outputs(values)

    np.testing.assert_array_equal(total, [[0 + 2 + 4, 1 + 3 + 5], [6 + 8 + 10, 7 + 9 + 11]])
    assert np.shares_memory(total, values)


def test_powers_are_numpys_and_those_of_a_stack_its_models():
    base, exponents = np.array([0.0, 0.3, 1.0, 2.5]), [0.0, 0.5, 1.0, 2.0]
    column = np.array(exponents)[:, np.newaxis]
    together = np.repeat(base[np.newaxis], 4, axis=0)
    power(together, column, together)

    np.testing.assert_allclose(together, base**column, rtol=1e-14)
    for row, exponent in zip(together, exponents, strict=True):
        alone = np.empty(4)
        power(base, np.asarray(exponent), alone)
        np.testing.assert_array_equal(row, alone)


def test_a_loss_that_does_not_say_what_it_costs_counts_four_operations_a_score():
    class Own(Loss):
        def gradient(self, raw, target, weight, record, scratch, *constants):
            raw -= target

        def values(self, record, target, scratch, *constants):
            return record[0]

        def inverse_link(self, raw):
            raw += 1

    assert not says_its_cost(Own, "operations", "gradient", "values")
    assert not says_its_cost(Own, "link_operations", "inverse_link")
    assert (Own().operations(5), Own().link_operations(5)) == (15, 5)
