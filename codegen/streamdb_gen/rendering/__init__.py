"""From text that a spec holds to text that is safe to print as code."""
