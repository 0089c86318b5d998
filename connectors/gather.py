"""Asks all partners at once, and is back in time whatever they do.

For: step 7 of the way of one request. Must never take longer than its deadline, never turn a time-out or an
error into "nothing held", and never pass on what was not asked for: whatever a connector returns is filtered
here once more. A partner that is slow, down, wrong or hostile costs the page its own tile and nothing else.
"""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from connectors.contract import Answer, Ask, Connector, ConnectorError, NoAnswerReason, TakesMany
from connectors.identify import require_asked_properly
from connectors.mapping import only_permitted
from policies.vocabulary import AnswerState, DataCategory

#: Failures in a row after which a partner is left alone, and for how long, before one question tries again.
FAILURES_TO_OPEN = 4
REST_S = 10.0
#: Seconds that a connector may overrun before it is left behind.
GRACE_S = 0.1
#: Seconds kept back from the total for collecting what came in.
MARGIN_S = 0.05
#: Threads left behind by one partner at most; beyond them it is not asked until one of them returns.
MOST_LEFT_BEHIND = 8

#: Reasons that say the partner is in trouble, rather than this question.
_TROUBLE = frozenset({NoAnswerReason.TIMEOUT, NoAnswerReason.ERROR, NoAnswerReason.REFUSED})


@dataclass(slots=True, eq=False)
class _Task:
    """What one partner is asked in one go: one question, or several where the connector takes several at once.

    `started_at` is set by the worker, `over` by whoever gives up on it.
    """

    asks: tuple[Ask, ...]
    give_up_at: float
    each_s: float
    done: "SimpleQueue[tuple[_Task, tuple[Answer, ...]]]"
    probe: bool = False
    started_at: float | None = None
    over: bool = False


@dataclass(slots=True)
class _Breaker:
    """Whether a partner is asked at all: closed, open for a while, then half-open for one probe."""

    failures: int = 0
    opened_at: float | None = None
    probing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, now: float, rest_s: float) -> tuple[bool, bool]:
        """Returns whether to ask, and whether this question is the probe."""
        with self.lock:
            if self.opened_at is None:
                return True, False
            if self.probing or now - self.opened_at < rest_s:
                return False, False
            self.probing = True
            return True, True

    def note(self, *, well: bool, probe: bool, now: float, failures_to_open: int) -> None:
        with self.lock:
            self.probing = self.probing and not probe
            if well:
                self.failures, self.opened_at = 0, None
            else:
                self.failures += 1
                if probe or self.failures >= failures_to_open:
                    self.opened_at = now

    def give_back(self, *, probe: bool) -> None:
        """A question that was never put says nothing about the partner."""
        with self.lock:
            self.probing = self.probing and not probe


@dataclass(frozen=True, slots=True)
class Health:
    """How one partner has answered this process lately. `state`: RESTING while it is not asked, PROBING, or ASKED.

    `median_s` is of the last questions that were answered; moments are of the wall clock.
    """

    state: str
    last_well: datetime | None
    last_trouble: datetime | None
    trouble: str | None
    median_s: float | None
    left_behind: int


#: Answers of which a partner's usual time is worked out.
REMEMBERED = 50


