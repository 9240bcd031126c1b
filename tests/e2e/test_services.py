# SPDX-License-Identifier: GPL-3.0-or-later
"""Network > Services: on, off, other ports, conflicts, the redirect."""

import http.client
import pathlib
import resource
import socket
import xmlrpc.client

import pytest

from sealbridge_service import free_ports, wait_for


def services(api):
    return {s["name"]: s for s in api.call("services.query")["services"]}


def modify(api, *rows, **more):
    return api.call("services.modify", services=list(rows), **more)


def fault(code, words, call, *args, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*args, **members)
    assert caught.value.faultCode == code, caught.value
    assert words in caught.value.faultString, caught.value
    return caught.value


def listens(service, port):
    try:
        socket.create_connection((service.host, port), 5).close()
    except OSError:
        return False
    return True


@pytest.fixture
def back(service):
    """Leaves the service as it was."""
    yield
    local = service.local()
    local.call("security.modify", redirectHttp=False)
    modify(local, {"name": "http", "setting": True, "port": service.http},
           {"name": "https", "setting": True, "port": service.https},
           {"name": "sip_udp", "setting": False}, {"name": "sips_tcp", "port": service.sips},
           force=True)


def test_query(service):
    found = services(service.api())
    assert set(found) == {"http", "https", "sip_tcp", "sip_udp", "sips_tcp"}
    for name, port in ("http", service.http), ("https", service.https), \
            ("sips_tcp", service.sips):
        row = found[name]
        assert row["setting"] and row["enabled"] and row["available"]
        assert row["port"] == port and row["type"] == "tcp" and row["problem"] == ""
    assert found["sip_tcp"]["available"] and not found["sip_tcp"]["enabled"]
    assert found["sip_udp"]["type"] == "udp" and found["sip_udp"]["problem"] == ""


def test_move_keeps_connections(service, back):
    """HTTPS moves while a connection over it stands, and HTTP's does too."""
    port, = free_ports(1)
    tls = http.client.HTTPSConnection(service.host, service.https,
                                      context=service.context(), timeout=20)
    plain = http.client.HTTPConnection(service.host, service.http, timeout=20)
    for c in tls, plain:
        c.request("GET", "/login.html")
        assert c.getresponse().read()
    keep = [tls.sock, plain.sock]
    modify(service.local(), {"name": "https", "port": port})
    # At once, without waiting.
    assert listens(service, port) and not listens(service, service.https)
    for c, sock in zip((tls, plain), keep):
        c.request("GET", "/login.html")
        assert c.getresponse().read() and c.sock is sock
        c.close()
    found = services(service.local())["https"]
    assert found["port"] == port and found["enabled"]


def test_swap(service, back):
    """Two services change their ports in one step."""
    modify(service.local(), {"name": "http", "port": service.https},
           {"name": "https", "port": service.http})
    assert service.wire_certificate(port=service.http)
    c = http.client.HTTPConnection(service.host, service.https, timeout=20)
    c.request("GET", "/health/ready")
    assert c.getresponse().status == 200
    c.close()


def test_off_and_on(service, back):
    modify(service.api(), {"name": "http", "setting": False})
    assert not listens(service, service.http)
    assert services(service.api())["http"]["enabled"] is False
    modify(service.api(), {"name": "http", "setting": True})
    assert listens(service, service.http)


def test_conflicts(service, back):
    api = service.api()
    fault(42, "HTTP and HTTPS would both use tcp port", modify, api,
          {"name": "http", "port": service.https})
    fault(42, "SIP (TLS)", modify, api, {"name": "sips_tcp", "port": service.http})
    # Another transport, or switched off, is none.
    modify(api, {"name": "sip_udp", "setting": True, "port": service.https})
    # A port of another program: the old stays, and is still served.
    with socket.socket() as other:
        other.bind((service.host, 0))
        other.listen()
        port = other.getsockname()[1]
        refused = fault(42, f"port {port}", modify, api, {"name": "https", "port": port})
        assert "in use" in refused.faultString
        refused = fault(42, f"port {port}", modify, api, {"name": "http", "port": port},
                        {"name": "sip_udp", "setting": False})
        found = services(api)
        assert found["https"]["port"] == service.https and found["https"]["enabled"]
        assert found["http"]["port"] == service.http and found["http"]["enabled"]
        assert found["sip_udp"]["setting"]  # all of a change or nothing
    assert listens(service, service.http) and listens(service, service.https)
    events = service.local().call("auditlog.enumerate", numEvents=200,
                                  filter={"text": str(port)})["events"]
    assert {e["event"] for e in events} == {"changeRefused"}


def test_two_move_and_one_cannot(service, back):
    free, = free_ports(1)
    with socket.socket() as other:
        other.bind((service.host, 0))
        other.listen()
        taken = other.getsockname()[1]
        fault(42, str(taken), modify, service.local(), {"name": "http", "port": free},
              {"name": "https", "port": taken})
    assert listens(service, service.http) and not listens(service, free)


def test_lock_out(service, back):
    """Switching off the service by which one calls."""
    for tls, name in (True, "https"), (False, "http"):
        api = service.api(tls=tls)
        fault(1007, "which would be off", modify, api, {"name": name, "setting": False})
        assert services(api)[name]["setting"]
    # The other one, or another port, is fine; so is doing it by force.
    modify(service.api(tls=False), {"name": "https", "setting": False})
    modify(service.api(tls=False), {"name": "http", "setting": False}, force=True)
    assert not listens(service, service.http) and not listens(service, service.https)


