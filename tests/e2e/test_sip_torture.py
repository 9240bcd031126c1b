# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of every kind that RFC 4475 describes, and those that RFC 3261 has an
answer for, over UDP, TCP and TLS.

The sections named are of RFC 4475, and so are the short names. What is asserted
is an answer, or that none came: silence is proved by an OPTIONS behind the
message whose answer is the next one, never by waiting."""

import contextlib
import re
import ssl

import pytest

from sip_wire import FLOWS, STREAMS, Call, Gone, sdp, unique

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def sip(service):
    from sip_wire import enable
    return enable(service)


@pytest.fixture(params=FLOWS)
def flow(sip, request):
    with FLOWS[request.param](sip) as flow:
        yield flow


@pytest.fixture(params=STREAMS)
def stream(sip, request):
    with STREAMS[request.param](sip) as flow:
        yield flow


def fill(flow, text, body=b""):
    """The bytes of a message: {H} is the service, {M} who sends, {T} the
    transport, {B} and {I} a branch and a Call-ID of its own, {L} the length of
    the body."""
    for name, value in {
            "{H}": flow.there, "{M}": flow.here, "{T}": flow.transport,
            "{B}": unique("z9hG4bK"), "{I}": unique("id"), "{L}": str(len(body))}.items():
        text = text.replace(name, value)
    return text.lstrip("\n").replace("\n", "\r\n").encode() + body


def is_alive(flow):
    """The flow still serves, and nothing but this answer is on it."""
    assert flow.ask().status == 200


# What most messages consist of; {B} and the like are filled in.
VIA = "Via: SIP/2.0/{T} {M};branch={B};rport\n"
FROM = "From: <sip:caller@{M}>;tag=f1\n"
TO = "To: <sip:echo@{H}>\n"
ID = "Call-ID: {I}\n"
FORWARDS = "Max-Forwards: 70\n"
CONTACT = "Contact: <sip:caller@{M}>\n"
REST = VIA + FROM + TO + ID + FORWARDS + CONTACT
OPTIONS = "OPTIONS sip:echo@{H} SIP/2.0\n"
INVITE = "INVITE sip:echo@{H} SIP/2.0\n"
REGISTER = "REGISTER sip:{H} SIP/2.0\n"
END = "Content-Length: {L}\n\n"


# --- strange and right (3.1.1): taken by whoever serves the method

LONG = "x" * 200
TAKEN = {
    # 3.1.1.1: folded lines, blanks wherever they may be, short names, no rport,
    # fields that nobody knows, an empty one, numbers with zeros before them
    "wsinv": """
OPTIONS sip:echo@{H};unknownparam SIP/2.0
TO :
 sip:echo@{H} ;   label    = one
from   : "A \\\\\\" person"       <sip:person@there.example.com>
  ;
  tag = 5e2c
MaX-fOrWaRdS: 0068
i: {I}
l: 0
cseq: 0009
  OPTIONS
Via  : SIP  /   2.0
 /{T}
    {M};branch={B}
s :
UnheardOfField:   with a value
 on two lines; and = "a \\"parameter\\" like thing"
UnheardOfEmptyOne:
v:  SIP  / 2.0  / TCP     there.example.com   ;
  branch  =   z9hG4bK9axe8  ,
 SIP  /    2.0   / UDP  192.0.2.111   ; branch=
 z9hG4bK30299
m:"A person with \\"quotes\\"" <sip:person@{M}> ; anewparam  =
   anewvalue ;  another ; q = 0.33

""",
    # 3.1.1.3: escapes in users, names of parameters and values
    "esc01": OPTIONS.replace("echo@", "sips%3Aecho%40example.com@") + """
To: sip:%65cho@{H}
From: <sip:I%20have%20spaces@example.net>;tag=f7
Call-ID: {I}
CSeq: 234234 OPTIONS
Max-Forwards: 87
Via: SIP/2.0/{T} {M};branch={B};rport
Contact: <sip:caller%20a@{M};%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: 0

""".lstrip("\n"),
    # 3.1.1.4: an escaped NUL is a character as others
    "escnull": "OPTIONS sip:null-%00-null@{H} SIP/2.0\n" + VIA + """
To: sip:null-%00-null@{H}
From: sip:null-%00-null@example.com;tag=f8
Call-ID: {I}
CSeq: 14398234 OPTIONS
Max-Forwards: 70
Contact: <sip:%00@{M}>
Contact: <sip:%00%00@{M}>
Content-Length: 0

