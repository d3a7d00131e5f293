"""Services that Stepwell does not serve, as little of them as the recorded cases need.

One address answers for Lambda, SQS, SNS, DynamoDB and Secrets Manager, told apart by what requests
are signed for, over AWS's wire protocols. What is asked beyond that is refused with a code.
"""

import hashlib
import http.server
import json
import re
import threading
import time
import traceback
import types
import urllib.parse
import uuid
import zlib

ACCOUNT, REGION = "000000000000", "us-east-1"
NAMES = ("lambda", "sqs", "sns", "dynamodb", "secretsmanager")
POLL_SECONDS_MAX = 5

# What functions do, by the name of the file that the recording deployed. Errors show their lines.
RAISE_CUSTOM = """class CustomException(Exception):
    pass


# The recorded stack trace has the error in the ninth line.


def handler(event, context):
    raise CustomException()
"""
HANDLERS = {
    "id_function": "def handler(event, context):\n    return event\n",
    "echo_function": "def handler(event, context):\n    return {'Return': 'HelloWorld'}\n",
    "return_bytes_str": "def handler(event, context):\n    return 'HelloWorld!'\n",
    "raise_exception": "def handler(event, context):\n"
    '    raise Exception("Some exception was raised.")\n',
    "raise_custom_exception": RAISE_CUSTOM,
    "large_output_string": "def handler(event, context):\n    return '\\u00e9' * 260000\n",
    "wait_60_seconds": "import time\n\ndef handler(event, context):\n    time.sleep(60)\n",
}


class Refused(Exception):
    """An error that a service answers."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Functions:
    """Lambda: Invoke."""

    def __init__(self):
        self.handlers = {}

    def create(self, name, handler):
        """Adds a function that does what `handler` says, and returns its ARN."""
        self.handlers[name] = HANDLERS[handler]
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def answer(self, request):
        found = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", request.path)
        if request.method != "POST" or not found:
            raise Refused(404, "UnknownOperationException", request.path)
        name = urllib.parse.unquote(found[1]).split(":")[-1]
        if name not in self.handlers:
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:$LATEST"
            raise Refused(404, "ResourceNotFoundException", f"Function not found: {arn}")
        event = json.loads(request.body) if request.body else {}
        returned, failed = self.run(self.handlers[name], event, request.id)
        headers = {
            "x-amzn-Remapped-Content-Length": "0",
            "X-Amz-Executed-Version": "$LATEST",
            "X-Amzn-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            "Connection": "keep-alive",
        }
        if failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        return json.dumps(returned).encode(), "application/json", headers

    @staticmethod
    def run(source, event, request_id):
        """Returns what a handler returned, or how it failed, as Lambda's Python runtime does."""
        path = "/var/task/handler.py"
        lines = source.splitlines()
        module = types.ModuleType("handler")
        exec(compile(source, path, "exec"), module.__dict__)
        try:
            return module.handler(event, None), False
        except Exception as err:  # what the runtime reports, whatever it is
            trace = [
                f'  File "{path}", line {one.lineno}, in {one.name}\n'
                f"    {lines[one.lineno - 1].strip()}\n"
                for one in traceback.extract_tb(err.__traceback__)[1:]
            ]
            told = {"errorMessage": str(err), "errorType": type(err).__name__}
            return {**told, "requestId": request_id, "stackTrace": trace}, True


