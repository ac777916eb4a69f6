"""Trees of plain values come back from a file to the bit; what is no such file is refused."""

import copy
import errno
import json
import os
import random
import signal
import stat
import struct
import threading
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from sknn import container
from sknn.container import DEEPEST, DIGEST, FORMAT, HEADER, read, replace_file, write
from sknn.plain import CLASS
from tests.persistence.hostile import (
    npy,
    put_together,
    sealed,
    take_apart,
    with_changed_directory,
    write_members,
    zip_of,
)

duplicates = pytest.mark.filterwarnings("ignore:Duplicate name")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tree.sknn"


def there_and_back(path, tree):
    write(path, tree, {})
    return read(path)[0]


# Values.

NUMBERS = [
    0.0,
    -0.0,
    float("inf"),
    -float("inf"),
    float("nan"),
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    0.1,
    2**53 + 1,
    -(2**63),
    2**64,
    -(10**400),
    True,
    None,
    complex(-0.0, float("inf")),
    complex(float("nan"), -0.0),
    b"",
    bytes(range(256)),
    "",
    "\0 \n \ud800 \U0001f600 \u2028",
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: repr(number)[:20])
def test_numbers_and_texts_come_back(path, number):
    again = there_and_back(path, number)

    assert type(again) is type(number)
    assert repr(again) == repr(number)


SCALARS = [
    np.float64(-0.0),
    np.float32("nan"),
    np.float16(0.1),
    np.longdouble("0.1"),
    np.int8(-5),
    np.uint64(2**64 - 1),
    np.bool_(True),
    np.complex64(1 - 2j),
    np.str_("ä"),
    np.bytes_(b"a\0b"),
    np.datetime64("2020-02-03T04:05", "ns"),
    np.datetime64("NaT"),
    np.timedelta64(25, "h"),
]


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: scalar.dtype.str)
def test_scalars_come_back(path, scalar):
    again = there_and_back(path, {"a": [scalar]})["a"][0]

    assert type(again) is type(scalar)
    assert again.dtype == scalar.dtype
    assert again.tobytes() == scalar.tobytes()


