"""What a run looks like in the terminal: a line for each step, answers and failures in full, the summary last.

On a terminal, a live line shows the task that runs now. Without one (CI, a pipe) there are plain lines and no control
characters.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

# A step of a deployment, as its plays are named: "2/5 prepare - engine and images".
_STEP = re.compile(r"(?P<step>\d+/\d+ \w+)|(?P<verb>[A-Z][\w ]+?)(?= - |$)")
# Characters that act on a terminal; messages can contain text from hosts and providers.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBERED = re.compile(r"\d+/\d+ ")
_LOCK = "Lock"
_MOST_NAMES = 3
_STEP_WIDTH = 15
_TIME_WIDTH = 12
_PIPE_WIDTH = 120
_UNLIMITED = 10_000


def duration(seconds: float) -> str:
    """Return *seconds* for a reader: "7 s", "3 min 31 s", "1 h 2 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """Return "1 host", "2 hosts"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def step_title(play: str) -> str:
    """Return the step that a play belongs to, by the beginning of its name."""
    match = _STEP.match(play)
    return (match["step"] or match["verb"]) if match else play


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)


@dataclass
class Step:
    """One step of the run: its hosts, and the tasks that changed something, each with the hosts where it did."""

    title: str
    started: float
    hosts: set[str] = field(default_factory=set)
    changed: dict[str, set[str]] = field(default_factory=dict)
    is_skipped: bool = False

    @property
    def changes(self) -> int:
        """Number of changes, over all hosts."""
        return sum(len(hosts) for hosts in self.changed.values())


