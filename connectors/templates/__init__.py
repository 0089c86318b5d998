"""A partner file to begin with, one for each way: commented, and accepted by the loader as it stands."""

from pathlib import Path

_FOLDER = Path(__file__).parent


def partner_template(way: str, code: str) -> str:
    """Returns the text of `<code>.toml` for a way of `connectors.WAYS`."""
    return (_FOLDER / f"{way}.toml").read_text(encoding="utf-8").replace("PARTNER-CODE", code)
