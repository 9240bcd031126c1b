# SPDX-License-Identifier: GPL-3.0-or-later
"""SIPp with a scenario of tests/e2e/sipp, judged by its own statistics."""

import csv
import dataclasses

from sealbridge_service import SOURCE
from sip_ports import free_run
from sip_program import Program

SCENARIOS = SOURCE / "tests" / "e2e" / "sipp"
CALL_SECONDS = 20  # SIPp gives a message up after this long
DISCARD = 9  # the port that one who is called names as the other side's


@dataclasses.dataclass
class Statistics:
    successful: int
    failed: int
    retransmissions: int
    unexpected: int


def is_bound(port, transport):
    """Whether somebody here listens at a port, by the kernel's tables: a try would
    be a connection that SIPp counts."""
    with open(f"/proc/net/{transport}") as table:
        rows = [line.split() for line in table][1:]
    # tcp: 0A is LISTEN
    return any(row[1] == f"0100007F:{port:04X}" and (transport == "udp" or row[3] == "0A")
               for row in rows)


class Sipp(Program):
    """One run. remote: port of 127.0.0.1 that it calls; None: it is called.
    transport: udp or tcp. calls: how many, then it ends. rate: new ones a second;
    limit: most at once. keys: words for the scenario, [name] in it."""

    logs = ("errors", "messages")

    def __init__(self, folder, scenario, remote=None, *, transport="udp", calls=1, rate=10,
                 limit=10, keys=None, echo=False, duration=200):
        super().__init__(folder)
        self.calls = calls
        # signalling, control, then media: SIPp takes the port and the one two above
        self.port = free_run(8)
        self.media_port = self.port + 4
        command = [
            "sipp", f"127.0.0.1:{remote or DISCARD}", "-sf", SCENARIOS / f"{scenario}.xml",
            "-t", {"udp": "u1", "tcp": "t1"}[transport], "-i", "127.0.0.1",
            "-p", self.port, "-bind_local", "-ci", "127.0.0.1", "-cp", self.port + 2,
            "-mi", "127.0.0.1", "-mp", self.media_port, "-nostdin", "-m", calls,
            "-r", rate, "-l", limit, "-d", duration,
            "-recv_timeout", CALL_SECONDS * 1000, "-timeout", CALL_SECONDS * 3,
            "-timeout_error", "-trace_err", "-error_file", "errors", "-trace_msg",
            "-message_file", "messages", "-trace_stat", "-stf", "statistics", "-fd", 1,
        ]
        if echo:
            command += ["-rtp_echo"]
        keys = {"via": transport.upper(), "parameters": f";transport={transport}",
                "contact_port": self.port,
                "uri": f"sip:echo@127.0.0.1:{remote};transport={transport}",
                "profile": "RTP/AVP", "media": "a=ptime:20", **(keys or {})}
        for name, value in keys.items():
            command += ["-key", name, value]
        self.run(*command, env={"TERM": "dumb", "PATH": "/usr/bin:/bin"})
        if remote is None:
            self.wait(lambda: is_bound(self.port, transport), what="SIPp")

    def statistics(self):
        """By the last line of its own count."""
        with open(self.folder / "statistics", newline="") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return Statistics(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]),
                          int(last["Retransmissions(C)"]),
                          int(last["FailedUnexpectedMessage(C)"]))

    def finish(self, seconds=CALL_SECONDS * 3 + 5):
        """Wait for its end, give what it counted."""
        self.wait(lambda: self.process.poll() is not None, seconds, "the end of SIPp")
        return self.statistics()

    def succeed(self):
        """Every call went as the scenario has it."""
        seen = self.finish()
        assert (seen.successful, seen.failed, self.process.returncode) == (
            self.calls, 0, 0), f"{seen}, exit {self.process.returncode}\n{self.said()}"
        return seen
