# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs > Event log: filters, live view, what is kept, syslog."""

import socket
import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import wait_for
from syslog_receivers import Receiver, identity

PAGE = "/logs/event-log.html"
EVENTS = 120
POLL_SECONDS = 2
TELL_SECONDS = 15
HOSTILE = "<img src=x onerror=alert(1)>"


def garbage(service, count=1):
    """Clients that speak no TLS: one event of the group front each."""
    for _ in range(count):
        with socket.create_connection((service.host, service.https), 20) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            s.recv(100)


def events(service, **filters):
    """All events that fit, oldest first, as the API gives them."""
    found, index = [], 0
    while True:
        reply = service.local().call("eventlog.enumerate", index=index, numEvents=200,
                                     filter=filters)
        found += reply["events"]
        if not reply["eventsRemaining"]:
            return found
        index = reply["nextIndex"]


def cause(service):
    """One more event that each page shows; its index."""
    before = events(service, group="front")
    garbage(service)
    more = wait_for(lambda: events(service, group="front")[len(before):],
                    what="the event")
    return more[0]["index"]


@pytest.fixture(scope="module")
def busy(service):
    api = service.local()
    key = new_key("ecP256")
    api.call("certificate.upload", privateKey=key_pem(key),
             certificate=pem(Authority("Test CA").issue(key, HOSTILE)))
    api.call("certificate.activate")
    api.call("eventlog.configure", level="trace")
    garbage(service, EVENTS)
    wait_for(lambda: len(events(service, group="front")) >= EVENTS, what="the events")
    return service


@pytest.fixture
def page(busy, admin):
    admin.open(PAGE)
    return admin


def column(page, label):
    return page.texts(f".log-body [data-label='{label}']")


def indexes(page):
    return [int(text) for text in column(page, "Index")]


def wait_shown(page, index):
    page.until(lambda: index in indexes(page), f"event {index}")


def calls_of(page, method):
    """Count from now on how often the page calls a method."""
    page.script(
        """
        const real = fetch;
        window.counted = 0;
        window.fetch = (...how) => {
            window.counted += String(how[1]?.body).includes(arguments[0]);
            return real(...how);
        };
        """.replace("arguments[0]", f"'{method}'"))
    return lambda: page.script("return window.counted")


# --- what is shown

def test_newest_first_and_pages(page):
    first = indexes(page)
    assert len(first) == 50 and first == sorted(first, reverse=True)
    page.click("Older")
    page.until(lambda: indexes(page) and max(indexes(page)) < first[-1], "older events")
    page.wait_text("Live view waits")
    page.click("Newest")
    page.until(lambda: max(indexes(page), default=0) >= first[0], "the newest events")


@pytest.mark.parametrize("level, shown", [
    ("info", {"Error", "Warning", "Info"}), ("warning", {"Error", "Warning"}),
])
def test_level_and_graver(busy, page, level, shown):
    page.choose("Level, and graver", level)
    page.until(lambda: f"level={level}" in page.driver.current_url, "the address")

    def as_kept():
        # The page follows the log, in which there may be more by now.
        found = indexes(page)
        wanted = [e["index"] for e in events(busy, level=level)][::-1]
        newest = found[0] if found else 0
        return bool(found) == bool(wanted) and \
            found == [i for i in wanted if i <= newest][:50]

    page.until(as_kept, "the events of this level")
    assert set(column(page, "Level")) <= shown


def test_group_and_text_from_the_address(busy, page):
    page.open(f"{PAGE}?group=app&text=is%20ready")
    assert page.control("Group").get_attribute("value") == "app"
    assert set(column(page, "Group")) == {"app"}
    assert all("is ready" in text for text in column(page, "Message"))
    page.type("Text", "no event has this <b>text</b>")
    page.wait_text("No event fits the filter")
    page.click("Clear the filter")
    page.until(lambda: len(indexes(page)) == 50, "all events")


def test_markup_stays_text(page):
    page.type("Text", "in service")
    # Names are shown as RFC 4514 has them: with a backslash before < and >.
    page.wait_text(HOSTILE.replace("<", "\\<").replace(">", "\\>"), ".log-body")
    assert page.find_all(".log-body img") == []
    assert page.problems() == []


