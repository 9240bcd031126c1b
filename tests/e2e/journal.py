# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service tells the journal when systemd runs it.

Run by test_journal.py inside a mount namespace of its own, where the socket of
the journal is ours."""

import array
import os
import pathlib
import socket
import struct
import threading
import xmlrpc.client

import pytest

from sealbridge_service import Service, run, wait_for

SOCKET = pathlib.Path("/run/systemd/journal/socket")
AUDIT_ID = "7d0a3c5f1b8e4a6f9c2d50b1e86f7a34"
HOSTILE = "eve\nPRIORITY=0\nSEALBRIDGE_EVENT=forged\x00<b>"


def parse(entry):
    """The fields of one datagram (systemd: JOURNAL_NATIVE_PROTOCOL) as pairs."""
    fields = []
    while entry:
        line, _, entry = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", entry)
            value, entry = entry[8:8 + length], entry[8 + length + 1:]
        fields.append((name.decode(), value.decode()))
    return fields


class Journal:
    """Stands in for systemd-journald; keeps every entry. It is read all the time: who
    writes waits where a few entries are unread."""

    def __init__(self):
        done = run("mount", "-t", "tmpfs", "tmpfs", "/run")
        assert done.returncode == 0, done.stderr
        SOCKET.parent.mkdir(parents=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(str(SOCKET))
        self.entries = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RD)
        self.thread.join()
        self.socket.close()
        SOCKET.unlink()

    def read(self):
        """What has come so far."""
        return list(self.entries)

    def _read(self):
        while True:
            data, extra, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(4))
            if not data and not extra:
                return  # close()
            for _, _, fds in extra:  # an entry too long for a datagram
                (fd,) = array.array("i", fds)
                with os.fdopen(fd, "rb") as f:
                    f.seek(0)
                    data = f.read()
            self.entries.append(parse(data))

    def find(self, **wanted):
        return [dict(fields) for fields in self.read()
                if wanted.items() <= dict(fields).items()]


@pytest.fixture(scope="module")
def journal():
    return Journal()


@pytest.fixture(scope="module")
def service(journal):
    """Its standard error is what systemd says is the journal's stream."""
    with Service() as service:
        service.stop()
        log = os.stat(service.state / "sealbridged.log")
        service.env = {"JOURNAL_STREAM": f"{log.st_dev}:{log.st_ino}"}
        service.before = service.log()
        service.start_bare()
        service.wait_ready()
        yield service


def test_events(service, journal):
    ready = wait_for(lambda: journal.find(
        SEALBRIDGE_GROUP="app", MESSAGE="app: sealbridged 0.1.0 is ready"), what="the event")
    assert ready == [{
        "MESSAGE": "app: sealbridged 0.1.0 is ready",
        "PRIORITY": "5",
        "SYSLOG_IDENTIFIER": "sealbridged",
        "SEALBRIDGE_GROUP": "app",
        "SEALBRIDGE_LEVEL": "info",
    }]


def test_each_record_is_one_entry(service, journal):
    service.local().call("user.add", userName="bob", password="Right pass 1")

    def entries():
        return journal.find(MESSAGE_ID=AUDIT_ID, SEALBRIDGE_EVENT="userAdded")

    (entry,) = wait_for(entries, what="the record")
    (record,) = service.local().call(
        "auditlog.enumerate", filter={"event": "userAdded"})["events"]
    assert entry["SEALBRIDGE_INDEX"] == str(record["index"])
    assert entry["SEALBRIDGE_PEER"] == entry["SEALBRIDGE_VIA"] == "local"
    assert entry["SEALBRIDGE_SEVERITY"] == "Info" and entry["PRIORITY"] == "5"
    assert entry["SEALBRIDGE_MODULE"] == "System"
    assert entry["MESSAGE"] == f"userAdded: {record['detail']}"
    for name, value in record["fields"].items():
        field = "".join("_" + c if c.isupper() else c for c in name).upper()
        assert entry[f"SEALBRIDGE_FIELD_{field}"] == value


def test_strangers_forge_no_field(service, journal):
    name = HOSTILE.replace("\x00", "")  # which XML cannot carry
    with pytest.raises(xmlrpc.client.Fault):
        service.api(name, "wrong").call("session.query")
    (entry,) = wait_for(lambda: journal.find(SEALBRIDGE_EVENT="loginFailed"), what="the record")
    assert entry["SEALBRIDGE_USER"] == name.replace("\n", " ")
    assert entry["PRIORITY"] == "4"
    for fields in journal.read():
        names = [field for field, _ in fields]
        assert len(names) == len(set(names)), fields
    assert not journal.find(SEALBRIDGE_EVENT="forged") and not journal.find(PRIORITY="0")


def test_nothing_is_said_twice(service, journal):
    """What the journal takes does not go to standard error as well."""
    assert journal.read()
    assert service.log() == service.before


def test_a_journal_that_is_gone_does_no_harm(service, journal):
    """The library says then that all is well: what goes there is lost, and stands
    in the event log and the audit trail all the same."""
    journal.close()
    service.local().call("user.add", userName="ann", password="Right pass 1")
    with pytest.raises(xmlrpc.client.Fault):
        service.api("nobody", "wrong").call("session.query")
    (record,) = service.local().call(
        "auditlog.enumerate", filter={"event": "loginFailed", "userName": "nobody"})["events"]
    assert record["peer"] == "127.0.0.1"
    assert service.local().call("auditlog.verify")["intact"]
