# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of calls (SDES): neither written anywhere, nor left behind in the memory."""

import base64
import os
import pathlib
import re

import pytest

from sealbridge_service import Service, wait_for
from sip_phone import Audio, Call, Line

REGION_MAX = 1 << 29
SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]
# Lines that nobody can take, with a key all the same.
WRONG = ["0 AES_CM_128_HMAC_SHA1_80 inline:{}", "1 F8_128_HMAC_SHA1_80 inline:{}",
         "1 AES_CM_128_HMAC_SHA1_80 inline:{}|2^20|1:4", "1 AES_CM_128_HMAC_SHA1_80 inline:{}{}",
         "1 AES_CM_128_HMAC_SHA1_80 inline:{} KDR=1"]


class Keys:
    """Those that were said, by either side."""

    def __init__(self):
        self.texts = set()

    def note(self, text):
        self.texts |= {key[:40] for key in re.findall(r"inline:([A-Za-z0-9+/]{40})", text)}
        return text

    def needles(self):
        raw = [base64.b64decode(text) for text in self.texts]
        return [text.encode() for text in self.texts] + raw + [key.hex().encode() for key in raw]


def secure(audio, suite, **how):
    return audio.description(profile="RTP/SAVP", crypto=f"1 {suite}", **how)


def one_call(line, keys, suite):
    """All that descriptions are for, from the INVITE to the BYE."""
    call, audio, next_audio = Call(line, "sip:echo@127.0.0.1"), Audio(), Audio()
    answer = call.invite(keys.note(secure(audio, suite)))
    assert answer.status == 200
    call.ack()
    audio.agree(keys.note(answer.text), suite)
    assert audio.echoes()
    for change in (secure(audio, suite, direction="sendonly"), secure(next_audio, suite),
                   secure(next_audio, SUITES[0]), secure(next_audio, suite, payload=18)):
        keys.note(call.ask("UPDATE", keys.note(change)).text)
    again = call.reinvite("", answer=keys.note(secure(next_audio, SUITES[0])))
    assert again.status == 200 and "inline:" in keys.note(again.text)
    assert call.ask("BYE").status == 200
    audio.close()
    next_audio.close()


def refused_calls(line, keys):
    audio = Audio()
    for wrong in WRONG:
        body = audio.description(profile="RTP/SAVP") + f"a=crypto:{wrong}\r\n".format(
            audio.key, audio.key)
        assert Call(line, "sip:echo@127.0.0.1").invite(keys.note(body)).status == 488
    body = keys.note(secure(audio, SUITES[0]))
    assert Call(line, "sip:echo@127.0.0.1").invite(body + "rubbish").status == 400
    late = Call(line, "sip:echo@127.0.0.1")
    assert "inline:" in keys.note(late.invite().text) or line.kind != "tls"
    late.ack(keys.note(secure(audio, SUITES[1])))
    line.reply(line.request("BYE"), 200)
    audio.close()


@pytest.fixture(scope="module")
def used():
    """A service at its most talkative that has had calls with keys, and those keys."""
    keys = Keys()
    with Service() as service:
        api = service.local()
        api.call("services.modify", force=True, services=[
            {"name": "sip_tcp", "setting": True}, {"name": "sip_udp", "setting": True}])
        api.call("eventlog.configure", level="detailedTrace")
        for kind in "tls", "tcp", "udp":
            line = Line(service.host, service.sips if kind == "tls" else service.sip, kind)
            for suite in SUITES:
                one_call(line, keys, suite)
            refused_calls(line, keys)
            line.close()
        assert len(keys.texts) > 20
        yield service, keys


def test_written_nowhere(used):
    service, keys = used
    api = service.local()
    wait_for(lambda: api.call("eventlog.enumerate", numEvents=20, newestFirst=True,
                              filter={"group": "sip", "level": "trace"})["events"],
             what="traces of SIP")
    for path in service.state.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [n for n in keys.needles() if n in content], path
    said = service.log().encode()
    assert b"has ended" in said and not [n for n in keys.needles() if n in said]


def memory_of(pid):
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps.splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            start, end = int(match[1], 16), int(match[2], 16)
            # What is larger is the address sanitizer's own.
            if "w" not in match[3] or end - start > REGION_MAX:
                continue
            try:
                memory.seek(start)
                yield line, memory.read(end - start)
            except OSError:
                continue


def test_nothing_is_left(used):
    """Once the last transaction has ended, 32 seconds after its answer."""
    service, keys = used
    if os.getuid() != 0:
        return
    needles = keys.needles()

    def left():
        return [(line, n[:4]) for line, content in memory_of(service.pid)
                for n in needles if n in content]

    try:
        wait_for(lambda: not left(), 120, "an end of the last key", pause=5)
    except AssertionError as e:
        raise AssertionError(f"{e}: {left()}") from None
