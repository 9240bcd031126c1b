# SPDX-License-Identifier: GPL-3.0-or-later
"""Many calls that stand at the same time, each on a connection of its own and
with audio that comes back."""

import re
import select
import socket
import struct
import threading

from sip_wire import SECONDS, Call, TlsFlow

PER_ADDRESS = 100  # the service limits what one address may open


class Speaker:
    """RTP of one call: PCMU, one packet at a time."""

    def __init__(self, source, number):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.port = self.socket.getsockname()[1]
        self.ssrc, self.sequence = 0x5b000000 + number, 0

    def listen_to(self, description):
        text = description.decode()
        self.there = (re.search(r"(?m)^c=IN IP4 (\S+)", text)[1],
                      int(re.search(r"(?m)^m=audio (\d+) ", text)[1]))

    def say(self):
        self.sequence = (self.sequence + 1) & 0xffff
        sound = struct.pack("!HI", self.sequence, self.ssrc) * 26 + b"\xff" * 4
        self.socket.sendto(struct.pack(
            "!BBHII", 0x80, 0, self.sequence, 160 * self.sequence, self.ssrc) + sound, self.there)
        return sound

    def hears(self):
        """The sound of a packet that came back, not RTCP."""
        while select.select([self.socket], [], [], SECONDS)[0]:
            packet = self.socket.recv(2048)
            if packet[1] & 0x7f == 0:
                return packet[12:]
        raise AssertionError("no audio came back")

    def is_echoed(self):
        """Says something and hears it; what was said before may come first."""
        sound = self.say()
        while self.hears() != sound:
            pass


class StandingCalls:
    def __init__(self, service, count, kind=TlsFlow):
        self.calls = []
        self._end = threading.Event()
        self._talker = None
        for number in range(count):
            source = f"127.0.4.{number // PER_ADDRESS + 1}"
            flow = kind(service, source)
            speaker = Speaker(source, number)
            call = Call(flow, rtp_port=speaker.port)
            self.calls.append((call, speaker))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.be_silent()
        for call, speaker in self.calls:
            call.flow.close()
            speaker.socket.close()

    def establish(self):
        for call, _ in self.calls:
            call.invite()
        for call, speaker in self.calls:
            answer = call.answered()
            assert answer.status == 200, answer.fields
            speaker.listen_to(answer.body)
            speaker.is_echoed()
        return self

    def _talk(self):
        """A packet of each about ten times a second: the service counts
        silence by the minute, and all the sound would be work for nothing."""
        while not self._end.wait(0.1):
            for _, speaker in self.calls:
                speaker.say()

    def talk(self):
        """All of them, in the background."""
        self._talker = threading.Thread(target=self._talk)
        self._talker.start()

    def be_silent(self):
        self._end.set()
        if self._talker:
            self._talker.join()
            self._talker = None

    def check(self):
        """Each answers in its dialog, takes a new offer, and is heard."""
        self.be_silent()
        for call, speaker in self.calls:
            assert call.ask("OPTIONS").status == 200
            answer = call.reinvite()
            assert answer.status == 200, answer.fields
            speaker.listen_to(answer.body)
            speaker.is_echoed()

    def hang_up(self):
        """How many BYEs were answered with 200."""
        return sum(call.bye().status == 200 for call, _ in self.calls)
