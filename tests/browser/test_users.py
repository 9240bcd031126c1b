# SPDX-License-Identifier: GPL-3.0-or-later
"""Users: list, add, change, delete."""

import pytest

PASSWORD = "Long-enough-1-2"


@pytest.fixture
def page(admin):
    admin.open("/users/users.html")
    return admin


def users(service):
    return {user["userName"]: user
            for user in service.local().call("user.enumerate")["users"]}


def add(page, name, **more):
    page.click("Add new user")
    page.type("User ID", name)
    for label, value in more.items():
        page.type(label.replace("_", " "), value)
    page.click("Add user")


def test_built_in_accounts(page):
    text = page.text("main")
    assert "admin" in text and "guest" in text
    assert "disabled" in text
    for name in ("admin", "guest"):
        assert not page.control(f"Select user {name}").is_enabled()
    assert not page.find("#delete-users").is_enabled()


def test_add_change_delete(service, page):
    page.click("Add new user")
    page.type("User ID", "kari")
    page.type("Name", "Kari <i>Nordmann</i> & co")
    page.type("Password", PASSWORD)
    page.type("Re-enter password", PASSWORD)
    page.choose("Privilege level", "conference creation")
    page.type("E.164 phone number", "4755501234")
    page.click("Add user")
    page.wait_text("User kari added", "#users-result")
    kari = users(service)["kari"]
    assert kari["name"] == "Kari <i>Nordmann</i> & co"
    assert kari["privilege"] == "conference creation"
    assert kari["e164"] == "4755501234"
    assert kari["forceChange"] is True
    assert "must change password" in page.text("main")
    assert page.find_all("main td i") == []

    page.click("kari")
    page.type("User ID", "kari2")
    page.click("Lock password", "control")
    assert not page.control("Force user to change password on next login").is_enabled()
    page.click("Update user settings")
    page.wait_text("User kari2 updated", "#users-result")
    renamed = users(service)["kari2"]
    assert renamed["lockPassword"] is True and renamed["forceChange"] is False
    assert "kari" not in users(service)

    page.click("Select user kari2", "control")
    page.click("Delete selected users")
    page.wait_text("Delete 1 user?", "dialog")
    page.click("Cancel")
    assert "kari2" in users(service)
    page.click("Delete selected users")
    page.click("Delete")
    page.wait_text("Deleted: kari2", "#users-result")
    assert "kari2" not in users(service)


def test_several_are_deleted_at_once(service, page):
    for name in ("one", "two", "three"):
        service.local().call("user.add", userName=name, password=PASSWORD)
    page.open("/users/users.html")
    page.click("Select user one", "control")
    page.click("Select user three", "control")
    page.click("Delete selected users")
    page.wait_text("Delete 2 users?", "dialog")
    page.click("Delete")
    page.wait_text("Deleted:", "#users-result")
    assert {"one", "two", "three"} & set(users(service)) == {"two"}


def test_errors_stand_at_the_field(service, page):
    page.click("Add new user")
    page.click("Add user")
    assert "Type a user ID" in page.wait_error_at("User ID")
    page.type("User ID", "guest")
    page.click("Add user")
    assert page.wait_error_at("User ID")
    page.type("User ID", "someone")
    page.type("Password", PASSWORD)
    page.type("Re-enter password", "else")
    page.click("Add user")
    assert "differ" in page.wait_error_at("Re-enter password")
    assert "someone" not in users(service)


def test_what_a_rule_forbids_is_told_in_the_dialog(page):
    page.click("admin")
    page.click("Disable user account", "control")
    page.click("Update user settings")
    page.wait_text("cannot be disabled", "dialog")


def test_sorting_and_filter(service, page):
    for i in range(8):
        service.local().call("user.add", userName=f"user{i:02}", name=f"Number {9 - i}",
                             password=PASSWORD)
    page.open("/users/users.html")

    def names():
        return page.texts("tbody th")

    assert names() == sorted(names())
    page.click("User ID")
    assert names() == sorted(names(), reverse=True)
    assert page.find("th[aria-sort]").get_attribute("aria-sort") == "descending"
    page.click("Name")
    numbered = [name for name in names() if name.startswith("user")]
    assert numbered == [f"user{i:02}" for i in range(7, -1, -1)]
    page.type("Filter", "user03")
    page.until(lambda: names() == ["user03"], "the filter")
    page.type("Filter", "nobody at all")
    page.wait_text("Nothing matches", "main")