def test_download_is_what_the_api_gives(busy, page, tmp_path):
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(tmp_path)})
    page.choose("Group", "front")
    page.until(lambda: set(column(page, "Group")) == {"front"}, "the group")
    before = len(events(busy, group="front"))
    page.click("Download as text")
    page.wait_text("saved by the browser", "#event-result")
    file = wait_for(lambda: list(tmp_path.glob("event-log-*.txt")), 30, "the file")[0]
    lines = file.read_text().splitlines()
    wanted = events(busy, group="front")
    # Nothing is left out; a connection of the browser may have left one more meanwhile.
    assert EVENTS - 1 < before <= len(lines) <= len(wanted)
    for line, event in zip(lines, wanted):
        stamp, level, group, message = line.split(" ", 3)
        assert (level, group, message) == (event["level"], event["group"], event["message"])
        assert stamp.endswith(f".{event['milliseconds']:03}Z")


# --- live

def test_new_event_comes_by_itself(busy, page):
    index = cause(busy)
    wait_shown(page, index)
    shown = indexes(page)
    assert shown == sorted(set(shown), reverse=True)
    assert len(shown) == 50
    assert page.check() == []


def test_filter_holds_for_new_events(busy, page):
    page.choose("Group", "app")
    page.until(lambda: set(column(page, "Group")) == {"app"}, "the group")
    index = cause(busy)
    calls = calls_of(page, "eventlog.enumerate")
    page.until(lambda: calls() >= 2, "two polls")
    assert set(column(page, "Group")) == {"app"} and index not in indexes(page)


def test_nothing_moves_under_who_reads(busy, page):
    def read():
        row = page.find_all(".log-body tbody tr")[3]
        ActionChains(page.driver).move_to_element(row).perform()
        return page.find_all(".log-body:hover")

    page.until(read, "the pointer on a row")
    before = indexes(page)
    index = cause(busy)
    page.wait_text("new event", ".live .primary")
    assert indexes(page) == before
    page.click_at(".live .primary")
    wait_shown(page, index)
    assert page.focused_text() == "Pause"


def test_pause(busy, page):
    page.click("Pause")
    page.wait_text("Paused.", ".live")
    calls = calls_of(page, "eventlog.enumerate")
    index = cause(busy)
    time.sleep(2 * POLL_SECONDS)
    assert calls() == 0
    assert index not in indexes(page)
    page.click("Go on")
    wait_shown(page, index)


