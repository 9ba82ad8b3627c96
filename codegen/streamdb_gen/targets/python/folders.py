"""Which folders can hold a Python package: import statements name it, and it hides no other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from streamdb_gen.naming import is_module_name, package_name
from streamdb_gen.problems import Problem

# Modules of the standard library of every Python from 3.11 to 3.14, whichever runs this: the same
# spec has to give the same package everywhere. Names with an underscore in front are left out.
_STANDARD_LIBRARY: Final = """
    abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop
    base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs
    codeop collections colorsys compileall compression concurrent configparser contextlib
    contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis
    distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
    fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip
    hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools
    json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap
    modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode
    operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib
    poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat
    queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select
    selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3
    sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess
    sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this
    threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle
    turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref
    webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
"""
# What generated packages, the runtime and the server import, and the compiler itself.
_IMPORTED: Final = """
    click datamodel_code_generator httptools httpx jinja2 jsonschema jsonschema_rs msgspec pydantic
    pydantic_core rich starlette streamdb streamdb_gen streamdb_server streamdb_templates uvicorn
"""
_TAKEN: Final = {
    **dict.fromkeys(_STANDARD_LIBRARY.split(), "the standard library has a module of that name"),
    **dict.fromkeys(_IMPORTED.split(), "it is imported beside the package"),
}


def folder_problem(folder: Path, *, named_by_spec: bool) -> Problem | None:
    """Say why a package in this folder could not be imported, or would break other imports.

    A folder inside another package (one with `__init__.py`) is imported under that one's name, so
    it hides nothing. ``named_by_spec``: the folder is the one that follows from the spec's name.
    """
    own_name = folder.name not in ("", "..")
    name = (folder if own_name else folder.resolve()).name
    if not is_module_name(name):
        message = f"no import statement can name the folder {name}"
    elif name in _TAKEN and not _is_inside_package(folder):
        message = f"a package called {name} would hide another {name}: {_TAKEN[name]}"
    else:
        return None
    better = _better(name)
    hint = f"give another folder: -o {folder.with_name(better) if own_name else better}"
    if named_by_spec:
        hint += f', or another name in the spec: "name": "{better.replace("_", "-")}"'
    return Problem(message, hint)


def _is_inside_package(folder: Path) -> bool:
    return (folder.parent / "__init__.py").is_file()


def _better(name: str) -> str:
    better = package_name(name)
    return f"{better}_db" if better in _TAKEN else better
