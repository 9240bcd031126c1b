# SPDX-License-Identifier: GPL-3.0-or-later
"""Events and audit records to syslog servers, good and bad ones."""

import datetime
import hashlib
import json
import re
import ssl
import xmlrpc.client

import pytest

from certificates import DAY, Authority, der, key_pem, new_key, pem
from sealbridge_service import free_ports, wait_for
from syslog_receivers import Receiver, Rsyslogd, identity

QUEUE_MESSAGES = 4096
SOFTWARE = {"software": "sealbridged"}
NO_CHECK = 'The certificate of the server is not checked, as "Server certificate ' \
           'security" is "No verification".'


@pytest.fixture(scope="module")
def world(service, tmp_path_factory):
    """An authority that our trust store has, our certificate by it, servers."""
    root = Authority("Syslog CA")
    stranger = Authority("Stranger CA")
    api = service.local()
    api.call("trustStore.upload", trustStore="https", certificates=root.pem)
    put_in_service(api, root)
    now = datetime.datetime.utcnow()
    folder = tmp_path_factory.mktemp("servers")
    return {
        "root": root,
        "good": identity(folder / "good", root),
        "stranger": identity(folder / "stranger", stranger),
        "stranger_pem": stranger.pem,
        "elsewhere": identity(folder / "elsewhere", root, common_name="other",
                              names=("DNS:other.example",)),
        "expired": identity(folder / "expired", root,
                            not_before=now - 9 * DAY, not_after=now - DAY),
    }


def put_in_service(api, authority):
    """A new certificate for us; its DER."""
    key = new_key()
    certificate = authority.issue(key, "mcu.example", ("DNS:mcu.example",))
    api.call("certificate.upload", certificate=pem(certificate), privateKey=key_pem(key))
    api.call("certificate.activate")
    return der(certificate)


@pytest.fixture(autouse=True)
def off_again(service):
    yield
    api = service.local()
    api.call("syslog.configure", enabled=False, audit=False)
    api.call("syslog.configure", server="")
    api.call("verification.configure", serverCertificate="none")
    api.call("security.modify", minimumVersion="1.2", webSessionTimeoutMinutes=30)
    wait_for(lambda: query(service)["state"] == "off", what="off")


def query(service):
    return service.local().call("syslog.query")


def send_to(service, port, host="127.0.0.1", audit=False, check="verify"):
    api = service.local()
    api.call("verification.configure", serverCertificate=check)
    api.call("syslog.configure", enabled=True, server=f"{host}:{port}", audit=audit)


def wait_state(service, state, words=""):
    def there():
        now = query(service)
        return now["state"] == state and words in now["problem"] and now
    return wait_for(there, what=f"{state}: {words}")


def send_test(service):
    return service.local().call("syslog.test")


def fail_to_log_in(service, name):
    with pytest.raises(xmlrpc.client.Fault):
        service.api(name, "wrong").call("user.enumerate")


def leave_record(service, minutes):
    """An audit record that tells itself from others."""
    service.local().call("security.modify", webSessionTimeoutMinutes=minutes)


def minutes_of(messages):
    return [int(m.data["fields@32473"]["to"]) for m in messages
            if m.id == "settingChanged" and
            m.data["fields@32473"]["setting"] == "security.webSessionTimeoutMinutes"]


# --- what is sent


def check_member_by_member(parts, message):
    """What rsyslogd has read is what we read."""
    priority, time, host, app, process, name, _, text = parts
    assert int(priority) == message.facility * 8 + message.severity
    assert (host, app, process, name) == (
        message.host, message.app, message.process, message.id)
    assert time.startswith(message.time[:19])
    assert text.lstrip("\ufeff") == message.text


