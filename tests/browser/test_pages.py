# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page: in light and dark, wide and narrow, by mouse and by touch."""

import pytest

from browser import Browser

PAGES = (
    "/index.html", "/network/services.html", "/network/ssl-certificates.html",
    "/network/transition.html", "/settings/security.html", "/status/status.html",
    "/users/users.html", "/users/change-password.html", "/settings/shutdown.html",
    "/help/index.html", "/help/home.html", "/help/login.html", "/help/status.html",
    "/help/users.html", "/help/change-password.html", "/help/ssl-certificates.html",
    "/help/security.html", "/help/services.html", "/help/shutdown.html",
    "/help/transition.html", "/logs/audit-log.html", "/logs/event-log.html",
    "/help/audit-log.html", "/help/event-log.html", "/logs/cdr-log.html",
    "/help/cdr-log.html", "/settings/sip.html", "/help/sip.html",
    "/status/calls.html", "/help/calls.html",
)
LOOKS = (
    {"width": 1280, "dark": False}, {"width": 1280, "dark": True},
    {"width": 400, "dark": False, "touch": True},
    {"width": 400, "dark": True, "touch": True},
)


def look_name(look):
    return f"{look['width']}-{'dark' if look['dark'] else 'light'}"


@pytest.fixture(scope="module")
def seen(service):
    browser = Browser(service.url)
    browser.log_in("admin", service.admin_password)
    yield browser
    browser.quit()


@pytest.mark.parametrize("look", LOOKS, ids=look_name)
@pytest.mark.parametrize("path", PAGES)
def test_page(seen, path, look):
    seen.look(**look)
    seen.open(path)
    assert seen.path() == path
    assert seen.check() == []
    assert seen.problems() == []


@pytest.mark.parametrize("look", LOOKS, ids=look_name)
def test_login_page(service, make_browser, look):
    browser = make_browser(service, **look)
    browser.open("/login.html")
    assert browser.check() == []
    assert browser.problems() == []


@pytest.mark.parametrize("look", LOOKS, ids=look_name)
@pytest.mark.parametrize("path, opener", [
    ("/users/users.html", "Add new user"),
    ("/settings/shutdown.html", "Restart"),
    ("/settings/shutdown.html", "Shut down"),
])
def test_dialogs(seen, path, opener, look):
    seen.look(**look)
    seen.open(path)
    seen.click(opener)
    seen.find("dialog[open]")
    assert seen.check() == []
    seen.click("Cancel")


def test_menu_folds_on_small_screens(seen):
    seen.look(width=400, touch=True)
    seen.open("/index.html")
    assert not seen.find("nav").is_displayed()
    seen.click("Menu")
    assert seen.find("nav").is_displayed()
    assert seen.find(".menu-button").get_attribute("aria-expanded") == "true"
    seen.follow("Users")
    seen.wait_path("/users/users.html")


@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_its_help(seen, path):
    seen.look()
    seen.open(path)
    target = seen.find(".help-link, nav a[aria-current]").get_attribute("href")
    assert target.startswith(seen.url)


def test_menu_leads_to_every_page(seen):
    seen.look()
    seen.open("/index.html")
    for path in [a.get_attribute("href") for a in seen.find_all("nav a")]:
        seen.driver.get(path)
        seen.wait_drawn()
        assert seen.find("nav [aria-current=page]").get_attribute("href") == path


def test_links_in_the_pages_lead_somewhere(seen):
    targets = set()
    for path in PAGES:
        seen.open(path)
        targets |= set(seen.script(
            "return [...document.querySelectorAll('a[href]')]"
            ".map((a) => a.href).filter((u) => u.startsWith('http'))"))
    for target in targets:
        assert seen.script(
            "return fetch(arguments[0], {method: 'HEAD'}).then((r) => r.status)",
            target) == 200, target


def test_reduced_motion(seen):
    seen.look(motion=False)
    seen.open("/settings/shutdown.html")
    assert seen.script(
        "return document.getAnimations().length") == 0


def test_health_and_token_are_shown(service, seen):
    seen.look()
    seen.open("/status/status.html")
    text = seen.text("main")
    for word in ("Host name", "Software version", "Uptime", "CPU load", "Active",
                 "Ready", "sealbridge local key", "sensitive, not extractable",
                 "CKM_ECDSA"):
        assert word in text, word
    seen.click("Refresh")
    seen.wait_drawn()


def test_usable_soon_after_the_request(seen):
    """Speed is not asserted, but what it comes from: few small files."""
    seen.look()
    seen.open("/network/ssl-certificates.html")
    files = seen.script(
        "return performance.getEntriesByType('resource')"
        ".map((e) => [new URL(e.name).pathname, e.decodedBodySize])")
    # Modules, styles and calls.
    assert len(files) <= 25
    assert sum(size for _, size in files) < 150_000
