"""Pictures as SVG text: pure functions from data to a drawing, styled by attributes alone."""

from hub.pictures.arrange import Arranged, arrange
from hub.pictures.genogram import draw_genogram, genogram_of
from hub.pictures.genogram_model import GenogramLink, GenogramPerson, Manner
from hub.pictures.heat import draw_heat
from hub.pictures.matrix import state_symbols
from hub.pictures.proof import draw_proof
from hub.pictures.timeline import TimelineEvent, draw_timeline, timeline_of
from hub.pictures.waterfall import Weighed, draw_waterfall, running

__all__ = [
    "Arranged",
    "GenogramLink",
    "GenogramPerson",
    "Manner",
    "TimelineEvent",
    "Weighed",
    "arrange",
    "draw_genogram",
    "draw_heat",
    "draw_proof",
    "draw_timeline",
    "draw_waterfall",
    "genogram_of",
    "running",
    "state_symbols",
    "timeline_of",
]
