#!/usr/bin/env python3
"""Takes the disk away from the server in many ways, and checks what it says and what it keeps.

usage: disk_test.py [--only WORD] [--flips 24] [--seed 1]

The disk is full, read-only, locked, no directory, damaged, of another format. The server must not
start or answer errors in AWS's shape, say where and what, and serve nothing that is wrong; what was
acknowledged is there once the disk is back. Cases that need a mount are skipped, loudly, where
mounting is not permitted. The last line is `N passed, M failed`.

What is damaged are SQLite's two files, `stepwell.sqlite` (rows, pages, head) and its write-ahead log
`stepwell.sqlite-wal`: there only what SQLite has in use, for behind it lies what an earlier round left. The
commit log before them, `commits-a.log` and `commits-b.log`, is what goes on for a while without a disk. Where the server
refuses to start and says how to go on without what was lost, that is done.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import load
from load import Execution, Judge, Wire, new_execution
from server import Server, binary, wait_for

REFUSE_SECONDS_MAX = 20
ANSWER_SECONDS_MAX = 15
BACK_SECONDS_MAX = 20
LOG_SECONDS_MAX = 5
DISK_BYTES = 12 * 2**20
LOG_LINES_PER_SECOND_MAX = 20
DATABASE = "stepwell.sqlite"
LARGE = "x" * 100_000
# After this time commits are in SQLite's files.
CARRIED_SECONDS = 0.9
# As many small ones fill what the commit log has left.
SMALL_MAX = 3_000
# Most of a case is waiting.
CASES_AT_ONCE = 4
# Of the write-ahead log, and of each page in it (https://sqlite.org/fileformat2.html#walformat).
LOG_HEAD_BYTES, FRAME_HEAD_BYTES = 32, 24


class Skipped(Exception):
    """The machine does not permit what the case needs."""


class Case:
    """What one case expects; every expectation counts."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.chance = random.Random(f"{options.seed}/{name}")
        self.passed = self.failed = 0
        self.refusals = []

    def expect(self, holds, what, found=""):
        """Counts and prints one expectation; returns whether it holds."""
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        found = "" if holds else f" -- {str(found).strip()[:700]}"
        print(f"{'ok   ' if holds else 'FAIL '} {self.name}: {what}{found}", flush=True)
        return holds

    def expect_refusal(self, folder, *pieces):
        """The server must not start, and must say why in one readable message."""
        status, text = start_and_end(folder)
        self.expect(status not in (0, None) and 0 <= status, "it refuses to start", (status, text))
        self.expect_message(text, str(folder), *pieces)

    def expect_message(self, text, *pieces):
        """A message says what it must and shows no inside."""
        lower = text.lower()
        has = lambda piece: any(word in lower for word in piece.lower().split("|"))  # noqa: E731
        missing = [piece for piece in pieces if not has(piece)]
        self.expect(not missing, f"its message has {', '.join(pieces)}", text)
        self.expect("panicked" not in text and "backtrace" not in text, "no panic", text)

    def expect_error(self, answered, what):
        """An answer is an error of the server in AWS's shape."""
        status, text, seconds = answered
        shaped = '"__type"' in text or "<Code>" in text
        self.expect(500 <= status and shaped, f"{what} answers an error in AWS's shape", answered)
        self.expect(seconds < ANSWER_SECONDS_MAX, f"{what} answers in time", f"{seconds:.1f} s")

    def expect_read(self, wire, execution):
        """What needs no writing is answered."""
        arn = {"executionArn": load.execution_arn(execution)}
        read = timed(wire.states, "DescribeExecution", arn)
        self.expect(read[0] == 200, "DescribeExecution answers", read)

    def expect_refusals(self, *pieces):
        """All refusals seen name what they must."""
        for piece in pieces:
            silent = [text for text in self.refusals
                      if not any(word in text.lower() for word in piece.lower().split("|"))]
            self.expect(not silent, f"each of {len(self.refusals)} refusals has {piece}",
                        f"{len(silent)} have not: {silent[:2]}")

    def expect_told(self, server, since, answer, what):
        """The answer or the log says what is wrong, and the log says where: in what it has said since so many lines,
        and soon, for it is written beside the answer."""
        lines = lambda: [  # noqa: E731
            line for line in server.output[since:] if " ERROR " in line or " WARN " in line]
        with contextlib.suppress(TimeoutError):
            wait_for("the log", lambda: any(server.arguments[-1] in line for line in lines()), LOG_SECONDS_MAX)
        log = "".join(lines())
        self.expect_message(answer + log, what)
        self.expect(server.arguments[-1] in log, "the log names the directory", log[-400:])

    def expect_kept(self, endpoint, executions, what):
        """All executions end as they must, and are all there."""
        judge = Judge()
        late, _ = judge.look_until_ended([endpoint], executions, BACK_SECONDS_MAX)
        late = [one.name for one in late]
        self.expect(not judge.faults and not late, f"{what}, each of {len(executions)} executions "
                    "is there and ended once", f"late {late}, {dict(judge.faults)}")


