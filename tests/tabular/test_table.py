import datetime
import pickle
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sknn.data import from_memmap
from sknn.tabular.table import (
    CATEGORY,
    CLOCK,
    DATE,
    NUMBER,
    Columns,
    Table,
    as_frame,
    has_names,
    kind_of,
)

NAN = np.nan


def frame(column, name="c"):
    """Return a table with one column, of the dtype that the column has."""
    return pd.DataFrame({name: column})


def objects(*values):
    return pd.Series(values, dtype=object)


def numbers(X, after=None, **options):
    """Return the numbers of a table, read by the columns of another one."""
    return Columns(X if after is None else after, **options).read(X).numbers


def days(*words):
    return pd.Series(pd.to_datetime(list(words), format="ISO8601"))


# What a column is.

KINDS = {
    "ints": ([1, 2], NUMBER),
    "floats": (np.array([1.5, NAN], np.float32), NUMBER),
    "nullable ints": (pd.array([1, None], dtype="Int64"), NUMBER),
    "nullable floats": (pd.array([1.5, None], dtype="Float32"), NUMBER),
    "sparse floats": (pd.arrays.SparseArray([0.0, 1.0]), NUMBER),
    "objects that are ints": (objects(1, None, 2), NUMBER),
    "objects that are floats": (objects(1.5, pd.NA), NUMBER),
    "decimals": ([Decimal("1.5"), Decimal(2)], NUMBER),
    "decimals among ints": (objects(1, Decimal("2.5")), NUMBER),
    "decimals among floats": (objects(1.5, Decimal("2.5")), NUMBER),
    "time that passes": (pd.to_timedelta([1, 2], unit="D"), NUMBER),
    "objects of time that passes": (objects(datetime.timedelta(1), None), NUMBER),
    "bools": ([True, False], CATEGORY),
    "nullable bools": (pd.array([True, None], dtype="boolean"), CATEGORY),
    "sparse bools": (pd.arrays.SparseArray([True, False]), CATEGORY),
    "bools and gaps": (objects(True, None), CATEGORY),
    "words": (objects("a", "b"), CATEGORY),
    "words and gaps": (objects("a", None, NAN), CATEGORY),
    "strings": (pd.array(["a", None], dtype="string"), CATEGORY),
    "words among numbers": (objects(1, "a", 2.5), CATEGORY),
    "bytes": (objects(b"a", None), CATEGORY),
    "categories": (pd.Categorical(["a", None]), CATEGORY),
    "categories that are numbers": (pd.Categorical([1, 2]), CATEGORY),
    "intervals as categories": (pd.cut(pd.Series([1.0, 5.0]), 2), CATEGORY),
    "intervals": (pd.IntervalIndex.from_breaks([0, 1, 2]), CATEGORY),
    "objects that are intervals": (objects(pd.Interval(0, 1), None), CATEGORY),
    "dates and times": (days("2020-01-01", "2021-01-01T10:00"), DATE),
    "dates and times of a zone": (days("2020-01-01").dt.tz_localize("US/Eastern"), DATE),
    "periods": (pd.PeriodIndex(["2020-01", None], freq="M"), DATE),
    "objects that are periods": (objects(pd.Period("2020-01"), None), DATE),
    "dates": ([datetime.date(2020, 1, 1), None], DATE),
    "objects that are times": (objects(datetime.datetime(2020, 1, 1), None), DATE),
    "times of day": ([datetime.time(10, 30), None], CLOCK),
}


@pytest.mark.parametrize(("column", "kind"), KINDS.values(), ids=KINDS)
def test_dtypes_and_values_say_what_a_column_is(column, kind):
    table = frame(column)
    assert kind_of(table["c"]) == kind

    columns = Columns(table)
    read = columns.read(table)

    assert columns.kinds == {"c": kind}
    assert len(read) == len(table)
    assert read.numbers.shape == (len(table), len(columns.number_names))
    assert read.codes.shape == (len(table), int(kind == CATEGORY))
    missing = table["c"].isna()
    if kind == CATEGORY:
        np.testing.assert_array_equal(read.codes[:, 0] == -1, missing)
    else:
        np.testing.assert_array_equal(np.isnan(read.numbers[:, 0]), missing)


