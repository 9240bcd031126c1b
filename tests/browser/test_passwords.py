# SPDX-License-Identifier: GPL-3.0-or-later
"""The password pages in the advanced account security mode."""

import pytest

GOOD = "Seal-Bridge-01-ok!"
OTHER = "Seal-Bridge-02-ok!"


@pytest.fixture(scope="module", autouse=True)
def advanced(service):
    service.local().call("security.modify", advancedAccounts=True)
    service.local().call("user.modify", userName="admin", password=GOOD)


@pytest.fixture
def user(service):
    service.local().call("user.add", userName="mona", password=GOOD, forceChange=True,
                         privilege="conference detail")
    yield "mona"
    service.local().call("user.delete", userName="mona")


def met(page, place="main"):
    """Rules by their ids: met (True), not (False), for the service alone (None)."""
    found = {}
    for item in page.find_all(f"{place} [data-rule]"):
        found[item.get_attribute("data-rule")] = \
            {"true": True, "false": False, None: None}[item.get_attribute("data-met")]
    return found


def test_criteria_are_checked_while_typing(browser, user):
    browser.log_in(user, GOOD)
    assert browser.path() == "/users/change-password.html"
    assert "expired" in browser.text("#forced-place")
    start = met(browser)
    assert set(start.values()) == {None}
    assert {"minimum", "history", "frequency", "age"} < set(start)
    for typed, missing in (
            ("Seal-Bridge-01-ok", set()),
            ("Seal-Bridge-01", {"minimum"}),
            ("seal-bridge-01-ok", {"capitals"}),
            ("SEAL-BRIDGE-01-OK", {"small"}),
            ("Seal-Bridge-x1-ok", {"digits"}),
            ("SealBridge01ok0123", {"others"}),
            ("Seal---Bridge-01-ok", {"repeats"}),
            ("SealBridge01\u00e9\u00e9oko", {"others"}),
            ("\u20ac\u20ac\u20ac", {"minimum", "capitals", "small", "digits", "others",
                                    "repeats"})):
        browser.type("Password", typed)
        now = met(browser)
        assert {r for r, state in now.items() if state is False} == missing, typed
        assert {r for r, state in now.items() if state is None} == \
            {"history", "frequency", "age"}
    for look in {}, {"dark": True}, {"width": 400, "touch": True}:
        browser.look(**look)
        assert browser.check() == []
        assert browser.script("return document.documentElement.scrollWidth <= innerWidth")


def test_the_service_names_what_fails(browser, user):
    browser.log_in(user, GOOD)
    browser.type("Current password", GOOD)
    browser.type("Password", GOOD)
    browser.type("Re-enter password", GOOD)
    browser.click("Change password", "button")
    assert "last 10 passwords" in browser.wait_error_at("Password")
    browser.type("Password", "aaa")
    browser.type("Re-enter password", "aaa")
    browser.click("Change password", "button")
    browser.wait_text("at least 15 characters", "#password-form .field-error:not([hidden])")
    assert "2 times in a row" in browser.wait_error_at("Password")
    browser.type("Password", OTHER)
    browser.type("Re-enter password", OTHER)
    browser.click("Change password", "button")
    browser.wait_path("/login.html")
    browser.log_in(user, OTHER)
    assert browser.path() == "/index.html"


def test_users_form_shows_them_too(service, browser):
    browser.log_in("admin", GOOD)
    browser.open("/users/users.html")
    browser.click("Add new user")
    browser.type("User ID", "nora")
    browser.type("Password", "short")
    assert met(browser, "dialog")["minimum"] is False
    assert "frequency" not in met(browser, "dialog")
    browser.type("Re-enter password", "short")
    browser.click("Add user")
    assert "at least 15 characters" in browser.wait_error_at("Password")
    assert "nora" not in str(service.local().call("user.enumerate"))
    assert browser.check() == []


def test_a_disabled_account_says_why(service, browser, user):
    service.local().call("user.modify", userName=user, forceChange=False)
    for _ in range(3):
        browser.open("/login.html")
        browser.type("Username", user)
        browser.type("Password", "wrong")
        browser.click("Log in")
        browser.wait_text("Access denied", ".notice-error")
    assert "may be disabled" in browser.text(".notice-error")
    browser.log_in("admin", GOOD)
    browser.open("/users/users.html")
    assert "disabled: wrong passwords" in browser.text("main")
    browser.click(user)
    assert "three wrong passwords" in browser.text("dialog")
    assert browser.check() == []
    browser.click("Disable user account", "control")
    browser.click("Update user settings")
    browser.wait_text(f"User {user} updated", "#users-result")
    browser.wait_no_text("disabled: wrong passwords", "main")
    browser.driver.delete_all_cookies()
    browser.log_in(user, GOOD)
    assert browser.path() == "/index.html"
