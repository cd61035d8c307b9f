"""linphone as a phone (linphonec), by TLS with a verified certificate; its media in the clear, SDES or DTLS-SRTP."""

import os

from . import tones
from .kamailio import DOMAIN, PASSWORDS
from .proc import wait_until

TONE_S = 60

RC = """[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
verify_server_certs=1
verify_server_cn=0
root_ca={ca}
default_proxy=0
media_encryption={encryption}
media_encryption_mandatory={mandatory}
register_only_when_network_is_up=0
[net]
firewall_policy=0
[rtp]
audio_rtp_port=18000
[sound]
playback_dev_id=
[video]
enabled=0
[proxy_0]
reg_proxy=<sip:{server}:{port};transport=tls>
reg_route=<sip:{server}:{port};transport=tls>
reg_identity=sip:{user}@{domain}
reg_expires=300
reg_sendregister=1
publish=0
[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
"""


class Linphone:
    """One phone on one host; it plays a file instead of a microphone, records what it hears and answers at once.

    mediaenc: none, srtp (SDES) or dtls; other than none it takes no call without.
    """

    def __init__(self, lab, user, host, server, port, ca, tone_hz, mediaenc="none"):
        self.lab, self.user, self.host = lab, user, host
        self.home = f"{lab.workdir}/linphone-{user}"
        self.log = f"{self.home}/log"
        self.rc = RC.format(ca=ca, server=server, port=port, user=user, domain=DOMAIN,
                            password=PASSWORDS[user],
                            encryption=mediaenc, mandatory=int(mediaenc != "none"))
        self.tone_hz = tone_hz
        self.daemon = None
        self.fifo = None

    def start(self):
        """Start it; commands go through a pipe."""
        os.makedirs(f"{self.home}/.local/share/linphone", exist_ok=True)
        with open(f"{self.home}/rc", "w", encoding="utf-8") as out:
            out.write(self.rc)
        tones.write_wav(f"{self.home}/tone.wav", self.tone_hz, TONE_S)
        os.mkfifo(f"{self.home}/ctl")
        script = (f"export HOME={self.home}; exec 3<>{self.home}/ctl; "
                  f"exec linphonec -a -c {self.home}/rc -d 6 -l {self.home}/debug.log <&3")
        self.daemon = self.lab.daemon(self.host, ["sh", "-c", script], self.log)
        # pylint: disable=consider-using-with
        self.fifo = open(f"{self.home}/ctl", "w", encoding="utf-8")
        wait_until(lambda: "linphonec>" in self.daemon.text(), 10.0, "linphonec's prompt")
        self.command("soundcard use files")
        self.command(f"play {self.home}/tone.wav")
        self.command(f"record {self.home}/heard.wav")
        return self

    def command(self, words):
        """A line for its prompt."""
        self.fifo.write(words + "\n")
        self.fifo.flush()

    def call(self, uri):
        """Dial."""
        self.command(f"call {uri}")

    def hang_up(self):
        """End the call."""
        self.command("terminate")

    def heard(self):
        """Spectral summary of what it recorded; its call must have ended."""
        return tones.listen(f"{self.home}/heard.wav")

    def stop(self):
        """End it."""
        self.command("quit")
        self.fifo.close()
        self.daemon.stop(timeout_s=5.0)
