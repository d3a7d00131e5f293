"""Runs one script of an aws:executeScript step.

python3 -I harness.py REQUEST RESULT

REQUEST is a JSON file: script (the text; empty when it comes from an attachment), handler, payload,
context, file (the path that tracebacks show) and, if the document has attachments, directory (where
they lie; archives are unpacked beside themselves, and all of it can be imported from) and attachment
(the one that the step names). RESULT becomes a JSON file: {"payload": what the handler returned} or
{"failure": the traceback}. What the script prints goes to standard output: the caller keeps it as
ExecutionLog. It begins when standard input ends: its limits are set by then. The exit status is 0 in
both cases; without a RESULT the process was ended.
"""

import importlib
import json
import linecache
import os
import pathlib
import sys
import traceback
import types
import zipfile

MODULE = "customer_script"


def unpack(directory):
    """Makes a directory importable, with what the archives in it hold."""
    for archive in sorted(pathlib.Path(directory).glob("*.zip")):
        with zipfile.ZipFile(archive) as file:
            file.extractall(directory)
    sys.path.insert(0, directory)


def load(request):
    """Returns the handler that the request names."""
    if request.get("directory"):
        request["directory"] = os.path.abspath(request["directory"])
        unpack(request["directory"])
    module_name, _, function = request["handler"].rpartition(".")
    if not request["script"]:
        attached = pathlib.PurePath(request.get("attachment") or "")
        alone = attached.stem if attached.suffix == ".py" else MODULE
        return getattr(importlib.import_module(module_name or alone), function)
    file, text = request["file"], request["script"]
    # Tracebacks quote the lines of a file that does not exist.
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = types.ModuleType(MODULE)
    module.__file__ = file
    sys.modules[MODULE] = module
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return getattr(module, function)


def is_customers(filename, request):
    """Returns whether a traceback's frame belongs to the script, not to a library or to us."""
    directory = request.get("directory")
    return filename == request["file"] or bool(directory and filename.startswith(directory))


def failure(error, request):
    """Returns the text of an exception: the script's own frames, then class and message."""
    lines = ["Traceback (most recent call last):\n"]
    for frame in traceback.extract_tb(error.__traceback__):
        if is_customers(frame.filename, request):
            lines.append(f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n')
            lines.append(f"    {frame.line}\n")
    return "".join(lines) + f"\n{type(error).__name__} - {error}"


def run(request):
    """Returns the result of a request as JSON text."""
    try:
        payload = load(request)(request["payload"], request["context"])
        return json.dumps({"payload": payload}, default=str, allow_nan=False)
    except BaseException as error:  # A script may also end with SystemExit.
        return json.dumps({"failure": failure(error, request)})


def main():
    sys.stdin.read()
    request_path, result_path = sys.argv[1:]
    with open(request_path, encoding="utf-8") as request:
        result = run(json.load(request))
    sys.stdout.flush()
    with open(result_path, "w", encoding="utf-8") as out:
        out.write(result)


main()
