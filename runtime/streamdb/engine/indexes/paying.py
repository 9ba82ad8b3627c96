"""When an index pays: measured on rows of a few columns, by ``benchmarks/indexes``."""

from __future__ import annotations

#: Fewer rows than these are looked at in less time than it takes to think of an index.
LEAST_ROWS = 1000
#: How often all rows are looked at before an index is made: making it takes about as long.
SCANS_BEFORE = 8
#: If an index finds more than one in so many rows, it is as fast to look at all.
FOUND_OF = 4
#: If the first rows are not found among one in so many, in the order of an index, neither are they.
PASSED_OF = 8
#: An index is dropped that finds nothing while one in so many rows changes, and a few more: to take
#: the changes in takes as long as a look at all rows.
CHANGED_OF = 40
FEW_CHANGES = 250
#: An index that was of no use is tried again when there are so many times as many rows.
GROWN_BY = 2
