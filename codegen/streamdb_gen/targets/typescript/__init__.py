"""The TypeScript target: an IR as modules for `@durable-streams/state`."""
