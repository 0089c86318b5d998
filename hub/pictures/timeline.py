"""Draw what happened, when, in one lane per agency: significant events with words, the others as counted ticks.

For: the combined family picture. It must never invent a time of day, never give an event without a date a
place, and never lose the part a person had in it (victim, suspect, witness). What has no room for words is
counted in its lane; the table beneath the drawing holds every event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hub.picture import FamilyPicture
from hub.pictures.text import escape, shorten, width, wrap

WIDTH, LEFT, RIGHT = 1120.0, 176.0, 16.0
ROW, TICKS, LANE_PAD, AXIS = 24.0, 18.0, 10.0, 26.0
MOST_ROWS = 6
TEXT = 12.5
LABEL_LIMIT = 420.0
INK, SOFT, BRAND, GRID = "#1c2526", "#4a5759", "#1b5e57", "#e3e7e6"
FONT = 'font-family="arial, sans-serif"'
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event of one agency about one person; `ended` None with `is_period` means that it goes on."""

    lane: str
    person: str
    title: str
    started: date | None
    ended: date | None = None
    is_period: bool = False
    significant: bool = False
    part: str | None = None


@dataclass(slots=True)
class Placed:
    """A significant event with its place: `x` to `end` is the sign, the label stands at `label_x`."""

    event: TimelineEvent
    x: float
    end: float
    label: str
    label_x: float
    row: int = 0

    @property
    def extent(self) -> tuple[float, float]:
        """From the leftmost to the rightmost pixel of sign and label."""
        label_end = self.label_x + width(self.label, TEXT)
        return min(self.x - 6, self.label_x), max(self.end + 6, label_end)


@dataclass(slots=True)
class Lane:
    """One agency's lane: what is drawn with words, where the ticks are, and what has no date."""

    name: str
    placed: list[Placed] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    undated: int = 0
    rows: int = 0
    top: float = 0.0
    height: float = 0.0


def draw_timeline(
    events: Sequence[TimelineEvent],
    *,
    today: date,
    lanes: Sequence[str] = (),
    title: str = "Timeline by agency",
    id_prefix: str = "timeline",
) -> str:
    """Returns the SVG of a timeline; `lanes` sets the order, other agencies follow by name."""
    first, last = span(events, today)
    drawn, height = lay_out(events, today=today, lanes=lanes)
    bottom = height - AXIS
    parts = axis(first, last, bottom)
    for lane in drawn:
        parts += lane_parts(lane)
    now = place(today, first, last)
    parts.append(
        f'<path d="M{now:.1f} {AXIS:.0f}V{bottom:.0f}" stroke="#9a5b00" stroke-width="1.5" stroke-dasharray="4 4"/>'
        f'<text x="{now - 4:.1f}" y="{height - 8:.0f}" font-size="12" font-weight="700" text-anchor="end" '
        f'fill="#7a4700">as of {day(today)}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'width="{WIDTH:.0f}" height="{height:.0f}" viewBox="0 0 {WIDTH:.0f} {height:.0f}" {FONT}>'
        f'<title id="{id_prefix}-title">{escape(title)}</title>'
        f'<desc id="{id_prefix}-desc">{escape(describe(drawn, events))}</desc>{"".join(parts)}</svg>'
    )


def lay_out(events: Sequence[TimelineEvent], *, today: date, lanes: Sequence[str] = ()) -> tuple[list[Lane], float]:
    """Places every event; returns the lanes from top to bottom and the height of the drawing."""
    first, last = span(events, today)
    found = {name: Lane(name) for name in lanes}
    for name in sorted({event.lane for event in events} - set(found)):
        found[name] = Lane(name)
    # The newest significant events get their words first: they are what the reader came for.
    for event in sorted(events, key=sort_key, reverse=True):
        lane = found[event.lane]
        if event.started is None:
            lane.undated += 1
        elif event.significant:
            add(lane, event, first, last, today)
        else:
            lane.ticks.append(place(event.started, first, last))
    drawn = [lane for lane in found.values() if lane.placed or lane.ticks or lane.undated]
    top = AXIS
    for lane in drawn:
        lane.top = top
        words = len(wrap(lane.name, LEFT - 20, 13, True)) * 16 + (15 if lane.ticks else 0) + (15 if lane.undated else 0)
        signs = lane.rows * ROW + (TICKS if lane.ticks else 0)
        lane.height = max(words, signs) + 2 * LANE_PAD
        top += lane.height
    return drawn, top + AXIS


