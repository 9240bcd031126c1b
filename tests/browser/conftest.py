# SPDX-License-Identifier: GPL-3.0-or-later
import pathlib
import socket
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "lib"))

from browser import Browser  # noqa: E402
from sealbridge_fixtures import *  # noqa: E402,F401,F403 (fixtures by name)


@pytest.fixture
def nobody():
    """A TCP port of 127.0.0.1 at which no connection comes about, held until the end
    of the test, so that no other program can listen there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def make_browser():
    """Browsers with options of the test's own; all end with it."""
    made = []

    def make(service, **options):
        browser = Browser(service.url, **options)
        made.append(browser)
        return browser

    yield make
    for browser in made:
        browser.quit()


@pytest.fixture(scope="module")
def _one_browser(service):
    browser = Browser(service.url)
    yield browser
    browser.quit()


@pytest.fixture
def browser(_one_browser):
    """A browser at a service of the file's own, nobody logged in."""
    _one_browser.forget()
    return _one_browser


@pytest.fixture
def admin(service, browser):
    """The same, with the administrator logged in."""
    browser.log_in("admin", service.admin_password)
    return browser