class _Lane:
    """One partner's own few threads, so that a partner that hangs holds up nobody else."""

    def __init__(self, connector: Connector, workers: int, clock: Callable[[], float]) -> None:
        self.connector, self.workers, self.clock = connector, workers, clock
        self.takes_many = isinstance(connector, TakesMany)
        self.breaker = _Breaker()
        self.queue: SimpleQueue[_Task | None] = SimpleQueue()
        self.lock = threading.Lock()
        self.running = self.left_behind = 0
        self.took: deque[float] = deque(maxlen=REMEMBERED)
        self.last_well: datetime | None = None
        self.last_trouble: datetime | None = None
        self.trouble: str | None = None

    def put(self, tasks: Sequence[_Task]) -> None:
        with self.lock:
            for _ in range(min(self.workers - self.running, len(tasks))):
                self._start()
        for task in tasks:
            self.queue.put(task)

    def remember(self, answers: Sequence[Answer], trouble: str | None) -> None:
        """What the operator's page tells of this partner; nothing of anybody."""
        with self.lock:
            if trouble is None:
                self.last_well = datetime.now(UTC)
                self.took.extend(answer.elapsed_s for answer in answers)
            else:
                self.last_trouble, self.trouble = datetime.now(UTC), trouble

    def health(self, now: float, rest_s: float) -> Health:
        """How it stands."""
        with self.lock, self.breaker.lock:
            opened_at = self.breaker.opened_at
            resting = opened_at is not None and (self.breaker.probing or now - opened_at < rest_s)
            state = "ASKED" if opened_at is None else "RESTING" if resting else "PROBING"
            median_s = statistics.median(self.took) if self.took else None
            return Health(state, self.last_well, self.last_trouble, self.trouble, median_s, self.left_behind)

    def full(self) -> bool:
        return self.left_behind >= MOST_LEFT_BEHIND

    def leave_behind(self) -> None:
        """A worker hangs in a call: it no longer counts, and another takes its place while there is room."""
        with self.lock:
            self.left_behind += 1
            self.running -= 1
            if self.left_behind < MOST_LEFT_BEHIND and not self.queue.empty():
                self._start()

    def close(self) -> None:
        for _ in range(self.workers + MOST_LEFT_BEHIND):
            self.queue.put(None)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"ask-{self.connector.partner.code}", daemon=True)
        with suppress(RuntimeError):  # No more threads on this machine: the question runs out of time instead.
            thread.start()
            self.running += 1

    def _work(self) -> None:
        while (task := self.queue.get()) is not None:
            begun = self.clock()
            remaining = task.give_up_at - begun
            with self.lock:
                if task.over or remaining <= 0:
                    continue
                task.started_at = begun
            answers = self._ask(task.asks, min(task.each_s, remaining), begun)
            with self.lock:
                if task.over:  # Nobody waits any more: the answer is discarded, and this thread was replaced.
                    self.left_behind -= 1
                    return
                task.over = True
            task.done.put((task, answers))

    def _ask(self, asks: tuple[Ask, ...], deadline_s: float, begun: float) -> tuple[Answer, ...]:
        reason: str = NoAnswerReason.ERROR
        try:
            said = self._put(asks, deadline_s)
            took = self.clock() - begun
            return tuple(replace(_checked(ask, answer), elapsed_s=took) for ask, answer in zip(asks, said, strict=True))
        except ConnectorError as error:
            reason = error.code if error.code in NoAnswerReason.__members__ else NoAnswerReason.ERROR
        except TimeoutError:
            reason = NoAnswerReason.TIMEOUT
        except Exception:  # A partner's fault, or a connector's, is that partner's tile and nothing else.
            reason = NoAnswerReason.ERROR
        return tuple(_no_answer(ask, reason, self.clock() - begun) for ask in asks)

    def _put(self, asks: tuple[Ask, ...], deadline_s: float) -> Sequence[Answer]:
        if isinstance(self.connector, TakesMany):
            return self.connector.fetch_many(asks, deadline_s=deadline_s)
        (ask,) = asks
        known_to = ask.wanted.keys() <= {DataCategory.SERVICE_INVOLVEMENT}
        put = self.connector.known_to if known_to else self.connector.fetch
        return (put(ask, deadline_s=deadline_s),)


