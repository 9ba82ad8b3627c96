"""The JSON-Schema-Test-Suite, as the source distribution of `jsonschema` carries it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from tests.agreement.cases import DRAFT_7, DRAFT_2020_12, Case, wrapped, wrapped_instance

DRAFTS: Final = {"draft2020-12": DRAFT_2020_12, "draft7": DRAFT_7}

LEFT_OUT: Final = {
    "refRemote.json": "needs a server, and a spec never reaches for the network",
    "dynamicRef.json": "a dynamic reference has no type of its own: refused by design",
    "vocabulary.json": "other vocabularies are refused by design",
}


def suite_cases(archive: Path) -> Iterator[Case]:
    """One case for each group of the suite, in the order of the archive."""
    with tarfile.open(archive) as opened:
        for member in opened:
            path = PurePosixPath(member.name)
            folder, file = path.parent, path.name
            if folder.parent.name != "tests" or folder.name not in DRAFTS or file in LEFT_OUT:
                continue
            text = opened.extractfile(member)
            if text is not None:
                yield from _groups(f"suite/{folder.name}/{path.stem}", folder.name, text.read())


def _groups(name: str, draft: str, text: bytes) -> Iterator[Case]:
    for number, group in enumerate(json.loads(text)):
        case = wrapped(f"{name}/{number} {group['description']}", group["schema"], DRAFTS[draft])
        yield case.with_instances(
            *(
                wrapped_instance(test["description"], test["data"], test["valid"])
                for test in group["tests"]
            )
        )