@pytest.mark.parametrize(
    "values",
    [
        [[1], [2]],
        [{}, {}],
        [1, [2]],
        ["a", datetime.date(2020, 1, 1)],
        [uuid.UUID(int=1), uuid.UUID(int=2)],
    ],
    ids=["lists", "dicts", "a list among ints", "a date among words", "identifiers"],
)
def test_objects_that_are_none_of_these_are_refused_by_name(values):
    with pytest.raises(TypeError, match="Column 'c' holds objects of type"):
        Columns(frame(objects(*values)))


@pytest.mark.parametrize("values", [np.array([1j, 2]), objects(1j, 2)], ids=["dtype", "objects"])
def test_complex_numbers_are_refused(values):
    with pytest.raises((ValueError, TypeError), match=r"[Cc]omplex"):
        Columns(frame(values))


# Numbers.


def test_numbers_are_read_as_they_are():
    table = pd.DataFrame(
        {
            "ints": [1, 2, 3],
            "gaps": [1.5, NAN, np.inf],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "single": np.array([0.5, 1, 2], np.float32),
            "decimals": objects(Decimal("1.5"), None, Decimal(2)),
            "days": pd.to_timedelta([36, None, 12], unit="h"),
            "spans": objects(datetime.timedelta(2), None, datetime.timedelta(hours=6)),
        }
    )
    columns = Columns(table)

    assert columns.number_names == list(table)
    assert columns.number_origins == list(range(7))
    np.testing.assert_array_equal(
        columns.read(table).numbers,
        [
            [1, 1.5, 1, 0.5, 1.5, 1.5, 2],
            [2, NAN, NAN, 1, NAN, NAN, NAN],
            [3, np.inf, 3, 2, 2, 0.5, 0.25],
        ],
    )


def test_large_whole_numbers_are_read_as_the_nearest_floats():
    values = [2**53 + 1, -(2**62), 7]

    np.testing.assert_array_equal(numbers(frame(values))[:, 0], np.array(values, float))
    np.testing.assert_array_equal(numbers(frame(objects(10**30, 1)))[:, 0], [1e30, 1])


def test_another_dtype_of_the_same_kind_is_read():
    ints = frame([1, 2])
    for column, expected in [
        ([1.5, NAN], [1.5, NAN]),
        (pd.array([3, None], dtype="Int64"), [3, NAN]),
        (objects(Decimal("0.5"), None), [0.5, NAN]),
        (np.array([1, 2], np.uint8), [1, 2]),
    ]:
        np.testing.assert_array_equal(numbers(frame(column), ints)[:, 0], expected)


def test_time_that_passes_is_counted_in_days_whatever_its_unit():
    spans = pd.to_timedelta([12, 36], unit="h")
    for unit in ("s", "ms", "ns"):
        table = frame(spans.astype(f"timedelta64[{unit}]"))
        np.testing.assert_array_equal(numbers(table, frame(spans))[:, 0], [0.5, 1.5])


# Dates and times of day.


def test_dates_become_the_days_since_the_first_and_the_parts_that_vary():
    table = frame(days("2024-02-03T06:00", "2024-01-31T18:00", None, "2024-02-29T18:00"), "when")
    columns = Columns(table)

    # Saturday, Wednesday, Thursday; the year and the minute are always the same.
    assert columns.number_names[:3] == ["when", "when_month", "when_day"]
    assert columns.number_names[4:] == ["when_hour"]
    assert columns.number_origins == [0] * 5
    np.testing.assert_array_equal(
        columns.read(table).numbers,
        [[2.5, 2, 3, 5, 6], [0, 1, 31, 2, 18], [NAN] * 5, [29, 2, 29, 3, 18]],
    )


