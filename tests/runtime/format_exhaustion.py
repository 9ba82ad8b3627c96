"""Run each format's expression on texts made to exhaust it; say which, in case it never ends."""

import re

from tests.format_examples import exhausting

from streamdb.formats import PYTHON_PATTERNS

for name, pattern in PYTHON_PATTERNS.items():
    print(name, flush=True)
    expression = re.compile(pattern)
    for text in exhausting(name):
        expression.search(text)
print("done")
