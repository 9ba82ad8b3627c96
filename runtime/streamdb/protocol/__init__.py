"""The wire, without I/O: names, offsets, framing, SSE, retries, the reader and the writer."""
