"""The table of parameters in the documentation is the table in the code."""

from pathlib import Path

from finetune.distortions import KINDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "distortions.md"


def test_the_page_has_every_parameter_of_every_kind():
    told, kind = {}, None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[1] not in ("parameter", "---"):
            kind = cells[0] if cells[0] else kind
            told[kind, cells[1]] = [float(cell) for cell in cells[2:5]]
    used = {
        (kind, name): [float(one[name]) for one in entry.parameters]
        for kind, entry in KINDS.items()
        for name in entry.parameters[0]
    }
    assert told == used
