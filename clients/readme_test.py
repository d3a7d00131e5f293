#!/usr/bin/env python3
"""Runs the documented commands line by line: the README's story against a server of its own, and the marked
blocks of the pages in docs/, with `stepwell` on the path.

A line that starts with `!` must fail; every other line must not. The last line is `N passed, M failed`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from server import ROOT, Server, binary


MARKED = re.compile(r"readme_test.py runs this block([^.]*)\..*?```sh\n(.*?)```", re.S)


KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


def story(endpoint):
    """Returns the README's block of commands, with our server's address."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return MARKED.search(text).group(2).replace("http://127.0.0.1:4566", endpoint)


def pages():
    """Returns the marked blocks of the pages, by name, and whether each wants a server."""
    for page in sorted((ROOT / "docs").glob("*.md")):
        for how, block in MARKED.findall(page.read_text(encoding="utf-8")):
            yield page.name, block, "against a server" in how


def play(block, environment):
    """Runs the lines of a block in one shell; returns how many went as they should, and how many did not."""
    passed, failed = 0, 0
    shell = subprocess.Popen(
        ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, cwd=ROOT, env=environment,
    )
    for line in block.splitlines():
        if not line or line.startswith("#"):
            continue
        shell.stdin.write(line + "\necho \"== $?\"\n")
        shell.stdin.flush()
        output = []
        for found in shell.stdout:
            if found.startswith("== "):
                break
            output.append(found)
        status = int(found[3:]) if found.startswith("== ") else 1
        ok = status == 0
        passed, failed = passed + ok, failed + (not ok)
        print("ok   " if ok else "FAIL ", line)
        if not ok or "-v" in sys.argv:
            print("".join("      " + text for text in output))
    shell.stdin.close()
    shell.wait()
    return passed, failed


def main():
    passed, failed = 0, 0
    bin_folder = tempfile.mkdtemp()
    os.symlink(binary(), os.path.join(bin_folder, "stepwell"))
    environment = {**os.environ, "AWS_PAGER": "", "PATH": bin_folder + os.pathsep + os.environ["PATH"]}
    for name, block, wants_server in pages():
        print(f"# {name}")
        if wants_server:
            with Server("--memory") as server:
                reached = {"AWS_ENDPOINT_URL": server.endpoint}
                counts = play(block, {**environment, **KEYS, **reached})
        else:
            counts = play(block, environment)
        passed, failed = passed + counts[0], failed + counts[1]
    if "--pages" not in sys.argv:
        print("# README.md")
        with Server("--memory", "--clock", "virtual") as server:
            counts = play(story(server.endpoint), environment)
            passed, failed = passed + counts[0], failed + counts[1]
    shutil.rmtree(bin_folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
