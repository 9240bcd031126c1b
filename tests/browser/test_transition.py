# SPDX-License-Identifier: GPL-3.0-or-later
"""The transition to certificate-based security, done by clicks."""

import pytest

from certificates import Authority, new_key

PAGE = "/network/transition.html"
STEPS = ("trust", "services", "redirect", "mode", "password", "certificate", "keep",
         "close", "require")


@pytest.fixture(scope="module")
def authority():
    return Authority("Transition CA")


def step(page, name):
    return page.text(f"#step-{name}")


def done(page):
    return [name for name in STEPS if "Done" in page.text(f"#step-{name} .card-head")]


def wait_done(page, *names):
    page.until(lambda: set(names) <= set(done(page)), f"{names} done, there is {done(page)}")


def choose_mode(page, value):
    page.script("document.querySelector(arguments[0]).click()",
                f"#step-mode input[value={value}]")
    page.click("Apply changes")
    page.click("Try for 10 minutes")


def keep(page):
    page.click("Keep")
    page.wait_text("Kept.", ".warnings")


def mode_of(service):
    return service.local().call("verification.query")["clientCertificate"]


def upload_by_clicks(page, authority, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text(authority.pem)
    page.follow("Open the HTTPS trust store")
    page.wait_path("/network/ssl-certificates.html")
    page.find("#https-trust input[type=file]").send_keys(str(path))
    page.click("Upload trust store, HTTPS trust store")
    page.click("Upload trust store")
    page.wait_text("Trust store uploaded", "#https-trust")
    page.open(PAGE)


def test_whole_way_by_clicks(fresh_service, authority, make_browser, tmp_path):
    service = fresh_service
    local = service.local()
    local.call("services.modify", services=[
        {"name": "http", "setting": False, "port": service.http}], force=True)
    key = new_key()
    page = make_browser(service, client=(authority.issue(key, "admin", ()), key))
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    assert done(page) == ["redirect", "close"]
    assert "When steps 1 to 3 are done." in step(page, "mode")
    upload_by_clicks(page, authority, tmp_path)
    page.click("Turn HTTP and HTTPS on")
    wait_done(page, "trust", "services", "redirect")
    # Certificates verified, passwords still asked for.
    choose_mode(page, "verify")
    wait_done(page, "mode", "password")
    assert "Press Keep" in step(page, "keep") or "press Keep" in step(page, "keep")
    keep(page)
    assert mode_of(service) == "verify"
    wait_done(page, "keep")
    # Certificates log in.
    choose_mode(page, "allowed")
    # Done it was in the mode before, too, where it does not apply.
    page.wait_text("logs in as admin", "#step-certificate")
    wait_done(page, "certificate")
    keep(page)
    assert mode_of(service) == "allowed"
    # Plain HTTP closed.
    page.click("Turn the redirect on")
    page.click("Try for 2 minutes")
    page.wait_text("On trial", ".warnings")
    keep(page)
    wait_done(page, "close")
    # Nothing but certificates.
    page.click("Require certificates")
    page.click("Try for 10 minutes")
    page.wait_text("On trial", ".warnings")
    keep(page)
    wait_done(page, *STEPS)
    assert mode_of(service) == "required"
    assert local.call("change.query")["changes"] == []
    assert "by certificate" in page.text(".account")


def test_redirect_is_turned_off_on_the_way(fresh_service, authority, make_browser):
    local = fresh_service.local()
    local.call("trustStore.upload", trustStore="https", certificates=authority.pem)
    local.call("security.modify", redirectHttp=True)
    page = make_browser(fresh_service)
    page.log_in("admin", fresh_service.admin_password)
    page.open(PAGE)
    assert "redirect" not in done(page)
    page.click("Turn the redirect off")
    wait_done(page, "trust", "services", "redirect")
    assert local.call("security.query")["redirectHttp"] is False


def test_a_browser_without_certificate_learns_what_is_missing(
        fresh_service, authority, make_browser):
    """Over plain HTTP, the way back: nothing is done that has not been seen."""
    local = fresh_service.local()
    local.call("trustStore.upload", trustStore="https", certificates=authority.pem)
    page = make_browser(fresh_service)
    page.url = fresh_service.http_url
    page.log_in("admin", fresh_service.admin_password)
    page.open(PAGE)
    page.click("Apply changes")
    page.wait_text("Choose one of these.", "#step-mode")
    page.script("document.querySelector('#step-mode input[value=allowed]').click()")
    page.click("Apply changes")
    page.wait_text("Not required \u2192 Certificate-based authentication allowed", "dialog")
    page.click("Try for 10 minutes")
    wait_done(page, "mode")
    assert not {"password", "certificate", "keep", "require"} & set(done(page))
    link = page.find("#step-password a").get_attribute("href")
    assert link == f"{fresh_service.url}{PAGE}"
    assert page.find_all("#step-require button") == []
    page.click("Revert")
    page.wait_text("Reverted.", ".warnings")
    page.until(lambda: "mode" not in done(page), "the old mode")


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_looks(service, authority, make_browser, width, dark):
    service.local().call("trustStore.upload", trustStore="https", certificates=authority.pem)
    page = make_browser(service, width=width, dark=dark, touch=width == 400)
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    assert page.find("#step-mode input")
    assert page.check() == []
    assert page.problems() == []


def test_keyboard(service, authority, make_browser):
    service.local().call("trustStore.upload", trustStore="https", certificates=authority.pem)
    page = make_browser(service)
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    page.tab_to("Apply changes")
