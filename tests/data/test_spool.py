import copy
import gc
import os
import pickle
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from sknn.data.spool import MARGIN, Spool, choose_folder, write_rows

X = np.arange(12.0).reshape(4, 3)


def write(folder, blocks=(X[:3], X[3:])):
    return write_rows(iter(blocks), X.shape, np.float32, folder)


def test_blocks_become_rows_of_a_file(tmp_path):
    file = write(tmp_path)

    np.testing.assert_array_equal(file.read(0, 4), X)
    assert file.dtype == np.float32
    assert file.path.parent == tmp_path


def test_a_file_is_known_by_what_it_holds(tmp_path):
    files = [write(tmp_path), write(tmp_path, (X,)), write(tmp_path, (X + 1,))]
    names = [file.digest() for file in files]

    assert names[0] == names[1] != names[2]


def test_a_file_that_nobody_wants_is_removed(tmp_path):
    file = write(tmp_path)
    other = copy.copy(file)
    del file
    gc.collect()
    assert other.path.exists()
    del other
    gc.collect()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_is_not_finished_is_removed(tmp_path, error):
    def blocks():
        yield X[:3]
        raise error

    with pytest.raises(error):
        write(tmp_path, blocks())
    assert list(tmp_path.iterdir()) == []


def test_copies_in_other_processes_read_it_and_leave_it_there(tmp_path):
    file = write(tmp_path)
    received = pickle.loads(pickle.dumps(file))
    np.testing.assert_array_equal(received.read(1, 2), X[1:2])
    assert received.digest() == file.digest()
    del received
    gc.collect()

    assert file.path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes fork on POSIX only")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_process_that_was_forked_leaves_it_there(tmp_path):
    spool = Spool(tmp_path)
    child = os.fork()
    if not child:
        spool.discard()
        os._exit(0)
    os.waitpid(child, 0)

    assert spool.path.exists()
    spool.discard()
    spool.discard()  # again does no harm
    assert not spool.path.exists()


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, X.size * 4 + MARGIN - 1))
    with pytest.raises(
        OSError, match=r"has no room: 0.1 GB are free, of which 0.1 stay so. Pass folder='...' on"
    ):
        write(tmp_path)

    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, X.size * 4 + MARGIN))
    assert write(tmp_path).path.exists()


KILLED = """
import os, signal, sys
from sknn.data.spool import Spool
spool = Spool(sys.argv[1])
os.utime(spool.path, (1, 1))
print(spool.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="files can be locked so on POSIX systems only")
def test_files_of_processes_that_were_killed_are_removed_by_the_next(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    alive = write(tmp_path)
    os.utime(alive.path, (1, 1))

    assert not left.exists()
    write(tmp_path)
    assert alive.path.exists()
    other = tmp_path / "sknn-of-somebody.txt"
    other.touch()
    os.utime(other, (1, 1))
    write(tmp_path)
    assert other.exists()


def test_large_files_belong_where_the_user_says_or_on_a_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert choose_folder() == tmp_path
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr("tempfile.tempdir", None)
    large = Path("/var/tmp")
    if large.is_dir() and os.access(large, os.W_OK):
        assert choose_folder() == large
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert choose_folder() == tmp_path
