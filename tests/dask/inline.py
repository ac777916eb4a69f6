"""A client without a cluster: tasks are done at once, of pickled arguments."""

import pickle

import dask


class Done:
    """The future of a task that is done."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return _same, (self.value,)


def _same(value):
    return value


class InlineClient:
    """What a fit asks a client for.

    Attributes
    ----------
    tasks : list of tuple
        The tasks, each a function and its arguments, in their order.
    cancelled : list
        Futures that nobody waits for any more.
    before : callable
        Called with the name of a task before it is done.
    """

    def __init__(self, before=lambda name: None):
        self.tasks, self.cancelled, self.before = [], [], before

    def compute(self, tasks):
        return [Done(value) for value in dask.compute(*tasks, scheduler=dask.get)]

    def submit(self, function, *arguments, key, pure):
        assert not pure
        self.before(function.__name__)
        # What a task does to what it was given is nobody else's.
        task = pickle.dumps((function, arguments))
        self.tasks.append(pickle.loads(task))
        function, arguments = pickle.loads(task)
        return Done(function(*arguments))

    def map(self, function, *columns, key, pure):
        rows = zip(key, *columns, strict=True)
        return [self.submit(function, *row, key=name, pure=pure) for name, *row in rows]

    def gather(self, futures):
        return pickle.loads(pickle.dumps([future.value for future in futures]))

    def cancel(self, futures):
        self.cancelled += futures

    def arguments_of(self, function):
        """Return the arguments of all tasks of a function."""
        return [arguments for other, arguments in self.tasks if other is function]
