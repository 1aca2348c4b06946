"""The entry point of deploy.sh: the command line of the package beside this file."""

import sys

from vibe_commands.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
