import contextlib

import pytest

from sknn.dask import base
from tests.dask.inline import InlineClient


@pytest.fixture
def inline(monkeypatch):
    """The client of all fits that have none; it does tasks at once."""
    client = InlineClient()

    @contextlib.contextmanager
    def connected(_):
        yield client

    monkeypatch.setattr(base, "connected", connected)
    return client
