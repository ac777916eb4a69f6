"""An attacker's tools: files that are put together by hand, with digests that are right."""

import copy
import hashlib
import io
import json
import struct
import zipfile

from sknn.container import DIGEST, HEADER

REPLACEMENTS = (None, 7, "x", [], {}, -1, 1.5, True)
"""One of each kind that JSON knows."""


def take_apart(path):
    """Return the header of a file, and its arrays in bytes by name."""
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read(HEADER))
        return header, {name: archive.read(name) for name in header["arrays"]}


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


def put_together(path, header, arrays, compression=zipfile.ZIP_STORED):
    """Write a file whose digests are right, whatever is in it."""
    header = copy.deepcopy(header)
    for name, content in arrays.items():
        if name in header["arrays"]:
            header["arrays"][name]["sha256"] = digest_of(content)
    write_members(path, {**arrays, **sealed(header)}, compression)


def sealed(header):
    """Return the members that a header makes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return {HEADER: text, DIGEST: digest_of(text).encode()}


def write_members(path, members, compression=zipfile.ZIP_STORED):
    pairs = members.items() if isinstance(members, dict) else members
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in pairs:
            archive.writestr(name, content)


def npy(text, content=b""):
    """Return an array in NumPy's format with a header of one's own."""
    text = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def with_changed_directory(path, offset, value, name=HEADER):
    """Return the bytes of a file whose central directory says something else of a member.

    Parameters
    ----------
    offset : int
        Where in the entry: 10 is the method, 20 and 24 are the sizes, 42 is where the member lies.
    value : bytes
    """
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(name.encode()))
    content[entry + offset : entry + offset + len(value)] = value
    return bytes(content)


def places_in(tree, place=()):
    """Yield the place of each node of a tree."""
    yield place
    branches = ()
    if isinstance(tree, dict):
        branches = tree.items()
    elif isinstance(tree, list):
        branches = enumerate(tree)
    for key, branch in branches:
        yield from places_in(branch, (*place, key))


def replaced(tree, place, value):
    """Return a tree with another value at a place."""
    if not place:
        return value
    key, *rest = place
    changed = copy.copy(tree)
    changed[key] = replaced(tree[key], rest, value)
    return changed


def mutations_of(content, n, rng):
    """Yield a file with a few bits flipped, cut, or with bytes moved, so often."""
    for i in range(n):
        changed = bytearray(content)
        kind, at = i % 4, int(rng.integers(len(content)))
        if kind == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            end = at + int(rng.integers(1, 40))
            changed[at:end] = rng.bytes(end - at)
        else:
            del changed[at : at + int(rng.integers(1, 40))]
        yield bytes(changed)


def zip_of(members):
    """Return the bytes of a zip; names may occur twice."""
    buffer = io.BytesIO()
    write_members(buffer, members)
    return buffer.getvalue()