def test_original_form(service, back):
    """The form of the original: lists by Ethernet port and version of IP."""
    block, = service.api().call("services.query")["ports"]
    assert (block["port"], block["protocol"]) == ("A", "IPv4")
    rows = {s["name"]: s for s in block["services"]}
    assert rows["https"]["enabled"] and rows["https"]["port"] == service.https
    assert "port" not in rows["sip_udp"] and not rows["sip_udp"]["enabled"]
    port, = free_ports(1)
    row = {"name": "http", "type": "tcp", "setting": True, "port": port}
    service.api().call("services.modify", ports=[
        {"port": "A", "protocol": "IPv4", "services": [row]},
        {"port": "A", "protocol": "IPv6", "services": [row]}])
    assert listens(service, port)
    fault(102, "two values", service.api().call, "services.modify", ports=[
        {"port": "A", "protocol": "IPv4", "services": [row]},
        {"port": "A", "protocol": "IPv6", "services": [{**row, "port": port + 1}]}])


HOSTILE = {
    "nothing": ({}, 102),
    "no list": ({"services": "http"}, 103),
    "empty": ({"services": []}, 102),
    "no struct": ({"services": ["http"]}, 103),
    "no name": ({"services": [{"setting": True}]}, 101),
    "unknown": ({"services": [{"name": "ssh", "setting": True}]}, 102),
    "unknown, long": ({"services": [{"name": "x" * 40, "setting": True}]}, 102),
    "wrong transport": ({"services": [{"name": "http", "type": "udp", "setting": True}]}, 102),
    "port 0": ({"services": [{"name": "http", "port": 0}]}, 102),
    "port 65536": ({"services": [{"name": "http", "port": 65536}]}, 102),
    "port as text": ({"services": [{"name": "http", "port": "80"}]}, 103),
    "setting as int": ({"services": [{"name": "http", "setting": 1}]}, 103),
    "twice": ({"services": [{"name": "http", "port": 1}, {"name": "http", "port": 2}]}, 102),
    "many": ({"services": [{"name": "http", "setting": True}] * 33}, 102),
    "three ports": ({"ports": [{"services": []}] * 3}, 102),
    "ports without services": ({"ports": [{"port": "A"}]}, 101),
    "too short": ({"services": [{"name": "http", "setting": True}],
                   "confirmWithinSeconds": 9}, 102),
    "force as text": ({"services": [{"name": "http", "setting": True}], "force": "yes"}, 103),
}


@pytest.mark.parametrize("row", HOSTILE)
def test_hostile_members(service, row):
    members, code = HOSTILE[row]
    fault(code, "", service.local().call, "services.modify", **members)


# --- the redirect

def get(service, path="/", host=None, method="GET", body=None):
    c = http.client.HTTPConnection(service.host, service.http, timeout=20)
    c.putrequest(method, path, skip_host=True)
    c.putheader("Host", host if host is not None else f"{service.host}:{service.http}")
    if body is not None:
        c.putheader("Content-Type", "text/xml")
        c.putheader("Content-Length", str(len(body)))
    c.endheaders(body)
    answer = c.getresponse()
    answer.read()
    c.close()
    return answer.status, answer.getheader("Location")


def test_redirect(service, back):
    api = service.api()
    assert get(service)[0] == 200
    api.call("security.modify", redirectHttp=True)
    to = f":{service.https}"
    rows = [
        ({}, f"https://{service.host}{to}/"),
        ({"path": "/status/status.html?a=b&c"},
         f"https://{service.host}{to}/status/status.html?a=b&c"),
        ({"host": "bridge.example.com"}, f"https://bridge.example.com{to}/"),
        ({"host": "bridge.example.com:80"}, f"https://bridge.example.com{to}/"),
        ({"host": "[::1]:8080"}, f"https://[::1]{to}/"),
        ({"path": "/RPC2", "method": "POST", "body": b"<x/>"}, f"https://{service.host}{to}/RPC2"),
        ({"path": "//evil.example/"}, f"https://{service.host}{to}//evil.example/"),
        ({"path": "/" + "x" * 5000}, f"https://{service.host}{to}/"),
    ]
    for how, location in rows:
        assert get(service, **how) == (308, location), how
    # What cannot be a host is not repeated.
    for host in ("evil.example/@x", "a\"><script>", "user@evil.example", "x" * 300, "[::1",
                 "evil.example:80:80", "evil.example:x", ""):
        status, location = get(service, host=host)
        assert status == 400 or (status, location) == (308, f"https://{service.host}{to}/"), host
    for path in "/health/live", "/health/ready":
        assert get(service, path)[0] == 200
    # A service that it needs stays on.
    for name in "http", "https":
        fault(201, "switch it off first", modify, service.local(),
              {"name": name, "setting": False})
    api.call("security.modify", redirectHttp=False)
    modify(api, {"name": "http", "setting": False})
    fault(201, "switch both on first", api.call, "security.modify", redirectHttp=True)


# --- not there

def test_ready_needs_the_services(make_service):
    """A port that is taken at the start: 503, and why; served once it is free."""
    service = make_service()
    service.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((service.host, service.http))
        other.listen()
        service.start_bare()
        service.wait_ready()
        row = services(service.local())["http"]
        assert row["setting"] and not row["enabled"] and str(service.http) in row["problem"]
        c = http.client.HTTPSConnection(service.host, service.https,
                                        context=service.context(), timeout=20)
        c.request("GET", "/health/ready")
        assert c.getresponse().status == 503
        c.close()
    wait_for(lambda: services(service.local())["http"]["enabled"], 30, "HTTP")


def test_descriptors(make_service):
    """A shell's soft limit is no limit: as many as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    service = make_service(start=False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        service.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limits = pathlib.Path(f"/proc/{service.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3:5] == [str(hard)] * 2, line
