"""Any AWS service, as far as its shapes go: every operation answers something that is valid.

Services, operations and shapes are botocore's. An answer has every member of the output's shape,
lists and maps with one element each; names, states and numbers are plausible; what the request
names comes back under the same name. Nothing is kept: what is created is not there to be listed.

Who knows better says so: `Steering` gives single members of the answers of an operation values, in
turn.
"""

import base64
import datetime
import functools
import http.server
import json
import re
import threading
import urllib.parse
import uuid
from xml.sax.saxutils import escape

import botocore.exceptions
import botocore.session

ACCOUNT, REGION = "000000000000", "us-east-1"
DEPTH_MAX = 8
WHEN = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
# Members that would make a client ask for more pages.
PAGING = re.compile(
    r"(?i)^(next|start|exclusive|pagination|continuation|last(?=evaluated))\w*(token|marker|key|name"
    r"|identifier|id)$|^marker$|^nextmarker$|^(is)?truncated$|^hasmore\w*$|^istruncated$"
)
# Of an enumeration, what a thing is that is well.
WELL = (
    "available", "active", "running", "succeeded", "success", "complete", "completed", "create_complete",
    "in-service", "inservice", "enabled", "ok", "passed", "ready", "attached", "default",
)  # fmt: skip
SESSION = botocore.session.Session()


@functools.cache
def service_model(name):
    return SESSION.get_service_model(name)


@functools.cache
def names_by_signature():
    """Returns the services by what their requests are signed for."""
    found = {}
    for name in SESSION.get_available_services():
        # Reading every model takes long: most services sign with their own names.
        found.setdefault(name, []).append(name)
    for name, signature in (
        ("elbv2", "elasticloadbalancing"), ("elb", "elasticloadbalancing"), ("stepfunctions", "states"),
        ("cloudwatch", "monitoring"), ("efs", "elasticfilesystem"), ("emr", "elasticmapreduce"),
        ("ses", "email"), ("opensearch", "es"), ("license-manager", "license-manager"),
    ):  # fmt: skip
        found.setdefault(signature, []).insert(0, name)
    return found


class Refused(Exception):
    """An error that a service answers."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Request:
    """One request, read: service, operation, and the input as far as it is easily read."""

    def __init__(self, method, path, headers, body):
        self.method, self.body = method, body
        self.path, _, query = path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.target = headers.get("x-amz-target", "")
        kind = headers.get("content-type", "")
        self.form = {}
        if "x-www-form-urlencoded" in kind:
            self.form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        scope = re.search(
            r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", "")
        )
        self.signature = scope[1] if scope else ""
        self.input = {}

    def operation(self):
        """Returns the operation's model, and fills in the input."""
        for name in names_by_signature().get(self.signature, []):
            found = self.operation_of(service_model(name))
            if found:
                return found
        what = self.target or self.form.get("Action") or f"{self.method} {self.path}"
        raise Refused(404, "UnknownOperationException", f"{self.signature}: {what}")

    def operation_of(self, model):
        if self.target:
            prefix, _, name = self.target.rpartition(".")
            if prefix != model.metadata.get("targetPrefix") or name not in model.operation_names:
                return None
            self.input = json.loads(self.body or b"{}")
            return model.operation_model(name)
        if "Action" in self.form:
            name = self.form["Action"]
            version = self.form.get("Version") == model.metadata["apiVersion"]
            if not version or name not in model.operation_names:
                return None
            self.input = nested(self.form)
            return model.operation_model(name)
        return self.rest(model)

    def rest(self, model):
        """Returns the operation whose address is most like the request's."""
        best, most = None, -1
        for name in model.operation_names:
            operation = model.operation_model(name)
            method, uri = operation.http["method"], operation.http["requestUri"]
            path, _, query = uri.partition("?")
            wanted = urllib.parse.parse_qsl(query, keep_blank_values=True)
            if method != self.method or any(self.query.get(k) != v for k, v in wanted):
                continue
            pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(path))
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
            match = re.fullmatch(pattern.rstrip("/") + "/?", self.path)
            literal = 100 * len(wanted) + len(re.sub(r"\{.*?\}", "", path))
            if match and most < literal:
                best, most = operation, literal
                self.input = {k: urllib.parse.unquote(v) for k, v in match.groupdict().items()}
        if best:
            try:
                body = json.loads(self.body or b"{}")
                self.input.update(body if isinstance(body, dict) else {})
            except ValueError:
                pass  # XML is not read.
        return best


