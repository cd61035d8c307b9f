"""baresip as a phone: its configuration, its control connection, its recordings and counters."""

import glob
import json
import os
import re
import socket
import time

from . import tones
from .kamailio import DOMAIN, PASSWORDS
from .proc import LabError, wait_until
from .topology import address

CONTROL_PORT = 4444
TONE_S = 90                 # a phone's tone file must outlast every call of the tests

CONFIG = """poll_method epoll
call_local_timeout 60
call_max_calls 4
sip_listen {listen}
audio_source aufile,{wav}
audio_player aubridge,null
audio_alert aubridge,null
audio_srate {rate}
audio_channels 1
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_tos 184
rtp_ports {rtp}-{rtp_end}
rtp_stats yes
rtcp_mux {mux}
jitter_buffer_delay 2-10
net_interface eth0
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {home}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
{encryption}module_app account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
"""


# Ways of media encryption and the modules that have them.
ENCRYPTION = {"srtp": "srtp", "srtp-mand": "srtp", "srtp-mandf": "srtp", "dtls_srtp": "dtls_srtp"}


class Baresip:
    """One phone on one host, registered at an outbound proxy (the gateway or the PBX itself).

    tone_hz: what it plays in each call. answer: auto (2xx at once) or manual. family: 4 or 6.
    mediaenc: None, srtp (offered beside RTP/AVP), srtp-mand (RTP/SAVP), dtls_srtp.
    """

    def __init__(self, lab, name, host, proxy, tone_hz, transport="udp", answer="auto",
                 regint=60, family=4, mux=False, mediaenc=None):
        self.lab, self.name, self.host = lab, name, host
        self.proxy, self.transport, self.family = proxy, transport, family
        self.tone_hz, self.answer, self.regint, self.mux = tone_hz, answer, regint, mux
        self.mediaenc = mediaenc
        self.home = f"{lab.workdir}/phone-{name}-{host}"
        self.log = f"{self.home}/log"
        self.uri = f"sip:{name}@{DOMAIN}"
        self.daemon = self.control = None
        self.events = []
        self._buffer = b""

    # -- life ------------------------------------------------------------------------------

    def start(self, register=True):
        """Start it, connect to its control port and (by default) wait until it is registered."""
        self._write_files()
        version = "-6" if self.family == 6 else "-4"
        self.daemon = self.lab.daemon(self.host, ["baresip", version, "-f", self.home, "-v"],
                                      self.log)
        wait_until(self._connect, 8.0, f"baresip's control port; its log is {self.log}")
        if register:
            self.wait_registered()
        return self

    def _write_files(self):
        os.makedirs(self.home, exist_ok=True)
        wav = f"{self.home}/tone.wav"
        tones.write_wav(wav, self.tone_hz, TONE_S)
        own = address(self.host, family=self.family)
        listen = f"[{own}]:5060" if self.family == 6 else f"{own}:5060"
        base = 10000 + 200 * (sum(self.name.encode()) % 50)
        self._put("config", CONFIG.format(
            listen=listen, wav=wav, rate=tones.RATE_HZ, rtp=base, rtp_end=base + 100,
            mux="yes" if self.mux else "no", control=CONTROL_PORT, home=self.home,
            encryption=f"module {ENCRYPTION[self.mediaenc]}.so\n" if self.mediaenc else ""))
        self._put("accounts",
                  f"<{self.uri};transport={self.transport}>;auth_user={self.name};"
                  f"auth_pass={PASSWORDS[self.name]};"
                  f'outbound="sip:{self.proxy};transport={self.transport}";'
                  f"regint={self.regint};answermode={self.answer};audio_codecs=PCMU/8000/1"
                  f"{f';mediaenc={self.mediaenc}' if self.mediaenc else ''}\n")
        self._put("contacts", "")

    def _put(self, name, text):
        with open(f"{self.home}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def _connect(self):
        if not self.daemon.alive():
            self.daemon.wait_text("(its control port)", 0.1)
        sock = self.lab.socket(self.host, socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.connect(("127.0.0.1", CONTROL_PORT))
        except OSError:
            sock.close()
            return False
        self.control = sock
        return True

    def stop(self):
        """Unregister and end it."""
        if self.control is not None:
            self.control.close()
            self.control = None
        if self.daemon is not None:
            self.daemon.stop(timeout_s=3.0)

    def vanish(self):
        """End it as a power failure does: no BYE, no unregistering."""
        self.daemon.stop(number=9)
        self.control.close()
        self.control = None

    # -- control ---------------------------------------------------------------------------

    def _poll(self, timeout_s):
        """Read what the control connection has; True if anything came."""
        self.control.settimeout(max(0.01, timeout_s))
        try:
            data = self.control.recv(65536)
        except (TimeoutError, BlockingIOError):
            return False
        if not data:
            raise LabError(f"{self.name}: baresip is gone:\n{self.daemon.text()[-2000:]}")
        self._buffer += data
        while b":" in self._buffer:
            size, rest = self._buffer.split(b":", 1)
            if len(rest) < int(size) + 1:
                break
            message = json.loads(rest[:int(size)].decode("utf-8", "replace"))
            message["at"] = time.monotonic()
            self.events.append(message)
            self._buffer = rest[int(size) + 1:]
        return True

    def mark(self):
        """A place in the list of events, for wait_event(since=...)."""
        self._poll(0.0)
        return len(self.events)

    def wait_event(self, kinds, timeout_s=10.0, since=0):
        """Wait for an event of one of these types (a string or several) after `since`."""
        kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        deadline = time.monotonic() + timeout_s
        while True:
            for event in self.events[since:]:
                if event.get("type") in kinds:
                    return event
            left = deadline - time.monotonic()
            if left <= 0:
                seen = [e.get("type") or e.get("data") for e in self.events[since:]]
                raise LabError(f"{self.name}: no {'/'.join(kinds)} within {timeout_s:g} s, only "
                               f"{seen}; log: {self.daemon.text()[-1500:]}")
            self._poll(min(left, 0.2))

    def registrations(self):
        """SIP status of every REGISTER until now, oldest first."""
        return [int(code) for code in re.findall(r"\{\d/\w+/v\d\} (\d{3}) ", self.daemon.text())]

    def wait_registered(self, timeout_s=10.0, already=0):
        """Wait for a successful REGISTER beyond the `already` first ones."""
        def registered():
            if not self.daemon.alive():
                raise LabError(f"{self.name}: baresip ended:\n{self.daemon.text()[-2000:]}")
            return 200 in self.registrations()[already:]
        wait_until(registered, timeout_s, f"{self.name} registers; its log is {self.log}")

    def command(self, word, params=""):
        """Send a command of baresip's menu."""
        body = json.dumps({"command": word, "params": params, "token": word}).encode()
        self.control.settimeout(5.0)
        self.control.sendall(b"%d:%s," % (len(body), body))

    def dial(self, target, wait=True, timeout_s=12.0):
        """Call a user (or a whole SIP URI); by default wait until the call stands."""
        since = self.mark()
        self.command("dial", target if ":" in target else f"sip:{target}@{DOMAIN}")
        if wait:
            event = self.wait_event(("CALL_ESTABLISHED", "CALL_CLOSED"), timeout_s, since)
            if event["type"] == "CALL_CLOSED":
                raise LabError(f"{self.name}: the call to {target} was refused: {event}")
        return since

    def hangup(self, wait=True):
        """Hang up."""
        since = self.mark()
        self.command("hangup")
        if wait:
            self.wait_event("CALL_CLOSED", 8.0, since)

    def accept(self):
        """Answer a ringing call (answer="manual")."""
        self.command("accept")

    def hold(self):
        """Put the call on hold (re-INVITE, a=sendonly)."""
        self.command("hold")

    def resume(self):
        """Take the call back."""
        self.command("resume")

    # -- what was heard --------------------------------------------------------------------

    def recordings(self, way="dec"):
        """Paths of recordings: dec is what it heard, enc what it said. Oldest first."""
        return sorted(glob.glob(f"{self.home}/dump-*-{way}.wav"), key=os.path.getmtime)

    def recording(self):
        """Path of the newest recording of what it heard; its call must have ended."""
        paths = self.recordings()
        if not paths:
            raise LabError(f"{self.name} recorded nothing; log: {self.daemon.text()[-1500:]}")
        return paths[-1]

    def heard(self):
        """Spectral summary of the newest recording."""
        return tones.listen(self.recording())

    def counters(self):
        """RTP counters that baresip prints after a call: {'packets': (tx, rx), ...}."""
        out = {}
        for key, sent, received in re.findall(r"^(packets|avg\. bitrate|errors|pkt\.report|lost|jitter):"
                                              r"\s+([\d.]+)\s+([\d.]+)",
                                              self.daemon.text(), re.M):
            out[key] = (float(sent), float(received))
        return out
