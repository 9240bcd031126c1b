# SPDX-License-Identifier: GPL-3.0-or-later
"""Status > Calls: real calls as they come and go, calls placed from the page and
what comes of them, participants."""

import re
import socket
import time
import xmlrpc.client

import pytest

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import wait_for
from sipp import Sipp
from tls_tunnel import TlsClient, TlsServer

PAGE = "/status/calls.html"
UNSEEN_SECONDS = 5  # more than twice the pause between two looks
END_SECONDS = 60  # a call whose other side is silent ends after 32 s
# Two answers come late: the first of them is older than the question of the second.
OVERTAKEN = """
const done = arguments[0];
(async () => {
	const { ParticipantList } = await import("/status/participants.js");
	const { call } = await import("/app/session.js");
	const who = { conferenceName: "Calls", participantName: "ghost" };
	const list = new ParticipantList();
	const ghosts = (rows) => rows.filter((row) => row.participantName === who.participantName).length;
	const real = window.fetch;
	const late = async () => {
		let answered, go;
		const isAnswered = new Promise((resolve) => { answered = resolve; });
		const mayGo = new Promise((resolve) => { go = resolve; });
		window.fetch = async (...how) => {
			const answer = await real(...how);
			answered();
			await mayGo;
			return answer;
		};
		const asked = list.ask();
		window.fetch = real;
		await isAnswered;
		return () => { go(); return asked; };
	};
	await list.ask();
	await call("participant.add", { ...who, address: "desk@127.0.0.1", deferConnection: true });
	const first = await late();
	await call("participant.remove", who);
	await list.ask();
	const second = await late();
	const seen = ghosts(await first());
	await second();
	done([seen, ghosts(await list.ask())]);
})().catch((error) => done(String(error)));
"""
SEEN = """
const { top, bottom } = document.querySelector(arguments[0]).getBoundingClientRect();
return top >= 0 && bottom <= innerHeight;
"""
HOSTILE = "<img src=x onerror=alert(1)>"
INVITE = (
    "INVITE sip:echo@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKhostile;rport\r\n"
    "Max-Forwards: 70\r\nFrom: \"{name}\" <sip:hostile@127.0.0.1:{port}>;tag=h\r\n"
    "To: <sip:echo@127.0.0.1>\r\nCall-ID: hostile.{port}\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:hostile@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\n"
    "Content-Length: {length}\r\n\r\n")
SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio {port} RTP/AVP 0\r\n")


@pytest.fixture(scope="module")
def ports(service):
    """SIP over TCP and UDP listens, too; the ports by the names of the services."""
    found = {"sip_tcp": service.sip, "sip_udp": service.sip, "sips_tcp": service.sips}
    service.local().call("services.modify", services=[
        {"name": name, "setting": True, "port": port} for name, port in found.items()])
    return found


@pytest.fixture(autouse=True)
def nothing_stays(service, ports):
    api = service.local()
    yield
    for call in api.call("calls.enumerate")["calls"]:
        try:
            api.call("calls.disconnect", callId=call["callId"])
        except xmlrpc.client.Fault as fault:
            assert "no such call" in fault.faultString  # it has ended meanwhile
    wait_for(lambda: not api.call("calls.enumerate")["calls"], END_SECONDS, "the end of all calls")
    for one in api.call("participant.enumerate",
                        operationScope=["configuredState"])["participants"]:
        if one["participantType"] == "by_address":
            api.call("participant.remove", conferenceName=one["conferenceName"],
                     participantName=one["participantName"])
    api.call("verification.configure", sip="none", force=True)
    api.call("sip.modify", outboundConfiguration="callDirect", outgoingTransport="tls")


@pytest.fixture
def programs():
    """SIP programs of others; all end with the test."""
    made = []

    def add(program):
        made.append(program)
        return program

    yield add
    for program in reversed(made):
        program.close()


@pytest.fixture
def page(admin):
    admin.open(PAGE)
    return admin


