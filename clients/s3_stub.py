#!/usr/bin/env python3
"""A stub of S3 that keeps objects in memory: enough for what state machines read and write.

usage: s3_stub.py [PORT]

Path-style addresses only; signatures are not looked at. CreateBucket, DeleteBucket, PutObject,
GetObject, DeleteObject(s), ListObjectsV2.
"""

import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

BUCKETS: dict[str, dict[str, bytes]] = {}
PAGE_KEYS = 1000


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Says nothing."""

    def answer(self, status, body=b"", content_type="application/xml"):
        """Sends an answer."""
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", '"stub"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message):
        """Sends an error as S3 does."""
        text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        self.answer(status, text.encode())

    def handle_request(self):
        """Finds out what is asked and does it."""
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        bucket, _, key = urllib.parse.unquote(url.path.lstrip("/")).partition("/")
        if self.command == "PUT" and not key:
            BUCKETS.setdefault(bucket, {})
            return self.answer(200)
        if bucket not in BUCKETS:
            return self.refuse(404, "NoSuchBucket", "The specified bucket does not exist")
        objects = BUCKETS[bucket]
        if self.command == "PUT":
            objects[key] = chunks(body) if "aws-chunked" in str(self.headers) else body
            return self.answer(200)
        if self.command == "DELETE":
            objects.pop(key, None) if key else BUCKETS.pop(bucket)
            return self.answer(204)
        if self.command == "POST" and "delete" in query:
            objects.clear()
            return self.answer(200, b"<DeleteResult></DeleteResult>")
        if not key:
            return self.list(objects, bucket, query)
        if key not in objects:
            return self.refuse(404, "NoSuchKey", "The specified key does not exist.")
        return self.answer(200, objects[key], "binary/octet-stream")

    def list(self, objects, bucket, query):
        """Answers ListObjectsV2."""
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", [""])[0]
        most = int(query.get("max-keys", [PAGE_KEYS])[0])
        keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
        shown, more = keys[:most], len(keys) > most
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-24T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;stub&quot;</ETag><Size>{len(objects[key])}</Size>"
            f"<StorageClass>STANDARD</StorageClass></Contents>"
            for key in shown
        )
        token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        text = (
            f"<ListBucketResult><Name>{bucket}</Name><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"<KeyCount>{len(shown)}</KeyCount>{token}{contents}</ListBucketResult>"
        )
        self.answer(200, text.encode())

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request


def chunks(body):
    """Returns what an aws-chunked body holds."""
    out, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if count == 0:
            break
        out, rest = out + rest[:count], rest[count + 2 :]
    return out


class Stub:
    """A stub in a thread of its own; `with` ends it."""

    def __init__(self, port=0):
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()


if __name__ == "__main__":
    stub = Stub(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(stub.endpoint, flush=True)
    stub.server.serve_forever()
