# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs > Audit log: filters, pages of records, verification, download, deletion."""

import datetime
import os
import signal
import sqlite3
import xml.etree.ElementTree as ElementTree
import xmlrpc.client

import pytest
from selenium.webdriver.common.keys import Keys

from sealbridge_service import wait_for

PAGE = "/logs/audit-log.html"
SHOWN_MAX = 2000
CHANGES = SHOWN_MAX + 30
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def walked(service):
    """More records than are shown: changes of one setting, and a log-in whose
    user name is markup."""
    api = service.local()
    for n in range(CHANGES):
        api.call("security.modify", webSessionTimeoutMinutes=20 + n % 2)
    with pytest.raises(xmlrpc.client.Fault):
        service.anonymous().call("session.login", userName=HOSTILE, password="wrong")
    return service


@pytest.fixture
def page(walked, admin):
    admin.open(PAGE)
    return admin


def records(service, **filters):
    """All records that fit, oldest first, as the API gives them."""
    found, index = [], 0
    while True:
        reply = service.local().call("auditlog.enumerate", index=index, numEvents=200,
                                     filter=filters)
        found += reply["events"]
        if not reply["eventsRemaining"]:
            return found
        index = reply["nextIndex"]


def indexes(page):
    return [int(text.replace(",", "")) for text in page.texts(".log-toggle")]


def cells(page, label):
    return page.texts(f".log-body [data-label='{label}']")


def wait_indexes(page, wanted):
    page.until(lambda: indexes(page) == wanted, f"the records {wanted[:3]}...")


def wait_address(page, *parts):
    page.until(lambda: all(part in page.driver.current_url for part in parts),
               f"{parts} in the address")


# --- pages

def test_pages_of_records_newest_first(walked, page):
    newest = records(walked)[-1]["index"]
    first = list(range(newest, newest - 50, -1))
    wait_indexes(page, first)
    assert not page._named("button", "Newer").is_enabled()
    page.click("Older")
    wait_indexes(page, [i - 50 for i in first])
    page.click("Older")
    wait_indexes(page, [i - 100 for i in first])
    page.click("Newer")
    wait_indexes(page, [i - 50 for i in first])
    # What came meanwhile does not move the page that is read.
    walked.local().call("security.modify", webSessionTimeoutMinutes=33)
    page.click("Older")
    wait_indexes(page, [i - 100 for i in first])
    page.click("Newest")
    wait_indexes(page, [i + 1 for i in first])


def test_no_more_than_the_newest_2000_are_shown(page):
    newest = indexes(page)[0]
    for n in range(1, SHOWN_MAX // 50):
        page.click("Older")
        page.wait_text(f"Records {newest - 50 * n:,} to", ".log-place")
    assert indexes(page)[-1] == newest - SHOWN_MAX + 1 > 1
    page.wait_text("No more than 2,000 are shown")
    assert not page._named("button", "Older").is_enabled()


def test_last_page_ends_with_the_first_record(page):
    page.open(f"{PAGE}?record=70")
    page.click("Older")
    page.until(lambda: indexes(page)[-1:] == [1], "the first record")
    assert not page._named("button", "Older").is_enabled()
    page.wait_text("There are no older ones")


def test_by_keyboard(page):
    newest = indexes(page)[0]
    page.tab_to(page.find(".log-toggle").get_attribute("aria-label"), limit=80)
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ENTER)
    detail = page.until(lambda: page.text(".log-detail:not([hidden])"), "the record")
    assert f"{newest - 1:,}" in detail and "Hash" in detail
    page.press(Keys.ENTER)
    assert page.find_all(".log-detail:not([hidden])") == []
    page.press(Keys.END)
    assert page.focused().text.endswith(f"{newest - 49:,}")
    page.press(Keys.PAGE_DOWN)
    wait_indexes(page, list(range(newest - 50, newest - 100, -1)))
    page.until(lambda: page.focused().text.endswith(f"{newest - 50:,}"), "the focus")
    page.press(Keys.PAGE_UP)
    wait_indexes(page, list(range(newest, newest - 50, -1)))


# --- what a record shows

