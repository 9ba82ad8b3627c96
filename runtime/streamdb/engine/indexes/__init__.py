"""Indexes of what a source holds, by the values of a column: made where they pay, and dropped."""
