"""python -m connectors.mais_records FILE.json ...: is this a record of the MAIS standards, and what of it is not known?

For: whoever builds a system that speaks the standards, before it is connected.
"""

import json
import sys
from pathlib import Path

from connectors.mais_form import MaisInvalid, read_mais


def main(arguments: list[str]) -> int:
    """Print for each file what it holds and which keys the standard does not know; exit status 1: one is none."""
    wrong = 0
    for name in arguments:
        try:
            record = read_mais(json.loads(Path(name).read_text(encoding="utf-8")))
        except MaisInvalid as error:
            sys.stdout.write(f"{name}: {error}.\n")
            wrong += 1
        except (OSError, ValueError, RecursionError) as error:
            sys.stdout.write(f"{name}: cannot be read as JSON ({type(error).__name__}).\n")
            wrong += 1
        else:
            unknown = ", ".join(record.unknown())
            sys.stdout.write(f"{name}: {record.type}{f'; the standard does not know {unknown}' if unknown else ''}.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