def test_minutes_and_years_are_parts_where_they_vary():
    table = frame(days("2024-02-03T06:10", "2025-02-03T06:45"))

    names = Columns(table).number_names  # a Saturday and a Monday
    assert (names[:2], names[3:]) == (["c", "c_year"], ["c_minute"])
    np.testing.assert_array_equal(numbers(table)[:, [1, -1]], [[2024, 10], [2025, 45]])


def test_later_tables_are_measured_from_the_first_date_of_the_first():
    table = frame(days("2024-01-10", "2024-02-10"))
    later = numbers(frame(days("2024-01-09T12:00", "2025-01-10")), table)

    np.testing.assert_array_equal(later[:, 0], [-0.5, 366])


AS_DATES = {
    "datetime64": days("2020-01-31", "2021-03-01"),
    "seconds": days("2020-01-31", "2021-03-01").astype("datetime64[s]"),
    "UTC": days("2020-01-31", "2021-03-01").dt.tz_localize("UTC"),
    "dates": objects(datetime.date(2020, 1, 31), datetime.date(2021, 3, 1)),
    "times": objects(datetime.datetime(2020, 1, 31), datetime.datetime(2021, 3, 1)),
    "times with zones": objects(
        datetime.datetime(2020, 1, 31, tzinfo=datetime.UTC),
        datetime.datetime(2021, 3, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
    ),
    "times with a zone and without": objects(
        pd.Timestamp("2020-01-31"), pd.Timestamp("2021-03-01", tz="UTC")
    ),
    "timestamps": objects(pd.Timestamp("2020-01-31"), pd.Timestamp("2021-03-01")),
    "periods": pd.Series(pd.PeriodIndex(["2020-01-31", "2021-03-01"], freq="D")),
    "objects that are periods": objects(pd.Period("2020-01-31", "D"), pd.Period("2021-03-01", "D")),
}


@pytest.mark.parametrize("column", AS_DATES.values(), ids=AS_DATES)
def test_dates_are_the_same_whatever_holds_them(column):
    expected = numbers(frame(AS_DATES["datetime64"]))

    np.testing.assert_array_equal(expected[:, 0], [0, 395])
    np.testing.assert_array_equal(numbers(frame(column)), expected)
    np.testing.assert_array_equal(numbers(frame(column), frame(AS_DATES["dates"])), expected)
    np.testing.assert_array_equal(numbers(frame(AS_DATES["dates"]), frame(column)), expected)


def test_dates_too_far_for_nanoseconds_are_read():
    near = frame(days("1900-01-01", "2020-01-01").astype("datetime64[ns]"))
    far = frame(pd.Series(np.array(["9999-12-31", "1900-01-02"], "datetime64[s]")))

    np.testing.assert_array_equal(numbers(far, near)[:, 0], [2958463, 1])


def test_times_of_day_become_hours():
    column = [datetime.time(10, 30), None, datetime.time(0, 0, 36), datetime.time(1, 0, 0, 3600)]

    read = numbers(frame(column))
    np.testing.assert_allclose(read[:, 0], [10.5, NAN, 0.01, 1 + 1e-6])


# Categories.


def codes(X, after, **options):
    return Columns(after, **options).read(X).codes[:, 0].tolist()


def test_categories_are_numbered_from_the_commonest_on():
    table = frame(["b", "c", "a", "c", None, "a", "d", "c"])
    columns = Columns(table)

    assert list(columns.levels[0]) == ["c", "a", "b", "d"]  # b came before d
    assert columns.read(table).codes[:, 0].tolist() == [2, 0, 1, 0, -1, 1, 3, 0]


def test_categories_that_do_not_occur_are_none():
    column = pd.Categorical(["b", "a", "b"], categories=["z", "b", "y", "a"], ordered=True)
    columns = Columns(frame(column))

    assert list(columns.levels[0]) == ["b", "a"]
    assert columns.read(frame(column)).codes[:, 0].tolist() == [0, 1, 0]
    with_others = pd.Categorical(["y", "a"], categories=["y", "a"])
    assert columns.read(frame(with_others)).codes[:, 0].tolist() == [-1, 1]


def test_categories_that_were_not_there_are_missing():
    assert codes(frame(["b", "new", None]), frame(["a", "a", "b"])) == [1, -1, -1]


EQUAL = {
    "words": (objects("x", "y", "x"), pd.array(["x", "y", "x"], dtype="string")),
    "words as categories": (objects("x", "y", "x"), pd.Categorical(["x", "y", "x"])),
    "ints": (pd.Categorical([1, 2, 1]), pd.Categorical([1.0, 2.0, 1.0])),
    "nullable ints": (pd.Categorical([1, 2, 1]), pd.array([1, 2, 1], dtype="Int64")),
    "plain ints": (pd.Categorical([1, 2, 1]), [1, 2, 1]),
    "floats for ints": (pd.Categorical([1, 2, 1]), [1.0, 2.0, 1.0]),
    "bools": ([True, False, True], objects(True, False, True)),
    "nullable bools": ([True, False, True], pd.array([True, False, True], dtype="boolean")),
    "bools as categories": ([True, False, True], pd.Categorical([True, False, True])),
    "sparse bools": ([True, False, True], pd.arrays.SparseArray([True, False, True])),
    "numpy's bools": ([True, False, True], objects(np.True_, np.False_, np.True_)),
    "numpy's ints": (objects("a", 3, "a"), objects("a", np.int64(3), "a")),
    "dates": (
        pd.Categorical(days("2020-01-01", "2021-01-01", "2020-01-01")),
        days("2020-01-01", "2021-01-01", "2020-01-01"),
    ),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_equal_categories_are_equal_whatever_their_dtypes(one, other):
    for first, second in [(one, other), (other, one)]:
        assert codes(frame(second), frame(first), categorical_features=["c"]) == [0, 1, 0]


def test_large_whole_numbers_are_different_categories():
    ids = frame([2**60, 2**60 + 1, 2**60])  # equal as floats

    assert codes(ids, ids, categorical_features=[0]) == [0, 1, 0]


def test_one_and_true_are_different_categories():
    assert codes(frame(objects(True, "a")), frame(objects(1, "a"))) == [-1, 1]


def test_intervals_are_found_again():
    values = pd.Series([1.0, 5.0, 9.0, 8.0])
    cut = pd.cut(values, [0, 4, 7, 10])

    assert codes(frame(cut), frame(cut)) == [1, 2, 0, 0]
    assert codes(frame(cut[::-1]), frame(cut)) == [0, 0, 2, 1]


# Which columns hold categories.


@pytest.mark.parametrize(
    "choice",
    [["b"], ("b",), "b", pd.Index(["b"]), np.array(["b"], object), [False, True, False], [1],
     np.array([1]), pd.Series([False, True, False])],
    ids=repr,
)  # fmt: skip
def test_columns_are_chosen_by_name_place_or_mask(choice):
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "word": ["x", "y"]})
    columns = Columns(table, choice)

    assert columns.kinds == {"a": NUMBER, "b": CATEGORY, "word": CATEGORY}
    assert columns.category_names == ["b", "word"]
    assert columns.category_origins == [1, 2]
    assert columns.number_origins == [0]


