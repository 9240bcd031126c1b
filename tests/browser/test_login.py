# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in and out, the keyboard, and who sees what."""

import pytest
from selenium.webdriver.common.keys import Keys

PASSWORD = "Guest-of-1-test"


@pytest.fixture(scope="module")
def ordinary(service):
    """Somebody who is no administrator: (name, password)."""
    service.local().call("user.add", userName="olga", password=PASSWORD,
                         privilege="conference detail", forceChange=False)
    return "olga", PASSWORD


def test_pages_lead_to_the_login_and_back(service, browser):
    browser.driver.get(service.url + "/status/status.html")
    browser.wait_path("/login.html")
    browser.type("Username", "admin")
    browser.type("Password", service.admin_password)
    browser.click("Log in")
    browser.wait_path("/status/status.html")


@pytest.mark.parametrize("next_page", [
    "https://example.com/", "//example.com/", "/\\example.com", "javascript:alert(1)",
])
def test_login_leads_nowhere_else(service, browser, next_page):
    browser.driver.get(f"{service.url}/login.html?next={next_page}")
    browser.wait_drawn()
    browser.type("Username", "admin")
    browser.type("Password", service.admin_password)
    browser.click("Log in")
    browser.wait_path("/index.html")
    assert browser.driver.current_url.startswith(service.url)


@pytest.mark.parametrize("user, password", [
    ("admin", "wrong"), ("admin", ""), ("nobody", "wrong"), ("<b>&", "\u00e9\u20ac"),
])
def test_wrong_login_is_refused_with_one_text(browser, user, password):
    browser.open("/login.html")
    browser.type("Username", user)
    browser.type("Password", password)
    browser.click("Log in")
    browser.wait_text("Access denied: the user name or the password is not right",
                      ".notice-error")
    assert browser.control("Password").get_attribute("value") == ""
    assert browser.path() == "/login.html"


def test_logging_out_ends_the_session(service, admin):
    admin.click("Log out")
    admin.wait_path("/login.html")
    assert "Logged out" in admin.text()
    admin.driver.get(service.url + "/users/users.html")
    admin.wait_path("/login.html")


def test_a_session_that_ended_leads_to_the_login(service, admin):
    admin.open("/users/users.html")
    admin.driver.delete_all_cookies()
    admin.click("Add new user")
    admin.type("User ID", "late")
    admin.click("Add user")
    admin.wait_path("/login.html")
    assert "The session has ended" in admin.text()


def test_session_is_shared_by_tabs(admin):
    admin.driver.switch_to.new_window("tab")
    admin.open("/status/status.html")
    assert "Restart log" in admin.text("main")


def test_keyboard_alone(service, browser):
    """Log in, walk by skip link and menu, open a dialog, leave it by Escape."""
    browser.open("/login.html")
    assert browser.focused().get_attribute("name") == "userName"
    browser.press("admin", Keys.TAB, service.admin_password, Keys.ENTER)
    browser.wait_path("/index.html")

    browser.script("document.activeElement.blur()")
    browser.press(Keys.TAB)
    assert browser.focused_text() == "Skip to content"
    browser.press(Keys.ENTER)
    assert browser.script("return location.hash") == "#content"

    browser.open("/index.html")
    browser.tab_to("Users")
    browser.press(Keys.ENTER)
    browser.wait_path("/users/users.html")
    assert browser.find("nav [aria-current=page]").text == "Users"

    opener = browser.tab_to("Add new user")
    browser.press(Keys.ENTER)
    browser.wait_text("Add user", "dialog")
    assert browser.focused().get_attribute("name") == "userName"
    for _ in range(30):  # the focus stays in the dialog
        browser.press(Keys.TAB)
        assert browser.script(
            "return document.activeElement === document.body ||"
            " Boolean(document.activeElement.closest('dialog'))")
    browser.find("dialog input").send_keys(Keys.ESCAPE)
    browser.until(lambda: not browser.find_all("dialog"), "the dialog closed")
    assert browser.focused() == opener


def test_focus_is_visible(admin):
    admin.open("/settings/shutdown.html")
    admin.tab_to("Restart")
    assert admin.script(
        "const s = getComputedStyle(document.activeElement);"
        "return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2")


def test_ordinary_user_sees_his_own_account_only(browser, ordinary):
    browser.log_in(*ordinary)
    browser.wait_path("/index.html")
    assert [link.text for link in browser.find_all("nav a")] == ["Home", "Help"]
    assert "conference detail" in browser.text("main")
    for path in ("/users/users.html", "/network/ssl-certificates.html",
                 "/status/status.html", "/settings/shutdown.html"):
        browser.driver.get(browser.url + path)
        browser.wait_text("Access denied", "main")
        assert browser.find_all("main form, main table") == []


def test_changing_the_own_password(service, browser, ordinary):
    user, old = ordinary
    new = "Quite-9-another"
    browser.log_in(user, old)
    browser.follow("Change password")
    browser.wait_path("/users/change-password.html")
    browser.type("Current password", "not this")
    browser.type("Password", new)
    browser.type("Re-enter password", new)
    browser.click("Change password")
    assert "not the current password" in browser.wait_error_at("Current password")
    browser.type("Current password", old)
    browser.type("Re-enter password", "different")
    browser.click("Change password")
    assert "differ" in browser.wait_error_at("Re-enter password")
    browser.type("Re-enter password", new)
    browser.click("Change password")
    browser.until(lambda: "Password changed" in browser.text(), "Password changed")
    browser.driver.delete_all_cookies()
    browser.log_in(user, new)
    service.local().call("user.modify", userName=user, password=old, forceChange=False)


def test_a_forced_change_comes_first(service, browser):
    service.local().call("user.add", userName="first", password=PASSWORD,
                         privilege="conference detail", forceChange=True)
    browser.log_in("first", PASSWORD)
    browser.wait_path("/users/change-password.html")
    assert "Choose a new password" in browser.text("main")
    browser.driver.get(browser.url + "/index.html")
    browser.wait_path("/users/change-password.html")
    browser.type("Current password", PASSWORD)
    browser.type("Password", "Another-7-one")
    browser.type("Re-enter password", "Another-7-one")
    browser.click("Change password")
    browser.until(lambda: "Password changed" in browser.text(), "Password changed")
    browser.driver.delete_all_cookies()
    browser.log_in("first", "Another-7-one")
    browser.wait_path("/index.html")


def test_plain_http_says_that_it_is_not_encrypted(service, browser):
    browser.driver.get(service.http_url + "/login.html")
    browser.wait_drawn()
    assert "not encrypted" in browser.text()


def test_help_is_open_to_all(browser):
    browser.open("/help/ssl-certificates.html")
    assert "openssl genrsa -des3 -out MCU.key 2048" in browser.text("main")
    assert browser.path() == "/help/ssl-certificates.html"
