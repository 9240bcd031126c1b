# SPDX-License-Identifier: GPL-3.0-or-later
"""A service whose state lies on a small file system that gets full.

Run by test_audit_durability.py inside a mount namespace of its own, where the
small file system can be mounted without being anybody else's business."""

import http.client
import os
import subprocess
import time
import xmlrpc.client

import pytest

from sealbridge_service import BUILD, Service, run, wait_for

SIZE_MB = 12
FAULT_FULL = 1013

# What changes something and is done on a full disk all the same.
WITHOUT_ROOM = {"auditlog.delete", "eventlog.delete", "change.revert"}


class Disk:
    """The small file system; full() leaves nothing of it."""

    def __init__(self, path):
        self.path = path
        self.filling = path / "filling"
        done = run("mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0700", "tmpfs", path)
        assert done.returncode == 0, done.stderr

    def fill(self):
        with open(self.filling, "ab", buffering=0) as f:
            for size in 1 << 20, 1 << 12, 1:
                try:
                    while f.write(b"\0" * size) == size:
                        pass
                except OSError:
                    pass
        assert self.left() == 0

    def free(self):
        self.filling.unlink()

    def left(self):
        fs = os.statvfs(self.path)
        return fs.f_bavail * fs.f_frsize


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    path = tmp_path_factory.mktemp("small")
    yield Disk(path)
    run("umount", path)


@pytest.fixture(scope="module")
def small(disk):
    with Service(state=disk.path / "state") as service:
        yield service


@pytest.fixture
def full(small, disk):
    disk.fill()
    yield small
    if disk.filling.exists():
        disk.free()


def fault(call, *args, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*args, **members)
    return caught.value


def is_full(error, disk):
    return (error.faultCode == FAULT_FULL
            and f"no room on the file system {disk.path} (" in error.faultString
            and "delete old audit records" in error.faultString)


def log_in(service):
    """A browser's log-in: a function that calls methods in its session."""
    connection = http.client.HTTPSConnection(
        service.host, service.https, timeout=60, context=service.context())
    headers = {"Content-Type": "text/xml"}

    def call(method, **members):
        connection.request("POST", "/RPC2", xmlrpc.client.dumps((members,), method), headers)
        reply = connection.getresponse()
        cookie = reply.getheader("Set-Cookie")
        (result,), _ = xmlrpc.client.loads(reply.read(), use_builtin_types=True)
        if cookie:
            headers["Cookie"] = cookie.partition(";")[0]
        return result

    result = call("session.login", userName="admin", password=service.admin_password)
    headers["X-CSRF-Token"] = result["csrfToken"]
    return call


def records(api, **wanted):
    """All records of the trail with these values."""
    found, index = [], 0
    while True:
        batch = api.call("auditlog.enumerate", index=index, numEvents=200, filter=wanted)
        found += batch["events"]
        if not batch["eventsRemaining"]:
            return found
        index = found[-1]["index"] + 1


def changing_methods(api):
    for method in api.call("system.listMethods")["methods"]:
        if api.call("system.methodSignature", methodName=method).get("changes"):
            yield method


def test_the_reserve_is_there(small):
    reserve = small.state / "audit.reserve"
    assert reserve.stat().st_blocks * 512 >= 1 << 20
    assert reserve.stat().st_mode & 0o777 == 0o600


def test_changes_are_refused_and_reading_goes_on(small, disk):
    local, api, session = small.local(), small.api(), log_in(small)
    accounts = local.call("user.enumerate")
    disk.fill()
    before = records(local)
    tried = 0
    for method in set(changing_methods(local)) - WITHOUT_ROOM:
        assert is_full(fault(local.call, method), disk), method
        tried += 1
    assert tried > 15
    assert is_full(fault(api.call, "user.add", userName="late", password="Right pass 1"), disk)
    assert is_full(fault(session, "user.delete", userName="guest"), disk)
    (inside,) = session("system.batch", calls=[
        {"methodName": "user.delete", "params": {"userName": "guest"}}])["results"]
    assert inside["faultCode"] == FAULT_FULL
    # Nothing happened, and whatever there is can be read by every way in.
    for door in local, api:
        assert records(door) == before
        assert door.call("user.enumerate") == accounts
        assert door.call("auditlog.verify")["intact"]
        assert door.call("auditlog.query")["writable"] is False
        assert door.call("certificate.query")["active"]
    assert session("device.query")["model"]
    assert any(w["id"] == "auditRoom" for w in session("security.warnings")["warnings"])
    assert small.ctl("audit", "list").returncode == 0
    assert "</record>" in small.ctl("audit", "export").stdout
    done = small.ctl("call", "user.delete", "userName=guest")
    assert done.returncode == 1 and "no room on the file system" in done.stderr
    connection = http.client.HTTPSConnection(small.host, small.https, context=small.context())
    connection.request("GET", "/login.html")
    assert connection.getresponse().status == 200
    disk.free()
    works_again(small)


