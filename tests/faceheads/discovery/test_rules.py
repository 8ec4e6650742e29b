import numpy as np
import pytest

from faceheads.discovery.rules import PAIR_KINDS, SINGLE, Rule, n_rules, rule_blocks

TRUTH_TABLE = {  # for (first, second) = (0, 0), (0, 1), (1, 0), (1, 1)
    "single": [0, 0, 1, 1],
    "both": [0, 0, 0, 1],
    "only_first": [0, 0, 1, 0],
    "only_second": [0, 1, 0, 0],
    "neither": [1, 0, 0, 0],
    "xor": [0, 1, 1, 0],
}
FOUR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)


@pytest.mark.parametrize("kind", TRUTH_TABLE)
def test_a_rule_has_its_truth_table(kind):
    rule = Rule(kind, 0, 0 if kind == SINGLE else 1)
    assert rule.degrees(FOUR).tolist() == TRUTH_TABLE[kind]


def test_degrees_are_the_probabilities_of_independent_draws():
    p = np.array([[0.3, 0.8]])
    draws = np.random.default_rng(0).random((200_000, 2)) < p
    for kind in PAIR_KINDS:
        rule = Rule(kind, 0, 1)
        assert rule.degrees(p)[0] == pytest.approx(rule.degrees(draws.astype(float)).mean(), abs=0.005)


def test_the_blocks_hold_every_rule_once_with_its_degrees():
    attributes = np.random.default_rng(0).random((5, 4))
    seen = {}
    for rules, degrees in rule_blocks(attributes):
        seen |= {rule: column for rule, column in zip(rules, degrees.T, strict=True)}
    assert len(seen) == n_rules(4) == 4 + 5 * 6
    for rule, column in seen.items():
        assert np.array_equal(column, rule.degrees(attributes))


@pytest.mark.parametrize(
    ("kind", "words", "opposite"),
    [
        ("single", "age >= 40", "not (age >= 40)"),
        ("both", "(age >= 40) and male", "not (age >= 40) or not male"),
        ("only_first", "(age >= 40) and not male", "not (age >= 40) or male"),
        ("only_second", "male and not (age >= 40)", "not male or (age >= 40)"),
        ("neither", "neither (age >= 40) nor male", "(age >= 40) or male"),
        ("xor", "(age >= 40) xor male", "both or neither of (age >= 40), male"),
    ],
)
def test_rules_and_their_opposites_are_said_in_words(kind, words, opposite):
    rule = Rule(kind, 0, 0 if kind == SINGLE else 1)
    assert rule.words(("age >= 40", "male")) == words
    assert rule.words(("age >= 40", "male"), is_opposite=True) == opposite
