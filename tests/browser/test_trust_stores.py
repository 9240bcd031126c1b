# SPDX-License-Identifier: GPL-3.0-or-later
"""Network > SSL certificates: the three trust stores."""

import datetime

import pytest

from certificates import Authority, new_key, pem

PAGE = "/network/ssl-certificates.html"
FACTORY = "IdenTrust Commercial Root CA 1"


@pytest.fixture(scope="module")
def authorities():
    return [Authority(f"Browser trust CA {n}") for n in range(4)]


@pytest.fixture(autouse=True)
def stores_as_found(service):
    api = service.local()
    for store in ("https", "sip"):
        if api.call("trustStore.query", trustStore=store)["certificates"]:
            api.call("trustStore.delete", trustStore=store)
    if api.call("trustStore.query", trustStore="callHome")["source"] != "default":
        api.call("trustStore.reset", trustStore="callHome")


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


@pytest.fixture
def bundle(tmp_path):
    def write(text, name="bundle.pem"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path
    return write


def choose(page, store, path):
    page.find(f"#{store}-trust input[type=file]").send_keys(str(path))


def press(page, store, label):
    def pressed():
        for element in page.find_all(f"#{store}-trust button"):
            # A busy button takes no presses.
            if element.text == label and element.get_attribute("aria-disabled") != "true":
                element.click()
                return True
        return False
    page.until(pressed, f"{label} of the {store} trust store")


def test_sections_and_empty_states(page):
    text = page.text("#trust-stores")
    assert text.index("SIP trust store") < text.index("HTTPS trust store") < \
        text.index("Call Home trust store")
    assert "No SIP trust store." in page.text("#sip-trust")
    assert "No HTTPS trust store." in page.text("#https-trust")
    assert FACTORY in page.text("#callHome-trust")
    assert "Default: 1 certificate." in page.text("#callHome-trust")
    assert "Reset trust store to default" not in page.text("#sip-trust")


def test_upload_asks_with_numbers_and_replaces(service, page, authorities, bundle):
    a, b, c, _ = authorities
    choose(page, "sip", bundle(a.pem + b.pem))
    press(page, "sip", "Upload trust store")
    page.wait_text("2 certificates in the file: 2 come, 0 go, 0 stay", "dialog")
    page.click("Cancel")
    assert service.local().call("trustStore.query", trustStore="sip")["source"] == "none"
    press(page, "sip", "Upload trust store")
    page.wait_text("2 come", "dialog")
    page.click("Upload trust store")
    page.wait_text("Trust store uploaded", "#sip-trust")
    assert "Browser trust CA 1" in page.text("#sip-trust")
    choose(page, "sip", bundle("# new\r\n" + b.pem + c.pem + b.pem))
    press(page, "sip", "Upload trust store")
    page.wait_text("1 comes, 1 goes, 1 stays", "dialog")
    page.click("Upload trust store")
    page.wait_text("1 came, 1 went, 1 stayed", "#sip-trust")
    assert "Browser trust CA 0" not in page.text("#sip-trust")
    assert "No HTTPS trust store." in page.text("#https-trust")


@pytest.mark.parametrize("text, wanted", [
    ("", "holds no certificate"), ("A letter.\n", "holds no certificate"),
    (b"\x30\x82\x01\x00\xff\xfe", "inform der"),
])
def test_what_is_no_bundle_is_told_at_the_field(page, bundle, text, wanted):
    choose(page, "https", bundle(text))
    press(page, "https", "Upload trust store")
    page.wait_text(wanted, "#https-trust .field-error")
    assert "Nothing was changed." in page.text("#https-trust .field-error")


def test_bad_block_by_number_and_line(page, authorities, bundle):
    bad = authorities[1].pem.replace("MII", "M*I")
    choose(page, "https", bundle(authorities[0].pem + bad))
    press(page, "https", "Upload trust store")
    page.wait_text("ertificate 2 of 2 (line ", "#https-trust .field-error")


def test_no_file(page):
    press(page, "sip", "Upload trust store")
    page.wait_text("Choose a PEM file", "#sip-trust .field-error")


def test_marks(page, authorities, bundle):
    old = datetime.datetime.utcnow() - datetime.timedelta(days=10)
    leaf = authorities[0].issue(new_key("rsa1024"), "weak.example",
                                not_before=old, not_after=old + datetime.timedelta(days=2))
    choose(page, "https", bundle(pem(leaf)))
    press(page, "https", "Upload trust store")
    page.wait_text("1 expired", "dialog")
    page.click("Upload trust store")
    page.wait_text("Trust store uploaded", "#https-trust")
    text = page.text("#https-trust")
    for mark in ("expired", "weak key: RSA 1024", "not an authority"):
        assert mark in text


def test_delete_and_reset(service, page):
    press(page, "callHome", "Delete trust store")
    page.wait_text("1 certificate will be removed", "dialog")
    assert page.focused_text() == "Cancel"
    page.click("Delete trust store")
    page.wait_text("Trust store deleted.", "#callHome-trust")
    assert "No Call Home trust store." in page.text("#callHome-trust")
    press(page, "callHome", "Reset trust store to default")
    page.wait_text("takes its place", "dialog")
    page.click("Reset trust store to default")
    page.wait_text("reset to default", "#callHome-trust")
    assert FACTORY in page.text("#callHome-trust")


def test_long_upload_shows_progress(page, bundle):
    made = [Authority(f"Many {n}") for n in range(150)]
    choose(page, "https", bundle("".join(a.pem for a in made)))
    press(page, "https", "Upload trust store")
    page.wait_text("150 come", "dialog")
    # Fast tokens leave little time to look.
    page.script(
        """
        const bar = document.querySelector("#https-trust .trust-progress");
        window.seen = [];
        new MutationObserver(() => {
            if (bar.querySelector("progress"))
                window.seen.push(bar.textContent);
        }).observe(bar, {childList: true, subtree: true});
        """)
    page.click("Upload trust store")
    page.wait_text("Trust store uploaded", "#https-trust", 120)
    assert any(" of 150" in text for text in page.script("return window.seen"))
    assert page.find_all("#https-trust progress") == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_looks(service, page, authorities, width, dark):
    service.local().call("trustStore.upload", trustStore="https",
                         certificates="".join(a.pem for a in authorities))
    page.look(width=width, dark=dark)
    page.open(PAGE)
    assert page.check() == []
    assert page.problems() == []
    page.look()
