"""Tones: WAV files that play one, and the verdict whether a recording has it and no other.

The verdict is spectral. A recording is cut into windows of 100 ms; in each the Goertzel algorithm
gives the power at every tone that the lab uses, as a share of the window's whole power. A window
counts for the tone that holds most of it, as silence below a level, else as noise.
"""

import dataclasses
import math
import struct
import wave

RATE_HZ = 8000
WINDOW = 800                # samples: 100 ms, 10 Hz wide bins, so tones at multiples of 10 Hz do not leak
TONES_HZ = (440, 620, 850, 1130, 1570)
AMPLITUDE = 9000
SILENCE_RMS = 60.0          # G.711 carries a tone of ours at an RMS of about 6400
SHARE_MIN = 0.85            # of a window's power in the tone; G.711 leaves above 0.99 of it there
BLEED_MAX = 0.02            # of a window's power in another tone: -17 dB, G.711 leaves below 0.001


@dataclasses.dataclass
class Heard:
    """What a recording holds, in seconds."""
    tones_s: dict           # frequency -> seconds
    silence_s: float
    noise_s: float
    mixed_s: float          # windows in which a second tone bleeds through
    length_s: float

    def only(self, tone_hz, at_least_s):
        """True if the tone was there long enough, and no other one and no mixture was."""
        others = sum(s for hz, s in self.tones_s.items() if hz != tone_hz)
        return (self.tones_s.get(tone_hz, 0.0) >= at_least_s and others == 0.0
                and self.mixed_s <= 0.1)

    def says(self):
        """One line for people."""
        tones = ", ".join(f"{hz} Hz for {s:.1f} s" for hz, s in sorted(self.tones_s.items()))
        return (f"{tones or 'no tone'}; silence {self.silence_s:.1f} s, other sound "
                f"{self.noise_s:.1f} s, mixed {self.mixed_s:.1f} s of {self.length_s:.1f} s")


def write_wav(path, tone_hz, seconds):
    """Write a mono 16-bit WAV of one tone at 8 kHz. The tone repeats after 100 ms exactly."""
    period = b"".join(struct.pack("<h", round(AMPLITUDE * math.sin(2 * math.pi * tone_hz * i
                                                                  / RATE_HZ)))
                      for i in range(WINDOW))
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(period * int(seconds * RATE_HZ / WINDOW))


def read_wav(path):
    """Samples of the first channel at 8 kHz. ValueError for another format."""
    with wave.open(path, "rb") as wav:
        if wav.getsampwidth() != 2 or wav.getframerate() != RATE_HZ:
            raise ValueError(f"{path}: not 16 bit at {RATE_HZ} Hz")
        data = wav.readframes(wav.getnframes())
        count = len(data) // 2          # linphone's header may name more than it wrote
        samples = struct.unpack(f"<{count}h", data[:2 * count])
        return samples[::wav.getnchannels()]


def power_at(samples, tone_hz):
    """Share of the samples' power that lies at one frequency (0 to 1), by Goertzel."""
    total = sum(float(s) * s for s in samples)
    if total == 0.0:
        return 0.0
    factor = 2.0 * math.cos(2.0 * math.pi * tone_hz / RATE_HZ)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    magnitude = last * last + before * before - factor * last * before
    return 2.0 * max(0.0, magnitude) / (len(samples) * total)


def classify(samples):
    """('silence' | 'noise' | 'mixed' | tone in Hz) for one window."""
    rms = math.sqrt(sum(float(s) * s for s in samples) / len(samples))
    if rms < SILENCE_RMS:
        return "silence"
    shares = sorted(((power_at(samples, hz), hz) for hz in TONES_HZ), reverse=True)
    if shares[0][0] < SHARE_MIN:
        return "mixed" if shares[0][0] > 0.1 and shares[1][0] > 0.1 else "noise"
    return "mixed" if shares[1][0] > BLEED_MAX else shares[0][1]


def windows(path):
    """The class of each 100 ms window of a recording, in order."""
    samples = read_wav(path)
    return [classify(samples[i:i + WINDOW])
            for i in range(0, len(samples) - WINDOW + 1, WINDOW)]


def summary(classes):
    """Add up classes of windows."""
    window_s = WINDOW / RATE_HZ
    tones = {hz: classes.count(hz) * window_s for hz in TONES_HZ if hz in classes}
    return Heard(tones, classes.count("silence") * window_s, classes.count("noise") * window_s,
                 classes.count("mixed") * window_s, len(classes) * window_s)


def listen(path):
    """What is heard in a recording."""
    return summary(windows(path))