@pytest.mark.parametrize("driver", ["ossl", "gtls"])
def test_rsyslogd(service, world, tmp_path, driver):
    """Both of Debian's drivers, each with certificates on both sides."""
    with Rsyslogd(tmp_path, driver, world["good"], world["root"].pem) as server:
        send_to(service, server.port, audit=True)
        assert wait_state(service, "connected")["problem"] == ""
        fail_to_log_in(service, 'eve"]\\[x')
        fail_to_log_in(service, "K\u00f6nig")
        assert send_test(service) == {"sent": True, "problem": ""}

        def all_there():
            texts = [m.text for _, m in server.messages()]
            return any("test message" in t for t in texts) and server.messages()

        found = wait_for(all_there, what="the messages in rsyslogd's file")
    for parts, message in found:
        check_member_by_member(parts, message)
    users = [m.data["audit@32473"].get("user") for _, m in found if m.id == "loginFailed"]
    assert users == ['eve"]\\[x', "K\u00f6nig"]
    assert [m.sequence for _, m in found] == list(
        range(found[0][1].sequence, found[0][1].sequence + len(found)))


def test_members(service, world):
    """Facility, severity and structured data of each kind of message."""
    with Receiver(world["good"]) as server:
        send_to(service, server.port, audit=True)
        fail_to_log_in(service, "nobody-here")
        record = server.wait(id="loginFailed", facility=10)
        assert record.severity == 4
        assert record.data["audit@32473"]["user"] == "nobody-here"
        assert record.data["audit@32473"]["peer"] == "127.0.0.1"
        assert record.data["audit@32473"]["severity"] == "Warning"
        send_test(service)
        event = server.wait(id="syslog", facility=3)
        assert (event.severity, event.text) == (5, "This is a test message, sent on request")
        assert event.app == "sealbridged" and event.process == str(service.pid)
        assert SOFTWARE.items() <= event.data["origin"].items()
        age = datetime.datetime.utcnow() - datetime.datetime.strptime(
            event.time, "%Y-%m-%dT%H:%M:%S.%fZ")
        assert abs(age) < datetime.timedelta(minutes=5)
        assert server.problems == []


def test_record_is_the_one_on_disk(service, world):
    with Receiver(world["good"]) as server:
        send_to(service, server.port, audit=True)
        leave_record(service, 17)
        sent = server.wait(lambda m: minutes_of([m]) == [17])
        index = int(sent.data["audit@32473"]["index"])
        kept = service.local().call("auditlog.enumerate", index=index, numEvents=1)["events"][0]
    assert (kept["index"], kept["event"]) == (index, "settingChanged")
    assert sent.data["fields@32473"]["from"] == "30"
    assert sent.data["audit@32473"]["user"] == kept["userName"]
    assert sent.data["audit@32473"]["module"] == kept["module"]
    assert sent.text.endswith(kept["detail"]) or kept["detail"] == ""


def test_audit_on_and_off(service, world):
    api = service.local()
    with Receiver(world["good"]) as server:
        send_to(service, server.port)
        wait_state(service, "connected")
        leave_record(service, 11)
        api.call("syslog.configure", audit=True)
        leave_record(service, 12)
        api.call("syslog.configure", audit=False)
        leave_record(service, 13)
        assert send_test(service)["sent"]
        server.wait(id="syslog")
        assert minutes_of(server.messages(facility=10)) == [12]


def test_nothing_goes_round(service, world):
    """What the sending itself logs is not sent: else each message made another."""
    with Receiver(world["good"]) as server:
        send_to(service, server.port, audit=True)
        wait_state(service, "connected")
    wait_state(service, "failed")
    port = server.port
    with Receiver(world["good"], port=port) as server:
        assert send_test(service)["sent"]
        server.wait(id="syslog")
        assert len(server.messages(id="syslog")) == 1
        wait_for(lambda: query(service)["waiting"] == 0, what="an empty queue")
        assert len(server.messages(id="syslog")) == 1
    assert "connected to 127.0.0.1 port" in service.log()


# --- whom we trust, who trusts us


