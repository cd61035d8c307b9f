"""Headless Chromium as a phone: JsSIP over a WebSocket, a tone as its microphone, its ear recorded.

The page is served within the browser's own namespace; it asks for orders and tells what happens.
JsSIP and esbuild come from npm, by name, into a folder that later runs use again.
"""

import contextlib
import fcntl
import http.server
import json
import os
import queue
import shutil
import socket
import threading
import time
import urllib.parse
import wave

from . import tones
from .kamailio import DOMAIN, PASSWORDS
from .proc import LabError, run, wait_until

PAGE = f"{os.path.dirname(os.path.abspath(__file__))}/browser"
BUNDLES = os.environ.get("HORNWORK_NPM") or "/var/cache/hornwork-lab/npm"
PACKAGES = ("jssip@3", "esbuild@0.25")
INSTALL_S = 240
PAGE_PORT = 8000
ORDER_S = 20.0              # how long a page waits for an order before it asks again

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--ignore-certificate-errors")


def bundle():
    """Path of the page's script with all that it needs. LabError where npm or a package is not to be had."""
    missing = [tool for tool in ("chromium", "node", "npm") if shutil.which(tool) is None]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}")
    os.makedirs(BUNDLES, exist_ok=True)
    out = f"{BUNDLES}/phone.bundle.js"
    with open(f"{BUNDLES}/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{BUNDLES}/node_modules/.bin/esbuild"):
            run(["npm", "install", "--prefix", BUNDLES, "--no-audit", "--no-fund", "--loglevel=error",
                 *PACKAGES], timeout_s=INSTALL_S)
        run([f"{BUNDLES}/node_modules/.bin/esbuild", f"{PAGE}/phone.js", "--bundle",
             "--log-level=error", f"--outfile={out}"], timeout_s=60,
            env=dict(os.environ, NODE_PATH=f"{BUNDLES}/node_modules"))
    return out


class _Page(http.server.BaseHTTPRequestHandler):
    """The page, its script, its orders, its reports."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def _answer(self, body=b"", kind="text/plain", status=200):
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_GET(self):  # pylint: disable=invalid-name
        """Page, script or the next order."""
        path = urllib.parse.urlsplit(self.path).path
        if path == "/order":
            try:
                order = self.server.phone.orders.get(timeout=ORDER_S)
            except queue.Empty:
                order = {}
            self._answer(json.dumps(order).encode(), "application/json")
        elif path in ("/phone.html", "/phone.bundle.js"):
            name = f"{PAGE}/phone.html" if path == "/phone.html" else self.server.phone.script
            with open(name, "rb") as page:
                self._answer(page.read(), "text/html" if path.endswith("html") else "text/javascript")
        else:
            self._answer(status=404)

    def do_POST(self):  # pylint: disable=invalid-name
        """Something happened, or something was heard."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/heard":
            self.server.phone.samples += body
        else:
            self.server.phone.events.append(dict(json.loads(body), at=time.monotonic()))
        self._answer()


class _Server(http.server.ThreadingHTTPServer):
    """An HTTP server on a socket that lives in another namespace."""

    daemon_threads = True

    def __init__(self, listener, phone):
        super().__init__(("127.0.0.1", PAGE_PORT), _Page, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.phone = phone


class Browser:
    """One browser on one host. `proxy`: the WebSocket's URL, as wss://203.0.113.10:8443."""

    def __init__(self, lab, name, host, proxy, tone_hz, script, video=False):
        self.lab, self.name, self.host, self.proxy = lab, name, host, proxy
        self.tone_hz, self.script, self.video = tone_hz, script, video
        self.home = f"{lab.workdir}/browser-{name}-{host}"
        self.events, self.orders = [], queue.Queue()
        self.samples = b""
        self.daemon = self.server = None

    # -- life ------------------------------------------------------------------------------

    def start(self, register=True):
        """Start it and (by default) wait until it is registered."""
        os.makedirs(f"{self.home}/profile", exist_ok=True)
        wav = f"{self.home}/tone.wav"
        tones.write_wav(wav, self.tone_hz, 60)
        listener = self.lab.socket(self.host, socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", PAGE_PORT))
        listener.listen(16)
        self.server = _Server(listener, self)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        query = urllib.parse.urlencode({
            "socket": self.proxy, "uri": f"sip:{self.name}@{DOMAIN}", "user": self.name,
            "password": PASSWORDS[self.name], "video": "yes" if self.video else "no"})
        self.daemon = self.lab.daemon(self.host, [
            shutil.which("chromium"), *FLAGS, f"--user-data-dir={self.home}/profile",
            f"--use-file-for-fake-audio-capture={wav}",
            f"http://127.0.0.1:{PAGE_PORT}/phone.html?{query}"], f"{self.home}/log",
            env=dict(os.environ, HOME=self.home))
        if register:
            self.wait_event("registered", 30.0)
        return self

    def stop(self):
        """End it without a word to anybody."""
        if self.daemon is not None:
            self.daemon.stop(timeout_s=3.0)
        shutil.rmtree(f"{self.home}/profile", ignore_errors=True)
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    # -- control ---------------------------------------------------------------------------

    def mark(self):
        """A place in the list of events, for wait_event(since=...)."""
        return len(self.events)

    def wait_event(self, kinds, timeout_s=15.0, since=0, **fields):
        """Wait for an event of one of these types (and with these fields) after `since`."""
        kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)

        def find():
            return [event for event in self.events[since:] if event["type"] in kinds
                    and all(event.get(k) == v for k, v in fields.items())]
        try:
            return wait_until(find, timeout_s, "event")[0]
        except LabError:
            raise LabError(f"{self.name}: no {'/'.join(kinds)} within {timeout_s:g} s, only "
                           f"{self.events[since:]}; log: {self.daemon.text()[-1500:]}") from None

    def order(self, word, **more):
        """Give the page an order."""
        self.orders.put({"word": word, **more})

    def dial(self, target, wait=True):
        """Call a user; by default wait until the call stands."""
        since = self.mark()
        self.order("call", target=f"sip:{target}@{DOMAIN}")
        if wait:
            event = self.wait_event(("confirmed", "failed"), 20.0, since)
            if event["type"] == "failed":
                raise LabError(f"{self.name}: the call to {target} failed: {event}")
        return since

    def hangup(self):
        """Hang up and wait until it has."""
        since = self.mark()
        self.order("hangup")
        self.wait_event("ended", 10.0, since)

    def ask(self, word):
        """An order that is answered by an event of its name."""
        since = self.mark()
        self.order(word)
        return self.wait_event(word, 10.0, since)

    def stats(self, kind):
        """Rows of one type of the connection's statistics."""
        return [row for row in self.ask("stats")["rows"] if row["type"] == kind]

    # -- what it heard ---------------------------------------------------------------------

    def deaf(self):
        """Forget what was heard until now."""
        self.samples = b""

    def heard(self):
        """What it heard since it was started or made deaf."""
        path = f"{self.home}/heard.wav"
        with wave.open(path, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(tones.RATE_HZ)
            out.writeframes(self.samples)
        return tones.listen(path)
