"""`create`, `append`, `close` and `delete`, on a server and on a local file."""

import errno
import io
import json
import os
import re
from pathlib import Path

import pytest
from tests.runtime.cli.running import Commands

from streamdb import Stream
from streamdb.cli.exits import Exit, Failed
from streamdb.cli.producing import Units, produce
from streamdb.cli.values import given_values
from streamdb_server import Options, Serving, serving


def test_a_stream_from_its_creation_to_its_end(commands: Commands, name: str) -> None:
    assert commands.succeed("create", name, "--ttl", "60")[0].startswith("created ")
    assert "exists already" in commands.succeed("create", name, "--ttl", "60")[0]
    assert "another" in commands.fail(Exit.CONFLICT, "create", name, "--ttl", "61")
    assert commands.succeed("append", name, "1", '{"a": "é"}', "[2]")[0].startswith(
        "appended 3 values (offset "
    )
    assert commands.succeed("read", name) == ["1", '{"a":"é"}', "[2]"]
    assert commands.succeed("close", name, '"last"')[0].startswith("closed ")
    assert commands.succeed("read", name)[-1] == '"last"'
    assert "closed" in commands.fail(Exit.CONFLICT, "append", name, "4")
    commands.succeed("close", name)  # as often as one likes
    assert commands.succeed("delete", name)[0].startswith("deleted ")
    for command in ("head", "read", "tail", "close", "delete"):
        assert "no such stream" in commands.fail(Exit.MISSING, command, name)
    assert "no such stream" in commands.fail(Exit.MISSING, "append", name, "1")


def test_first_data(commands: Commands, name: str, tmp_path: Path) -> None:
    commands.succeed("create", name, "1", "[2]", "--closed")
    assert commands.succeed("read", name) == ["1", "[2]"]
    lines = tmp_path / "values.jsonl"
    lines.write_text('{"n":1}\n\n{"n":2}\n')
    commands.succeed("create", f"{name}/file", "--file", str(lines))
    assert commands.succeed("read", f"{name}/file") == ['{"n":1}', '{"n":2}']
    commands.succeed(
        "create", f"{name}/stdin", "-f", "-", "--content-type", "text/plain", stdin=b"hi"
    )
    assert commands.run("read", f"{name}/stdin").out == "hi"


def test_values_keep_what_is_written(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    written = ["1.50", "1e400", "123456789012345678901234567890", '{"b":1,"a":1.0}', '"\\ud800"']
    commands.succeed("append", name, *written[:4])
    assert commands.succeed("read", name) == written[:4]
    commands.succeed("append", name, "\t1 ", written[4])
    assert commands.succeed("read", name)[-1] == written[4]


def test_bytes_are_stored_as_they_are(commands: Commands, name: str, tmp_path: Path) -> None:
    commands.succeed("create", name, "--content-type", "application/octet-stream")
    data = bytes(range(256)) * 1000
    file = tmp_path / "data"
    file.write_bytes(data)
    told = commands.succeed("append", name, stdin=data)
    assert told[0].startswith("appended 256000 bytes (offset ")
    commands.succeed("append", name, "-f", str(file))
    commands.succeed("append", name, "\udcff", "é")  # an argument that is not UTF-8
    expected = data + data + b"\xff\xc3\xa9"
    assert commands.run("read", name).out.encode("utf-8", "surrogateescape") == expected


def test_many_lines(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    lines = [f'{{"n":{number}}}' for number in range(3000)]
    told = commands.succeed("append", name, "--json", stdin="\n".join(lines).encode())
    assert json.loads(told[0])["values"] == 3000
    assert commands.succeed("read", name) == lines


def test_broken_json_is_named_and_what_stood_before_is_stored(
    commands: Commands, name: str
) -> None:
    commands.succeed("create", name)
    error = commands.fail(Exit.DATA, "append", name, stdin=b'1\n\n{"n": 2}\n {"n": }\n5\n')
    offset = json.loads(commands.succeed("head", name, "--json")[0])["offset"]
    assert "line 4 of standard input is no JSON: Expecting value at column 8" in error
    assert f"what came before is stored: 2 values (offset {offset})" in error
    assert commands.succeed("read", name) == ["1", '{"n":2}']


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"NaN", "NaN is no JSON number"),
        (b'"\xff"', "byte 2 is not UTF-8"),
        (b"[" * 100_000, "recursion"),
        (b"1 2", "Extra data at column 3"),
    ],
)
def test_what_is_no_json(commands: Commands, name: str, line: bytes, reason: str) -> None:
    commands.succeed("create", name)
    error = commands.fail(Exit.DATA, "append", name, stdin=b"1\n" + line)
    assert "line 2" in error
    assert reason in error
    assert "is stored: 1 value " in error


