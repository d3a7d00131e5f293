#!/usr/bin/env python3
"""Runs the README's story with the AWS CLI, line by line, against a server of its own.

A line that starts with `!` must fail; every other line must not. The last line is `N passed, M failed`.
"""

import os
import re
import subprocess
import sys

from server import ROOT, Server


def script(endpoint):
    """Returns the README's block of commands, with our server's address."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"runs this block.*?```sh\n(.*?)```", text, re.S).group(1)
    return block.replace("http://127.0.0.1:4566", endpoint)


def main():
    passed, failed = 0, 0
    with Server("--memory", "--clock", "virtual") as server:
        environment = {**os.environ, "AWS_PAGER": ""}
        shell = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=ROOT, env=environment,
        )
        for line in script(server.endpoint).splitlines():
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
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