TREES = {
    "lists": [1, [2.5, ["x", []]], {}],
    "tuples": (1, (2, [(3,)]), ()),
    "keys": {1: "a", "1": "b", (1, (2.5, None)): "c", None: "d", True and "x": "e", b"b": "f"},
    "numpy's keys": {np.int64(3): 1, np.str_("a"): 2},
    "the words": {"items": {"array": 1, "value": [2], "shape": 3, "dtype": 4}},
    "deep": {"a": [{"b": ({"c": [1]},)}]},
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_trees_come_back(path, tree):
    assert repr(there_and_back(path, tree)) == repr(tree)


DTYPES = [
    "?", "i1", "u2", "i8", "f2", "f4", "f8", ">f8", ">i4", "c8", "c16", "S3", "U2", ">U2",
    "M8[ns]", "M8[25s]", "M8", "m8[D]", "longdouble",
]  # fmt: skip
SHAPES = [(), (1,), (0,), (3,), (2, 3), (3, 0, 2), (2, 3, 2), (1,) * 12]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arrays_come_back(path, shape, dtype):
    rng = np.random.default_rng(0)
    kind = np.dtype(dtype).kind
    draws = rng.integers(0, 2 if kind == "b" else 100, shape)
    array = draws.astype("i8").astype(dtype) if kind in "mM" else draws.astype(dtype)
    for one in (array, np.asfortranarray(array)):
        again = there_and_back(path, [one])[0]

        assert (again.dtype, again.shape) == (one.dtype, one.shape)
        assert again.tobytes() == one.tobytes()
        assert again.flags.f_contiguous == one.flags.f_contiguous
        assert again.flags.writeable
        assert again.flags.aligned


def test_every_bit_of_an_array_comes_back(path):
    bits = np.array([0x7FF8_0000_0000_0001, 0x8000_0000_0000_0000, 1, 0xFFF0_0000_0000_0000])
    again = there_and_back(path, bits.astype(np.uint64).view(np.float64))

    np.testing.assert_array_equal(again.view(np.uint64), bits.astype(np.uint64))


VIEWS = {
    "every other": lambda array: array[::2, ::-1],
    "transposed": lambda array: array.reshape(5, 4, 6).transpose(1, 2, 0),
    "broadcast": lambda array: np.broadcast_to(array[:1], (3, 12)),
    "read-only": lambda array: np.frombuffer(array.tobytes()),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_come_back_as_arrays_of_their_own(path, view):
    array = view(np.random.default_rng(0).random((10, 12)))
    again = there_and_back(path, array)

    np.testing.assert_array_equal(again, array)
    assert again.flags.writeable


def test_what_is_on_disk_comes_back_as_an_array(path, tmp_path):
    mapped = np.memmap(tmp_path / "mapped", np.float32, "w+", shape=(3, 4))
    mapped[:] = 2

    again = there_and_back(path, mapped)

    assert type(again) is np.ndarray
    np.testing.assert_array_equal(again, np.full((3, 4), 2, np.float32))


def test_one_array_in_two_places_is_stored_once_and_stays_one(path):
    array = np.arange(1000.0)
    one, other = there_and_back(path, [array, {"a": array}])

    assert one is other["a"]
    assert path.stat().st_size < 12_000


def test_arrays_of_objects_hold_texts_and_numbers(path):
    items = ["a", 1, 2.5, True, None, b"x", 1j, np.int8(3), np.str_("y"), float("nan"), 10**30]
    array = np.array(items, dtype=object).reshape(11, 1)
    again = there_and_back(path, array)

    assert again.dtype == object
    assert again.shape == (11, 1)
    assert repr(again.ravel().tolist()) == repr(items)


def test_equal_trees_make_equal_files(tmp_path):
    for name in "ab":
        write(tmp_path / name, {"x": np.arange(3), "y": [1.5]}, {"sknn": "1"})

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_said_beside_the_tree_comes_back(path):
    write(path, [1], {"sknn": "1.2.3", "class": "Adam"})

    _, header = read(path)
    assert (header["sknn"], header["class"], header["format"]) == ("1.2.3", "Adam", FORMAT)


def test_a_file_is_a_zip_of_arrays_that_numpy_opens(path):
    write(path, {"a": np.arange(3)}, {})

    with np.load(path, allow_pickle=False) as arrays:
        assert np.array_equal(arrays["arrays/0"], np.arange(3))


# What no file can hold.


class Odd:
    def __repr__(self):
        return "Odd()"


def nested(depth):
    tree = []
    for _ in range(depth):
        tree = [tree]
    return tree


REFUSED = {
    "object": ({"a": [1, Odd()]}, r"a\[1\] holds Odd, which cannot be stored"),
    "set": ({"a": {1}}, "a holds set, which cannot"),
    "key": ({"a": {frozenset(): 1}}, "a's key holds frozenset, which cannot"),
    "subclass of dict": ({"a": type("D", (dict,), {})()}, "a holds D, which cannot"),
    "subclass of str": ({"a": type("S", (str,), {})("x")}, "a holds S, which cannot"),
    "masked": ({"a": np.ma.array([1, 2], mask=[0, 1])}, "a holds a MaskedArray, which cannot"),
    "matrix": ({"a": np.ones((1, 2)).view(np.matrix)}, "a holds a matrix, which cannot"),
    "structured": ({"a": np.zeros(2, "i4,f8")}, "a has dtype .*, which cannot"),
    "structured scalar": ({"a": np.zeros(2, "i4,f8")[0]}, "a holds a .*, which cannot"),
    "void": ({"a": np.zeros(2, "V3")}, r"a has dtype \|V3, which cannot"),
    "objects": ({"a": np.array([1, Odd()])}, "a holds an array with Odd: labels"),
    "lists in arrays": ({"a": np.array([[1], None], dtype=object)}, "a holds an array with list"),
    "deep": ({"a": nested(DEEPEST)}, f"can have {DEEPEST} levels"),
    "very long": ({"a": 10**5000}, "digits"),
}


@pytest.mark.parametrize(("tree", "message"), REFUSED.values(), ids=REFUSED)
def test_what_no_file_can_hold_is_refused_with_its_place(path, tree, message):
    path.write_text("old")

    with pytest.raises(ValueError, match=message):
        write(path, tree, {})

    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


def test_the_deepest_tree_that_can_be_written_can_be_read(path):
    deepest = nested(DEEPEST - 2)

    assert there_and_back(path, deepest) == deepest
    with pytest.raises(ValueError, match="levels"):
        write(path, [deepest], {})


# Files in the system.


def test_a_file_is_replaced_and_nothing_stays_beside_it(path):
    for i in range(3):
        write(path, i, {})

    assert read(path)[0] == 2
    assert os.listdir(path.parent) == [path.name]


def test_an_error_while_writing_leaves_the_old_file(path):
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        replace_file(path, fail)

    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


def test_ctrl_c_while_writing_leaves_the_old_file(path):
    path.write_text("old")

    def interrupt(file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(path, interrupt)

    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(path, mask):
    before = os.umask(mask)
    try:
        write(path, 1, {})
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_link_goes_on_pointing_to_its_file(path, tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target.sknn"
    path.symlink_to("folder/target.sknn")
    for i in range(2):  # first it leads nowhere
        write(path, i, {})

        assert path.is_symlink()
        assert read(target)[0] == i
    assert sorted(os.listdir(tmp_path)) == ["folder", path.name]


@pytest.mark.parametrize("of", [str, os.fsencode, lambda path: path], ids=["str", "bytes", "Path"])
def test_paths_come_in_three_kinds(path, of):
    write(of(path), 1, {})

    assert read(of(path))[0] == 1


def test_the_longest_names_can_be_written(tmp_path):
    for name in ("x" * 250 + ".sknn", "ä" * 125 + ".sknn", "語" * 83 + ".sknn"):
        write(tmp_path / name, 1, {})

        assert read(tmp_path / name)[0] == 1


def test_a_relative_path_is_one(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    write(path.name, 1, {})

    assert read(path.name)[0] == 1


@pytest.mark.parametrize("name", ["", "missing/x.sknn", "file/x.sknn"])
def test_what_the_system_refuses_is_its_own_error(tmp_path, name):
    (tmp_path / "file").write_text("")
    target = tmp_path / name
    for call in (lambda: write(target, 1, {}), lambda: read(target)):
        with pytest.raises(OSError, match=r"\[Errno \d+\]"):
            call()
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        write(tmp_path / "pipe", 1, {})

    assert os.listdir(tmp_path) == ["pipe"]


def test_many_writers_leave_a_whole_file(path):
    trees = [{"n": i, "a": np.full(2000, i)} for i in range(8)]
    write(path, trees[0], {})
    seen, writers = [], []
    for tree in trees:
        writers.append(threading.Thread(target=lambda t=tree: [write(path, t, {}) for _ in "xxx"]))
        writers[-1].start()
    while any(writer.is_alive() for writer in writers):
        seen.append(read(path)[0])
    for writer in writers:
        writer.join()

    assert seen
    for tree in [*seen, read(path)[0]]:
        assert (tree["a"] == tree["n"]).all()
    assert os.listdir(path.parent) == [path.name]


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_kill_while_writing_leaves_a_whole_file(path):
    write(path, {"n": -1, "a": np.full(50_000, -1)}, {})
    rng, seen = random.Random(0), set()
    for _ in range(8):
        child = os.fork()
        if child == 0:
            n = 0
            while True:
                write(path, {"n": n, "a": np.full(50_000, n)}, {})
                n += 1
        time.sleep(0.002 + 0.02 * rng.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        tree, _ = read(path)
        assert (tree["a"] == tree["n"]).all()
        seen.add(tree["n"])

    assert len(seen) > 1


# Files of others.


@pytest.fixture
def parts(path):
    """The header and the arrays of a file."""
    write(path, {"a": np.arange(6.0).reshape(2, 3), "b": [1, {"c": (True, 1.5)}]}, {"sknn": "1"})
    return take_apart(path)


def refuses(path, message, error=ValueError):
    with pytest.raises(error, match=message) as caught:
        read(path)
    assert repr(str(path)) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100, b"\x80\x04N.", b"PK\5\6" + bytes(18)])
def test_what_is_no_zip_or_an_empty_one_is_refused(path, content):
    path.write_bytes(content)

    refuses(path, "is not a file of sknn, or damaged")


def test_zips_of_numpy_are_refused(path):
    with path.open("wb") as file:
        np.savez(file, a=np.arange(3))

    refuses(path, "it lacks its header")


def test_a_file_that_is_put_together_by_hand_is_read(path, parts):
    put_together(path, *parts)

    assert read(path)[0]["b"] == [1, {"c": (True, 1.5)}]


def change(parts, **changes):
    header, _ = parts
    header["arrays"]["arrays/0.npy"].update(changes)


def test_a_newer_file_says_which_version_it_needs(path, parts):
    parts[0].update(format=FORMAT + 1, sknn="9.8.7", tree="?", arrays="?")
    write_members(path, {**sealed(parts[0]), "more": b"x"}, zipfile.ZIP_STORED)

    refuses(
        path,
        f"format {FORMAT + 1}, of sknn 9.8.7; this version reads formats up to {FORMAT}. Update",
        container.NewerFileError,
    )


HEADERS = {
    "no JSON": (b"{", "Expecting"),
    "no text": (b"\xff\xfe\xff", "codec"),
    "a list": (b"[]", "has no format"),
    "no format": (b"{}", "has no format"),
    "a bool as format": (b'{"format": true}', "has no format"),
    "a text as format": (b'{"format": "1"}', "has no format"),
    "format 0": (b'{"format": 0, "arrays": {}, "tree": 1}', "incomplete"),
    "no tree": (b'{"format": 1, "arrays": {}}', "incomplete"),
    "arrays that are none": (b'{"format": 1, "arrays": [], "tree": 1}', "incomplete"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "is not a file of sknn"),
    "too deep": (
        b'{"format": 1, "arrays": {}, "tree": ' + b"[" * 300 + b"]" * 300 + b"}",
        "more than 200 levels",
    ),
    "a long number": (b'{"format": 1' + b"0" * 100_000 + b"}", "digits"),
}


@pytest.mark.parametrize(("text", "message"), HEADERS.values(), ids=HEADERS)
def test_headers_that_are_none_are_refused(path, text, message):
    write_members(path, sealed(text))

    refuses(path, message)


def test_a_wrong_digest_is_refused(path, parts):
    header, arrays = parts
    members = {**arrays, **sealed(header)}
    write_members(path, {**members, DIGEST: members[DIGEST][::-1]})
    refuses(path, "the digest of its header is another one")

    write_members(path, {**members, HEADER: members[HEADER].replace(b"1.5", b"2.5")})
    refuses(path, "the digest of its header is another one")

    [(name, content)] = arrays.items()
    write_members(path, {**members, name: content[:-1] + b"\x01"})
    refuses(path, "the digest of arrays/0.npy is another one")


@duplicates
def test_missing_and_additional_members_are_refused(path, parts):
    header, arrays = parts
    members = {**arrays, **sealed(header)}
    for name in members:
        write_members(path, {key: each for key, each in members.items() if key != name})
        refuses(path, "it lacks its header|it has not the arrays")
    for name in ("more", "../../outside", "/absolute", "arrays/1.npy", "x/", "arrays/0.npy\0.txt"):
        write_members(path, {**members, name: b"x"})
        refuses(path, "it has not the arrays|members of one name")
    assert os.listdir(path.parent) == [path.name]


@duplicates
@pytest.mark.parametrize("name", [HEADER, DIGEST, "arrays/0.npy"])
def test_two_members_of_one_name_are_refused(path, parts, name):
    members = {**parts[1], **sealed(parts[0])}
    path.write_bytes(zip_of([*members.items(), (name, members[name])]))

    refuses(path, "members of one name")


def test_names_that_lead_outside_are_only_names(path, parts):
    header, arrays = parts
    [about] = header["arrays"].values()
    for name in ("../../outside.npy", "/tmp/outside.npy", "C:\\outside.npy"):
        header["arrays"], header["tree"] = {name: about}, {CLASS: "array", "array": name}
        put_together(path, header, {name: arrays["arrays/0.npy"]})

        np.testing.assert_array_equal(read(path)[0], np.arange(6.0).reshape(2, 3))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(path, parts, method):
    put_together(path, *parts, compression=method)

    refuses(path, "is compressed or encrypted")


CHANGED = {
    "encrypted": (8, b"\x01\x00", "compressed or encrypted"),
    "unknown method": (10, b"\x63\x00", "compressed or encrypted"),
    "larger": (24, struct.pack("<I", 2**31), "larger than the file"),
    "larger both": (20, struct.pack("<II", 2**31, 2**31), "larger than the file"),
    "beyond the file": (42, struct.pack("<I", 2**30), "larger than the file|is damaged"),
    "another place": (42, struct.pack("<I", 3), "is not a file of sknn"),
}


@pytest.mark.parametrize("name", [HEADER, DIGEST, "arrays/0.npy"])
@pytest.mark.parametrize(("offset", "value", "message"), CHANGED.values(), ids=CHANGED)
def test_directories_that_lie_are_refused(path, parts, offset, value, message, name):
    path.write_bytes(with_changed_directory(path, offset, value, name))

    refuses(path, message)


def test_members_that_overlap_are_not_larger_than_the_file(path):
    names = [f"arrays/{i}.npy" for i in range(50)]
    content = npy("{'descr': '|i1', 'fortran_order': False, 'shape': (5000,), }", bytes(5000))
    about = {"dtype": "|i1", "shape": [5000], "sha256": ""}
    header = {"format": 1, "tree": 1, "arrays": dict.fromkeys(names, about)}
    with zipfile.ZipFile(path, "w") as archive:
        for name, each in {names[0]: content, **sealed(header)}.items():
            archive.writestr(name, each)
        for name in names[1:]:  # entries of the directory that all lead to the first one
            archive.filelist.append(copy.copy(archive.filelist[0]))
            archive.filelist[-1].filename = name

    refuses(path, "its members are larger than the file")


LIES = {
    "larger": ({"shape": [20, 30]}, "shorter than its shape"),
    "huge": ({"shape": [10**9, 10**9]}, "shorter than its shape"),
    "huge with nothing": ({"shape": [10**30, 0]}, "not what the header says"),
    "smaller": ({"shape": [2, 2]}, "not what the header says"),
    "another shape": ({"shape": [3, 2]}, "not what the header says"),
    "negative": ({"shape": [-2, -3]}, "has shape"),
    "floats": ({"shape": [2.0, 3.0]}, "has shape"),
    "bools": ({"shape": [True, 6]}, "has shape"),
    "no list": ({"shape": 6}, "has shape"),
    "nothing": ({"shape": None}, "has shape"),
    "another dtype": ({"dtype": "<i8"}, "not what the header says"),
    "objects": ({"dtype": "|O"}, "has dtype"),
    "objects of a size": ({"dtype": "O8"}, "has dtype"),
    "structured": ({"dtype": "f8,f8"}, "has dtype"),
    "subarray": ({"dtype": "1000000000f8"}, "has dtype"),
    "void": ({"dtype": "|V8"}, "has dtype"),
    "empty text": ({"dtype": "<U0"}, "has dtype"),
    "huge text": ({"dtype": "<U99999999"}, "shorter than its shape"),
    "text too long": ({"dtype": "<U999999999"}, "is not a file of sknn"),
    "deprecated": ({"dtype": "a8"}, "has dtype"),
    "a list as dtype": ({"dtype": [["f", "O"]]}, "has dtype"),
    "a dict as dtype": ({"dtype": {"names": []}}, "has dtype"),
    "a unit that is none": ({"dtype": "<M8[zz]"}, "is not a file of sknn"),
}


@pytest.mark.parametrize(("lie", "message"), LIES.values(), ids=LIES)
def test_headers_that_lie_about_arrays_are_refused(path, parts, lie, message):
    change(parts, **lie)
    put_together(path, *parts)

    refuses(path, message)


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
INNER = {
    "objects": GOOD.replace("<f8", "|O"),
    "another shape": GOOD.replace("(2, 3)", "(3, 2)"),
    "huge": GOOD.replace("(2, 3)", "(1000000000, 1000000000)"),
    "negative": GOOD.replace("(2, 3)", "(-2, -3)"),
    "long number": GOOD.replace("(2, 3)", f"({'9' * 5000},)"),
    "code": "__import__('os').system('true')",
    "code in the shape": GOOD.replace("(2, 3)", "(2, 6 // 2)"),
    "structured": GOOD.replace("'<f8'", "[('a', '<f8')]"),
    "deep": "(" * 5000 + ")" * 5000,
    "more": GOOD.replace("}", "'more': 1, }"),
    "other order": "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f8', }",
    "empty": "",
}


@pytest.mark.parametrize("text", INNER.values(), ids=INNER)
def test_arrays_that_lie_about_themselves_are_refused(path, parts, text):
    header, arrays = parts
    put_together(path, header, {"arrays/0.npy": npy(text, arrays["arrays/0.npy"][-48:])})

    refuses(path, "arrays/0.npy|has dtype|digits")


def test_arrays_in_other_versions_of_numpys_format_are_refused(path, parts):
    header, arrays = parts
    content = bytearray(arrays["arrays/0.npy"])
    content[6] = 2
    put_together(path, header, {"arrays/0.npy": bytes(content)})

    refuses(path, "arrays/0.npy is not in version 1.0 of NumPy's format")


def test_bytes_that_are_no_bools_are_refused(path):
    write(path, np.array([True, False]), {})
    header, arrays = take_apart(path)
    put_together(path, header, {"arrays/0.npy": arrays["arrays/0.npy"][:-1] + b"\x02"})

    refuses(path, "an array of bools has other values")


WORDS = {
    "array that is not there": {"array": "x"},
    "array of nothing": {},
    "array of a list": {"array": []},
    "tuple": {CLASS: "tuple"},
    "tuple of a number": {CLASS: "tuple", "items": 1},
    "pairs": {CLASS: "pairs", "items": [1]},
    "pairs with lists as keys": {CLASS: "pairs", "items": [[[], 1]]},
    "pairs of three": {CLASS: "pairs", "items": [[1, 2, 3]]},
    "scalar of nothing": {CLASS: "scalar"},
    "scalar of two": {CLASS: "scalar", "dtype": "|i1", "value": "0000"},
    "scalar of none": {CLASS: "scalar", "dtype": "|i1", "value": ""},
    "scalar of an object": {CLASS: "scalar", "dtype": "|O8", "value": "00" * 8},
    "scalar of no bytes": {CLASS: "scalar", "dtype": "|i1", "value": "zz"},
    "scalar of a wrong size": {CLASS: "scalar", "dtype": "<f8", "value": "00"},
    "bool that is none": {CLASS: "scalar", "dtype": "|b1", "value": "07"},
    "objects of another shape": {CLASS: "objects", "shape": [3], "items": [1]},
    "objects of a negative shape": {CLASS: "objects", "shape": [-1, -1], "items": [1]},
    "objects of a huge shape": {CLASS: "objects", "shape": [10**30], "items": [1]},
    "objects with lists": {CLASS: "objects", "shape": [1], "items": [[1]]},
    "objects with dicts": {CLASS: "objects", "shape": [1], "items": [{"a": 1}]},
    "float": {CLASS: "float", "value": "one"},
    "float of a list": {CLASS: "float", "value": []},
    "complex": {CLASS: "complex", "value": "i"},
    "bytes": {CLASS: "bytes", "value": 1},
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_words_that_mean_nothing_are_refused(path, parts, word):
    parts[0]["tree"]["b"] = {CLASS: "array"} | word
    put_together(path, *parts)

    refuses(path, "is not a file of sknn, or damaged")


KEY = np.zeros(624, np.uint32)
STATES = {
    "tuple": lambda pos: ("MT19937", KEY, pos, 0, 0.0),
    "list": lambda pos: ["MT19937", KEY, pos, 0, 0.0],
    "numpy's words": lambda pos: (np.str_("MT19937"), KEY, np.int64(pos), 0, 0.0),
    "dict": lambda pos: {"bit_generator": "MT19937", "state": {"key": KEY, "pos": pos}},
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_random_states_that_read_beyond_their_words_are_refused(path, state):
    """NumPy takes such a position without a look, and the next draw reads at that address."""
    for position in (0, 1, 624):
        write(path, {"a": state(position)}, {})
        assert len(read(path)[0]["a"]) == len(state(position))
    for position in (625, 10**6, -1):
        write(path, {"a": state(position)}, {})
        refuses(path, f"a random state is at .*{position}.* of its 624 words")


def test_nothing_large_is_allocated_for_what_is_refused(path, parts):
    header, _ = parts
    path.write_bytes(with_changed_directory(path, 20, struct.pack("<II", 2**31, 2**31)))
    lying = path.read_bytes()
    sizes = [[10**9], [2**40, 2**10], [10**30, 10**30], [10**9, 0]]
    tracemalloc.start()
    try:
        refuses(path, "larger than the file")
        for shape in sizes:
            inner = GOOD.replace("(2, 3)", f"({', '.join(map(str, shape))},)")
            change(parts, shape=shape)
            put_together(path, header, {"arrays/0.npy": npy(inner)})
            try:
                read(path)
            except ValueError:
                continue
        path.write_bytes(lying)
        refuses(path, "larger than the file")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000


def test_reading_takes_no_more_than_three_times_the_file(path):
    write(path, [np.zeros(500_000), np.ones(500_000)], {})
    tracemalloc.start()
    try:
        read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 3 * path.stat().st_size


def test_what_follows_a_cut_is_refused(path, parts):
    content = path.read_bytes()
    for end in range(0, len(content), 7):
        path.write_bytes(content[:end])
        refuses(path, "is not a file of sknn, or damaged")


def test_the_header_is_json_that_others_can_read(path, parts):
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read(HEADER), parse_constant=pytest.fail)

    assert header["arrays"]["arrays/0.npy"]["shape"] == [2, 3]


# What is beside a file.


def test_the_mode_of_a_file_stays(tmp_path):
    path = tmp_path / "a"
    write(path, 1, {})
    path.chmod(0o600)
    write(path, 2, {})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path)[0] == 2


def test_a_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write(path, 1, {})
    monkeypatch.setattr(container.os, "access", lambda *args: False)  # root may do all
    with pytest.raises(PermissionError, match="protected"):
        write(path, 2, {})

    assert read(path)[0] == 1


def test_what_was_left_long_ago_is_removed(tmp_path):
    path = tmp_path / "a[1]"
    old, new = (tmp_path / f".a[1].{digit * 16}.part" for digit in "ab")
    other = tmp_path / f".b.{'c' * 16}.part"
    for leftover in (old, new, other):
        leftover.touch()
    for leftover in (old, other):
        os.utime(leftover, (0, 0))
    write(path, 1, {})

    assert sorted(tmp_path.iterdir()) == sorted([path, new, other])


@pytest.mark.parametrize("n", [3, 63, 64, 1000])
def test_long_lists_of_floats_come_back_as_they_were(path, n):
    values = [*np.random.default_rng(0).standard_normal(n).tolist()[3:], float("inf"), -0.0, 1e-320]
    mixed = [*values, 1]
    write(path, [values, mixed], {})
    (found, found_mixed), _ = read(path)

    assert repr(found) == repr(values)
    assert repr(found_mixed) == repr(mixed)
    assert {type(value) for value in found} == {float}


def test_a_list_of_floats_that_is_no_list_of_floats_is_refused(path):
    write(path, [[0.5] * 100, np.zeros(100, np.float32)], {})
    header, arrays = take_apart(path)
    header["tree"][0]["array"] = header["tree"][1]["array"]
    put_together(path, header, arrays)
    with pytest.raises(ValueError, match="a list of floats is an array of float32 with 1 axes"):
        read(path)