def certificate_of(authority, tmp_path, name, alternatives):
    key = new_key("ecP256")
    file = tmp_path / f"{name}.pem"
    file.write_text(pem(authority.issue(key, name, alternatives)) + key_pem(key))
    return file


def row_of(page, text):
    """The row of the calls in which that stands."""
    return next((row for row in page.find_all("#calls tbody tr:not(.log-detail)")
                 if text in row.text), None)


def wait_row(page, *texts):
    return page.until(lambda: (row := row_of(page, texts[0])) is not None and
                      all(text in row.text for text in texts) and row, f"a call with {texts}")


def press_in(page, row, css):
    page.until(lambda: row.find_element("css selector", css).click() is None, f"to press {css}")


def seconds_of(row):
    """What its clock shows; -1 without one."""
    found = re.search(r"\b(\d+):(\d\d)\b", row.text)
    return 60 * int(found[1]) + int(found[2]) if found else -1


def place(page, address, keep=False):
    page.type("Address", address)
    if keep != page.control("Keep this participant").is_selected():
        page.control("Keep this participant").click()
    page.click("Call")


# --- calls that come

def test_empty_page_says_how_to_call(ports, page):
    text = page.text("#calls")
    assert "No call at the moment." in text
    assert f"sips:127.0.0.1:{ports['sips_tcp']}" in text
    assert f"sip:127.0.0.1:{ports['sip_udp']}" in text
    assert "No participant is kept." in page.text("#participants")


def test_where_no_call_can_come_in_it_says_so(service, ports, page):
    api = service.local()
    api.call("services.modify", services=[
        {"name": name, "setting": False, "port": port} for name, port in ports.items()])
    page.open(PAGE)
    page.wait_text("none can come in", "#calls")
    api.call("services.modify", services=[
        {"name": name, "setting": True, "port": port} for name, port in ports.items()])


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_call_that_comes_is_shown_and_hung_up(ports, page, programs, tmp_path, transport):
    caller = programs(Sipp(tmp_path / "caller", "stay", ports[f"sip_{transport}"],
                           transport=transport))
    row = wait_row(page, "sip:sipp@127.0.0.1", "Incoming", "Connected", transport.upper(),
                   "None without TLS", "Not encrypted", "PCMU", "0 lost")
    page.wait_text("1 call.", "#calls")
    began = page.until(lambda: seconds_of(row) + 1, "the clock")
    page.until(lambda: seconds_of(row) > began, "the clock to go on")
    press_in(page, row, ".log-toggle")
    page.wait_text("Conference", ".log-detail")
    assert "Echo" in page.text(".log-detail") and "Call ID" in page.text(".log-detail")
    assert page.check() == []
    hang_up = row.find_element("css selector", ".danger").get_attribute("aria-label")
    page.click(hang_up)
    page.click("Cancel")
    assert "Connected" in row.text
    page.click(hang_up)
    page.click("Hang up")
    page.wait_text("Hung up: ", "#calls .result")
    caller.succeed()
    wait_row(page, "sip:sipp@127.0.0.1", "Disconnected", "CDR log")
    # Read no more, it goes.
    page.control("Address").click()
    page.wait_text("No call at the moment.", "#calls")


def test_caller_over_tls_with_a_certificate(service, ports, page, programs, tmp_path):
    authority = Authority("Test SIP CA")
    api = service.local()
    api.call("trustStore.upload", trustStore="sip", certificates=authority.pem)
    for setting, mark in (("none", "None shown"), ("outgoingAndIncoming", "Verified")):
        api.call("verification.configure", sip=setting, force=True)
        who = certificate_of(authority, tmp_path, "desk.example.com", ["DNS:desk.example.com"])
        tunnel = programs(TlsClient(tmp_path / f"tunnel-{setting}", ports["sips_tcp"], who=who))
        caller = programs(Sipp(
            tmp_path / f"caller-{setting}", "stay", tunnel.port, transport="tcp",
            keys={"uri": f"sip:{setting}@127.0.0.1", "via": "TLS", "parameters": ";transport=tls"}))
        row = wait_row(page, "TLS 1.3", mark, "Connected")
        if mark == "Verified":
            assert "desk.example.com" in row.text
        page.click(row.find_element("css selector", ".danger").get_attribute("aria-label"))
        page.click("Hang up")
        caller.succeed()
        page.control("Address").click()
        page.wait_text("No call at the moment.", "#calls")


