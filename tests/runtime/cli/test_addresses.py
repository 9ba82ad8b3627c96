"""Which stream an argument names, and what is never said of it."""

import asyncio

import pytest
from tests.faults import proxy
from tests.runtime.cli.running import Commands

from streamdb.cli.exits import Exit
from streamdb_server import Options, Serving, serving


def test_names_are_on_the_server_of_the_option_or_the_environment(
    anywhere: Commands, server: Serving, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    anywhere.succeed("create", server.url + name, "1")
    for root in (server.url, server.url.removesuffix("/v1/stream/")):
        assert anywhere.succeed("read", name, "--url", root) == ["1"]
        monkeypatch.setenv("STREAM_URL", root)
        assert anywhere.succeed("read", name) == ["1"]


def test_names_are_escaped(commands: Commands, name: str) -> None:
    odd = f"{name}/50% é?x"
    commands.succeed("create", odd, "1")
    assert commands.succeed("read", odd) == ["1"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("head", "ftp://u:geheim@host/x"), "write http://"),
        (("head", "http://u:geheim@host:x/"), "make no sense"),
        (("head", "http://host/x?live=geheim"), "belongs to the protocol"),
        (("head", "embedded:file"), "embedded:FILE#STREAM"),
        (("head", "x", "--url", "u:geheim@host"), "is no server"),
        (("head", "x", "--url", "http://["), "is no server"),
        (("head", "x", "--url", "embedded:f#x"), "is no server"),
        (("head", "/"), "is empty"),
        (("head", "a#b", "--url", "embedded:f"), "holds no #"),
        (("head", "x", "--header", "X geheim"), "no colon"),
        (("head", "x", "--header", "Authorization Bearer geheim:x"), "no header's name"),
        (("head", "x", "--header", "X: geheim\nY: geheim"), "printable ASCII"),
        (("head", "embedded:f#x", "--header", "X: geheim"), "is sent no headers"),
        (("fork", "http://u:geheim@127.0.0.1:1/x", "y"), "in full"),
        (("fork", "http://127.0.0.1:1/x", "http://u:geheim@127.0.0.1:2/y"), "stays on its server"),
    ],
)
def test_what_names_no_stream(anywhere: Commands, arguments: tuple[str, ...], problem: str) -> None:
    error = anywhere.fail(Exit.USAGE, *arguments)
    assert problem in error
    assert "geheim" not in error


def test_credentials_are_sent_and_never_said(
    anywhere: Commands, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path_factory.mktemp("closed") / "streams.db"
    with serving(path, options=Options(token="geheim")) as server:
        monkeypatch.setenv("STREAM_URL", server.url)
        assert "set STREAM_AUTH" in anywhere.fail(Exit.ACCESS, "create", "a")
        error = anywhere.fail(Exit.ACCESS, "create", "a", "--auth", "Bearer falsch")
        assert "falsch" not in error
        anywhere.succeed("create", "a", "--auth", "Bearer geheim")
        anywhere.succeed("append", "a", "1", "--header", "authorization:  Bearer geheim")
        monkeypatch.setenv("STREAM_AUTH", "Bearer geheim")
        told = anywhere.succeed("head", "a") + anywhere.succeed("head", "a", "--json")
        told += anywhere.succeed("read", "a", "-o", "batches")
        assert "geheim" not in "".join(told)
        # A header by hand is meant, whatever the environment says.
        anywhere.fail(Exit.ACCESS, "read", "a", "--header", "Authorization: Bearer falsch")
        for help_of in ("--help", "read"):
            assert "geheim" not in anywhere.run(help_of, "--help").out


async def test_headers_go_with_every_request(
    anywhere: Commands, server: Serving, name: str
) -> None:
    async with proxy(server.url) as between:
        headers = ("--header", "X-Room: 7", "--header", "x-empty:")
        url = between.url(name)
        await asyncio.to_thread(anywhere.succeed, "create", url, *headers)
        await asyncio.to_thread(anywhere.succeed, "append", url, "1", *headers)
        heads = [head.lower() for head in between.heads if b" HTTP/1.1" in head]
    assert [head.split()[0] for head in heads] == [b"put", b"head", b"post"]
    assert all(b"\r\nx-room: 7" in head and b"\r\nx-empty:" in head for head in heads)


def test_a_server_that_is_not_there(anywhere: Commands) -> None:
    error = anywhere.fail(Exit.NO_ANSWER, "read", "http://u:geheim@127.0.0.1:1/x?token=geheim")
    assert "refused" in error
    assert "geheim" not in error
