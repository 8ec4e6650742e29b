"""Effects of probes as a report for people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from faceheads.metrics.cohorts import CohortTable
from faceheads.report.document import (
    Block,
    Document,
    Figure,
    Gallery,
    Heading,
    Headline,
    Measured,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
    Tile,
)
from faceheads.report.style import BLACK, BLUE, ORANGE, SIZE, draw_png, percent_axis

from .effects import CONTROL, DIFFERENCE, EFFECT, Effect
from .tables import effect_text, number_and_interval, signed_names

#: A face, and its tiles.
Shown = tuple[str, Sequence[bytes | None]]
_N_FACES = 3
_HOW_TO_READ = (
    "A probe changes one thing in each face; its control changes as much by the same arithmetic where nothing of that thing "
    "is. What counts is the difference: a decision that flips as often under the control does not hang on the thing. "
    "Faces are not looked for again in the changed photo. Intervals: 95 %, persons (or photos) drawn."
)


def probe_document(
    effects: Sequence[Effect], shown: Sequence[Shown], changes: Sequence[str], remarks: Sequence[str]
) -> Document:
    """The document.

    Parameters
    ----------
    effects : sequence of Effect
    shown : sequence of (str, sequence of bytes or None)
        Of some faces the name and the tiles: as it is, then with every change.
    changes : sequence of str
    remarks : sequence of str
        What the reader should know of the data.
    """
    targets = dict.fromkeys(effect.target for effect in effects)
    by_target = {target: [effect for effect in effects if effect.target == target] for target in targets}
    headline = Headline(tuple(map(_figure, by_target.values())))
    sections = [Section("In short", (headline, Text(_HOW_TO_READ), *map(Text, remarks)))]
    sections += [
        Section(target, tuple(_blocks(some, f"target_{number}")))
        for number, (target, some) in enumerate(by_target.items(), start=1)
    ]
    sections += [_looks(shown[:_N_FACES], changes)] if shown else []
    return Document("What changes these decisions", "Each face changed in one thing at a time.", tuple(sections))


def _looks(shown: Sequence[Shown], changes: Sequence[str]) -> Section:
    """Some faces with every change."""
    titles = ("as it is", *changes)
    blocks: list[Block] = []
    for number, (name, tiles) in enumerate(shown, start=1):
        cells = (Tile(jpeg, (title,)) for title, jpeg in zip(titles, tiles, strict=True))
        blocks += [Heading(name), Gallery(f"face_{number}", tuple(cells))]
    return Section("What the probes look like", tuple(blocks))


def _figure(effects: Sequence[Effect]) -> Figure:
    """The probe that does most beyond its control."""
    compared = [effect for effect in effects if DIFFERENCE in effect.metrics]
    if not compared:
        return Figure(effects[0].target, Measured("no probe with a control could be made"))
    most = max(compared, key=lambda effect: effect.metrics[DIFFERENCE].value)
    what = "changed most" if most.is_number else "flipped most"
    control = effect_text(most, CONTROL)[0]
    return Figure(
        f"{most.target}: {what} by {most.probe.name}", Measured(*effect_text(most, EFFECT)), f"control: {control}"
    )


def _blocks(effects: Sequence[Effect], name: str) -> list[Block]:
    what = "Mean absolute change" if effects[0].is_number else "Decisions that flip"
    made = [effect for effect in effects if effect.metrics]
    png = draw_png(partial(draw_effects, effects=made), (SIZE[0] * 1.3, 1.2 + 0.24 * max(len(made), 2)))
    caption = f"{what}, with 95 % intervals: the probe (filled dots) and its control (open squares)."
    blocks: list[Block] = [Pictures((Picture(name, png, caption),)), _table(effects, what)]
    columns = list(dict.fromkeys(table.column for effect in effects for table in effect.cohorts))
    for column in columns:
        blocks += [
            Heading(f"By {column}: {what[0].lower()}{what[1:]} minus that of the control"),
            _cohorts(effects, column),
        ]
    return blocks


def _table(effects: Sequence[Effect], what: str) -> Table:
    signed = signed_names(next((effect for effect in effects if effect.metrics), effects[0]))
    header = ("probe", "faces", what.lower(), "control", "difference [95 %]", *signed)
    rows = tuple(
        (
            effect.probe.name,
            f"{effect.n_faces:,}",
            *(Measured(*effect_text(effect, name)) for name in (EFFECT, CONTROL, DIFFERENCE, *signed)),
        )
        for effect in effects
    )
    return Table(header, rows)


def _cohorts(effects: Sequence[Effect], column: str) -> Table:
    """Differences to the control by cohort: a row a probe, a column a cohort, and the gap."""
    tables = [(effect, table) for effect in effects for table in effect.cohorts if table.column == column]
    names = list(dict.fromkeys(cohort.name for _, table in tables for cohort in table.cohorts if cohort.metrics))
    rows = tuple(
        (effect.probe.name, *_cohort_cells(effect, table, names)) for effect, table in tables if effect.probe.control
    )
    hidden = sorted({cohort.name for _, table in tables for cohort in table.cohorts if not cohort.metrics})
    caption = f"Not shown for some probes, too few faces: {', '.join(hidden)}" if hidden else ""
    return Table(("probe", *names, "gap"), rows, caption)


def _cohort_cells(effect: Effect, table: CohortTable, names: Sequence[str]) -> list[Measured]:
    found = {cohort.name: cohort.metrics for cohort in table.cohorts if cohort.metrics}
    metrics = [*(found.get(name, {}) for name in names), table.gaps]
    return [
        Measured(*number_and_interval(effect, DIFFERENCE, one[DIFFERENCE])) if DIFFERENCE in one else Measured("")
        for one in metrics
    ]


def draw_effects(figure: Any, effects: Sequence[Effect]) -> None:
    """Each probe a line: its effect a filled dot, that of its control an open square, intervals as bars."""
    axes = figure.subplots()
    looks = {EFFECT: ("o", BLUE, BLUE, -0.13, "probe"), CONTROL: ("s", "white", ORANGE, 0.13, "control")}
    for metric, (marker, face, colour, shift, label) in looks.items():
        shown = [(y, effect.metrics[metric]) for y, effect in enumerate(effects) if metric in effect.metrics]
        for y, found in shown:
            axes.plot([found.low, found.high], [y + shift] * 2, color=colour, linewidth=1.6)
        xs, ys = [found.value for _, found in shown], [y + shift for y, _ in shown]
        axes.plot(xs, ys, marker, markerfacecolor=face, markeredgecolor=BLACK, linestyle="none", label=label)
    axes.set_yticks(range(len(effects)), [effect.probe.name for effect in effects])
    axes.set_ylim(len(effects) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.legend(loc="best")
    if effects and not effects[0].is_number:
        percent_axis(axes.xaxis)
        axes.set_xlabel("decisions that flip")
    elif effects:
        axes.set_xlabel(f"mean absolute change{f', {effects[0].unit}' if effects[0].unit else ''}")
