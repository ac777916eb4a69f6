"""What a process may use of its machine: cores and caches."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib

CACHE = 16_000_000
"""Bytes of the last-level cache where the system does not tell."""

CPU0 = Path("/sys/devices/system/cpu/cpu0/cache")
"""Where Linux describes the caches of the first processor."""


def count_cores() -> int:
    """Return how many cores the process may use: affinity and the quota of its container count."""
    return int(joblib.cpu_count())


@functools.cache
def cache_bytes() -> int:
    """Return the size of the last-level cache that a core can reach."""
    read = _READERS.get(sys.platform, _read_linux)
    try:
        return max(read(), default=CACHE)
    except (OSError, AttributeError, ValueError):
        return CACHE


def _read_linux() -> Iterator[int]:
    units = {"K": 1024, "M": 1024**2, "G": 1024**3}
    for size in CPU0.glob("index*/size"):
        text = size.read_text().strip()
        yield int(text.rstrip("KMG")) * units.get(text[-1:], 1)


def _read_macos() -> Iterator[int]:
    libc = ctypes.CDLL(None)
    for name in ("hw.l3cachesize", "hw.perflevel0.l2cachesize", "hw.l2cachesize"):
        value = ctypes.c_uint64(0)
        length = ctypes.c_size_t(ctypes.sizeof(value))
        arguments = name.encode(), ctypes.byref(value), ctypes.byref(length), None, 0
        if libc.sysctlbyname(*arguments) == 0 and value.value:
            yield value.value


class _Cache(ctypes.Structure):
    """CACHE_DESCRIPTOR of the Windows API."""

    _fields_ = (
        ("level", ctypes.c_byte),
        ("associativity", ctypes.c_byte),
        ("line_size", ctypes.c_uint16),
        ("size", ctypes.c_uint32),
        ("kind", ctypes.c_int),
    )


class _Details(ctypes.Union):
    _fields_ = (("cache", _Cache), ("reserved", ctypes.c_uint64 * 2))


class _Processor(ctypes.Structure):
    """SYSTEM_LOGICAL_PROCESSOR_INFORMATION of the Windows API."""

    _fields_ = (
        ("mask", ctypes.c_size_t),
        ("relationship", ctypes.c_int),
        ("details", _Details),
    )


_RELATION_CACHE = 2


def _read_windows() -> Iterator[int]:
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    length = ctypes.c_uint32(0)
    kernel.GetLogicalProcessorInformation(None, ctypes.byref(length))
    entries = (_Processor * (length.value // ctypes.sizeof(_Processor)))()
    if not kernel.GetLogicalProcessorInformation(entries, ctypes.byref(length)):
        raise OSError("GetLogicalProcessorInformation failed")
    for entry in entries:
        if entry.relationship == _RELATION_CACHE:
            yield entry.details.cache.size


_READERS = {"linux": _read_linux, "darwin": _read_macos, "win32": _read_windows}