""".lstrip("\n"),
    # 3.1.1.6: a name right before <
    "lwsdisp": OPTIONS + VIA + "From: caller<sip:caller@{M}>;tag=f9\n" + TO + ID
    + FORWARDS + "CSeq: 60 OPTIONS\n" + END,
    # 3.1.1.7: values of hundreds of bytes, many Vias, a long name of a field
    "longreq": OPTIONS.replace("echo@", f"echo{LONG}@")
    + f'To: "{"A long name " * 20}" <sip:echo@{{H}}>;{"p" * 150}={"v" * 150};q\n'
    + f'From: sip:{"a" * 300}@{{M}};{"u" * 140}={"w" * 100};tag={"1" * 150}\n'
    + f'Call-ID: {{I}}.{"long" * 50}\n'
    + f'CSeq: 3882340 OPTIONS\n{"Unknown-" * 20}Field: {"some value, " * 30}\n'
    + VIA + "Max-Forwards: 70\n"
    + "".join(f"v: SIP/2.0/TCP sip{n}.example.com;branch=z9hG4bK{n}{'b' * 60}\n"
              for n in range(34))
    + f"Contact: <sip:{'c' * 300}@{{M}}>\n" + END,
    # 3.1.1.9: a parameter in the user part is the user's
    "semiuri": OPTIONS.replace("echo@", "user;par=u%40example.net@") + REST
    + "CSeq: 8 OPTIONS\n" + END,
    # 3.1.1.10: transports in Via that nobody has heard of
    "transports": OPTIONS + VIA
    + "Via: SIP/2.0/SCTP t1.example.com;branch=z9hG4bKa\n"
      "Via: SIP/2.0/TLS t2.example.com;branch=z9hG4bKb\n"
      "Via: SIP/2.0/UNKNOWN t3.example.com;branch=z9hG4bKc\n"
      "Via: SIP/2.0/TCP t4.example.com;branch=z9hG4bKd\n"
    + FROM + TO + ID + FORWARDS + "CSeq: 60 OPTIONS\n" + END,
    "transports, the first": OPTIONS + VIA.replace("{T}", "UNKNOWN")
    + FROM + TO + ID + FORWARDS + "CSeq: 60 OPTIONS\n" + END,
    # 3.1.2.12: a date in a zone that dates have not; nobody needs it
    "baddate": OPTIONS + REST + "Date: Fri, 01 Jan 2010 16:00:00 EST\nCSeq: 1 OPTIONS\n" + END,
    # 3.3.4: URIs of other schemes in From and To are names
    "unksm2": OPTIONS + VIA + "To: <isbn:2983792873>\nFrom: <http://www.example.com>;tag=3\n"
    + ID + FORWARDS + "CSeq: 239 OPTIONS\n" + END,
    # 3.3.7: credentials that nobody asked for, of a kind unknown
    "regaut01": OPTIONS + REST + "CSeq: 9338 OPTIONS\n"
    'Authorization: NoOneKnowsThisScheme opaque-data=here\n' + END,
    # 3.3.11: it has arrived, nobody forwards it; 483 is for proxies
    "zeromf": OPTIONS + VIA + FROM + TO + ID + "Max-Forwards: 0\nCSeq: 6 OPTIONS\n" + END,
    # the largest CSeq
    "largest CSeq": OPTIONS + REST + "CSeq: 2147483647 OPTIONS\n" + END,
    "no Max-Forwards": OPTIONS + VIA + FROM + TO + ID + "CSeq: 1 OPTIONS\n" + END,
    # what may stand in the user part
    "unusual user": "OPTIONS sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,"
    "weird!*pas$wo~d_too.(doesn't-it)@{H} SIP/2.0\n" + REST + "CSeq: 1 OPTIONS\n" + END,
    "a body that is no offer": OPTIONS + REST
    + "CSeq: 1 OPTIONS\nContent-Type: text/x\nContent-Length: 3\n\nabc",
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken(flow, name):
    flow.send(fill(flow, TAKEN[name]))
    answer = flow.answer(method="OPTIONS")
    assert answer.status == 200, answer.fields
    assert answer.tag("To") and "INVITE" in answer.get("Allow")
    is_alive(flow)


# --- refused by a status

def refused(status, text, body=b"", **fields):
    """fields: words that must stand in these fields of the answer."""
    return status, text, body, fields


ALLOW = {"Allow": "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"}
REFUSED = {
    # 3.1.1.2: a method out of every character that methods may have
    "intmeth": refused(405, "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!"
                       "sure)&isn't+it$/crazy?,/;;*@{H} SIP/2.0\n" + REST
                       + "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\n"
                       + END, **ALLOW),
    # 3.1.1.5: no escapes in methods
    "esc02": refused(405, "RE%47IST%45R sip:{H} SIP/2.0\n" + REST
                     + "CSeq: 29344 RE%47IST%45R\n" + END, **ALLOW),
    # 3.1.1.11: more than one part
    "mpart01": refused(405, "MESSAGE sip:echo@{H} SIP/2.0\n" + REST
                       + "CSeq: 1 MESSAGE\nContent-Type: multipart/mixed;boundary=7a\n" + END,
                       b"--7a\r\n\r\nHello\r\n--7a\r\n\0\x01\xff\r\n--7a--\r\n", **ALLOW),
    "mpart01 as an offer": refused(
        415, INVITE + REST + "CSeq: 1 INVITE\nContent-Type: multipart/mixed;boundary=7a\n" + END,
        b"--7a\r\n\r\nHello\r\n--7a--\r\n", Accept="application/sdp"),
    # 3.1.2.1: separators with nothing between
    "badinv01": refused(400, INVITE + "To: <sip:echo@{H}>\nFrom: <sip:caller@{M}>;tag=1\n" + ID
                        + "CSeq: 8 INVITE\nVia: SIP/2.0/{T} {M};;,;,,\n"
                          "Contact: \"\" <> ;,\"Joe\" <sip:caller@{M}>;;,\n" + FORWARDS + END),
    # 3.1.2.4
    "scalar02": refused(400, REGISTER + VIA + FROM + TO + ID
                        + "CSeq: 36893488147419103232 REGISTER\nMax-Forwards: 300\n"
                          "Expires: 10000000000000000000000000000000000000000000000000000\n"
                          "Contact: <sip:u@{M}>;expires=280297596632815\n" + END),
    "scalar02, CSeq": refused(400, OPTIONS + REST + "CSeq: 36893488147419103232 OPTIONS\n" + END),
    "CSeq of 2^31": refused(400, OPTIONS + REST + "CSeq: 2147483648 OPTIONS\n" + END),
    "scalar02, Max-Forwards": refused(400, OPTIONS + VIA + FROM + TO + ID
                                      + "Max-Forwards: 300\nCSeq: 1 OPTIONS\n" + END),
    # 3.1.2.6
    "quotbal": refused(400, OPTIONS + VIA + FROM + 'To: "Mr. J. User <sip:echo@{H}>\n' + ID
                       + FORWARDS + "CSeq: 1 OPTIONS\n" + END),
    # 3.1.2.7
    "ltgtruri": refused(400, "OPTIONS <sip:echo@{H}> SIP/2.0\n" + REST + "CSeq: 1 OPTIONS\n" + END),
    # 3.1.2.8
    "lwsruri": refused(400, "OPTIONS sip:echo@{H}; lr SIP/2.0\n" + REST + "CSeq: 1 OPTIONS\n" + END),
    # 3.1.2.9
    "lwsstart": refused(400, "OPTIONS  sip:echo@{H}  SIP/2.0\n" + REST + "CSeq: 1 OPTIONS\n" + END),
    # 3.1.2.10
    "trws": refused(400, "OPTIONS sip:echo@{H} SIP/2.0  \n" + REST + "CSeq: 1 OPTIONS\n" + END),
    # 3.1.2.11
    "escruri": refused(400, "INVITE sip:echo@{H}?Route=%3Csip:there.example.com%3E SIP/2.0\n" + REST
                       + "CSeq: 1 INVITE\n" + END),
    # 3.1.2.16; the one thing that is wrong with it
    "badvers": refused(505, "OPTIONS sip:echo@{H} SIP/7.0\n" + VIA.replace("2.0", "7.0") + FROM + TO
                       + ID + FORWARDS + "CSeq: 1 OPTIONS\n" + END),
    "badvers, only there": refused(505, "OPTIONS sip:echo@{H} SIP/2.1\n" + REST
                                   + "CSeq: 1 OPTIONS\n" + END),
    # 3.1.2.17
    "mismatch01": refused(400, OPTIONS + REST + "CSeq: 8 INVITE\n" + END),
    # 3.1.2.18
    "mismatch02": refused(400, "NEWMETHOD sip:echo@{H} SIP/2.0\n" + REST + "CSeq: 8 INVITE\n" + END),
    "method unknown": refused(405, "NEWMETHOD sip:echo@{H} SIP/2.0\n" + REST
                              + "CSeq: 8 NEWMETHOD\n" + END, **ALLOW),
    "method in small letters": refused(405, "options sip:echo@{H} SIP/2.0\n" + REST
                                       + "CSeq: 8 options\n" + END, **ALLOW),
    # 3.3.1
    "insuf": refused(400, "INVITE sip:echo@{H} SIP/2.0\nCSeq: 193942 INVITE\n" + VIA
                     + "Content-Type: application/sdp\n" + END, sdp("192.0.2.95", 5004)),
    "no From": refused(400, OPTIONS + VIA + TO + ID + FORWARDS + "CSeq: 1 OPTIONS\n" + END),
    "no To": refused(400, OPTIONS + VIA + FROM + ID + FORWARDS + "CSeq: 1 OPTIONS\n" + END),
    "no Call-ID": refused(400, OPTIONS + VIA + FROM + TO + FORWARDS + "CSeq: 1 OPTIONS\n" + END),
    # 3.3.2 and 3.3.3: schemes unknown, and known for other things
    "unkscm": refused(416, "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\n" + REST
                      + "CSeq: 1 OPTIONS\n" + END),
    "novelsc": refused(416, "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\n" + REST
                       + "CSeq: 1 OPTIONS\n" + END),
    "a number to dial": refused(416, "INVITE tel:+1-201-555-0123 SIP/2.0\n" + REST
                                + "CSeq: 1 INVITE\n" + END),
    "no scheme": refused(400, "OPTIONS echo SIP/2.0\n" + REST + "CSeq: 1 OPTIONS\n" + END),
    # 3.3.5
    "bext01": refused(420, OPTIONS + REST + "CSeq: 8 OPTIONS\n"
                      "Require: nothingSupportsThis, timer, nothingSupportsThisEither\n"
                      "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\n" + END,
                      Unsupported="nothingSupportsThis, nothingSupportsThisEither"),
    "reliable answers": refused(420, INVITE + REST + "CSeq: 8 INVITE\nRequire: 100rel\n" + END,
                                Unsupported="100rel"),
    # 3.3.6
    "invut": refused(415, INVITE + REST
                     + "CSeq: 8 INVITE\nContent-Type: application/unknownformat\n" + END,
                     b"<audio>\r\n <pcmu port=\"443\"/>\r\n</audio>\r\n",
                     Accept="application/sdp"),
    "an encoding": refused(415, INVITE + REST + "CSeq: 8 INVITE\nContent-Type: application/sdp\n"
                           "Content-Encoding: gzip\n" + END, b"\x1f\x8b\x08\0\0",
                           Accept_Encoding="identity"),
    # 3.3.8
    "multi01": refused(400, INVITE + "CSeq: 5 INVITE\nVia: SIP/2.0/{T} {M};branch={B}\n"
                       "Max-Forwards: 70\nMax-Forwards: 5\nCall-ID: {I}\nCall-ID: {I}\n"
                       "CSeq: 59 INVITE\nFrom: <sip:caller@{M}>;tag=1\n"
                       "From: <sip:other@{M}>;tag=2\nTo: <sip:echo@{H}>\nTo: sip:b@{H}\n"
                       + CONTACT + END),
    # 3.3.12 to 3.3.14: registrars have to tell these apart; this is none
    "cparam01": refused(405, REGISTER + VIA + FROM + TO + ID + FORWARDS + "CSeq: 2 REGISTER\n"
                        "Contact: sip:+19725552222@{M};unknownparam\n" + END, **ALLOW),
    "cparam02": refused(405, REGISTER + VIA + FROM + TO + ID + FORWARDS + "CSeq: 2 REGISTER\n"
                        "Contact: <sip:+19725552222@{M};unknownparam>\n" + END, **ALLOW),
    "regescrt": refused(405, REGISTER + VIA + FROM + TO + ID + FORWARDS + "CSeq: 2 REGISTER\n"
                        "Contact: <sip:u@example.com?Route=%3Csip:there.example.com%3E>\n" + END,
                        **ALLOW),
    # RFC 3261: about something that is not there
    "BYE to nothing": refused(481, "BYE sip:echo@{H} SIP/2.0\n" + VIA + FROM
                              + "To: <sip:echo@{H}>;tag=nobody\n" + ID + FORWARDS
                              + "CSeq: 2 BYE\n" + END),
    "BYE without a tag": refused(481, "BYE sip:echo@{H} SIP/2.0\n" + REST + "CSeq: 2 BYE\n" + END),
    "CANCEL of nothing": refused(481, "CANCEL sip:echo@{H} SIP/2.0\n" + REST
                                 + "CSeq: 2 CANCEL\n" + END),
    "UPDATE of nothing": refused(481, "UPDATE sip:echo@{H} SIP/2.0\n" + VIA + FROM
                                 + "To: <sip:echo@{H}>;tag=nobody\n" + ID + FORWARDS + CONTACT
                                 + "CSeq: 2 UPDATE\n" + END),
    "re-INVITE of nothing": refused(481, INVITE + VIA + FROM + "To: <sip:echo@{H}>;tag=nobody\n"
                                    + ID + FORWARDS + CONTACT + "CSeq: 2 INVITE\n" + END),
    "OPTIONS in no dialog": refused(481, OPTIONS + VIA + FROM + "To: <sip:echo@{H}>;tag=nobody\n"
                                    + ID + FORWARDS + CONTACT + "CSeq: 2 OPTIONS\n" + END),
    # offers that cannot be met
    "no offer in the offer": refused(400, INVITE + REST
                                     + "CSeq: 8 INVITE\nContent-Type: application/sdp\n" + END,
                                     b"hello\r\n"),
    "no audio that we know": refused(488, INVITE + REST
                                     + "CSeq: 8 INVITE\nContent-Type: application/sdp\n" + END,
                                     sdp("127.0.0.1", 5004, codecs=("18",))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(flow, name):
    status, text, body, fields = REFUSED[name]
    sent = fill(flow, text, body)
    flow.send(sent)
    answer = flow.answer()
    assert answer.status == status, (answer, answer.fields)
    for field, wanted in fields.items():
        words = answer.get(field.replace("_", "-")).split(", ")
        assert set(wanted.split(", ")) <= set(words), answer.fields
    if answer.get("CSeq").endswith("INVITE"):
        acknowledge(flow, sent, answer)
    is_alive(flow)


def acknowledge(flow, invite, answer):
    """The ACK to a refusal: its branch is the INVITE's."""
    head = invite.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    via = next(line for line in head if line.startswith("Via:"))
    flow.send("\r\n".join([
        head[0].replace(head[0].split()[0], "ACK", 1), via, f"From: {answer.get('From')}",
        f"To: {answer.get('To')}", f"Call-ID: {answer.call_id}",
        f"CSeq: {answer.get('CSeq').split()[0]} ACK", "Content-Length: 0", "", ""]).encode())


