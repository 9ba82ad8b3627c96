"""Templates print nothing but marked text (spec-format, "Rendering safely")."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from streamdb_gen.rendering.environment import UnmarkedTextError, environment
from streamdb_gen.rendering.marked import Code, code, ident, join


def render(template: str, **context: object) -> str:
    return environment().from_string(template).render(context)


@pytest.mark.parametrize(
    "template", ["{{ text }}", "{{ 'constant' }}", "{{ number }}", "{{ a ~ a }}"]
)
def test_unmarked_text_is_refused(template: str) -> None:
    with pytest.raises(UnmarkedTextError):
        render(template, text="import os", number=1, a=ident("a"))


def test_marked_text_is_printed() -> None:
    assert (
        render("{{ name|ident }} = {{ value|lit }}", name="x", value="{{ y }}") == 'x = "{{ y }}"'
    )


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("{{ missing }}")


@pytest.mark.parametrize("name", ["", "a b", "1a", "class", "a;b", "a\n", "a-b", "None"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a Python name"):
        ident(name)


def test_marked_text_is_only_put_together_from_marked_text() -> None:
    assert code("{}[{}]", ident("a"), code("b")) == "a[b]"
    with pytest.raises(TypeError, match="unmarked"):
        code("{}", "raw")  # type: ignore[arg-type]  # what the test is about
    with pytest.raises(TypeError, match="unmarked"):
        join(", ", [code("a"), "raw"])  # type: ignore[list-item]  # what the test is about


def test_braces_in_marked_text_are_text() -> None:
    assert code("{}", Code("{0} {x}")) == "{0} {x}"
