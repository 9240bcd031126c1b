# SPDX-License-Identifier: GPL-3.0-or-later
"""Security warnings on Home and on Status."""

import pytest

STATUS = "/status/status.html"
ADMIN_NAME = "Admin account has default username"
CONSOLE = "Require administrator login to console is disabled"


@pytest.fixture
def page(service, admin):
    admin.open(STATUS)
    return admin


def states(page):
    rows = "#security-place tbody tr"
    return dict(zip(page.texts(f"{rows} th"), page.texts(f"{rows} td[data-label=State]"),
                    strict=True))


def test_new_ones_are_on_home(service, admin):
    admin.open("/index.html")
    assert ADMIN_NAME in admin.text("#new-security-warnings")
    assert "Nothing needs your attention" not in admin.text("main")
    admin.click("All security warnings", "link")
    admin.wait_path(STATUS)
    assert ADMIN_NAME in admin.text("#security-place")
    assert admin.check() == []


def test_acknowledge(service, page):
    before = states(page)
    assert before[ADMIN_NAME] == before[CONSOLE] == "New"
    assert not page.find("#acknowledge-warnings").is_enabled()
    page.click(f"Select warning: {ADMIN_NAME}", "control")
    page.click(f"Select warning: {CONSOLE}", "control")
    page.click("Acknowledge selected")
    page.wait_text("2 warnings acknowledged", "#security-place")
    after = states(page)
    assert after[ADMIN_NAME] == after[CONSOLE] == "Acknowledged"
    assert list(after.values()) == sorted(after.values(), key=lambda s: s != "New")
    assert not page.control(f"Select warning: {ADMIN_NAME}").is_enabled()
    assert not page.find("#acknowledge-warnings").is_enabled()
    assert page.check() == []
    page.open("/index.html")
    assert ADMIN_NAME not in page.text("main")


def test_an_action_leads_to_its_page(service, page):
    page.click("Change the admin account username", "link")
    page.wait_path("/users/users.html")


def test_all_is_well(service, page):
    """The empty state, on both pages, and what is fixed is gone."""
    local = service.local()
    found = [w["id"] for w in local.call("security.warnings")["warnings"]]
    local.call("security.acknowledgeWarnings", ids=found)
    page.open("/index.html")
    assert "Nothing needs your attention" in page.text("main")
    local.call("user.modify", userName="guest", disabled=False)
    page.open("/index.html")
    assert "1 new security warning" in page.text("main")
    assert "Guest account is enabled" in page.text("#new-security-warnings")
    local.call("user.modify", userName="guest", disabled=True)
    page.open(STATUS)
    assert "Guest account is enabled" not in page.text("main")


def test_no_room_for_audit_records(service, admin):
    """Home says so, and the refusal stands where the deed was asked for."""
    reserve = service.state / "audit.reserve"
    reserve.unlink()
    reserve.mkdir()
    try:
        admin.open("/index.html")
        assert "No room for audit records" in admin.text("#new-security-warnings")
        admin.open("/users/users.html")
        admin.click("Add new user")
        admin.type("User ID", "late")
        admin.click("Add user")
        admin.wait_text("audit.reserve")
        assert admin.check() == []
    finally:
        reserve.rmdir()
    admin.click("Add user")
    admin.wait_text("User late added", "#users-result")
    service.local().call("user.delete", userName="late")
    assert reserve.is_file()
    admin.open("/index.html")
    assert "No room for audit records" not in admin.text("main")


def test_a_session_that_ended_leads_to_the_login(service, page):
    service.local().call("user.modify", userName="guest", disabled=False)
    page.open(STATUS)
    page.click("Select warning: Guest account is enabled", "control")
    page.driver.delete_all_cookies()
    page.click("Acknowledge selected")
    page.wait_path("/login.html")
    found = service.local().call("security.warnings")["warnings"]
    assert [w["id"] for w in found if w["state"] == "new"] == ["guestEnabled"]