def nested(form):
    """Returns a form's parameters as far as they are plain; of lists the first element."""
    plain = {}
    for name, text in form.items():
        parts = [part for part in name.split(".") if part not in ("member", "1")]
        plain.setdefault(parts[0].removesuffix("s") if len(parts) == 1 else parts[-1], text)
        plain.setdefault(parts[0], text)
    return plain


class Answers:
    """Makes the output of an operation from its shape."""

    def __init__(self, operation, given):
        self.operation = operation
        self.given = {
            name.lower(): value for name, value in given.items() if isinstance(value, str | int)
        }

    def output(self):
        shape = self.operation.output_shape
        return self.value(shape, "", 0) if shape else {}

    def value(self, shape, name, depth):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            if depth >= DEPTH_MAX:
                return []
            return [self.value(shape.member, name.removesuffix("s"), depth + 1)]
        if kind == "map":
            return {self.text(shape.key, "key"): self.value(shape.value, name, depth + 1)}
        if kind == "string":
            return self.text(shape, name)
        if kind == "boolean":
            return True
        if kind in ("integer", "long"):
            given = self.given.get(name.lower())
            return given if isinstance(given, int) else max(1, shape.metadata.get("min") or 1)
        if kind in ("float", "double"):
            return 1.0
        if kind == "timestamp":
            return WHEN
        return b"{}"

    def structure(self, shape, depth):
        members = {}
        if shape.is_document_type:
            return {}
        for name, member in shape.members.items():
            if PAGING.match(name) or (depth >= DEPTH_MAX and member.type_name in ("structure", "list")):
                if member.type_name == "boolean":
                    members[name] = False
                continue
            if getattr(shape, "is_tagged_union", False) and members:
                break
            if name in ("FunctionError", "Error", "Errors", "FailureReason", "Failures", "failures"):
                continue
            members[name] = self.value(member, name, depth + 1)
        return members

    def text(self, shape, name):
        if shape.enum:
            return min(shape.enum, key=lambda one: WELL.index(one.lower()) if one.lower() in WELL else 99)
        given = self.given.get(name.lower())
        if isinstance(given, str) and given:
            return given
        lower = name.lower()
        service = self.operation.service_model.service_name
        if lower.endswith("arn"):
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{lower.removesuffix('arn') or 'thing'}/one"
        if "accountid" in lower or lower in ("ownerid", "account", "awsaccountid"):
            return ACCOUNT
        if lower.endswith("url"):
            return "https://example.com/one"
        if "availabilityzone" in lower:
            return REGION + "a"
        if lower.endswith("region"):
            return REGION
        if lower in ("state", "status"):
            return "available"
        if lower.endswith("policy") or lower.endswith("policydocument"):
            return '{"Version":"2012-10-17","Statement":[]}'
        if lower in PREFIXES:
            return f"{PREFIXES[lower]}-0123456789abcdef0"
        if lower.endswith("cidrip") or lower.endswith("cidrblock"):
            return "10.0.0.0/16"
        if lower.endswith("cidripv6"):
            return "::/0"
        if lower.endswith("id"):
            return "0123abcd-0123-4567-89ab-0123456789ab"
        return f"one-{lower or 'value'}"[: shape.metadata.get("max") or 1000]


