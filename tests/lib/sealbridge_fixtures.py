# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that tests/e2e/conftest.py and tests/browser/conftest.py share."""

import pytest

from sealbridge_service import Service


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
