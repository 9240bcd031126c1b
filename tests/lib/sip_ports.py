# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for programs that want several in a row."""

import contextlib
import random
import socket

ROUNDS = 200


def free_run(count):
    """The first of consecutive ports of 127.0.0.1 that neither TCP nor UDP uses;
    it is even, as RTP likes it. Below those that the kernel hands out by itself,
    above those that services of the tests take."""
    for _ in range(ROUNDS):
        first = random.randrange(10000, 20000 - count, 2)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                        s = stack.enter_context(socket.socket(type=kind))
                        s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError(f"no {count} free ports in a row")
