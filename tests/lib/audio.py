# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound that is easily known again, and whether a recording holds it."""

import dataclasses
import wave

import numpy

RATE = 8000      # samples a second, as G.711 has them
LOWEST, HIGHEST = 400, 2800  # Hz: well inside what telephony lets through
NOTE = RATE // 8  # samples of one glide
WINDOW = 4 * NOTE  # compared as one: G.711 and a lost packet harm one window only


def song(seconds=3.0, seed=1):
    """Glides between random pitches, the same for the same seed: no two places in
    it are alike, so that a delay can be told from it."""
    random = numpy.random.default_rng(seed)
    count = int(seconds * RATE)
    pitches = random.uniform(LOWEST, HIGHEST, count // NOTE + 2)
    pitch = numpy.interp(numpy.arange(count) / NOTE, numpy.arange(len(pitches)), pitches)
    return 0.5 * numpy.sin(2 * numpy.pi * numpy.cumsum(pitch) / RATE)


def write(path, samples, silence=0.0):
    """A mono WAV file of 16 bits; with so many seconds of silence behind it, for
    programs that hang up at its end."""
    samples = numpy.concatenate((samples, numpy.zeros(int(silence * RATE))))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def read(path):
    """The samples of such a file; also of one whose writer did not finish its
    header."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def seconds_in(path):
    """How much sound is in such a file that is being written."""
    return (path.stat().st_size - 44) / (2 * RATE) if path.exists() else 0


@dataclasses.dataclass
class Match:
    similarity: float  # 1: the same sound, 0: nothing of it
    delay: float       # seconds from its start in what was sent to that in the recording
    windows: int       # how many could be compared


def _best(window, recorded):
    """Where a window fits best: (correlation by the energy of both, place)."""
    size = 1 << int(len(window) + len(recorded)).bit_length()
    product = numpy.fft.irfft(
        numpy.fft.rfft(recorded, size) * numpy.conj(numpy.fft.rfft(window, size)), size)
    places = len(recorded) - len(window) + 1
    energy = numpy.concatenate(([0], numpy.cumsum(recorded ** 2)))
    energy = energy[len(window):] - energy[:-len(window)]
    # Where there is silence, rounding must not look like a likeness.
    scale = numpy.sqrt(numpy.maximum(energy, 1e-4 * len(window)) * numpy.sum(window ** 2))
    likeness = product[:places] / scale
    place = int(numpy.argmax(likeness))
    return float(likeness[place]), place


def compare(sent, recorded):
    """How alike they are: the median over windows of what was sent, each looked
    for by itself. Ends that were cut off (a call begins and ends some time) count
    as unlike."""
    if len(recorded) < WINDOW:
        return Match(0.0, 0.0, 0)
    found = []
    for start in range(0, len(sent) - WINDOW + 1, WINDOW):
        likeness, place = _best(sent[start:start + WINDOW], recorded)
        found.append((likeness, (place - start) / RATE))
    median = sorted(likeness for likeness, _ in found)[len(found) // 2]
    # The delay of those that are alike; of all when none is.
    delays = sorted(delay for likeness, delay in found if likeness >= median)
    return Match(median, delays[len(delays) // 2], len(found))
