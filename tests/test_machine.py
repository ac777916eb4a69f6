"""Cores and caches are those that the process may use."""

import os
import subprocess
import sys

import joblib
import pytest

from sknn import _blas, _crew, _machine
from sknn._crew import count_threads, count_workers


@pytest.fixture(autouse=True)
def _forget_the_cache_size():
    _machine.cache_bytes.cache_clear()
    yield
    _machine.cache_bytes.cache_clear()


def test_a_quota_of_the_container_counts(monkeypatch):
    # Two of 64 cores: what a container says of itself.
    context = joblib.externals.loky.backend.context
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(context, "_cpu_count_affinity", lambda n: n)
    monkeypatch.setattr(context, "_cpu_count_cgroup", lambda n: 2)
    monkeypatch.setattr(_blas.ONE_BLAS_THREAD, "count_threads", lambda: 64)

    assert _machine.count_cores() == 2
    assert count_workers(8) == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinities")
def test_the_affinity_counts():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from sknn._machine import count_cores; print(count_cores())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("n_cores", "n_blas", "expected"), [(2, 2, 2), (8, 8, 8), (8, 1, 1), (2, 64, 2)]
)
def test_a_limit_of_blas_counts(monkeypatch, n_cores, n_blas, expected):
    monkeypatch.setattr(_crew, "count_cores", lambda: n_cores)
    monkeypatch.setattr(_blas.ONE_BLAS_THREAD, "count_threads", lambda: n_blas)

    assert count_threads() == expected


@pytest.mark.parametrize(
    ("most", "n_threads", "expected"),
    [(1, 2, 1), (2, 2, 2), (8, 2, 2), (2, 4, 2), (4, 1, 1), (8, 16, 4)],
)
def test_workers_are_as_many_as_pay(monkeypatch, most, n_threads, expected):
    monkeypatch.setattr(_crew, "count_threads", lambda: n_threads)

    assert count_workers(most) == expected


def test_linux_tells_its_caches(monkeypatch, tmp_path):
    for i, size in enumerate(["48K", "32K", "1024K", "32M"]):
        (tmp_path / f"index{i}").mkdir()
        (tmp_path / f"index{i}" / "size").write_text(f"{size}\n")
    monkeypatch.setattr(_machine, "CPU0", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")

    assert _machine.cache_bytes() == 32 * 1024**2


@pytest.mark.parametrize("text", ["", "unknown\n"])
def test_a_cache_that_is_not_told_has_a_sane_size(monkeypatch, tmp_path, text):
    (tmp_path / "index0").mkdir()
    (tmp_path / "index0" / "size").write_text(text)
    monkeypatch.setattr(_machine, "CPU0", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")

    assert _machine.cache_bytes() == _machine.CACHE


@pytest.mark.parametrize(
    "platform", [name for name in ("darwin", "win32", "emscripten") if name != sys.platform]
)
def test_a_system_without_the_calls_of_its_kind_has_a_sane_size(monkeypatch, tmp_path, platform):
    monkeypatch.setattr(_machine, "CPU0", tmp_path)
    monkeypatch.setattr(sys, "platform", platform)

    assert _machine.cache_bytes() == _machine.CACHE


class FakeKernel:
    """A Windows with two caches and a processor that is none."""

    def GetLogicalProcessorInformation(self, entries, length):
        if entries is None:
            length._obj.value = 3 * _machine.ctypes.sizeof(_machine._Processor)
            return 0
        known = [(2, 48_000), (0, 99), (2, 8_000_000)]
        for entry, (relation, size) in zip(entries, known, strict=True):
            entry.relationship = relation
            entry.details.cache.size = size
        return 1


def test_windows_tells_its_caches(monkeypatch):
    dlls = type("dlls", (), {"kernel32": FakeKernel()})
    monkeypatch.setattr(_machine.ctypes, "windll", dlls, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")

    assert _machine.cache_bytes() == 8_000_000


class FakeLibrary:
    """A macOS whose processor has no third level."""

    def sysctlbyname(self, name, value, length, new, n_new):
        if name != b"hw.perflevel0.l2cachesize":
            return -1
        value._obj.value = 16_000_000
        return 0


def test_macos_tells_its_caches(monkeypatch):
    monkeypatch.setattr(_machine.ctypes, "CDLL", lambda name: FakeLibrary())
    monkeypatch.setattr(sys, "platform", "darwin")

    assert _machine.cache_bytes() == 16_000_000
