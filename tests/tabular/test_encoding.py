import numpy as np
import pytest
from scipy.stats import norm
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from sknn.tabular.encoding import (
    MIN_ROWS_PER_BIN,
    Bins,
    Missing,
    OneHot,
    Robust,
    TargetMeans,
    Waves,
    choose_edges,
)

NAN = np.nan


def column(*values):
    return np.array(values, dtype=float)[:, np.newaxis]


def encode(encoding, values, dtype=np.float64):
    """Return what values become, of which none may be left unwritten."""
    values = np.asarray(values)
    out = np.full((len(values), len(encoding.names)), NAN, dtype)
    encoding.encode(values, out)
    assert len(encoding.origins) == len(encoding.names)
    return out


def soft(z):
    """Return robustly scaled values with their ends drawn in."""
    z = np.asarray(z, dtype=float)
    return z / np.sqrt(1 + (z / 3) ** 2)


# Robust.


def test_robust_measures_from_the_median_in_distances_of_the_quartiles():
    values = column(1, 2, 3, 4, 100)  # quartiles 2, 3, 4
    robust = Robust(values, ["a"], [4])

    assert (robust.names, robust.origins) == (["a"], [4])
    np.testing.assert_allclose(encode(robust, values), soft(column(-1, -0.5, 0, 0.5, 48.5)))


def test_robust_takes_half_of_the_range_where_the_quartiles_are_equal():
    values = column(*[5] * 8, 1, 7)  # the range is 6

    np.testing.assert_allclose(
        encode(Robust(values, ["a"], [0]), column(5, 1, 7)), soft(column(0, -4 / 3, 2 / 3))
    )


def test_robust_makes_nothing_of_a_constant():
    robust = Robust(column(2, 2, 2), ["a"], [0])

    np.testing.assert_array_equal(encode(robust, column(2, 100, NAN)), column(0, 0, 0))


def test_robust_puts_the_mean_in_gaps():
    values = column(0, 0, 4, 8, NAN, NAN)  # the mean is 3, the quartiles 0.75, 3, 3.75
    robust = Robust(values, ["a"], [0])

    np.testing.assert_allclose(encode(robust, values), soft((column(0, 0, 4, 8, 3, 3) - 3) / 3))


def test_robust_scales_each_column_by_itself():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 3)) * [1, 100, 1e-3]
    values[3, 1] = NAN
    together = encode(Robust(values, ["a", "b", "c"], [0, 1, 2]), values)

    for j in range(3):
        alone = encode(Robust(values[:, [j]], ["a"], [0]), values[:, [j]])
        np.testing.assert_allclose(together[:, [j]], alone)


def test_robust_knows_columns_of_nothing():
    robust = Robust(np.array([[1, NAN], [2, NAN], [3, NAN]]), ["a", "b"], [0, 1])

    np.testing.assert_allclose(encode(robust, [[1, NAN], [NAN, 5]]), [[soft(-1), 0], [0, 0]])


