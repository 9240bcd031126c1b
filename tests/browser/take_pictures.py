#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make docs/pictures/*.png from the running pages, for the README.

Starts a service of its own and uploads a certificate, so that the pictures show
what an administrator sees."""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

import audio  # noqa: E402
from baresip import Baresip  # noqa: E402
from browser import Browser  # noqa: E402
from certificates import Authority, key_pem, new_key, pem  # noqa: E402
from sealbridge_service import SOURCE, Service  # noqa: E402

PAGE = "/network/ssl-certificates.html"
PICTURES = SOURCE / "docs" / "pictures"


def upload(browser, directory):
    """A certificate by an intermediate authority, through the form."""
    issuer = Authority("Example Issuing CA", parent=Authority("Example Root CA"))
    key = new_key("rsa2048")
    certificate = issuer.issue(key, "mcu.example.com", [
        "DNS:mcu.example.com", "URI:sip:mcu.example.com", "IP:192.0.2.10"])
    (directory / "MCU.cer").write_text(pem(certificate) + issuer.pem)
    (directory / "MCU.key").write_text(key_pem(key, "traditional", "secret"))
    browser.open(PAGE)
    browser.type("Certificate", directory / "MCU.cer")
    browser.wait_text("This file holds 2 certificates")
    browser.type("Private key", directory / "MCU.key")
    browser.type("Private key encryption password", "secret")
    browser.click("Upload certificate and key")
    browser.wait_text("Certificate and key uploaded")


def take(browser, name, path, *, width=1280, height=1000):
    browser.look(width=width, height=height)
    browser.open(path)
    browser.picture(PICTURES / f"{name}.png", whole=False)


def take_audit_log(browser):
    browser.look(width=1280, height=1000)
    browser.open("/logs/audit-log.html")
    browser.click("Verify")
    browser.wait_text("Intact.")
    browser.picture(PICTURES / "audit-log.png", whole=False)


def sip_certificate(authority, directory, name):
    """A PEM file of a peer at 127.0.0.1."""
    key = new_key("ecP256")
    file = directory / f"{name}.pem"
    file.write_text(pem(authority.issue(
        key, name, [f"DNS:{name}", "IP:127.0.0.1", "DNS:127.0.0.1"])) + key_pem(key))
    return file


def take_calls(browser, service, directory):
    """A call that came and one that was placed, both over TLS with certificates."""
    authority = Authority("Example SIP CA")
    api = service.local()
    api.call("trustStore.upload", trustStore="sip", certificates=authority.pem)
    api.call("verification.configure", sip="outgoingAndIncoming")
    says = audio.write(directory / "says.wav", audio.song(60))
    peers = [Baresip(directory / name, says, encryption="srtp-mand", name=name,
                     who=sip_certificate(authority, directory, f"{name}.example.com"))
             for name in ("desk", "room")]
    try:
        peers[0].dial(f"sip:echo@127.0.0.1:{service.sips};transport=tls")
        browser.look(width=1280, height=1280)
        browser.open("/status/calls.html")
        browser.wait_text("Encrypted", "#calls")
        browser.type("Address", f"sips:room@127.0.0.1:{peers[1].port}")
        browser.click("Call")
        browser.wait_text("Connected: ", "#placed")
        browser.wait_text("0:05", "#calls")  # packets have been counted
        browser.script("document.activeElement.blur()")
        browser.picture(PICTURES / "calls.png", whole=False)
    finally:
        for peer in peers:
            peer.close()


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        state = pathlib.Path(directory) / "state"
        (state / "conf.d").mkdir(parents=True)
        (state / "conf.d" / "name.conf").write_text("[device]\nhost-name = mcu.example.com\n")
        with Service(state) as service:
            browser = Browser(service.url)
            try:
                take(browser, "login", "/login.html", width=800, height=520)
                browser.log_in("admin", service.admin_password)
                take(browser, "certificate", PAGE)
                take_calls(browser, service, pathlib.Path(directory))
                upload(browser, pathlib.Path(directory))
                take(browser, "uploaded", PAGE)
                take(browser, "status", "/status/status.html", height=1280)
                take_audit_log(browser)
            finally:
                browser.quit()


if __name__ == "__main__":
    main()
