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

from browser import Browser  # noqa: E402
from certificates import Authority, key_pem, new_key, pem  # noqa: E402
from sealbridge_service import SOURCE, Service  # noqa: E402

PICTURES = SOURCE / "docs" / "pictures"


def upload(browser, directory):
    """A certificate by an intermediate authority, through the form."""
    issuer = Authority("Example Issuing CA", parent=Authority("Example Root CA"))
    key = new_key("rsa2048")
    certificate = issuer.issue(key, "mcu.example.com", [
        "DNS:mcu.example.com", "URI:sip:mcu.example.com", "IP:192.0.2.10"])
    (directory / "MCU.cer").write_text(pem(certificate) + issuer.pem)
    (directory / "MCU.key").write_text(key_pem(key, "traditional", "secret"))
    browser.open("/network/ssl-certificates.html")
    browser.type("Certificate", directory / "MCU.cer")
    browser.wait_text("This file holds 2 certificates")
    browser.type("Private key", directory / "MCU.key")
    browser.type("Private key encryption password", "secret")
    browser.picture(PICTURES / "upload.png")
    browser.click("Upload certificate and key")
    browser.wait_text("Certificate and key uploaded")


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, Service() as service:
        browser = Browser(service.url, height=800)
        try:
            browser.open("/login.html")
            browser.picture(PICTURES / "login.png")
            browser.log_in("admin", service.admin_password)
            browser.picture(PICTURES / "home.png")
            upload(browser, pathlib.Path(directory))
            browser.picture(PICTURES / "ssl-certificates.png")
            browser.look(dark=True, height=800)
            browser.open("/network/ssl-certificates.html")
            browser.picture(PICTURES / "ssl-certificates-dark.png")
            browser.look(height=800)
            browser.open("/status/status.html")
            browser.picture(PICTURES / "status.png")
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
