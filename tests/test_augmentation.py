import numpy as np
import pytest

from sknn.augmentation import AUGMENTATIONS, Augmentation, GaussianNoise, Mixup, SwapNoise

names = pytest.mark.parametrize("name", AUGMENTATIONS)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def make_data(n_samples=200, n_features=30, dtype=np.float64):
    """Return X and y; each value of X occurs once, and y as the stack hands it over."""
    rng = np.random.default_rng(0)
    X = rng.permutation(n_samples * n_features).reshape(n_samples, n_features).astype(dtype)
    return X, np.asfortranarray(rng.random((n_samples, 2)).astype(dtype))


def augment(augmentation, X, y, seed=0):
    """Return augmented copies."""
    X, y = X.copy(), y.copy(order="F")
    assert augmentation.augment(X, y, np.random.default_rng(seed)) is None
    return X, y


def test_these_are_there():
    assert set(AUGMENTATIONS) >= {"gaussian_noise", "mixup", "swap_noise"}
    assert all(issubclass(member, Augmentation) for member in AUGMENTATIONS.values())


@names
@dtypes
def test_batches_are_changed_in_place_and_keep_their_dtype(name, dtype):
    X, y = make_data(dtype=dtype)
    new_X, new_y = augment(AUGMENTATIONS.resolve(name), X, y)

    assert new_X.dtype == new_y.dtype == dtype
    assert np.any(new_X != X)
    assert np.isfinite(new_X).all()


