"""One file for a tree of plain values: a zip of arrays in NumPy's format, and a JSON header.

Nothing in it can run code. The header says of each array what it is and what its bytes hash to, and
sizes are compared before anything is allocated. Members are not compressed, so that a file is never
larger in memory than on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import io
import json
import math
import os
import re
import secrets
import stat
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sknn._math import Array
from sknn.plain import CLASS

HEADER, DIGEST = "header.json", "header.sha256"
"""The members beside arrays."""

FORMAT = 1
"""The number of the format that is written, and the highest one that is read."""

DTYPE = re.compile(
    r"[<>|](?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[SU][1-9]\d{0,8}|[mM]8(?:\[\w+\])?)"
)
"""What the dtype of an array in a file may be: bools, numbers, texts and times."""

ARRAY_HEADER = re.compile(
    rb"\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), ?\} *\n"
)
"""What NumPy writes in front of an array; it is read without evaluating it."""

ITEMS = (type(None), bool, int, float, complex, str, bytes)
"""What an array of objects may hold."""

MANY = 64
"""Lists of so many floats are arrays in a file."""

DEEPEST = 200
"""So many levels a header may have."""

TOO_DEEP = f"What a file holds can have {DEEPEST} levels of lists, dicts and objects in each other"

LEFTOVER_AGE = 3600.0
"""So many seconds no file takes to be written."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time that members have: equal trees make equal files."""

N_WORDS = 624
"""Words of the state of a Mersenne Twister."""

T = TypeVar("T")


class Writer:
    """Turns a tree of plain values into what JSON can say, and arrays beside it."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._known: dict[int, str] = {}

    def encode(self, value: Any, where: str = "") -> Any:
        """Return a value as JSON can say it.

        Raises
        ------
        ValueError
            If it holds something else; with its place.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, np.generic):
            return self._encode_scalar(value, where)
        if isinstance(value, np.ndarray):
            return self._encode_array(value, where)
        if type(value) in (float, complex, bytes):
            return _encode_number(value)
        if type(value) is list and len(value) >= MANY and set(map(type, value)) == {float}:
            return {CLASS: "floats", "array": self._add(np.array(value))}  # such as a loss curve
        if type(value) is list:
            return [self.encode(each, f"{where}[{i}]") for i, each in enumerate(value)]
        if type(value) is tuple:
            items = [self.encode(each, f"{where}[{i}]") for i, each in enumerate(value)]
            return {CLASS: "tuple", "items": items}
        if type(value) is dict:
            return self._encode_dict(value, where)
        raise ValueError(
            f"{where or 'The value'} holds {type(value).__name__}, which cannot be stored in a "
            "file: numbers, bools, str, None and arrays, lists, tuples and dicts of them can."
        )

    def _encode_dict(self, value: dict[Any, Any], where: str) -> Any:
        if all(type(key) is str for key in value):
            return {
                k: self.encode(each, f"{where}.{k}" if where else k) for k, each in value.items()
            }
        pairs = [
            [self.encode(key, f"{where}'s key"), self.encode(each, f"{where}[{key!r}]")]
            for key, each in value.items()
        ]
        return {CLASS: "pairs", "items": pairs}

    def _encode_scalar(self, value: Any, where: str) -> Any:
        if not DTYPE.fullmatch(value.dtype.str):
            raise ValueError(f"{where} holds a {value.dtype}, which cannot be stored in a file.")
        return {CLASS: "scalar", "dtype": value.dtype.str, "value": value.tobytes().hex()}

    def _encode_array(self, value: Array, where: str) -> Any:
        if type(value) not in (np.ndarray, np.memmap):
            raise ValueError(
                f"{where} holds a {type(value).__name__}, which cannot be stored in a file: plain "
                "arrays can."
            )
        if value.dtype == object:
            for item in value.flat:
                if not isinstance(item, (*ITEMS, np.generic)):
                    raise ValueError(
                        f"{where} holds an array with {type(item).__name__}: labels, names and "
                        "categories may be str, numbers and bools, others cannot be stored in a "
                        "file."
                    )
            items = [self.encode(item, where) for item in value.ravel().tolist()]
            return {CLASS: "objects", "shape": list(value.shape), "items": items}
        if not DTYPE.fullmatch(value.dtype.str):
            raise ValueError(f"{where} has dtype {value.dtype}, which cannot be stored in a file.")
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = self._add(np.asarray(value))
        return {CLASS: "array", "array": known}

    def _add(self, array: Array) -> str:
        """Keep an array; return the name of its member."""
        name = f"arrays/{len(self.arrays)}.npy"
        self.arrays[name] = array
        return name