# Either is right (RFC 4475 leaves it open): but one answer, and the flow stands.
EITHER = {
    # 3.1.2.13: whose are the headers in that URI?
    "regbadct": OPTIONS + VIA + FROM + TO + ID + FORWARDS + "CSeq: 8 OPTIONS\n"
    "Contact: sip:caller@{M}?Route=%3Csip:there.example.com%3E\n" + END,
    # 3.1.2.14
    "badaspec": OPTIONS + VIA + FROM + 'To: "Echo, The" < sip:echo@{H} >\n' + ID + FORWARDS
    + "CSeq: 8 OPTIONS\n" + END,
    # 3.1.2.15
    "baddn": OPTIONS + VIA + "From: Bell, Alexander <sip:a@{M}>;tag=43\n" + TO + ID + FORWARDS
    + "CSeq: 8 OPTIONS\n" + END,
    # 3.2.1: the cookie of RFC 3261 and nothing behind it
    "badbranch": OPTIONS + "Via: SIP/2.0/{T} {M};branch=z9hG4bK;rport\n" + FROM + TO + ID + FORWARDS
    + "CSeq: 8 OPTIONS\n" + END,
}


@pytest.mark.parametrize("name", EITHER)
def test_either(flow, name):
    flow.send(fill(flow, EITHER[name]))
    assert flow.answer(method="OPTIONS").status in (200, 400)
    is_alive(flow)


