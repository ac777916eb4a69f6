import signal

import numpy as np
import pytest

from sknn.solvers import Stochastic
from tests.parallel.threads import HAS_THREADS, StackSizes, needs_threads, refuse_threads

NEED_THREADS = {
    "test_crew.py": {
        "test_a_thread_that_cannot_start_leaves_nothing_behind",
        "test_a_worker_that_does_not_get_its_turn_is_not_waited_for",
        "test_ctrl_c_while_the_crew_ends_is_raised_after_it_has_ended",
        "test_where_waiting_does_not_pay_the_caller_works_alone_for_a_while",
    },
    "test_tools.py": {
        "test_displays_train_stacks",
        "test_functions_train_stacks_and_give_the_same_answers",
        "test_searches_train_stacks_and_give_the_same_answers",
        "test_thresholds_are_tuned_on_stacks",
    },
}
"""Tests outside of tests/parallel that are about threads or stacks; those inside are marked."""


def pytest_collection_modifyitems(items):
    for item in items:
        if getattr(item, "originalname", None) in NEED_THREADS.get(item.path.name, ()):
            item.add_marker(needs_threads)


# What runs in the background of a shell ignores Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_threads():
    """In the run without threads, refuse each that sknn starts."""
    with pytest.MonkeyPatch.context() as patch:
        if not HAS_THREADS:
            refuse_threads(patch)
        yield


@pytest.fixture(autouse=True)
def the_same_draws():
    """Let a test that draws from NumPy's global state draw the same, whatever has run before it."""
    np.random.seed(91)  # noqa: NPY002 (not a seed of a test, which would be the same draws)


@pytest.fixture
def stack_sizes(monkeypatch):
    """A list of how many models each training has had."""
    sizes, minimize = StackSizes(), Stochastic.minimize

    def count(self, problems):
        sizes.append(len(problems))
        return minimize(self, problems)

    monkeypatch.setattr(Stochastic, "minimize", count)
    return sizes