def test_what_changed(walked, page):
    change = records(walked, event="settingChanged")[-1]
    page.open(f"{PAGE}?record={change['index']}")
    row = page.find(f"#record-{change['index']}").text
    assert change["fields"]["setting"] in row
    assert f"{change['fields']['from']} → {change['fields']['to']}" in row
    assert "on the machine itself" in row
    # The record that was asked for is open, and all of it can be read.
    detail = page.text(".log-detail:not([hidden])")
    assert change["hash"].upper()[:4] in detail
    assert change["event"] in detail
    assert "UTC" in detail


def test_record_that_is_not_there(page):
    page.open(f"{PAGE}?record=999999")
    page.wait_text("There is no record 999,999")


def test_markup_stays_text(page):
    page.choose("Event", "loginFailed")
    page.wait_text(HOSTILE, ".log-body")
    assert page.find_all(".log-body img") == []
    assert page.problems() == []


def test_severity_is_word_and_mark(page):
    badge = page.find(".log-body .badge")
    assert badge.text in ("Info", "Warning", "Severe Warning", "Error", "Status Warning")
    assert page.script("return arguments[0].querySelectorAll('.icon').length", badge) == 1


# --- filters

@pytest.mark.parametrize("label, name, value", [
    ("Severity", "severity", "Warning"), ("Module", "module", "System"),
    ("Event", "event", "serviceStarted"),
])
def test_choices(walked, page, label, name, value):
    page.choose(label, value)
    wait_address(page, f"{name}={value}")
    wanted = [r["index"] for r in records(walked, **{name: value})][::-1]
    assert wanted
    wait_indexes(page, wanted[:50])
    # The address alone shows the same.
    page.open(f"{PAGE}?{name}={value}")
    wait_indexes(page, wanted[:50])
    assert page.control(label).get_attribute("value") == value


def test_user_and_text(walked, page):
    page.type("User", "admin")
    wait_address(page, "userName=admin")
    page.until(lambda: set(cells(page, "User")) == {"admin"}, "records of admin")
    page.type("Text", "nothing has this text")
    page.wait_text("No record fits the filter")
    # The button in the filter and that in the empty table do the same.
    page.click("Clear the filter")
    page.until(lambda: len(indexes(page)) == 50, "all records")
    assert page.driver.current_url.endswith(PAGE)
    assert page.control("User").get_attribute("value") == ""


def set_time(page, label, moment):
    """As the field takes it from its picker: local time, which is UTC here or not."""
    page.script(
        """
        const [input, ms] = arguments;
        const d = new Date(ms), pad = (n) => String(n).padStart(2, "0");
        input.value = `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}` +
            `T${pad(d.getHours())}:${pad(d.getMinutes())}`;
        input.dispatchEvent(new Event("input", {bubbles: true}));
        """, page.control(label), int(moment.timestamp() * 1000))


def test_time(walked, page):
    now = datetime.datetime.now(datetime.timezone.utc)
    set_time(page, "To", now - datetime.timedelta(days=2))
    page.wait_text("No record fits the filter")
    page.click("Clear the filter")
    set_time(page, "From", now + datetime.timedelta(minutes=10))
    page.wait_text("No record fits the filter")
    # The minute of "To" counts as a whole.
    newest = records(walked)[-1]
    page.click("Clear the filter")
    moment = datetime.datetime.strptime(
        str(newest["time"]).rstrip("Z") + "+0000", "%Y%m%dT%H:%M:%S%z")
    set_time(page, "To", moment)
    wait_address(page, f"until={moment:%Y-%m-%dT%H}%3A{moment:%M}Z")
    page.until(lambda: newest["index"] in indexes(page), "the newest record")


def test_link_with_a_filter_survives_the_login(walked, browser):
    browser.driver.get(f"{walked.url}{PAGE}?severity=Severe%20Warning&text=a%2Bb%20c")
    browser.wait_path("/login.html")
    browser.type("Username", "admin")
    browser.type("Password", walked.admin_password)
    browser.click("Log in")
    browser.wait_path(PAGE)
    assert browser.control("Severity").get_attribute("value") == "Severe Warning"
    assert browser.control("Text").get_attribute("value") == "a+b c"