# --- what nothing is said to

ANSWER = VIA + FROM + TO + ID + "CSeq: 1 OPTIONS\n"
SILENCE = {
    # 3.1.1.12 and 3.1.1.13: right, and about nothing that we asked
    "unreason": "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e\n" + ANSWER + END,
    "noreason": "SIP/2.0 100 \n" + ANSWER + END,
    # 3.1.2.5
    "scalarlg": "SIP/2.0 503 Service Unavailable\n" + VIA + FROM + TO + ID
    + "CSeq: 9292394834772304023312 OPTIONS\nRetry-After: 949302838503028349304023988\n"
      "Warning: 1812 there \"in the middle\"\n" + END,
    # 3.1.2.19
    "bigcode": "SIP/2.0 4294967301 better not\n" + ANSWER + END,
    # 3.3.10: to be sent to all the world
    "bcast": "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\n"
    "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\n" + FROM + TO + ID
    + "CSeq: 1 INVITE\n" + CONTACT + END,
    "ACK of nothing": "ACK sip:echo@{H} SIP/2.0\n" + REST + "CSeq: 1 ACK\n" + END,
    "ACK in no dialog": "ACK sip:echo@{H} SIP/2.0\n" + VIA + FROM
    + "To: <sip:echo@{H}>;tag=nobody\n" + ID + FORWARDS + "CSeq: 1 ACK\n" + END,
    "ACK that requires": "ACK sip:echo@{H} SIP/2.0\n" + REST
    + "CSeq: 1 ACK\nRequire: nothingSupportsThis\n" + END,
    "ACK in another version": "ACK sip:echo@{H} SIP/7.0\n" + REST + "CSeq: 1 ACK\n" + END,
    "no Via": OPTIONS + FROM + TO + ID + FORWARDS + "CSeq: 1 OPTIONS\n" + END,
    "no CSeq": OPTIONS + REST + END,
}