class Queues:
    """SQS: queues without attributes of their own."""

    def __init__(self, address):
        self.address, self.queues, self.lock = address, {}, threading.Lock()

    def answer(self, request):
        operation = request.header("x-amz-target").split(".")[-1]
        served = getattr(self, operation, None)
        if served is None:
            raise Refused(400, "UnknownOperationException", operation)
        answer = json.dumps(served(json.loads(request.body)), separators=(",", ":"))
        return answer.encode(), JSON_1_0, QUIET

    def queue(self, url):
        found = self.queues.get(url.rsplit("/", 1)[-1])
        if found is None:
            code = "AWS.SimpleQueueService.NonExistentQueue"
            raise Refused(400, code, "The specified queue does not exist.")
        return found

    def CreateQueue(self, asked):
        self.queues.setdefault(asked["QueueName"], [])
        return {"QueueUrl": f"{self.address()}/{ACCOUNT}/{asked['QueueName']}"}

    def GetQueueAttributes(self, asked):
        self.queue(asked["QueueUrl"])
        name = asked["QueueUrl"].rsplit("/", 1)[-1]
        return {"Attributes": {"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}}

    def SetQueueAttributes(self, asked):
        self.queue(asked["QueueUrl"])
        return {}

    def SendMessage(self, asked):
        return self.put(self.queue(asked["QueueUrl"]), asked["MessageBody"])

    def put(self, queue, body):
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        sent = {"MD5OfMessageBody": digest, "MessageId": str(uuid.uuid4())}
        with self.lock:
            queue.append({"MessageId": sent["MessageId"], "MD5OfBody": digest, "Body": body})
        return sent

    def ReceiveMessage(self, asked):
        queue, until = self.queue(asked["QueueUrl"]), time.monotonic() + POLL_SECONDS_MAX
        waits = min(asked.get("WaitTimeSeconds", 0), POLL_SECONDS_MAX)
        while True:
            with self.lock:
                taken = queue[: asked.get("MaxNumberOfMessages", 1)]
                del queue[: len(taken)]
            if taken or until - POLL_SECONDS_MAX + waits <= time.monotonic():
                break
            time.sleep(0.02)
        taken = [{**one, "ReceiptHandle": one["MessageId"]} for one in taken]
        return {"Messages": taken} if taken else {}

    def DeleteMessage(self, asked):
        self.queue(asked["QueueUrl"])
        return {}


class Topics:
    """SNS: topics whose subscribers are queues."""

    def __init__(self, queues):
        self.queues, self.topics = queues, {}

    def answer(self, request):
        asked = dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True))
        operation = asked["Action"]
        served = getattr(self, operation, None)
        if served is None:
            raise Refused(400, "InvalidAction", operation)
        result = served(asked)
        members = "".join(f"\n    <{name}>{text}</{name}>" for name, text in result.items())
        body = (
            f'<{operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">\n'
            f"  <{operation}Result>{members}\n  </{operation}Result>\n"
            f"  <ResponseMetadata>\n    <RequestId>{request.id}</RequestId>\n"
            f"  </ResponseMetadata>\n</{operation}Response>\n"
        )
        return body.encode(), "text/xml", QUIET

    def CreateTopic(self, asked):
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{asked['Name']}"
        self.topics.setdefault(arn, [])
        return {"TopicArn": arn}

    def DeleteTopic(self, asked):
        self.topics.pop(asked["TopicArn"], None)
        return {}

    def Subscribe(self, asked):
        self.topics[asked["TopicArn"]].append(asked["Endpoint"])
        return {"SubscriptionArn": f"{asked['TopicArn']}:{uuid.uuid4()}"}

    def Publish(self, asked):
        arn = asked.get("TopicArn", "")
        if arn not in self.topics:
            raise Refused(404, "NotFound", "Topic does not exist")
        if arn.endswith(".fifo") and "MessageGroupId" not in asked:
            what = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
            raise Refused(400, "InvalidParameter", what)
        if not asked.get("Message"):
            raise Refused(400, "InvalidParameter", "Invalid parameter: Empty message")
        published = {"MessageId": str(uuid.uuid4())}
        for queue in self.topics[arn]:
            told = {"Type": "Notification", **published, "TopicArn": arn}
            told["Message"] = asked["Message"]
            self.queues.put(self.queues.queue(queue.replace(":", "/")), json.dumps(told))
        return published


class Tables:
    """DynamoDB: items by a hash key."""

    def __init__(self):
        self.tables, self.lock = {}, threading.Lock()

    def answer(self, request):
        operation = request.header("x-amz-target").split(".")[-1]
        served = getattr(self, operation, None)
        if served is None:
            raise Refused(400, "UnknownOperationException", operation)
        with self.lock:
            answer = served(json.loads(request.body))
        body = json.dumps(answer, separators=(",", ":")).encode()
        sum_of_it = {"x-amz-crc32": str(zlib.crc32(body))}
        return body, JSON_1_0, {"Server": "Server", "Connection": "keep-alive", **sum_of_it}

    def table(self, asked):
        found = self.tables.get(asked["TableName"])
        if found is None:
            raise Refused(400, "ResourceNotFoundException", "Requested resource not found")
        return found

    def item(self, asked, given):
        key, items = self.table(asked)
        return json.dumps(given[key]), items

    def CreateTable(self, asked):
        self.tables[asked["TableName"]] = asked["KeySchema"][0]["AttributeName"], {}
        return {"TableDescription": {"TableName": asked["TableName"], "TableStatus": "ACTIVE"}}

    def DescribeTable(self, asked):
        self.table(asked)
        return {"Table": {"TableName": asked["TableName"], "TableStatus": "ACTIVE"}}

    def PutItem(self, asked):
        if asked.get("Item") is None:
            what = "1 validation error detected: Value null at 'item' failed to satisfy constraint"
            raise Refused(400, "ValidationException", what + ": Member must not be null")
        key, items = self.item(asked, asked["Item"])
        items[key] = asked["Item"]
        return {}

    def GetItem(self, asked):
        key, items = self.item(asked, asked["Key"])
        return {"Item": items[key]} if key in items else {}

    def DeleteItem(self, asked):
        key, items = self.item(asked, asked["Key"])
        items.pop(key, None)
        return {}

    def UpdateItem(self, asked):
        assignment = re.fullmatch(r"(?i:set)\s+(\w+)\s*=\s*(:\w+)", asked["UpdateExpression"])
        if not assignment:
            raise Refused(400, "ValidationException", "only `SET name = :value` is understood here")
        key, items = self.item(asked, asked["Key"])
        value = asked["ExpressionAttributeValues"][assignment[2]]
        items.setdefault(key, dict(asked["Key"]))[assignment[1]] = value
        shows = asked.get("ReturnValues") == "UPDATED_NEW"
        return {"Attributes": {assignment[1]: value}} if shows else {}