def start_and_end(folder):
    """Starts a server that should refuse; returns its status (None: it went on) and output."""
    command = [binary(), "up", "--listen", "127.0.0.1:0", "--data", str(folder)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=REFUSE_SECONDS_MAX, check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as err:
        return None, (err.stdout or b"").decode() + "(it went on)"


def timed(call, *arguments, **named):
    """Makes a call; returns status, text and seconds."""
    started = time.monotonic()
    status, answer = call(*arguments, **named)
    text = answer if isinstance(answer, str) else load.json.dumps(answer)
    return status, text, time.monotonic() - started


@contextlib.contextmanager
def mounted(folder, *options):
    """A small file system of its own on a folder."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f"cannot mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def populate(server, chance, count=40):
    """Deploys and runs executions one after the other to their ends; returns them in order."""
    load.deploy(server)
    wire, executions = Wire(server.endpoint), []
    for number in range(count):
        machine = ("chain", "effect", "branches")[number % 3]
        execution = new_execution(machine, f"one-{number}", chance)
        status, answer = load.start(wire, execution)
        assert status == 200, answer
        executions.append(execution)
    judge = Judge()
    late, _ = judge.look_until_ended([server.endpoint], executions, BACK_SECONDS_MAX)
    assert not late and not judge.faults, (late, judge.faults)
    wire.close()
    return executions


def waiting(server, names, seconds):
    """Starts executions that wait so long."""
    wire = Wire(server.endpoint)
    executions = []
    for name in names:
        given = load.json.dumps({"name": name, "seconds": seconds})
        executions.append(Execution("wait", name, given))
        status, answer = load.start(wire, executions[-1])
        assert status == 200, answer
    wire.close()
    return executions


def large_execution(name):
    return Execution("chain", name, load.json.dumps({"name": name, "n": 0, "padding": LARGE}))


def no_space(case, server, fill, free):
    """The body of the cases without space: full, asked, emptied, asked again."""
    kept = populate(server, case.chance)
    kept += waiting(server, ["sleeps-0", "sleeps-1"], 4)
    since = len(server.output)
    fill()
    wire, refusal = Wire(server.endpoint), None
    for number in range(400):
        large = large_execution(f"large-{number}")
        answered = timed(load.start, wire, large)
        if answered[0] != 200:
            refusal = answered
            break
        kept.append(large)
    if not case.expect(refusal, "StartExecution is refused without space", "400 are taken"):
        return kept
    case.expect_error(refusal, "StartExecution")
    case.expect_told(server, since, refusal[1], "full|space|too large|i/o error")
    case.expect_error(refused_user(wire), "CreateUser")
    case.expect_read(wire, kept[0])
    case.expect(timed(wire.iam, "GetUser", UserName="one-1")[0] == 200, "GetUser answers")
    lines, started = len(server.output), time.monotonic()
    time.sleep(5)  # the waits end meanwhile, and their ends cannot be written
    rate = (len(server.output) - lines) / (time.monotonic() - started)
    case.expect(rate < LOG_LINES_PER_SECOND_MAX, "the log is not flooded", f"{rate:.0f} lines/s")
    alive = server.process.poll() is None and server.is_healthy()
    case.expect(alive, "the process is well", server.output[-3:])
    free()

    after = new_execution("chain", "after", case.chance)
    try:
        wait_for("space", lambda: load.is_taken(wire, after), BACK_SECONDS_MAX)
        kept.append(after)
    except TimeoutError as err:
        case.expect(False, "it takes executions when there is space, without a restart", err)
    case.expect_kept(server.endpoint, kept, "without a restart")
    wire.close()
    return kept


def refused_user(wire):
    """Creates users until it is refused: small ones may fit where a large execution did not."""
    for number in range(SMALL_MAX):
        answered = timed(wire.iam, "CreateUser", UserName=f"nobody-{number}")
        if answered[0] != 200:
            break
    return answered


def disk_full(case, scratch):
    with mounted(scratch / "disk", "-o", f"size={DISK_BYTES}") as disk:
        filler = disk / "filler"

        def fill():
            with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass

        data = disk / "data"
        with Server("--data", str(data)) as server:
            kept = no_space(case, server, fill, filler.unlink)
            fill()
            server.kill()
            status = None
            try:
                server.start()
                case.expect_read(Wire(server.endpoint), kept[0])
            except RuntimeError as err:
                status = server.process.returncode
                case.expect(0 < status, "it refuses to start on the full disk", (status, err))
                case.expect_message(str(err), str(data), "full|space")
            filler.unlink()
            if status is not None:
                server.start()
            case.expect_kept(server.endpoint, kept, "after a kill and a restart")


def file_size_limit(case, scratch):
    """As if full, where mounting is not permitted: no file may grow beyond what it has now."""
    data = scratch / "data"

    def before_exec():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(bytes_max):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (bytes_max, hard))

    with Server("--data", str(data)) as server:
        server.stop()
        server.before_exec = before_exec
        server.start()
        largest = lambda: max(path.stat().st_size for path in data.iterdir())  # noqa: E731
        free = lambda: limit(resource.RLIM_INFINITY)  # noqa: E731
        kept = no_space(case, server, lambda: limit(largest()), free)
        server.kill()
        server.start()
        case.expect_kept(server.endpoint, kept, "after a kill and a restart")


def read_only(case, scratch):
    with mounted(scratch / "empty", "-o", "ro") as disk:
        case.expect_refusal(disk, "read-only|cannot write|permission")
        case.expect_refusal(disk / "data", "read-only|cannot create|permission")
    with mounted(scratch / "used") as disk:
        data = disk / "data"
        with Server("--data", str(data)) as server:
            kept = populate(server, case.chance)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        case.expect_refusal(data, "read-only|cannot write|permission")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        with Server("--data", str(data)) as server:
            case.expect_kept(server.endpoint, kept, "once it may be written again")


def not_a_directory(case, scratch):
    file = scratch / "file"
    file.write_text("something else", encoding="utf-8")
    case.expect_refusal(file, "not a directory|is a file|exists")
    case.expect_refusal(file / "data", "not a directory|is a file|exists")
    case.expect(file.read_text(encoding="utf-8") == "something else", "the file is left alone")


def two_servers(case, scratch):
    data, link = scratch / "data", scratch / "link"
    with Server("--data", str(data)) as first:
        kept = populate(first, case.chance)
        kept += waiting(first, ["sleeps"], 3)
        case.expect_refusal(data, "in use|another")
        link.symlink_to(data)
        case.expect_refusal(link, "in use|another")
        case.expect(first.is_healthy(), "the first is unharmed")
        case.expect_kept(first.endpoint, kept, "in the first")
        first.kill()
        with Server("--data", str(data)) as second:
            case.expect_kept(second.endpoint, kept, "in the second, once the first is dead")


def locked_by_a_stranger(case, scratch):
    """Another program, a backup or a curious sqlite3 say, holds the write lock of the database."""
    data = scratch / "data"
    with Server("--data", str(data)) as server:
        kept = populate(server, case.chance)
        stranger = sqlite3.connect(data / DATABASE, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        since = len(server.output)
        wire = Wire(server.endpoint)
        # What fits into the commit log is taken meanwhile.
        for number in range(400):
            execution = large_execution(f"while-locked-{number}")
            refusal = timed(load.start, wire, execution)
            if refusal[0] != 200:
                break
            kept.append(execution)
        case.expect_error(refusal, "StartExecution")
        case.expect_told(server, since, refusal[1], "locked|busy|in use")
        case.expect_read(wire, kept[0])
        stranger.execute("ROLLBACK")
        after = new_execution("chain", "after-the-lock", case.chance)
        status, answer = load.start(wire, after)
        case.expect(status == 200, "it goes on once the lock is gone", (status, answer))
        case.expect_kept(server.endpoint, [*kept, after], "without a restart")
        server.kill()
        stranger.execute("BEGIN EXCLUSIVE")
        case.expect_refusal(data, "locked|busy|in use")
        stranger.close()
        server.start()
        case.expect_kept(server.endpoint, [*kept, after], "after a restart")


def prepared(case, scratch):
    """A directory as a kill leaves it: executions that ended, some that wait; and its answers."""
    data = scratch / "prepared"
    with Server("--data", str(data)) as server:
        kept = populate(server, case.chance)
        kept += waiting(server, ["long-0", "long-1", "long-2"], 3600)
        given = answers(server.endpoint, kept)
        server.kill()
    return data, kept, given


def answers(endpoint, executions):
    """Returns what the server says of everything, by question."""
    wire, found = Wire(endpoint), {}
    try:
        for execution in executions:
            arn = {"executionArn": load.execution_arn(execution)}
            for operation in ("DescribeExecution", "GetExecutionHistory",
                              "DescribeStateMachineForExecution"):
                found[operation, execution.name] = wire.states(operation, arn)
            if execution.machine == "effect":
                status, text = wire.iam("GetUser", UserName=execution.name)
                found["GetUser", execution.name] = status, text.partition("<ResponseMetadata>")[0]
        for machine in load.MACHINES:
            arn = {"stateMachineArn": load.machine_arn(machine)}
            found["DescribeStateMachine", machine] = wire.states("DescribeStateMachine", arn)
            found["ListExecutions", machine] = wire.states("ListExecutions", arn)
        found["ListStateMachines", ""] = wire.states("ListStateMachines", {})
    finally:
        wire.close()
    return found


def served_wrongly(endpoint, executions, given):
    """Returns what is answered otherwise than before the damage, and not by a server's error."""
    now = answers(endpoint, executions)
    return [(question, now[question], given[question]) for question in given
            if now[question] != given[question] and now[question][0] < 500]


def difference(question, now, before):
    """Returns where an answer begins to differ."""
    now, before = str(now), str(before)
    at = max(len(os.path.commonprefix([now, before])) - 40, 0)
    return f"{' '.join(question)}: …{now[at : at + 160]}… was …{before[at : at + 160]}…"


def fold_log(data):
    """Moves what the write-ahead log has into the database file."""
    database = sqlite3.connect(data / DATABASE)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def judge_damage(case, data, executions, given):
    """Starts on a damaged directory; returns what came of it, or raises."""
    server = Server("--data", str(data))
    try:
        server.start()
    except RuntimeError as err:
        text, status = str(err), server.process.returncode
        assert status is not None and 0 < status, f"it ended with {status}: {text}"
        assert "panicked" not in text, text
        case.refusals.append(text)
        return "refused"
    try:
        wrong = served_wrongly(server.endpoint, executions, given)
        # A damaged key hides its row from whoever asks for it (docs/operations.md), not from a backup.
        if wrong and all(400 <= now[0] for _, now, _ in wrong):
            named = backup_refused(data)
            assert named, f"hidden, and a backup is made: {difference(*wrong[0])}"
            return "hidden, and named by a backup"
        assert not wrong, f"{len(wrong)} wrong answers: {difference(*wrong[0])}"
        log = "".join(server.output)
        assert "panicked" not in log, log[log.find("panicked") - 200 :][:600]
        assert server.process.poll() is None, f"it ended: {log[-600:]}"
        return "errors or harmless"
    finally:
        server.kill()


def backup_refused(data):
    """Returns whether a backup of a directory is refused because something in it is damaged."""
    command = [binary(), "backup", "--data", str(data), "--to", str(data / "backup")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode != 0 and "damaged" in done.stderr


def damaged_rows(case, scratch):
    """One bit of one row of each table turns; the tables are found, not known here."""
    data, kept, given = prepared(case, scratch)
    fold_log(data)
    database = sqlite3.connect(data / DATABASE)
    names = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    blobs = {name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")
                    if row[2] == "BLOB"] for name in names}
    filled = [name for name in names if blobs[name]
              and database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]
    database.close()
    for table in filled:
        copy = scratch / f"row-{table}"
        shutil.copytree(data, copy)
        place = flip_a_row(case, copy, table, blobs[table][-1])
        try:
            what = judge_damage(case, copy, kept, given)
            case.expect(True, f"never served: a bit in {place}: {what}")
            if table.startswith("journal"):
                case.expect(what == "refused", "a damaged journal is refused", what)
        except (AssertionError, OSError) as err:
            case.expect(False, f"never served: a bit in {place}", err)
        shutil.rmtree(copy)
    case.expect_refusals(str(scratch), "damaged|corrupt|malformed|checksum")


def flip_a_row(case, data, table, column):
    """Turns the lowest bit of a letter or digit in a random row; returns the place."""
    database = sqlite3.connect(data / DATABASE)
    key = database.execute(f"PRAGMA table_info({table})").fetchall()[0][1]
    rows = database.execute(f"SELECT {column}, {key} FROM {table} ORDER BY {key}").fetchall()
    value, name = case.chance.choice(rows)
    value = bytearray(value.encode() if isinstance(value, str) else value)
    spots = [n for n, byte in enumerate(value) if chr(byte).isalnum()] or list(range(len(value)))
    spot = case.chance.choice(spots)
    value[spot] ^= 1
    database.execute(
        f"UPDATE {table} SET {column} = ? WHERE {key} = ? AND {column} = ?",
        (bytes(value), name, bytes(value[:spot] + bytes([value[spot] ^ 1]) + value[spot + 1 :])),
    )
    assert database.total_changes == 1, f"{database.total_changes} rows of {table} changed"
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return f"{table}/{name} at {spot}"


def damaged_file(case, scratch):
    """Bits, pages and the head of the database file."""
    data, kept, given = prepared(case, scratch)
    fold_log(data)
    size = (data / DATABASE).stat().st_size

    def spoil(label, change):
        copy = scratch / "copy"
        shutil.copytree(data, copy)
        with open(copy / DATABASE, "r+b") as file:
            change(file)
        try:
            what = judge_damage(case, copy, kept, given)
            case.expect(True, f"never served: {label}: {what}")
        except (AssertionError, OSError) as err:
            case.expect(False, f"never served: {label}", err)
        shutil.rmtree(copy)

    def overwrite(at, new):
        return lambda file: (file.seek(at), file.write(new))

    spoil("the head is overwritten", overwrite(0, case.chance.randbytes(100)))
    spoil("half of the file is gone", lambda file: file.truncate(size // 8192 * 4096))
    spoil("the file is empty", lambda file: file.truncate(0))
    for _ in range(case.options.flips // 3):
        at = case.chance.randrange(1, size // 4096) * 4096
        spoil(f"the page at {at} is overwritten", overwrite(at, case.chance.randbytes(4096)))
    content = (data / DATABASE).read_bytes()
    for _ in range(case.options.flips):
        at = case.chance.randrange(4096, size)
        while content[at] == 0:  # most zeros are unused space
            at = case.chance.randrange(4096, size)
        spoil(f"a bit at {at} turns", overwrite(at, bytes([content[at] ^ 1])))
    case.expect_refusals(str(scratch), "damaged|corrupt|malformed|checksum|not a database")


def another_format(case, scratch):
    data = scratch / "data"
    with Server("--data", str(data)) as server:
        load.deploy(server)
    database = sqlite3.connect(data / DATABASE)
    database.execute("PRAGMA user_version = 999")
    database.close()
    case.expect_refusal(data, "format|version", "999", "newer|up to|upgrade")


def pages_in_use(file):
    """Returns the salts of a write-ahead log, which change with every round, and where its pages of this round are:
    each as begin and end, behind its head."""
    log, pages = file.read_bytes(), []
    page_bytes, salts = struct.unpack(">I", log[8:12])[0], log[16:24]
    at = LOG_HEAD_BYTES
    while at + FRAME_HEAD_BYTES + page_bytes <= len(log) and log[at + 8 : at + 16] == salts:
        begin = at + FRAME_HEAD_BYTES
        at = begin + page_bytes
        pages.append((begin, at))
    return salts, pages


def torn_log(case, scratch):
    """The end of the write-ahead log is lost or garbage: what is there is a prefix, and goes on."""
    data = scratch / "data"
    log = f"{DATABASE}-wal"
    with Server("--data", str(data)) as server:
        load.deploy(server)
        salts, before = pages_in_use(data / log)
        wire, order = Wire(server.endpoint), []
        for number in range(120):
            machine = ("chain", "effect", "wait", "branches")[number % 4]
            order.append(new_execution(machine, f"one-{number}", case.chance))
            status, answer = load.start(wire, order[-1])
            assert status == 200, answer
            if number in (40, 80):
                time.sleep(CARRIED_SECONDS)
        server.kill()
        wire.close()
    now, pages = pages_in_use(data / log)
    # After a round the log begins anew: what went before is in the database.
    pages = pages[len(before) :] if now == salts else pages
    if not case.expect(8 <= len(pages), "there is a log to damage", pages):
        return
    begin, size = pages[0][0], pages[-1][1]
    garbage = lambda at, length: lambda file: (  # noqa: E731
        file.seek(at), file.write(case.chance.randbytes(length)))
    # Not in the head of a page: without its salts it is one of an earlier round, and no loss that can be seen.
    spoilt = [case.chance.randrange(first, end - 8) for first, end in case.chance.sample(pages, 3)]
    cuts = [case.chance.randrange(begin, size) for _ in range(8)]
    changes = [("is whole", lambda file: None), ("goes on with garbage", garbage(size, 10_000))]
    changes += [(f"ends at {at} of {size}", lambda file, at=at: file.truncate(at)) for at in sorted(cuts)]
    changes += [(f"is garbage from {at} of {size}", garbage(at, size - at)) for at in sorted(spoilt)]
    changes += [(f"has 8 bytes of garbage at {at} of {size}", garbage(at, 8)) for at in sorted(spoilt)]
    changes = [(log, label, change) for label, change in changes]
    for commits in ("commits-a.log", "commits-b.log"):
        used = len((data / commits).read_bytes().rstrip(b"\0"))
        for at in sorted(case.chance.sample(range(used), 3)):
            changes += [(commits, f"has 8 bytes of garbage at {at} of {used}", garbage(at, 8)),
                        (commits, f"ends at {at} of {used}", lambda file, at=at: file.truncate(at))]
    for file_name, label, change in changes:
        copy = scratch / "copy"
        shutil.copytree(data, copy)
        with open(copy / file_name, "r+b") as file:
            change(file)
        judge_torn(case, copy, order, f"{file_name} {label}")
        shutil.rmtree(copy)


def followed(refusal):
    """Does what a refusal to start advises to go on without what was lost; returns whether it advises anything."""
    # The last line of this kind: a refusal shows what was said before, too.
    line = [line for line in refusal.splitlines() if "damaged at" in line][-1:]
    cut = re.search(r"damaged at (\S+) at byte (\d+): .*`truncate -s \2`", "".join(line))
    away = re.search(r"damaged at (\S+): .*move this file away", "".join(line))
    if cut:
        os.truncate(cut[1], int(cut[2]))
    elif away:
        os.rename(away[1], away[1] + ".away")
    return bool(cut or away)


def judge_torn(case, data, order, label):
    """A prefix of the executions is there and goes on; a loss that can be seen is reported."""
    server, refusals = Server("--data", str(data)), []
    while True:
        try:
            server.start()
            break
        except RuntimeError as err:
            refusals.append(str(err))
            if not followed(refusals[-1]) or 3 < len(refusals):
                case.expect(False, f"{label}: it starts", refusals)
                return
    judge = Judge()
    late, absent = judge.look_until_ended(
        [server.endpoint], order, BACK_SECONDS_MAX, must_exist=False)
    server.kill()
    text, there = "".join([*server.output, *refusals]), [one for one in order if one not in absent]
    what = f"{label}: {len(there)} of {len(order)} are there, a prefix, and end as they must"
    good = there == order[: len(there)] and not late and not judge.faults
    case.expect(good, what, f"absent {absent}, late {late}, {dict(judge.faults)}")
    if "panicked" in text:
        case.expect(False, f"{label}: no panic", text)
    if "whole" in label or "goes on" in label:
        case.expect(there == order, f"{label}: nothing is lost", absent)
    elif "garbage" in label and absent:
        told = any(word in text.lower() for word in ("damaged", "torn", "corrupt", "checksum", "not whole"))
        case.expect(told, f"{label}: the loss is reported", text[-300:])


# The longest first.
CASES = [torn_log, damaged_file, disk_full, file_size_limit, locked_by_a_stranger, two_servers, damaged_rows,
         read_only, another_format, not_a_directory]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--flips", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wanted = [body for body in CASES if options.only in body.__name__]
    with concurrent.futures.ThreadPoolExecutor(CASES_AT_ONCE) as pool:
        cases = list(pool.map(lambda body: play(body, options), wanted))
    passed, failed = sum(case.passed for case in cases), sum(case.failed for case in cases)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def play(body, options):
    """Plays a case in a directory of its own."""
    case = Case(body.__name__.replace("_", " "), options)
    with tempfile.TemporaryDirectory(prefix="stepwell-disk-") as scratch:
        try:
            body(case, pathlib.Path(scratch).resolve())
        except Skipped as why:
            print(f"SKIPPED: {case.name}: {why}", flush=True)
        except Exception as err:
            case.expect(False, "the case comes to its end", f"{type(err).__name__}: {err}")
            traceback.print_exc(limit=-4)
    return case


if __name__ == "__main__":
    sys.exit(main())
