# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings > SIP: settings at their fields, a password that is never shown, the
registration as it stands."""

import pytest
from selenium.webdriver.common.keys import Keys

from certificates import Authority, key_pem, new_key, pem
from kamailio import DOMAIN, Kamailio

PAGE = "/settings/sip.html"
PASSWORD = "a secret of the trunk"
FOUND = {
    "outboundConfiguration": "callDirect", "outboundAddress": "", "outboundDomain": "",
    "userName": "", "outgoingTransport": "tls", "useLocalCertificate": True,
    "closeConnections": False, "mediaTimeoutSeconds": 60, "sessionSeconds": 1800,
    "registrationSeconds": 3600,
}


@pytest.fixture(autouse=True)
def settings_as_found(service):
    yield
    service.local().call("sip.modify", **FOUND, password="")


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


def now(service):
    reply = service.local().call("sip.query")
    return {name: reply[name] for name in FOUND}


def is_set(service):
    return service.local().call("sip.query")["passwordSet"]


def choose(page, value):
    page.find(f"input[type=radio][value={value}]").click()


def apply(page, place="sip-place", button="Apply changes"):
    page.click(button)
    page.wait_text("Applied.", f"#{place} .result")


def test_labels_in_the_order_of_the_original(page):
    text = page.text("main")
    labels = ("Registration", "SIP settings", "Outbound call configuration", "Call direct",
              "Use trunk", "Use registrar", "Outbound address", "Outbound domain", "User name",
              "Password", "Outgoing transport", "TCP", "UDP", "TLS",
              "Use local certificate for outgoing connections and registrations",
              "Close standing connections", "Timers", "Media time-out", "Session interval",
              "Registration interval")
    at = 0
    for label in labels:
        assert label in text[at:], label
        at = text.index(label, at) + len(label)
    page.wait_text("This device registers nowhere.", "#registration-place")
    assert page.find_all("#registration-place .buttons:not([hidden])") == []


def test_address_and_domain_follow_the_choice_before_it_is_applied(service, page):
    for label in ("Outbound address", "Outbound domain"):
        assert not page.control(label).is_enabled()
    page.wait_text("Not used with Call direct.", "#sip-place")
    choose(page, "useTrunk")
    assert page.control("Outbound address").is_enabled()
    page.wait_no_text("Not used with Call direct.", "#sip-place")
    choose(page, "callDirect")
    assert not page.control("Outbound domain").is_enabled()
    assert now(service) == FOUND


def test_trunk(service, page):
    choose(page, "useTrunk")
    page.type("Outbound address", "trunk.example.com:5071")
    page.type("Outbound domain", "example.com")
    page.type("User name", "bridge")
    choose(page, "tcp")
    page.control("Close standing connections when verification, trust store or "
                 "certificate change").click()
    apply(page)
    wanted = {**FOUND, "outboundConfiguration": "useTrunk", "userName": "bridge",
              "outboundAddress": "trunk.example.com:5071", "outboundDomain": "example.com",
              "outgoingTransport": "tcp", "closeConnections": True}
    assert now(service) == wanted
    page.wait_text("the trunk trunk.example.com:5071", "#registration-place")
    page.wait_text("With a trunk this device does not register.", "#registration-place")
    page.open(PAGE)
    assert page.control("Outbound address").get_attribute("value") == "trunk.example.com:5071"
    page.click("Apply changes")
    page.wait_text("Nothing to change", "#sip-place .result")


@pytest.mark.parametrize("mode, address, user, field, text", [
    ("useTrunk", "", "bridge", "Outbound address", "Type the host of the trunk"),
    ("useRegistrar", " ", "bridge", "Outbound address", "Type the host of the registrar"),
    ("useRegistrar", "r.example.com", "", "User name", "Type the user name"),
    ("useTrunk", "two hosts", "", "Outbound address", "two hosts"),
    ("useTrunk", "sip:r.example.com", "", "Outbound address", "sip:r.example.com"),
    ("useTrunk", "r.example.com:99999", "", "Outbound address", "r.example.com:99999"),
    ("useTrunk", "r.example.com", "a@b", "User name", "a@b"),
    ("useTrunk", "r.example.com", "u" * 65, "User name", "64"),
])
def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(
        service, page, mode, address, user, field, text):
    choose(page, mode)
    page.type("Outbound address", address)
    page.type("User name", user)
    page.type("Password", PASSWORD)
    page.click("Apply changes")
    assert text in page.wait_error_at(field)
    assert page.focused() == page.control(field)
    assert page.control("Outbound address").get_attribute("value") == address
    assert page.control("User name").get_attribute("value") == user
    assert page.control("Password").get_attribute("value") == PASSWORD
    assert now(service) == FOUND and not is_set(service)


def test_password_is_kept_and_never_shown(service, page):
    page.type("Password", PASSWORD)
    apply(page)
    assert is_set(service)
    page.wait_text("A password is set.", "#sip-place")
    for _ in range(2):
        assert PASSWORD not in page.driver.page_source
        assert page.script(
            "return [...document.querySelectorAll('input')].every((i) => i.value !== arguments[0])",
            PASSWORD)
        page.open(PAGE)
        page.wait_text("A password is set.", "#sip-place")
    page.click("Apply changes")
    page.wait_text("Nothing to change", "#sip-place .result")
    assert is_set(service)


def test_password_changed_left_and_cleared(service, page):
    service.local().call("sip.modify", password=PASSWORD)
    page.open(PAGE)
    page.click("Change password")
    assert page.focused() == page.control("Password")
    page.click("Leave password as it is")
    assert page.focused_text() == "Change password"
    page.click("Clear password")
    page.wait_text("Password goes when the changes are applied.", "#sip-place")
    assert page.focused_text() == "Leave password as it is"
    assert is_set(service)
    apply(page)
    assert not is_set(service)
    assert page.control("Password").is_displayed()
    page.wait_no_text("A password is set.", "#sip-place")


@pytest.mark.parametrize("label, value, member", [
    ("Media time-out", 90, "mediaTimeoutSeconds"),
    ("Session interval", 600, "sessionSeconds"),
    ("Registration interval", 120, "registrationSeconds"),
])
def test_timers(service, page, label, value, member):
    page.type(label, value)
    apply(page, "timers-place", "Update timers")
    assert now(service) == {**FOUND, member: value}


@pytest.mark.parametrize("label, value, text", [
    ("Media time-out", "9", "from 10 to 3600"), ("Media time-out", "", "from 10 to 3600"),
    ("Session interval", "89", "from 90 to 86400"),
    ("Registration interval", "86401", "from 60 to 86400"),
])
def test_range_of_timers(service, page, label, value, text):
    page.type(label, value)
    page.click("Update timers")
    assert text in page.wait_error_at(label)
    assert now(service) == FOUND


def test_what_is_typed_stays_while_the_registration_is_looked_at(service, page):
    page.type("User name", "half typed")
    page.type("Media time-out", "77")
    service.local().call("sip.modify", outboundConfiguration="useTrunk",
                         outboundAddress="elsewhere.example.com")
    page.wait_text("the trunk elsewhere.example.com", "#registration-place")
    assert page.control("User name").get_attribute("value") == "half typed"
    assert page.control("Media time-out").get_attribute("value") == "77"


def test_service_that_is_away_for_a_while(page):
    page.script("window.answers = fetch; window.fetch = () => Promise.reject(new TypeError('away'))")
    page.wait_text("The service does not answer.", "#registration-place [role=status]")
    assert "it is tried again" in page.text("#registration-place")
    page.type("User name", "bridge")
    page.click("Apply changes")
    page.wait_text("does not answer", "#sip-place .result")
    page.script("window.fetch = window.answers")
    page.wait_no_text("tried again", "#registration-place")
    assert page.control("User name").get_attribute("value") == "bridge"
    apply(page)


def test_registrar_that_does_not_answer(service, page, nobody):
    choose(page, "useRegistrar")
    page.type("Outbound address", f"127.0.0.1:{nobody}")
    page.type("User name", "bridge")
    choose(page, "tcp")
    apply(page)
    page.wait_text("Not registered", "#registration-place")
    page.wait_text("Check the outbound address and transport below", "#registration-place")
    assert "Registers as" in page.text("#registration-place")
    page.click("Register again now")
    page.wait_text("Asked.", "#registration-place")


@pytest.fixture
def registrar(tmp_path):
    """Kamailio, which knows the user bridge with PASSWORD."""
    authority = Authority("Test PBX CA")
    key = new_key("ecP256")
    (tmp_path / "ca.pem").write_text(authority.pem)
    (tmp_path / "who.pem").write_text(
        pem(authority.issue(key, DOMAIN, [f"DNS:{DOMAIN}"])) + key_pem(key))
    found = Kamailio(tmp_path / "kamailio", tmp_path / "who.pem", tmp_path / "ca.pem",
                     {"bridge": PASSWORD})
    yield found
    found.close()


def test_registration_live(service, page, registrar):
    choose(page, "useRegistrar")
    page.type("Outbound address", f"127.0.0.1:{registrar.tcp}")
    page.type("Outbound domain", DOMAIN)
    page.type("User name", "bridge")
    page.type("Password", "a wrong one")
    choose(page, "tcp")
    apply(page)
    page.wait_text("Not registered", "#registration-place")
    page.wait_text("Check user name and password below", "#registration-place")
    page.wait_text("tries again by itself in", "#registration-place")
    page.click("Change password")
    page.type("Password", PASSWORD)
    apply(page)
    page.wait_text("it is refreshed before", "#registration-place")
    text = page.text("#registration-place")
    assert f"sip:bridge@{DOMAIN}" in text and "Problem" not in text
    assert "tries again" not in text
    assert "Registered as" in text and "Expires" in text
    assert f"the registrar 127.0.0.1:{registrar.tcp}" in text
    assert page.check() == [] and page.problems() == []


def test_what_the_certificate_lacks_stands_on_top(service, page):
    assert page.text("#certificate-place") == ""
    choose(page, "useTrunk")
    page.type("Outbound address", "trunk.example.com")
    page.type("Outbound domain", "elsewhere.example.com")
    apply(page)
    page.wait_text("elsewhere.example.com", "#certificate-place")
    problem = service.local().call("sip.query")["certificateProblem"]
    assert problem[1:].rstrip(".") in page.text("#certificate-place")
    page.follow("Show the local certificate")
    page.wait_path("/network/ssl-certificates.html")


def test_by_keyboard(service, page):
    page.script("document.querySelector('input[value=callDirect]').focus()")
    page.press(Keys.ARROW_DOWN)
    assert page.focused().get_attribute("value") == "useTrunk"
    page.tab_to("outboundAddress").send_keys("trunk.example.com", Keys.ENTER)
    page.wait_text("Applied.", "#sip-place .result")
    assert now(service)["outboundAddress"] == "trunk.example.com"


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"width": 400, "touch": True}])
def test_rules_of_accessibility_in_each_state(service, page, look):
    service.local().call("sip.modify", outboundConfiguration="useTrunk",
                         outboundAddress="trunk.example.com", password=PASSWORD)
    page.look(**look)
    page.open(PAGE)
    assert page.check() == []
    page.click("Change password")
    assert page.check() == [] and page.problems() == []
    page.look()


def test_only_for_administrators(service, browser):
    api = service.local()
    api.call("user.add", userName="viewer", password="Right pass 1", forceChange=False,
             privilege="conference list only")
    try:
        browser.log_in("viewer", "Right pass 1")
        browser.open(PAGE)
        browser.wait_text("Access denied.", "main")
        assert browser.find_all("main form") == []
    finally:
        api.call("user.delete", userName="viewer")
