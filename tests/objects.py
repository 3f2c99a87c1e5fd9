"""A stand-in for Google Cloud Storage on this machine: the requests of its JSON API that copies of runs need."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit


class Objects(dict):
    """Name -> bytes, of one bucket; writes take `seconds_per_mib`, and fail while `broken`."""

    seconds_per_mib = 0.0
    broken = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self, code: int, data: bytes = b"") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-goog-generation", "1")
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        query = parse_qs(urlsplit(self.path).query)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.objects.broken:
            return self._answer(403)
        time.sleep(self.server.objects.seconds_per_mib * len(data) / 2**20)
        self.server.objects[query["name"][0]] = data
        self._answer(200, json.dumps({"name": query["name"][0], "generation": "1"}).encode())

    def do_GET(self):
        url = urlsplit(self.path)
        name = url.path.partition("/o/")[2]
        if name:
            data = self.server.objects.get(unquote(name))
            return self._answer(404) if data is None else self._answer(200, data)
        query = parse_qs(url.query)
        first, stop = (query.get(key, [""])[0] for key in ("startOffset", "endOffset"))
        names = [n for n in sorted(self.server.objects) if first <= n and (not stop or n < stop)]
        self._answer(200, json.dumps({"items": [{"name": n, "generation": "1", "size": "1"} for n in names]}).encode())

    def do_DELETE(self):
        name = unquote(urlsplit(self.path).path.partition("/o/")[2])
        self._answer(404 if self.server.objects.pop(name, None) is None else 204)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def storage() -> Iterator[Objects]:
    """The objects of any bucket, as this process and its children see them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.objects = Objects()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"TENSORSTORE_GCS_HTTP_URL": f"http://127.0.0.1:{server.server_port}"}
        with mock.patch.dict(os.environ, place | {"GOOGLE_AUTH_TOKEN_FOR_TESTING": "token"}):
            yield server.objects
        server.shutdown()
