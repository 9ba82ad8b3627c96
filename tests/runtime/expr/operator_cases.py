"""Expressions of one row, with the values that they have."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from msgspec import UNSET, Struct

from streamdb.expr import Expr, UntypedColumns, case


class Part(Struct):
    kind: str
    text: str | None = None
    note: Any = UNSET


@dataclass
class Point:
    x: int


NOON = dt.datetime(2024, 5, 1, 12, 30, 59, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))

ROW = SimpleNamespace(
    null=None,
    zero=0,
    n=7,
    x=-2.5,
    price=Decimal("1.10"),
    name="Ada",
    padded=" \ta b\n",
    percent="100%_\\",
    lines="one\ntwo",
    yes=True,
    no=False,
    noon=NOON,
    late=NOON.astimezone(INDIA) + dt.timedelta(hours=8),
    naive=dt.datetime(2024, 5, 1, 23),
    day=dt.date(2024, 2, 29),
    time=dt.time(8, 9, 10),
    tags=["a", "b"],
    holes=[1, None],
    empty=[],
    letters={"a", "b"},
    map={"a": 1, "none": None, "list": [{"b": 2}]},
    part=Part("text", "hi"),
    point=Point(3),
    parts=[Part("text", "hi"), Part("image")],
)
R = UntypedColumns[Any]()


Case = tuple[Expr[Any, Any], object]

VALUES: list[Case] = [
    # text
    (R.name.lower(), "ada"),
    (R.name.upper(), "ADA"),
    (R.padded.trim(), "a b"),
    (R.name.length(), 3),
    (R.name + "!", "Ada!"),
    ("Dr. " + R.name, "Dr. Ada"),
    (R.name.concat(" & ", R.name, "."), "Ada & Ada."),
    (R.name.concat(), "Ada"),
    (R.name.starts_with("A"), True),
    (R.name.starts_with("a"), False),
    (R.name.ends_with("da"), True),
    (R.name.ends_with(R.name), True),
    (R.name.contains("d"), True),
    (R.name.contains("D"), False),
    (R.name.like("A%"), True),
    (R.name.like("a%"), False),
    (R.name.like("A"), False),
    (R.name.like("_d_"), True),
    (R.name.like("__"), False),
    (R.name.like("%a%a%"), False),
    (R.name.like("%"), True),
    (R.name.like(""), False),
    (R.name.like("A.a"), False),
    (R.name.like(R.name), True),
    (R.name.ilike("aDA"), True),
    (R.name.ilike("%D_"), True),
    (R.lines.like("one%"), True),
    (R.lines.like("one_two"), True),
    (R.percent.like("100\\%\\_\\\\"), True),
    (R.percent.like("100!%!_\\", escape="!"), True),
    (R.name.like("!A%", escape="!"), True),
    (R.name.like("A!%", escape="!"), False),
    (R.name.matches("d"), True),
    (R.name.matches("^d"), False),
    (R.name.matches("(?i)^a.a$"), True),
    # numbers
    (R.n + 1, 8),
    (1 + R.n, 8),
    (R.n - 1, 6),
    (1 - R.n, -6),
    (R.n * 2, 14),
    (2 * R.n, 14),
    (R.n / 2, 3.5),
    (7 / R.n, 1.0),
    (R.n // 2, 3),
    (-R.n // 2, -4),
    (15 // R.n, 2),
    (R.n % 4, 3),
    (-R.n % 4, 1),
    (9 % R.n, 2),
    (R.n / R.zero, None),
    (R.n // 0, None),
    (R.n % 0, None),
    (1 / R.zero, None),
    (R.x / 0.0, None),
    (R.price / Decimal(0), None),
    (R.price + 1, Decimal("2.10")),
    (R.x.abs(), 2.5),
    (-R.x, 2.5),
    (R.x.round(), -2.0),
    ((R.x + 0.256).round(2), -2.24),
    (R.price.round(1), Decimal("1.1")),
    (R.yes + 1, 2),
    # dates
    (R.noon + HOUR, NOON + HOUR),
    (HOUR + R.noon, NOON + HOUR),
    (R.noon - HOUR, NOON - HOUR),
    (R.late - R.noon, 8 * HOUR),
    ((R.late - R.noon).total_seconds(), 8 * 3600.0),
    ((R.late - R.noon) / HOUR, 8.0),
    ((R.late - R.noon) / 2, 4 * HOUR),
    ((R.late - R.noon) * 2, 16 * HOUR),
    (-(R.late - R.noon), -8 * HOUR),
    (R.day - dt.date(2024, 2, 28), dt.timedelta(1)),
    (R.noon.year(), 2024),
    (R.noon.month(), 5),
    (R.noon.day(), 1),
    (R.noon.weekday(), 2),
    (R.noon.hour(), 12),
    (R.noon.minute(), 30),
    (R.noon.second(), 59),
    (R.noon.date(), dt.date(2024, 5, 1)),
    (R.late.hour(), 20),
    (R.late.day(), 1),  # though it is the second where it was written
    (R.naive.hour(), 23),
    (R.day.year(), 2024),
    (R.day.date(), dt.date(2024, 2, 29)),
    (R.time.minute(), 9),
    # choices
    (R.n.between(1, 7), True),
    (R.n.between(R.n, R.n), True),
    (R.n.between(8, 9), False),
    (R.n.not_in([1, 2]), True),
    (R.n.not_in([7]), False),
    (R.null.if_null(R.null).if_null(3), 3),
    (R.n.if_null(3), 7),
    (R.zero.if_null(3), 0),
    (case((R.n > 9, "many"), (R.n > 5, "some"), else_="few"), "some"),
    (case((R.n > 9, "many"), else_=R.name), "Ada"),
    (case((R.n > 9, "many")), None),
    (case((R.null > 9, "many"), (R.yes, R.n)), 7),
    # lists, maps and objects
    (R.tags[0], "a"),
    (R.tags[-1], "b"),
    (R.tags[2], None),
    (R.tags[-3], None),
    (R.tags["a"], None),
    (R.map["a"], 1),
    (R.map["z"], None),
    (R.map["none"], None),
    (R.map["list"][0]["b"], 2),
    (R.map["list"][1]["b"], None),
    (R.part["text"], "hi"),
    (R.part["note"], None),
    (R.part["nothing"], None),
    (R.part[0], None),
    (R.point["x"], 3),
    (R.name[0], None),
    (R.n["real"]["x"], None),
    (R.tags.length(), 2),
    (R.map.length(), 3),
    (R.tags.contains("a"), True),
    (R.tags.contains(R.name), False),
    (R.letters.contains("b"), True),
    (R.tags.exists(), True),
    (R.empty.exists(), False),
    (R.tags.exists(lambda t: t == "b"), True),
    (R.tags.exists(lambda t: t == "c"), False),
    (R.empty.exists(lambda t: t == "c"), False),
    (R.tags.for_all(lambda t: t.length() == 1), True),
    (R.tags.for_all(lambda t: t == "a"), False),
    (R.empty.for_all(lambda t: t == "a"), True),
    (R.parts.exists(lambda p: (p["kind"] == "image") & p["text"].is_null()), True),
    (R.map["list"].exists(lambda m: m["b"] == 2), True),
]

OF_NULL: list[Case] = [
    (R.null.between(1, 2), None),
    (R.n.between(R.null, 9), None),
    (R.n.between(R.null, 6), False),  # whatever the lower limit may be
    (R.n.between(8, R.null), False),
    (R.n.between(1, R.null), None),
    (R.null.not_in([1]), None),
    (R.null.not_in([]), True),
    (R.n.not_in([1, None]), None),
    (R.n.not_in([7, None]), False),
    (R.holes.contains(1), True),
    (R.holes.contains(2), None),
    (R.holes.contains(R.null), None),
    (R.holes.exists(lambda n: n == 1), True),
    (R.holes.exists(lambda n: n == 2), None),
    (R.holes.for_all(lambda n: n == 1), None),
    (R.holes.for_all(lambda n: n == 2), False),
    (R.null.exists(), None),
    (R.null.exists(lambda n: n == 2), None),
    (R.name + R.null, None),
    (R.name.concat("a", R.null), None),
    (R.n + R.null, None),
    (R.null / 0, None),
    (1 - R.null, None),
    (R.null[0]["a"], None),
    (R.name.like(R.null), None),
    (case((R.null, 1), else_=R.null), None),
]
