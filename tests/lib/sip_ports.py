# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for programs that want several in a row."""

import random

from sealbridge_service import handed_out, is_free

ROUNDS = 500


def free_run(count):
    """The first of consecutive ports of 127.0.0.1 that neither TCP nor UDP uses;
    it is even, as RTP likes it. Below those that services take for audio and those that
    the kernel hands out by itself."""
    for _ in range(ROUNDS):
        first = random.randrange(10000, 16384 - count, 2)
        run = range(first, first + count)
        if not any(port in handed_out or not is_free(port) for port in run):
            handed_out.extend(run)
            return first
    raise AssertionError(f"no {count} free ports in a row")
