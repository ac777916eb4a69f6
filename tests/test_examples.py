"""The examples run without a warning, print something and draw a figure.

They run as programs do, `python -W error examples/x.py folder`, but one after the other in each of
two processes, which import NumPy, scikit-learn and Matplotlib once and not for each example.
"""

import contextlib
import io
import runpy
import subprocess
import sys
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
N_PROCESSES = 2
HANGS = 3600  # seconds; no limit to what a busy machine may take


def run(name, folder):
    """Run an example as the main program; write what it prints, and its error, to its folder."""
    sys.argv, printed = [name, str(folder)], io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        except (Exception, SystemExit):
            (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    (folder / "printed.txt").write_text(printed.getvalue(), encoding="utf-8")


def run_those_left(folder, names):
    """Run each of the examples that no other process has begun: that has no folder yet."""
    for name in names:
        with contextlib.suppress(FileExistsError):
            (folder / name).mkdir()
            run(name, folder / name)


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """The folder with a folder for each example, and what the processes complained of."""
    folder = tmp_path_factory.mktemp("examples")
    items = (i for i in request.session.items if i.path == request.path and hasattr(i, "callspec"))
    names = [item.callspec.params["name"] for item in items]
    command = [sys.executable, "-W", "error", "-m", "tests.test_examples", folder, *names]
    complaints = []

    def start(_):
        for _ in names:  # where one takes its process along, another goes on
            process = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS, check=False
            )
            complaints.append(process.stderr)
            if process.returncode == 0:
                break

    with ThreadPoolExecutor(N_PROCESSES) as pool:
        list(pool.map(start, range(N_PROCESSES)))
    return folder, "\n".join(complaints)


def test_there_are_examples():
    assert set(NAMES) >= {"quickstart.py", "plot_digits.py", "plot_text.py"}


@pytest.mark.parametrize("name", NAMES)
def test_example_runs_and_draws(name, results):
    folder, complaints = results
    error, printed = folder / name / "error.txt", folder / name / "printed.txt"

    assert not error.exists(), error.read_text(encoding="utf-8")
    assert printed.exists(), f"the process has died:\n{complaints}"
    assert len(printed.read_text(encoding="utf-8").splitlines()) >= 3
    figure = folder / name / f"{name.removesuffix('.py').removeprefix('plot_')}.png"
    assert figure.stat().st_size > 5000


if __name__ == "__main__":
    run_those_left(Path(sys.argv[1]), sys.argv[2:])