def test_numbers_in_a_choice_are_places_also_where_names_are_numbers():
    table = pd.DataFrame([[1, 2], [3, 4]], columns=[1, 0])

    assert Columns(table, [0]).category_names == ["1"]


def test_no_choice_leaves_it_to_the_dtypes():
    table = pd.DataFrame({"a": [1.0, 2.0], "word": ["x", "y"]})
    for choice in ("from_dtype", None, [], [False, False]):
        assert Columns(table, choice).kinds == {"a": NUMBER, "word": CATEGORY}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (["z"], "'z'"),
        ("from_dtypes", "'from_dtypes'"),
        ([0, 5], "has 5, but X has the columns 0 to 1"),
        ([-1], "has -1"),
        ([True], "2 values"),
        ([1.0], "1.0"),
        (7, "categorical_features"),
        (True, "categorical_features"),
        (len, "categorical_features"),
        ([[0, 1]], "categorical_features"),
    ],
)
def test_choices_that_name_no_column_are_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        Columns(pd.DataFrame({"a": [1], "b": [2]}), choice)


def test_columns_with_names_of_several_levels_can_be_chosen():
    names = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    table = pd.DataFrame([[1, 2], [3, 4]], columns=names)

    assert Columns(table, [("a", "y")]).category_names == ["('a', 'y')"]