@pytest.mark.parametrize("name", SILENCE)
def test_silence(flow, name):
    flow.send(fill(flow, SILENCE[name]))
    is_alive(flow)


# --- where the body ends

def test_trailing_octets(flow):
    """3.1.1.8 (dblreq): behind the end of a datagram's message stands nothing;
    in a stream it is the next one."""
    first, second = unique("id"), unique("id")
    data = flow.request(call_id=first) + flow.request("NEWMETHOD", call_id=second)
    flow.send(data)
    assert flow.answer(first).status == 200
    if flow.transport != "UDP":
        assert flow.answer(second).status == 405
    is_alive(flow)


def test_longer_than_the_datagram(sip):
    """3.1.2.2 (clerr): nothing more comes."""
    with FLOWS["UDP"](sip) as flow:
        flow.send(flow.request("INVITE", body=b"v=0\r\n", fields=[
            "Content-Type: application/sdp"]).replace(b"Length: 5", b"Length: 9999"))
        assert flow.answer().status == 400
        is_alive(flow)


def test_longer_than_what_came(stream):
    """The same in a stream: what comes next belongs to it, and then is enough."""
    inner = stream.request(call_id=unique("inner"))
    whole = stream.request("NEWMETHOD", call_id=unique("outer"), body=inner, fields=[
        "Content-Type: message/sip"])
    for piece in whole[:-len(inner)], inner:
        stream.send(piece)
    assert stream.answer().status == 405
    is_alive(stream)