class _LiveLine:
    """The line of the running task; rich redraws it several times per second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spinner = Spinner("dots")
        self.step, self.task, self.started = "", "", clock()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        elapsed = duration(self._clock() - self.started)
        room = max(10, options.max_width - _STEP_WIDTH - len(elapsed) - 8)
        text = Text.assemble(
            "  ",
            str(self._spinner.render(console.get_time())),
            f" {self.step:{_STEP_WIDTH - 2}} ",
            (self.task[:room].ljust(room), "dim"),
            f" {elapsed}",
        )
        text.no_wrap = True
        yield text


class Terminal:
    """Prints a run. *shows_steps* is false for commands that only give an answer, such as status."""

    def __init__(
        self,
        file: IO[str],
        *,
        is_terminal: bool,
        shows_steps: bool = True,
        is_quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        width = None if is_terminal else int(os.environ.get("COLUMNS") or _PIPE_WIDTH)
        self.console = Console(
            file=file,
            width=width,
            force_terminal=is_terminal,
            no_color=None if is_terminal else True,
            highlight=False,
            markup=False,
            emoji=False,
            quiet=is_quiet,
        )
        self._shows_steps, self._clock = shows_steps, clock
        self._is_live = is_terminal and not is_quiet
        self._started = clock()
        self._step: Step | None = None
        self._next: Step | None = None
        self._steps: list[Step] = []
        self._line = _LiveLine(clock)
        self._live: Live | None = None

    # Steps.

    def begin_play(self, name: str) -> None:
        """Continue the step of this play, or begin it; taking and releasing the lock is not a step."""
        title = step_title(name)
        if title == _LOCK:
            return
        # Only when a host does something in it: a play that all hosts skip must not split a step.
        self._next = Step(title, self._clock())

    def begin_task(self, name: str) -> None:
        """Show on the live line what runs now."""
        self._line.step = (self._next or self._step or Step("", 0)).title
        self._line.task = _clean(name)
        if self._is_live and self._live is None:
            self._live = Live(self._line, console=self.console, transient=True, refresh_per_second=8)
            self._live.start()

    def saw(self, host: str, *, task: str = "", changed: bool = False) -> None:
        """Record a host of this step, and that a task changed it."""
        if self._next and (self._step is None or self._step.title != self._next.title):
            self.end_step()
            self._step = self._next
            self._line.step, self._line.started = self._step.title, self._step.started
        self._next = None
        if self._step:
            self._step.hosts.add(host)
            if changed:
                self._step.changed.setdefault(task, set()).add(host)

    def skipped(self) -> None:
        """Record that a host skipped a task: a numbered step with only skipped tasks has nothing to do."""
        if (
            self._next
            and _NUMBERED.match(self._next.title)
            and (self._step is None or self._step.title != self._next.title)
        ):
            self.end_step()
            self._step, self._next = self._next, None
            self._step.is_skipped = True

    @property
    def has_several_hosts(self) -> bool:
        """Whether the run has seen more than one host."""
        seen = [step.hosts for step in (*self._steps, self._step) if step]
        return len(set().union(*seen)) > 1

    def end_step(self, *, failed: bool = False) -> None:
        """Print the line of the step that ends."""
        step, self._step = self._step, None
        if step is None or not (step.hosts or step.is_skipped):
            return
        self._steps.append(step)
        if not self._shows_steps:
            return
        if not step.hosts:
            self.console.print(Text.assemble(("·", "dim"), f" {step.title:{_STEP_WIDTH}}nothing to do"))
            return
        mark, style = ("✗", "bold red") if failed else ("✓", "green")
        seconds = duration(self._clock() - step.started)
        words = f"{plural(len(step.hosts), 'host')}, {plural(step.changes, 'change') if step.changes else 'no change'}"
        self.console.print(
            Text.assemble((mark, style), f" {step.title:{_STEP_WIDTH}}{seconds:{_TIME_WIDTH}}{words}"), soft_wrap=True
        )
        names = list(step.changed)
        for name in names[:_MOST_NAMES]:
            self.console.print(Text(f"    {_clean(name)}", style="dim"), no_wrap=True, overflow="ellipsis")
        if len(names) > _MOST_NAMES:
            self.console.print(Text(f"    and {plural(len(names) - _MOST_NAMES, 'other task')}", style="dim"))

    # Messages.

    def show(self, message: Any) -> None:
        """Print the output of a Show task: text, lines, or a table ({columns, rows, note, optional}).

        Columns that a table lists as optional are left out, the first one first, until it fits the terminal.
        """
        if isinstance(message, Mapping) and "columns" in message:
            hidden: list[str] = []
            optional = list(message.get("optional") or [])
            table = _table(message["columns"], message["rows"], hidden)
            unlimited = self.console.options.update(max_width=_UNLIMITED)
            while optional and self.console.measure(table, options=unlimited).maximum > self.console.width:
                hidden.append(optional.pop(0))
                table = _table(message["columns"], message["rows"], hidden)
            self.console.print(table)
            if message.get("note"):
                self.console.print(_clean(str(message["note"])))
            return
        lines = message if isinstance(message, Sequence) and not isinstance(message, str) else [str(message)]
        self.say("\n".join(map(str, lines)).strip("\n"))

    def say(self, text: str) -> None:
        """Print text unchanged, with Ansible's colours."""
        self.console.print(Text.from_ansi(text), soft_wrap=True)

    def fail(self, host: str, task: str, message: str) -> None:
        """Print a failure: the task, the host, what is wrong and the fix."""
        self.console.print(Text.assemble(("✗ ", "bold red"), (f"{host}: {_clean(task)}", "bold")), soft_wrap=True)
        for line in _clean(message).strip().splitlines():
            before, fix, after = line.partition("Fix: ")
            self.console.print(Text.assemble("  ", before, (fix, "bold"), after), soft_wrap=True)

    def close(self) -> None:
        """Remove the live line; later output follows below."""
        live, self._live = self._live, None
        if live:
            live.stop()

    def result(self, verb: str) -> str:
        """Return one line about the whole run: how long it took, and what changed."""
        hosts: set[str] = set().union(*(step.hosts for step in self._steps))
        changes = sum(step.changes for step in self._steps)
        said = plural(changes, "change") if changes else "nothing to change"
        return f"{verb} in {duration(self._clock() - self._started)}: {said} on {plural(len(hosts), 'host')}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]], hidden: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    shown = [number for number, column in enumerate(columns) if column not in hidden]
    for number in shown:
        table.add_column(columns[number], overflow="fold")
    for row in rows:
        table.add_row(*(Text(_clean(str(row[number]))) for number in shown))
    return table
