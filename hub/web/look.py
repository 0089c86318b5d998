"""Make a Jinja environment ready for the pages: loaders, filters, and the drawings that templates may call.

For: the application, and anything else that renders a page. It must never look anything up: every filter
and function here is pure, so that a page holds what its view passed and nothing more.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from markupsafe import Markup

from hub.picture import FamilyPicture
from hub.pictures.arrange import arrange
from hub.pictures.genogram import genogram_of
from hub.pictures.matrix import state_symbols
from hub.pictures.proof import draw_consistency, draw_proof
from hub.pictures.timeline import timeline_of
from hub.pictures.waterfall import Weighed, draw_waterfall, running
from hub.words import CATEGORY_WORDS, FILTERS, STATE_MEANINGS

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
CONTENT_TYPES: Mapping[str, str] = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def loader() -> BaseLoader:
    """Our own templates first, then the design system's macros under their prefix."""
    return ChoiceLoader(
        [
            FileSystemLoader(TEMPLATES),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )


def prepare(environment: Environment) -> None:
    """Gives an environment the loaders, filters and drawings of the pages."""
    environment.loader = loader()
    environment.autoescape = True
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.filters.update(FILTERS)
    environment.globals.update(
        arrange=arrange,
        genogram=genogram,
        timeline=timeline,
        proof_picture=proof_picture,
        waterfall=waterfall,
        running=running_sums,
        consistency_picture=consistency_picture,
        state_symbols=lambda: Markup(state_symbols()),  # noqa: S704 - constant text of our own
        state_meanings=STATE_MEANINGS,
        category_words=CATEGORY_WORDS,
    )


def genogram(picture: FamilyPicture) -> Markup:
    """The genogram of a picture; every name in it is escaped by the drawing."""
    return Markup(genogram_of(picture))  # noqa: S704


def timeline(picture: FamilyPicture) -> Markup:
    """The timeline of a picture; every text in it is escaped by the drawing."""
    return Markup(timeline_of(picture))  # noqa: S704


def proof_picture(index: int, size: int, leaf: str, siblings: list[str], root: str) -> Markup:
    """The path from one entry to the signed root of the trail."""
    return Markup(draw_proof(index=index, size=size, leaf=leaf, siblings=siblings, root=root))  # noqa: S704


def waterfall(parts: list[Weighed], id_prefix: str) -> Markup:
    """How the weights of a comparison add up; every text in it is escaped by the drawing."""
    return Markup(draw_waterfall(parts, id_prefix=id_prefix))  # noqa: S704


def running_sums(parts: list[Weighed]) -> list[tuple[Weighed, float]]:
    """Each part with the sum so far, for the table."""
    return list(zip(parts, running(parts), strict=True))


def consistency_picture(first: int, second: int, path: list[str], root1: str, root2: str) -> Markup:
    """From what two checkpoints share to both of their roots."""
    return Markup(draw_consistency(first=first, second=second, path=path, root1=root1, root2=root2))  # noqa: S704


@cache
def hashed_names() -> Mapping[str, str]:
    """Maps "kith.css" to "kith.3f9a1c2b4d.css": a name that changes with the content, so it may be kept for ever."""
    names: dict[str, str] = {}
    for path in sorted(STATIC.iterdir()):
        if path.suffix in CONTENT_TYPES:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
            names[path.name] = f"{path.stem}.{digest}{path.suffix}"
    return names


@cache
def static_files() -> Mapping[str, tuple[bytes, str]]:
    """Maps a hashed name to the bytes and content type to serve; nothing else in the folder is served."""
    return {
        hashed: ((STATIC / name).read_bytes(), CONTENT_TYPES[Path(name).suffix])
        for name, hashed in hashed_names().items()
    }
