"""The examples run without a warning, print something and draw a figure.

The gallery of the documentation runs them, too. Where that has happened to these very sources,
its pages are what is looked at here. Else they run as programs do, `python -W error
examples/x.py`, but one after the other in each of two processes, which import NumPy, scikit-learn
and Matplotlib once and not for each example.
"""

import contextlib
import io
import os
import runpy
import subprocess
import sys
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import gallery

N_PROCESSES = 2
HANGS = 3600  # seconds; no limit to what a busy machine may take


def run(name, folder):
    """Run an example as the main program; leave figures and what it prints in a folder."""
    sys.argv, printed = [name], io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.chdir(folder),
    ):
        gallery.make_warnings_errors()
        try:
            runpy.run_path(str(gallery.EXAMPLES / name), run_name="__main__")
        except (Exception, SystemExit):
            Path("error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        if "matplotlib.pyplot" in sys.modules:
            pyplot = sys.modules["matplotlib.pyplot"]
            for number in pyplot.get_fignums():
                pyplot.figure(number).savefig(f"{number:03}.png")
            pyplot.close("all")
    (folder / "printed.txt").write_text(printed.getvalue(), encoding="utf-8")


def run_those_left(folder, names):
    """Run each of the examples that no other process has begun: that has no folder yet."""
    for name in names:
        with contextlib.suppress(FileExistsError):
            (folder / Path(name).stem).mkdir()
            run(name, folder / Path(name).stem)


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """The folder with a folder for each example, and what the processes complained of."""
    folder = tmp_path_factory.mktemp("examples")
    items = (i for i in request.session.items if i.path == request.path and hasattr(i, "callspec"))
    names = [item.callspec.params["name"] for item in items]
    command = [sys.executable, "-W", "error", "-m", "tests.test_examples", folder, *names]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    complaints = []

    def start(_):
        for _ in names:  # where one takes its process along, another goes on
            process = subprocess.run(
                command,
                cwd=gallery.ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=HANGS,
                check=False,
            )
            complaints.append(process.stderr)
            if process.returncode == 0:
                break

    with ThreadPoolExecutor(N_PROCESSES) as pool:
        list(pool.map(start, range(N_PROCESSES)))
    return folder, "\n".join(complaints)


@pytest.fixture(scope="module")
def is_drawn():
    """Whether the gallery has run the examples already."""
    return gallery.is_current()


def test_there_are_examples_in_each_section():
    sections = {name.rpartition("/")[0] for name in gallery.NAMES}

    assert len(gallery.NAMES) >= 29
    assert sections == {
        path.parent.name for path in gallery.EXAMPLES.glob("*/GALLERY_HEADER.rst")
    } | {""}


@pytest.mark.parametrize("name", gallery.NAMES)
def test_example_runs_and_draws(name, is_drawn, request):
    if is_drawn:
        page = (gallery.PAGES / name).with_suffix(".rst")
        images = page.parent.joinpath("images").glob(f"sphx_glr_{page.stem}_*.png")
        n_lines = gallery.count_printed(page.read_text(encoding="utf-8"))
    else:
        folder, complaints = request.getfixturevalue("results")
        folder = folder / Path(name).stem
        error, printed = folder / "error.txt", folder / "printed.txt"
        assert not error.exists(), error.read_text(encoding="utf-8")
        assert printed.exists(), f"the process has died:\n{complaints}"
        images = folder.glob("0*.png")
        n_lines = len(printed.read_text(encoding="utf-8").splitlines())

    assert n_lines >= 3
    assert max((image.stat().st_size for image in images), default=0) > 5000


PAGE = """Text

.. rst-class:: sphx-glr-script-out

 .. code-block:: none

    one

    two

.. GENERATED FROM PYTHON SOURCE

    not this
"""


def test_what_a_page_shows_as_printed_is_counted():
    assert gallery.count_printed(PAGE) == 2


if __name__ == "__main__":
    run_those_left(Path(sys.argv[1]), sys.argv[2:])