# What cannot be framed: answered when there is a head, and that is the end of it.
UNFRAMED = {
    # 3.1.2.3
    "ncl": (400, "CSeq: 1 OPTIONS\nContent-Length: -999\n\n"),
    # 3.3.9
    "mcl01": (400, "CSeq: 1 OPTIONS\nContent-Length: 13\nContent-Length: 5\n\nhello"),
    "the same length twice": (400, "CSeq: 1 OPTIONS\nContent-Length: 0\nl: 0\n\n"),
    "no length": (400, "CSeq: 1 OPTIONS\n\n"),
    "a length with words": (400, "CSeq: 1 OPTIONS\nContent-Length: 0 bytes\n\n"),
    "an empty length": (400, "CSeq: 1 OPTIONS\nContent-Length:\n\n"),
    "many fields": (513, "CSeq: 1 OPTIONS\n" + "X: y\n" * 400 + "Content-Length: 0\n\n"),
    "more than may be": (513, "CSeq: 1 OPTIONS\nContent-Length: 65537\n\n"),
    "more than there is in the world":
        (513, "CSeq: 1 OPTIONS\nContent-Length: 99999999999999999999999999\n\n"),
}


@pytest.mark.parametrize("name", UNFRAMED)
def test_unframed(stream, name):
    status, text = UNFRAMED[name]
    stream.send(fill(stream, OPTIONS + REST + text))
    stream.is_ended()
    assert [m.status for m in stream.kept] == [status]
    with STREAMS[stream.transport](stream.service) as other:
        is_alive(other)


