# SPDX-License-Identifier: GPL-3.0-or-later
"""Network > SSL certificates, beside the walk of test_kb157.py."""

import datetime
import pathlib

import pytest
from cryptography import x509

import certificates
from certificates import Authority, key_pem, new_key, pem

PAGE = "/network/ssl-certificates.html"


@pytest.fixture(scope="module")
def authority():
    return Authority("Browser test CA")


@pytest.fixture
def write(tmp_path):
    """Put text or bytes into a file; gives its path."""
    def write_file(name, content):
        path = pathlib.Path(tmp_path) / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path
    return write_file


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


def upload(page, certificate, key=None, password=None):
    page.type("Certificate", certificate)
    if key:
        page.type("Private key", key)
    if password:
        page.type("Private key encryption password", password)
    page.click("Upload certificate and key")


def back_to_default(service):
    """Leave the service as it was found."""
    local = service.local()
    if local.call("certificate.query")["local"]["source"] == "custom":
        local.call("certificate.delete")
    if local.call("certificate.query")["restartRequired"]:
        local.call("certificate.activate")


@pytest.fixture(autouse=True)
def default_certificate(service):
    yield
    back_to_default(service)


def test_labels_of_the_original(page):
    text = page.text("main")
    for label in ("Local certificate", "Subject", "Issuer", "Issued", "Expires",
                  "Private key", "Key matches certificate",
                  "Local certificate configuration", "Certificate",
                  "Private key encryption password", "Upload certificate and key",
                  "Delete custom certificate and key"):
        assert label in text, label


def test_default_certificate_is_shown(service, page):
    text = page.text("#local-certificate")
    assert "Device default" in text
    assert "Issued by itself" in text
    assert "IP:127.0.0.1" in text
    assert "never extractable" in text
    assert service.wire_fingerprint().upper()[:4] in text


def test_upload_and_activate_now(service, page, authority, write):
    key = new_key()
    certificate = authority.issue(key)
    old = service.wire_fingerprint()
    upload(page, write("new.cer", pem(certificate)),
           write("new.key", key_pem(key, password="secret")), "secret")
    page.wait_text("Certificate and key uploaded", "#upload-form")
    assert service.wire_fingerprint() == old
    page.click("Activate now")
    page.wait_text("In service", "#told")
    assert service.wire_fingerprint() == certificates.fingerprint(certificate)
    assert page.text("#restart-required") == ""
    assert "Custom, uploaded" in page.text("#local")
    # The message stays until it is closed.
    page.click("Close")
    page.wait_no_text("In service: new connections", ".warnings")


def test_delete_custom_asks_first(service, page, authority, write):
    key = new_key()
    upload(page, write("new.cer", pem(authority.issue(key))),
           write("new.key", key_pem(key)))
    page.wait_text("Certificate and key uploaded", "#upload-form")
    page.click("Activate now")
    page.wait_text("In service", "#told")

    page.click("Delete custom certificate and key")
    page.wait_text("Delete custom certificate and key?", "dialog")
    assert page.focused_text() == "Cancel"
    page.click("Cancel")
    assert service.local().call("certificate.query")["local"]["source"] == "custom"

    page.click("Delete custom certificate and key")
    page.click("Delete custom certificate and key")
    page.wait_text("deleted", "#delete-place")
    assert "Device default" in page.text("#stored")
    assert "Restart required" in page.text("#restart-required")
    assert not page.find("#delete-custom").is_enabled()


@pytest.mark.parametrize("form", ["traditional", "pkcs8"])
def test_wrong_password_is_told_at_the_password(service, page, authority, write, form):
    key = new_key("rsa2048")
    before = service.local().call("certificate.query")["local"]["sha256Fingerprint"]
    upload(page, write("new.cer", pem(authority.issue(key))),
           write("new.key", key_pem(key, form, "right")), "wrong")
    error = page.wait_error_at("Private key encryption password")
    assert "password" in error.lower()
    assert "Nothing was changed" in error
    after = service.local().call("certificate.query")["local"]["sha256Fingerprint"]
    assert after == before
    # Mended at the place of the error: the files are still chosen.
    page.type("Private key encryption password", "right")
    page.click("Upload certificate and key")
    page.wait_text("Certificate and key uploaded", "#upload-form")


def test_foreign_key_is_told_at_the_key(page, authority, write):
    upload(page, write("new.cer", pem(authority.issue(new_key()))),
           write("other.key", key_pem(new_key())))
    assert "match" in page.wait_error_at("Private key")


def test_weak_key_is_refused(page, authority, write):
    key = new_key("rsa1024")
    upload(page, write("weak.cer", pem(authority.issue(key))),
           write("weak.key", key_pem(key)))
    page.until(lambda: page.error_at("Private key") or page.error_at("Certificate"),
               "an error at a field")


@pytest.mark.parametrize("name, content, wanted", [
    ("empty.cer", "", "certificate"),
    ("text.cer", "This is a letter.\n", "certificate"),
    ("cut.cer", "-----BEGIN CERTIFICATE-----\nMIIB", "certificate"),
    ("der.cer", b"\x30\x82\x01\x00\xff\xfe", "inform der"),
    ("all.p12", b"\x30\x82\x01\x00\xff\xfe", "pkcs12"),
])
def test_not_a_certificate_is_told_when_chosen(page, write, name, content, wanted):
    page.type("Certificate", write(name, content))
    page.until(lambda: wanted in page.text(".preview-place"), wanted)
    page.click("Upload certificate and key")
    assert wanted in page.wait_error_at("Certificate")


