"""What must be true of the files of a release; ``make release-check`` asks.

``python -m tests.release dist`` looks at what has been built. The version is the same everywhere,
the archives hold what they should, the description has no link that leads nowhere on an index
page, and the wheel works alone in a new environment.
"""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_string
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
RELATIVE = re.compile(r"\]\((?!https?:|#)([^)]+)\)")
"""A link of Markdown to a file beside it."""

SOURCES = [
    "CHANGELOG.rst",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "PKG-INFO",
    "README.md",
    "SECURITY.md",
    "docs/conf.py",
    "docs/_static/fonts/stix-two-math.woff2",
    "examples/quickstart.py",
    "sknn/__init__.py",
    "tests/oldest.txt",
]
"""Some files that whoever unpacks the sources needs."""

SMOKE = """
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

warnings.simplefilter("error")
assert "site-packages" in sknn.__file__, sknn.__file__
assert sknn.__version__ == sys.argv[1], sknn.__version__
assert Path(sknn.__file__).with_name("py.typed").exists()
X, y = load_breast_cancer(return_X_y=True)
network = sknn.MLPClassifier((10,), max_iter=1000, random_state=0)
grid = {"mlpclassifier__alpha": [0.0001, 1.0]}
with sknn.lockstep():
    search = GridSearchCV(make_pipeline(StandardScaler(), network), grid).fit(X, y)
assert search.best_score_ > 0.95
X, y = load_diabetes(return_X_y=True, as_frame=True)
table = sknn.TabularMLPRegressor("fast", random_state=0).fit(X, y)
assert table.oof_score_ > 0.3
with TemporaryDirectory() as folder:
    sknn.save(table, Path(folder) / "table.sknn")
    again = sknn.load(Path(folder) / "table.sknn")
assert (again.predict(X) == table.predict(X)).all()
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"matplotlib", "dask", "distributed", "onnx", "pyarrow", "torch"}, loaded
print("fitted, searched, saved and loaded")
"""


def release_version() -> str:
    """Return the version that the package says it has."""
    text = (ROOT / "sknn/_version.py").read_text(encoding="utf-8")
    return re.search(r'__version__ = "(.+?)"', text)[1]


def read_citation() -> dict[str, str]:
    """Return the keys of CITATION.cff whose values stand on one line."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return {key: value.strip('"') for key, value in re.findall(r"(?m)^(\S+): (\S.*)$", text)}


def newest_heading() -> tuple[str, bool]:
    """Return with which version the changelog begins, and whether it is called unreleased."""
    text = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
    heading = re.search(r"(?m)^Version (\d+\.\d+\.\d+)( \(unreleased\))?\n-{5,}$", text)
    return heading[1], heading[2] is not None


def check_texts(version: str) -> None:
    """Raise AssertionError where changelog or citation are about another version."""
    assert newest_heading() == (version, False), newest_heading()
    assert read_citation()["version"] == version, "CITATION.cff"


def check_wheel(path: Path) -> None:
    """Raise AssertionError where a wheel holds too much, or describes itself badly."""
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        description = message_from_string(wheel.read(metadata).decode())
    info = metadata.partition("/")[0]
    strays = [name for name in names if not name.startswith(("sknn/", f"{info}/"))]
    assert not strays, strays
    assert "sknn/py.typed" in names
    assert f"{info}/licenses/LICENSE" in names
    relative = RELATIVE.findall(description.get_payload())
    assert not relative, f"links that lead nowhere on an index page: {relative}"
    assert len(description.get_all("Project-URL")) >= 3


def check_sdist(path: Path) -> None:
    """Raise AssertionError where an archive of sources lacks a file."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in SOURCES if name not in names]
    assert not missing, missing


def check_alone(wheel: Path, version: str) -> None:
    """Use the wheel in a new environment, where nothing of this folder can be imported."""
    with TemporaryDirectory() as folder:
        venv.create(f"{folder}/env", with_pip=True)
        python = Path(folder, "env/Scripts/python.exe" if os.name == "nt" else "env/bin/python")
        for arguments in (
            ["-m", "pip", "install", "--quiet", str(wheel.resolve())],
            ["-m", "pip", "check"],
            ["-c", SMOKE, version],
        ):
            subprocess.run([python, *arguments], cwd=folder, check=True)


def main(folder: Path) -> None:
    """Check the archives in a folder."""
    version = release_version()
    check_texts(version)
    wheel, sdist = folder / f"sknn-{version}-py3-none-any.whl", folder / f"sknn-{version}.tar.gz"
    check_wheel(wheel)
    check_sdist(sdist)
    check_alone(wheel, version)
    print(f"sknn {version} may be released")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