@pytest.mark.parametrize("name", ["ncl", "mcl01", "a length with words", "many fields"])
def test_unframed_datagram(sip, name):
    status, text = UNFRAMED[name]
    with FLOWS["UDP"](sip) as flow:
        flow.send(fill(flow, OPTIONS + REST + text))
        assert flow.answer().status == status
        is_alive(flow)


NO_HEADS = {
    "NUL": b"OPTIONS sip:\0 SIP/2.0\r\nl: 0\r\n\r\n",
    "LF alone": b"OPTIONS sip:a@b SIP/2.0\nl: 0\r\n\r\n",
    "CR alone": b"OPTIONS sip:a@b SIP/2.0\r\nl: 0\rx: y\r\n\r\n",
    "CR first": b"\rOPTIONS sip:a@b SIP/2.0\r\n\r\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    "a post": b"POST /RPC2 HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc",
    "an endless line": b"A" * 20000,
    "an endless head": b"OPTIONS sip:a@b SIP/2.0\r\n" + b"X-Header: and so on\r\n" * 2000,
}


@pytest.mark.parametrize("name", NO_HEADS)
def test_no_heads(stream, name):
    """Nothing, or something that does no harm, and the end."""
    with contextlib.suppress(ConnectionError, ssl.SSLEOFError):  # ended in the middle of it
        stream.send(NO_HEADS[name])
    try:
        while True:
            stream.receive()
    except Gone:
        pass
    except (AssertionError, ValueError):  # not SIP
        assert bytes(stream.reader.data).startswith(b"HTTP/1.1 400"), stream.reader.data
    with STREAMS[stream.transport](stream.service) as other:
        is_alive(other)


NO_DATAGRAMS = [b"", b"\0", b"\r\n", b"\r\n\r\n", b"hello", b"\xff" * 1400, b"SIP/2.0",
                b"SIP/2.0 200 OK\r\n\r\n", b"OPTIONS", b"OPTIONS sip:a@b SIP/2.0\r\n\r\n",
                b"\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n", b" " * 1000, b":" * 1000 + b"\r\n\r\n",
                *(v for k, v in NO_HEADS.items() if len(v) < 10000)]


def test_no_datagrams(sip):
    with FLOWS["UDP"](sip) as flow:
        for datagram in NO_DATAGRAMS:
            flow.send(datagram)
            is_alive(flow)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pieces(stream, size):
    """As it may come out of any network."""
    ids = [unique("id") for _ in range(3)]
    data = b"\r\n".join(stream.request(call_id=i, body=b"abc", fields=[
        "Content-Type: text/plain"]) for i in ids)
    stream.send_pieces(data, size)
    assert [stream.answer().call_id for _ in ids] == ids
    assert stream.reader.pongs == 0


# --- answers of RFC 3261

def test_answer_names_the_request(flow):
    """8.2.6.2: what is copied, the tag that is added; 18.2.1: received."""
    answer = flow.ask("NEWMETHOD", from_tag="abc", cseq=77, via=flow.via("z9hG4bKq")
                      + ";x=y, SIP/2.0/TCP far.example.com;branch=z9hG4bKr")
    assert answer.status == 405
    assert answer.get("CSeq") == "77 NEWMETHOD"
    assert answer.get("From") == f"<sip:caller@{flow.here}>;tag=abc"
    assert answer.get("To").startswith(f"<{flow.uri}>;tag=")
    via = ", ".join(answer.all("Via"))
    assert re.search(rf"received={flow.source}\b", via) and "far.example.com" in via
    assert f"rport={flow.port}" in via
    assert answer.get("Content-Length") == "0"


def test_copies_get_the_same_answer(sip):
    """17.2.2: a copy of a request is answered with a copy, refused or not."""
    with FLOWS["UDP"](sip) as flow:
        for method in "OPTIONS", "NEWMETHOD":
            request = flow.request(method)
            flow.send(request, request, request)
            assert len({tuple(flow.receive().fields) for _ in range(3)}) == 1


