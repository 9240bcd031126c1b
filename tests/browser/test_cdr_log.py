# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs > CDR log: pages of records, filter, download, deletion. That calls leave
records is tests/e2e's; here they are put into the database."""

import contextlib
import datetime
import sqlite3
import time
import xml.etree.ElementTree as ElementTree

import pytest
from selenium.webdriver.common.keys import Keys

PAGE = "/logs/cdr-log.html"
RECORDS = 90
PER_PAGE = 20
DAY = 86400
HOSTILE = "<img src=x onerror=alert(1)> & \"friends\""
COLUMNS = ("at", "kind", "conference", "participant", "address", "incoming", "transport",
           "encryption", "tls_version", "cipher", "peer_identity", "verified", "seconds",
           "reason")
OVER_TLS = ("TLS", "encrypted", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "CN=peer.example.com", 1)
NO_MEDIA = ("TLS", "unknown", *OVER_TLS[2:])
WRONG_HOST = "peerCertificateWrongHost"


@contextlib.contextmanager
def database(service):
    (path,) = service.state.glob("**/sealbridge.db")
    db = sqlite3.connect(path, timeout=20)
    try:
        with db:
            yield db
    finally:
        db.close()


def row(number, at):
    """Joined and left in turn; each tenth call never came about."""
    left = number % 2 == 0
    reason = "" if not left else WRONG_HOST if number % 10 == 0 else "remoteTeardown"
    name = HOSTILE if number == RECORDS else f"sip:user{number}@example.com"
    link = NO_MEDIA if reason == WRONG_HOST else OVER_TLS
    return (at, int(left), "Echo", name, name, number % 3 > 0, *link,
            0 if reason == WRONG_HOST else 65 * left, reason)


@pytest.fixture
def cdr(service):
    """The first half of them of the day before yesterday, the rest of today; the
    index of the first."""
    now = int(time.time())
    with database(service) as db:
        db.execute("DELETE FROM cdr")
        db.executemany(
            f"INSERT INTO cdr ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",
            [row(n, now - 2 * DAY if n <= RECORDS // 2 else now)
             for n in range(1, RECORDS + 1)])
        return db.execute("SELECT min(number) FROM cdr").fetchone()[0]


@pytest.fixture
def page(cdr, admin):
    admin.open(PAGE)
    return admin


def indexes(page):
    return [int(text.replace(",", "")) for text in page.texts(".log-toggle")]


def wait_indexes(page, wanted):
    page.until(lambda: indexes(page) == list(wanted), "these records")


def kept(service):
    return service.local().call("cdrlog.query")["numEvents"]


@pytest.fixture
def saved(tmp_path, page):
    """Downloads go into the folder it returns."""
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(tmp_path)})
    return tmp_path


def wait_document(page, folder):
    file = folder / "cdr_log.xml"
    page.until(file.is_file, "the download")
    return ElementTree.fromstring(file.read_text())


def test_pages_newest_first(cdr, page):
    last = cdr + RECORDS - 1
    wait_indexes(page, range(last, last - PER_PAGE, -1))
    page.click("Older")
    wait_indexes(page, range(last - PER_PAGE, last - 2 * PER_PAGE, -1))
    page.click("Newer")
    wait_indexes(page, range(last, last - PER_PAGE, -1))
    for n in range(1, 5):
        page.click("Older")
        page.wait_text(f"Records {last - n * PER_PAGE:,} to", ".log-place")
    page.wait_text("There are no older ones.")
    assert indexes(page)[-1] == cdr
    assert not page._named("button", "Older").is_enabled()


def test_buttons_keep_the_focus_at_the_ends(cdr, page):
    page.tab_to("Older")
    for n in range(1, 5):
        page.press(Keys.ENTER)
        page.wait_text(f"Records {cdr + RECORDS - 1 - n * PER_PAGE:,} to", ".log-place")
    page.until(lambda: page.focused_text() == "Newer", "the focus beside the end")
    page.tab_to("Newest")
    page.press(Keys.ENTER)
    wait_indexes(page, range(cdr + RECORDS - 1, cdr + RECORDS - 1 - PER_PAGE, -1))
    assert page.focused_text() == "Newest"


