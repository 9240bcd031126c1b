# SPDX-License-Identifier: GPL-3.0-or-later
"""Network > SSL certificates: whose certificates are demanded; changes on trial."""

import pytest

from certificates import Authority, new_key

PAGE = "/network/ssl-certificates.html"
TRIAL_SECONDS = 20  # time enough to open a page, and to wait for its end
FOUND = {"clientCertificate": "notRequired", "serverCertificate": "none", "sip": "none"}


@pytest.fixture(scope="module")
def authority():
    return Authority("Client CA")


@pytest.fixture(autouse=True)
def settings_as_found(service, authority):
    api = service.local()
    if not api.call("trustStore.query", trustStore="https")["certificates"]:
        api.call("trustStore.upload", trustStore="https", certificates=authority.pem)
    yield
    for change in api.call("change.query")["changes"]:
        api.call("change.revert", changeId=change["changeId"])
    api.call("verification.configure", force=True, **FOUND)


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


@pytest.fixture
def plain(service, make_browser):
    """The administrator over plain HTTP."""
    browser = make_browser(service)
    browser.url = service.http_url
    browser.log_in("admin", service.admin_password)
    browser.open(PAGE)
    return browser


def now(service):
    reply = service.local().call("verification.query")
    return {name: reply[name] for name in FOUND}


def choose(page, name, value):
    page.script("document.querySelector(arguments[0]).click()",
                f"#{name}-form input[value='{value}']")


def apply(page, name):
    page.script("document.querySelector(arguments[0]).click()",
                f"#{name}-form button[type=submit]")


def chosen(page, name):
    return page.script("return document.querySelector(arguments[0])?.value",
                       f"#{name}-form input:checked")


def test_settings_stand_under_their_stores(page):
    sip, https = page.text("#sip-trust"), page.text("#https-trust")
    assert "Verification settings" in sip and "Outgoing and incoming calls" in sip
    for label in ("Client certificate security", "Not required", "Verify certificate",
                  "Certificate-based authentication allowed",
                  "Certificate-based authentication required",
                  "Server certificate security", "No verification"):
        assert label in https, label
    assert "Apply changes" not in page.text("#callHome-trust")
    assert [chosen(page, name) for name in FOUND] == ["notRequired", "none", "none"]


@pytest.mark.parametrize("name, value", [
    ("sip", "outgoing"), ("sip", "outgoingAndIncoming"), ("serverCertificate", "verify"),
])
def test_harmless_settings_are_applied_at_once(service, page, name, value):
    choose(page, name, value)
    apply(page, name)
    page.wait_text("Applied.", f"#{name}-form")
    assert now(service) == {**FOUND, name: value}


def test_nothing_changed(page):
    apply(page, "clientCertificate")
    page.wait_text("Nothing to change", "#clientCertificate-form")


def test_without_certificate_verify_would_lock_out(service, page):
    choose(page, "clientCertificate", "verify")
    apply(page, "clientCertificate")
    page.wait_text("This would lock you out.", "dialog")
    assert "Not required" in page.text("dialog .facts")
    assert "Verify certificate" in page.text("dialog .facts")
    assert "cannot tell yet whether this browser has one" in page.text("dialog")
    assert page.focused_text() == "Try for 2 minutes"
    page.click("Apply for good")
    page.wait_text("Apply for good although it locks you out?", "dialog")
    assert page.focused_text() == "Cancel"
    page.click("Cancel")
    assert now(service) == FOUND


def test_over_plain_http_verify_goes_on(service, plain):
    choose(plain, "clientCertificate", "verify")
    apply(plain, "clientCertificate")
    plain.wait_text("Your session:", "dialog")
    assert "lock you out" not in plain.text("dialog")
    plain.click("Apply for good")
    plain.wait_text("Applied.", "#clientCertificate-form")
    assert now(service)["clientCertificate"] == "verify"


def test_trial_kept_over_plain_http(service, plain):
    choose(plain, "clientCertificate", "allowed")
    apply(plain, "clientCertificate")
    plain.click("Try for 2 minutes")
    plain.wait_text("On trial. Client certificate security: Not required", ".warnings")
    plain.click("Keep")
    plain.wait_text("Kept.", ".warnings")
    assert service.local().call("change.query")["changes"] == []
    assert now(service)["clientCertificate"] == "allowed"


