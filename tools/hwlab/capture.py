"""Captures on a host's interface, and questions to tshark about them."""

import json
import signal
import time

from .proc import run

FLUSH_S = 0.4               # dumpcap takes packets out of the kernel's ring four times a second


class Capture:
    """dumpcap on one interface of one host; a context manager. The file stays."""

    def __init__(self, lab, host, interface, name, what="ip or ip6"):
        self.path = f"{lab.workdir}/{name}.pcap"
        self.daemon = lab.daemon(host, ["dumpcap", "-q", "-P", "-B", "16", "-i", interface,
                                        "-f", what, "-w", self.path], f"{lab.workdir}/{name}.log")
        self.daemon.wait_text("File:", 8.0)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.stop()

    def stop(self):
        """End the capture; the file is whole afterwards."""
        time.sleep(FLUSH_S)
        self.daemon.stop(signal.SIGINT)

    def fields(self, display_filter, *names):
        """Rows of field values of the packets that match a display filter, judged by tshark."""
        argv = ["tshark", "-n", "-r", self.path, "-Y", display_filter, "-T", "fields",
                "-E", "separator=/t", "-E", "occurrence=a"]
        for name in names:
            argv += ["-e", name]
        text = run(argv, timeout_s=60).stdout
        return [line.split("\t") for line in text.splitlines()]

    def count(self, display_filter):
        """How many packets match."""
        return len(self.fields(display_filter, "frame.number"))

    def decode(self, display_filter):
        """Packets as tshark's JSON objects."""
        done = run(["tshark", "-n", "-r", self.path, "-Y", display_filter, "-T", "json"],
                   timeout_s=60)
        return json.loads(done.stdout or "[]")

    def raw(self):
        """The whole file."""
        with open(self.path, "rb") as data:
            return data.read()
