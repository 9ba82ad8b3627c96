"""What holds for all tests."""

import gc
import os
import signal

import pytest
from hypothesis import HealthCheck, settings
from tests.run_folder import make_run_folder

# Machines are shared and slow at times: no test asserts how long it takes.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("streamdb", PATIENT, max_examples=50)
# `pytest --hypothesis-profile thorough`, as `make campaign` does.
settings.register_profile("thorough", PATIENT, max_examples=1000)
settings.load_profile("streamdb")

# The workers of pytest-xdist ignore it, and so would the processes that tests start to interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Modules, strategies and compiled specs are many objects, and they stay. To look through them for
# garbage as often as Python does by itself takes a fifth of the time of tests that compile.
gc.set_threshold(100_000)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a fifth of the time, tests wait for timers and processes."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Before workers start, which share what is made once for a run."""
    config.add_cleanup(make_run_folder())
