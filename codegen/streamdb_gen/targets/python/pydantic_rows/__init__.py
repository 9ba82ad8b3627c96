"""Rows as pydantic models: `--models pydantic`.

datamodel-code-generator says how each type of the IR is written for pydantic. It gets a schema in
which every name and every text is a placeholder (:mod:`.blueprint`), so that no word of a spec ever
reaches it; its output is read as data (:mod:`.reading`), and what cannot be read is refused; the
real names and texts come back when the types are printed by our own template (:mod:`.rows`).
"""