def test_rows_keep_their_places_and_the_focus(ports, page, programs, tmp_path):
    programs(Sipp(tmp_path / "first", "stay", ports["sip_tcp"], transport="tcp"))
    first = wait_row(page, "Connected", "TCP")
    toggle = first.find_element("css selector", ".log-toggle")
    page.script("arguments[0].focus()", toggle)
    programs(Sipp(tmp_path / "second", "stay", ports["sip_udp"]))
    wait_row(page, "UDP", "Connected")
    page.wait_text("2 calls.", "#calls")
    assert page.focused() == toggle
    rows = page.find_all("#calls tbody tr")
    assert rows[0] == first and "UDP" in rows[1].text


def test_nothing_is_asked_while_nobody_looks(ports, page, programs, tmp_path):
    hide = ("Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'));")
    page.script("const real = fetch; window.asked = 0;"
                "window.fetch = (...how) => { window.asked += 1; return real(...how); };")
    page.until(lambda: page.script("return window.asked"), "a look while somebody looks")
    page.script(hide + "window.asked = 0", True)
    programs(Sipp(tmp_path / "caller", "stay", ports["sip_tcp"], transport="tcp"))
    time.sleep(UNSEEN_SECONDS)
    assert page.script("return window.asked") == 0
    assert "No call at the moment." in page.text("#calls")
    page.script(hide, False)
    wait_row(page, "Connected")


def test_without_an_answer_the_clocks_stand(ports, page, programs, tmp_path):
    programs(Sipp(tmp_path / "caller", "stay", ports["sip_tcp"], transport="tcp"))
    row = wait_row(page, "Connected", "TCP")
    page.script("window.answers = fetch; window.fetch = () => Promise.reject(new TypeError('away'))")
    page.wait_text("What stands here is from before", "#lost-place[role=status]")
    before = seconds_of(row)
    time.sleep(UNSEEN_SECONDS)
    assert seconds_of(row) == before and "Connected" in row.text
    page.script("window.fetch = window.answers")
    page.until(lambda: seconds_of(row) > before, "the clock to go on")
    assert page.text("#lost-place") == ""


def test_what_a_caller_calls_itself_is_text(service, ports, page):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.0.1", 0))
        port = caller.getsockname()[1]
        body = SDP.format(port=port)
        head = INVITE.format(port=port, name=HOSTILE, length=len(body))
        caller.sendto((head + body).encode(), ("127.0.0.1", ports["sip_udp"]))
        row = wait_row(page, HOSTILE)
        press_in(page, row, ".log-toggle")
        page.wait_text(HOSTILE, ".log-detail")
        assert page.find_all("main img") == [] and page.problems() == []


# --- calls that are placed

def test_place_a_call_and_hang_up(service, ports, page, programs, tmp_path):
    callee = programs(Sipp(tmp_path / "callee", "answer", transport="tcp"))
    place(page, f"sip:desk@127.0.0.1:{callee.port};transport=tcp")
    page.wait_text("Connected: ", "#placed")
    assert "TCP" in page.text("#placed") and "Not encrypted" in page.text("#placed")
    wait_row(page, "sip:desk@127.0.0.1", "Outgoing", "Connected")
    assert page.check() == [] and page.problems() == []
    page.click("Hang up")
    page.wait_text("Ended here.", "#placed")
    callee.succeed()
    assert "No participant is kept." in page.text("#participants")
    # It stays until the next one.
    page.wait_text("No call at the moment.", "#calls")
    assert "Ended: " in page.text("#placed")


