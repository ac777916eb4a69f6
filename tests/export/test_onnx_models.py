import subprocess
import sys

import pytest

from sknn.export import onnx_models, register_onnx, to_onnx
from tests.export.running import IRIS, fitted


@pytest.fixture
def without_skl2onnx(monkeypatch):
    monkeypatch.setattr(onnx_models.importlib.util, "find_spec", lambda name: None)


def test_it_says_how_to_get_skl2onnx(without_skl2onnx):
    with pytest.raises(ImportError, match=r"pip install sknn\[onnx\]"):
        to_onnx(fitted("words"), IRIS[:1])
    with pytest.raises(ImportError, match=r"pip install sknn\[onnx\]"):
        register_onnx()


def test_neither_onnx_nor_tables_are_loaded_before_they_are_needed():
    code = (
        "import sys, sknn.export; "
        "print({'onnx', 'skl2onnx', 'sknn.tabular', 'sknn.model_selection'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)

    assert done.stdout.strip() == "set()"
