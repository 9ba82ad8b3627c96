"""Running datamodel-code-generator: the only module that imports it, and only when it is needed."""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final

from streamdb_gen.problems import HOW_TO_INSTALL, Problem

#: Its output is part of ours, so no other version will do; the extra `gen` names the same one.
VERSION: Final = "0.89.0"
_DISTRIBUTION: Final = "datamodel-code-generator"


def installation_problem() -> Problem | None:
    """Say what is wrong with the installed tool, if anything is; it is not imported for it."""
    try:
        installed = metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        found = f"{_DISTRIBUTION} is not installed"
    else:
        if installed == VERSION:
            return None
        found = f"{_DISTRIBUTION} {installed} is installed"
    return Problem(
        f"pydantic models need {_DISTRIBUTION} {VERSION}, and {found}",
        HOW_TO_INSTALL,
    )


def run_tool(schema: dict[str, Any], base_class: str) -> str:
    """Return the module that the tool makes of a schema.

    Every class in it is based on ``base_class``; what is no class is a `TypeAliasType`.
    """
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import PythonVersion
    from datamodel_code_generator.parser import LiteralType

    return str(
        generate(
            schema,
            input_file_type=InputFileType.JsonSchema,
            output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311,
            base_class=base_class,
            # No timestamp, and no formatter, which would read the settings of the user's project.
            disable_timestamp=True,
            disable_future_imports=True,
            formatters=[],
            allow_remote_refs=False,
            enable_faux_immutability=True,
            enum_field_as_literal=LiteralType.All,
            field_constraints=True,
            skip_root_model=True,
            use_annotated=True,
            use_generic_container_types=True,
            use_one_literal_as_default=True,
            use_standard_collections=True,
            use_tuple_for_fixed_items=True,
            use_type_alias=True,
            use_union_operator=True,
        )
    )
