# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that tests/e2e/conftest.py and tests/browser/conftest.py share."""

import signal

import pytest

from sealbridge_service import Service


TEST_SECONDS = 300  # most for one test, its own fixtures included


@pytest.fixture(autouse=True)
def no_test_hangs():
    """A test that waits for ever fails instead."""
    def too_long(signum, frame):
        raise TimeoutError(f"the test took more than {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _run(**options):
    with Service(**options) as service:
        yield service


@pytest.fixture(scope="session")
def shared_service():
    """One service for tests that leave it as they found it."""
    yield from _run()


@pytest.fixture(scope="module")
def service():
    """One service for the tests of a file."""
    yield from _run()


@pytest.fixture
def fresh_service():
    """A service that nobody has touched."""
    yield from _run()


@pytest.fixture
def make_service():
    """Start services with options of the test's own; all end with it."""
    made = []

    def make(start=True, **options):
        service = Service(**options)
        made.append(service)
        return service.start() if start else service

    yield make
    for service in reversed(made):
        service.close()
