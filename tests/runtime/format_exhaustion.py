"""Run each format's expression on texts made to exhaust it; say which, in case it never ends."""

import re
import sys

from tests.format_examples import exhausting

from streamdb.formats import PYTHON_PATTERNS

for format_, pattern in PYTHON_PATTERNS.items():
    print(format_, flush=True)
    expression = re.compile(pattern)
    for text in exhausting(format_):
        if expression.search(text):
            sys.exit(f"{format_} takes {text[:60]!a}...")
print("done")
