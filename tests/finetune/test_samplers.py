import numpy as np
import pandas as pd
import pytest

from finetune.samplers import cell_weights, person_batches, shuffled_batches, weighted_batches

PERSON = np.repeat(["anna", "bo", "cy", "di", "ed"], [2, 9, 4, 1, 6])


def test_every_row_comes_once_an_epoch_in_another_order():
    first, again, next_epoch = (shuffled_batches(20, 5, 7, epoch) for epoch in (0, 0, 1))
    assert sorted(first.ravel()) == list(range(20)) and first.shape == (4, 5)
    np.testing.assert_array_equal(first, again)
    assert (first != next_epoch).any() and (first != shuffled_batches(20, 5, 8, 0)).any()
    assert shuffled_batches(3, 64, 0, 0).shape == (1, 3)


def test_weights_bring_a_rare_class_to_half_of_the_rows():
    is_rare = np.arange(5000) < 500
    rows = weighted_batches(np.where(is_rare, 9.0, 1.0), 50, 0, 0)
    assert rows.shape == (100, 50) and is_rare[rows].mean() == pytest.approx(0.5, abs=0.03)


def test_batches_hold_p_persons_with_k_photos_each_and_nobody_twice_an_epoch():
    batches = person_batches(PERSON, n_persons=2, n_photos=4, seed=3, epoch=1)
    assert batches.shape == (2, 8)
    people = [PERSON[batch].reshape(2, 4) for batch in batches]
    assert all((names == names[:, :1]).all() for names in people)
    assert len({name for names in people for name in names[:, 0]}) == 4
    np.testing.assert_array_equal(batches, person_batches(PERSON, 2, 4, 3, 1))


def test_a_photo_comes_twice_only_when_a_person_has_too_few():
    batches = person_batches(PERSON, n_persons=5, n_photos=4, seed=0, epoch=0).reshape(5, 4)
    for rows in batches:
        n_photos = (PERSON == PERSON[rows[0]]).sum()
        assert len(set(rows)) == min(4, n_photos)


def test_a_third_of_the_photos_are_fakes_where_a_person_has_any():
    is_fake = (np.arange(len(PERSON)) % 3 == 0) & (PERSON != "anna")
    batches = person_batches(PERSON, 5, 6, 0, 0, is_fake).reshape(5, 6)
    shares = {PERSON[rows[0]]: is_fake[rows].sum() for rows in batches}
    assert shares == {"anna": 0, "bo": 2, "cy": 2, "di": 6, "ed": 2}  # the only photo of di is a fake


def test_too_few_persons_are_refused():
    with pytest.raises(ValueError, match="9 persons needs as many in the training part; got 5"):
        person_batches(PERSON, 9, 2, 0, 0)


def test_every_combination_of_class_and_cohort_has_the_same_weight():
    columns = pd.DataFrame({"glasses": [0, 0, 0, 1, 1, 0], "sex": list("mmmmwm")})
    weights = cell_weights(columns)
    assert weights.tolist() == pytest.approx([1 / 4] * 3 + [1, 1, 1 / 4])
    assert cell_weights(columns[["glasses"]]).tolist() == pytest.approx([1 / 4] * 3 + [1 / 2] * 2 + [1 / 4])