def test_an_argument_that_is_no_json_stores_nothing(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    error = commands.fail(Exit.DATA, "append", name, "1", "hello")
    assert "value 2 is no JSON" in error
    assert "quotes" in error
    assert commands.succeed("read", name) == []


def test_a_stream_that_others_closed(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "0", "--closed")
    error = commands.fail(Exit.CONFLICT, "append", name, stdin=b"1\n2\n")
    assert "is closed" in error
    assert "of 2 values, 0 are stored and 2 are not" in error


def test_nothing_to_append(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    assert commands.succeed("append", name) == ["appended 0 values"]
    assert "nothing" in commands.fail(Exit.DATA, "append", name, "--batch", "[]")


def test_a_batch_is_one_request(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    text = b'[1.50,\n {"a": [2]}, "\\ud800"]\n'
    commands.succeed("append", name, "--batch", stdin=text)
    commands.succeed("append", name, "--batch", "[[3]]")
    assert commands.succeed("read", name) == ["1.50", '{"a":[2]}', '"\\ud800"', "[3]"]
    assert "no JSON array" in commands.fail(Exit.DATA, "append", name, "--batch", '{"a":1}')
    assert "no JSON:" in commands.fail(Exit.DATA, "append", name, "--batch", stdin=b"[1,")
    assert "one VALUE" in commands.fail(Exit.USAGE, "append", name, "--batch", "[1]", "[2]")


def test_seq_must_rise(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    commands.succeed("append", name, "--seq", "a2", stdin=b"1\n2\n")
    assert "'a2'" in commands.fail(Exit.CONFLICT, "append", name, "3", "--seq", "a2")
    commands.succeed("append", name, "3", "--seq", "a3")
    assert commands.succeed("read", name) == ["1", "2", "3"]


def test_the_same_data_under_the_same_producer_is_stored_once(
    commands: Commands, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    commands.succeed("create", name)
    as_producer = ("append", name, "--producer-id", "import-2026-11", "--json")
    commands.succeed(*as_producer, stdin=b"1\n2\n3\n")
    again = commands.run(*as_producer, stdin=b"1\n2\n3\n4\n5\n")  # an interrupted run's second try
    told = json.loads(again.out)
    assert (told["values"], told["repeated"]) == (2, 3)
    assert commands.succeed("read", name) == ["1", "2", "3", "4", "5"]
    commands.succeed(*as_producer, "--epoch", "1", stdin=b"6\n")
    assert commands.succeed("read", name)[-1] == "6"
    assert "epoch" in commands.fail(Exit.CONFLICT, *as_producer[:4], "7")


def test_what_was_not_stored_is_not_called_appended(commands: Commands, name: str) -> None:
    """A number that was used stands for what it was used for: other data is not stored."""
    commands.succeed("create", name)
    as_producer = ("append", name, "--producer-id", "p")
    commands.succeed(*as_producer, "1", "2")
    done = commands.run(*as_producer, "3", "4", "5")
    assert re.fullmatch(
        r"appended 1 value \(offset \S+\); the server took 2 values for a repetition of an "
        r"earlier run, and did not store it again\n",
        done.out,
    )
    assert commands.succeed("read", name) == ["1", "2", "5"]


def test_what_an_earlier_run_stored_is_told_apart_when_something_fails(
    anywhere: Commands, tmp_path: Path
) -> None:
    with serving(tmp_path / "small.db", options=Options(max_body_bytes=20)) as small:
        stream = small.url + "s"
        as_producer = ("append", stream, "--producer-id", "p")
        anywhere.succeed("create", stream)
        anywhere.succeed(*as_producer, "1", "2")
        broken = anywhere.run(*as_producer, stdin=b"1\n2\n3\noh\n")
        assert "is stored: 3 values" in broken.err
        assert "(for 2 of them the server says: by an earlier run)" in broken.err
        refused = anywhere.run(*as_producer, stdin=b"1\n2\n3\n" + b"4" * 30 + b"\n")
        told = (
            "of 4 values, 3 are stored (for 3 of them the server says: by an earlier run) and 1 are"
        )
        assert told in refused.err


def test_bytes_that_were_not_stored_are_counted(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "--content-type", "text/plain")
    as_producer = ("append", name, "--producer-id", "p", "--json")
    commands.succeed(*as_producer, "one", "two")
    told = json.loads(commands.run(*as_producer, "one", "two", "seven").out)
    assert (told["bytes"], told["repeated"]) == (5, 6)


@pytest.mark.parametrize("command", ["append", "close"])
def test_an_error_names_what_was_asked_for(commands: Commands, name: str, command: str) -> None:
    """And not the question for the content type that comes before."""
    error = commands.fail(Exit.MISSING, command, name, "1")
    assert error.startswith(f"streamdb: {command}: there is no such stream")


def test_fork_knows_what_offset_means(commands: Commands, name: str) -> None:
    assert "--at" in commands.fail(Exit.USAGE, "fork", name, "new", "--offset", "-1")


def test_a_stream_that_is_kept_for_its_forks_is_in_the_way(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "1")
    commands.succeed("fork", name, f"{name}-fork")
    commands.succeed("delete", name)
    error = commands.fail(Exit.CONFLICT, "create", name)
    assert "deleted and is kept for its forks" in error
    assert "it says: " in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("append", "--producer-id", "p", "--seq", "1"),
        ("append", "--producer-id", "p", "--batch"),
        ("append", "--epoch", "1"),
        ("append", "--producer-id", ""),
        ("append", "--producer-id", "p", "--epoch", "-1"),
        ("append", "1", "--file", "-"),
        ("append", "--file", "no such file"),
        ("create", "--ttl", "1", "--expires-at", "2030-01-31T12:00:00Z"),
        ("create", "--ttl", "soon"),
        ("create", "--expires-at", "soon"),
        ("create", "--content-type", "text"),
        ("fork", "other", "--sub-offset", "1"),
        ("tail", "--live", "always"),
        ("tail", "--output", "json"),
        ("head", "--timeout", "0"),
        ("head", "--timeout", "nan"),
        ("head", "--timeout", "inf"),
    ],
)
def test_wrong_usage_is_said_in_a_line(
    commands: Commands, name: str, arguments: tuple[str, ...]
) -> None:
    commands.succeed("create", name)
    command, *rest = arguments
    commands.fail(Exit.USAGE, command, name, *rest)
    assert commands.succeed("read", name) == []


def test_batches_are_for_json(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "--content-type", "text/plain")
    assert "JSON streams" in commands.fail(Exit.USAGE, "append", name, "--batch", "[]")


def test_forks(commands: Commands, name: str) -> None:
    told = commands.succeed("create", name, "1", "--json")
    middle = json.loads(told[0])["offset"]
    commands.succeed("append", name, "--batch", "[2,3,4]")
    where = ("--at", middle, "--sub-offset", "2")
    commands.succeed("fork", name, f"{name}-fork", *where)
    commands.succeed("fork", name, f"{name}-fork", *where)  # it is that already
    commands.fail(Exit.CONFLICT, "fork", name, f"{name}-fork", "--at", middle)
    commands.fail(Exit.MISSING, "fork", f"{name}-none", f"{name}-other")
    commands.fail(Exit.REFUSED, "fork", name, f"{name}-other", "--at", middle, "--sub-offset", "4")
    commands.succeed("append", f"{name}-fork", '"own"')
    commands.succeed("delete", name)
    commands.fail(Exit.MISSING, "read", name)
    assert commands.succeed("read", f"{name}-fork") == ["1", "2", "3", '"own"']


class WornOut(io.BytesIO):
    """A file whose device breaks after the first line."""

    name = "/dev/worn-out"

    def readline(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().readline(size)


def test_a_file_that_cannot_be_read_to_its_end_is_told_with_what_is_stored(
    server: Serving, name: str
) -> None:
    values = given_values((), WornOut(b'"a"\n"b"\n'), of_json=True)
    with Stream.create(server.url + name) as stream, stream.producer() as producer:
        with pytest.raises(Failed, match=r"worn-out: Input/output error; .* stored: 1 value"):
            produce(producer, values, Units(of_json=True))
        assert [item for batch in stream.read() for item in stream.items(batch)] == ["a"]
