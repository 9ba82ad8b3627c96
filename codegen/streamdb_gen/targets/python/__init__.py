"""The Python target: an IR as the files of a package that sits on the runtime `streamdb`."""
