"""The commands of the command line, a module each: `register(subparsers)` and `run(args) -> int`."""