@pytest.mark.parametrize("query", [
    "since=yesterday", "until=2026-99-99T99:99Z", "record=<b>", "record=-1", "since=",
    "unknown=1",
])
def test_addresses_that_make_no_sense(page, query):
    page.open(f"{PAGE}?{query}")
    assert len(indexes(page)) == 50
    assert page.problems() == []


def test_filter_of_what_there_is_not_says_so(page):
    page.open(f"{PAGE}?severity=Grave")
    page.wait_text("severity", ".log-body")
    page.click("Clear the filter")
    page.until(lambda: len(indexes(page)) == 50, "all records")


# --- verify, download, clear

def allow_downloads(page, directory):
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(directory)})


def downloaded(directory, pattern):
    def whole():
        found = list(directory.glob(pattern))
        return found and found[0]
    return wait_for(whole, 30, f"a file {pattern}")


def test_state(walked, page):
    state = walked.local().call("auditlog.query")
    text = page.text("#audit-state")
    assert f"{state['numEvents']:,} of 100,000 records" in text
    assert "the oldest of" in text


def test_verify_intact(page):
    page.click("Verify")
    page.wait_text("Intact.", "#audit-result", 120)
    text = page.text("#audit-result")
    assert "Older copy put back" in text and "ruled out" in text
    assert "up to record" in text
    assert page.check() == []


def test_download_is_what_the_api_gives(walked, page, tmp_path):
    allow_downloads(page, tmp_path)
    before = datetime.date.today()
    page.click("Download as XML")
    page.wait_text("saved by the browser", "#audit-result")
    file = downloaded(tmp_path, "audit-log-*.xml")
    days = (before, datetime.date.today())  # two of them around midnight
    assert file.name.endswith(tuple(f"-{day}.xml" for day in days))
    root = ElementTree.parse(file).getroot()
    assert root.tag == "auditLog"
    found = {int(r.get("index")): r for r in root.iter("record")}
    wanted = records(walked)
    for record in wanted[:len(found)]:
        saved = found[record["index"]]
        assert saved.get("hash") == record["hash"]
        assert saved.findtext("event") == record["event"]
        assert saved.findtext("userName") == record["userName"]
        assert {f.get("name"): f.text or "" for f in saved.iter("field")} == record["fields"]
    assert len(found) >= CHANGES


