"""Loads the command once, then runs each line of its stdin as a fork with files for its three streams.

A line is `[folder, arguments]` as JSON; the answer is the exit code. Nothing of gRPC has begun when it forks.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys

import trisect.cli.acts
from trisect.cli.main import run


def child(folder: str, arguments: list[str]) -> None:
    os.chdir(folder)
    for descriptor, path in enumerate(sys.argv[1:4]):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    code = 70
    try:
        code = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    os.environ["GRPC_VERBOSITY"] = "NONE"  # as the command itself does before it loads gRPC
    for module in pkgutil.iter_modules(trisect.cli.acts.__path__):
        importlib.import_module(f"trisect.cli.acts.{module.name}")
    while line := sys.stdin.readline():
        process = os.fork()
        if process == 0:
            child(*json.loads(line))
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
