import threading

import numpy as np
import pytest

from features.webapp.workers import Workers
from tests.features.photos import whole_image_config


@pytest.fixture
def workers():
    workers = Workers(2)
    yield workers
    workers.close()


def test_each_thread_has_a_detector_of_its_own_and_all_share_the_network(workers):
    config = whole_image_config()
    together = threading.Barrier(2)

    def look(pipeline_of):
        together.wait()
        return threading.get_ident(), pipeline_of(config)

    first, second = (future.result() for future in [workers.submit(look) for _ in range(2)])
    assert first[0] != second[0]
    assert first[1] is not second[1]
    assert first[1].detector is not second[1].detector
    assert first[1].embedder is second[1].embedder


def test_a_thread_keeps_its_pipelines(workers):
    config = whole_image_config()
    pipelines = [workers.run(lambda pipeline_of: pipeline_of(config)) for _ in range(6)]
    assert len({id(pipeline) for pipeline in pipelines}) <= 2


def test_what_fails_in_a_thread_fails_where_it_was_asked_for(workers):
    with pytest.raises(ZeroDivisionError):
        workers.run(lambda _: 1 // 0)
    assert workers.run(lambda _: 7) == 7


def test_warm_pipelines_embed_at_once(workers):
    config = whole_image_config()
    workers.warm_up(config)
    image = np.zeros((80, 80, 3), np.uint8)
    found = workers.run(lambda pipeline_of: pipeline_of(config).embed(pipeline_of(config).find_faces([image])))
    assert found[0].shape == (1, 128)