class Gatherer:
    """Puts questions to partners in parallel; one per process, used by many requests at once.

    Takes `total_s`: seconds until `gather` is back; `each_s`: seconds for one question; `workers`: questions
    put to one partner at the same time.
    """

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        *,
        total_s: float = 3.0,
        each_s: float = 1.5,
        workers: int = 4,
        failures_to_open: int = FAILURES_TO_OPEN,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_s, self._each_s, self._clock = total_s, each_s, clock
        self._failures_to_open, self._rest_s = failures_to_open, rest_s
        # A drop is read from our own database: more threads would only wait for each other, not for a partner.
        self._lanes = {
            code: _Lane(connector, 1 if connector.partner.way in ("extract", "inbox") else workers, clock)
            for code, connector in connectors.items()
        }

    def gather(self, asks: Sequence[Ask]) -> dict[tuple[str, str], Answer]:
        """Puts every question and returns one answer for each, by agency and person.

        An ask that wants only SERVICE_INVOLVEMENT is put as "is this person known to you"; any other as "what do
        you hold"; a connector that takes many gets all its questions in one call.
        Raises ConnectorError before anybody is asked: NO_INTENT, NOBODY_NAMED, ASKED_TWICE.
        Effects: partners are asked; a thread that hangs is left behind, at most MOST_LEFT_BEHIND per partner.
        """
        begun = self._clock()
        for ask in asks:
            require_asked_properly(ask)
        if len({(a.agency, a.person) for a in asks}) != len(asks):
            raise ConnectorError(
                "ASKED_TWICE", "One partner is asked twice about one person; put it into one question."
            )
        answers: dict[tuple[str, str], Answer] = {}
        done: SimpleQueue[tuple[_Task, tuple[Answer, ...]]] = SimpleQueue()
        give_up_at = begun + self._total_s - MARGIN_S
        waiting: dict[str, list[_Task]] = {}
        for agency, bundle in self._bundles(asks):
            lane = self._lanes.get(agency)
            refusal, probe = self._refusal(lane, begun)
            if refusal is not None or lane is None:
                _tell(answers, bundle, [_no_answer(a, refusal or NoAnswerReason.NOT_CONFIGURED) for a in bundle])
                continue
            each_s = self._each_s
            own = lane.connector.partner.reach.get("deadline_s")
            if isinstance(own, float):
                each_s = min(each_s, own)
            waiting.setdefault(agency, []).append(_Task(bundle, give_up_at, each_s, done, probe))
        for agency, tasks in waiting.items():
            self._lanes[agency].put(tasks)
        pending = {task for tasks in waiting.values() for task in tasks}
        while pending:
            now = self._clock()
            for task in [t for t in pending if now >= _overdue_at(t)]:
                if self._abandon(task, now):
                    pending.discard(task)
                    _tell(answers, task.asks, [_no_answer(a, NoAnswerReason.TIMEOUT, now - begun) for a in task.asks])
            if not pending:
                break
            # A task may start while we wait; looking again soon enough keeps each one to its own time.
            next_look = min(*(_overdue_at(t) for t in pending), now + self._each_s)
            try:
                task, said = done.get(timeout=max(next_look - now, 0.001))
            except Empty:
                continue
            pending.discard(task)
            self._note(task, said)
            _tell(answers, task.asks, said)
        # In the order of the questions: the order in which partners were done would tell of what is not shown.
        return {(ask.agency, ask.person): answers[ask.agency, ask.person] for ask in asks}

    def health(self) -> dict[str, Health]:
        """How each partner has answered this process, for operators."""
        now = self._clock()
        return {code: lane.health(now, self._rest_s) for code, lane in self._lanes.items()}

    def close(self) -> None:
        """Lets the idle threads go. Effects: threads end; a gatherer is not used after it."""
        for lane in self._lanes.values():
            lane.close()

    def _bundles(self, asks: Sequence[Ask]) -> Iterator[tuple[str, tuple[Ask, ...]]]:
        """What is put in one call: all questions to a connector that takes many, else one by one."""
        together: dict[str, list[Ask]] = {}
        for ask in asks:
            lane = self._lanes.get(ask.agency)
            if lane is not None and lane.takes_many:
                together.setdefault(ask.agency, []).append(ask)
            else:
                yield ask.agency, (ask,)
        for agency, bundle in together.items():
            yield agency, tuple(bundle)

    def _refusal(self, lane: _Lane | None, now: float) -> tuple[NoAnswerReason | None, bool]:
        if lane is None:
            return NoAnswerReason.NOT_CONFIGURED, False
        if lane.full():
            return NoAnswerReason.CIRCUIT_OPEN, False
        admitted, probe = lane.breaker.admit(now, self._rest_s)
        return (None, probe) if admitted else (NoAnswerReason.CIRCUIT_OPEN, False)

    def _abandon(self, task: _Task, now: float) -> bool:
        """Gives up on a question; False when its answer came in this very moment."""
        lane = self._lanes[task.asks[0].agency]
        with lane.lock:
            if task.over:
                return False
            task.over = True
            started = task.started_at is not None
        if not started:
            lane.breaker.give_back(probe=task.probe)
        else:
            lane.leave_behind()
            lane.remember((), NoAnswerReason.TIMEOUT)
            lane.breaker.note(well=False, probe=task.probe, now=now, failures_to_open=self._failures_to_open)
        return True

    def _note(self, task: _Task, answers: Sequence[Answer]) -> None:
        trouble = next((a.reason for a in answers if a.state is AnswerState.NO_ANSWER and a.reason in _TROUBLE), None)
        lane = self._lanes[task.asks[0].agency]
        lane.remember(answers, trouble)
        lane.breaker.note(
            well=trouble is None, probe=task.probe, now=self._clock(), failures_to_open=self._failures_to_open
        )


def _overdue_at(task: _Task) -> float:
    started_at = task.started_at
    return task.give_up_at if started_at is None else min(task.give_up_at, started_at + task.each_s + GRACE_S)


def _tell(answers: dict[tuple[str, str], Answer], asks: Sequence[Ask], said: Sequence[Answer]) -> None:
    answers.update({(ask.agency, ask.person): answer for ask, answer in zip(asks, said, strict=True)})


def _no_answer(ask: Ask, reason: str, elapsed_s: float = 0.0, dropped: int = 0) -> Answer:
    state = AnswerState.NO_ANSWER
    return Answer(ask.agency, ask.person, state, reason=str(reason), elapsed_s=elapsed_s, dropped=dropped)


def _checked(ask: Ask, answer: Answer) -> Answer:
    """The second filter: an answer to another question is none, and only what was asked for goes on."""
    if (answer.agency, answer.person) != (ask.agency, ask.person):
        return _no_answer(ask, NoAnswerReason.WRONG_SUBJECT, dropped=answer.dropped + len(answer.items))
    if answer.state is AnswerState.NO_ANSWER:
        return replace(answer, items=(), reason=str(answer.reason or NoAnswerReason.ERROR))
    if answer.state not in (AnswerState.FOUND, AnswerState.NOTHING_HELD):
        return _no_answer(ask, NoAnswerReason.MALFORMED)  # Withholding is the hub's decision, not a partner's.
    about = frozenset(ask.records or answer.records)
    kept, held, strangers = only_permitted(answer.items, ask.wanted, about)
    dropped = answer.dropped + strangers
    if answer.items and not held:
        reason = NoAnswerReason.WRONG_SUBJECT if strangers else NoAnswerReason.MALFORMED
        return replace(_no_answer(ask, reason, dropped=dropped), match=answer.match)
    state = AnswerState.FOUND if held else answer.state
    return replace(answer, state=state, items=kept, reason=None, dropped=dropped)
