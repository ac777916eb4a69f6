"""The context: what it does to joblib, and what it refuses."""

import joblib
import pytest
from joblib.parallel import get_active_backend

import sknn
from sknn.parallel import LockstepBackend
from tests.parallel.fits import fit

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("no_thread_is_left"),
]


def test_leaving_the_context_restores_joblib():
    before = type(get_active_backend()[0])
    with sknn.lockstep():
        assert isinstance(get_active_backend()[0], LockstepBackend)
        assert joblib.effective_n_jobs() == joblib.effective_n_jobs(3) == 64
    assert type(get_active_backend()[0]) is before
    with pytest.raises(KeyError), sknn.lockstep():
        raise KeyError
    assert type(get_active_backend()[0]) is before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"memory": "a lot"}, "'memory' parameter of lockstep must be.*Got 'a lot'"),
        ({"memory": "12 XB"}, "'memory' parameter.*Got '12 XB'"),
        ({"memory": 0}, "'memory' parameter.*Got 0"),
        ({"memory": True}, "'memory' parameter.*Got True"),
        ({"memory": None}, "'memory' parameter.*Got None"),
        ({"n_jobs": 0}, "'n_jobs' parameter of lockstep must be.*Got 0"),
        ({"n_jobs": 1.5}, "'n_jobs' parameter.*Got 1.5"),
        ({"n_jobs": "two"}, "'n_jobs' parameter.*Got 'two'"),
        ({"backend": "telepathy"}, "Invalid backend: telepathy, expected one of"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ValueError, match=message), sknn.lockstep(**parameters):
        pass


def test_fits_outside_of_parallel_calls_are_not_held_back(stack_sizes):
    with sknn.lockstep():
        fit()

    assert stack_sizes == [1]
