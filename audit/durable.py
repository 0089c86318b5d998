"""Files that are whole or not there, whatever happens in between.

For: tiles, checkpoints and a witness's state. Must never leave half a file under the name that others read.
"""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Temporary file, fsync, rename, directory fsync: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