class Reader:
    """Turns what JSON has said back into a tree of plain values.

    Parameters
    ----------
    arrays : mapping
        By name.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays

    def decode(self, value: Any) -> Any:
        """Return a plain value."""
        if isinstance(value, list):
            decoded: Any = [self.decode(each) for each in value]
        elif isinstance(value, dict):
            decoded = self._decode_dict(value)
        else:
            return value
        _check_draws(decoded)
        return decoded

    def _decode_dict(self, value: dict[str, Any]) -> Any:
        kind = value.get(CLASS)
        if kind == "tuple":
            return tuple(self.decode(value["items"]))
        if kind == "pairs":
            return {self.decode(key): self.decode(each) for key, each in value["items"]}
        if kind == "array":
            return self._arrays[value["array"]]
        if kind == "floats":
            return _checked_floats(self._arrays[value["array"]]).tolist()
        if kind == "scalar":
            content = bytes.fromhex(value["value"])
            [scalar] = _from_bytes(content, _checked_dtype(value["dtype"]), 0)
            return scalar
        if kind == "objects":
            return self._decode_objects(value)
        if kind in ("float", "complex", "bytes"):
            return _decode_number(kind, value["value"])
        return {key: self.decode(each) for key, each in value.items()}

    def _decode_objects(self, value: dict[str, Any]) -> Array:
        items, shape = self.decode(value["items"]), _checked_shape(value["shape"])
        if math.prod(shape) != len(items):
            raise ValueError(f"an array of shape {shape} has {len(items)} items")
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):
            if not isinstance(item, (*ITEMS, np.generic)):
                raise ValueError(f"an array holds {type(item).__name__}")
            array[i] = item
        return array.reshape(shape)


def _checked_floats(array: Array) -> Array:
    if array.ndim != 1 or array.dtype != np.float64:
        raise ValueError(f"a list of floats is an array of {array.dtype} with {array.ndim} axes")
    return array


def _check_draws(value: Any) -> None:
    """Raise ValueError for a state of a Mersenne Twister that says to go on beyond its words.

    NumPy takes it, and then reads and writes elsewhere in memory.
    """
    if isinstance(value, dict) and value.get("bit_generator") == "MT19937":
        position = value["state"]["pos"]
    elif isinstance(value, (tuple, list)) and len(value) > 2 and isinstance(value[0], str):
        position = value[2] if value[0] == "MT19937" else 0
    else:
        return
    if not isinstance(position, (int, np.integer)) or not 0 <= position <= N_WORDS:
        raise ValueError(f"a random state is at {position!r} of its {N_WORDS} words")


def _encode_number(value: float | complex | bytes) -> Any:
    if isinstance(value, bytes):
        return {CLASS: "bytes", "value": value.hex()}
    if isinstance(value, complex):
        return {CLASS: "complex", "value": repr(value)}
    # Of JSON itself no number is infinite.
    return value if math.isfinite(value) else {CLASS: "float", "value": repr(value)}


def _decode_number(kind: str, text: str) -> Any:
    if kind == "bytes":
        return bytes.fromhex(text)
    return complex(text) if kind == "complex" else float(text)


def write(path: Any, tree: Any, about: Mapping[str, Any]) -> None:
    """Write a tree of plain values to a file, in place of what was there.

    A process that is killed while it writes leaves the file that was there.

    Parameters
    ----------
    path : str or path-like
    tree : object
        In plain terms, see :mod:`sknn.plain`.
    about : mapping
        What the header says beside it.

    Raises
    ------
    ValueError
        If the tree holds what a file cannot.
    OSError
        Of the file system.
    """
    writer = Writer()
    header = {**about, "format": FORMAT, "tree": writer.encode(tree)}
    if _depth(header) > DEEPEST:
        raise ValueError(f"{TOO_DEEP}; got more.")
    replace_file(path, lambda file: _write_zip(file, header, writer.arrays))


def _write_zip(file: Any, header: dict[str, Any], arrays: dict[str, Array]) -> None:
    described = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name: str, content: bytes) -> str:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
            return hashlib.sha256(content).hexdigest()

        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            digest = add(name, content.getvalue())
            shape = list(array.shape)
            described[name] = {"dtype": array.dtype.str, "shape": shape, "sha256": digest}
        text = json.dumps({**header, "arrays": described}, allow_nan=False).encode()
        add(DIGEST, add(HEADER, text).encode())


def replace_file(path: Any, write_to: Callable[[Any], object]) -> None:
    """Replace a file by another one at once, so that there is always a whole one.

    Parameters
    ----------
    path : str or path-like
    write_to : callable
        ``write_to(file)`` writes the new content.
    """
    target = Path(os.path.realpath(os.fsdecode(path)))  # a link goes on pointing there
    if target.exists() and not target.is_file():
        number = errno.EISDIR if target.is_dir() else errno.EINVAL
        raise OSError(number, "not a regular file, so it cannot be replaced", str(target))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is protected", str(target))
    _remove_leftovers(target)
    beside = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    try:
        with open(beside, "xb") as file:
            write_to(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed long ago have left beside a file."""
    pattern = f".{glob.escape(target.name[:40])}.{'[0-9a-f]' * 16}.part"
    for leftover in target.parent.glob(pattern):
        with contextlib.suppress(OSError):  # another process may be as fast
            if time.time() - leftover.stat().st_mtime > LEFTOVER_AGE:
                leftover.unlink()


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name survives a crash of the machine, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # one may write there, but not look
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems do not
            raise
    finally:
        os.close(handle)


