import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from faceheads.discovery.attributes import Attributes
from faceheads.discovery.ranking import discover

NAMES = ("glasses", "blond", "male", "old", "smile")
N = 600


@pytest.fixture(scope="module")
def known():
    rng = np.random.default_rng(0)
    return Attributes(NAMES, (rng.random((N, len(NAMES))) < [0.3, 0.3, 0.5, 0.4, 0.6]).astype(float))


def column(known, name):
    return known.degrees[:, NAMES.index(name)] == 1


def flipped(truth, share=0.1, seed=1):
    return truth ^ (np.random.default_rng(seed).random(len(truth)) < share)


RULES = {
    "blond xor glasses": ("glasses xor blond", lambda c: c("glasses") ^ c("blond")),
    "and": ("blond and male", lambda c: c("blond") & c("male")),
    "and not": ("old and not male", lambda c: c("old") & ~c("male")),
    "or": ("glasses or old", lambda c: c("glasses") | c("old")),
    "same": ("both or neither of male, smile", lambda c: c("male") == c("smile")),
    "single": ("not smile", lambda c: ~c("smile")),
}


def said(words):
    """Rules as sets of words: 'male and not old' and 'not old and male' are the same."""
    return sorted(words.replace(",", "").split())


@pytest.mark.parametrize("case", RULES)
def test_the_rule_behind_noisy_labels_comes_first(known, case):
    words, rule = RULES[case]
    result = discover(known, flipped(rule(lambda name: column(known, name))), np.arange(N), n_findings=3)
    assert said(result.findings[0].words) == said(words)
    assert result.findings[0].first > 0.95
    assert result.findings[0].agreement.value == pytest.approx(0.9, abs=0.03)
    assert result.findings[0].correlation.low > result.findings[1].correlation.value


def test_the_correlation_of_certain_attributes_is_that_of_matthews(known):
    criterion = flipped(column(known, "old"))
    finding = discover(known, criterion, np.arange(N)).findings[0]
    assert finding.words == "old"
    assert finding.correlation.value == pytest.approx(matthews_corrcoef(criterion, column(known, "old")), abs=1e-12)
    assert finding.correlation.low < finding.correlation.value < finding.correlation.high


def test_rules_that_cannot_be_told_apart_are_one_finding_under_the_simplest(known):
    never_old = known.degrees.copy()
    never_old[:, NAMES.index("old")] = 0
    never_old[:2, NAMES.index("old")] = 1  # two faces of 600: "male" and "male and not old" hardly differ
    attributes = Attributes(NAMES, never_old)
    found = discover(attributes, flipped(column(known, "male") & (never_old[:, 3] == 0), 0.0), np.arange(N)).findings[
        0
    ]
    assert found.words == "male"
    assert "male and not old" in found.same


def test_what_is_reached_by_chance_is_what_labels_without_a_rule_reach(known):
    rng = np.random.default_rng(3)
    best = [discover(known, rng.random(N) < 0.3, np.arange(N), 1, seed) for seed in range(5)]
    reached = np.mean([abs(result.findings[0].correlation.value) for result in best])
    assert best[0].by_chance == pytest.approx(reached, rel=0.35)


def test_intervals_draw_people_not_photos(known):
    twice = Attributes(NAMES, np.repeat(known.degrees, 2, axis=0))
    criterion = np.repeat(flipped(column(known, "old"), 0.2), 2)
    by_photo = discover(twice, criterion, np.arange(2 * N), 1).findings[0].correlation
    by_person = discover(twice, criterion, np.arange(2 * N) // 2, 1).findings[0].correlation
    assert (by_person.high - by_person.low) > 1.25 * (by_photo.high - by_photo.low)


@pytest.mark.parametrize(
    ("criterion", "message"),
    [(np.ones(N, bool), "same for all"), (np.zeros(N, bool), "same for all"), (np.ones(3, bool), "one row a face")],
)
def test_a_criterion_that_says_nothing_is_refused(known, criterion, message):
    with pytest.raises(ValueError, match=message):
        discover(known, criterion, np.arange(N))


def test_unknown_attributes_are_refused(known):
    degrees = known.degrees.copy()
    degrees[4, 2] = np.nan
    with pytest.raises(ValueError, match="1 faces have unknown ones"):
        discover(Attributes(NAMES, degrees), column(known, "old"), np.arange(N))
