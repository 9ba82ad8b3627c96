"""State: change events, schemas, and the decoder that turns pages of a stream into typed rows."""
