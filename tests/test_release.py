"""What a release must not be: each check refuses what it is there for."""

import io
import tarfile
import zipfile

import pytest

import sknn
from tests import release

METADATA = "Metadata-Version: 2.4\nName: sknn\nVersion: 1.0\n{urls}\n{description}\n"
URLS = "".join(f"Project-URL: {name}, https://www.example.org/\n" for name in ("A", "B", "C"))
INFO = "sknn-1.0.dist-info"


def make_wheel(folder, description="[text](https://www.example.org/)", urls=URLS, more=()):
    path = folder / "sknn-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{INFO}/METADATA", METADATA.format(urls=urls, description=description))
        for name in ("sknn/py.typed", f"{INFO}/licenses/LICENSE", *more):
            wheel.writestr(name, "")
    return path


def test_the_version_is_that_of_the_package():
    assert release.release_version() == sknn.__version__


def test_a_wheel_as_it_should_be_passes(tmp_path):
    release.check_wheel(make_wheel(tmp_path))


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "[guide](docs/guide/index.rst)"},
        {"description": "![figure](docs/images/a.png)"},
        {"more": ["tests/__init__.py"]},
        {"urls": ""},
    ],
)
def test_other_wheels_do_not(wrong, tmp_path):
    with pytest.raises((AssertionError, TypeError)):
        release.check_wheel(make_wheel(tmp_path, **wrong))


@pytest.mark.parametrize("left_out", ["CITATION.cff", "docs/conf.py", None])
def test_sources_must_be_complete(left_out, tmp_path):
    path = tmp_path / "sknn-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in release.SOURCES:
            if name != left_out:
                archive.addfile(tarfile.TarInfo(f"sknn-1.0/{name}"), io.BytesIO())
    if left_out is None:
        release.check_sdist(path)
    else:
        with pytest.raises(AssertionError, match=left_out):
            release.check_sdist(path)


def test_texts_of_another_version_are_refused():
    with pytest.raises(AssertionError):
        release.check_texts("9.9.9")
