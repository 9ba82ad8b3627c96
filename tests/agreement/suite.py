"""The JSON-Schema-Test-Suite, as the source distribution of `jsonschema` carries it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from tests.agreement.cases import DRAFT_7, DRAFT_2020_12, Case, wrapped, wrapped_instance

DRAFTS: Final = {"draft2020-12": DRAFT_2020_12, "draft7": DRAFT_7}

FOLDERS: Final = ("", "optional/format")
"""What is required of every validator, and what is of those that assert formats."""

LEFT_OUT: Final = {
    "refRemote.json": "needs a server, and a spec never reaches for the network",
    "dynamicRef.json": "a dynamic reference has no type of its own: refused by design",
    "regex.json": "what is a regular expression cannot be said by one: no format of the project",
    "ecmascript-regex.json": "the same",
    "vocabulary.json": "other vocabularies are refused by design",
}


def suite_cases(archive: Path) -> Iterator[Case]:
    """One case for each group of the suite, in the order of the archive."""
    with tarfile.open(archive) as opened:
        for member in opened:
            path = PurePosixPath(member.name)
            if path.parts[1:3] != ("json", "tests") or not path.match("*.json"):
                continue
            draft, *folders = path.parent.parts[3:] or ("",)
            text = opened.extractfile(member)
            wanted = draft in DRAFTS and "/".join(folders) in FOLDERS and path.name not in LEFT_OUT
            if wanted and text is not None:
                name = "/".join(("suite", draft, *folders, path.stem))
                yield from _groups(name, DRAFTS[draft], text.read())


def _groups(name: str, draft: str, text: bytes) -> Iterator[Case]:
    for number, group in enumerate(json.loads(text)):
        case = wrapped(f"{name}/{number} {group['description']}", group["schema"], draft)
        yield case.with_instances(
            *(
                wrapped_instance(test["description"], test["data"], test["valid"])
                for test in group["tests"]
            )
        )
