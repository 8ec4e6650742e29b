"""Pickles as old software wrote them, made without it."""

import contextlib
import io
import pickle
import sys
import types

import numpy as np

OLD_NETWORK = "sklearn.neural_network.multilayer_perceptron"


def python2_pickle(value):
    """Protocol 0 as Python 2.7 with numpy 1.11 wrote it: arrays are ``S'…'`` strings of escaped bytes."""
    return (_text(value) + ".").encode("latin1")


def _text(value):
    if value is None:
        return "N"
    if isinstance(value, bool | np.bool_):
        return f"I0{int(value)}\n"
    if isinstance(value, int | np.integer):
        return f"I{int(value)}\n"
    if isinstance(value, float):
        return f"F{float(value)!r}\n"
    if isinstance(value, str):
        return f"S{value!r}\n"
    if isinstance(value, bytes):
        return f"S{str(value)[1:]}\n"
    if isinstance(value, tuple):
        return "(" + "".join(map(_text, value)) + "t"
    if isinstance(value, list):
        return "(l" + "".join(_text(element) + "a" for element in value)
    if isinstance(value, dict):
        return "(d" + "".join(_text(key) + _text(item) + "s" for key, item in value.items())
    if isinstance(value, np.ndarray):
        return _array_text(value)
    module, name = old_name(value)
    return f"ccopy_reg\n_reconstructor\n(c{module}\n{name}\nc__builtin__\nobject\nNtR{_text(vars(value))}b"


def _array_text(array):
    kind = array.dtype.str[1:]
    made = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    dtype = f"cnumpy\ndtype\n(S{kind!r}\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    order = "F" if array.flags.f_contiguous and array.ndim > 1 else "C"
    raw = _text(array.tobytes(order))
    return f"{made}(I1\n{_text(tuple(map(int, array.shape)))}{dtype}I0{int(order == 'F')}\n{raw}tb"


def old_name(value):
    """Module and name of a class in scikit-learn 0.18."""
    renamed = {"_multilayer_perceptron": "multilayer_perceptron", "_label": "label"}
    module, name = type(value).__module__, type(value).__qualname__
    head, _, last = module.rpartition(".")
    return f"{head}.{renamed.get(last, last)}", name


@contextlib.contextmanager
def as_old_class(network):
    """The network as an object of a class that is called as in old versions, for Python's own pickler."""
    module = types.ModuleType(OLD_NETWORK)
    kind = type("MLPClassifier", (), {"__module__": OLD_NETWORK})
    module.MLPClassifier = kind
    sys.modules[OLD_NETWORK] = module
    try:
        old = kind()
        vars(old).update(vars(network))
        yield old
    finally:
        del sys.modules[OLD_NETWORK]


def python3_pickle(network, names, protocol):
    """What ``pickle.dump([network, names])`` wrote with an older scikit-learn on Python 3."""
    with as_old_class(network) as old:
        buffer = io.BytesIO()
        pickle.dump([old, names] if names is not None else old, buffer, protocol)
    return buffer.getvalue()
