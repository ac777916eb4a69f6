import threading
import time

import pytest


@pytest.fixture
def no_thread_is_left():
    """Fail unless all threads that a test has begun end with it."""
    before = threading.active_count()
    yield
    until = time.monotonic() + 600
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before