def sort_key(event: TimelineEvent) -> tuple[date, str, str, str]:
    """A full order, so that the same events always give the same drawing."""
    return event.started or date.min, event.title, event.person, event.lane


def span(events: Sequence[TimelineEvent], today: date) -> tuple[date, date]:
    """The first and last day of the drawing, with a little room; never less than a year."""
    days = [day for event in events for day in (event.started, event.ended) if day is not None]
    first, last = min([*days, today]), max([*days, today])
    if (last - first).days < 365:
        first = last - timedelta(days=365)
    room = max(7, (last - first).days // 60)
    return max(date.min + timedelta(days=room), first) - timedelta(days=room), last


def place(day_of: date, first: date, last: date) -> float:
    """The x of a day."""
    return LEFT + (WIDTH - LEFT - RIGHT) * (day_of - first).days / max(1, (last - first).days)


def add(lane: Lane, event: TimelineEvent, first: date, last: date, today: date) -> None:
    """Gives a significant event the first row with room for sign and words, or a tick when there is none."""
    start = event.started or first
    x = place(start, first, last)
    end = place(max(start, event.ended or today), first, last) if event.is_period else x
    words = label(event)
    size = width(words, TEXT)
    inside = event.is_period and end - x > size + 12
    label_x = x + 8 if inside else end + 9
    if label_x + size > WIDTH - RIGHT - 4:
        label_x = x - 10 - size
        if label_x < LEFT and event.is_period:
            label_x = max(LEFT + 4, WIDTH - RIGHT - size - 4)
    placed = Placed(event, x, end, words, max(label_x, LEFT + 4))
    low, high = placed.extent
    for row in range(MOST_ROWS):
        others = (other.extent for other in lane.placed if other.row == row)
        if all(high + 8 < left or low > right + 8 for left, right in others):
            placed.row = row
            lane.rows = max(lane.rows, row + 1)
            lane.placed.append(placed)
            return
    lane.ticks.append(x)


def label(event: TimelineEvent) -> str:
    """Who, what, in which part, and the day or period; only the title is ever cut short."""
    who = f"{event.person}: " if event.person else ""
    part = f" ({event.part})" if event.part else ""
    when = f", {day(event.started)}" if event.started else ""
    if event.is_period:
        when = f", {day(event.started)} to {day(event.ended) if event.ended else 'now'}" if event.started else ""
    room = LABEL_LIMIT - width(who + part + when, TEXT)
    return f"{who}{shorten(event.title, max(room, 60), TEXT)}{part}{when}"


def day(value: date | None) -> str:
    """A date as "4 Mar 2026"."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}" if value else ""


def axis(first: date, last: date, bottom: float) -> list[str]:
    """Lines at the turn of years, or of quarters when the drawing spans three years or less."""
    years = (last - first).days / 365.25
    step = 1 if years <= 12 else 2 if years <= 24 else 5
    marks = [date(year, 1, 1) for year in range(first.year, last.year + 1) if year % step == 0]
    if years <= 3:
        marks = [date(year, month, 1) for year in range(first.year, last.year + 1) for month in (1, 4, 7, 10)]
    parts = []
    for mark in marks:
        if not first <= mark <= last:
            continue
        x = place(mark, first, last)
        words = f"{MONTHS[mark.month - 1]} {mark.year}" if years <= 3 else str(mark.year)
        parts.append(f'<path d="M{x:.1f} {AXIS:.0f}V{bottom:.0f}" stroke="{GRID}" stroke-width="1"/>')
        if x + width(words, 12) / 2 < WIDTH:
            parts.append(f'<text x="{x:.1f}" y="17" font-size="12" text-anchor="middle" fill="{SOFT}">{words}</text>')
    return parts


def lane_parts(lane: Lane) -> list[str]:
    """The name and counts at the left, the ticks at the foot, signs and words in rows."""
    parts = [f'<path d="M0 {lane.top:.1f}H{WIDTH:.0f}" stroke="#cdd3d1" stroke-width="1"/>']
    y = lane.top + LANE_PAD + 12
    for line in wrap(lane.name, LEFT - 20, 13, True):
        parts.append(f'<text x="4" y="{y:.1f}" font-size="13" font-weight="700" fill="{INK}">{escape(line)}</text>')
        y += 16
    for count, words in (
        (len(lane.ticks), "other, as a tick" if len(lane.ticks) == 1 else "others, as ticks"),
        (lane.undated, "without a date"),
    ):
        if count:
            parts.append(f'<text x="4" y="{y:.1f}" font-size="12" fill="{SOFT}">{count} {words}</text>')
            y += 15
    for placed in lane.placed:
        parts += event_parts(placed, lane.top + LANE_PAD + placed.row * ROW + ROW / 2)
    if lane.ticks:
        foot = lane.top + lane.height - LANE_PAD
        path = "".join(f"M{x:.0f} {foot - 12:.0f}v12" for x in sorted(lane.ticks))
        parts.append(f'<path d="{path}" stroke="{SOFT}" stroke-opacity="0.75" stroke-width="1.5"/>')
    return parts


def event_parts(placed: Placed, y: float) -> list[str]:
    """A bar for a period (open to the right while it goes on), a diamond for a day."""
    parts = []
    if placed.event.is_period:
        end = max(placed.end, placed.x + 4)
        parts.append(
            f'<path d="M{placed.x:.1f} {y - 9:.1f}H{end:.1f}V{y + 9:.1f}H{placed.x:.1f}Z" fill="#cfe4dd"/>'
            f'<path d="M{placed.x:.1f} {y - 9:.1f}v18" stroke="{BRAND}" stroke-width="3"/>'
        )
        if placed.event.ended is not None:
            parts.append(f'<path d="M{end:.1f} {y - 9:.1f}v18" stroke="{BRAND}" stroke-width="1.5"/>')
    else:
        parts.append(
            f'<path d="M{placed.x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="{BRAND}" stroke="#fff" stroke-width="1"/>'
        )
    parts.append(
        f'<text x="{placed.label_x:.1f}" y="{y + 4.3:.1f}" font-size="{TEXT:g}" fill="{INK}" stroke="#fff" '
        f'stroke-width="3" stroke-opacity="0.6" paint-order="stroke">{escape(placed.label)}</text>'
    )
    return parts


def label_boxes(lanes: Sequence[Lane]) -> list[tuple[str, float, float, float, float]]:
    """Every label as (text, left, top, right, bottom), for the tests."""
    return [
        (
            placed.label,
            placed.label_x,
            lane.top + LANE_PAD + placed.row * ROW,
            placed.label_x + width(placed.label, TEXT),
            lane.top + LANE_PAD + (placed.row + 1) * ROW,
        )
        for lane in lanes
        for placed in lane.placed
    ]


def describe(lanes: Sequence[Lane], events: Sequence[TimelineEvent]) -> str:
    """The drawing in two sentences."""
    shown = sum(len(lane.placed) for lane in lanes)
    undated = sum(lane.undated for lane in lanes)
    rest = len(events) - shown - undated
    return (
        f"{len(events)} events from {len(lanes)} agencies: {shown} significant ones with words, {rest} others as "
        f"ticks, {undated} without a date. The table beneath holds the same facts."
    )


def timeline_of(picture: FamilyPicture) -> str:
    """Draws the events of a picture, one lane per agency."""
    names = {agency.code: agency.name for agency in picture.agencies}
    labels = {person.id: given_name(person.label) for person in picture.people}
    # The same thing about several people is one sign with several names.
    together: dict[TimelineEvent, list[str]] = {}
    for event in picture.events:
        key = TimelineEvent(
            lane=names.get(event.agency, event.agency),
            person="",
            title=event.title,
            started=event.started,
            ended=event.ended,
            is_period=event.is_period,
            significant=event.significant,
            part=event.part,
        )
        people = together.setdefault(key, [])
        name = labels.get(event.person, "")
        if name and name not in people:
            people.append(name)
    events = [replace(event, person=", ".join(people)) for event, people in together.items()]
    made = picture.made_at.astimezone(LONDON).date()
    return draw_timeline(events, today=made, lanes=[agency.name for agency in picture.agencies])


def given_name(label_of: str) -> str:
    """The first word of a name, to keep labels short; "WALKER, Amelia" gives "Amelia"."""
    if label_of.startswith("Name not"):
        return "Unnamed"
    after = label_of.partition(",")[2].split() if "," in label_of else label_of.split()
    return after[0] if after else label_of
