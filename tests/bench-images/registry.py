"""Debian's docker-registry on loopback, with the image in it."""

import contextlib
import http.client
import subprocess
import time
import urllib.parse

from measure import Failed
from sample import GZIP, MANIFEST, ZSTD, digest

# The network namespace is the benchmark's own: nobody else is at any port.
ADDRESS = "127.0.0.1:5000"
PATIENCE = 30


def start(place, sample):
    """Starts it in `place`, a new directory, and pushes the image: `bench:gzip` and `bench:zstd`."""
    place.mkdir()
    configuration = place / "config.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nhttp: {{addr: {ADDRESS}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {place / 'data'}}}, cache: {{blobdescriptor: inmemory}}}}\n"
    )
    with (place / "log").open("w") as log:
        server = subprocess.Popen(["docker-registry", "serve", configuration], stdout=log, stderr=log)
    wait(server, place / "log")
    for compression in (GZIP, ZSTD):
        for layer in sample.layers:
            push_blob(layer.blobs[compression].read_bytes())
        push_blob(sample.config)
        put(f"/v2/bench/manifests/{compression}", sample.manifests[compression], MANIFEST)
    return server


def wait(server, log):
    # It tells nobody when it is ready.
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            ask("GET", "/v2/")
            return
        time.sleep(0.05)
    raise Failed(f"docker-registry does not start: {log.read_text().strip()}")


def push_blob(data):
    _, headers = ask("POST", "/v2/bench/blobs/uploads/")
    place = urllib.parse.urlparse(headers["Location"])
    put(f"{place.path}?{place.query}&digest={urllib.parse.quote(digest(data))}", data, "application/octet-stream")


def put(path, data, media_type):
    ask("PUT", path, data, {"Content-Type": media_type})


def ask(method, path, data=None, headers=None):
    connection = http.client.HTTPConnection(ADDRESS, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, data, headers or {})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise Failed(f"docker-registry: {method} {path}: {answer.status} {body.decode(errors='replace')}")
        return body, answer.headers