def read(path: Any) -> tuple[Any, dict[str, Any]]:
    """Return the tree of plain values in a file, and what its header says beside it.

    Raises
    ------
    ValueError
        If the file is not what it should be; with what is wrong.
    OSError
        Of the file system.
    """
    with open(path, "rb") as file:
        return understood(path, lambda: _read(file))


def understood(path: Any, work: Callable[[], T]) -> T:
    """Return the result of work on what a file holds; say of what goes wrong that it is the file's.

    Raises
    ------
    ValueError
    """
    try:
        return work()
    except RefusedError as error:
        raise type(error)(f"{os.fspath(path)!r}: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place that is not in the file
            raise
        raise ValueError(f"{os.fspath(path)!r} is damaged: {error}") from error
    except Exception as error:  # of what does not fit together anything may come
        text = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{os.fspath(path)!r} is not a file of sknn, or damaged: {text}"
        ) from error


class RefusedError(ValueError):
    """A file is not to blame: something else is needed for it."""


class NewerFileError(RefusedError):
    """A file comes from a later version."""


def _read(file: io.BufferedReader) -> tuple[Any, dict[str, Any]]:
    size = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        if len(infos) != len(archive.infolist()) or not {HEADER, DIGEST} <= set(infos):
            raise ValueError("it lacks its header, or has members of one name")
        for name in (HEADER, DIGEST):
            _check_member(infos[name], size)
        text = archive.read(HEADER)
        if hashlib.sha256(text).hexdigest().encode() != archive.read(DIGEST):
            raise ValueError("the digest of its header is another one")
        header = _parse(text)
        described = header["arrays"]
        if set(described) != set(infos) - {HEADER, DIGEST}:
            raise ValueError("it has not the arrays that its header names")
        for info in infos.values():
            _check_member(info, size)
        if sum(info.file_size for info in infos.values()) > size:
            raise ValueError("its members are larger than the file")
        arrays = {name: _read_array(archive, name, about) for name, about in described.items()}
    return Reader(arrays).decode(header["tree"]), header


