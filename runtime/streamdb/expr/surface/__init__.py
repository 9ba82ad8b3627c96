"""The methods of expressions, a module a theme: what type checkers know, and the nodes they build.

Each class is a part of ``Expr``, which they name in annotations only. A method that keeps the
null-ness of what it is asked of has two overloads: of what is never null, and of what may be.
"""