@names
def test_the_random_numbers_decide(name):
    X, y = make_data()
    augmentation = AUGMENTATIONS.resolve(name)
    one, again, other = (augment(augmentation, X, y, seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(one[0], again[0])
    np.testing.assert_array_equal(one[1], again[1])
    assert np.any(one[0] != other[0])


@names
def test_a_generator_goes_on(name):
    X, y = make_data()
    augmentation, rng, results = AUGMENTATIONS.resolve(name), np.random.default_rng(0), []
    for _ in range(2):
        new = X.copy()
        augmentation.augment(new, y.copy(order="F"), rng)
        results.append(new)

    assert np.any(results[0] != results[1])


@names
def test_targets_change_only_where_that_is_said(name):
    X, y = make_data()
    augmentation = AUGMENTATIONS.resolve(name)
    _, new_y = augment(augmentation, X, y)

    assert np.any(new_y != y) == augmentation.changes_targets


def test_only_mixup_changes_targets():
    changing = [name for name in AUGMENTATIONS if AUGMENTATIONS[name].changes_targets]

    assert changing == ["mixup"]


@names
@pytest.mark.parametrize("n_samples", [1, 2])
def test_tiny_batches_can_be_augmented(name, n_samples):
    X, y = make_data(n_samples, 5)
    new_X, new_y = augment(AUGMENTATIONS.resolve(name), X, y)

    assert np.isfinite(new_X).all()
    assert np.isfinite(new_y).all()


@pytest.mark.parametrize("name", ["mixup", "swap_noise"])
def test_a_sample_without_others_stays_as_it_is(name):
    X, y = make_data(1, 5)
    new_X, new_y = augment(AUGMENTATIONS.resolve(name), X, y)

    np.testing.assert_allclose(new_X, X)
    np.testing.assert_allclose(new_y, y)


@dtypes
@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_gaussian_noise_is_normal_and_independent(scale, dtype):
    X, y = np.full((500, 40), 3, dtype), np.zeros((500, 1), dtype)
    noise = (augment(GaussianNoise(scale), X, y)[0].astype(np.float64) - 3) / scale

    # Of n = 20,000 normal numbers the mean has the deviation 0.007, the variance 0.01, and the
    # fourth moment 0.07; a correlation has 0.007.
    np.testing.assert_allclose(noise.mean(), 0, atol=0.03)
    np.testing.assert_allclose(noise.var(), 1, atol=0.04)
    np.testing.assert_allclose((noise**4).mean(), 3, atol=0.3)
    assert abs((noise[1:] * noise[:-1]).mean()) < 0.03
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.03


@dtypes
def test_mixup_mixes_samples_and_targets_by_the_same_share_and_rows(dtype):
    n = 50
    X, y = np.eye(n, dtype=dtype), np.asfortranarray(np.eye(n, dtype=dtype))
    new_X, new_y = augment(Mixup(1.0), X, y)
    share = new_X[0, 0]

    np.testing.assert_array_equal(new_X, new_y)  # each says what it has been mixed from
    np.testing.assert_allclose(new_X.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(new_X.sum(axis=0), 1, rtol=1e-6)  # each row has been mixed in once
    others = np.flatnonzero(np.diag(new_X) < 0.999999)
    np.testing.assert_allclose(np.diag(new_X)[others], share, rtol=1e-6)
    assert 0.01 < share < 0.99
    assert np.all(np.count_nonzero(new_X[others], axis=1) == 2)
    assert len(others) > n - 6  # few rows are mixed with themselves


def test_mixup_uses_the_formula():
    X, y = make_data(40, 3)
    new_X, new_y = augment(Mixup(0.7), X, y, seed=5)
    rng = np.random.default_rng(5)
    share, order = rng.beta(0.7, 0.7), rng.permutation(40)

    np.testing.assert_allclose(new_X, share * X + (1 - share) * X[order], rtol=1e-14)
    np.testing.assert_allclose(new_y, share * y + (1 - share) * y[order], rtol=1e-14)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixups_shares_are_beta_distributed(alpha):
    augmentation, rng, shares = Mixup(alpha), np.random.default_rng(0), []
    X, y = np.array([[1.0], [0.0]]), np.zeros((2, 1))
    for _ in range(4000):
        new = X.copy()
        augmentation.augment(new, y.copy(), rng)
        shares.append(new[0, 0])
    shares = np.array(shares)[np.array(shares) != 1]  # half are mixed with themselves

    assert len(shares) > 1500
    np.testing.assert_allclose(shares.mean(), 0.5, atol=0.04)
    np.testing.assert_allclose(shares.var(), 1 / (4 * (2 * alpha + 1)), rtol=0.1)


@dtypes
def test_swap_noise_takes_values_of_the_same_column(dtype):
    X, y = make_data(dtype=dtype)
    new, _ = augment(SwapNoise(0.5), X, y)

    for column, old in zip(new.T, X.T, strict=True):
        assert set(column) <= set(old)
    sources = np.array([np.flatnonzero(X[:, 4] == value)[0] for value in new[:, 4]])
    assert len(set(sources)) < len(sources)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_swap_noise_replaces_values_at_its_rate(rate):
    X, y = make_data(400, 50)
    new, _ = augment(SwapNoise(rate), X, y)
    expected = rate * (1 - 1 / 400)  # some are replaced by themselves
    n, n_changed = X.size, np.count_nonzero(new != X)

    assert abs(n_changed - expected * n) <= 4 * np.sqrt(n * expected * (1 - expected))
    assert (new != X).any(axis=0).all()


def test_swap_noise_at_a_rate_of_zero_replaces_nothing():
    X, y = make_data(400, 50)

    np.testing.assert_array_equal(augment(SwapNoise(0.0), X, y)[0], X)


@pytest.mark.parametrize(
    "augmentation",
    [GaussianNoise(-0.1), Mixup(0.0), Mixup(-1.0), SwapNoise(1.0), SwapNoise(-0.1)],
    ids=repr,
)
def test_numbers_that_make_no_sense_are_refused(augmentation):
    with pytest.raises(ValueError, match=next(iter(augmentation.get_params()))):
        augmentation.check()


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"Unknown augmentation 'mix_up'.*'mixup'"):
        AUGMENTATIONS.resolve("mix_up")
