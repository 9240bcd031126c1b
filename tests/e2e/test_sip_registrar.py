# SPDX-License-Identifier: GPL-3.0-or-later
"""A registrar that answers as no registrar should, or goes away at a bad moment."""

import re
import socket
import threading

import pytest

from sealbridge_service import Service, wait_for

HOST = "127.0.0.1"
ASKED = 3600
OTHERS = "<sip:bridge@192.0.2.9:5060;transport=tcp>"


class Registrar:
    """Answers each request over TCP but ACK with what answer(request, number) gives, bytes;
    None: the connection is closed instead."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self._streams, self._threads = [], []
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._run(self._accept)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for stream in self._streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already
        for thread in self._threads[1:]:
            thread.join()

    def _run(self, what, *args):
        self._threads.append(threading.Thread(target=what, args=args))
        self._threads[-1].start()

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self._streams.append(stream)
            self._run(self._serve, stream)

    def _serve(self, stream):
        rest = b""
        with stream:
            while True:
                head, found, behind = rest.lstrip(b"\r\n").partition(b"\r\n\r\n")
                length = re.search(rb"(?mi)^Content-Length: *(\d+)", head) if found else None
                if found and len(behind) >= int(length[1]):
                    rest = behind[int(length[1]):]
                    request = head.decode()
                    self.requests.append(request)
                    if request.startswith("ACK "):
                        continue
                    answer = self.answer(request, len(self.requests))
                    if answer is None:
                        return
                    try:
                        stream.sendall(answer)
                    except OSError:
                        return
                    continue
                try:
                    got = stream.recv(65536)
                except OSError:
                    return
                if not got:
                    return
                rest += got


def field(request, name):
    return re.search(rf"(?mi)^{name}: (.*?)\r?$", request)[1]


def says(request, status, *fields, reason="So", **changed):
    """An answer; changed: fields that are not copied from the request."""
    lines = [f"SIP/2.0 {status} {reason}", *re.findall(r"(?m)^Via:.*?(?=\r?$)", request)]
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = changed.get(name.replace("-", "_"), field(request, name))
        lines.append(f"{name}: {value}" + (";tag=theirs" if name == "To" else ""))
    return "\r\n".join([*lines, *fields, "Content-Length: 0", "", ""]).encode()


@pytest.fixture(scope="module")
def service():
    with Service() as found:
        yield found


@pytest.fixture
def api(service):
    found = service.local()
    yield found
    found.call("sip.modify", outboundConfiguration="callDirect", password="")
    reaches(found, "off")


@pytest.fixture
def make_registrar(api):
    """Made before the settings leave it, closed after."""
    made = []

    def make(answer):
        made.append(Registrar(answer))
        return made[-1]

    yield make
    api.call("sip.modify", outboundConfiguration="callDirect", password="")
    reaches(api, "off")
    for registrar in made:
        registrar.close()


def use(api, registrar, **more):
    api.call("sip.modify", **{
        "outboundConfiguration": "useRegistrar", "outboundDomain": "pbx.example",
        "userName": "bridge", "outboundAddress": f"{HOST}:{registrar.port}",
        "outgoingTransport": "tcp", "registrationSeconds": ASKED, **more})


def reaches(api, *wanted):
    def seen():
        now = api.call("sip.query")
        return now if now["registrationState"] in wanted else None

    return wait_for(seen, 60, f"registration {wanted}")


def ours(request):
    return field(request, "Contact")


# What stands in a 2xx, and whether it is a registration.
@pytest.mark.parametrize("fields, stands", [
    (lambda r: [], True),
    (lambda r: [f"Contact: {OTHERS};expires=1"], True),
    (lambda r: [f"Contact: {OTHERS};expires=1, {ours(r)};expires=120"], True),
    (lambda r: [f"Contact: {OTHERS};expires=1"] * 100 + [f"Contact: {ours(r)}"], True),
    (lambda r: ["Expires: soon"], True),
    (lambda r: [f"Contact: {ours(r)};expires=soon"], True),
    (lambda r: [f"Contact: {ours(r)};expires=-1"], True),
    (lambda r: [f"Contact: {ours(r)};expires=4294967295"], True),
    (lambda r: ["Contact: *"], True),
    (lambda r: ["Expires: 0"], False),
    (lambda r: [f"Contact: {ours(r)};expires=0"], False),
    (lambda r: ["Expires: 99999999999999999999"], False),
])
def test_what_is_granted(api, make_registrar, fields, stands):
    registrar = make_registrar(lambda r, n: says(r, 200, *fields(r)))
    use(api, registrar)
    now = reaches(api, "registered", "failed")
    assert (now["registrationState"] == "registered") == stands, now
    assert ("registrationExpires" in now) == stands
    assert ("registrationNextTry" in now) != stands
    assert ("keeps no registration" in now["registrationProblem"]) != stands
    assert len(registrar.requests) == 1


CHALLENGE = 'WWW-Authenticate: Digest realm="pbx", nonce="n", qop="auth"'


# Refusals of all kinds, how many requests they are worth, and what people read.
@pytest.mark.parametrize("answer, requests, words", [
    (lambda r: says(r, 401), 1, "asks for a user name and password"),
    (lambda r: says(r, 401, 'WWW-Authenticate: Basic realm="pbx"'), 1, "asks for a user"),
    (lambda r: says(r, 401, "WWW-Authenticate: Digest"), 1, "asks for a user name"),
    (lambda r: says(r, 401, CHALLENGE + ", algorithm=MD4"), 1, "asks for a user name"),
    (lambda r: says(r, 407, CHALLENGE), 1, "asks for a user name and password"),
    (lambda r: says(r, 401, CHALLENGE), 2, "refuses the user name or the password"),
    (lambda r: says(r, 401, CHALLENGE + ", stale=true"), 5, "asks for a user name"),
    (lambda r: says(r, 423), 1, "another registration interval"),
    (lambda r: says(r, 423, "Min-Expires: 4294967295"), 1, "another registration interval"),
    (lambda r: says(r, 423, f"Min-Expires: {int(field(r, 'Expires')) + 1}"), 2,
     "another registration interval"),
    (lambda r: says(r, 302, "Contact: <sip:elsewhere.example>"), 1, "which is not followed"),
    (lambda r: says(r, 699, reason="\x1b[31m" + "x" * 3000), 1, "refuses the registration"),
    (lambda r: says(r, 503, "Retry-After: 99999999999999999999"), 1, "out of service"),
    (lambda r: b"HTTP/1.1 200 OK\r\n\r\n", 1, ""),
    (lambda r: None, 1, ""),
])
def test_refused(api, make_registrar, answer, requests, words):
    registrar = make_registrar(lambda r, n: answer(r))
    use(api, registrar, password="Unmistakable-Registrar-2")
    now = reaches(api, "failed")
    assert words in now["registrationProblem"] and now["registrationProblem"]
    assert "\x1b" not in now["registrationProblem"]
    assert "registrationNextTry" in now
    assert len(registrar.requests) == requests


def test_answers_to_others_do_not_count(api, make_registrar):
    """Another method, another transaction (RFC 3261 17.1.3), and what comes after the
    answer."""
    def answer(request, _):
        return b"".join([
            says(request, 403, CSeq="1 OPTIONS"),
            says(request, 403).replace(b"branch=z9hG4bK", b"branch=z9hG4bK0"),
            says(request, 200), says(request, 403)])

    registrar = make_registrar(answer)
    use(api, registrar)
    assert reaches(api, "registered", "failed")["registrationState"] == "registered"
    assert len(registrar.requests) == 1


@pytest.mark.parametrize("answer", [lambda r: None, lambda r: says(r, 500)])
def test_restarts_at_the_refresh(api, make_registrar, answer):
    """It is gone, or not up yet, when it is asked again: we come back by ourselves."""
    registrar = make_registrar(
        lambda r, n: answer(r) if n in (2, 3) else says(r, 200, "Expires: 10"))
    use(api, registrar)
    reaches(api, "registered")
    wait_for(lambda: len(registrar.requests) >= 4, 60, "the fourth request")
    reaches(api, "registered")
    ids = {field(r, "Call-ID") for r in registrar.requests}
    numbers = [int(field(r, "CSeq").split()[0]) for r in registrar.requests]
    assert len(ids) == 1 and numbers == sorted(set(numbers))


def routes(request):
    return re.findall(r"(?m)^Route: (.*?)\r?$", request)


FIRST, SECOND = "<sip:orig@first.example;lr>", "<sip:second.example:5070;lr>"


# What the registrar says of the way of calls (RFC 3608), and which they have then.
@pytest.mark.parametrize("fields, wanted", [
    ([], []),
    ([f"Service-Route: {FIRST}"], [FIRST]),
    ([f"Service-Route: {FIRST}, {SECOND}"], [FIRST, SECOND]),
    ([f"Service-Route: {FIRST}", f"Service-Route: {SECOND}"], [FIRST, SECOND]),
    ([f"Service-Route: {FIRST}", "Service-Route: <sip:strict.example>"], []),
    (["Service-Route: " + ", ".join([FIRST] * 5)], []),
    (["Service-Route: <sip:" + "x" * 2000 + ";lr>"], []),
    (["Service-Route: \x01"], []),
])
def test_the_way_of_calls(api, make_registrar, fields, wanted):
    """From the registration on, and not of calls that do not go by the registrar."""
    def answer(request, _):
        if request.startswith("REGISTER "):
            return says(request, 200, *(fields if len(registrar.requests) == 1 else []))
        return says(request, 486)

    def routes_of_a_call(address, by_registrar, reached):
        which = {"conferenceName": "Ways", "participantName": address}
        api.call("participant.add", **which, address=address, participantProtocol="sip",
                 participantType="by_address", useSIPRegistrar=by_registrar)
        wait_for(lambda: api.call("participant.status", **which)["callState"]
                 == "disconnected", 60, "the end of the call")
        api.call("participant.remove", **which)
        invite, = [r for r in reached.requests if r.startswith("INVITE ")
                   and f"sip:{address.partition('@')[0]}@" in r]
        wait_for(lambda: [r for r in reached.requests if r.startswith("ACK ")
                          and field(r, "Call-ID") == field(invite, "Call-ID")],
                 what="the ACK")
        ack, = [r for r in reached.requests if r.startswith("ACK ")
                and field(r, "Call-ID") == field(invite, "Call-ID")]
        assert routes(ack) == routes(invite)
        return routes(invite)

    registrar = make_registrar(answer)
    use(api, registrar)
    reaches(api, "registered")
    assert routes(registrar.requests[0]) == []
    assert routes_of_a_call("ann", True, registrar) == wanted
    other = make_registrar(answer)
    assert routes_of_a_call(f"ben@{HOST}:{other.port};transport=tcp", False, other) == []
    # The newest answer counts.
    before = len(registrar.requests)
    api.call("sip.register")
    wait_for(lambda: len(registrar.requests) > before, what="the refresh")
    assert routes_of_a_call("eve", True, registrar) == []


def test_asked_for_by_many_at_once(service, api, make_registrar):
    """One request at a time, whoever asks how often."""
    begun, going, most = threading.Lock(), [0], [0]

    def answer(request, _):
        with begun:
            going[0] += 1
            most[0] = max(most[0], going[0])
        try:
            return says(request, 200)
        finally:
            with begun:
                going[0] -= 1

    registrar = make_registrar(answer)
    use(api, registrar)
    reaches(api, "registered")

    def ask():
        for _ in range(10):
            service.local().call("sip.register")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reaches(api, "registered")["registrationProblem"] == ""
    assert 1 < len(registrar.requests) <= 41 and most[0] == 1
