"""The process that `forked_python.py` starts: it imports, and then forks one process per request.

A request is a line of JSON on standard input, and the answer a line with the exit code.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import runpy
import sys
from types import ModuleType
from typing import Any


def serve(imports: str) -> None:
    """Do the imports, then answer until the input ends; a forked process returns, too."""
    known = list(sys.path)
    exec(imports, {})
    sys.path[:] = known
    gc.collect()
    gc.freeze()  # the end of each process would copy all of the memory to look for garbage in it
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(**request)
            return  # the interpreter ends as it does after any program
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    output: list[str],
    limits: dict[str, int],
) -> None:
    """Become what ``python`` with these arguments would be, started in this folder."""
    for number, (name, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), *((name, os.O_WRONLY | os.O_CREAT) for name in output)]
    ):
        opened = os.open(name, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # the other one has read ahead
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for name, limit in limits.items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    sys.path[0:1] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    option, rest = arguments[0], arguments[1:]
    if option == "-m":
        sys.path.insert(0, folder)
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    sys.path.insert(0, "" if option == "-c" else folder)
    sys.argv = ["-c", *rest[1:]] if option == "-c" else arguments
    main: Any = ModuleType("__main__")
    sys.modules["__main__"] = main
    if option == "-c":
        source, name = rest[0], "<string>"
    else:
        name = main.__file__ = os.path.join(folder, option)  # noqa: PTH118
        with open(name, "rb") as program:  # noqa: PTH123
            source = program.read()
    exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)


if __name__ == "__main__":
    serve(sys.argv[1])
