import numpy as np
import pytest
import torch

from finetune.losses.triplet import distance, mine, quadruplet, triplet

RNG = np.random.default_rng(0)


def vectors(n=5, scale=0.3):
    return [torch.from_numpy(scale * RNG.normal(size=(n, 4))).float().requires_grad_() for _ in range(4)]


def by_hand(anchor, positive, far, margin):
    terms = []
    for a, p, n in zip(anchor, positive, far, strict=True):
        d_p, d_n = np.sqrt(((a - p) ** 2).sum()), np.sqrt(((a - n) ** 2).sum())
        terms.append(np.log(1 + np.exp(d_p - d_n)) if margin is None else max(0.0, margin + d_p - d_n))
    return np.mean(terms)


@pytest.mark.parametrize("margin", [0.2, 1.0, None])
def test_the_quadruplet_loss_is_two_triplet_losses(margin):
    four = vectors()
    loss = quadruplet(*four, margin, fake_weight=0.7)
    a, p, n, f = (v.detach().numpy() for v in four)
    real, fake = by_hand(a, p, n, margin), by_hand(a, p, f, margin)
    assert loss.real.item() == pytest.approx(real, rel=1e-5) and loss.fake.item() == pytest.approx(fake, rel=1e-5)
    assert loss.total.item() == pytest.approx(real + 0.7 * fake, rel=1e-5)
    assert loss.numbers()["d_fake"].item() == pytest.approx(np.linalg.norm(a - f, axis=1).mean(), rel=1e-5)


def gradient_at_fake(four, fake_weight):
    for one in four:
        one.grad = None
    quadruplet(*four, 1.0, fake_weight).total.backward()
    return four[3].grad.clone(), four[0].grad.clone()


def test_the_fake_term_is_alive_and_its_weight_scales_it():
    four = vectors()
    at_1, anchor_at_1 = gradient_at_fake(four, 1.0)
    at_3, anchor_at_3 = gradient_at_fake(four, 3.0)
    at_0, anchor_at_0 = gradient_at_fake(four, 0.0)
    assert at_1.abs().sum() > 0.1 and not at_0.abs().any()
    torch.testing.assert_close(at_3, 3 * at_1)
    torch.testing.assert_close(anchor_at_3 - anchor_at_0, 3 * (anchor_at_1 - anchor_at_0), rtol=1e-4, atol=1e-6)


def test_with_weight_0_it_is_the_triplet_loss():
    a, p, n, f = vectors()
    expected = triplet(distance(a, p), distance(a, n), 0.5)
    assert torch.equal(quadruplet(a, p, n, f, 0.5, 0.0).total, expected)


def test_a_step_against_the_gradient_moves_the_fake_away():
    four = vectors()
    before = distance(four[0], four[3]).mean()
    gradient, _ = gradient_at_fake(four, 1.0)
    assert distance(four[0], four[3] - 0.1 * gradient).mean() > before


def test_equal_vectors_have_a_finite_gradient():
    one = torch.ones(2, 3, requires_grad=True)
    distance(one, torch.ones(2, 3)).sum().backward()
    assert torch.isfinite(one.grad).all()


def test_the_hardest_of_each_kind_are_mined_and_only_complete_real_photos_are_anchors():
    embedding = torch.from_numpy(RNG.normal(size=(12, 3)))
    person = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3])
    is_fake = torch.tensor([0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1], dtype=torch.bool)
    found = list(zip(*(positions.tolist() for positions in mine(embedding, person, is_fake)), strict=True))
    assert found == list(quadruplets_by_hand(embedding.numpy(), person.tolist(), is_fake.tolist()))
    assert {a for a, *_ in found} == {0, 1, 2, 4, 6}  # person 2 has no fake, person 3 one photo


def quadruplets_by_hand(x, person, is_fake):
    rows = range(len(x))
    for a in rows:
        d = [np.linalg.norm(x[a] - x[b]) for b in rows]
        positives = [b for b in rows if b != a and person[b] == person[a] and not is_fake[b]]
        negatives = [b for b in rows if person[b] != person[a] and not is_fake[b]]
        fakes = [b for b in rows if person[b] == person[a] and is_fake[b]]
        if not is_fake[a] and positives and negatives and fakes:
            yield a, max(positives, key=d.__getitem__), *(min(some, key=d.__getitem__) for some in (negatives, fakes))
