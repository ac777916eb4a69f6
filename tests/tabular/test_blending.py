import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax, softmax

from sknn.losses import BinaryLogLoss, Grouped, LogLoss
from sknn.tabular.blending import (
    TOLERANCE,
    Blend,
    blend_classes,
    blend_numbers,
    find_temperature,
    likelihoods,
    probabilities,
    prune,
    raw_of,
)


def minimise_on_simplex(loss, n_columns):
    """Return the weights, at least 0 and with sum 1, at which a convex function is least."""
    found = minimize(
        loss,
        np.full(n_columns, 1 / n_columns),
        method="SLSQP",
        bounds=[(0, 1)] * n_columns,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.success
    return found.x


# Numbers.


def blend_of_numbers(answers, y, weight):
    """Blend columns of which each is a kind of networks."""
    return blend_numbers(answers, y, weight, np.zeros(len(answers), int))


def make_numbers(n_outputs=1, n_samples=200, seed=0):
    """Return four answers, of which each knows something that the others do not, and targets."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n_outputs, n_samples))
    spread = np.array([0.5, 0.7, 0.6, 1.0])[:, np.newaxis, np.newaxis]
    return y + spread * rng.normal(size=(4, n_outputs, n_samples)), y


def squared_error(answers, y, weight=None):
    """Return the mean squared error of a mixture, in units of the variances of the outputs."""
    mean = np.average(y, axis=1, weights=weight)[:, np.newaxis]
    scale = np.sqrt(np.average((y - mean) ** 2, axis=1, weights=weight))[:, np.newaxis]

    def loss(weights):
        errors = ((np.tensordot(weights, answers, 1) - y) / scale) ** 2
        return np.average(errors.mean(axis=0), weights=weight)

    return loss


@pytest.mark.parametrize(("n_outputs", "is_weighted"), [(1, False), (1, True), (3, True)])
def test_weights_of_numbers_make_the_squared_error_least(n_outputs, is_weighted):
    answers, y = make_numbers(n_outputs)
    weight = np.random.default_rng(1).exponential(size=y.shape[1]) if is_weighted else None
    blended = blend_of_numbers(answers, y, weight)

    expected = minimise_on_simplex(squared_error(answers, y, weight), 4)
    assert blended.temperatures is None
    assert expected.min() > 0.05  # so none is left out
    np.testing.assert_allclose(blended.weights, expected, atol=1e-6)
    assert blended.weights.sum() == pytest.approx(1)


def test_weights_of_independent_errors_are_as_their_inverse_variances():
    # Errors of norm 1, 2 and 4 that are orthogonal to each other: 1 : 1/4 : 1/16.
    errors = np.diag([1.0, 2.0, 4.0])[:, np.newaxis]
    y = np.array([[1.0, -2.0, 5.0]])

    np.testing.assert_allclose(
        blend_of_numbers(y + errors, y, None).weights, np.array([16, 4, 1]) / 21, rtol=1e-6
    )


def test_answers_that_help_nobody_have_no_weight():
    answers, y = make_numbers()
    noise = np.random.default_rng(1).normal(size=(1, *y.shape))
    answers = np.concatenate([answers, y + 30 * noise])

    weights = blend_of_numbers(answers, y, None).weights
    assert weights[4] == 0
    np.testing.assert_allclose(weights[:4], blend_of_numbers(answers[:4], y, None).weights)


def test_outputs_count_alike_whatever_their_units():
    answers, y = make_numbers(2)
    units = np.array([[1e-4], [1e6]])

    np.testing.assert_allclose(
        blend_of_numbers(answers * units, y * units, None).weights,
        blend_of_numbers(answers, y, None).weights,
        rtol=1e-6,
    )


def test_whole_weights_are_repetitions_of_samples():
    answers, y = make_numbers(n_samples=40)
    weight = np.random.default_rng(1).integers(0, 4, 40)
    rows = np.repeat(np.arange(40), weight)
    scale = y.std()

    # The unit of the outputs is that of all samples, which does not matter for one output.
    ours = blend_of_numbers(answers, y, weight.astype(float)).weights
    theirs = blend_of_numbers(answers[..., rows], y[:, rows], None).weights
    assert scale != y[:, rows].std()
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_answers_that_are_alike_do_no_harm():
    answers, y = make_numbers()
    twice = np.concatenate([answers, answers])
    weights = blend_of_numbers(twice, y, None).weights

    expected = squared_error(answers, y)(blend_of_numbers(answers, y, None).weights)
    assert squared_error(twice, y)(weights) <= expected * (1 + 3 * TOLERANCE)


@pytest.mark.parametrize(
    "answers",
    [np.zeros((3, 1, 5)), np.ones((3, 1, 5)), np.full((1, 1, 5), 7.0)],
    ids=["all perfect", "all alike", "one"],
)
def test_weights_of_numbers_are_weights_whatever_the_answers(answers):
    weights = blend_of_numbers(answers, np.zeros((1, 5)), None).weights

    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("scale", [1e-3, 1e3, 1e8])
def test_weights_do_not_depend_on_the_size_of_errors(scale):
    answers, y = make_numbers()

    np.testing.assert_allclose(
        blend_of_numbers(y + scale * (answers - y), y, None).weights,
        blend_of_numbers(answers, y, None).weights,
        atol=1e-3,
    )


# Pruning.


def test_columns_are_left_out_as_long_as_that_costs_next_to_nothing():
    # Each column costs something if it is not there: 10, 1, 0.5 and 0.2 thousandths.
    costs, calls = np.array([10, 0.2, 1, 0.5]) / 1000, []

    def solve(kept):
        calls.append(kept.tolist())
        weights = costs[kept] / costs[kept].sum()
        return weights, 1 + costs.sum() - costs[kept].sum()

    weights = prune(solve, np.zeros(4, int))
    # 0.2 and 0.5 thousandths may go together; with 1 more it would be too much.
    assert calls == [[0, 1, 2, 3], [0, 2, 3], [0, 2], [0]]
    np.testing.assert_allclose(weights, [10 / 11, 0, 1 / 11, 0])


def test_a_kind_that_counts_keeps_a_column():
    all_weights = np.array([0.5, 0.36, 0.1, 0.04])

    def solve(kept):
        return all_weights[kept] / all_weights[kept].sum(), 1.0

    np.testing.assert_allclose(prune(solve, np.array([0, 0, 1, 2])), [5 / 6, 0, 1 / 6, 0])


def test_the_last_column_is_kept():
    weights = prune(lambda kept: (np.full(len(kept), 1 / len(kept)), 1.0), np.zeros(5, int))

    assert sorted(weights) == [0, 0, 0, 0, 1]


# Temperatures.


def make_scores(loss, n_classes, n_samples=300, seed=0):
    """Return raw scores (n_raw, n_samples) that know something, and what is true."""
    rng = np.random.default_rng(seed)
    if loss.out_activation == "logistic":
        truth = rng.random((n_samples, n_classes)) < 0.4
    else:
        groups = loss.groups() if isinstance(loss, Grouped) else [slice(0, n_classes)]
        sizes = [g.stop - g.start for g in groups]
        truth = np.hstack([np.eye(k, dtype=bool)[rng.integers(0, k, n_samples)] for k in sizes])
    return 1.5 * truth.T + rng.normal(size=(n_classes, n_samples)), truth


LOSSES = {
    "one label": (BinaryLogLoss(), 1),
    "labels": (BinaryLogLoss(), 3),
    "classes": (LogLoss(), 3),
    "several targets": (Grouped(LogLoss(), (2, 3)), 5),
}
losses = pytest.mark.parametrize(("loss", "n_raw"), LOSSES.values(), ids=LOSSES)


def by_formula(raw, loss):
    if loss.out_activation == "logistic":
        return expit(raw)
    groups = loss.groups() if isinstance(loss, Grouped) else [slice(None)]
    return np.concatenate([softmax(raw[g], axis=0) for g in groups])


def log_loss(raw, truth, loss, weight=None):
    """Return the mean of the log loss over targets and samples."""
    if loss.out_activation == "logistic":
        log = np.where(truth.T, log_expit(raw), log_expit(-raw))
    else:
        groups = loss.groups() if isinstance(loss, Grouped) else [slice(None)]
        log = np.stack([(log_softmax(raw[g], axis=0) * truth.T[g]).sum(axis=0) for g in groups])
    return -np.average(log.mean(axis=0), weights=weight)


@pytest.mark.parametrize("kind", LOSSES)
def test_probabilities_and_likelihoods_are_the_formulas(kind):
    loss, n_raw = LOSSES[kind]
    raw, truth = make_scores(loss, n_raw)
    p = probabilities(raw.copy(), loss)
    likely = likelihoods(p, truth, loss)

    np.testing.assert_allclose(p, by_formula(raw, loss))
    n_targets = {"one label": 1, "labels": 3, "classes": 1, "several targets": 2}
    assert likely.shape == (n_targets[kind], 300)
    assert -np.log(likely).mean() == pytest.approx(log_loss(raw, truth, loss))


@losses
@pytest.mark.parametrize("stretch", [0.3, 1.0, 4.0])
def test_temperatures_make_the_log_loss_least(loss, n_raw, stretch):
    raw, truth = make_scores(loss, n_raw)
    raw *= stretch
    weight = np.random.default_rng(1).exponential(size=300)
    before = raw.copy()

    grid = np.geomspace(0.1, 10, 1001)
    for given in (None, weight):
        found = find_temperature(raw, truth, given, loss)
        values = [log_loss(raw / temperature, truth, loss, given) for temperature in grid]
        assert found == pytest.approx(grid[np.argmin(values)], rel=0.02)
    np.testing.assert_array_equal(raw, before)


def test_temperatures_have_bounds():
    raw, truth = make_scores(LogLoss(), 3)
    sure = 0.5 * truth.T

    assert find_temperature(sure, truth, None, LogLoss()) == pytest.approx(0.1, rel=0.05)
    assert find_temperature(-sure, truth, None, LogLoss()) == pytest.approx(10, rel=0.05)
    assert 0.1 < find_temperature(raw, truth, None, LogLoss()) < 10


# Mixtures of probabilities.


def blend(raw, truth, weight, loss, n_members=8):
    """Blend columns of which each is a kind of networks."""
    return blend_classes(raw, truth, weight, loss, np.arange(len(raw)), n_members)


def make_columns(loss, n_raw):
    """Return raw scores of four columns, too cold and too hot ones among them, and what is true."""
    _, truth = make_scores(loss, n_raw)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(4, n_raw, 300))
    return np.array([0.3, 1, 4, 2])[:, np.newaxis, np.newaxis] * (2 * truth.T + noise), truth


@losses
@pytest.mark.parametrize("is_weighted", [False, True])
def test_weights_of_classes_make_the_log_loss_least(loss, n_raw, is_weighted):
    raw, truth = make_columns(loss, n_raw)
    weight = np.random.default_rng(2).exponential(size=300) if is_weighted else None
    blended = blend(raw.copy(), truth, weight, loss)

    found = np.array([find_temperature(each, truth, weight, loss) for each in raw])
    p = np.stack([by_formula(each / t, loss) for each, t in zip(raw, found, strict=True)])

    def mixture_loss(weights):
        likely = likelihoods(np.tensordot(weights, p, 1), truth, loss)
        return -np.average(np.log(likely).mean(axis=0), weights=weight)

    expected = minimise_on_simplex(mixture_loss, 4)
    assert blended.weights.min() >= 0
    assert blended.weights.sum() == pytest.approx(1)
    # Steps that are not many, and columns that are left out, may each cost a thousandth.
    assert mixture_loss(blended.weights) <= mixture_loss(expected) * (1 + 2 * TOLERANCE)


def test_each_column_has_the_temperature_that_suits_it():
    loss, n_raw = LogLoss(), 3
    raw, truth = make_columns(loss, n_raw)
    found = np.array([find_temperature(each, truth, None, loss) for each in raw])

    assert found.min() < 1 < found.max()
    np.testing.assert_allclose(blend(raw.copy(), truth, None, loss).temperatures, found, rtol=1e-6)


def make_noisy_networks(n_networks, n_samples=20_000):
    """Return raw scores of networks that know the log-odds but for a noise of their own."""
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, n_samples)
    truth = (rng.random(n_samples) < 1 / (1 + np.exp(-odds)))[:, np.newaxis]
    return odds + rng.normal(size=(n_networks, 1, n_samples)), truth


@pytest.mark.parametrize("n_kinds", [2, 4])
def test_the_temperature_of_all_networks_follows_from_those_of_one_and_of_some(n_kinds):
    loss, n_members = BinaryLogLoss(), 8
    raw, truth = make_noisy_networks(n_kinds * n_members)
    found = blend(raw[:n_kinds].copy(), truth, None, loss, n_members=n_members)
    temperature = found.temperatures.mean()
    mean = np.mean([by_formula(each / temperature, loss) for each in raw], axis=0)
    needed = find_temperature(raw_of(mean, loss), truth, None, loss)

    assert found.temperature < found.temperature_out_of_fold < 0.9
    assert found.temperature == pytest.approx(needed, abs=0.02)


def test_a_single_kind_needs_no_cooling():
    raw, truth = make_noisy_networks(1)
    found = blend(raw, truth, None, BinaryLogLoss())

    assert found.temperature == found.temperature_out_of_fold == pytest.approx(1, abs=0.02)


def test_columns_that_know_nothing_have_no_weight():
    raw, truth = make_columns(LogLoss(), 3)
    raw[1] = np.random.default_rng(3).normal(size=raw[1].shape)

    assert blend(raw, truth, None, LogLoss()).weights[1] == 0


@losses
def test_a_single_column_has_all_weight(loss, n_raw):
    raw, truth = make_columns(loss, n_raw)

    assert blend(raw[:1], truth, None, loss).weights.tolist() == [1]


@pytest.mark.parametrize("sign", [1, -1], ids=["all right", "all wrong"])
def test_weights_of_classes_are_weights_however_sure_the_answers(sign):
    truth = np.eye(2, dtype=bool)[[0, 1] * 5]
    raw = np.stack([sign * 1e5 * truth.T, sign * 2e5 * truth.T])
    blended = blend(raw, truth, None, LogLoss())

    assert blended.weights.min() >= 0
    assert blended.weights.sum() == pytest.approx(1)


def test_samples_without_weight_play_no_role():
    raw, truth = make_columns(LogLoss(), 3)
    weight = np.ones(300)
    weight[200:] = 0
    expected = blend(raw[..., :200].copy(), truth[:200], None, LogLoss())
    raw[..., 200:] *= -3
    blended = blend(raw, truth, weight, LogLoss())

    np.testing.assert_allclose(blended.weights, expected.weights, atol=1e-6)
    np.testing.assert_allclose(blended.temperatures, expected.temperatures, rtol=1e-4)


# Answers.


def test_numbers_are_blended_as_they_are():
    raw = np.array([[1.0, 2.0]])

    assert Blend(np.ones(1)).answer(raw, 0, LogLoss()) is raw


@losses
def test_scores_become_probabilities_at_the_temperature_of_their_column(loss, n_raw):
    raw, _ = make_scores(loss, n_raw)
    before = raw.copy()
    blend = Blend(np.array([0.5, 0.5]), np.array([1.0, 2.5]))

    np.testing.assert_allclose(blend.answer(raw, 1, loss), by_formula(raw / 2.5, loss))
    np.testing.assert_array_equal(raw, before)
    single = blend.answer(raw.astype(np.float32), 0, loss)
    assert single.dtype == np.float64


@losses
def test_raw_scores_of_probabilities_have_them(loss, n_raw):
    raw, _ = make_scores(loss, n_raw)
    p = by_formula(3 * raw, loss)

    np.testing.assert_allclose(by_formula(raw_of(p, loss), loss), p, rtol=1e-12)


def test_raw_scores_of_certain_probabilities_are_finite():
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    for loss in (LogLoss(), BinaryLogLoss()):
        raw = raw_of(certain, loss)
        assert np.isfinite(raw).all()
        np.testing.assert_allclose(by_formula(raw, loss), certain, atol=1e-300)


def test_the_blend_of_numbers_has_no_unit():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((1, 30))
    answers = y + rng.standard_normal((3, 1, 30))
    weights = blend_of_numbers(answers, y, None).weights

    for unit in (1e300, 1e-300):
        found = blend_of_numbers(unit * answers, unit * y, None).weights
        np.testing.assert_allclose(found, weights, atol=1e-9)


def test_answers_that_are_far_off_are_blended():
    weights = blend_of_numbers(
        np.array([[[1e300, 2e300]], [[3e300, 1e300]]]), np.ones((1, 2)), None
    )

    assert weights.weights.sum() == pytest.approx(1)