# Which column is which.


def test_columns_in_another_order_are_put_right_by_name():
    table = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [3.0, 4.0]})
    columns = Columns(table)
    read = columns.read(table[["c", "b", "a"]])

    np.testing.assert_array_equal(read.numbers, [[1, 3], [2, 4]])
    np.testing.assert_array_equal(read.codes, [[0], [1]])


@pytest.mark.parametrize(
    "names", [[5, 3], ["5", "a"], pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])], ids=repr
)
def test_names_of_any_kind_put_columns_right(names):
    table = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=names)

    np.testing.assert_array_equal(numbers(table.iloc[:, ::-1], table), table.to_numpy())


def test_further_columns_are_ignored():
    table = frame([1.0, 2.0], "a")
    wider = pd.DataFrame({"new": ["x", "y"], "a": [3.0, 4.0]})

    np.testing.assert_array_equal(numbers(wider, table), [[3], [4]])


def test_missing_columns_are_named():
    table = pd.DataFrame({"a": [1.0], "b": [2.0]})

    with pytest.raises(ValueError, match=r"lacks 1 of the columns .*: 'b'\."):
        Columns(table).read(pd.DataFrame({"a": [1.0], "B": [2.0]}))


def test_columns_of_the_same_name_are_refused():
    twice = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])

    with pytest.raises(ValueError, match="several called 'a'"):
        Columns(twice)
    with pytest.raises(ValueError, match="several called 'a'"):
        Columns(frame([1.0], "a")).read(twice)


def test_tables_without_names_are_read_by_place_with_a_warning():
    columns = Columns(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), owner="Reader")

    with pytest.warns(UserWarning, match="does not have valid feature names, but Reader was"):
        read = columns.read(np.array([[5.0, 6.0]]))
    np.testing.assert_array_equal(read.numbers, [[5, 6]])


def test_tables_with_names_are_read_by_place_after_one_without():
    columns = Columns(np.array([[1.0, 2.0], [3.0, 4.0]]), owner="Reader")

    with pytest.warns(UserWarning, match="Reader was fitted without feature names"):
        read = columns.read(pd.DataFrame({"b": [5.0], "a": [6.0]}))
    np.testing.assert_array_equal(read.numbers, [[5, 6]])


def test_another_number_of_columns_without_names_is_an_error():
    columns = Columns(np.zeros((2, 3)), owner="Reader")

    with pytest.raises(ValueError, match="X has 2 features, but Reader is expecting 3 features"):
        columns.read(np.zeros((2, 2)))


def test_indices_play_no_role():
    table = pd.DataFrame({"a": [1.0, 2.0], "c": ["x", "y"]}, index=[7, 7])
    read = Columns(table).read(table.set_axis(["u", "v"]))

    np.testing.assert_array_equal(read.numbers, [[1], [2]])
    np.testing.assert_array_equal(read.codes, [[0], [1]])


# Columns that change.

OF_KINDS = {
    NUMBER: [1.0, 2.0],
    CATEGORY: ["x", "y"],
    DATE: days("2020-01-01", "2021-02-03"),
    CLOCK: [datetime.time(1), datetime.time(2)],
}


@pytest.mark.parametrize("found", OF_KINDS)
@pytest.mark.parametrize("learnt", OF_KINDS)
def test_columns_of_another_kind_are_refused_by_name(learnt, found):
    columns, table = Columns(frame(OF_KINDS[learnt])), frame(OF_KINDS[found])
    if learnt == found:
        assert len(columns.read(table)) == 2
        return

    with pytest.raises(ValueError, match=r"Column 'c' had .* in fit, and now has "):
        columns.read(table)