PREFIXES = {
    "instanceid": "i", "volumeid": "vol", "snapshotid": "snap", "imageid": "ami", "vpcid": "vpc",
    "subnetid": "subnet", "groupid": "sg", "networkinterfaceid": "eni", "securitygroupruleid": "sgr",
    "networkaclid": "acl", "routetableid": "rtb", "allocationid": "eipalloc", "flowlogid": "fl",
}  # fmt: skip


class Steering:
    """What single members of answers are, in turn, by service and operation.

    A turn is a dictionary of paths (`Volumes[0].State`) and values, or an error `(code, message)`.
    After the last turn the first one comes again.
    """

    def __init__(self):
        self.turns, self.at = {}, {}

    def add(self, service, operation, turn):
        self.turns.setdefault((service.lower(), operation.lower()), []).append(turn)

    def next(self, service, operation):
        key = (service.lower(), operation.lower())
        turns = self.turns.get(key)
        if not turns:
            return {}
        at = self.at.get(key, 0)
        self.at[key] = at + 1
        return turns[at % len(turns)]


def steer(shape, output, path, value):
    """Puts a value into an output, with the type that its shape has."""
    parts = re.findall(r"[^.\[\]$']+", path)
    at, here = shape, output
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part.isdigit() and at.type_name == "list":
            at, key = at.member, int(part)
            while len(here) <= key:
                here.append(json.loads("{}"))
        elif at.type_name == "map":
            at, key = at.value, part
        elif at.type_name == "structure" and part in at.members:
            at, key = at.members[part], part
        else:
            return False
        if last:
            here[key] = typed(at, value)
        elif key not in range(len(here)) if isinstance(here, list) else key not in here:
            here[key] = [] if at.type_name == "list" else {}
            here = here[key]
        else:
            here = here[key]
    return True


def typed(shape, value):
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    if shape.type_name in ("integer", "long"):
        return int(value) if str(value).lstrip("-").isdigit() else 1
    return value


# How each protocol writes an output.


