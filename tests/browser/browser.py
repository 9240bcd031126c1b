# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium as somebody uses it: what can be seen, clicked and typed."""

import base64
import json
import pathlib
import tempfile

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException, ElementNotInteractableException,
    NoSuchElementException, StaleElementReferenceException, WebDriverException,
)
from selenium.webdriver.chrome.service import Service as ChromeDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from certificates import pkcs12_of
from sealbridge_service import run, wait_for

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--lang=en",
)
PATIENCE = 30
STARTS = 3  # chromedriver's port is chosen before it is bound, so another may take it
HERE = pathlib.Path(__file__).resolve().parent


# A page that draws something anew while it is looked at; chromedriver has no
# exception of its own for the last three.
MOVING = (StaleElementReferenceException, NoSuchElementException,
          ElementNotInteractableException, ElementClickInterceptedException)
MOVING_TEXTS = ("does not belong to the document", "execution context was destroyed",
                "aborted by navigation")

P12_PASSWORD = "browser"

# Chromium reads policies from /etc/chromium alone. The one that chooses a client
# certificate without asking is put there for the browser's own eyes: in a mount
# namespace that ends with it.
WITH_POLICY = """#!/bin/sh
exec unshare --mount --map-root-user sh -c '
	mount --bind "$0" /etc/chromium && exec /usr/bin/chromium "$@"' "%s" "$@"
"""
POLICY = {"AutoSelectCertificateForUrls": [
    json.dumps({"pattern": "https://127.0.0.1", "filter": {}})]}