def test_merged(flow):
    """8.2.2.2: the same request on two ways."""
    call_id = unique("id")
    body = sdp(flow.source, 5004)
    how = {"call_id": call_id, "body": body, "fields": ["Content-Type: application/sdp"]}
    first, second = unique("z9hG4bK"), unique("z9hG4bK")
    flow.send(flow.request("INVITE", branch=first, **how),
              flow.request("INVITE", branch=second, **how))
    answers = {}
    while len(answers) < 2:
        answer = flow.answer(call_id, "INVITE")
        answers[re.search(r"branch=(\w+)", answer.get("Via"))[1]] = answer
    assert {first: answers[first].status, second: answers[second].status} == {
        first: 200, second: 482}
    for branch, answer in answers.items():
        flow.send(flow.request("ACK", uri=answer.uri_of("Contact") or None, call_id=call_id,
                               to=f";tag={answer.tag('To')}",
                               branch=unique("z9hG4bK") if branch == first else branch))
    flow.send(flow.request("BYE", uri=answers[first].uri_of("Contact"), call_id=call_id, cseq=2,
                           to=f";tag={answers[first].tag('To')}"))
    assert flow.answer(call_id, "BYE").status == 200


# --- calls

CALLS = {
    # 3.1.1.1, as the INVITE that it is
    "wsinv": TAKEN["wsinv"].replace("OPTIONS", "INVITE").replace(
        "l: 0\n", "l: {L}\nc:\n application/SDP ; nobody = knows\n"),
    # 3.1.1.7
    "longreq": TAKEN["longreq"].replace("OPTIONS", "INVITE").replace(
        "Content-Length", "Content-Type: application/sdp\nContent-Length"),
    # 3.3.15: what it accepts instead is not what it offers
    "sdp01": INVITE + REST + "CSeq: 1 INVITE\nAccept: text/nobodyKnowsThis\n"
    "Content-Type: application/sdp\n" + END,
    # 3.4.1: before RFC 3261: no branch, no tag, no Max-Forwards
    "inv2543": INVITE + "Via: SIP/2.0/{T} {M}\nFrom: <sip:caller@{M}>\n" + TO + ID + CONTACT
    + "CSeq: 1 INVITE\nContent-Type: application/sdp\n" + END,
}


def in_dialog(flow, method, answer, cseq):
    """What the answer of a call says goes into what follows."""
    return "\r\n".join([
        f"{method} {answer.uri_of('Contact')} SIP/2.0", f"Via: {flow.via()}",
        f"From: {answer.get('From')}", f"To: {answer.get('To')}",
        f"Call-ID: {answer.call_id}", f"CSeq: {cseq} {method}", "Max-Forwards: 70",
        "Content-Length: 0", "", ""]).encode()


@pytest.mark.parametrize("name", CALLS)
def test_strange_calls(flow, name):
    flow.send(fill(flow, CALLS[name], sdp(flow.source, 5004)))
    answer = flow.answer(method="INVITE")
    assert answer.status == 200, answer.fields
    assert answer.body.startswith(b"v=0\r\n") and answer.tag("To")
    cseq = int(answer.get("CSeq").split()[0])
    flow.send(in_dialog(flow, "ACK", answer, cseq),
              in_dialog(flow, "BYE", answer, cseq + 1))
    assert flow.answer(answer.call_id, "BYE").status == 200
    flow.send(in_dialog(flow, "BYE", answer, cseq + 2))
    assert flow.answer(answer.call_id, "BYE").status == 481


def test_cancel_comes_late(flow):
    """9.2: the INVITE has its final answer; CANCEL changes nothing."""
    call = Call(flow, rtp_port=5004).invite()
    assert call.answered().status == 200
    cancel = flow.request("CANCEL", call_id=call.id, cseq=call.cseq, branch=call.branch)
    flow.send(cancel)
    assert flow.answer(call.id, "CANCEL").status in (200, 481)
    assert call.bye().status == 200


def test_numbers_go_up(flow):
    """12.2.2: an old CSeq in a dialog is out of order, and the call stands."""
    call = Call(flow, rtp_port=5004).invite()
    assert call.answered().status == 200
    call.cseq = 10
    assert call.ask("OPTIONS").status == 200
    assert call.ask("OPTIONS", cseq=5).status == 500
    assert call.bye().status == 200
