# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings > Security: two forms drawn from what the service describes."""

import pytest

PAGE = "/settings/security.html"
PASSWORD = "Right pass 1"
FOUND = {"redirectHttp": False, "advancedAccounts": False, "webSessionTimeoutMinutes": 30,
         "requireLogin": False, "timeoutMinutes": 30, "minimumVersion": "1.2"}


@pytest.fixture(autouse=True)
def settings_as_found(service):
    api = service.local()
    yield
    for change in api.call("change.query")["changes"]:
        api.call("change.revert", changeId=change["changeId"])
    api.call("security.modify", **FOUND)
    api.call("services.modify", services=[
        {"name": "http", "setting": True, "port": service.http}])


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


def now(service):
    reply = service.local().call("security.query")
    return {name: reply[name] for name in FOUND}


def test_two_forms_with_the_labels_of_the_original(page):
    assert page.text("h1") == "Security"
    text = page.text("main")
    labels = ("Security settings", "Advanced account security mode",
              "Redirect HTTP requests to HTTPS", "Idle web session timeout",
              "Minimum TLS version", "Update security settings", "Serial console settings",
              "Require administrator login", "Idle console session timeout",
              "Update console settings")
    places = [text.index(label) for label in labels]
    assert places == sorted(places)


@pytest.mark.parametrize("label, button, member", [
    ("Idle web session timeout", "Update security settings", "webSessionTimeoutMinutes"),
    ("Idle console session timeout", "Update console settings", "timeoutMinutes"),
])
def test_harmless_change_is_applied_at_once(service, page, label, button, member):
    page.type(label, 45)
    page.click(button)
    page.wait_text("Applied.", "main")
    assert now(service) == {**FOUND, member: 45}
    page.open(PAGE)
    assert page.control(label).get_attribute("value") == "45"


@pytest.mark.parametrize("value", ["", "0", "61", "-5", "ten", "1.5"])
def test_range_is_told_at_the_field(service, page, value):
    page.type("Idle web session timeout", value)
    page.click("Update security settings")
    assert "from 1 to 60" in page.wait_error_at("Idle web session timeout")
    assert now(service) == FOUND


def test_advanced_mode_says_what_happens(service, page):
    page.control("Advanced account security mode").click()
    page.click("Update security settings")
    page.wait_text("Every password expires now.", "dialog")
    for rule in ("15 characters", "60 days", "3 wrong passwords", "30 days"):
        assert rule in page.text("dialog")
    assert page.focused_text() == "Cancel"
    page.click("Cancel")
    assert now(service) == FOUND
    page.click("Update security settings")
    page.click("Turn on")
    page.wait_text("Off", "dialog .facts")
    page.click("Cancel")
    assert now(service) == FOUND


def test_redirect_needs_both_services(service, page):
    assert page.control("Redirect HTTP requests to HTTPS").is_enabled()
    service.local().call("services.modify", services=[
        {"name": "http", "setting": False, "port": service.http}], force=True)
    page.open(PAGE)
    assert not page.control("Redirect HTTP requests to HTTPS").is_enabled()
    page.wait_text("while HTTP is off", "#security-place")


def test_redirect_on_trial_kept(service, page):
    page.control("Redirect HTTP requests to HTTPS").click()
    page.click("Update security settings")
    page.wait_text("Redirect HTTP requests to HTTPS", "dialog")
    page.click("Try for 2 minutes")
    page.wait_text("On trial", ".warnings")
    assert now(service)["redirectHttp"] is True
    page.click("Keep")
    page.wait_text("Kept.", ".warnings")
    assert service.local().call("change.query")["changes"] == []
    assert now(service)["redirectHttp"] is True
    page.driver.get(service.http_url + "/login.html")
    page.until(lambda: page.driver.current_url.startswith(service.url), "the HTTPS address")


def test_redirect_over_plain_http_leads_to_the_new_address(service, make_browser):
    page = make_browser(service)
    page.url = service.http_url
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    page.control("Redirect HTTP requests to HTTPS").click()
    page.click("Update security settings")
    page.wait_text("You are connected over plain HTTP", "dialog")
    page.click("Try for 2 minutes")
    page.wait_text(f"This page is now at {service.url}{PAGE}", ".warnings")
    page.follow(f"{service.url}{PAGE}")
    page.until(lambda: page.driver.current_url.startswith(service.url), "the HTTPS address")
    page.wait_drawn()
    page.click("Keep")
    page.wait_text("Kept.", ".warnings")
    assert now(service)["redirectHttp"] is True


def test_require_login_on_trial_reverted(service, page):
    page.control("Require administrator login").click()
    page.click("Update console settings")
    page.click("Try for 2 minutes")
    page.wait_text("On trial", ".warnings")
    assert service.ctl("status").returncode != 0
    page.click("Revert")
    page.wait_text("Reverted.", ".warnings")
    page.until(lambda: not page.control("Require administrator login").is_selected(),
               "the old value")
    assert now(service) == FOUND


@pytest.mark.parametrize("path", [PAGE, "/network/services.html", "/network/transition.html"])
def test_only_for_administrators(service, browser, path):
    api = service.local()
    api.call("user.add", userName="viewer", password=PASSWORD,
             forceChange=False, privilege="conference list only")
    try:
        browser.log_in("viewer", PASSWORD)
        browser.open(path)
        browser.wait_text("Access denied.", "main")
        assert browser.find_all("main form") == []
    finally:
        api.call("user.delete", userName="viewer")
