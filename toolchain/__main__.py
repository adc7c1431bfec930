"""`python3 -m toolchain`: builds missing programs and prints their folder."""

import argparse
import sys

from toolchain import ToolchainError, ensure


def main() -> int:
    parser = argparse.ArgumentParser(
        "python3 -m toolchain", description="Builds missing programs and prints their folder."
    )
    parser.add_argument("--path", action="store_true", help="print the folders to put before PATH instead")
    arguments = parser.parse_args()
    try:
        toolchain = ensure()
    except ToolchainError as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntoolchain: interrupted; the compiled packages are kept for the next run", file=sys.stderr)
        return 130
    print(toolchain.path() if arguments.path else toolchain.bin)
    return 0


sys.exit(main())