def test_page_that_cannot_be_had_is_tried_again(cdr, page):
    page.script("window.answers = fetch; window.fetch = () => Promise.reject(new TypeError('away'))")
    page.click("Older")
    page.wait_text("The service does not answer.", ".log-body")
    assert page.check() == []
    page.click("Try again")
    page.until(lambda: page.focused_text() == "Try again", "the focus where it was")
    page.script("window.fetch = window.answers")
    page.click("Try again")
    last = cdr + RECORDS - 1 - PER_PAGE
    wait_indexes(page, range(last, last - PER_PAGE, -1))
    page.until(lambda: page.focused_text().endswith("all of it"), "the focus in the records")


def test_newest_shows_what_came_meanwhile(service, cdr, page):
    with database(service) as db:
        db.execute(f"INSERT INTO cdr ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",
                   row(RECORDS + 1, int(time.time())))
    page.click("Newest")
    wait_indexes(page, range(cdr + RECORDS, cdr + RECORDS - PER_PAGE, -1))


def test_what_a_record_tells(cdr, page):
    last = cdr + RECORDS - 1
    page.find(f"#record-{last} .log-toggle").click()
    assert "None" in page.text(f"#record-{last} [data-label=Media]")
    detail = page.text(".log-detail:not([hidden])")
    for text in (HOSTILE, "Echo", "TLS 1.3, TLS_AES_256_GCM_SHA384", "CN=peer.example.com",
                 "Verified", "never connected", "is for another host",
                 "Call it by a name that stands in its certificate", WRONG_HOST):
        assert text in detail, text
    assert page.find_all("main img") == []
    assert "The other side hung up" in page.text(f"#record-{last - 2}")
    assert "1 min 5 s" in page.text(f"#record-{last - 2}")
    assert "Encrypted" in page.text(f"#record-{last - 2}")
    assert "Left" not in page.text(f"#record-{last - 1}")
    assert page.problems() == [] and page.check() == []


def test_a_call_that_was_up_when_the_service_was_killed(service, cdr, page):
    with database(service) as db:
        db.execute("UPDATE cdr SET reason = 'serviceInterrupted', seconds = 0 WHERE number = ?",
                   (cdr + RECORDS - 1,))
        db.execute("UPDATE cdr SET reason = 'serviceInterrupted' WHERE number = ?",
                   (cdr + RECORDS - 3,))
    page.driver.refresh()
    page.wait_drawn()
    last = cdr + RECORDS - 1
    assert "This device was interrupted" in page.text(f"#record-{last}")
    assert "0 s or more" in page.text(f"#record-{last}")
    assert "1 min 5 s or more" in page.text(f"#record-{last - 2}")
    page.find(f"#record-{last} .log-toggle").click()
    detail = page.text(".log-detail:not([hidden])")
    assert "lost power during the call" in detail and "serviceInterrupted" in detail
    assert "never connected" not in detail
    assert page.problems() == [] and page.check() == []


def test_filter_by_type_stands_in_the_address(cdr, page):
    page.choose("Type", "participantJoined")
    last = cdr + RECORDS - 1
    wait_indexes(page, range(last - 1, last - 1 - 2 * PER_PAGE, -2))
    assert "type=participantJoined" in page.driver.current_url
    page.driver.refresh()
    page.wait_drawn()
    wait_indexes(page, range(last - 1, last - 1 - 2 * PER_PAGE, -2))
    page.click("Clear the filter")
    wait_indexes(page, range(last, last - PER_PAGE, -1))


