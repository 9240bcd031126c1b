# SPDX-License-Identifier: GPL-3.0-or-later
"""Network > Services: what listens, conflicts at the field, a port that moves."""

import socket

import pytest
from selenium.webdriver.common.keys import Keys

from sealbridge_service import free_ports

PAGE = "/network/services.html"


@pytest.fixture(autouse=True)
def services_as_found(service):
    api = service.local()
    yield
    for change in api.call("change.query")["changes"]:
        api.call("change.revert", changeId=change["changeId"])
    api.call("services.modify", services=[
        {"name": "http", "setting": True, "port": service.http},
        {"name": "https", "setting": True, "port": service.https}], force=True)


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


def row(page, name):
    return page.text(f"#service-{name}")


def wanted(service, name):
    found, = [s for s in service.local().call("services.query")["services"]
              if s["name"] == name]
    return found["setting"], found["port"]


def test_wanted_and_actual_state(service, page):
    assert page.control("HTTPS port").get_attribute("value") == str(service.https)
    assert page.control("HTTP enabled").is_selected()
    assert f"Listens on TCP port {service.https}" in row(page, "https")
    assert f"Listens on TCP port {service.sips}" in row(page, "sips_tcp")
    assert "Off" in row(page, "sip_udp")
    assert page.control("SIP (UDP) port").is_enabled()


def test_nothing_changed(page):
    page.click("Apply changes")
    page.wait_text("Nothing to change", "#services-form .result")


@pytest.mark.parametrize("port", ["", "0", "65536", "80a", "-1", "443.5", "999999"])
def test_what_is_no_port_is_told_at_the_field(page, port):
    page.type("HTTP port", port)
    page.click("Apply changes")
    assert "from 1 to 65535" in page.wait_error_at("HTTP port")
    assert page.focused() == page.control("HTTP port")


def test_conflict_is_told_at_the_field(service, page):
    page.type("HTTP port", service.https)
    page.click("Apply changes")
    page.click("Try for 2 minutes")
    error = page.wait_error_at("HTTP port")
    assert str(service.https) in error and "Nothing was changed." in error
    assert wanted(service, "http") == (True, service.http)


def test_port_of_another_program_is_told_at_the_field(service, page):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        page.type("HTTP port", port)
        page.click("Apply changes")
        page.click("Try for 2 minutes")
        assert str(port) in page.wait_error_at("HTTP port")
    assert wanted(service, "http") == (True, service.http)


def test_trial_of_http_off_and_revert(service, page):
    page.control("HTTP enabled").click()
    page.click("Apply changes")
    page.wait_text("on, port", "dialog")
    page.wait_text("You are connected over HTTPS, which stays as it is", "dialog")
    page.click("Try for 2 minutes")
    page.wait_text("On trial.", ".warnings")
    page.wait_text("Off", "#service-http .service-state")
    page.open("/status/status.html")
    page.wait_text("On trial.", ".warnings")
    page.click("Revert")
    page.wait_text("Reverted.", ".warnings")
    assert wanted(service, "http") == (True, service.http)
    page.open(PAGE)
    assert page.control("HTTP enabled").is_selected()


def test_cancel_changes_nothing(service, page):
    page.control("HTTP enabled").click()
    page.click("Apply changes")
    page.find("dialog[open]")
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.find_all("dialog[open]"))
    assert wanted(service, "http") == (True, service.http)
    assert service.local().call("change.query")["changes"] == []


def test_own_service_off_is_asked_for_twice(service, page):
    page.control("HTTPS enabled").click()
    page.click("Apply changes")
    page.wait_text(f"go on at http://127.0.0.1:{service.http}/", "dialog")
    page.click("Cancel")
    assert wanted(service, "https") == (True, service.https)


def test_port_moves_and_is_kept_at_the_new_address(service, page):
    port, = free_ports(1)
    address = f"https://127.0.0.1:{port}"
    page.type("HTTPS port", port)
    page.click("Apply changes")
    page.wait_text(f"go on at {address}{PAGE}", "dialog")
    page.click("Try for 2 minutes")
    page.wait_text("On trial", ".warnings")
    page.wait_text(f"{address}{PAGE}", ".warnings")
    page.follow(f"{address}{PAGE}")
    page.until(lambda: page.driver.current_url.startswith(address), "the new address")
    page.wait_drawn()
    page.click("Keep")
    page.wait_text("Kept.", ".warnings")
    assert wanted(service, "https") == (True, port)
    assert service.local().call("change.query")["changes"] == []


def test_keyboard(page):
    page.tab_to("HTTPS port").send_keys(Keys.CONTROL, "a")
    page.press("1", Keys.ENTER)
    page.find("dialog[open]")
    assert page.focused_text() == "Try for 2 minutes"
    page.press(Keys.ESCAPE)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_dialog_and_bar_look(service, page, width, dark):
    page.look(width=width, dark=dark, touch=width == 400)
    page.control("HTTP enabled").click()
    page.click("Apply changes")
    page.find("dialog[open]")
    assert page.check() == []
    page.click("Try for 2 minutes")
    page.wait_text("On trial", ".warnings")
    assert page.check() == []
    assert page.problems() == []
