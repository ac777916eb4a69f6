import numpy as np
import pandas as pd
import pytest

from sknn.data import from_memmap, from_parquet
from sknn.tabular import TableEncoder
from sknn.tabular.files import (
    LEAST_ROWS,
    as_block,
    choose_sample,
    fits,
    read_frame,
    read_sample,
    read_tables,
    say_in_order,
)
from sknn.tabular.table import Columns
from tests.tabular.tables import FEATURES, LARGE, N_ROWS, SIZE, folder, read, rows

pa = pytest.importorskip("pyarrow")


def test_a_table_fits_if_its_numbers_do():
    assert fits(rows(memory=SIZE))
    assert not fits(rows(memory=SIZE - 1))
    assert fits(rows(memory=SIZE - 1)[1:])


def test_a_table_is_read_as_pandas_does():
    pd.testing.assert_frame_equal(read_frame(rows()), read()[FEATURES])


def test_rows_are_read_in_their_own_order():
    chosen = np.random.default_rng(0).permutation(N_ROWS)[:50]
    expected = read()[FEATURES].iloc[chosen].reset_index(drop=True)

    found = read_frame(rows()[chosen])

    assert found.x0.tolist() == expected.x0.tolist()
    assert found.kind.tolist() == expected.kind.tolist()


def test_arrays_stay_arrays(tmp_path):
    X = np.arange(60.0).reshape(20, 3)
    np.save(tmp_path / "X.npy", X)
    data = from_memmap(np.load(tmp_path / "X.npy", mmap_mode="r"))

    np.testing.assert_array_equal(read_frame(data), X)
    np.testing.assert_array_equal(read_frame(data[[7, 2, 5]]), X[[7, 2, 5]])
    np.testing.assert_array_equal(read_sample(data), X)


def test_what_a_transformer_makes_is_taken_as_it_is():
    data = from_parquet(folder(), ["x0", "x1"], transform=lambda frame: 2 * frame.to_numpy())

    np.testing.assert_allclose(read_frame(data), 2 * read()[["x0", "x1"]], rtol=1e-6)


def test_a_sample_has_rows_from_all_over_the_table():
    places = choose_sample(rows(memory=10_000))

    assert len(places) == LEAST_ROWS
    assert (np.diff(places) > 0).all()
    np.testing.assert_array_equal(
        (places * LEAST_ROWS + LEAST_ROWS - 1) // N_ROWS, np.arange(LEAST_ROWS)
    )
    np.testing.assert_array_equal(places, choose_sample(rows(memory=10_000)))
    assert len(choose_sample(rows()[:100])) == 100


def test_a_sample_is_what_is_at_its_places():
    data = rows()

    found = read_sample(data)

    expected = read().iloc[choose_sample(data)]
    assert found.city.dropna().tolist() == expected.city.dropna().tolist()
    np.testing.assert_array_equal(found.x0, expected.x0)


def test_dtypes_do_not_depend_on_gaps():
    without = pa.table({"i": pa.array([1, 2], "uint8"), "b": [True, False], "x": [1.0, 2.0]})
    with_gaps = pa.table({"i": pa.array([1, None], "uint8"), "b": [True, None], "x": [1.0, None]})

    assert as_block(without).dtypes.tolist() == as_block(with_gaps).dtypes.tolist()
    assert [str(d) for d in as_block(without).dtypes] == ["UInt8", "boolean", "float64"]


@pytest.mark.parametrize("n_rows", [100, 1000, 16_384])
def test_what_is_read_does_not_depend_on_the_blocks(monkeypatch, n_rows):
    from sknn.data import parquet

    table = read()[FEATURES].iloc[2000:6500]
    expected = Columns(table).read(table)
    monkeypatch.setattr(parquet, "BLOCK_ROWS", n_rows)

    found = list(read_tables(Columns(table), rows()[2000:6500]))

    np.testing.assert_array_equal(np.concatenate([t.numbers for t in found]), expected.numbers)
    np.testing.assert_array_equal(np.concatenate([t.codes for t in found]), expected.codes)


def test_large_ints_that_are_categories_stay_apart_beside_gaps(tmp_path):
    large = 2**60
    whole = pd.DataFrame({"id": pd.array([large, large + 1, None, large + 1], "Int64")})
    whole.to_parquet(tmp_path / "0.parquet")
    data = from_parquet(tmp_path)
    columns = Columns(as_block(pa.table({"id": [large, large + 1]})), ["id"])

    [found] = read_tables(columns, data)

    assert found.codes[:, 0].tolist() == [0, 1, -1, 1]


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        read_frame(rows()[:0])


def test_columns_of_different_types_are_refused(tmp_path):
    pd.DataFrame({"x": [1.0]}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"x": ["a"]}).to_parquet(tmp_path / "1.parquet")

    with pytest.raises(ValueError, match="different types in different files"):
        read_frame(from_parquet(tmp_path))


def test_what_is_said_of_rows_comes_in_their_order():
    chosen = np.random.default_rng(0).permutation(N_ROWS)[:50]

    def say(X):
        frame = X if isinstance(X, pd.DataFrame) else read_frame(X)
        return frame.x0.to_numpy()

    np.testing.assert_array_equal(
        say_in_order(say, rows()[chosen], axis=0), say_in_order(say, read().iloc[chosen], axis=0)
    )


# The encoder as a transformer.


def test_an_encoder_learns_from_a_sample():
    data, table = rows(memory=LARGE), read()
    encoder = TableEncoder().fit(data)
    sample = table[FEATURES].iloc[choose_sample(data)]

    expected = TableEncoder().fit(sample).transform(table[FEATURES])
    np.testing.assert_allclose(encoder.transform(data), expected, rtol=1e-6)
    backwards = np.arange(N_ROWS)[::-1]
    np.testing.assert_allclose(encoder.transform(data[backwards]), expected[::-1], rtol=1e-6)


def test_an_encoder_learns_mean_targets_from_the_sample():
    data, table = rows(memory=LARGE), read()
    y, weight = table.value.to_numpy(), table.weight.to_numpy()
    places = choose_sample(data)
    expected = TableEncoder(random_state=0)
    expected.fit(table[FEATURES].iloc[places], y[places], weight[places])

    encoder = TableEncoder(random_state=0).fit(data, y, weight)

    np.testing.assert_allclose(
        encoder.transform(data[:100]), expected.transform(table[FEATURES][:100]), rtol=1e-6
    )


def test_an_encoder_learns_from_all_rows_that_fit():
    table = read()[FEATURES]

    np.testing.assert_array_equal(
        TableEncoder().fit(rows(memory=SIZE)).transform(table),
        TableEncoder().fit(table).transform(table),
    )
