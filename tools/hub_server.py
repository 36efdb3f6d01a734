#!/usr/bin/env python3
"""A hub of models on this machine, for tests: what huggingface.co answers, with the faults that are asked for.

    tools/hub_server.py FOLDER [FAULTS]

FOLDER holds OWNER/NAME/FILE. FAULTS is a JSON object, see `Faults`. The first line on standard output is a JSON object with
the address of the hub and that of the store to which it redirects for large files. Every request is appended to FOLDER.log,
a JSON object a line. Only the standard library is needed.
"""

import hashlib
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

LARGE = (".safetensors", ".bin", ".pth", ".npz", ".msgpack")
PIECE = 1 << 14


class Faults:
    """What goes wrong; what is not named does not."""

    def __init__(self, given):
        self.token = given.get("token")  # what a request to the hub must bear
        self.error_code = given.get("error_code")  # beside the status of a refusal
        self.status = given.get("status")  # of every answer on a model
        self.file_status = given.get("file_status")  # of every answer on a file
        self.busy = given.get("busy", 0)  # so many answers with status 429
        self.retry_after = given.get("retry_after")
        self.failing = given.get("failing", 0)  # so many answers with status 503
        self.cuts = given.get("cuts", 0)  # so many large files end in the middle
        self.end = given.get("end")  # no large file goes on behind this byte
        self.stalls = given.get("stalls", 0)  # so many large files stop in the middle and keep the connection
        self.damaged = given.get("damaged", 0)  # so many large files with a wrong byte
        self.extra_size = given.get("extra_size", 0)  # what the hub adds to the length of large files
        self.siblings = given.get("siblings", [])  # names of files that the list has besides
        self.bytes_per_second = given.get("bytes_per_second")
        self.ignores_range = given.get("ignores_range", False)
        self.location = given.get("location")  # where large files are said to lie
        self.etag = given.get("etag")  # of every file
        self.lock = threading.Lock()

    def take(self, name):
        """Whether a fault that is counted happens now."""
        with self.lock:
            count = getattr(self, name)
            setattr(self, name, max(0, count - 1))
            return count > 0


class Files:
    def __init__(self, root):
        self.root = root

    def content(self, repository, name):
        with open(os.path.join(self.root, repository, name), "rb") as file:
            return file.read()

    def names(self, repository):
        top = os.path.join(self.root, repository)
        found = [os.path.relpath(os.path.join(folder, name), top) for folder, _, names in os.walk(top) for name in names]
        return sorted(found)

    def commit(self, repository):
        sums = [hashlib.sha1(self.content(repository, name)).hexdigest() for name in self.names(repository)]
        return hashlib.sha1(" ".join(sums).encode()).hexdigest()


