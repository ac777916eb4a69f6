import pytest

from sknn.solvers import Stochastic


@pytest.fixture
def stack_sizes(monkeypatch):
    """A list of how many models each training has had."""
    sizes, minimize = [], Stochastic.minimize

    def count(self, problems):
        sizes.append(len(problems))
        return minimize(self, problems)

    monkeypatch.setattr(Stochastic, "minimize", count)
    return sizes