def _nss(command, *arguments):
    done = run(command, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def _make_databases(home):
    for place in (".pki/nssdb", ".local/share/pki/nssdb"):
        directory = pathlib.Path(home) / place
        directory.mkdir(parents=True)
        _nss("certutil", "-d", f"sql:{directory}", "-N", "--empty-password")
        yield f"sql:{directory}"


def _fill(home, ca, client):
    """Make the authority of a PEM file one that Chromium trusts, and give it a
    client certificate: (certificate, key)."""
    p12 = pathlib.Path(home) / "client.p12"
    if client:
        p12.write_bytes(pkcs12_of(*client, P12_PASSWORD))
    for database in _make_databases(home):
        if ca:
            _nss("certutil", "-d", database, "-A", "-n", "test authority", "-t", "C,,",
                 "-i", ca)
        if client:
            _nss("pk12util", "-d", database, "-i", p12, "-W", P12_PASSWORD, "-K", "")


def _put_policy(folder):
    """The policy below a configuration folder of Chromium; the file."""
    managed = pathlib.Path(folder) / "policies" / "managed"
    managed.mkdir(parents=True, exist_ok=True)
    file = managed / "sealbridge-tests.json"
    file.write_text(json.dumps(POLICY))
    return file


def _is_moving(error):
    """Whether it would be another thing to look, or press, once more."""
    return isinstance(error, MOVING) or \
        any(text in str(error).lower() for text in MOVING_TEXTS)


def _may_mount():
    return run("unshare", "--mount", "--map-root-user", "true").returncode == 0


def _with_policy(home):
    """A program that starts Chromium under the policy, and what to remove behind
    it. Containers that let nobody mount let root write the real folder."""
    if not _may_mount():
        return "/usr/bin/chromium", _put_policy("/etc/chromium")
    folder = pathlib.Path(home) / "etc"
    _put_policy(folder)
    program = pathlib.Path(home) / "chromium"
    program.write_text(WITH_POLICY % folder)
    program.chmod(0o755)
    return str(program), None


class Browser:
    """One Chromium with a profile of its own.

    ca: PEM file of an authority that it trusts. any_certificate: go on where it
    would warn, as a user does who clicks the warning away. client: certificate
    and key that it shows to whoever asks."""

    def __init__(self, url, *, ca=None, any_certificate=True, client=None, dark=False,
                 width=1280, height=900, touch=False):
        self.url = url
        self._home = tempfile.TemporaryDirectory(prefix="sb-browser-", dir="/tmp")
        home = self._home.name
        _fill(home, ca, client)
        options = webdriver.ChromeOptions()
        self._policy = None
        options.binary_location = "/usr/bin/chromium"
        if client:
            options.binary_location, self._policy = _with_policy(home)
        for flag in (*FLAGS, f"--user-data-dir={home}/profile"):
            options.add_argument(flag)
        options.accept_insecure_certs = any_certificate and not ca
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = self._start(options, {"HOME": home, "PATH": "/usr/bin:/bin"})
        self.driver.set_page_load_timeout(PATIENCE)
        self.look(dark=dark, width=width, height=height, touch=touch)

    @staticmethod
    def _start(options, env):
        for left in reversed(range(STARTS)):
            try:
                return webdriver.Chrome(
                    options=options, service=ChromeDriver("/usr/bin/chromedriver", env=env))
            except WebDriverException:
                if not left:
                    raise

    def look(self, *, dark=False, width=1280, height=900, touch=False, motion=True):
        self.width = width
        cdp = self.driver.execute_cdp_cmd
        cdp("Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch})
        cdp("Emulation.setTouchEmulationEnabled", {"enabled": touch})
        cdp("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion",
             "value": "no-preference" if motion else "reduce"}]})

    def forget(self):
        """As new: no cookies, one empty tab, the usual look, an empty console."""
        # A page that calls by itself would see its session gone, and move on while
        # its window is being closed.
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        old = self.driver.window_handles
        self.driver.switch_to.new_window("tab")
        fresh = self.driver.current_window_handle
        for handle in old:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(fresh)
        self.look()
        self.problems()

    def quit(self):
        try:
            self.driver.quit()
        finally:
            if self._policy:
                self._policy.unlink()
            self._home.cleanup()

    # --- going places

    def open(self, path):
        self.driver.get(self.url + path)
        self.wait_drawn()

    def path(self):
        return self.driver.execute_script("return location.pathname")

    def wait_drawn(self):
        """Until the page has drawn what it shows."""
        self.until(lambda: self.driver.execute_script(
            "return document.documentElement.dataset.ready"), "the page drawn")

    def wait_path(self, path):
        self.until(lambda: self.path() == path, f"the page {path}")
        self.wait_drawn()

    def log_in(self, user, password):
        self.open("/login.html")
        self.type("Username", user)
        self.type("Password", password)
        self.click("Log in")
        self.until(lambda: self.path() != "/login.html", "logged in")
        self.wait_drawn()

    # --- seeing

    def until(self, check, what="the condition", seconds=PATIENCE):
        def guarded():
            try:
                return check()
            except WebDriverException as error:
                if not _is_moving(error):
                    raise
                return None
        return wait_for(guarded, seconds, f"{what} (at {self.driver.current_url})")

    def find(self, css):
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, css), css)

    def find_all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css="body"):
        """What can be read there now; "" when it is not there."""
        def read():
            found = self.find_all(css)
            return [found[0].text if found else ""]
        return self.until(read, f"the text of {css}")[0]

    def texts(self, css):
        """What can be read in each of those, all at the same moment."""
        return self.script(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((e) => e.getClientRects().length).map((e) => e.innerText.trim())", css)

    def wait_text(self, wanted, css="body", seconds=PATIENCE):
        self.until(lambda: wanted in self.text(css), f'"{wanted}" in {css}', seconds)

    def wait_no_text(self, unwanted, css="body"):
        self.until(lambda: unwanted not in self.text(css), f'no "{unwanted}" in {css}')

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def focused(self):
        return self.driver.switch_to.active_element

    def focused_text(self):
        return self.script(
            "const e = document.activeElement;"
            "return e.getAttribute('aria-label') || e.textContent || e.name || e.tagName")

    def problems(self):
        """What the browser complains about in its console: broken scripts, files
        that are missing, breaches of the Content-Security-Policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def check(self):
        """The accessibility rules of checks.js that this page breaks."""
        return self.script((HERE / "checks.js").read_text() + "\nreturn checkPage();")

    # --- doing: by what is written on things, as a user finds them

    def _named(self, role, name):
        """The visible element of a kind with exactly this text, dialogs first."""
        css = {"button": "button", "link": "a", "control": "input, select, textarea"}[role]
        return self.script(
            """
            const [css, name] = arguments;
            const place = document.querySelector("dialog[open]") ?? document;
            const nameOf = (e) => (e.getAttribute("aria-label") ??
                e.labels?.[0]?.textContent ?? e.textContent).trim();
            return [...place.querySelectorAll(css)].find((e) =>
                e.getClientRects().length && nameOf(e) === name);
            """, css, name)

    def control(self, label):
        return self.until(lambda: self._named("control", label), f'field "{label}"')

    def click(self, name, role="button"):
        def press():
            element = self._named(role, name)
            # A busy button takes no presses.
            if element is None or not element.is_enabled() or \
                    element.get_attribute("aria-disabled") == "true":
                return False
            element.click()
            return True
        self.until(press, f'{role} "{name}"')

    def click_at(self, css):
        """The first of those, for what has no name of its own."""
        def press():
            self.driver.find_element(By.CSS_SELECTOR, css).click()
            return True
        self.until(press, f"to press {css}")

    def follow(self, name):
        self.click(name, "link")

    def type(self, label, text):
        def fill():
            control = self.control(label)
            if control.get_attribute("type") != "file":
                control.clear()
            control.send_keys(str(text))
            return True
        self.until(fill, f'to type into "{label}"')

    def choose(self, label, value):
        self.script(
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
            self.control(label), value)

    def error_at(self, label):
        """The error text that stands at a field, as a screen reader finds it."""
        return self.script(
            """
            const e = arguments[0];
            if (e.getAttribute("aria-invalid") !== "true")
                return "";
            return e.getAttribute("aria-describedby").split(" ")
                .map((id) => document.getElementById(id))
                .filter((p) => p && p.classList.contains("field-error"))
                .map((p) => p.textContent).join(" ");
            """, self.control(label))

    def wait_error_at(self, label):
        return self.until(lambda: self.error_at(label), f'an error at "{label}"')

    def press(self, *keys):
        """Keys to whatever has the focus."""
        for key in keys:
            self.focused().send_keys(key)

    def tab_to(self, text, limit=60):
        """Walk with the Tab key until something of this name has the focus."""
        for _ in range(limit):
            self.press(Keys.TAB)
            if self.focused_text().strip() == text:
                return self.focused()
        raise AssertionError(f'"{text}" is not reached with the Tab key')

    # --- pictures

    def picture(self, path, whole=True):
        height = self.script("return document.documentElement.scrollHeight") if whole \
            else self.script("return innerHeight")
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1}})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))


def warning_of(browser, path="/login.html"):
    """What a browser says that does not open a page; "" when it does."""
    try:
        browser.driver.get(browser.url + path)
    except WebDriverException as error:
        return error.msg
    if browser.driver.current_url.startswith("https:") and \
            browser.script("return Boolean(document.querySelector('main'))"):
        return ""
    return browser.script("return document.documentElement.textContent")