def test_hidden_page_asks_nothing(busy, page):
    page.script("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    calls = calls_of(page, "eventlog.enumerate")
    index = cause(busy)
    time.sleep(2 * POLL_SECONDS)
    assert calls() == 0
    page.script("delete document.hidden;"
                "document.dispatchEvent(new Event('visibilitychange'))")
    wait_shown(page, index)


def test_screen_readers_are_not_flooded(busy, page):
    """Rows are in no live region; the one there is tells a number now and then."""
    assert page.script(
        "return document.querySelector('.log-body').closest('[aria-live], [role=status]')") \
        is None
    page.script(
        """
        window.told = 0;
        new MutationObserver(() => { window.told += 1; }).observe(
            document.querySelector(".live [role=status]"), {childList: true});
        """)
    began = time.monotonic()
    for _ in range(3):
        wait_shown(page, cause(busy))
    told = page.script("return window.told")
    assert told <= 1 + (time.monotonic() - began) // TELL_SECONDS


# --- what is kept

def test_capture_level(busy, page):
    page.script("document.querySelector('#level-place input[value=error]').click()")
    page.script("document.querySelector('#level-place form').requestSubmit()")
    page.wait_text("Applied.", "#level-place")
    assert busy.local().call("eventlog.query")["level"] == "error"
    before = len(events(busy, group="front"))
    garbage(busy, 3)
    busy.local().call("eventlog.configure", level="trace")
    index = cause(busy)
    kept = events(busy, group="front")[before:]
    assert [e["index"] for e in kept] == [index]


def test_clear(fresh_service, make_browser):
    page = make_browser(fresh_service)
    page.log_in("admin", fresh_service.admin_password)
    page.open(PAGE)
    page.wait_text("is ready", ".log-body")
    page.click("Clear log")
    page.wait_text("Clear the event log?", "dialog")
    assert page.check() == []
    page.click("Cancel")
    assert events(fresh_service, text="is ready")
    page.click_at("#event-buttons .danger")
    page.until(lambda: page.find_all("dialog[open]"), "the question")
    page.click("Clear log")
    page.wait_text("is cleared", "#event-result")
    page.wait_no_text("is ready", ".log-body")
    assert events(fresh_service, text="is ready") == []
    audit = fresh_service.local().call(
        "auditlog.enumerate", filter={"event": "eventLogDeleted"})["events"]
    assert [r["userName"] for r in audit] == ["admin"]


# --- syslog

def labels(service):
    return {s["name"]: s["label"]
            for s in service.local().call("syslog.query")["settings"]}


def submit(page):
    page.script("document.querySelector('#syslog-place form').requestSubmit()")


def test_syslog(busy, page, nobody):
    label = labels(busy)
    assert "Off" in page.text("#syslog-state")
    page.type(label["server"], f"127.0.0.1:{nobody}")
    page.click(label["enabled"], "control")
    submit(page)
    page.wait_text("Applied.", "#syslog-place")
    page.wait_text("Not connected", "#syslog-state")
    assert "Problem" in page.text("#syslog-state")
    assert page.check() == []
    page.click("Send a test message")
    page.until(lambda: page.find_all("#syslog-buttons ~ .result .notice-error"),
               "why it was not sent")
    page.click(label["enabled"], "control")
    submit(page)
    page.wait_text("Off", "#syslog-state")
    assert busy.local().call("syslog.query")["enabled"] is False


def test_syslog_server_that_answers(busy, page, tmp_path):
    api = busy.local()
    root = Authority("Syslog CA")
    api.call("trustStore.upload", trustStore="https", certificates=root.pem)
    label = labels(busy)
    with Receiver(identity(tmp_path, root)) as server:
        page.type(label["server"], f"127.0.0.1:{server.port}")
        page.click(label["enabled"], "control")
        submit(page)
        page.wait_text("Connected", "#syslog-state")
        # Nobody has asked for its certificate to be checked, and the page says so.
        assert "not checked" in page.text("#syslog-state")
        api.call("verification.configure", serverCertificate="verify")

        def is_checked():
            page.click("Refresh")
            return "not checked" not in page.text("#syslog-state")

        page.until(is_checked, "the checked connection")
        page.click("Send a test message")
        page.wait_text("Sent:", "#syslog-buttons ~ .result")
        assert server.wait(id="syslog").text.startswith("This is a test message")
        api.call("syslog.configure", enabled=False)
    api.call("verification.configure", serverCertificate="none")
    api.call("trustStore.delete", trustStore="https")


@pytest.mark.parametrize("server", ["two words", "host:99999", "<b>:1", "host:"])
def test_servers_that_cannot_be(busy, page, server):
    before = busy.local().call("syslog.query")
    page.type(labels(busy)["server"], server)
    submit(page)
    page.until(lambda: page.find_all("#syslog-place .notice-error"), "the refusal")
    after = busy.local().call("syslog.query")
    assert after["server"] == before["server"]


# --- who may see it

def test_administrators_alone(busy, make_browser):
    busy.local().call("user.add", userName="lowly", password="Right pass 1",
                      privilege="conference list only", forceChange=False)
    page = make_browser(busy)
    page.log_in("lowly", "Right pass 1")
    page.open(PAGE)
    assert "Access denied" in page.text("main")
    assert "Event log" not in page.text("nav")


def test_few_requests(page):
    files = page.script(
        "return performance.getEntriesByType('resource').filter((e) =>"
        " e.startTime < performance.getEntriesByName('drawn')[0].startTime)"
        ".map((e) => new URL(e.name).pathname)")
    assert len(files) <= 25
    # Who is logged in, the state of the device, and the log: no more is asked.
    assert files.count("/RPC2") == 3