def test_download_has_all_records_with_the_names_of_the_original(cdr, page, saved):
    page.click("Download as XML")
    page.wait_text("cdr_log.xml is saved", "#cdr-result")
    root = wait_document(page, saved)
    assert root.tag == "cdr_log"
    assert [int(e.get("index")) for e in root] == list(range(cdr, cdr + RECORDS))
    assert {e.get("type") for e in root} == {"participant_joined", "participant_left"}
    last = root[-1]
    assert datetime.datetime.strptime(last.get("time"), "%Y-%m-%dT%H:%M:%SZ")
    assert last.findtext("participant_name") == HOSTILE
    assert last.findtext("disconnect_reason") == WRONG_HOST
    assert last.findtext("duration_seconds") == "0"
    assert root[-3].findtext("disconnect_reason") == "remoteTeardown"
    assert root[0].find("duration_seconds") is None


def test_download_holds_what_fits_the_filter(page, saved):
    page.choose("Type", "participantLeft")
    page.wait_text("as far as the filter", ".log-place")
    page.click("Download as XML")
    page.wait_text("It holds what fits the filter.", "#cdr-result")
    root = wait_document(page, saved)
    assert len(root) == RECORDS // 2
    assert {e.get("type") for e in root} == {"participant_left"}


def test_nothing_is_deleted_without_a_yes(service, page):
    page.click("Delete records")
    page.wait_text(f"{RECORDS} records would go", "dialog")
    assert page.focused_text() == "Cancel"
    page.click("Cancel")
    assert kept(service) == RECORDS


def test_delete_all(service, cdr, page):
    page.click("Delete records")
    page.wait_text(f"{RECORDS} records would go, {cdr:,} to {cdr + RECORDS - 1:,}.", "dialog")
    page.click(f"Delete {RECORDS} records")
    page.wait_text(f"Deleted: {RECORDS} records", "#cdr-result")
    assert kept(service) == 0
    page.wait_text("No call yet.", "#cdr-place")
    page.click("Delete records")
    page.wait_text("There is no record to delete.", "#cdr-result")
    record = service.local().call("auditlog.enumerate", newestFirst=True, numEvents=1,
                                  filter={"event": "cdrLogDeleted"})["events"][0]
    assert record["userName"] == "admin" and record["fields"]["deleted"] == str(RECORDS)


def test_deletion_is_told_also_when_the_service_answers_no_more(service, cdr, page):
    page.script("""
        const real = fetch;
        window.fetch = async (...how) => {
            const answer = await real(...how);
            if (String(how[1]?.body).includes("cdrlog.delete"))
                window.fetch = () => Promise.reject(new TypeError("away"));
            return answer;
        };""")
    page.click("Delete records")
    page.click(f"Delete {RECORDS} records")
    page.wait_text(f"Deleted: {RECORDS} records", "#cdr-result")
    assert "The service does not answer." in page.text("#cdr-state")
    assert "The service does not answer." in page.text("#cdr-place")
    assert kept(service) == 0


def test_delete_those_older_than_a_date(service, cdr, page):
    page.click("Delete records")
    page.find("dialog input[value=older]").click()
    page.click("Delete")
    assert "Choose a date." in page.wait_error_at("Older than")
    for day, count in ((-30, 0), (-1, RECORDS // 2)):
        date = datetime.date.today() + datetime.timedelta(days=day)
        page.script(
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
            page.control("Older than"), date.isoformat())
        page.wait_text(f"{count} records would go" if count else "No record is older", "dialog")
    page.click(f"Delete {RECORDS // 2} records")
    page.wait_text(f"Deleted: {RECORDS // 2} records, up to {cdr + RECORDS // 2 - 1:,}.",
                   "#cdr-result")
    assert kept(service) == RECORDS - RECORDS // 2
    assert indexes(page)[0] == cdr + RECORDS - 1


def test_only_for_administrators(service, browser):
    api = service.local()
    api.call("user.add", userName="viewer", password="Right pass 1", forceChange=False,
             privilege="conference list only")
    try:
        browser.log_in("viewer", "Right pass 1")
        browser.open(PAGE)
        browser.wait_text("Access denied.", "main")
        assert browser.find_all("main table") == []
    finally:
        api.call("user.delete", userName="viewer")