def test_too_large_a_file_is_not_sent(page, write):
    page.type("Certificate", write("large.cer", "x" * (1024 * 1024 + 1)))
    page.wait_text("larger than 1 MiB", ".preview-place")


def test_no_file_chosen(page):
    page.click("Upload certificate and key")
    assert "Choose the signed certificate" in page.wait_error_at("Certificate")
    assert page.focused().get_attribute("type") == "file"


def test_what_the_file_holds_is_shown_first(service, page, write):
    root = Authority("Preview root")
    middle = Authority("Preview intermediate", parent=root)
    stranger = Authority("Preview stranger")
    leaf = middle.issue(new_key(), "preview.example.com")
    before = service.local().call("certificate.query")["local"]["sha256Fingerprint"]
    page.type("Certificate", write("mixed.cer",
                                   middle.pem + stranger.pem + pem(leaf)))
    page.wait_text("This file holds 3 certificates", ".preview-place")
    text = page.text(".preview-place")
    assert text.index("preview.example.com") < text.index("Preview intermediate")
    assert "order" in text
    assert "Preview stranger" in text.split("Preview intermediate")[1]
    assert "left out" in text
    after = service.local().call("certificate.query")["local"]["sha256Fingerprint"]
    assert after == before


def test_key_and_request_in_the_token(service, page, authority, write):
    page.click("Make a key in the token")
    page.wait_text("Key made", "#key-form")
    page.click("Create a signing request")
    page.type("Common name (CN)", "127.0.0.1")
    page.type("Organization (O)", "Browser <test> & sons")
    page.type("Subject alternative names", "IP:127.0.0.1\nURI:sip:127.0.0.1")
    page.click("Create a signing request")
    page.wait_text("Send this to your certificate authority", "dialog")
    request = x509.load_pem_x509_csr(
        page.find("#request-pem").get_attribute("value").encode())
    assert request.is_signature_valid
    assert [a.value for a in request.subject] == ["Browser <test> & sons", "127.0.0.1"]
    page.click("Close")

    certificate = authority.issue(request.public_key())
    upload(page, write("signed.cer", pem(certificate)))
    page.wait_text("Certificate and key uploaded", "#upload-form")
    assert "Key matches certificate" in page.text("#stored")
    page.wait_text("No key waits for a certificate", "#pending-requests")
    page.click("Activate now")
    page.wait_text("In service", "#told")
    assert service.wire_fingerprint() == certificates.fingerprint(certificate)


def test_delete_a_key_in_the_token(service, page):
    api = service.local()
    key_id = api.call("certificate.generateKey", keyType="ecP256")["keyId"]
    page.open(PAGE)
    page.wait_text(key_id[:16], "#pending-requests")
    page.click("Delete key")
    page.wait_text("Delete this key?", "dialog")
    assert page.focused_text() == "Cancel"
    page.click("Cancel")
    assert api.call("certificate.query")["pendingRequests"]
    page.click("Delete key")
    page.wait_text("cannot be brought back", "dialog")
    page.click("Delete key")
    page.wait_text("Key deleted.", "#pending-result")
    page.wait_text("No key waits for a certificate", "#pending-requests")
    assert api.call("certificate.query")["pendingRequests"] == []
    page.until(lambda: page.script("return document.activeElement.id") == "pending-result",
               "the focus at what became of it")
    assert page.check() == []


def test_key_that_is_somebody_elses_stays(service, page):
    service.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1",
                        "--id", "7a7a", "--label", "foreign")
    page.open(PAGE)
    page.wait_text("7a7a", "#pending-requests")
    page.click("Delete key")
    page.wait_text("Delete this key?", "dialog")
    page.click("Delete key")
    page.wait_text("pkcs11-tool", "#pending-result .notice-error")
    for kind in "privkey", "pubkey":
        service.pkcs11_tool("--delete-object", "--type", kind, "--id", "7a7a")


def test_wrong_names_in_a_request(page):
    page.click("Make a key in the token")
    page.wait_text("Key made", "#key-form")
    page.click("Create a signing request")
    page.type("Subject alternative names", "mcu.example.com")
    page.click("Create a signing request")
    assert "must begin with" in page.wait_error_at("Subject alternative names")


def test_names_are_text_and_never_markup(page, authority, write):
    key = new_key()
    name = "<img src=x onerror=alert(1)>"
    upload(page, write("new.cer", pem(authority.issue(key, name, ["DNS:a.example"]))),
           write("new.key", key_pem(key)))
    page.wait_text("Certificate and key uploaded", "#upload-form")
    assert name in page.text("#stored")
    assert page.find_all("#stored img") == []


def test_expiring_certificate_warns_in_the_header(service, page, authority, write):
    key = new_key()
    soon = datetime.datetime.utcnow() + datetime.timedelta(days=5, hours=1)
    upload(page, write("new.cer", pem(authority.issue(key, not_after=soon))),
           write("new.key", key_pem(key)))
    page.wait_text("Certificate and key uploaded", "#upload-form")
    page.click("Activate now")
    page.wait_text("expires soon: 5 days left", "#certificate-expiry")
    page.open("/index.html")
    assert "expires soon" in page.text("#certificate-expiry")
