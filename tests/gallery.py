"""Which examples there are, and whether the documentation's gallery has run them as they are now.

The gallery runs each example to make its page, which is a test as good as any: warnings are
errors in it. So where it has been built from the same sources, the tests look at what it made and
do not run the examples again.
"""

import hashlib
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PAGES = ROOT / "docs" / "gallery"
RECORD = PAGES / "sources.txt"
DEPENDENCIES = ["numpy", "scipy", "scikit-learn", "pandas", "joblib", "matplotlib"]
NAMES = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.py"))


def digest() -> str:
    """Return what changes as soon as an example, a module of the package or a dependency does."""
    versions = [f"{name} {version(name)}\n" for name in DEPENDENCIES]
    found = hashlib.sha256(f"{sys.version}\n{''.join(versions)}".encode())
    for folder in (EXAMPLES, ROOT / "sknn"):
        for path in sorted(folder.rglob("*.py")):
            found.update(f"{path.relative_to(ROOT).as_posix()}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def is_current() -> bool:
    """Return whether the gallery has run all examples, as they are now, without a failure."""
    return RECORD.exists() and RECORD.read_text(encoding="utf-8") == digest()


def make_warnings_errors() -> None:
    """Make each warning an error, but for one of Matplotlib where there is a screen."""
    warnings.simplefilter("error")
    # It says that plt.show() will not use the screen.
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def count_printed(page: str) -> int:
    """Return how many lines a page of the gallery shows as printed by its example."""
    blocks = page.split(".. rst-class:: sphx-glr-script-out")[1:]
    n_lines = 0
    for block in blocks:
        _, _, output = block.partition(".. code-block:: none")
        for line in output.splitlines():
            if line and not line.startswith(" "):
                break
            n_lines += bool(line.strip())
    return n_lines
