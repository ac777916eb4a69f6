"""The examples run without a warning, print something and draw a figure."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_there_are_examples():
    assert {path.name for path in EXAMPLES} >= {"quickstart.py", "plot_digits.py", "plot_text.py"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs_and_draws(path, tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", path, tmp_path],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) >= 3
    figure = tmp_path / f"{path.stem.removeprefix('plot_')}.png"
    assert figure.stat().st_size > 5000
