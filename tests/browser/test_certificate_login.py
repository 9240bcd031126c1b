# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium logs in with a client certificate, in every mode."""

import pytest

from browser import Browser, warning_of
from certificates import Authority, new_key
from sealbridge_service import Service, wait_for

PASSWORD = "Bob-of-1-test"


class Place:
    """A service whose mode each test chooses, and the certificates of browsers."""

    def __init__(self, service):
        self.service = service
        self.mode = None
        root = Authority("Browser root")
        self.clients = {"none": None}
        for name in ("ann", "stranger"):
            key = new_key()
            self.clients[name] = (root.issue(key, name, names=()), key)
        local = service.local()
        for name in ("ann", "bob"):
            local.call("user.add", userName=name, password=PASSWORD, forceChange=False,
                       privilege="administrator")
        local.call("trustStore.upload", trustStore="https", certificates=root.pem)

    def enter(self, mode):
        if self.mode == mode:
            return
        self.mode = mode
        self.service.stop()
        self.service.configure(f"[defaults]\nverification.clientCertificate = {mode}\n")
        self.service.start_bare()
        wait_for(lambda: self.service.local().call("token.query")["state"] == "ready", 60,
                 "the token")


@pytest.fixture(scope="module")
def place():
    with Service() as service:
        yield Place(service)


@pytest.fixture
def browse(place):
    """browse(mode, whose certificate): a browser that opens the log-in page."""
    made = []

    def start(mode, name, *, plain=False, path="/login.html"):
        place.enter(mode)
        service = place.service
        browser = Browser(service.http_url if plain else service.url,
                          client=place.clients[name])
        made.append(browser)
        if path:
            browser.open(path)
        return browser

    yield start
    for browser in made:
        browser.quit()


def header(browser):
    return browser.text("header.top .account")


def log_in_by_password(browser):
    browser.type("Username", "bob")
    browser.type("Password", PASSWORD)
    browser.click("Log in")
    browser.wait_path("/index.html")


@pytest.mark.parametrize("mode", ["allowed", "required"])
def test_certificate_logs_in(browse, mode):
    browser = browse(mode, "ann")
    browser.wait_path("/index.html")
    assert "ann" in header(browser)
    assert "logged in by certificate CN ann" in header(browser)
    browser.open("/users/users.html")
    assert "bob" in browser.text("main")
    # A page that was wanted first is reached.
    browser.driver.delete_all_cookies()
    browser.driver.get(browser.url + "/status/status.html")
    browser.wait_path("/status/status.html")
    assert browser.problems() == []


def test_logging_out_lasts(browse):
    browser = browse("allowed", "ann")
    browser.wait_path("/index.html")
    browser.click("Log out")
    browser.wait_path("/login.html")
    browser.wait_text("Logged out")
    assert browser.path() == "/login.html"
    assert browser.check() == []
    assert not browser.find_all("#login-form")
    browser.driver.refresh()
    browser.wait_drawn()
    assert browser.path() == "/login.html"
    assert browser.focused_text() == "Log in as ann"
    browser.click("Log in as ann")
    browser.wait_path("/index.html")
    assert "logged in by certificate CN ann" in header(browser)


def test_a_session_that_ended_is_not_opened_unasked(browse):
    browser = browse("allowed", "ann")
    browser.wait_path("/index.html")
    browser.open("/users/users.html")
    browser.driver.delete_all_cookies()
    browser.click("Add new user")
    browser.type("User ID", "late")
    browser.click("Add user")
    browser.wait_path("/login.html")
    browser.wait_text("The session has ended")
    browser.click("Log in as ann")
    browser.wait_path("/users/users.html")


def test_allowed_without_a_match_asks_for_a_password(browse):
    browser = browse("allowed", "stranger")
    browser.wait_text('trusted but logs nobody in (no user is named "stranger")')
    assert browser.check() == []
    log_in_by_password(browser)
    assert "logged in by password" in header(browser)


def test_required_without_a_match_explains(browse):
    browser = browse("required", "stranger")
    browser.wait_text('no user is named "stranger"')
    assert "Certificate-based authentication required" in browser.text("main")
    assert not browser.find_all("#login-form")
    assert browser.check() == []


def test_required_over_plain_http_explains(browse):
    browser = browse("required", "none", plain=True)
    browser.wait_text("Log-ins over plain HTTP are blocked", "main")
    assert not browser.find_all("#login-form")
    assert "password can be read" not in browser.text()
    browser.open("/help/index.html")
    assert "Log in" in header(browser)


@pytest.mark.parametrize("mode, name", [
    ("notRequired", "ann"), ("verify", "ann"), ("verify", "stranger"),
])
def test_password_where_certificates_log_nobody_in(browse, mode, name):
    browser = browse(mode, name)
    assert "logs nobody in" not in browser.text()
    log_in_by_password(browser)
    assert "logged in by password" in header(browser)


@pytest.mark.parametrize("mode", ["verify", "allowed", "required"])
def test_no_certificate_no_page(browse, mode):
    browser = browse(mode, "none", path=None)
    assert "ERR_" in warning_of(browser)
