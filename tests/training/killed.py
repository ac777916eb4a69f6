"""Fits in a child process that can be killed, for the tests of checkpoints."""

import os
import signal
import subprocess
import sys
import textwrap
import time

FIT = """
    import sys, warnings
    import numpy as np
    from sklearn.datasets import load_digits
    import sknn

    warnings.simplefilter("ignore")
    X, y = load_digits(return_X_y=True)
    print("begin", flush=True)
    {body}
    print("end", flush=True)
"""


def run_in_child(body, seconds=None):
    """Run code that has X, y and sknn; kill it after some seconds, counted from when it begins.

    Returns whether it came to its end.
    """
    code = textwrap.dedent(FIT).format(body=textwrap.dedent(body))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "begin\n"
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read()
    assert child.returncode in (0, -signal.SIGKILL)
    return rest == "end\n"
