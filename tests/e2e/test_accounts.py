# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, rights, browser sessions."""

import http.client
import time
import xmlrpc.client

import pytest

from sealbridge_service import run

METHODS_WITHOUT_LOGIN = {"session.login", "session.loginWay"}


def fault(api, method, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call(method, **members)
    return caught.value.faultCode, caught.value.faultString


class Browser:
    """A cookie jar with a CSRF token: what the pages do, without a browser."""

    def __init__(self, service, tls=True):
        self.service = service
        self.tls = tls
        self.cookie = None
        self.csrf = None
        self.set_cookie = None

    def call(self, method, _csrf=True, **members):
        if self.tls:
            connection = http.client.HTTPSConnection(
                self.service.host, self.service.https, timeout=60,
                context=self.service.context())
        else:
            connection = http.client.HTTPConnection(
                self.service.host, self.service.http, timeout=60)
        headers = {"Content-Type": "text/xml"}
        if self.cookie:
            headers["Cookie"] = f"other=1; sealbridge_session={self.cookie}"
        if _csrf and self.csrf:
            headers["X-CSRF-Token"] = self.csrf if _csrf is True else _csrf
        connection.request("POST", "/RPC2", xmlrpc.client.dumps((members,), method), headers)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        self.set_cookie = response.getheader("Set-Cookie")
        if self.set_cookie and self.set_cookie.startswith("sealbridge_session="):
            self.cookie = self.set_cookie.partition("=")[2].partition(";")[0] or None
        connection.close()
        return xmlrpc.client.loads(body, use_builtin_types=True)[0][0]

    def login(self, user="admin", password=None):
        reply = self.call("session.login", userName=user,
                          password=self.service.admin_password if password is None else password)
        self.csrf = reply["csrfToken"]
        return reply

    def refused(self, method, **members):
        with pytest.raises(xmlrpc.client.Fault) as caught:
            self.call(method, **members)
        return caught.value.faultCode


@pytest.mark.sanitized
def test_credentials_in_members(service):
    assert service.api().call("device.query")["model"]
    assert fault(service.api(password="wrong"), "device.query") == (14, "authorization failed")
    assert fault(service.api(user="nobody"), "device.query") == (14, "authorization failed")
    assert fault(service.api(user="Admin"), "device.query")[0] == 14  # case matters
    assert fault(service.anonymous(), "device.query")[0] == 14
    assert fault(service.api(password=""), "device.query")[0] == 14
    assert fault(service.api(user="guest", password=""), "device.query")[0] == 14


def test_every_method_needs_a_login(service):
    names = service.local().call("system.listMethods")["methods"]
    assert len(names) > 20
    open_to_all = set()
    for name in names:
        try:
            service.anonymous().call(name)
            open_to_all.add(name)
        except xmlrpc.client.Fault as f:
            if f.faultCode != 14:
                open_to_all.add(name)
    assert {n for n in open_to_all if not n.startswith("system.")} <= METHODS_WITHOUT_LOGIN


@pytest.mark.sanitized
@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_session(service, tls):
    browser = Browser(service, tls)
    reply = browser.login()
    assert reply["userName"] == "admin" and reply["privilege"] == "administrator"
    flags = browser.set_cookie.lower()
    assert "httponly" in flags and "samesite=strict" in flags and "path=/" in flags
    assert ("secure" in flags) == tls
    query = browser.call("session.query")
    assert query["via"] == "session" and query["userName"] == "admin"
    assert query["csrfToken"] == browser.csrf
    assert browser.call("device.query")["model"]
    old = browser.cookie
    browser.call("session.logout")
    browser.cookie = old
    assert browser.refused("device.query") == 14


@pytest.mark.sanitized
def test_csrf_token_is_needed(service):
    browser = Browser(service)
    browser.login()
    other = Browser(service)
    other.login()
    assert other.csrf != browser.csrf
    for wrong in (False, "x" * 43, other.csrf, browser.csrf + "x", browser.csrf[:-1]):
        assert browser.refused("user.add", _csrf=wrong, userName="evil", password="x") == 14
    assert "evil" not in str(service.local().call("user.enumerate"))


def test_session_is_bound_to_its_address(make_service):
    service = make_service(listen="0.0.0.0")
    browser = Browser(service)
    browser.login()
    connection = http.client.HTTPSConnection("127.0.0.1", service.https, timeout=30,
                                             context=service.context(),
                                             source_address=("127.0.0.9", 0))
    connection.request("POST", "/RPC2", xmlrpc.client.dumps(({},), "device.query"), {
        "Content-Type": "text/xml", "X-CSRF-Token": browser.csrf,
        "Cookie": f"sealbridge_session={browser.cookie}"})
    assert b"<int>14</int>" in connection.getresponse().read()


def test_unknown_cookies(service):
    for cookie in ("", "x", "A" * 43, "A" * 5000, "%00", "';--"):
        browser = Browser(service)
        browser.cookie, browser.csrf = cookie, "A" * 43
        assert browser.refused("device.query") == 14


def test_sessions_differ_and_expire_with_password(service):
    api = service.local()
    api.call("user.add", userName="walker", password="first Pass 1", privilege="administrator",
             forceChange=False)
    try:
        one, two = Browser(service), Browser(service)
        one.login("walker", "first Pass 1")
        two.login("walker", "first Pass 1")
        assert one.cookie != two.cookie and one.csrf != two.csrf
        api.call("user.modify", userName="walker", password="second Pass 2")
        assert one.refused("device.query") == 14
        assert two.refused("device.query") == 14
        assert Browser(service).login("walker", "second Pass 2")["userName"] == "walker"
    finally:
        api.call("user.delete", userName="walker")


LEVELS = ["conference list only", "conference list plus streaming", "conference detail",
          "conference creation", "conference creation and limited control",
          "conference creation and full control"]


@pytest.mark.parametrize("level", LEVELS)
def test_lower_privileges_do_not_administer(service, level):
    api = service.local()
    api.call("user.add", userName="lower", password="some Pass 1", privilege=level,
             forceChange=False)
    try:
        lower = service.api("lower", "some Pass 1")
        for method in ("certificate.delete", "certificate.upload", "user.enumerate",
                       "device.restart", "token.query", "certificate.generateKey"):
            assert fault(lower, method) == (15, "insufficient privileges")
        browser = Browser(service)
        assert browser.login("lower", "some Pass 1")["privilege"] == level
        assert browser.refused("user.add", userName="x", password="x") == 15
    finally:
        api.call("user.delete", userName="lower")


def test_guest_cannot_get_in(service):
    browser = Browser(service)
    assert browser.refused("session.login", userName="guest", password="") == 14


def test_rules_of_built_in_accounts(service):
    api = service.local()
    assert fault(api, "user.delete", userName="admin")[0] != 0
    assert fault(api, "user.delete", userName="guest")[0] != 0
    for reserved in "admin", "guest", "invalid", "system", "unknown":
        assert fault(api, "user.add", userName=reserved, password="x")[0] == 1010
    assert fault(api, "user.delete", userName="nobody")[0] == 1009
    assert fault(api, "user.modify", userName="nobody", name="x")[0] == 1009


def test_failures_are_delayed_and_counted(fresh_service):
    """Guessing becomes slow, for the account and for the address; being right
    works in between."""
    service = fresh_service
    times = []
    for _ in range(6):
        started = time.monotonic()
        assert fault(service.api(password="guess"), "device.query")[0] == 14
        times.append(time.monotonic() - started)
    assert sum(times) > 1.0 and max(times) < 60
    assert service.local().call("device.query")["model"]
    assert service.api().call("device.query")["model"]


def test_unicode_passwords(service):
    api = service.local()
    api.call("user.add", userName="übung", password="pässwörd ☃ 1", privilege="administrator",
             forceChange=False)
    try:
        assert service.api("übung", "pässwörd ☃ 1").call("device.query")["model"]
        assert fault(service.api("übung", "passwörd ☃ 1"), "device.query")[0] == 14
    finally:
        api.call("user.delete", userName="übung")


def test_own_password(service):
    api = service.local()
    api.call("user.add", userName="self", password="old Pass 1", privilege="administrator")
    try:
        assert fault(service.api("self", "old Pass 1"), "device.query")[0] == 15
        browser = Browser(service)
        assert browser.login("self", "old Pass 1")["mustChangePassword"] is True
        assert browser.refused("user.changePassword", currentPassword="wrong",
                               newPassword="new Pass 2") == 14
        browser.call("user.changePassword", currentPassword="old Pass 1",
                     newPassword="new Pass 2")
        assert Browser(service).login("self", "new Pass 2")["mustChangePassword"] is False
    finally:
        api.call("user.delete", userName="self")


def test_administrators_have_a_password(service):
    api = service.local()
    for members in {}, {"password": ""}:
        code, text = fault(api, "user.add", userName="open", privilege="administrator", **members)
        assert code == 1011 and "needs a password" in text
    assert fault(api, "user.modify", userName="admin", password="")[0] == 1011


def test_api_over_plain_http(service):
    assert service.api(tls=False).call("device.query")["model"]
    done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
               f"{service.http_url}/login.html")
    assert done.stdout == "200"