def works_again(service):
    """By itself, as soon as there is room."""
    local = service.local()
    name = f"after{time.monotonic_ns()}"[:20]
    local.call("user.add", userName=name, password="Right pass 1")
    local.call("user.delete", userName=name)
    for event in "userAdded", "userDeleted":
        assert len(records(local, event=event, text=name)) == 1
    assert local.call("auditlog.verify")["intact"]
    assert local.call("auditlog.query")["writable"]
    assert (service.state / "audit.reserve").stat().st_size == 1 << 20
    warnings = local.call("security.warnings")["warnings"]
    assert not any(w["id"] == "auditRoom" for w in warnings)


def test_records_can_be_deleted(small, disk):
    """On a full disk: it makes room, leaves its record, and what is left is sound."""
    local = small.local()
    for n in range(100):
        local.call("user.modify", userName="guest", name=f"Guest {n}")
    disk.fill()
    last = local.call("auditlog.query")["lastIndex"]
    first = local.call("auditlog.query")["firstIndex"]
    assert local.call("auditlog.delete", deleteIndex=last - 9)["deleted"] == last - 9 - first
    assert local.call("auditlog.query")["firstIndex"] == last - 9
    (record,) = records(local, event="auditLogDeleted")
    assert record["fields"]["last"] == str(last - 10)
    verdict = local.call("auditlog.verify")
    assert verdict["intact"], verdict
    disk.free()
    works_again(small)


def test_log_ins_use_the_reserve_and_then_are_refused(small, disk):
    local, api, session = small.local(), small.api(), log_in(small)
    before = len(records(local, event="login"))
    entered, refusal = 0, None
    while refusal is None:
        disk.fill()
        assert entered < 300
        try:
            log_in(small)
            entered += 1
        except xmlrpc.client.Fault as error:
            refusal = error
    assert entered > 0
    assert is_full(refusal, disk) and "no log-in without its record" in refusal.faultString
    assert not (small.state / "audit.reserve").exists()
    # Each that came in has its record; who is in stays, and nothing is hidden.
    assert len(records(local, event="login")) == before + entered
    assert session("session.query")["userName"] == "admin"
    assert api.call("device.query")["model"]
    assert local.call("auditlog.query")["lost"] > 0
    assert is_full(fault(session, "user.delete", userName="guest"), disk)
    assert local.call("auditlog.verify")["intact"]
    disk.free()
    works_again(small)
    log_in(small)
    assert len(records(local, event="login")) == before + entered + 1


@pytest.mark.parametrize("ending", ["clean", "killed"])
def test_start_on_a_full_disk(small, disk, tmp_path, ending):
    """Whatever is there can be read; with room it goes on by itself."""
    before = records(small.local())
    small.kill() if ending == "killed" else small.stop()
    disk.fill()
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            [BUILD / "sealbridged", "-c", small.state / "sealbridge.conf"],
            env=small.softhsm_env(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def answers():
            assert process.poll() is None, (tmp_path / "log").read_text()[-3000:]
            return small.ctl("call", "system.listMethods").returncode == 0

        wait_for(answers, 60, "the control socket")
        small.wait_ready()
        local = small.local()
        assert records(local)[:len(before)] == before
        assert local.call("auditlog.verify")["intact"]
        disk.fill()
        assert is_full(fault(local.call, "user.delete", userName="guest"), disk)
        assert small.api().call("device.query")["model"]
        disk.free()
        works_again(small)
    finally:
        process.terminate()
        process.wait(60)
        if disk.filling.exists():
            disk.free()
        small.start()


def test_no_start_without_any_room(small, disk):
    """The reserve is what such a start takes: without it, it says why not."""
    small.stop()
    (small.state / "audit.reserve").unlink()
    disk.fill()
    try:
        done = run(BUILD / "sealbridged", "-c", small.state / "sealbridge.conf",
                   env=small.softhsm_env())
        assert done.returncode == 1
        assert f"no room on the file system {disk.path} (" in done.stderr
    finally:
        disk.free()
        small.start()
    works_again(small)


def test_deleting_records_makes_room(small, disk):
    """A disk that the audit trail itself has filled is mended by deletion."""
    local = small.local()
    for n in range(1500):
        local.call("user.modify", userName="guest", name=f"Guest {n} " + "x" * 20)
    last = local.call("auditlog.query")["lastIndex"]
    disk.fill()
    assert is_full(fault(local.call, "user.delete", userName="guest"), disk)
    deleted = local.call("auditlog.delete", deleteIndex=last)["deleted"]
    assert deleted > 1500
    assert disk.left() > 1 << 18
    works_again(small)
    assert len(records(local, event="auditLogDeleted")) == 1
    assert len(records(local)) < 100
