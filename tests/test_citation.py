"""What says of the package what it is, says the same everywhere."""

import tomllib
from pathlib import Path

import pytest

import sknn
from tests.release import newest_heading, read_citation

ROOT = Path(__file__).parents[1]


def as_numbers(version):
    return [int(number) for number in version.split(".")]


@pytest.fixture
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_citation_is_of_this_version_and_project(project):
    citation = read_citation()

    assert citation["version"] == sknn.__version__
    assert citation["license"] == project["license"]
    assert citation["repository-code"] == project["urls"]["Source"]
    assert citation["url"] == project["urls"]["Documentation"]
    text = (ROOT / "CITATION.cff").read_text()
    assert f'- name: "{project["authors"][0]["name"]}"' in text


def test_the_page_shows_the_citation_of_this_version():
    page = (ROOT / "docs" / "citing.rst").read_text()

    assert f"version = {{{sknn.__version__}}}" in page
    assert read_citation()["title"] in " ".join(page.split()).replace("{", "").replace("}", "")


def test_the_changelog_begins_with_this_version_or_the_next():
    heading, is_unreleased = newest_heading()
    newest, current = as_numbers(heading), as_numbers(sknn.__version__)

    assert newest == current or (newest > current and is_unreleased)