def test_our_certificate(service, world):
    """Shown when the server asks; a new one as soon as it is activated."""
    root = world["root"]
    with Receiver(world["good"], client_ca=root.pem) as server:
        send_to(service, server.port)
        assert send_test(service)["sent"]
        wait_for(lambda: server.clients, what="the first connection")
        before = hashlib.sha256(server.clients[0]).hexdigest()
        assert before == service.wire_fingerprint()
        ours = put_in_service(service.local(), root)
        wait_for(lambda: ours in server.clients, what="a connection with the new certificate")
        assert send_test(service)["sent"]
        # Acknowledged by the kernel, read a little later.
        wait_for(lambda: len(server.messages(id="syslog")) >= 2, what="the second message")
        assert len(server.messages(id="syslog")) == 2
        assert server.problems == []


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_server_that_does_not_trust_us(service, world, version):
    """Nothing is lost to it: what was refused comes once we are welcome."""
    maximum = getattr(ssl.TLSVersion, version)
    with Receiver(world["good"], client_ca=world["stranger_pem"], maximum=maximum) as server:
        send_to(service, server.port)
        wait_state(service, "failed", "unknown_ca")
        reply = send_test(service)
        assert not reply["sent"] and "unknown_ca" in reply["problem"]
        assert query(service)["waiting"] >= 1
        assert server.messages() == []
        port = server.port
    with Receiver(world["good"], port=port, client_ca=world["root"].pem) as server:
        server.wait(id="syslog")


@pytest.mark.parametrize("who,words", [
    ("stranger", "certificate of the peer refused"),
    ("elsewhere", "other.example"),
    ("expired", "expired"),
])
def test_server_that_we_do_not_trust(service, world, who, words):
    with Receiver(world[who]) as server:
        send_to(service, server.port)
        wait_state(service, "failed", words)
        reply = send_test(service)
        assert not reply["sent"] and words in reply["problem"]
        assert server.messages() == []
        # Without a check it is taken at once, and the state says so.
        service.local().call("verification.configure", serverCertificate="none")
        assert wait_state(service, "connected")["problem"] == NO_CHECK
        server.wait(id="syslog")


def test_trust_store_changes(service, world):
    """A connection that would not come about any more does not stay."""
    api = service.local()
    with Receiver(world["stranger"]) as server:
        send_to(service, server.port)
        wait_state(service, "failed", "refused")
        api.call("trustStore.upload", trustStore="https",
                 certificates=world["root"].pem + world["stranger_pem"])
        assert wait_state(service, "connected")["problem"] == ""
        api.call("trustStore.upload", trustStore="https", certificates=world["root"].pem)
        wait_state(service, "failed", "refused")


def test_lowest_version(service, world):
    with Receiver(world["good"], maximum=ssl.TLSVersion.TLSv1_2) as server:
        send_to(service, server.port)
        wait_state(service, "connected")
        service.local().call("security.modify", minimumVersion="1.3")
        wait_state(service, "failed")
        service.local().call("security.modify", minimumVersion="1.2")
        wait_state(service, "connected")


# --- servers that behave badly


@pytest.mark.parametrize("behaviour", ["plain", "drops", "closes"])
def test_rude_servers(service, world, behaviour):
    """The service goes on; the problem is told; the server is not stormed."""
    with Receiver(world["good"], behaviour=behaviour) as server:
        send_to(service, server.port, audit=True)
        assert wait_state(service, "failed")["problem"]
        leave_record(service, 14)
        reply = send_test(service)
        assert behaviour == "closes" or not reply["sent"]
        assert server.connections < 10
    with Receiver(world["good"], port=server.port) as server:
        assert send_test(service)["sent"]
        server.wait(id="syslog")
        if behaviour != "closes":  # that one may have swallowed some
            assert minutes_of(server.messages()) == [14]


def test_server_that_never_reads(service, world):
    """Appends, calls and the end of the service do not wait for it."""
    with Receiver(world["good"], behaviour="never reads", receive_bytes=4096) as server:
        send_to(service, server.port, audit=True)
        wait_state(service, "connected")
        for n in range(1, 50):
            leave_record(service, n)
        assert service.local().call("auditlog.verify")["intact"]
        # Another server takes over, with what was not acknowledged.
        with Receiver(world["good"]) as better:
            service.local().call("syslog.configure", server=f"127.0.0.1:{better.port}")
            assert send_test(service)["sent"]


def test_server_that_talks(service, world):
    """What it says is passed over, and does not keep messages from it."""
    with Receiver(world["good"], behaviour="talks") as server:
        send_to(service, server.port, audit=True)
        leave_record(service, 18)
        server.wait(lambda m: minutes_of([m]) == [18])
        service.local().call("syslog.configure", enabled=False)
        wait_state(service, "off")


