"""The TypeScript compiler, at its strictest, on a folder of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from tests.interop.node import FOLDER, Node

#: Every option by which a careful user may make the compiler stricter than `strict`.
STRICTEST: Final[Mapping[str, Any]] = {
    "strict": True,
    "erasableSyntaxOnly": True,
    "exactOptionalPropertyTypes": True,
    "isolatedDeclarations": True,
    "isolatedModules": True,
    "noFallthroughCasesInSwitch": True,
    "noImplicitOverride": True,
    "noImplicitReturns": True,
    "noPropertyAccessFromIndexSignature": True,
    "noUncheckedIndexedAccess": True,
    "noUncheckedSideEffectImports": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
}


def compile_strictly(
    node: Node,
    folder: Path,
    kind: Literal["module", "commonjs"] = "module",
    **options: Any,
) -> list[str]:
    """Check all modules below a folder and write them as JavaScript to `out`; return the errors.

    The packages of this folder can be imported.
    """
    (folder / "package.json").write_text(json.dumps({"type": kind}))
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    settings = {
        **STRICTEST,
        # What is compiled to CommonJS is not left verbatim.
        "verbatimModuleSyntax": kind == "module",
        "declaration": True,
        "lib": ["es2022", "dom"],
        "module": "nodenext",
        "outDir": "out",
        "rootDir": ".",
        "skipLibCheck": True,
        "target": "es2022",
        "types": [],
        **options,
    }
    config = {"compilerOptions": settings, "include": ["**/*.ts"], "exclude": ["out"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    command: list[str | Path] = [
        node.node,
        FOLDER / "node_modules" / "typescript" / "bin" / "tsc",
        "--pretty",
        "false",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    errors: list[str] = done.stdout.splitlines()
    return errors
