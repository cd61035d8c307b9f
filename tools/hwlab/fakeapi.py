"""A gateway's API that says what the test wants: for what the real one never says."""

import http.server
import json
import socketserver
import threading


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


def serve(path, told):
    """Answer at a UNIX socket, by the path without its question; shutdown() and server_close() end it."""
    class Handler(http.server.BaseHTTPRequestHandler):
        """Of this server's texts."""

        def do_GET(self):                               # pylint: disable=invalid-name
            """Any path that was told."""
            body = json.dumps(told[self.path.split("?")[0]]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "-"

        def log_message(self, *_args):
            """Nothing."""
    server = _Server(path, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