def _check_member(info: zipfile.ZipInfo, size: int) -> None:
    """Raise ValueError unless a member is as it is on the disk, within the file."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1:
        raise ValueError(f"its member {info.filename!r} is compressed or encrypted")
    if info.file_size != info.compress_size or info.header_offset + info.file_size > size:
        raise ValueError(f"its member {info.filename!r} is larger than the file")


def _parse(text: bytes) -> dict[str, Any]:
    header = json.loads(text)
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise ValueError("its header has no format")
    if header["format"] > FORMAT:
        raise NewerFileError(
            f"The file has format {header['format']}, of sknn {header.get('sknn', '?')}; this "
            f"version reads formats up to {FORMAT}. Update sknn to read it."
        )
    if header["format"] < 1 or not isinstance(header.get("arrays"), dict) or "tree" not in header:
        raise ValueError("its header is incomplete")
    if _depth(header) > DEEPEST:
        raise ValueError(f"its header has more than {DEEPEST} levels")
    return header


def _depth(value: Any) -> int:
    """Return how many levels lists and dicts have."""
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        branches = [each for each in level if isinstance(each, (dict, list))]
        level = [
            leaf
            for each in branches
            for leaf in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _read_array(archive: zipfile.ZipFile, name: str, about: dict[str, Any]) -> Array:
    dtype, shape = _checked_dtype(about["dtype"]), _checked_shape(about["shape"])
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > archive.getinfo(name).file_size:
        raise ValueError(f"{name} is shorter than its shape {shape} says")
    content = archive.read(name)
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise ValueError(f"the digest of {name} is another one")
    is_fortran, begin = _read_array_header(name, content, dtype, shape)
    if len(content) - begin != n_bytes:
        raise ValueError(f"{name} is not as long as its shape {shape} says")
    flat = _from_bytes(content, dtype, begin)
    return flat.reshape(shape, order="F" if is_fortran else "C").copy(order="K")


def _read_array_header(
    name: str, content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> tuple[bool, int]:
    """Return whether an array is in Fortran's order, and where its numbers begin."""
    if content[:8] != np.lib.format.magic(1, 0):
        raise ValueError(f"{name} is not in version 1.0 of NumPy's format")
    begin = 10 + int.from_bytes(content[8:10], "little")
    match = ARRAY_HEADER.fullmatch(content[10:begin])
    if match is None:
        raise ValueError(f"{name} does not begin as NumPy's format does")
    found = tuple(int(number) for number in match[3].decode().split(",") if number.strip())
    if found != shape or _checked_dtype(match[1].decode()) != dtype:
        raise ValueError(f"{name} is not what the header says")
    return match[2] == b"True", begin


def _from_bytes(content: bytes, dtype: np.dtype[Any], begin: int) -> Array:
    """Return the items in bytes, from one of them on."""
    if len(content) == begin:
        return np.empty(0, dtype)
    # Where other bytes stand for bools, NumPy may count wrongly.
    if dtype.kind == "b" and np.frombuffer(content, np.uint8, offset=begin).max() > 1:
        raise ValueError("an array of bools has other values")
    return np.frombuffer(content, dtype, offset=begin)


def _checked_dtype(text: Any) -> np.dtype[Any]:
    if not isinstance(text, str) or not DTYPE.fullmatch(text):
        raise ValueError(f"an array has dtype {text!r}")
    return np.dtype(text)


def _checked_shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(n) is int and n >= 0 for n in value):
        raise ValueError(f"an array has shape {value!r}")
    return tuple(value)
