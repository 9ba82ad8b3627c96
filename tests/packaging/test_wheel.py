"""The wheel works where the checkout is not: installed alone, it generates and runs a client."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "generated_examples/agent_session/schema.json"

USE_CLIENT = """
from agent_session import Agent, AgentSession
with AgentSession("embedded:s.db#demo", create=True) as db:
    db.agents.insert(Agent(agent_id="ada", name="Ada")).synced(10)
    print(db.agents["ada"].name)
"""


class Installation:
    """An empty virtual environment and an empty folder beside it."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self._wheel = wheel
        self._bin = folder / "venv" / "bin"
        self.work = folder / "elsewhere"
        self.work.mkdir()
        venv.create(folder / "venv")

    def install(self, extras: str = "") -> None:
        # By our own pip and without bytecode: to install a pip first, and to compile all of what
        # only a few commands use, takes longer than these commands.
        pip = [sys.executable, "-m", "pip", "--python", str(self._bin / "python")]
        constraints = ["--constraint", str(ROOT / "constraints.txt")]
        requirement = f"streamdb{extras} @ {self._wheel.as_uri()}"
        done = self._run([*pip, "install", "--quiet", "--no-compile", *constraints, requirement])
        assert done.returncode == 0, done.stderr

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._run([str(self._bin / command[0]), *command[1:]])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.work, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("streamdb-*.whl")
    return built


def test_each_command_names_the_extra_that_it_lacks_and_works_once_it_is_there(
    wheel: Path, tmp_path: Path
) -> None:
    place = Installation(tmp_path, wheel)
    place.install()
    shutil.copy(SPEC, place.work / "schema.json")

    for command, extra in (
        (("streamdb-gen", "schema.json"), "streamdb[gen]"),
        (("streamdb", "serve"), "streamdb[cli]"),
        (("python", "-c", 'import streamdb; streamdb.Stream.create("embedded:a.db#b")'), None),
    ):
        missing = place.run(*command)
        assert missing.returncode != 0
        if extra is not None:
            assert extra in missing.stderr
            assert len(missing.stderr.strip().splitlines()) == 1, missing.stderr
        else:
            assert "MissingExtra" in missing.stderr
            assert "streamdb[server]" in missing.stderr

    place.install("[all]")
    generated = place.run("streamdb-gen", "schema.json")
    assert generated.returncode == 0, generated.stderr
    assert place.run("streamdb-gen", "check", "schema.json").returncode == 0
    used = place.run("python", "-W", "error", "-c", USE_CLIENT)
    assert used.stdout == "Ada\n", used.stderr
    assert (place.work / "agent_session" / "py.typed").exists()
