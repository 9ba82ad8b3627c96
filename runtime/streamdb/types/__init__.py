"""Types of fields that msgspec does not have by itself, and how values are converted to them."""
