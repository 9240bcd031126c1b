# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages while the token is away."""

import os
import signal

from browser import Browser


def end_token_server(service):
    """End p11-kit server and the processes that serve its connections."""
    pid = int((service.state / "p11-kit.pid").read_text())
    os.killpg(pid, signal.SIGKILL)


def test_pages_stay_readable_without_the_token(make_service):
    service = make_service(isolated=True)
    # Over plain HTTP, since each new TLS connection needs the token.
    browser = Browser(service.http_url)
    local = service.local()
    local.call("security.acknowledgeWarnings",
               ids=[w["id"] for w in local.call("security.warnings")["warnings"]])
    try:
        browser.log_in("admin", service.admin_password)
        assert "Nothing needs your attention" in browser.text("main")
        end_token_server(service)

        def told():
            browser.open("/index.html")
            return "token is not available" in browser.text("#token-unavailable")

        browser.until(told, "the warning in the header")
        assert browser.text("#key-status") == ""
        browser.click("Show token", "link")
        browser.wait_path("/status/status.html")
        assert "Unavailable" in browser.text("#token-place")
        assert "Host name" in browser.text("#device-place")

        browser.open("/network/ssl-certificates.html")
        assert "Not known while the token is unavailable" in browser.text("#local")
        browser.click("Make a key in the token")
        browser.wait_text("Token unavailable", "#key-form")
        browser.open("/users/users.html")
        assert "guest" in browser.text("main")
        assert browser.check() == []
    finally:
        browser.quit()