@pytest.mark.parametrize("far", [1e10, 1e160, 1e300, 1.7e308])
def test_robust_keeps_far_values_at_its_ends(far):
    ordinary = Robust(column(1, 2, 3, 4, 5), ["a"], [0])
    np.testing.assert_allclose(encode(ordinary, column(far, -far)), column(3, -3))

    # As one of the training rows it is far, too.
    values = column(1, 2, 3, 4, far)
    np.testing.assert_allclose(encode(Robust(values, ["a"], [0]), values)[-1], 3, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_robust_has_no_scale_of_its_own(scale):
    values = column(-10, -2, 0, 1, 3, 17)

    np.testing.assert_allclose(
        encode(Robust(values * scale, ["a"], [0]), values * scale),
        encode(Robust(values, ["a"], [0]), values),
        rtol=1e-6,
    )


def test_values_and_training_rows_are_left_as_they_are():
    values = column(1, NAN, 3, 4)
    before = values.copy()
    encode(Robust(values, ["a"], [0]), values)
    encode(Bins(values[:, 0], np.array([1.0, 2, 4]), "a", 0), values)

    np.testing.assert_array_equal(values, before)


# Missing.


def test_gaps_are_marked():
    missing = Missing(["a", "b"], [3, 5])

    assert missing.names == ["a_missing", "b_missing"]
    assert missing.origins == [3, 5]
    np.testing.assert_array_equal(encode(missing, [[NAN, 1], [0, NAN]]), [[1, -1], [-1, 1]])


# Bins.


def test_bins_say_how_much_of_each_has_been_passed():
    training = np.array(
        [0.0, 1, 2, 3]
    )  # pass 0, 1, 1, 1 of the first bin, 0, 0, 1/4, 1/2 of the second
    bins = Bins(training, np.array([0.0, 1, 5]), "a", 7)

    assert bins.names == ["a_bin0", "a_bin1"]
    assert bins.origins == [7, 7]
    means = np.array([3 / 4, 3 / 16])
    passed = [[0, 0], [0.5, 0], [1, 0.25], [1, 1], [1, 1], [0, 0]]
    values = column(-1, 0.5, 2, 5, np.inf, -np.inf)
    np.testing.assert_allclose(encode(bins, values), 2 * (passed - means))


def test_a_gap_has_passed_no_bin_if_there_were_gaps_and_is_the_mean_if_there_were_none():
    edges = np.array([0.0, 1, 5])
    never, sometimes = (
        Bins(np.array(training), edges, "a", 0) for training in ([0.0, 1, 3], [0.0, 1, NAN])
    )

    np.testing.assert_array_equal(encode(never, column(NAN)), [[0, 0]])
    np.testing.assert_array_equal(encode(sometimes, column(NAN)), encode(sometimes, column(0)))


def test_categories_of_single_rows_have_no_mean_that_says_something():
    """Of the other folds only the mean of all is known, which differs in the wrong direction."""
    y = np.random.default_rng(0).normal(size=(40, 1))
    folds = [np.arange(k, 40, 4) for k in range(4)]
    encoding = TargetMeans(np.arange(40), 40, y, None, folds, "id", 0)

    np.testing.assert_array_equal(encode(encoding, codes(*range(40))), 0)


def test_bins_have_mean_zero_over_the_training_rows():
    values = np.random.default_rng(0).normal(size=100)
    values[:7] = NAN
    bins = Bins(values, np.array([-1.0, 0, 0.1, 2]), "a", 0)

    np.testing.assert_allclose(encode(bins, values[:, np.newaxis]).mean(axis=0), 0, atol=1e-12)


def test_bins_know_values_however_far():
    bins = Bins(np.array([0.0, 0.1, 1.0]), np.array([0, 1e-3, 1.0]), "a", 0)

    np.testing.assert_array_equal(
        encode(bins, column(1.7e308, -1.7e308)), encode(bins, column(1, 0))
    )


def test_bins_write_floats_of_either_precision():
    bins = Bins(np.array([0.0, 0.3, 1.0]), np.array([0, 0.5, 1.0]), "a", 0)
    single = encode(bins, column(0.2), np.float32)

    assert single.dtype == np.float32
    np.testing.assert_allclose(single, encode(bins, column(0.2)), 1e-6)


# Edges.


def test_few_values_are_edges_themselves():
    values = np.array([3.0, 1, 1, NAN, 2, np.inf, 1])

    np.testing.assert_array_equal(choose_edges(values, 8), [1, 2, 3])
    np.testing.assert_array_equal(choose_edges(values, 2), [1, 2, 3])


def test_edges_are_quantiles():
    values = np.random.default_rng(0).normal(size=500)

    np.testing.assert_allclose(
        choose_edges(values, 4), np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    )
    with_gaps = np.append(values, [NAN, np.inf])
    np.testing.assert_array_equal(choose_edges(with_gaps, 4), choose_edges(values, 4))


def test_edges_of_quantiles_are_those_of_the_distribution():
    values = norm.ppf((np.arange(20_000) + 0.5) / 20_000)

    np.testing.assert_allclose(
        choose_edges(values, 8)[1:-1], norm.ppf(np.arange(1, 8) / 8), atol=1e-3
    )


@pytest.mark.parametrize("mode", [-10.0, 0.1234, 10.0], ids=["lowest", "inside", "highest"])
def test_a_value_of_many_rows_has_an_edge_of_its_own(mode):
    others = np.random.default_rng(0).normal(size=1000)
    values = np.append(others, np.full(1000, mode))
    edges = choose_edges(values, 8)

    assert mode in edges
    assert (edges[0], edges[-1]) == (values.min(), values.max())
    assert 6 <= len(edges) - 1 <= 8  # those that quantiles of all would have had are 4
    assert (np.diff(edges) > 0).all()
    shares, _ = np.histogram(others, edges[np.isin(edges, mode, invert=True)])
    assert shares.min() > 0.7 * len(others) / len(shares)


def test_a_value_has_an_edge_of_its_own_from_more_than_two_bins_of_rows_on():
    others = np.random.default_rng(0).normal(size=300)
    for n_rows, is_own in [(60, False), (100, False), (101, True), (120, True)]:
        values = np.append(others, np.full(n_rows, 0.1234))  # 100 of 400 are 2 of 8 bins
        quantiles = np.unique(np.quantile(values, np.linspace(0, 1, 9)))
        assert np.array_equal(choose_edges(values, 8), quantiles) != is_own


def test_no_more_bins_than_the_other_rows_can_fill():
    others = np.arange(1.0, 3.5 * MIN_ROWS_PER_BIN + 1)  # 70 rows: 3 bins
    values = np.append(np.zeros(1000), others)
    edges = choose_edges(values, 32)

    np.testing.assert_allclose(edges, [0, *np.quantile(others, [0, 1 / 3, 2 / 3, 1])])
    np.testing.assert_array_equal(choose_edges(np.append(np.zeros(1000), others[:40]), 32).size, 4)


@pytest.mark.parametrize("n_bins", [2, 3, 4, 5, 8, 32])
def test_there_are_never_more_bins_than_wanted(n_bins):
    rng = np.random.default_rng(0)
    for others in (rng.normal(size=900), rng.exponential(size=900), rng.integers(0, 40, 900)):
        for n_zeros in (0, 10, 900, 5000):
            edges = choose_edges(np.append(others, np.zeros(n_zeros)), n_bins)
            assert len(edges) - 1 <= n_bins
            assert (np.diff(edges) > 0).all()


# Waves.


def test_waves_are_cosines_of_scaled_values():
    values = np.random.default_rng(0).normal(size=(20, 2))
    values[3, 0] = NAN
    robust = Robust(values, ["a", "b"], [1, 4])
    waves = Waves(robust, 3, 0.5, np.random.RandomState(7))

    rng = np.random.RandomState(7)
    frequency, phase = rng.normal(0, 0.5, (2, 3)), rng.uniform(-np.pi, np.pi, (2, 3))
    scaled = encode(robust, values)[:, :, np.newaxis]
    expected = np.cos(2 * np.pi * frequency * scaled + phase)
    np.testing.assert_allclose(encode(waves, values), expected.reshape(20, 6))
    assert waves.names == [f"{name}_wave{k}" for name in "ab" for k in range(3)]
    assert waves.origins == [1, 1, 1, 4, 4, 4]


# OneHot.


def codes(*values):
    return np.array(values)[:, np.newaxis]


def test_two_categories_are_one_column():
    pair = OneHot(np.array([0, 1, 0]), ["x", "y"], 10, "a", 2)

    assert (pair.names, pair.origins) == (["a_x"], [2])
    np.testing.assert_array_equal(encode(pair, codes(0, 1, -1)), column(1, -1, 0))


def test_categories_are_indicators_on_the_scale_of_numbers():
    training = np.array([0, 0, 0, 0, 1, 1, 2, 2, -1, -1])
    one_hot = OneHot(training, ["x", "y", "z"], 10, "a", 2)
    indicators = (training[:, np.newaxis] == [0, 1, 2]).astype(float)

    assert one_hot.names == ["a_x", "a_y", "a_z"]
    np.testing.assert_allclose(
        encode(one_hot, training[:, np.newaxis]),
        encode(Robust(indicators, ["x", "y", "z"], [0, 0, 0]), indicators),
    )
    # By hand: quartiles of x are 0, 0, 1; those of y and z are 0, so that half of the range counts.
    np.testing.assert_allclose(
        encode(one_hot, codes(0, 1, 2, -1)),
        [[soft(1), 0, 0], [0, soft(2), 0], [0, 0, soft(2)], [0, 0, 0]],
    )


def test_two_categories_and_gaps_are_a_column_each():
    one_hot = OneHot(np.array([0, 1, -1, 0]), ["x", "y"], 10, "a", 0)

    assert one_hot.names == ["a_x", "a_y"]
    assert (encode(one_hot, codes(-1))[0] == encode(one_hot, codes(1))[0]).tolist() == [True, False]


def test_rare_categories_are_like_none():
    training = np.array([0, 0, 0, 1, 1, 2, 3])
    one_hot = OneHot(training, ["x", "y", "z", "w"], 2, "a", 0)
    rows = encode(one_hot, codes(0, 1, 2, 3, -1))

    assert one_hot.names == ["a_x", "a_y"]
    assert len(np.unique(rows, axis=0)) == 3
    np.testing.assert_array_equal(rows[2], rows[4])
    np.testing.assert_array_equal(rows[3], rows[4])


# Target means.


def means(training, n_levels, targets, weight=None, folds=()):
    return TargetMeans(np.asarray(training), n_levels, targets, weight, list(folds), "a", 3)


def standardised(values, by=None):
    by = values if by is None else by
    return (values - by.mean(axis=0)) / by.std(axis=0)


def test_means_are_drawn_to_the_mean_of_all():
    training = np.array([0] * 5 + [1] * 10 + [-1] * 5)
    y = column(*[3] * 5, *[0] * 10, *[1] * 5)  # the mean of all is 1
    encoding = means(training, 3, y)

    # (5 * 3 + 10) / 15, (0 + 10) / 20, one that does not occur, and those without any
    expected = column(25 / 15, 10 / 20, 1, (5 + 10) / 15)
    rows = standardised(expected, expected[[0] * 5 + [1] * 10 + [3] * 5])
    assert (encoding.names, encoding.origins) == (["a_target0"], [3])
    np.testing.assert_allclose(encode(encoding, codes(0, 1, 2, -1)), rows)


TARGETS = {
    "continuous": lambda rng: rng.normal(size=60),
    "binary": lambda rng: rng.integers(0, 2, 60),
    "classes": lambda rng: rng.integers(0, 3, 60),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_means_are_scikit_learns(kind):
    rng = np.random.default_rng(0)
    training, y = rng.integers(0, 5, 60), TARGETS[kind](rng)
    theirs = TargetEncoder(smooth=10.0, target_type="auto").fit(training[:, np.newaxis], y)
    ours = (y[:, np.newaxis] == np.arange(3)).astype(float) if kind == "classes" else column(*y)
    encoding = means(training, 5, ours)

    known = theirs.transform(np.arange(6)[:, np.newaxis])  # 5 is new
    expected = standardised(known, known[training])
    np.testing.assert_allclose(encode(encoding, codes(0, 1, 2, 3, 4, -1)), expected)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_training_rows_get_the_means_of_the_other_folds(is_weighted):
    rng = np.random.default_rng(0)
    training, y = rng.integers(-1, 6, 50), rng.normal(size=(50, 2))
    weight = rng.integers(0, 4, 50).astype(float) if is_weighted else np.ones(50)
    folds = [rows for _, rows in KFold(4, shuffle=True, random_state=0).split(y)]
    encoding = means(training, 6, y, weight if is_weighted else None, folds)
    out = np.empty((50, 2))
    encoding.encode_training_rows(out)

    expected = np.empty((50, 2))
    for rows in folds:
        others = np.setdiff1d(np.arange(50), rows)
        overall = np.average(y[others], axis=0, weights=weight[others])
        for i in rows:
            same = others[training[others] == training[i]]
            total = weight[same] @ y[same] + 10 * overall
            expected[i] = total / (weight[same].sum() + 10)
    np.testing.assert_allclose(out, standardised(expected))


def test_no_row_sees_its_own_target():
    rng = np.random.default_rng(0)
    training, y = rng.integers(0, 4, 40), rng.normal(size=(40, 1))
    folds = np.array_split(np.arange(40), 4)
    other = y.copy()
    other[folds[0]] += rng.normal(size=(10, 1)) * 100

    before, after = (means(training, 4, each, None, folds) for each in (y, other))
    np.testing.assert_array_equal(before._fitted[folds[0]], after._fitted[folds[0]])
    assert (before._fitted[folds[1]] != after._fitted[folds[1]]).all()


def test_whole_weights_are_repetitions_of_rows():
    rng = np.random.default_rng(0)
    training, y = rng.integers(0, 4, 20), rng.normal(size=(20, 1))
    weight = rng.integers(0, 4, 20)
    rows = np.repeat(np.arange(20), weight)
    weighted, repeated = (
        means(training, 4, y, weight.astype(float)),
        means(training[rows], 4, y[rows]),
    )

    # The mean over rows, by which is standardised, is not weighted.
    ours, theirs = (encode(each, codes(0, 1, 2, 3, -1)) for each in (weighted, repeated))
    np.testing.assert_allclose(standardised(ours), standardised(theirs))


def test_folds_without_weight_beside_them_get_the_means_of_all():
    weight = np.array([1.0, 1.0, 0.0, 0.0])
    encoding = means([0, 1, 0, 1], 2, column(1, 2, 3, 4), weight, [np.array([0, 1])])
    out = np.empty((4, 1))
    encoding.encode_training_rows(out)

    np.testing.assert_allclose(out, encode(encoding, codes(0, 1, 0, 1)))


def test_targets_that_say_nothing_make_zeros():
    encoding = means([0, 1, 0, 1], 2, np.ones((4, 1)))

    np.testing.assert_array_equal(encode(encoding, codes(0, 1, -1)), column(0, 0, 0))


def test_training_rows_are_forgotten_once_they_are_written():
    encoding = means([0, 1, 0, 1], 2, column(1, 2, 3, 4))
    encoding.encode_training_rows(np.empty((4, 1)))

    held = [value for value in vars(encoding).values() if isinstance(value, np.ndarray)]
    assert all(len(value) <= 3 for value in held)  # no array has a place for each row


# Slopes.


def check_slopes(encoding, values, step=1e-6):
    """Assert that slopes are the numeric derivatives of what values become."""
    values = np.asarray(values, dtype=float)
    found = encoding.slopes(values)
    numeric = (encode(encoding, values + step) - encode(encoding, values - step)) / (2 * step)
    assert found.shape == numeric.shape
    np.testing.assert_allclose(found, numeric, rtol=1e-5, atol=1e-7)
    return found


SPREAD = np.random.default_rng(0).normal(size=(50, 2)) * [1, 30] + [0, 100]
OTHERS = np.random.default_rng(1).normal(size=(20, 2)) * [3, 90] + [0, 100]


def test_slopes_of_robustly_scaled_numbers_are_numeric_derivatives():
    robust = Robust(SPREAD, ["a", "b"], [0, 1])
    found = check_slopes(robust, OTHERS)

    assert (found > 0).all()
    quartiles = np.quantile(SPREAD, [0.25, 0.75], axis=0)
    at_median = robust.slopes(np.median(SPREAD, axis=0)[np.newaxis])
    np.testing.assert_allclose(at_median, 1 / np.diff(quartiles, axis=0))


def test_slopes_of_far_values_vanish_without_a_warning():
    robust = Robust(SPREAD, ["a", "b"], [0, 1])

    np.testing.assert_allclose(robust.slopes(np.array([[1e200, -1e200]])), 0, atol=1e-100)


def test_a_constant_has_no_slope():
    robust = Robust(column(2, 2, 2), ["a"], [0])

    np.testing.assert_array_equal(robust.slopes(column(2, 100)), column(0, 0))


def test_slopes_of_bins_are_numeric_derivatives():
    bins = Bins(SPREAD[:, 0], np.array([-2.0, -0.5, 0.1, 3.0]), "a", 0)
    found = check_slopes(bins, OTHERS[:, :1], 1e-7)

    # In at most one bin a number moves: in none beyond the ends.
    is_inside = (OTHERS[:, 0] > -2) & (OTHERS[:, 0] < 3)
    np.testing.assert_array_equal((found > 0).sum(axis=1), is_inside)
    within = bins.slopes(column(-1, 0, 1))
    np.testing.assert_allclose(within, np.diag([2 / 1.5, 2 / 0.6, 2 / 2.9]))


def test_on_an_edge_the_slope_is_the_mean_of_both_sides():
    bins = Bins(SPREAD[:, 0], np.array([0.0, 1, 3]), "a", 0)

    np.testing.assert_allclose(bins.slopes(column(0, 1, 3)), [[1, 0], [1, 0.5], [0, 0.5]])
    check_slopes(bins, column(0, 1, 3))


def test_slopes_of_waves_are_numeric_derivatives():
    waves = Waves(Robust(SPREAD, ["a", "b"], [0, 1]), 3, 0.5, np.random.RandomState(0))
    found = check_slopes(waves, OTHERS)

    assert found.shape == (20, 6)
    assert np.abs(found).max() > 0.1


def test_marks_of_gaps_do_not_move_with_a_number():
    missing = Missing(["a", "b"], [0, 1])

    np.testing.assert_array_equal(missing.slopes(np.array([[1, NAN], [2, 3]])), [[0, NAN], [0, 0]])


def number_encodings():
    robust = Robust(SPREAD[:, :1], ["a"], [0])
    return {
        "robust": robust,
        "bins": Bins(SPREAD[:, 0], np.array([-1.0, 0, 1]), "a", 0),
        "bins of gaps": Bins(np.append(SPREAD[:, 0], NAN), np.array([-1.0, 0, 1]), "a", 0),
        "waves": Waves(robust, 2, 0.5, np.random.RandomState(0)),
    }


@pytest.mark.parametrize("name", number_encodings())
def test_a_gap_has_no_slope(name):
    encoding = number_encodings()[name]
    found = encoding.slopes(column(0.2, NAN, 0.3))

    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2]]).all()


