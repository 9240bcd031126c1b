# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk of the article "Certify HTTPS connections" (TAA_KB_157), by clicks:
a key and a certificate made with OpenSSL replace the ones of the device."""

import hashlib
import re
import ssl

import pytest

from browser import warning_of
from sealbridge_service import run

PASSPHRASE = "a passphrase of the walk"
PASS = ("-passin", f"pass:{PASSPHRASE}")


def openssl(*args, cwd):
    done = run("openssl", *args, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Steps 6 to 10 of the article, in a directory of its own. Beyond it, the
    certificate names the address as a subject alternative name, without which no
    browser of today accepts it."""
    home = tmp_path_factory.mktemp("kb157")
    encrypt = ("-passout", f"pass:{PASSPHRASE}")
    openssl("genrsa", "-des3", *encrypt, "-out", "MCU.key", "2048", cwd=home)
    openssl("req", "-new", "-key", "MCU.key", *PASS, "-out", "MCU.csr",
            "-subj", "/C=GB/O=Walk/CN=127.0.0.1", cwd=home)
    openssl("genrsa", "-des3", *encrypt, "-out", "CA.key", "2048", cwd=home)
    openssl("req", "-new", "-x509", "-key", "CA.key", *PASS, "-out", "CA.cer",
            "-days", "365", "-subj", "/C=GB/O=Walk/CN=Walk authority", cwd=home)
    (home / "names.txt").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "MCU.csr", "-CA", "CA.cer", "-CAkey", "CA.key",
            *PASS, "-set_serial", "01", "-days", "365", "-extfile", "names.txt",
            "-out", "MCU.cer", cwd=home)
    return home


def fingerprint_of(path):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(path.read_text())).hexdigest()


def shown(browser, card):
    """The fingerprint that a card of the page shows, as plain hex."""
    found = re.search(r"(?:[0-9A-F]{4}\s+){15}[0-9A-F]{4}", browser.text(card))
    return re.sub(r"\s", "", found.group()).lower() if found else ""


def test_walk(service, make_browser, files):
    new = fingerprint_of(files / "MCU.cer")
    old = service.wire_fingerprint()

    # Step 3: connect; the browser warns, and the user goes on.
    assert "ERR_CERT" in warning_of(make_browser(service, any_certificate=False))
    browser = make_browser(service)
    browser.log_in("admin", service.admin_password)

    # Steps 11 to 15: the page, the files, the passphrase, the button.
    browser.follow("SSL certificates")
    browser.wait_path("/network/ssl-certificates.html")
    assert shown(browser, "#local-certificate") == old
    browser.type("Certificate", files / "MCU.cer")
    browser.wait_text("This file holds 1 certificate", "#upload-form")
    browser.type("Private key", files / "MCU.key")
    browser.type("Private key encryption password", PASSPHRASE)
    browser.click("Upload certificate and key")
    browser.wait_text("Certificate and key uploaded", "#upload-form")

    # The page shows the new one at once, the wire keeps the old one, and the
    # header asks for a restart.
    assert shown(browser, "#stored") == new
    assert "Key matches certificate" in browser.text("#stored")
    assert "Walk authority" in browser.text("#stored")
    assert shown(browser, "#in-service") == old
    assert service.wire_fingerprint() == old
    assert "Restart required" in browser.text("#restart-required")

    assert browser.problems() == []

    # Step 16: Settings > Shutdown, restart.
    browser.follow("Shutdown")
    browser.wait_path("/settings/shutdown.html")
    assert "Restart required" in browser.text("#restart-required")
    browser.click("Restart")
    browser.wait_text("The new local certificate goes into service", "dialog")
    browser.click("Restart")
    browser.wait_text("The service is back", "dialog", 120)
    assert service.wire_fingerprint() == new
    browser.problems()  # of the time when nothing listened

    browser.follow("Log in")
    browser.wait_path("/login.html")
    browser.log_in("admin", service.admin_password)
    assert browser.text("#restart-required") == ""
    browser.open("/network/ssl-certificates.html")
    assert shown(browser, "#local") == new
    browser.open("/status/status.html")
    assert "User requested reboot from" in browser.text("#log-place")
    assert browser.problems() == []


def test_a_browser_that_trusts_the_authority_does_not_warn(service, make_browser, files):
    browser = make_browser(service, ca=files / "CA.cer")
    assert warning_of(browser) == ""
    browser.log_in("admin", service.admin_password)
    assert browser.script("return isSecureContext")
    assert browser.problems() == []


def test_a_browser_that_does_not_trust_it_warns(service, make_browser):
    assert "ERR_CERT_AUTHORITY_INVALID" in warning_of(
        make_browser(service, any_certificate=False))


def test_openssl_verifies_the_wire(service, files):
    seen = run("openssl", "s_client", "-connect", f"127.0.0.1:{service.https}",
               "-CAfile", files / "CA.cer", "-verify_ip", "127.0.0.1",
               "-verify_return_error")
    assert "Verify return code: 0 (ok)" in seen.stdout, seen.stdout + seen.stderr


def test_the_key_is_in_the_token_only(service, files):
    objects = service.pkcs11_tool("--list-objects", "--type", "privkey")
    assert "sealbridge local key" in objects
    accesses = re.findall(r"Access:\s*(.*)", objects)
    assert accesses and all("sensitive" in access for access in accesses)
    assert "extractable" not in objects.replace("never extractable", "")

    # Neither the numbers of the key nor its passphrase lie in a file of the state;
    # the token keeps its own files encrypted.
    primes = openssl("rsa", "-in", "MCU.key", *PASS, "-noout", "-text", cwd=files)
    prime = re.search(r"prime1:\n((?:    .*\n)+)", primes).group(1)
    secrets = [
        bytes.fromhex(re.sub(r"[\s:]", "", prime)).lstrip(b"\0"), PASSPHRASE.encode(),
        (files / "MCU.key").read_bytes().splitlines()[8],
    ]
    for path in service.state.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path


def test_the_commands_of_the_article_as_they_stand(service, make_browser, files):
    """Without a subject alternative name: accepted, and its users are told."""
    openssl("req", "-new", "-key", "MCU.key", *PASS, "-out", "plain.csr",
            "-subj", "/C=GB/O=Walk/CN=localhost", cwd=files)
    openssl("x509", "-req", "-in", "plain.csr", "-CA", "CA.cer", "-CAkey", "CA.key",
            *PASS, "-set_serial", "01", "-out", "plain.cer", cwd=files)
    browser = make_browser(service)
    browser.log_in("admin", service.admin_password)
    browser.open("/network/ssl-certificates.html")
    browser.type("Certificate", files / "plain.cer")
    browser.wait_text("no subjectAltName", ".preview-place")
    browser.type("Private key", files / "MCU.key")
    browser.type("Private key encryption password", PASSPHRASE)
    browser.click("Upload certificate and key")
    browser.wait_text("Certificate and key uploaded", "#upload-form")
    assert "no subjectAltName" in browser.text("#upload-form")
    browser.click("Activate now")
    browser.wait_text("In service", "#told")
    seen = run("openssl", "s_client", "-connect", f"127.0.0.1:{service.https}",
               "-CAfile", files / "CA.cer", "-verify_hostname", "localhost",
               "-verify_return_error")
    assert "Verify return code: 0 (ok)" in seen.stdout, seen.stdout + seen.stderr
