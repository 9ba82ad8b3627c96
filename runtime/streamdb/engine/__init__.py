"""The incremental query engine: how what is asked is kept up to date.

A query's tree (``expr.query_tree``) becomes a plan (``plan``, made by ``planning``), and a plan is
run by an executor: ``naive`` recomputes from scratch and is what the others are held to,
``interpreted`` keeps operators up to date by keyed deltas, ``compiled`` does the same by functions
written for the plan. ``executor`` is what they have in common.
"""
