"""Damaged and hostile thresholds with a bona fide head: each is refused with one sentence, and nothing is executed.

Every fourth of those that benchmarks/hostile_thresholds.py gives to a process of its own; heads alone are all in
test_hostile_heads.py.
"""

import json
import warnings
from dataclasses import replace
from itertools import islice

import pytest

from benchmarks.hostile_thresholds import hostile_thresholds, put
from faceheads.store import save_heads
from faceheads.verification.bona_fide_check import BonaFideCheck
from faceheads.verification.bona_fide_file import head_path
from faceheads.verification.bona_fide_head import BonaFideHead
from faceheads.verification.bona_fide_rows import ScoredTable
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.rules import Request
from faceheads.verification.threshold_file import ThresholdError, load_threshold, save_threshold
from faceheads.verification.threshold_tuning import tune_threshold
from tests.faceheads.verification.fakes import tables_with_fakes, trained


def write_threshold(path):
    """A threshold, and beside it a head file that holds another head too."""
    faces, looked_at, labels = tables_with_fakes(n_people=40)
    heads = trained(looked_at, labels.assign(number=range(len(labels))), targets=("fake", "number")).file
    scored = ScoredTable.of(faces, looked_at, BonaFideHead.of(heads))
    is_fake = (labels["kind"] == "fake").to_numpy()
    both = Comparisons.from_identities(faces, labels["identity"].to_numpy(object), "cosine", "x", 5000, 0, is_fake)
    both = replace(both, bona_fide=scored.bona_fide)
    check = BonaFideCheck.fit(BonaFideHead.of(heads), both)
    request = Request("fmr", 0.1, fake_fmr=0.1)
    save_threshold(path, tune_threshold(check.fused(both), None, request, check=check))
    save_heads(head_path(path), heads)


def test_every_hostile_threshold_is_refused_with_one_sentence(tmp_path):
    path, canary = tmp_path / "t.json", tmp_path / "canary"
    write_threshold(path)
    values, head = json.loads(path.read_text()), head_path(path).read_bytes()
    n_files = 0
    for file in islice(hostile_thresholds(values, head, canary), 0, None, 4):
        put(file, path)
        with pytest.raises(ThresholdError) as caught, warnings.catch_warnings():
            warnings.simplefilter("error")
            load_threshold(path)
        message = str(caught.value)
        assert 0 < len(message) < 500 + len(str(path)), (file.kind, file.what, message)
        assert "\n" not in message, (file.kind, file.what)
        assert not canary.exists(), (file.kind, file.what)
        n_files += 1
    assert n_files >= 100