def test_downloaded_log_and_key_pass_the_command_on_the_page(walked, page, tmp_path):
    allow_downloads(page, tmp_path)
    page.click("Download as XML")
    page.wait_text("saved by the browser", "#audit-result")
    file = downloaded(tmp_path, "audit-log-*.xml")
    page.find("summary").click()
    page.follow("Download the key")
    key = downloaded(tmp_path, "audit-key-*.pem")
    command = page.script(
        "return [...document.querySelectorAll('#audit-key pre')].at(-1).textContent").split()
    assert command[0] == "sealbridgectl"
    assert key.name in command and file.name in command
    done = walked.ctl(*command[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_download_can_be_called_off(page, tmp_path):
    allow_downloads(page, tmp_path)
    # A piece never comes.
    page.script(
        """
        const real = fetch;
        window.fetch = (...how) => String(how[1]?.body).includes("auditlog.export")
            ? new Promise(() => {}) : real(...how);
        """)
    page.click("Download as XML")
    page.wait_text("The file will be", "dialog")
    page.click("Cancel")
    page.wait_text("called off", "#audit-result")
    assert list(tmp_path.iterdir()) == []


def test_clear(fresh_service, make_browser, tmp_path):
    service = fresh_service
    for n in range(60):
        service.local().call("security.modify", webSessionTimeoutMinutes=20 + n % 2)
    page = make_browser(service)
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    count = service.local().call("auditlog.query")["numEvents"]
    # Called off: nothing goes.
    page.click("Clear log")
    page.wait_text("itself recorded", "dialog")
    page.until(lambda: page._named("button", f"Delete {count} records"), "how many go")
    assert page.check() == []
    page.click("Cancel")
    assert service.local().call("auditlog.query")["numEvents"] >= count
    # Nothing is older than yesterday.
    page.click("Clear log")
    page.click("Records older than a date", "control")
    page.click("Delete")
    assert "Choose a date" in page.wait_error_at("Older than")
    yesterday = datetime.date.today() - datetime.timedelta(days=1)
    page.script("arguments[0].value = arguments[1];"
                "arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
                page.control("Older than"), str(yesterday))
    page.wait_text("No record is older than that", "dialog")
    # The download is offered before the deed.
    allow_downloads(page, tmp_path)
    page.click("All records", "control")
    page.click("Download first")
    page.wait_text("Look whether it is there", "dialog")
    downloaded(tmp_path, "audit-log-*.xml")
    page.until(lambda: page.script(
        "return [...document.querySelectorAll('dialog button')]"
        ".find((b) => /^Delete \\d+ records$/.test(b.textContent))?.textContent"), "the button")
    page.find("dialog [type=submit]").click()
    page.wait_text("Deleted:", "#audit-result")
    assert "auditLogDeleted" in [r["event"] for r in records(service)]
    assert records(service)[0]["index"] >= count
    page.click("Verify")
    page.wait_text("Intact.", "#audit-result", 120)


def test_tampering_is_shown(fresh_service, make_browser):
    service = fresh_service
    for n in range(5):
        service.local().call("security.modify", webSessionTimeoutMinutes=20 + n)
    broken = records(service, event="settingChanged")[2]["index"]
    with sqlite3.connect(service.state / "sealbridge.db", timeout=20) as db:
        table = next(name for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'audit%'")
            if "detail" in [row[1] for row in db.execute(f"PRAGMA table_info({name})")])
        assert db.execute(f"UPDATE {table} SET detail = 'setting=x' WHERE number = ?",
                          (broken,)).rowcount == 1
    page = make_browser(service)
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    page.click("Verify")
    page.wait_text(f"Broken at record {broken}.", "#audit-result", 120)
    assert "not as it was written" in page.text("#audit-result")
    assert page.check() == []
    page.follow(str(broken))
    page.wait_drawn()
    page.until(lambda: page.text(".log-detail:not([hidden])"), "the record")
    assert broken in indexes(page)


def test_without_the_token(make_service, make_browser):
    """The records can still be checked; that they are the newest cannot."""
    service = make_service(isolated=True)
    # Plain HTTP: a new TLS connection needs the token.
    page = make_browser(service)
    page.url = service.http_url
    page.log_in("admin", service.admin_password)
    page.open(PAGE)
    os.killpg(int((service.state / "p11-kit.pid").read_text()), signal.SIGKILL)
    wait_for(lambda: service.local().call("token.query")["state"] != "ready", 60,
             "the token to be missed")
    page.click("Verify")
    page.wait_text("Intact.", "#audit-result", 120)
    assert "not ruled out: the token cannot be asked" in page.text("#audit-result")
    assert page.find_all("#audit-result .notice-warning")
    assert page.check() == []


def test_no_record_can_be_written(walked, page):
    """The page says why and what helps, and still shows what there is."""
    reserve = walked.state / "audit.reserve"
    reserve.unlink()
    reserve.mkdir()
    try:
        page.open(PAGE)
        text = page.text("#audit-state")
        assert "No record can be written" in text and "audit.reserve" in text
        assert len(indexes(page)) == 50
        assert page.check() == []
    finally:
        reserve.rmdir()
    walked.local().call("security.modify", webSessionTimeoutMinutes=40)
    page.open(PAGE)
    assert "No record can be written" not in page.text("#audit-state")


# --- who may see it

def test_administrators_alone(walked, make_browser):
    walked.local().call("user.add", userName="lowly", password="Right pass 1",
                        privilege="conference list only", forceChange=False)
    page = make_browser(walked)
    page.log_in("lowly", "Right pass 1")
    page.open(PAGE)
    assert "Access denied" in page.text("main")
    assert "Audit log" not in page.text("nav")


def test_few_requests(page):
    files = page.script(
        "return performance.getEntriesByType('resource')"
        ".map((e) => [new URL(e.name).pathname, e.decodedBodySize])")
    assert len(files) <= 25
    # Who is logged in, the state of the device, and the log: no more is asked.
    assert [name for name, _ in files].count("/RPC2") == 3
