"""What indexes save, and what they cost."""
