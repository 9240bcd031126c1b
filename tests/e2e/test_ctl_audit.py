# SPDX-License-Identifier: GPL-3.0-or-later
"""sealbridgectl audit: list, export, verify; test_audit_tampering.py has the rest."""

import json
import sqlite3
import xml.etree.ElementTree as ElementTree
import xmlrpc.client

import pytest


@pytest.fixture(scope="module")
def walked(service):
    """More records than one batch, or one piece of an export: 530 changes of one
    account, by name."""
    api = service.local()
    api.call("user.add", userName="walker", password="Right pass 1", forceChange=False)
    for n in range(530):
        api.call("user.modify", userName="walker", name=f"Walker {n}")
    with pytest.raises(xmlrpc.client.Fault):
        service.api("walker\n\x1b[2J", "wrong").call("device.query")
    return service


def listed(service, *options):
    done = service.ctl("--json", "audit", "list", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_list_is_whole_and_in_order(walked):
    records = listed(walked)
    assert [r["index"] for r in records] == list(range(1, len(records) + 1))
    assert len([r for r in records if r["event"] == "userModified"]) == 530
    assert set(records[0]) == {
        "index", "time", "module", "severity", "userName", "peer", "via", "event", "label",
        "detail", "fields", "format", "hash"}


def test_export_is_whole_and_in_order(walked):
    """What a list says."""
    done = walked.ctl("audit", "export")
    assert done.returncode == 0, done.stderr
    document = ElementTree.fromstring(done.stdout)
    records = listed(walked)
    assert len(records) > 500
    assert [int(r.get("index")) for r in document.iter("record")] == [
        r["index"] for r in records]
    for element, record in zip(document.iter("record"), records):
        assert element.get("hash") == record["hash"]
        assert element.findtext("event") == record["event"]
        assert {f.get("name"): f.text for f in element.iter("field")} == record["fields"]
    assert document.get("first") == "1" and document.get("last") == str(len(records))
    assert [int(h.get("record")) for h in document.iter("head")][-1] == len(records)


def test_filter(walked):
    changed = listed(walked, "--event", "userModified", "--user=local")
    assert len(changed) == 530
    assert listed(walked, "--event", "userAdded", "--text", "WALKER")
    assert listed(walked, "--event", "userAdded", "--text", "nobody of that name") == []
    assert listed(walked, "--severity", "Info", "--module", "System")
    lines = walked.ctl("audit", "list", "--event", "userAdded").stdout.splitlines()
    assert len(lines) == 1 and "userAdded" in lines[0] and "walker" in lines[0]
    assert " UTC " in lines[0]


def test_nothing_of_strangers_reaches_the_terminal(walked):
    done = walked.ctl("audit", "list")
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == len(listed(walked))


def test_wrong_use(walked):
    for args, code, words in [
            (("list", "more"), 2, "too many"), (("list", "--event"), 2, "no value"),
            (("list", "--colour", "red"), 2, "unknown option"),
            (("list", "--severity", "loud"), 1, "filter.severity"),
            (("verify", "--all"), 2, "unknown option"), ((), 2, "usage:")]:
        done = walked.ctl("audit", *args)
        assert done.returncode == code and words in done.stderr and done.stdout == "", args


def test_verify(walked):
    done = walked.ctl("audit", "verify")
    assert done.returncode == 0 and done.stdout.startswith("Intact: ")
    (database,) = walked.state.glob("**/sealbridge.db")
    with sqlite3.connect(database, timeout=20) as db:
        table = next(name for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'audit%' "
            "AND sql LIKE '%detail%'"))
        db.execute(f"UPDATE {table} SET detail = detail || '.' WHERE number = 7")
    db.close()
    done = walked.ctl("audit", "verify")
    assert done.returncode == 1 and done.stdout.startswith("Broken at record 7: ")
    done = walked.ctl("--json", "audit", "verify")
    assert done.returncode == 1 and json.loads(done.stdout)["firstBroken"] == 7
