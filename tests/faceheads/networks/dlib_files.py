"""Writes what dlib serializes, in bytes, from the description in dlib's `serialize.h`: the second source of the reader."""

import math
import struct

import numpy as np

SPECIAL_EXPONENTS = {math.inf: 32000, -math.inf: 32001}


def integer(value):
    """Control byte (sign, number of bytes), then the magnitude, lowest byte first."""
    magnitude = abs(value)
    n_bytes = max(1, (magnitude.bit_length() + 7) // 8)
    return bytes([n_bytes | (0x80 if value < 0 else 0)]) + magnitude.to_bytes(n_bytes, "little")


def integers(*values):
    return b"".join(integer(value) for value in values)


def real(value):
    """Integer mantissa and exponent of two; infinities and NaN have exponents of their own."""
    if math.isnan(value):
        return integers(0, 32002)
    if math.isinf(value):
        return integers(0, SPECIAL_EXPONENTS[value])
    mantissa, exponent = math.frexp(value)
    return integers(int(mantissa * 2**53), exponent - 53)


def reals(*values):
    return b"".join(real(value) for value in values)


def name(text):
    return integer(len(text)) + text.encode()


def tensor(values):
    values = np.asarray(values, np.float32)
    shape = values.shape if values.ndim == 4 else (values.size, 1, 1, 1)
    return integers(2, *shape) + b"".join(struct.pack("<f", value) for value in values.reshape(-1))


EMPTY_TENSOR = integers(2, 0, 0, 0, 0)


def alias(*shape):
    return integers(1, *shape)


def convolution(filters, biases, stride_yx=(1, 1), padding_yx=(0, 0)):
    """A `con_4` record: filters of shape (outputs, inputs, rows, columns)."""
    filters, biases = np.asarray(filters, np.float32), np.asarray(biases, np.float32)
    params = tensor(np.concatenate([filters.reshape(-1), biases]))
    geometry = integers(filters.shape[0], *filters.shape[2:], *stride_yx, *padding_yx)
    aliases = alias(*filters.shape) + alias(1, len(biases), 1, 1)
    return name("con_4") + params + geometry + aliases + reals(1, 1, 1, 0)


def affine(gamma, beta):
    shape = (1, len(gamma), 1, 1)
    return name("affine_") + tensor([*gamma, *beta]) + alias(*shape) + alias(*shape) + integer(0)


def relu():
    return name("relu_")


def layer(record, is_innermost=False):
    """A record with what follows every layer: three flags, then tensors that are empty in a saved network."""
    tail = b"000" + EMPTY_TENSOR * 3
    return record + tail + (integer(1) if is_innermost else b"")


METRIC_LOSS = name("loss_metric_2") + reals(0.04, 0.6)
IMAGE_INPUT = name("input_rgb_image_sized") + reals(122.782, 117.001, 104.298) + integers(150, 150)


def network(*records, loss=METRIC_LOSS, input_layer=IMAGE_INPUT, n_tags=0):
    """A whole file of the records in forward order; `n_tags` tags stand around the outermost layer."""
    versions = [1] * n_tags + [2] * (len(records) - 1) + [3]
    layers = layer(records[0], is_innermost=True) + b"".join(layer(record) for record in records[1:])
    return integer(1) + loss + integers(*versions) + input_layer + layers
