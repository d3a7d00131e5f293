"""Starts, kills and restarts a Stepwell server, for the programs beside this file."""

import atexit
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACCOUNT, REGION = "000000000000", "us-east-1"
START_SECONDS_MAX = 20
KEY_FILE = os.path.join(tempfile.gettempdir(), f"stepwell-key-{os.getpid()}")
atexit.register(lambda: pathlib.Path(KEY_FILE).unlink(missing_ok=True))


def binary():
    """Returns the path of the server: $STEPWELL_BIN, or what cargo built last."""
    if os.environ.get("STEPWELL_BIN"):
        return os.environ["STEPWELL_BIN"]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [target / profile / "stepwell" for profile in ("release", "debug")]
    built = sorted((path for path in built if path.exists()), key=lambda path: path.stat().st_mtime)
    if not built:
        raise SystemExit("no server to test: run `cargo build -p stepwell`, or set STEPWELL_BIN")
    return str(built[-1])


class Server:
    """One server process on a port of its own."""

    def __init__(self, *arguments):
        self.arguments = [binary(), "up", "--listen", "127.0.0.1:0", *arguments]
        if "--store" in arguments and "--key-file" not in arguments:
            self.arguments += ["--key-file", KEY_FILE]  # one for all nodes of this program
        self.process, self.reader, self.endpoint, self.output = None, None, None, []
        self.before_exec = None  # called in the child, to set limits and signals

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts the process and waits for the address that it prints."""
        if not self.begin().wait(START_SECONDS_MAX) or self.endpoint is None:
            self.kill()
            raise RuntimeError("the server did not start:\n" + "".join(self.output))
        return self

    def begin(self):
        """Starts the process; returns what is set when it has printed its address, or ended.

        A server that is started again comes back where it was, as one does.
        """
        if self.endpoint:
            port = self.endpoint.rsplit(":", 1)[1]
            self.arguments[3] = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            self.arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=self.before_exec,
        )
        ready = threading.Event()
        arguments = (self.process, ready)
        self.reader = threading.Thread(target=self._read, args=arguments, daemon=True)
        self.reader.start()
        return ready

    def _read(self, process, ready):
        self.endpoint = None
        for line in process.stdout:
            line = re.sub(r"\x1b\[[0-9;]*m", "", line)  # colours
            self.output.append(line)
            found = re.search(r"http://[0-9.]+:\d+", line)
            if found and self.endpoint is None:
                self.endpoint = found.group(0)
                ready.set()
        ready.set()

    def kill(self):
        """Ends the process at once, as a power cut would."""
        self.process.kill()
        self.process.wait()
        self.reader.join(5)  # or it would take a late line of the dead for one of the next

    def stop(self):
        """Asks the process to end, and insists after a while."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def is_healthy(self):
        """Returns whether the health page answers."""
        try:
            with urllib.request.urlopen(self.endpoint + "/_stepwell/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def memory_bytes(self):
        """Returns the resident set of the process (Linux)."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def client(self, service, **more):
        """Returns a boto3 client of this server, as the account's root unless keys are given."""
        import boto3
        from botocore.config import Config

        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", **more}
        config = Config(
            retries={"max_attempts": 1},
            connect_timeout=3,
            read_timeout=60,
            inject_host_prefix=False,
        )
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, config=config, **keys
        )


def wait_for(what, condition, seconds=60):
    """Waits until `condition()` gives something, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what}: not within {seconds} s")