def test_other_side_hangs_up(page, programs, tmp_path):
    callee = programs(Sipp(tmp_path / "callee", "hang_up", transport="tcp", duration=1500))
    place(page, f"sip:desk@127.0.0.1:{callee.port};transport=tcp")
    page.wait_text("The other side hung up.", "#placed")
    callee.succeed()


def test_busy_and_called_again(page, programs, tmp_path):
    callee = programs(Sipp(tmp_path / "callee", "busy", transport="tcp", calls=2))
    place(page, f"sip:desk@127.0.0.1:{callee.port};transport=tcp")
    page.wait_text("Not connected: ", "#placed")
    assert "Busy." in page.text("#placed") and "Try again later." in page.text("#placed")
    page.click("Call again")
    callee.succeed()
    page.wait_text("Busy.", "#placed")


def test_nobody_there(page, nobody):
    place(page, f"sip:desk@127.0.0.1:{nobody};transport=tcp")
    page.wait_text("No connection.", "#placed")
    assert "Check the address" in page.text("#placed")


def test_certificate_of_another_host_says_what_helps(service, page, programs, tmp_path):
    authority = Authority("Test SIP CA")
    api = service.local()
    api.call("trustStore.upload", trustStore="sip", certificates=authority.pem)
    api.call("verification.configure", sip="outgoing")
    callee = programs(Sipp(tmp_path / "callee", "answer", transport="tcp"))
    wrong = programs(TlsServer(
        tmp_path / "wrong", callee.port,
        certificate_of(authority, tmp_path, "other.example.com", ["DNS:other.example.com"])))
    place(page, f"sips:desk@127.0.0.1:{wrong.port}")
    page.wait_text("Certificate of the other side is for another host.", "#placed")
    assert "Call it by a name that stands in its certificate" in page.text("#placed")
    stranger = programs(TlsServer(
        tmp_path / "stranger", callee.port,
        certificate_of(Authority("Stranger"), tmp_path, "127.0.0.1", ["IP:127.0.0.1"])))
    place(page, f"sips:desk@127.0.0.1:{stranger.port}")
    page.wait_text("Certificate of the other side not trusted.", "#placed")
    page.follow("SSL certificates")
    page.until(lambda: page.path() == "/network/ssl-certificates.html", "the page that it names")


@pytest.mark.parametrize("address, text", [
    ("", "Type whom to call"), ("a b", "a b"), ("sip:@", "sip:@"), ("sip:alice:secret@x.org", "alice"),
    ("12345", "12345"), (HOSTILE, "img"),
])
def test_address_that_is_none(page, address, text):
    page.type("Address", address)
    page.type("Participant", "somebody")
    page.click("Call")
    assert text in page.wait_error_at("Address")
    assert page.control("Address").get_attribute("value") == address
    assert page.control("Participant").get_attribute("value") == "somebody"
    assert page.find_all("#placed") == []


def test_what_speaks_against_an_address_is_told_in_full(page):
    page.type("Address", "sip:alice@example.com;transport=tcp")
    page.choose("Transport", "tls")
    page.click("Call")
    assert "the address names another transport" in page.wait_error_at("Address")


@pytest.mark.parametrize("address, name", [
    ("sips:alice@example.com:5061;transport=tls", "alice"), ("bridge.example.com", "bridge.example.com"),
    ("192.0.2.10:5070", "192.0.2.10"), ("[2001:db8::10]:5061", "2001:db8::10"), ("tel:+4930", "+4930"),
])
def test_participant_is_named_after_the_address_until_named(page, address, name):
    page.type("Address", address)
    assert page.control("Participant").get_attribute("value") == name
    page.type("Participant", "My own")
    page.type("Address", "bob@example.com")
    assert page.control("Participant").get_attribute("value") == "My own"