def git_name(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        server = self.server
        entry = {
            "server": server.role, "method": self.command, "path": self.path, "host": self.headers.get("Host"),
            "authorization": self.headers.get("Authorization"), "range": self.headers.get("Range"),
        }
        with server.log_lock, open(server.files.root + ".log", "a") as log:
            log.write(json.dumps(entry) + "\n")
        path = unquote(urlsplit(self.path).path)
        try:
            if server.role == "store":
                repository, name = re.fullmatch(r"/store/([^/]+/[^/]+)/(.+)", path).groups()
                self.send_large(server.files.content(repository, name))
            else:
                self.answer_as_hub(path)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except (AttributeError, FileNotFoundError, NotADirectoryError):
            self.refuse(404, "EntryNotFound")

    # The hub.

    def answer_as_hub(self, path):
        faults, files = self.server.faults, self.server.files
        if faults.take("busy"):
            return self.refuse(429, None, {"Retry-After": str(faults.retry_after)} if faults.retry_after is not None else {})
        if faults.take("failing"):
            return self.refuse(503, None)
        if faults.token and self.headers.get("Authorization") != f"Bearer {faults.token}":
            return self.refuse(401, faults.error_code)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            return self.describe(match[1], match[2] or "main")
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/(.+)", path):
            return self.list_tree(match[1])
        if match := re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/([^/]+)/(.+)", path):
            return self.send_small(match[1], match[3])
        repository, revision, name = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path).groups()
        if faults.file_status:
            return self.refuse(faults.file_status, faults.error_code)
        content = files.content(repository, name)
        commit = files.commit(repository)
        if name.endswith(LARGE):
            place = faults.location or f"{self.server.store}/store/{repository}/{quote(name)}?signature=secret"
            self.redirect(302, place, {
                "X-Repo-Commit": commit, "X-Linked-Size": str(len(content) + faults.extra_size),
                "X-Linked-Etag": f'"{faults.etag or hashlib.sha256(content).hexdigest()}"',
            })
        else:
            self.redirect(307, f"/api/resolve-cache/models/{repository}/{commit}/{quote(name)}", {"X-Repo-Commit": commit})

    def describe(self, repository, revision):
        faults, files = self.server.faults, self.server.files
        if faults.status:
            return self.refuse(faults.status, faults.error_code)
        if not os.path.isdir(os.path.join(files.root, repository)):
            return self.refuse(404, "RepoNotFound")
        commit = files.commit(repository)
        if revision not in ("main", "v1", commit):
            return self.refuse(404, "RevisionNotFound")
        siblings = [{"rfilename": name} for name in files.names(repository) + faults.siblings]
        self.send_json({"id": repository, "modelId": repository, "sha": commit, "private": False, "siblings": siblings})

    def list_tree(self, repository):
        entries = []
        for name in self.server.files.names(repository):
            content = self.server.files.content(repository, name)
            entry = {"type": "file", "path": name, "size": len(content), "oid": git_name(content)}
            if name.endswith(LARGE):
                entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
            entries.append(entry)
        self.send_json(entries)

    def send_small(self, repository, name):
        content = self.server.files.content(repository, name)
        headers = {"ETag": f'"{self.server.faults.etag or git_name(content)}"', "X-Repo-Commit": self.server.files.commit(repository)}
        self.send_content(content, headers)

    # Answers.

    def send_json(self, value):
        self.send_content(json.dumps(value).encode(), {"Content-Type": "application/json"})

    def redirect(self, status, location, headers):
        text = b"Found. Redirecting."
        self.send_head(status, {"Location": location, "Content-Length": str(len(text)), **headers})
        if self.command == "GET":
            self.wfile.write(text)

    def refuse(self, status, code, headers={}):
        text = json.dumps({"error": "refused"}).encode()
        more = {"X-Error-Code": code} if code else {}
        self.send_head(status, {"Content-Length": str(len(text)), **more, **headers})
        if self.command == "GET":
            self.wfile.write(text)

    def send_content(self, content, headers):
        self.send_head(200, {"Content-Length": str(len(content)), **headers})
        if self.command == "GET":
            self.wfile.write(content)

    def send_head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    # The store of large files.

    def send_large(self, content):
        faults = self.server.faults
        if faults.take("damaged"):
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and not faults.ignores_range:
            start = int(asked[1])
            if start >= len(content):
                return self.refuse(416, None, {"Content-Range": f"bytes */{len(content)}"})
        rest = content[start:]
        headers = {"Content-Length": str(len(rest)), "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_head(206 if start else 200, headers)
        if self.command == "HEAD":
            return
        isCut = faults.end is not None or faults.take("cuts")
        isStalled = not isCut and faults.take("stalls")
        end = max(0, faults.end - start) if faults.end is not None else len(rest) // 2
        self.write_slowly(rest[:end] if isCut or isStalled else rest, faults.bytes_per_second)
        if isStalled:
            time.sleep(30)
        if isCut or isStalled:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def write_slowly(self, content, rate):
        if not rate:
            return self.wfile.write(content)
        for place in range(0, len(content), PIECE):
            self.wfile.write(content[place:place + PIECE])
            self.wfile.flush()
            time.sleep(PIECE / rate)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, role, files, faults, log_lock):
        super().__init__(("127.0.0.1", 0), Handler)
        self.role, self.files, self.faults, self.log_lock = role, files, faults, log_lock
        self.store = None


def start(root, faults, certificate=None):
    """The hub and its store, answering; the store under the other name of this machine.

    With a certificate, the paths of it and its key, they answer by TLS.
    """
    files, faults, lock = Files(os.path.abspath(root)), Faults(faults), threading.Lock()
    hub, store = (Server(role, files, faults, lock) for role in ("hub", "store"))
    scheme = "http"
    if certificate:
        scheme = "https"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        for server in (hub, store):
            server.socket = context.wrap_socket(server.socket, server_side=True)
    hub.store = f"{scheme}://localhost:{store.server_address[1]}"
    for server in (hub, store):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"{scheme}://127.0.0.1:{hub.server_address[1]}", hub.store


if __name__ == "__main__":
    endpoint, store = start(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
    print(json.dumps({"endpoint": endpoint, "store": store}), flush=True)
    # Whoever started it holds the other end: when that process is gone, so is the server.
    sys.stdin.read()
