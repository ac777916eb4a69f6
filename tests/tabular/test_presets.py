import itertools

import pytest

from sknn.activations import ACTIVATIONS
from sknn.tabular.encoder import NUMERIC
from sknn.tabular.presets import (
    BATCHES,
    FEW_ROWS,
    LARGE_BATCH,
    MANY_ROWS,
    MIN_EPOCHS,
    PRESETS,
    Kind,
    choose_batch_size,
    choose_epochs,
)

every_preset = pytest.mark.parametrize("name", PRESETS)


def kinds_of(preset):
    return preset.for_numbers, preset.for_classes


@every_preset
def test_presets_are_consistent(name):
    preset = PRESETS[name]

    assert preset.cv >= 2
    assert preset.min_steps > 0
    assert preset.n_cycles >= 1
    assert preset.growth > 1
    assert preset.weight_decay >= 0
    assert 0 <= preset.dropout < 1
    for kinds in kinds_of(preset):
        assert kinds
        assert len(set(kinds)) == len(kinds)
        assert {kind.repeat for kind in kinds} == set(range(1 + max(k.repeat for k in kinds)))
        assert kinds[0].repeat == 0
        for kind in kinds:
            assert kind.numeric
            assert set(kind.numeric) <= set(NUMERIC)
            assert kind.n_bins >= 2
            assert kind.learning_rate_init > 0
            assert kind.activation in ACTIVATIONS
            assert kind.max_iter >= MIN_EPOCHS
            assert kind.adapts
    assert all(kind.label_smoothing == 0 for kind in preset.for_numbers)
    assert all(0 <= kind.label_smoothing < 1 for kind in preset.for_classes)


def test_presets_cost_more_the_better_they_are():
    def cost(preset, kinds):
        return preset.cv * sum(kind.max_iter for kind in kinds), preset.min_steps

    for which in (0, 1):
        costs = [cost(PRESETS[n], kinds_of(PRESETS[n])[which]) for n in ("fast", "default", "best")]
        for (epochs, steps), (more_epochs, more_steps) in itertools.pairwise(costs):
            assert epochs < more_epochs
            assert steps < more_steps


def test_larger_tables_have_larger_batches():
    sizes = [choose_batch_size(n) for n in range(1, 200_000, 97)]

    assert all(one <= other for one, other in itertools.pairwise(sizes))
    assert {*sizes} == {*(size for _, size in BATCHES), LARGE_BATCH}
    for (most, size), (_, larger) in itertools.pairwise([*BATCHES, (None, LARGE_BATCH)]):
        assert choose_batch_size(most - 1) == size
        assert choose_batch_size(most) == larger


def test_between_few_and_many_rows_there_are_the_epochs_of_the_kind():
    kind = Kind(numeric=("robust",), max_iter=20)

    for n_rows in (FEW_ROWS, 10_000, MANY_ROWS):
        assert choose_epochs(kind, 0, n_rows, 100) == 20


def test_few_rows_have_twice_as_many_epochs():
    kind = Kind(numeric=("robust",), max_iter=20)

    assert choose_epochs(kind, 0, FEW_ROWS - 1, 100) == 40
    assert choose_epochs(kind, 0, 1, 1) == 40


def test_with_many_rows_as_many_are_visited():
    kind = Kind(numeric=("robust",), max_iter=20)

    assert choose_epochs(kind, 0, 2 * MANY_ROWS, 1000) == 10
    assert choose_epochs(kind, 0, 100 * MANY_ROWS, 1000) == MIN_EPOCHS
    short = Kind(numeric=("robust",), max_iter=MIN_EPOCHS - 1)
    assert choose_epochs(short, 0, 100 * MANY_ROWS, 1000) == MIN_EPOCHS - 1


@pytest.mark.parametrize(("n_rows", "batch_size"), [(2000, 100), (2099, 100), (2000, 2000)])
@pytest.mark.parametrize("min_steps", [399, 400, 401, 1000])
def test_there_are_as_many_steps_as_are_asked_for_and_no_epoch_more(n_rows, batch_size, min_steps):
    kind = Kind(numeric=("robust",), max_iter=20)
    n_epochs = choose_epochs(kind, min_steps, n_rows, batch_size)
    per_epoch = n_rows // batch_size

    assert n_epochs * per_epoch >= min_steps
    assert n_epochs == 20 or (n_epochs - 1) * per_epoch < min_steps


def test_a_kind_that_does_not_adapt_has_its_epochs_whatever_the_table():
    kind = Kind(numeric=("robust",), max_iter=3, adapts=False)

    for n_rows in (10, FEW_ROWS, 100 * MANY_ROWS):
        assert choose_epochs(kind, 1000, n_rows, 64) == 3
