"""Times of stages add up over workers, and the slowest is named."""

import pytest

from features.stage_times import StageTimes


def test_times_and_items_of_workers_add_up_in_the_order_of_the_stages():
    total = StageTimes()
    total.add(StageTimes({"embed": 1.0}, {"embed": 10}))
    total.add(StageTimes({"decode": 0.5, "embed": 2.0}, {"decode": 4, "embed": 20}))
    assert list(total.seconds.items()) == [("decode", 0.5), ("embed", 3.0)]
    assert total.items == {"decode": 4, "embed": 30}
    assert total.limiting_stage == "embed"
    assert total.share_of("decode") == pytest.approx(1 / 7)


def test_a_line_has_seconds_items_and_milliseconds_each_and_the_slowest_is_marked():
    decode, detect = StageTimes({"decode": 0.5, "detect": 2.0}, {"decode": 4, "detect": 4}).lines()
    assert decode.split() == ["decode", "0.50", "s", "4", "images", "125.00", "ms", "each"]
    assert detect.endswith("500.00 ms each   <- bottleneck")


def test_a_block_that_fails_is_counted_too():
    times = StageTimes()
    with pytest.raises(RuntimeError), times.measured("detect", 3):
        raise RuntimeError
    assert times.items == {"detect": 3}
    assert StageTimes().limiting_stage == ""
