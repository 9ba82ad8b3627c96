"""The interpreter: a tree of operators, each of which keeps its own rows up to date.

``operators`` says what an operator is, ``tree`` builds the tree of a plan, ``interpreted`` runs it;
there is one module for each kind of node.
"""

from streamdb.engine.interpreted.interpreted import Interpreted

__all__ = ["Interpreted"]
