# SPDX-License-Identifier: GPL-3.0-or-later
"""Network > SSL certificates: Test a certificate."""

import pytest
from selenium.webdriver.common.keys import Keys

from certificates import Authority, key_pem, new_key, pem

PAGE = "/network/ssl-certificates.html"
KEY = new_key()


@pytest.fixture(scope="module")
def world(service):
    """root > issuing; the root is in the HTTPS trust store."""
    root = Authority("Browser root")
    issuing = Authority("Browser issuing", parent=root)
    api = service.local()
    api.call("trustStore.upload", trustStore="https", certificates=root.pem)
    api.call("user.add", userName="alice", password="Right pass 1",
             privilege="conference detail", forceChange=False)
    return root, issuing


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


@pytest.fixture
def file_of(tmp_path):
    def write(text, name="client.pem"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path
    return write


def leaf(authority, common_name="alice", names=(), **how):
    return pem(authority.issue(KEY, common_name, names, **how))


def ask(page, path):
    page.type("Certificate to test", path)
    page.click("Test certificate")


def wait_verdict(page, word):
    page.wait_text(word, "#test-verdict .notice")
    page.until(lambda: not page.find_all("#test-form .busy"), "the button at rest")


def test_accepted_with_path_and_user(page, world, file_of):
    root, issuing = world
    ask(page, file_of(leaf(issuing) + root.pem + issuing.pem))
    wait_verdict(page, "Accepted.")
    assert page.find_all("#test-verdict .notice-ok")
    members = [e.text for e in page.find_all("#test-verdict ol > li")]
    assert [m.split("\n")[0] for m in members] == ["alice", "Browser issuing", "Browser root"]
    assert "Would log in as" in page.text("#test-verdict")
    assert "alice" in page.text("#test-verdict .fact:last-child dd")
    assert page.problems() == [] and page.check() == []


def test_refused_says_which_and_why(page, world, file_of):
    ask(page, file_of(leaf(Authority("Stranger <b>"))))
    wait_verdict(page, "Refused.")
    assert page.find_all("#test-verdict .notice-error")
    text = page.text("#test-verdict")
    assert "certificate 1 of the chain" in text.lower() and "Stranger" in text
    assert "refused because of this one" in page.text("#test-verdict ol > li")
    assert "Nobody" in text
    assert page.find_all("#test-verdict b") == []
    assert page.check() == []


def test_nobody_of_that_name(page, world, file_of):
    _, issuing = world
    ask(page, file_of(leaf(issuing, "stranger") + issuing.pem))
    wait_verdict(page, "Accepted.")
    assert "Nobody" in page.text("#test-verdict")
    assert 'No user is named "stranger".' in page.text("#test-verdict")


def test_server_wants_a_host(page, world, file_of):
    root, _ = world
    label = "Host name or address of the server"
    assert page._named("control", label) is None
    page.type("Certificate to test",
              file_of(leaf(root, "host", ("DNS:host.example",)), "server.pem"))
    page.choose("Whose certificate", "server")
    page.click("Test certificate")
    assert "Type the name" in page.wait_error_at(label)
    page.type(label, "no host")
    page.click("Test certificate")
    page.until(lambda: "such as" in page.error_at(label), "the fault at the host")
    page.type(label, " host.example ")
    page.click("Test certificate")
    wait_verdict(page, "Accepted.")
    assert "Would log in" not in page.text("#test-verdict")
    page.type(label, "other.example")
    assert page.text("#test-verdict") == ""
    page.click("Test certificate")
    wait_verdict(page, "Refused.")
    assert "other.example" in page.text("#test-verdict")
    page.choose("Whose certificate", "client")
    assert page._named("control", label) is None and page.text("#test-verdict") == ""


def test_other_store(page, world, file_of):
    _, issuing = world
    page.choose("Trusted by", "sip")
    ask(page, file_of(leaf(issuing) + issuing.pem))
    wait_verdict(page, "Refused.")
    assert "Only the HTTPS trust store lets users in." in page.text("#test-verdict")


def test_bad_files_stand_at_the_field(page, world, file_of):
    _, issuing = world
    good = leaf(issuing)
    rows = [
        (good + good.replace("MII", "M*I", 1), "2 of 2 (line"),
        (good + key_pem(KEY), "private key"),
        ("hello", "no certificate"),
        (b"\x30\x82\x01\x00\xff\xfe", "binary file, not PEM"),
        (b"x" * (1024 * 1024 + 1), "larger than 1 MiB"),
    ]
    page.click("Test certificate")
    assert "Choose the certificate" in page.wait_error_at("Certificate to test")
    for n, (text, words) in enumerate(rows):
        ask(page, file_of(text, f"bad{n}.pem"))
        page.until(lambda: words in page.error_at("Certificate to test"), words)
        assert page.text("#test-verdict") == ""


def test_with_the_keyboard(page, world, file_of):
    _, issuing = world
    page.type("Certificate to test", file_of(leaf(issuing) + issuing.pem))
    page.script("document.querySelector('#test-form select').focus()")
    page.tab_to("Test certificate").send_keys(Keys.ENTER)
    wait_verdict(page, "Accepted.")
    assert page.script("return document.getElementById('test-verdict').ariaLive") == "polite"


@pytest.mark.parametrize("look", [{"dark": True}, {"width": 360, "touch": True}])
def test_in_the_dark_and_narrow(page, world, file_of, look):
    page.look(**look)
    page.open(PAGE)
    ask(page, file_of(leaf(Authority("Stranger"))))
    wait_verdict(page, "Refused.")
    assert page.check() == []
    assert page.script(
        "return document.documentElement.scrollWidth <= innerWidth")