def test_categories_have_no_slope():
    one_hot = OneHot(np.array([0, 1, 2, 0, 1]), ["x", "y", "z"], 3, "a", 0)
    pair = OneHot(np.array([0, 1, 0]), ["x", "y"], 3, "a", 0)
    targets = means([0, 1, 0, 1], 2, column(1, 2, 3, 4))

    for encoding, width in ((one_hot, 3), (pair, 1), (targets, 1)):
        found = encoding.slopes(codes(0, 1, -1))
        assert found.shape == (3, width)
        assert np.isnan(found).all()


def test_mean_targets_have_no_unit():
    codes, y = np.array([0, 1, 0, 1, 2, 2, -1, 0]), np.array([1.0, 5, 2, 4, 9, 8, 0, 1])
    folds = [np.arange(4), np.arange(4, 8)]
    found, large = (
        encode(TargetMeans(codes, 3, column(*unit * y), None, folds, "a", 0), codes[:, np.newaxis])
        for unit in (1, 2.0**900)
    )

    np.testing.assert_array_equal(found, large)


@pytest.mark.parametrize("unit", [1.0, 1e200])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_mean_targets_of_sums_are_those_of_the_rows(unit, is_weighted):
    rng = np.random.default_rng(0)
    codes, lots = rng.integers(-1, 6, 200), rng.integers(0, 4, 200)
    targets = unit * (rng.standard_normal((200, 2)) + codes[:, np.newaxis])
    weight = rng.random(200) if is_weighted else np.ones(200)
    folds = [np.flatnonzero(lots == fold) for fold in range(4)]
    expected = TargetMeans(codes, 6, targets, weight, folds, "a", 3)
    of_rows = np.empty((200, 2))
    expected.encode_training_rows(of_rows)
    counts, weights, *sums = (
        np.stack([np.bincount(codes[rows] % 7, part[rows], 7) for rows in folds])
        for part in (np.ones(200), weight, *(weight * targets.T))
    )

    means, by_fold = TargetMeans.of_sums(counts, weights, np.stack(sums), "a", 3)

    np.testing.assert_allclose(by_fold[lots, codes], of_rows, rtol=1e-6, atol=1e-9)
    levels = np.arange(-1, 6)[:, np.newaxis]
    np.testing.assert_allclose(encode(means, levels), encode(expected, levels), rtol=1e-6)
    assert (means.names, means.origins) == (expected.names, expected.origins)


def test_mean_targets_of_sums_that_say_nothing_are_0():
    counts = np.zeros((5, 101))
    counts[np.arange(100) % 5, np.arange(100)] = 1  # each row has a category of its own
    sums = np.where(counts > 0, np.random.default_rng(0).standard_normal((5, 101)), 0)

    means, by_fold = TargetMeans.of_sums(counts, counts, sums[np.newaxis], "id", 0)

    assert not by_fold.any()
    assert not encode(means, np.arange(100)[:, np.newaxis]).any()


def test_sums_of_a_single_fold_are_the_means_of_all():
    counts = np.zeros((3, 3))
    counts[1] = [4, 4, 0]
    sums = counts * [1.0, 3.0, 0.0]

    means, by_fold = TargetMeans.of_sums(counts, counts, sums[np.newaxis], "a", 0)

    np.testing.assert_allclose(by_fold[1, :2], encode(means, column(0, 1).astype(int)))