def test_bools_may_be_zeros_and_ones():
    of_bools, of_numbers = Columns(frame([True, False])), Columns(frame([1, 0]))

    for same in ([1, 0, 1], [1.0, 0.0, 1.0]):
        np.testing.assert_array_equal(
            of_bools.read(frame(same)).codes, of_bools.read(frame([True, False, True])).codes
        )
    np.testing.assert_array_equal(of_numbers.read(frame([True, False])).numbers, [[1], [0]])
    with pytest.raises(ValueError, match=r"Column 'c' had categories in fit, and now has numbers"):
        of_bools.read(frame([1, 2]))


def test_categories_that_were_no_words_cannot_be_words():
    columns = Columns(frame(pd.Categorical([3, 7, 3])))
    with pytest.raises(
        ValueError, match=r"Column 'c' .* such as 3, and now has words, such as '7'"
    ):
        columns.read(frame(["7", "3"]))


EMPTY = {
    "floats": [NAN, NAN],
    "None": objects(None, None),
    "NA": objects(pd.NA, pd.NA),
    "NaT": objects(pd.NaT, pd.NaT),
    "ints": pd.array([None, None], dtype="Int64"),
    "bools": pd.array([None, None], dtype="boolean"),
    "strings": pd.array([None, None], dtype="string"),
    "categories": pd.Categorical([None, None]),
    "categories that do not occur": pd.Categorical([None, None], categories=["x", "y"]),
    "dates": days(None, None).astype("datetime64[ns]"),
    "spans": pd.Series([pd.NaT, pd.NaT], dtype="timedelta64[ns]"),
    "periods": pd.Series([pd.NaT, pd.NaT], dtype="period[M]"),
}
empty = pytest.mark.parametrize("nothing", EMPTY.values(), ids=EMPTY)


@empty
def test_columns_of_nothing_are_read_as_gaps(nothing):
    for column in OF_KINDS.values():
        read = Columns(frame(column)).read(frame(nothing))
        assert len(read) == 2
        assert np.isnan(read.numbers).all()
        assert (read.codes == -1).all()


@empty
def test_columns_that_had_nothing_may_have_anything_later(nothing):
    columns = Columns(frame(nothing))
    for column in OF_KINDS.values():
        read = columns.read(frame(column))
        assert np.isnan(read.numbers).all()
        assert (read.codes == -1).all()


@pytest.mark.parametrize("kind", OF_KINDS)
def test_tables_without_rows_are_read(kind):
    table = frame(OF_KINDS[kind])
    columns = Columns(table)
    for none in (table.iloc[:0], table.iloc[:0].astype(object)):
        read = columns.read(none)
        assert read.numbers.shape == (0, len(columns.number_names))
        assert read.codes.shape == (0, len(columns.category_names))


def test_reading_leaves_the_table_as_it_was():
    table = pd.DataFrame({"a": objects(1, None), "b": [NAN, 1.0], "c": ["x", None]})
    before = table.copy()
    Columns(table).read(table)

    pd.testing.assert_frame_equal(table, before)


def test_columns_survive_pickling():
    table = pd.DataFrame(OF_KINDS)
    columns = Columns(table)
    again = pickle.loads(pickle.dumps(columns)).read(table)

    for one, other in zip(columns.read(table), again, strict=True):
        np.testing.assert_array_equal(one, other)


# Tables of other makes.


def test_lists_and_arrays_are_tables():
    for X in ([[1, 2.5], [3, NAN]], np.array([[1, 2.5], [3, NAN]]), [[1, 2.5], [3, None]]):
        np.testing.assert_array_equal(numbers(X), [[1, 2.5], [3, NAN]])


def test_numbers_beside_words_stay_numbers():
    lists = [[1, "x", None], [2, "y", 3.5]]
    for X in (lists, np.array(lists, dtype=object)):
        columns = Columns(X)
        read = columns.read(X)

        assert columns.kinds == {0: NUMBER, 1: CATEGORY, 2: NUMBER}
        np.testing.assert_array_equal(read.numbers, [[1, NAN], [2, 3.5]])
        np.testing.assert_array_equal(read.codes, [[0], [1]])


