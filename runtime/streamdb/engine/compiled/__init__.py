"""Plans as Python functions: the executor that is used by default.

``source_code`` writes functions, ``expressions`` and ``steps`` say what is in them, ``functions``
hands those of expressions to the operators, and ``compiled`` is the executor.
"""

from streamdb.engine.compiled.compiled import Compiled

__all__ = ["Compiled"]