@pytest.mark.parametrize("button, words, value", [
    ("Keep", "Kept.", "allowed"), ("Revert", "Reverted.", "notRequired"),
])
def test_an_old_answer_does_not_speak_against_what_was_done(
        service, plain, button, words, value):
    """The page looks how things stand, and the answer comes behind the deed."""
    choose(plain, "clientCertificate", "allowed")
    apply(plain, "clientCertificate")
    plain.script(
        """
        const real = fetch;
        let held = false;
        window.fetch = async (...how) => {
            const answer = await real(...how);
            if (!held && String(how[1]?.body).includes("change.query")) {
                held = true;
                await new Promise((go) => { window.letGo = () => { window.letGo = null; go(); }; });
            }
            return answer;
        };
        """)
    plain.click("Try for 2 minutes")
    plain.until(lambda: plain.script("return Boolean(window.letGo)"), "the look under way")
    plain.click(button)
    plain.until(lambda: now(service)["clientCertificate"] == value and
                not service.local().call("change.query")["changes"], "the deed")
    plain.script("setTimeout(window.letGo, 500)")
    plain.wait_text(words, ".warnings")
    plain.until(lambda: plain.script("return window.letGo === null"), "the old answer")
    plain.until(lambda: chosen(plain, "clientCertificate") == value, "the value")
    assert words in plain.text(".warnings")
    assert "trial" not in plain.text(".warnings").replace("before the trial", "").lower()


def test_trial_reverted_shows_the_old_value(service, plain):
    choose(plain, "clientCertificate", "verify")
    apply(plain, "clientCertificate")
    plain.click("Try for 2 minutes")
    plain.wait_text("On trial", ".warnings")
    plain.click("Revert")
    plain.wait_text("Reverted.", ".warnings")
    plain.until(lambda: chosen(plain, "clientCertificate") == "notRequired", "the old value")
    assert now(service) == FOUND


def test_locked_out_on_trial_comes_back_by_itself(service, page):
    """Without a certificate, over HTTPS: nothing to do but to wait."""
    choose(page, "clientCertificate", "verify")
    apply(page, "clientCertificate")
    page.click("Try for 2 minutes")
    page.wait_text("no longer lets this page in", ".warnings")
    page.wait_text("nothing to do", ".warnings")
    # The end of the trial, brought forward.
    change, = service.local().call("change.query")["changes"]
    service.local().call("change.revert", changeId=change["changeId"])
    page.wait_text("as it was", ".warnings")
    page.until(lambda: chosen(page, "clientCertificate") == "notRequired", "the old value")


def test_with_certificate_the_trial_is_kept_over_https(service, authority, make_browser):
    key = new_key()
    browser = make_browser(service, client=(authority.issue(key, "nobody", ()), key))
    browser.log_in("admin", service.admin_password)
    browser.open(PAGE)
    choose(browser, "clientCertificate", "verify")
    apply(browser, "clientCertificate")
    browser.click("Try for 2 minutes")
    browser.wait_text("On trial", ".warnings")
    browser.click("Keep")
    browser.wait_text("Kept.", ".warnings")
    assert now(service)["clientCertificate"] == "verify"


def test_bar_on_another_page_counts_down(service, page):
    service.local().call("verification.configure", sip="outgoing", confirmWithinSeconds=600)
    page.open("/help/index.html")
    page.wait_text("On trial", ".warnings")
    first = page.text(".trial-clock")
    page.until(lambda: page.text(".trial-clock") != first, "the clock goes on")
    assert page.script("return document.querySelector('.trial-clock').getAttribute('aria-live')") \
        == "off"


def test_trial_that_nobody_keeps_ends_on_the_page(service, page):
    service.local().call("verification.configure", sip="outgoing", confirmWithinSeconds=TRIAL_SECONDS)
    page.open(PAGE)
    page.wait_text("On trial", ".warnings")
    assert chosen(page, "sip") == "outgoing"
    page.wait_text("The trial is over, and everything is as it was", ".warnings",
                   2 * TRIAL_SECONDS)
    page.until(lambda: chosen(page, "sip") == "none", "the old value")
    assert "On trial" not in page.text(".warnings")


def test_leads_to_the_transition(page):
    page.follow("Certificate-based security")
    page.wait_path("/network/transition.html")


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_looks(page, width, dark):
    page.look(width=width, dark=dark, touch=width == 400)
    choose(page, "clientCertificate", "required")
    apply(page, "clientCertificate")
    page.find("dialog[open]")
    assert page.check() == []
    page.click("Cancel")
    assert page.check() == []
    assert page.problems() == []
