# SPDX-License-Identifier: GPL-3.0-or-later
"""Client certificate security: who gets in, and as whom, for every mode, door and
kind of certificate, by clients that shake hands for real.

The cells say what somebody gets who brings no password, a wrong one, the right one of
bob: the letter of the user he is taken for (ann, bob; local for the console), "-" for
fault 14, or "tls" where there is no connection at all."""

import datetime
import http.client
import json
import ssl
import xmlrpc.client

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import Service, run, wait_for

DAY = datetime.timedelta(days=1)
PASSWORD = "Bob-of-1-test"
OFFERS = {"no password": None, "wrong password": "wrong", "right password": PASSWORD}
MODES = ("notRequired", "verify", "allowed", "required")
AUTHORIZATION_FAILED = 14

# What TLS lets in, and what it does not.
TRUSTED = ("matching", "no match", "two names", "disabled user")
REFUSED = ("none", "untrusted", "expired", "wrong usage", "expired authority")
KINDS = TRUSTED + REFUSED


class Place:
    """A service whose mode each test chooses, and files of clients."""

    def __init__(self, service, folder):
        self.service = service
        self.folder = folder
        self.mode = (None, None)
        self.make_clients()
        local = service.local()
        for name, password in (("ann", "Ann-of-1-test"), ("bob", PASSWORD),
                               ("shut", "Shut-of-1-test")):
            local.call("user.add", userName=name, password=password, forceChange=False,
                       privilege="administrator", disabled=name == "shut")
        local.call("trustStore.upload", trustStore="https",
                   certificates=self.root.pem + self.old_root.pem)

    def make_clients(self):
        now = datetime.datetime.utcnow()
        self.root, stranger = Authority("Root"), Authority("Stranger")
        self.old_root = Authority("Old root", not_before=now - 9 * DAY, not_after=now - DAY)
        self.clients = {"none": None}
        self.add("matching", self.root, "ann")
        self.add("no match", self.root, "Ann")
        self.add("two names", self.root, ("ann", "bob"))
        self.add("disabled user", self.root, "shut")
        self.add("untrusted", stranger, "ann")
        self.add("expired", self.root, "ann", not_before=now - 9 * DAY, not_after=now - DAY)
        self.add("wrong usage", self.root, "ann", usage=ExtendedKeyUsageOID.SERVER_AUTH)
        self.add("expired authority", self.old_root, "ann")

    def add(self, kind, issuer, name, **how):
        key = new_key()
        files = (self.folder / f"{kind}.pem", self.folder / f"{kind}.key")
        files[0].write_text(pem(issuer.issue(key, name, names=(), **how)))
        files[1].write_text(key_pem(key))
        self.clients[kind] = files

    def enter(self, mode, require_login):
        """From the next start; nothing of this test depends on how it is set."""
        if self.mode == (mode, require_login):
            return self
        self.mode = (mode, require_login)
        self.service.stop()
        self.service.configure(
            "[defaults]\n"
            f"verification.clientCertificate = {mode}\n"
            f"console.requireLogin = {'yes' if require_login else 'no'}\n")
        self.service.start_bare()
        wait_for(self.is_up, 60, "HTTPS")
        return self

    def is_up(self):
        try:
            return Web(self, "matching", True).call("system.listMethods")
        except (OSError, xmlrpc.client.Fault):
            return False


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with Service() as service:
        yield Place(service, tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module", params=MODES)
def device(request, place):
    return place.enter(request.param, False)


@pytest.fixture(scope="module", params=MODES)
def locked_console(request, place):
    return place.enter(request.param, True)


# --- what should be


def on_https(mode, kind):
    """By the original's table."""
    if mode == "notRequired":
        return "--b"
    if kind in REFUSED:
        return "tls"
    if mode == "verify":
        return "--b"
    if kind == "matching":
        return "aaa"
    if kind == "disabled user":
        return "---"
    return "--b" if mode == "allowed" else "---"


def on_http(mode):
    return "---" if mode == "required" else "--b"


# --- clients


def letter(who):
    return who if who in ("-", "tls") else who[0]


def cells(ask):
    """ask(password or None) for each offer, as one word."""
    got = [letter(ask(password)) for password in OFFERS.values()]
    return "tls" if got == ["tls"] * len(got) else "".join(got)


class Curl:
    """The API by curl, a call at a time. It takes the certificate along to plain
    HTTP too, where nobody asks for it."""

    def __init__(self, place, kind, tls):
        self.url = (place.service.url if tls else place.service.http_url) + "/RPC2"
        files = place.clients[kind]
        self.arguments = ["--cert", files[0], "--key", files[1]] if files else []

    def who(self, password):
        members = {} if password is None else {
            "authenticationUser": "bob", "authenticationPassword": password}
        done = run("curl", "-sk", *self.arguments, "-H", "Content-Type: text/xml",
                   "--data-binary", "@-", self.url,
                   input=xmlrpc.client.dumps((members,), "session.query"))
        if done.returncode != 0:
            assert done.returncode in (35, 52, 55, 56), done  # TLS, no or broken answer
            return "tls"
        try:
            (reply,), _ = xmlrpc.client.loads(done.stdout)
        except xmlrpc.client.Fault as fault:
            assert fault.faultCode == AUTHORIZATION_FAILED, fault
            return "-"
        assert reply["via"] == ("certificate" if reply["userName"] == "ann" else "password")
        return reply["userName"]


class Web:
    """A browser's way: one connection, a cookie, a token."""

    def __init__(self, place, kind, tls):
        service = place.service
        self.headers = {"Content-Type": "text/xml"}
        if tls:
            self.connection = http.client.HTTPSConnection(
                service.host, service.https, timeout=30,
                context=service.context(client=place.clients[kind]))
        else:
            self.connection = http.client.HTTPConnection(service.host, service.http, timeout=30)

    def call(self, method, **members):
        self.connection.request(
            "POST", "/RPC2", xmlrpc.client.dumps((members,), method), self.headers)
        response = self.connection.getresponse()
        (reply,), _ = xmlrpc.client.loads(response.read())
        cookie = response.getheader("Set-Cookie")
        if cookie:
            self.headers["Cookie"] = cookie.partition(";")[0]
        return reply

    def log_in(self, **members):
        self.headers["X-CSRF-Token"] = self.call("session.login", **members)["csrfToken"]
        return self

    def who(self, password):
        members = {} if password is None else {"userName": "bob", "password": password}
        try:
            self.log_in(**members)
            reply = self.call("session.query")
            self.call("device.query")
            self.call("session.logout")
        except (ssl.SSLError, ConnectionError):
            return "tls"
        except xmlrpc.client.Fault as fault:
            assert fault.faultCode == AUTHORIZATION_FAILED, fault
            return "-"
        assert reply["via"] == ("certificate" if reply["userName"] == "ann" else "session")
        return reply["userName"]


# --- the table


@pytest.mark.parametrize("kind", KINDS)
def test_api_over_https(device, kind):
    client = Curl(device, kind, True)
    assert cells(client.who) == on_https(device.mode[0], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_web_over_https(device, kind):
    got = cells(lambda password: Web(device, kind, True).who(password))
    assert got == on_https(device.mode[0], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_api_over_http(device, kind):
    client = Curl(device, kind, False)
    assert cells(client.who) == on_http(device.mode[0])


def test_web_over_http(device):
    got = cells(lambda password: Web(device, "none", False).who(password))
    assert got == on_http(device.mode[0])


@pytest.mark.parametrize("kind", KINDS)
def test_pages_over_https(device, kind):
    """What TLS refuses gets no page either."""
    files = device.clients[kind]
    arguments = ["--cert", files[0], "--key", files[1]] if files else []
    done = run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", *arguments,
               device.service.url + "/login.html")
    refused = on_https(device.mode[0], kind) == "tls"
    assert (done.returncode != 0) == refused, done
    assert done.stdout == ("000" if refused else "200")


# --- the console


def ctl_who(place, password):
    """Who sealbridgectl is taken for."""
    login = []
    if password is not None:
        file = place.folder / "password"
        file.write_text(password + "\n")
        file.chmod(0o600)
        login = ["--login", "bob", "--login-password-file", file]
    done = place.service.ctl("--json", *login, "call", "session.query")
    if done.returncode != 0:
        assert f"fault {AUTHORIZATION_FAILED}:" in done.stderr, done.stderr
        return "-"
    return json.loads(done.stdout)["userName"]


def test_console(device):
    assert cells(lambda password: ctl_who(device, password)) == "l-b"


def test_console_that_asks(locked_console):
    place, mode = locked_console, locked_console.mode[0]
    wanted = "---" if mode == "required" else "--b"
    assert cells(lambda password: ctl_who(place, password)) == wanted
    # What needs no log-in is there all the same.
    assert place.service.ctl("call", "system.listMethods").returncode == 0
    said = place.service.ctl("call", "device.query").stderr
    assert ("rescue" if mode == "required" else "Require administrator login") in said


# --- what is told


def test_reasons(device):
    """A refusal names its cause; where it depends on the mode, that too."""
    mode, service = device.mode[0], device.service
    plain = Web(device, "none", False).call("session.loginWay")
    assert plain["clientCertificateMode"] == mode
    assert plain["way"] == ("none" if mode == "required" else "password")
    ways = {kind: Web(device, kind, True).call("session.loginWay") for kind in TRUSTED}
    if mode in ("notRequired", "verify"):
        assert {way["way"] for way in ways.values()} == {"password"}
        return
    assert (ways["matching"]["way"], ways["matching"]["userName"]) == ("certificate", "ann")
    assert ways["disabled user"]["way"] == "none"
    assert "disabled" in ways["disabled user"]["reason"]
    for kind, words in (("no match", 'no user is named "Ann"'), ("two names", "2 common names")):
        assert ways[kind]["way"] == ("password" if mode == "allowed" else "none")
        assert words in ways[kind]["reason"]
        assert "CN=" in ways[kind]["certificateSubject"]
    records = service.local().call("auditlog.enumerate", newestFirst=True, numEvents=200,
                                   filter={"event": "loginFailed"})["events"]
    assert any(e["userName"] == "shut" and "subject: CN=" in e["detail"] for e in records)
    if mode == "required":
        assert any(e["userName"] == "Ann" and "no user" in e["detail"] for e in records)


def test_a_session_is_bound_to_its_certificate(device):
    if device.mode[0] in ("notRequired", "verify"):
        opened = Web(device, "matching", True).log_in(userName="bob", password=PASSWORD)
        other = Web(device, "no match", True)
        other.headers = opened.headers
        assert other.call("session.query")["userName"] == "bob"
        return
    opened = Web(device, "matching", True).log_in()
    assert opened.call("session.query")["certificateSubject"].startswith("CN=ann")
    other = Web(device, "no match", True)
    other.headers = opened.headers
    with pytest.raises(xmlrpc.client.Fault) as refused:
        other.call("device.query")
    assert refused.value.faultCode == AUTHORIZATION_FAILED


# --- changes while the service runs


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Service() as service:
        yield Place(service, tmp_path_factory.mktemp("running"))


@pytest.fixture
def live(running):
    """Without a mode, and so afterwards."""
    yield running
    running.service.ctl("rescue")
    login = {"authenticationUser": "bob", "authenticationPassword": PASSWORD}
    running.service.local().call("security.modify", requireLogin=False, **login)


def switch(place, mode):
    place.service.local().call("verification.configure", clientCertificate=mode, force=True)


def fault_of(web, method="device.query"):
    """Of a call that is refused: its text, and whether the connection ends with it."""
    with pytest.raises(xmlrpc.client.Fault) as refused:
        web.call(method)
    assert refused.value.faultCode == AUTHORIZATION_FAILED
    return refused.value.faultString


@pytest.mark.parametrize("mode", ["verify", "allowed", "required"])
def test_a_standing_connection_without_certificate_is_refused(live, mode):
    standing = Web(live, "none", True).log_in(userName="bob", password=PASSWORD)
    standing.call("device.query")
    switch(live, mode)
    assert "no client certificate" in fault_of(standing)
    assert standing.connection.sock is None  # ended, so that the next one shows it
    assert Web(live, "none", True).who(PASSWORD) == "tls"
    again = Web(live, "no match", True)
    again.headers = standing.headers
    if mode == "required":
        assert "no user is named" in fault_of(again)
    else:
        assert again.call("session.query")["userName"] == "bob"


def test_sessions_end_with_the_mode_that_allowed_them(live):
    plain = Web(live, "none", False).log_in(userName="bob", password=PASSWORD)
    switch(live, "allowed")
    by_certificate = Web(live, "matching", True).log_in()
    by_password = Web(live, "no match", True).log_in(userName="bob", password=PASSWORD)
    for web in plain, by_certificate, by_password:
        web.call("device.query")
    switch(live, "required")
    by_certificate.call("device.query")
    assert "plain HTTP" in fault_of(plain)
    assert "no user is named" in fault_of(by_password)
    switch(live, "verify")
    for web in plain, by_certificate, by_password:  # none of them comes back
        fault_of(web)


def test_rescue_where_nobody_gets_in(live):
    ctl = live.service.ctl
    live.service.local().call("security.modify", requireLogin=True, force=True)
    assert ctl_who(live, PASSWORD) == "bob"
    file = live.folder / "password"
    file.write_text(PASSWORD + "\n")
    assert ctl("--login", "bob", "--login-password-file", file, "call",
               "verification.configure", "clientCertificate=required",
               "force=yes").returncode == 0
    assert ctl_who(live, PASSWORD) == "-"
    assert Web(live, "none", False).who(PASSWORD) == "-"
    assert ctl("rescue").returncode == 0
    assert Web(live, "none", False).who(PASSWORD) == "bob"
    assert Web(live, "none", True).who(PASSWORD) == "bob"


def test_disabling_a_user_ends_what_his_certificate_opened(live):
    switch(live, "required")
    ann = Web(live, "matching", True).log_in()
    local = live.service.local()
    local.call("user.modify", userName="ann", disabled=True)
    fault_of(ann)
    assert "disabled" in fault_of(Web(live, "matching", True), "session.login")
    local.call("user.modify", userName="ann", disabled=False)
    fault_of(ann)
    assert Web(live, "matching", True).who(None) == "ann"
