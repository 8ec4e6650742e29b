"""Weights and work space for the stages of the HOG detector; everything below needs numba."""

import importlib.util

import pytest

if importlib.util.find_spec("numba") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def weights():
    """Return the weights of the installed dlib."""
    from features.detect.fhog.weights import frontal_face_weights

    return frontal_face_weights()


@pytest.fixture(scope="session")
def model(weights):
    """Return the weights as the compiled functions take them."""
    from features.detect.fhog.workspace import flat_model

    return flat_model(weights)


@pytest.fixture(scope="session")
def work_for(model):
    """Return a function that makes a work space of its own for an image of that height and width."""
    from features.detect.fhog.workspace import Workspaces

    return lambda height, width, upsample=0: Workspaces().fitting(height, width, upsample, model)