def test_restarts(service, world):
    """What happens while the server is away comes when it is back, in order."""
    port = free_ports(1)[0]
    dropped = query(service)["dropped"]
    send_to(service, port, audit=True)
    wait_state(service, "failed", "Connection refused")
    names = [n for n in range(1, 60) if n != 30]
    for name in names[:10]:
        leave_record(service, name)
    with Receiver(world["good"], port=port) as first:
        first.wait(lambda m: minutes_of([m]) == [names[9]])
        wait_for(lambda: query(service)["waiting"] == 0, what="all of it acknowledged")
    wait_state(service, "failed")
    for name in names[10:]:
        leave_record(service, name)
    waiting = query(service)
    assert waiting["waiting"] >= 48 and waiting["dropped"] == dropped
    with Receiver(world["good"], port=port) as second:
        second.wait(lambda m: minutes_of([m]) == [names[-1]])
    together = first.messages() + second.messages()
    assert minutes_of(together) == names
    assert [m.sequence for m in together] == list(
        range(together[0].sequence, together[0].sequence + len(together)))
    assert first.problems == second.problems == []


def test_more_than_the_queue_holds(service, world):
    """The oldest go, are counted, and the server hears how many."""
    api = service.local()
    port = free_ports(1)[0]
    before = query(service)["dropped"]
    send_to(service, port, audit=True)
    wait_state(service, "failed")
    for n in range(QUEUE_MESSAGES // 16 + 3):
        api.call("system.batch", calls=[
            {"methodName": "security.modify",
             "params": {"webSessionTimeoutMinutes": 1 + (16 * n + k) % 60}}
            for k in range(16)])
    now = query(service)
    lost = now["dropped"] - before
    assert now["waiting"] == QUEUE_MESSAGES and lost > 0
    with Receiver(world["good"], port=port) as server:
        assert send_test(service)["sent"]
        told = server.wait(lambda m: "were dropped" in m.text, id="syslog")
        got = server.messages()
    assert told.severity == 4
    # The test, and what the service says meanwhile, need room as well.
    assert int(told.text.split()[0]) - lost in range(5)
    numbers = [m.sequence for m in got]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= QUEUE_MESSAGES and server.problems == []


def test_off_forgets(service):
    api = service.local()
    send_to(service, free_ports(1)[0], audit=True)
    wait_state(service, "failed")
    leave_record(service, 15)
    assert query(service)["waiting"] > 0
    dropped = query(service)["dropped"]
    api.call("syslog.configure", enabled=False)
    now = wait_state(service, "off")
    assert now["waiting"] == 0 and now["dropped"] > dropped and now["problem"] == ""


def test_last_words(make_service, world):
    """The end of the service still goes out."""
    own = make_service()
    with Receiver(world["good"]) as server:
        own.local().call("syslog.configure", enabled=True, audit=True,
                         server=f"localhost:{server.port}")
        assert send_test(own)["sent"]
        own.stop()
        assert server.wait(id="serviceStopped").facility == 10
        own.start()
        assert server.wait(id="serviceStarted").facility == 10


@pytest.mark.parametrize("behaviour,state", [
    ("never reads", "connected"), ("talks", "connected"), ("silent", "connecting"), ("drops", "failed")])
def test_end_of_the_service(make_service, world, behaviour, state):
    """It is not held up, whatever the server does; nor is a restart."""
    own = make_service()
    api = own.local()
    with Receiver(world["good"], behaviour=behaviour, receive_bytes=4096) as server:
        api.call("syslog.configure", enabled=True, audit=True,
                 server=f"127.0.0.1:{server.port}")
        wait_state(own, state)
        for minutes in range(1, 20):
            leave_record(own, minutes)
        seen = server.connections
        api.call("device.restart")
        wait_for(lambda: server.connections > seen, 60, "a connection after the restart")
        own.stop()
    assert own.log().count("ending") >= 1


def test_silent_server(service, world):
    """One that takes the connection and says nothing has its time."""
    with Receiver(world["good"], behaviour="silent") as server:
        send_to(service, server.port, audit=True)
        wait_state(service, "failed", "in the time allowed")
        leave_record(service, 16)
        wait_state(service, "connecting")
        # A better one does not wait for the time of a worse one.
        with Receiver(world["good"]) as better:
            service.local().call("syslog.configure", server=f"127.0.0.1:{better.port}")
            better.wait(lambda m: minutes_of([m]) == [16])


# --- settings


@pytest.mark.parametrize("server", [
    " ", "log example", "log.example:", "log.example:0", "log.example:65536",
    "log.example:syslog", "log.example:1:2", "::1", "[::1", "[log.example]:1",
    "https://log.example", "log.example/x", "user@log.example", "192.0.2", "a..b",
    "l\u00f6g.example", "log\nexample", "a" * 254, "x" * 64 + ".example",
])
def test_refused_servers(service, server):
    with pytest.raises(xmlrpc.client.Fault) as fault:
        service.local().call("syslog.configure", server=server)
    assert "server" in fault.value.faultString
    assert query(service)["server"] == ""


@pytest.mark.parametrize("server", [
    "log.example", "log.example:1", "log.example.:65535", "192.0.2.1", "[2001:db8::1]",
    "[::1]:10514", "a" * 63 + ".example:6514",
])
def test_accepted_servers(service, server):
    service.local().call("syslog.configure", server=server)
    assert query(service)["server"] == server


@pytest.mark.parametrize("members,words", [
    ({"enabled": True}, "name of the server"),
    ({"enabled": True, "server": ""}, "name of the server"),
    ({"enabled": "yes"}, "enabled"),
    ({"audit": 1}, "audit"),
    ({"server": 6514}, "server"),
    ({"server": "x" * 300}, "server"),
    ({}, "no setting"),
])
def test_refused_settings(service, members, words):
    with pytest.raises(xmlrpc.client.Fault) as fault:
        service.local().call("syslog.configure", **members)
    assert words in fault.value.faultString
    now = query(service)
    assert (now["enabled"], now["audit"], now["server"], now["state"]) == (
        False, False, "", "off")


def test_no_server_without_switching_off(service):
    send_to(service, free_ports(1)[0])
    with pytest.raises(xmlrpc.client.Fault) as fault:
        service.local().call("syslog.configure", server="")
    assert "switch the sending off first" in fault.value.faultString


def test_test_needs_it_on(service):
    with pytest.raises(xmlrpc.client.Fault) as fault:
        send_test(service)
    assert "syslog.enabled" in fault.value.faultString


def test_unknown_host(service):
    service.local().call("syslog.configure", enabled=True, server="no-such-host.invalid")
    wait_state(service, "failed", "no-such-host.invalid")


def test_rights(service):
    service.local().call("user.add", userName="watcher", password="Watch 1 out!",
                         privilege="conference detail", forceChange=False)
    api = service.api("watcher", "Watch 1 out!")
    for method in "syslog.query", "syslog.test", "syslog.configure":
        with pytest.raises(xmlrpc.client.Fault):
            api.call(method)
    service.local().call("user.delete", userName="watcher")


def test_command(service, world):
    """sealbridgectl syslog show, test."""
    shown = service.ctl("syslog", "show")
    assert shown.returncode == 0 and re.search(r"State: +off\n", shown.stdout)
    assert service.ctl("syslog", "test").returncode == 1
    with Receiver(world["good"]) as server:
        send_to(service, server.port)
        done = service.ctl("syslog", "test")
        assert done.returncode == 0 and done.stdout.startswith("Sent:"), done.stderr
        shown = service.ctl("syslog", "show").stdout
        assert re.search(r"State: +connected\n", shown) and " sent, 0 waiting" in shown
        assert json.loads(service.ctl("--json", "syslog", "show").stdout)["state"] == "connected"
    wait_state(service, "failed")
    done = service.ctl("syslog", "test")
    assert done.returncode == 1 and "Connection refused" in done.stdout
    assert service.ctl("syslog", "show", "more").returncode == 2
    assert service.ctl("syslog", "test", "--port", "1").returncode == 2
