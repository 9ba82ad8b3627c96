"""What operators do with values, a module a theme. Null is ``None``; ``operators`` is the table.

A function raises ``TypeError``, ``ValueError`` or ``ArithmeticError`` where it makes no sense of
what it is given. Whoever evaluates adds which expression that was.
"""
