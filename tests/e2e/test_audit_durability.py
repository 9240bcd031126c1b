# SPDX-License-Identifier: GPL-3.0-or-later
"""What was acknowledged is recorded: on a full disk, and after kill -9."""

import collections
import http.client
import os
import pathlib
import random
import re
import sys
import threading

from sealbridge_service import run, wait_for

HERE = pathlib.Path(__file__).resolve().parent

CLIENTS = 8
ACKNOWLEDGED = 10000
KILLS = 8


def test_small_disk(tmp_path):
    """tests/e2e/small_disk.py where its file system can be mounted: root has a
    mount namespace of his own, others one in which they are root."""
    options = "-m" if os.geteuid() == 0 else "-rm"
    done = run("unshare", options, sys.executable, "-m", "pytest", "-q", "-p",
               "no:cacheprovider", "--basetemp", tmp_path / "small", HERE / "small_disk.py",
               timeout=280)
    print(done.stdout[-20000:], done.stderr[-2000:])
    assert done.returncode == 0


class Client(threading.Thread):
    """Renames an account of its own again and again, so that each call has a
    name that no other has; knows which of them were acknowledged."""

    def __init__(self, service, number, alive, counted):
        super().__init__(daemon=True)
        self.service, self.alive, self.counted = service, alive, counted
        self.prefix = f"client{number}-"
        self.serial = 0
        self.acknowledged = []
        self.ended = False
        service.local().call("user.add", userName=self.name_of(0), password="Right pass 1",
                             forceChange=False)

    def name_of(self, serial):
        return f"{self.prefix}{serial}"

    def run(self):
        while not self.ended:
            self.alive.wait()
            try:
                self.work(self.service.local())
            except (OSError, http.client.HTTPException):
                pass  # killed under the call: nobody knows what came of it

    def work(self, api):
        # The call that the kill interrupted may have been carried out.
        (self.serial,) = [int(user["userName"].removeprefix(self.prefix))
                          for user in api.call("user.enumerate")["users"]
                          if user["userName"].startswith(self.prefix)]
        while not self.ended:
            name = self.name_of(self.serial)
            assert api.call("user.modify", userName=name,
                            newUserName=self.name_of(self.serial + 1))["status"]
            self.serial += 1
            self.acknowledged.append(name)
            self.counted.release()


def wait_for_calls(counted, clients, count):
    for _ in range(count):
        while not counted.acquire(timeout=60):
            raise AssertionError([(c.name, c.is_alive(), len(c.acknowledged)) for c in clients])


def all_records(api):
    found, index, more = [], 0, True
    while more:
        batch = api.call("auditlog.enumerate", index=index, numEvents=200)
        found += batch["events"]
        more = batch["eventsRemaining"]
        index = found[-1]["index"] + 1
    return found


def test_kill_loses_no_acknowledged_record(make_service):
    service = make_service()
    shown = service.wire_fingerprint()
    alive, counted = threading.Event(), threading.Semaphore(0)
    clients = [Client(service, n, alive, counted) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    alive.set()
    part = ACKNOWLEDGED // (KILLS + 1)
    for _ in range(KILLS):
        wait_for_calls(counted, clients, part + random.randint(-part // 4, part // 4))
        alive.clear()
        service.kill()
        service.start_bare()
        alive.set()
    wait_for_calls(counted, clients, 1)
    wait_for(lambda: sum(len(c.acknowledged) for c in clients) >= ACKNOWLEDGED, 240,
             f"{ACKNOWLEDGED} calls")
    for client in clients:
        client.ended = True
    for client in clients:
        client.join(60)
        assert not client.is_alive()

    api = service.local()
    records = all_records(api)
    assert [r["index"] for r in records] == list(range(1, len(records) + 1))
    seen = collections.Counter(
        re.match("user: ([^;]*)", r["detail"])[1] for r in records
        if r["event"] == "userModified")
    acknowledged = [name for client in clients for name in client.acknowledged]
    assert len(acknowledged) >= ACKNOWLEDGED
    assert [name for name in acknowledged if seen[name] != 1] == []
    # Beyond these only what a kill kept from being acknowledged.
    assert sum(seen.values()) <= len(acknowledged) + KILLS * CLIENTS
    verdict = api.call("auditlog.verify")
    assert verdict["intact"] and verdict["checked"] >= len(records)
    # The token has come through as well.
    service.wait_ready()
    assert service.wire_fingerprint() == shown
    assert api.call("certificate.query")["local"]["keyStatus"] == "matches"