def test_trunk_is_offered_where_there_is_one(service, page):
    assert page._named("control", "By the trunk") is None
    service.local().call("sip.modify", outboundConfiguration="useTrunk",
                         outboundAddress="trunk.example.com", outgoingTransport="udp")
    page.open(PAGE)
    assert page.control("By the trunk").is_selected()
    assert "As set (UDP)" in page.text("#place-form")


# --- participants

def test_participant_is_kept_called_again_and_removed(service, page, programs, tmp_path):
    callee = programs(Sipp(tmp_path / "callee", "answer", transport="tcp", calls=2))
    place(page, f"sip:desk@127.0.0.1:{callee.port};transport=tcp", keep=True)
    page.wait_text("Connected", "#participants")
    page.click("Hang up desk")
    page.click("Hang up")
    page.wait_text("Ended here", "#participants tbody")
    # The name is taken: the next one gets another.
    page.type("Address", "desk@example.com")
    assert page.control("Participant").get_attribute("value") == "desk 2"
    page.open(PAGE)
    page.click("Connect desk")
    page.wait_text("Connected", "#participants tbody")
    page.click("Hang up desk")
    page.click("Hang up")
    callee.succeed()
    page.wait_text("Ended here", "#participants tbody")
    assert page.check() == []
    page.click("Remove desk")
    page.click("Cancel")
    assert "desk" in page.text("#participants tbody")
    page.click("Remove desk")
    page.click("Remove")
    page.wait_text("Removed: desk.", "#participants")
    page.wait_text("No participant is kept.", "#participants")
    assert service.local().call("participant.enumerate", operationScope=["configuredState"])[
        "participants"] == []


def test_name_that_is_taken_is_told_at_the_field(page, nobody):
    place(page, f"sip:desk@127.0.0.1:{nobody};transport=tcp", keep=True)
    page.wait_text("No connection", "#participants")
    page.type("Participant", "desk")
    page.click("Call")
    assert "There is a participant of this name" in page.wait_error_at("Participant")


def test_who_is_gone_does_not_come_back_with_a_late_answer(page):
    assert page.driver.execute_async_script(OVERTAKEN) == [1, 0]


def test_calls_can_be_placed_however_many_stand(ports, page, programs, tmp_path):
    programs(Sipp(tmp_path / "caller", "stay", ports["sip_tcp"], transport="tcp"))
    wait_row(page, "Connected")
    page.look(width=390, height=480, touch=True)
    assert page.texts("main h2") == ["Calls under way", "Place a call", "Participants"]
    assert not page.script(SEEN, "#place-form input")
    page.follow("Place a call")
    page.until(lambda: page.script(SEEN, "#place-form input"), "the form")
    assert page.script("return document.activeElement.id") == "place-title"


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"width": 400, "touch": True}])
def test_rules_of_accessibility_with_calls(ports, page, programs, tmp_path, nobody, look):
    place(page, f"sip:desk@127.0.0.1:{nobody};transport=tcp", keep=True)
    page.wait_text("No connection", "#participants")
    programs(Sipp(tmp_path / "caller", "stay", ports["sip_tcp"], transport="tcp"))
    wait_row(page, "Connected")
    page.look(**look)
    page.until(lambda: page.check() == [], "the rules of accessibility kept")
    assert page.problems() == []
    page.look()


def test_only_for_administrators(service, browser):
    api = service.local()
    api.call("user.add", userName="viewer", password="Right pass 1", forceChange=False,
             privilege="conference list only")
    try:
        browser.log_in("viewer", "Right pass 1")
        browser.open(PAGE)
        browser.wait_text("Access denied.", "main")
        assert browser.find_all("main form") == []
        # The head of the page stays, its help and the room below it, too.
        assert browser.texts("main .page-head .help-link") == ["Help on this page"]
        assert browser.script(
            "const [head, text] = [...document.querySelector('main').children];"
            "return text.getBoundingClientRect().top - head.getBoundingClientRect().bottom") > 4
    finally:
        api.call("user.delete", userName="viewer")