class Secrets:
    """Secrets Manager: secrets without versions."""

    def __init__(self):
        self.secrets = {}

    def answer(self, request):
        operation, asked = request.header("x-amz-target").split(".")[-1], json.loads(request.body)
        if operation == "ListSecrets":
            answer = {"SecretList": [{"Name": name} for name in self.secrets]}
        elif operation == "CreateSecret":
            answer = self.create(asked)
        else:
            raise Refused(400, "UnknownOperationException", operation)
        return json.dumps(answer).encode(), "application/x-amz-json-1.1", QUIET

    def create(self, asked):
        name = asked["Name"]
        if not re.fullmatch(r"[\w/+=.@!-]+", name):
            what = "Invalid name. Must be a valid name containing alphanumeric characters, or any"
            raise Refused(400, "ValidationException", what + " of the following: -/_+=.@!")
        self.secrets[name] = asked.get("SecretString")
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
        return {"Name": name, "ARN": arn}


JSON_1_0 = "application/x-amz-json-1.0"
QUIET = {"connection": "keep-alive"}


class Request:
    """One request, read."""

    def __init__(self, handler):
        self.id = str(uuid.uuid4())
        self.method, self.path = handler.command, handler.path.split("?")[0]
        self.header = lambda name: handler.headers.get(name, "")
        self.body = handler.rfile.read(int(self.header("content-length") or 0))
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", self.header("authorization"))
        self.service = scope[1] if scope else ""


class Elsewhere:
    """A server of these services on a port of its own."""

    def __init__(self):
        self.queues = Queues(lambda: self.address)
        self.functions = Functions()
        self.services = {
            "lambda": self.functions,
            "sqs": self.queues,
            "sns": Topics(self.queues),
            "dynamodb": Tables(),
            "secretsmanager": Secrets(),
        }
        elsewhere = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                elsewhere.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do

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

    def arguments(self):
        """Returns the options with which a server calls these services here."""
        return [word for name in NAMES for word in ("--endpoint", f"{name}={self.address}")]

    def serve(self, handler):
        """Answers one request."""
        request = Request(handler)
        status = 200
        try:
            service = self.services.get(request.service)
            if service is None:
                raise Refused(404, "UnknownOperationException", f"no service `{request.service}`")
            body, kind, headers = service.answer(request)
        except Refused as err:
            status, (body, kind, headers) = err.status, self.refusal(request, err)
        handler.send_response_only(status)
        handler.send_header("x-amzn-RequestId", request.id)
        handler.send_header("Date", handler.date_time_string())
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)

    @staticmethod
    def refusal(request, err):
        """Returns an error in the protocol that was spoken."""
        if request.service == "sns":
            body = (
                f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>'
                f"<Type>Sender</Type><Code>{err.code}</Code>"
                f"<Message>{err.message}</Message></Error>"
                f"<RequestId>{request.id}</RequestId></ErrorResponse>"
            )
            return body.encode(), "text/xml", QUIET
        body = json.dumps({"__type": err.code, "message": err.message}).encode()
        headers = {**QUIET, "x-amzn-ErrorType": err.code}
        if request.service == "dynamodb":
            headers["x-amz-crc32"] = str(zlib.crc32(body))
        return body, JSON_1_0, headers