def test_arrays_of_words_are_categories():
    for X in (np.array([["x"], ["y"]]), np.array([[b"x"], [b"y"]])):
        np.testing.assert_array_equal(Columns(X).read(X).codes, [[0], [1]])


def test_arrays_of_dates_are_dates():
    X = np.array([["2020-01-01"], ["2020-01-03"]], "datetime64[D]")

    assert numbers(X)[:, 0].tolist() == [0, 2]


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_array, sp.coo_array])
def test_sparse_tables_are_read(make):
    X = np.array([[0.0, 1.5], [2.0, 0.0]])

    np.testing.assert_array_equal(numbers(make(X)), X)


@pytest.mark.parametrize(
    "X", [[1.0, 2.0], None, 3.0, "words", pd.Series([1.0]), np.zeros((1, 1, 1))]
)
def test_what_has_not_two_dimensions_is_refused(X):
    with pytest.raises(ValueError, match="Expected 2D array"):
        as_frame(X)


def test_frames_are_not_copied():
    table = pd.DataFrame({"a": [1.0]})

    assert as_frame(table) is table


ROWS = {
    "int": [1, None, 3],
    "float": [1.5, 2.5, None],
    "word": ["x", None, "y"],
    "bool": [True, None, False],
    "date": [datetime.date(2020, 1, 1), None, datetime.date(2021, 2, 3)],
    "time": [datetime.datetime(2020, 1, 1, 5), None, datetime.datetime(2021, 2, 3)],
    "clock": [datetime.time(10, 30), None, datetime.time(1)],
    "span": [datetime.timedelta(1), None, datetime.timedelta(hours=12)],
    "decimal": [Decimal("1.5"), None, Decimal("2.5")],
    "bytes": [b"x", None, b"y"],
}
"""Values with a gap for all kinds of columns."""


def check_like_pandas(make, names=tuple(ROWS)):
    """Check that tables of another make are read as their values in pandas."""
    for name in names:
        expected = pd.DataFrame({name: objects(*ROWS[name])})
        gaps = make(name, ROWS[name])
        full = make(name, [value for value in ROWS[name] if value is not None])
        for learnt, plain in [(gaps, expected), (full, expected.dropna())]:
            columns, known = Columns(learnt), Columns(plain)
            assert columns.kinds == known.kinds
            assert columns.number_names == known.number_names
            for table in ((gaps, expected), (full, expected.dropna())):
                one, other = columns.read(table[0]), known.read(table[1])
                np.testing.assert_array_equal(one.numbers, other.numbers)
                np.testing.assert_array_equal(one.codes, other.codes)
        nothing = make(name, [None, None, None], gaps)
        assert np.isnan(Columns(gaps).read(nothing).numbers).all()
        assert len(Columns(nothing).read(gaps)) == 3
        assert len(Columns(gaps).read(make(name, [], gaps))) == 0


def test_tables_of_polars_are_read_as_those_of_pandas():
    pl = pytest.importorskip("polars", reason="polars is optional")

    def make(name, values, like=None):
        return pl.DataFrame({name: values}, schema=None if like is None else like.schema)

    check_like_pandas(make)


def test_dtypes_of_polars_are_read():
    pl = pytest.importorskip("polars", reason="polars is optional")
    zone = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    table = pl.DataFrame(
        {
            "small": pl.Series([1, 2, None], dtype=pl.UInt8),
            "single": pl.Series([1.5, None, 2], dtype=pl.Float32),
            "zone": pl.Series([zone, None, zone]).dt.convert_time_zone("US/Eastern"),
            "null": [None, None, None],
            "category": pl.Series(["x", None, "y"], dtype=pl.Categorical),
            "enum": pl.Series(["x", None, "y"], dtype=pl.Enum(["y", "x", "z"])),
        }
    )
    columns = Columns(table)
    read = columns.read(table.select(reversed(table.columns)))

    assert columns.number_names == ["small", "single", "zone", "null"]
    np.testing.assert_array_equal(
        read.numbers, [[1, 1.5, 0, NAN], [2, NAN, NAN, NAN], [NAN, 2, 0, NAN]]
    )
    assert columns.category_names == ["category", "enum"]
    np.testing.assert_array_equal(read.codes, [[0, 0], [-1, -1], [1, 1]])


