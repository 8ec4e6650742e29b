"""The page: three tabs, each with something to choose, an answer, and a card of what answered.

gradio is imported here, at once: whoever imports this module has asked for it with :func:`faceheads.extra.require_extra`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from .actions import Actions
from .picker import Example, photo_picker, script

TITLE = "faceheads"
_INTRODUCTION = """# faceheads
Photos in, decisions about faces out, with their errors.
<span class="fh-quiet">Photos are worked on in memory by the computer that serves this page, and forgotten with the answer.</span>"""
#: Of events that programs have no use for.
_PRIVATE = {"api_visibility": "private"}
#: Gradio asks for fonts of Google otherwise.
_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "monospace")
#: Okabe and Ito's blue, lighter and darker.
_BLUE = gr.themes.Color(
    "#eaf4fb",
    "#cfe6f5",
    "#a3cfec",
    "#6fb3de",
    "#3c94ca",
    "#0072b2",
    "#00639b",
    "#005281",
    "#004267",
    "#00334f",
    "#002438",
)


def theme() -> gr.themes.Base:
    """Colours and fonts; nothing from other hosts."""
    return gr.themes.Base(primary_hue=_BLUE, neutral_hue="slate", radius_size="lg", font=_FONT, font_mono=_MONO)


@dataclass(frozen=True)
class _Line:
    """The one line that all requests for work on photos wait in."""

    concurrency: int

    def settings(self, name: str | None = None) -> dict:
        """Of an event; ``name`` is that of the endpoint for programs, None where there is none."""
        shared = {"concurrency_id": "photos", "concurrency_limit": self.concurrency, "trigger_mode": "always_last"}
        return {**shared, **(_PRIVATE if name is None else {"api_name": name})}


def build_page(actions: Actions, examples: Sequence[Example]) -> gr.Blocks:
    """The page.

    Parameters
    ----------
    actions : Actions
    examples : sequence of Example
        In the order of the reader's.
    """
    line = _Line(actions.workers.n_threads + 1)
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.Markdown(_INTRODUCTION, elem_classes="fh-intro")
        with gr.Tabs():
            with gr.Tab("Annotate"):
                _annotate_tab(actions, examples, line)
            with gr.Tab("Compare"):
                _compare_tab(actions, examples, line)
            if actions.catalogue.groupings:
                with gr.Tab("Group"):
                    _group_tab(actions, examples, line)
    page.queue(max_size=actions.reader.limits.waiting, default_concurrency_limit=line.concurrency)
    return page


def _annotate_tab(actions: Actions, examples: Sequence[Example], line: _Line) -> None:
    def annotate(sent, heads: str, request: gr.Request):
        return actions.annotate(sent, heads, _address(request)), ""

    def explain(sent, heads: str, asked: gr.EventData, request: gr.Request):
        face, target = asked._data.get("face"), asked._data.get("target")
        return actions.explain(sent, heads, face, target, _address(request))

    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            photo = photo_picker("A photo", actions.reader.limits, examples)
            heads = _choice("Heads", [choice.name for choice in actions.catalogue.heads], actions.head_card)
            reset = gr.Button("Reset", size="sm")
        with gr.Column(scale=3, min_width=280):
            result, explanation = _results()
    gr.on([photo.input, heads.change], annotate, [photo, heads], [result, explanation], **line.settings("annotate"))
    result.why(explain, [photo, heads], explanation, **line.settings())
    reset.click(lambda: (None, "", ""), None, [photo, result, explanation], **_PRIVATE)


def _compare_tab(actions: Actions, examples: Sequence[Example], line: _Line) -> None:
    def compare(probe, reference, comparison: str, request: gr.Request):
        return actions.compare(probe, reference, comparison, _address(request)), ""

    def explain(probe, reference, comparison: str, request: gr.Request):
        return actions.explain_pair(probe, reference, comparison, _address(request))

    limits = actions.reader.limits
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            probe = photo_picker("First photo", limits, examples)
            reference = photo_picker("Second photo", limits, examples)
            names = [choice.name for choice in actions.catalogue.comparisons]
            comparison = _choice("Compared by", names, actions.comparison_card)
            reset = gr.Button("Reset", size="sm")
        with gr.Column(scale=3, min_width=280):
            result, explanation = _results()
    asked = [probe, reference, comparison]
    gr.on(
        [probe.input, reference.input, comparison.change],
        compare,
        asked,
        [result, explanation],
        **line.settings("compare"),
    )
    result.why(explain, asked, explanation, **line.settings("explain_pair"))
    reset.click(lambda: (None, None, "", ""), None, [probe, reference, result, explanation], **_PRIVATE)


def _group_tab(actions: Actions, examples: Sequence[Example], line: _Line) -> None:
    def group(sent, comparison: str, request: gr.Request, progress=gr.Progress()):  # noqa: B008  (gradio looks for it there)
        def tell(n_done: int, n_photos: int) -> None:
            progress((n_done, n_photos), unit="photos")

        return actions.group(sent, comparison, _address(request), tell)

    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            photos = photo_picker("Photos to group", actions.reader.limits, examples, is_multiple=True)
            names = [choice.name for choice in actions.catalogue.groupings]
            comparison = _choice("Compared by", names, actions.comparison_card)
            start = gr.Button("Group by person", variant="primary")
            reset = gr.Button("Reset", size="sm")
        with gr.Column(scale=3, min_width=280):
            result = gr.HTML(apply_default_css=False, js_on_load=script("results.js"))
    start.click(group, [photos, comparison], result, **line.settings("group"))
    reset.click(lambda: (None, ""), None, [photos, result], **_PRIVATE)


def _choice(label: str, names: Sequence[str], card_of: Callable[[str], str]) -> gr.Dropdown:
    """What can be chosen, with its card below."""
    chosen = gr.Dropdown(list(names), value=names[0], label=label, interactive=True, visible=len(names) > 1)
    with gr.Accordion(f"About: {names[0]}" if len(names) == 1 else "About this choice", open=False):
        card = gr.HTML(card_of(names[0]), apply_default_css=False)
    # Queued, as everything: the guard lets nothing past the queue.
    chosen.change(card_of, chosen, card, show_progress="hidden", **_PRIVATE)
    return chosen


def _results() -> tuple[gr.HTML, gr.HTML]:
    """Where an answer and its explanation go."""
    result = gr.HTML(apply_default_css=False, js_on_load=script("results.js"))
    explanation = gr.HTML(apply_default_css=False, js_on_load=script("explanation.js"))
    return result, explanation


def _address(request: gr.Request) -> str:
    return "" if request.client is None else request.client.host