def plain(shape, value):
    """Returns a value as JSON protocols have it."""
    kind = shape.type_name
    if kind == "structure":
        return {
            member.serialization.get("name", name): plain(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
            and member.serialization.get("location") not in ("header", "headers", "statusCode")
        }
    if kind == "list":
        return [plain(shape.member, one) for one in value]
    if kind == "map":
        return {name: plain(shape.value, one) for name, one in value.items()}
    if kind == "timestamp":
        return value.timestamp() if isinstance(value, datetime.datetime) else value
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def xml(shape, value, name, ec2=False):
    """Returns a value as an element of this name."""
    kind = shape.type_name
    if kind == "structure":
        inner = ""
        for member_name, member in shape.members.items():
            if member.serialization.get("location") in ("header", "headers", "statusCode"):
                continue
            if value.get(member_name) is not None:
                called = member.serialization.get("name", member_name)
                inner += xml(member, value[member_name], called, ec2)
        return f"<{name}>{inner}</{name}>"
    if kind == "list":
        if shape.serialization.get("flattened"):
            called = shape.member.serialization.get("name", name)
            return "".join(xml(shape.member, one, called, ec2) for one in value)
        called = shape.member.serialization.get("name", "item" if ec2 else "member")
        return f"<{name}>{''.join(xml(shape.member, one, called, ec2) for one in value)}</{name}>"
    if kind == "map":
        key, of = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        entries = [xml(shape.key, one, key, ec2) + xml(shape.value, value[one], of, ec2) for one in value]
        if shape.serialization.get("flattened"):
            return "".join(f"<{name}>{entry}</{name}>" for entry in entries)
        return f"<{name}>{''.join(f'<entry>{entry}</entry>' for entry in entries)}</{name}>"
    return f"<{name}>{escape(scalar(shape, value))}</{name}>"


def scalar(shape, value):
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp" and isinstance(value, datetime.datetime):
        if shape.serialization.get("location") == "header":
            return value.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def written(operation, output, request_id):
    """Returns status, headers and body of an answer."""
    protocol = operation.service_model.metadata["protocol"]
    shape, name = operation.output_shape, operation.name
    if protocol == "json":
        kind = f"application/x-amz-json-{operation.service_model.metadata.get('jsonVersion', '1.1')}"
        return 200, {"content-type": kind}, json.dumps(plain(shape, output) if shape else {}).encode()
    if protocol in ("query", "ec2"):
        body = query_body(operation, output, request_id, protocol)
        return 200, {"content-type": "text/xml"}, body.encode()
    headers, status, body = {}, operation.http.get("responseCode", 200), b""
    for member_name, member in shape.members.items() if shape else ():
        location, value = member.serialization.get("location"), output.get(member_name)
        called = member.serialization.get("name", member_name)
        if location == "header" and value is not None and member.type_name not in ("structure", "list"):
            headers[called] = scalar(member, value)
        elif location == "statusCode":
            status = 200
    payload = shape.serialization.get("payload") if shape else None
    if payload:
        member, value = shape.members[payload], output.get(payload)
        if member.type_name in ("blob", "string"):
            body = value if isinstance(value, bytes) else str(value or "").encode()
        elif protocol == "rest-json":
            body = json.dumps(plain(member, value or {})).encode()
        else:
            body = xml(member, value or {}, member.serialization.get("name", payload)).encode()
    elif shape and protocol == "rest-json":
        body = json.dumps(plain(shape, output)).encode()
    elif shape:
        body = xml(shape, output, shape.serialization.get("name", f"{name}Result")).encode()
    kind = "application/json" if protocol == "rest-json" else "application/xml"
    return status, {"content-type": kind, **headers}, body


def query_body(operation, output, request_id, protocol):
    name, shape = operation.name, operation.output_shape
    if protocol == "ec2":
        inner = xml(shape, output, "x", True)[3:-4] if shape else ""
        return f"<{name}Response><requestId>{request_id}</requestId>{inner}</{name}Response>"
    wrapper = (shape.serialization.get("resultWrapper") if shape else None) or f"{name}Result"
    inner = xml(shape, output, wrapper) if shape else ""
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f"<{name}Response>{inner}{metadata}</{name}Response>"


def refusal(request, operation, err, request_id):
    protocol = operation.service_model.metadata["protocol"] if operation else "json"
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": err.code, "message": err.message}).encode()
        return err.status, {"content-type": "application/json", "x-amzn-errortype": err.code}, body
    told = f"<Code>{err.code}</Code><Message>{escape(err.message)}</Message>"
    if protocol == "ec2":
        body = f"<Response><Errors><Error>{told}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        body = f"<ErrorResponse><Error>{told}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    if protocol == "rest-xml":
        body = f"<Error>{told}</Error>"
    return err.status, {"content-type": "text/xml"}, body.encode()


class ShapesStub:
    """The server, on a port of its own."""

    def __init__(self):
        self.steering, self.unanswered = Steering(), []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                stub.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {name.lower(): text for name, text in handler.headers.items()}
        request, operation, request_id = None, None, str(uuid.uuid4())
        try:
            request = Request(handler.command, handler.path, headers, body)
            operation = request.operation()
            status, headers, body = self.answer(request, operation, request_id)
        except Refused as err:
            if operation is None:
                self.unanswered.append(err.message)
            status, headers, body = refusal(request, operation, err, request_id)
        handler.send_response_only(status)
        for name, text in headers.items():
            if name.lower() != "content-length":
                handler.send_header(name, text)
        handler.send_header("x-amzn-requestid", request_id)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def answer(self, request, operation, request_id):
        service = operation.service_model.service_name
        turn = self.steering.next(service, operation.name)
        if isinstance(turn, tuple):
            raise Refused(400, *turn)
        output = Answers(operation, request.input).output()
        for path, value in turn.items():
            steer(operation.output_shape, output, path, value)
        return written(operation, output, request_id)
