import pytest

from features.webapp import throttle
from features.webapp.refusal import Refused
from features.webapp.throttle import Throttle


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_an_address_is_stopped_for_a_minute_and_others_are_not():
    clock = Clock()
    limit = Throttle(3, clock)
    for _ in range(3):
        limit.admit("a")
        clock.now += 10
    with pytest.raises(Refused, match=r"More than 3 photos in a minute.*Wait 30 seconds"):
        limit.admit("a")
    limit.admit("b")
    clock.now += 30  # the first of the three is a minute old
    limit.admit("a")
    with pytest.raises(Refused):
        limit.admit("a")


def test_what_is_refused_is_not_counted():
    clock = Clock()
    limit = Throttle(3, clock)
    limit.admit("a", 2)
    for _ in range(5):
        with pytest.raises(Refused):
            limit.admit("a", 2)
    limit.admit("a", 1)


def test_one_request_of_many_photos_is_let_in_and_nothing_after_it():
    limit = Throttle(3, Clock())
    limit.admit("a", 50)
    with pytest.raises(Refused):
        limit.admit("a")


def test_zero_is_no_limit():
    limit = Throttle(0)
    for _ in range(1000):
        limit.admit("a", 1000)


def test_the_addresses_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(throttle, "_MAX_ADDRESSES", 5)
    limit = Throttle(1, Clock())
    for number in range(100):
        limit.admit(str(number))
    with pytest.raises(Refused):
        limit.admit("99")
    limit.admit("0")
    assert len(limit._sent) <= 5
