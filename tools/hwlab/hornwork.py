"""The gateway under test: write its configuration, start it, ask it, stop it."""

import json
import os
import signal
import socket

from . import netns
from .proc import LabError, run, wait_until
from .topology import address

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY_S = 10.0

CONFIG = """zone internet {{ interface = eth0 }}
zone core     {{ interface = eth1  trust = trusted }}
zone voice    {{ interface = eth2  trust = trusted  role = voice }}

pbx main {{
    zone    = core
    address = "{pbx}:5060"
    domain  = {{"pbx.test"}}
    {pbx_more}
}}
phones remote {{
    zone   = internet
    listen = {{"udp:5060", "tcp:5060"}}
    to     = main
    {remote_more}
}}
phones desk {{
    zone   = voice
    listen = {{"udp:5060", "tcp:5060"}}
    to     = main
}}
console {{ events = "{events}"  {console_more} }}
{more}
"""


def usual_config(pbx=None, events="{events}", **more):
    """The usual configuration; additions by the names in CONFIG."""
    parts = dict.fromkeys(("more", "pbx_more", "remote_more", "console_more"), "")
    return CONFIG.format(pbx=pbx or address("pbx"), events=events, **{**parts, **more})


def binary():
    """Path of the gateway's binary: $HORNWORK_BINARY, or the build folder's."""
    path = os.environ.get("HORNWORK_BINARY") or f"{ROOT}/build/hornwork"
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there: run `make build` first")
    return path


class Hornwork:
    """One gateway on host `gw`. `more`, `pbx_more`, `remote_more`, `console_more` are added to the usual
    configuration; `config` replaces it ({events} stands for the events file).
    """

    def __init__(self, lab, more="", pbx_more="", remote_more="", pbx=None, config=None,
                 console_more=""):
        self.lab = lab
        self.run_dir = f"{lab.workdir}/hornwork"
        self.config_path = f"{self.run_dir}.conf"
        self.events_path = f"{self.run_dir}-events/events.jsonl"
        self.log = f"{self.run_dir}.log"
        self.daemon = None
        self.outside = (address("gw", "eth0"), 5060)
        self.inside = (address("gw", "eth2"), 5060)
        if config is None:
            config = usual_config(pbx, more=more, pbx_more=pbx_more, remote_more=remote_more,
                                  console_more=console_more)
        self.config = config.replace("{events}", self.events_path)

    def write_config(self, text=None):
        """Write the configuration file (or another text in its place)."""
        if text is not None:
            self.config = text
        with open(self.config_path, "w", encoding="utf-8") as out:
            out.write(self.config)

    def start(self, ready_s=READY_S):
        """Start it and wait until it says that it is ready."""
        for folder in (self.run_dir, os.path.dirname(self.events_path)):
            os.makedirs(folder, exist_ok=True)
        self.write_config()
        if os.path.exists(self.log):        # of an earlier one: its "ready" says nothing of ours
            os.replace(self.log, f"{self.log}.earlier")
        self.daemon = self.lab.daemon("gw", [binary(), "run", "-c", self.config_path,
                                             "--run-dir", self.run_dir], self.log)
        self.daemon.wait_text("hornwork: ready", ready_s)
        return self

    def stop(self):
        """Stop it as an administrator does; returns its exit code."""
        return self.daemon.stop(signal.SIGTERM, timeout_s=10.0)

    # -- questions -------------------------------------------------------------------------

    def command(self, *words, check=True):
        """A client command of the gateway; returns the CompletedProcess."""
        argv = [binary(), words[0], "--run-dir", self.run_dir, *words[1:]]
        return run(netns.command(self.lab.ns("gw"), argv), check=check)

    def ask(self, *words):
        """A listing as Python objects."""
        done = self.command(*words, "--json")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as err:
            raise LabError(f"hornwork {' '.join(words)}: {err}: {done.stdout[:500]}") from None

    def status(self):
        """The one object of `status --json`."""
        return self.ask("status")[0]

    def calls(self, ended=False):
        """Running calls; with ended=True those that ended recently too."""
        return self.ask("calls", *(["--all"] if ended else []))

    def registrations(self):
        """Bindings."""
        return self.ask("registrations")

    def events(self, **fields):
        """Events so far whose fields have these values."""
        if not os.path.exists(self.events_path):
            return []
        with open(self.events_path, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.endswith("\n")]
        return [row for row in rows if all(row.get(k) == v for k, v in fields.items())]

    def wait_event(self, timeout_s=5.0, **fields):
        """Wait for an event with these values; returns it."""
        try:
            return wait_until(lambda: self.events(**fields), timeout_s, "event")[0]
        except LabError:
            raise LabError(f"no event {fields} within {timeout_s:g} s; the last ones: "
                           f"{self.events()[-6:]}") from None

    def reload(self, text=None, check=True):
        """Reload, with another configuration if given."""
        if text is not None:
            self.write_config(text)
        return self.command("reload", check=check)

    def processes(self):
        """Process id by name, from `status`."""
        return {row["name"]: row["pid"] for row in self.status()["processes"]}

    def wait_idle(self, timeout_s=5.0):
        """Wait until no call runs and no pinhole is open."""
        def idle():
            status = self.status()
            return status["calls"] == 0 and status["pinholes_open"] == 0
        wait_until(idle, timeout_s, "no call and no pinhole left in the gateway")

    def pinholes(self, call):
        """Rows of the pinholes of a call object."""
        return call["pinholes"]

    def api(self, path):
        """GET on the HTTP API over its Unix socket: (status, body)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(5.0)
            sock.connect(f"{self.run_dir}/control.sock")
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: hornwork\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while chunk := sock.recv(65536):
                data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body
