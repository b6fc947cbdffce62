"""The command line as rows: what each command is called, takes, and which function runs it."""

from lookout.commands.reading import READING
from lookout.commands.watching import WATCHING

COMMANDS = (*WATCHING, *READING)
"""In the order of the help."""