def test_tables_of_polars_and_pandas_may_follow_each_other():
    pl = pytest.importorskip("polars", reason="polars is optional")
    ours = pd.DataFrame({"a": [1.0, 2.0], "c": ["x", "y"], "b": [True, False]})
    theirs = pl.DataFrame({"b": [False], "c": ["y"], "a": [3]})

    read = Columns(ours).read(theirs)
    assert read.numbers.tolist() == [[3]]
    assert read.codes.tolist() == [[1, 1]]
    assert Columns(theirs).read(ours).codes.tolist() == [[-1, -1], [0, 0]]


def test_tables_of_pyarrow_are_read_as_those_of_pandas():
    pa = pytest.importorskip("pyarrow", reason="pyarrow is optional")

    def make(name, values, like=None):
        return pa.table({name: pa.array(values)}, schema=None if like is None else like.schema)

    check_like_pandas(make)


def test_arrow_columns_of_pandas_are_read_as_those_of_pandas():
    pa = pytest.importorskip("pyarrow", reason="pyarrow is optional")

    def make(name, values, like=None):
        array = (
            pa.array(values) if like is None else pa.array(values, like[name].dtype.pyarrow_dtype)
        )
        return pd.DataFrame({name: pd.array(array, dtype=pd.ArrowDtype(array.type))})

    check_like_pandas(make)


def test_dictionaries_of_pyarrow_are_categories():
    pa = pytest.importorskip("pyarrow", reason="pyarrow is optional")
    table = pa.table({"c": pa.array(["x", None, "y"]).dictionary_encode()})

    assert Columns(table).kinds == {"c": CATEGORY}
    assert Columns(table).read(table).codes[:, 0].tolist() == [0, -1, 1]


def test_putting_many_columns_right_takes_no_time_for_each_pair(monkeypatch):
    # A set that is made anew for each column would hash each name 1000 times.
    hashed = []

    class Name(str):
        __slots__ = ()

        def __hash__(self):
            hashed.append(self)
            return super().__hash__()

    names = [Name(f"column {k}") for k in range(1000)]
    columns = Columns(pd.DataFrame(np.zeros((1, 1000)), columns=pd.Index(names, dtype=object)))
    other = pd.DataFrame(np.ones((1, 1000)), columns=pd.Index(names[::-1], dtype=object))
    hashed.clear()
    columns.read(other)

    assert len(hashed) < 100 * len(names)


def test_rows_of_different_lengths_are_no_table():
    with pytest.raises(ValueError, match="whose rows have the same length"):
        as_frame([[1.0], [2.0, 3.0]])


def test_the_order_of_bytes_plays_no_role():
    X = np.array([[2.0, 0.0], [1.0, 1.0], [2.0, 1.0]])
    swapped = X.astype(X.dtype.newbyteorder())

    for one, other in zip(
        Columns(X, [0]).read(X), Columns(swapped, [0]).read(swapped), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_some_rows_of_a_table():
    table = Table(np.arange(6.0).reshape(3, 2), np.arange(3)[:, np.newaxis])
    some = table.of([2, 0])

    assert some.numbers.tolist() == [[4, 5], [0, 1]]
    assert some.codes.tolist() == [[2], [0]]
    assert table.sample is table
    table.discard()
    assert len(table) == 3


def test_rows_of_files_are_tables(tmp_path):
    np.save(tmp_path / "X.npy", np.eye(3))
    data = from_memmap(np.load(tmp_path / "X.npy", mmap_mode="r"))

    assert not has_names(data)
    pd.testing.assert_frame_equal(as_frame(data[1:]), pd.DataFrame(np.eye(3)[1:]))
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        as_frame(data[:0])
