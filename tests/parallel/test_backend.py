"""The joblib backend: its names and numbers, generators and dispatch."""

import itertools

import joblib
import pytest

import sknn
from sknn.parallel import LockstepBackend
from tests.parallel.fits import fit, run

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("no_thread_is_left"),
]


def test_joblib_knows_the_backend_by_name(stack_sizes):
    with joblib.parallel_config(backend="lockstep", memory="1 MB"):
        run(fit, [0.1, 0.2])
    run(fit, [0.1, 0.2, 0.3], backend="lockstep")

    assert stack_sizes == [2, 3]


@pytest.mark.parametrize(
    ("memory", "n_bytes"),
    [("256MB", 256e6), ("1GiB", 2**30), ("10 k", 10e3), ("1.5 MB", 1.5e6), (77, 77), ("8B", 8)],
)
def test_memory_is_a_number_or_a_text(memory, n_bytes):
    assert LockstepBackend(memory)._memory == n_bytes


def test_no_job_is_refused_as_by_joblib():
    with sknn.lockstep(), pytest.raises(ValueError, match="n_jobs == 0 in Parallel"):
        run(abs, [1], n_jobs=0)


def test_an_error_of_the_iterable_is_raised():
    def arguments():
        yield from range(150)
        raise OSError("no more")

    with sknn.lockstep(), pytest.raises(OSError, match="no more"):
        run(fit_and_forget, arguments())


def fit_and_forget(i):
    fit()


def test_generators_are_lazy_and_may_live_at_the_same_time():
    begun = []

    def task(i):
        begun.append(i)
        fit()
        return i

    with sknn.lockstep():
        endless = run(task, itertools.count(), return_as="generator", pre_dispatch=3)
        finite = run(task, range(100, 105), return_as="generator")
        assert list(itertools.islice(endless, 4)) == [0, 1, 2, 3]
        assert list(itertools.islice(finite, 2)) == [100, 101]
        assert next(endless) == 4
        assert list(finite) == [102, 103, 104]
        assert max(i for i in begun if i < 100) < 20
        with pytest.warns(UserWarning, match="have been cancelled|but not used"):
            del endless


needs_unordered = pytest.mark.skipif(
    not hasattr(joblib.Parallel(), "return_ordered"), reason="joblib has it since 1.4"
)


@needs_unordered
def test_an_unordered_generator_gives_all_results():
    with sknn.lockstep():
        results = run(lambda i: fit() and i, range(150), return_as="generator_unordered")
        assert sorted(results) == list(range(150))


@needs_unordered
def test_an_unordered_generator_raises_an_error():
    def task(i):
        fit()
        if i == 2:
            raise KeyError(i)

    with sknn.lockstep(), pytest.raises(KeyError):
        list(run(task, range(5), return_as="generator_unordered"))


@pytest.mark.parametrize("pre_dispatch", ["all", 1, 7, "2*n_jobs"])
@pytest.mark.parametrize("batch_size", ["auto", 5])
def test_results_do_not_depend_on_dispatch(pre_dispatch, batch_size):
    def task(i):
        fit() if i % 3 else None
        return i

    with sknn.lockstep():
        options = {"pre_dispatch": pre_dispatch, "batch_size": batch_size}
        assert run(task, range(140), **options) == list(range(140))


def test_a_parallel_object_can_be_called_again():
    with sknn.lockstep(), joblib.Parallel() as parallel:
        for n in (3, 150):
            assert parallel(joblib.delayed(abs)(i) for i in range(n)) == list(range(n))
        with pytest.raises(TypeError):
            parallel(joblib.delayed(abs)(i) for i in [1, "x"])
        assert parallel(joblib.delayed(abs)(i) for i in range(3)) == [0, 1, 2]
