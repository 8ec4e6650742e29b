"""A head archive is checked before anything in it is made; equal contents give equal bytes."""

import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from faceheads.archive import ArchiveError, pack, read_archive, unpack, write_archive


def fitted_head():
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((50, 4)).astype(np.float32)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(embeddings, embeddings[:, 0] > 0)


PACKED = pack({"text": "ümlaut", "head": fitted_head(), "array": np.arange(6.0).reshape(2, 3)})


def sealed(entries, compression=zipfile.ZIP_DEFLATED):
    """A zip file of the entries with a checksum that fits, as an attacker would make it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    body = buffer.getvalue()[:-2] + struct.pack("<H", 64)
    return body + hashlib.sha256(body).hexdigest().encode()


def entries_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(**replacements):
    return sealed(list({**entries_of(PACKED), **replacements}.items()))


def with_schema(change):
    entries = entries_of(PACKED)
    schema = json.loads(entries["schema.json"])
    change(schema)
    return sealed([*{**entries, "schema.json": json.dumps(schema).encode()}.items()])


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_what_was_written_comes_back(tmp_path):
    path = tmp_path / "deep" / "head.skops"
    write_archive(path, {"text": "ümlaut", "head": fitted_head(), "list": [1, 2.5, None, True, "x"]})
    value = read_archive(path)
    assert value["text"] == "ümlaut"
    assert value["list"] == [1, 2.5, None, True, "x"]
    embeddings = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
    assert np.array_equal(value["head"].predict_proba(embeddings), fitted_head().predict_proba(embeddings))


def test_equal_contents_give_equal_bytes_in_every_process():
    value = {"b": [1, "x"], "a": {"array": np.arange(5.0), "again": np.arange(5.0)}}
    code = (
        "import sys, numpy as np; from faceheads.archive import pack; "
        "sys.stdout.buffer.write(pack({'b': [1, 'x'], 'a': {'array': np.arange(5.0), 'again': np.arange(5.0)}}))"
    )
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, check=True)
    assert other.stdout == pack(value)
    assert pack({"head": fitted_head()}) == pack({"head": fitted_head()})


def test_an_array_that_occurs_twice_is_stored_once():
    array = np.arange(1000.0)
    assert len(entries_of(pack({"a": array, "b": array.copy()}))) == 2


def test_skops_itself_can_read_it():
    trusted = skops.io.get_untrusted_types(data=PACKED)
    assert skops.io.loads(PACKED, trusted=trusted)["text"] == "ümlaut"


@given(position=st.integers(0, len(PACKED) - 1), bit=st.integers(0, 7))
@settings(max_examples=200)
def test_every_flipped_bit_is_noticed(position, bit):
    data = bytearray(PACKED)
    data[position] ^= 1 << bit
    with pytest.raises(ArchiveError, match=r"checksum|no skops archive"):
        unpack(bytes(data))


@given(length=st.integers(0, len(PACKED) - 1))
@settings(max_examples=50)
def test_every_truncation_is_noticed(length):
    with pytest.raises(ArchiveError):
        unpack(PACKED[:length])


def test_a_renamed_pickle_is_refused_without_being_read():
    with pytest.raises(ArchiveError, match="no skops archive"):
        unpack(b"\x80\x05cos\nsystem\n(S'exit 1'\ntR.")


def test_an_estimator_that_is_not_on_the_list_is_refused_when_written_and_when_read():
    with pytest.raises(ArchiveError, match="FunctionTransformer"):
        pack({"head": FunctionTransformer()})
    with pytest.raises(ArchiveError, match="FunctionTransformer"):
        unpack(sealed(entries_of(skops.io.dumps(FunctionTransformer())).items()))


def test_functions_and_methods_are_refused():
    for value in (np.exp, "x".join, slice(1, 2), b"bytes", {1, 2}):
        with pytest.raises(ArchiveError, match="may not contain|neither schema.json nor an array"):
            unpack(sealed(entries_of(skops.io.dumps({"x": value})).items()))


def first_node(schema, loader):
    stack = [schema]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if value.get("__loader__") == loader:
                return value
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    raise LookupError(loader)


@pytest.mark.parametrize(
    "forged",
    [
        {"__module__": "os", "__class__": "system"},
        {"__loader__": "FunctionNode", "__module__": "os", "__class__": "system"},
        {"__loader__": "TypeNode", "__module__": "subprocess", "__class__": "Popen"},
        {"__loader__": "MethodNode"},
        {"__class__": ["StandardScaler"]},
        {"__class__": None},
    ],
)
def test_a_forged_type_is_refused(forged):
    with pytest.raises(ArchiveError, match="may not contain"):
        unpack(with_schema(lambda schema: first_node(schema, "ObjectNode").update(forged)))


def test_references_are_refused():
    with pytest.raises(ArchiveError, match="references"):
        unpack(with_schema(lambda schema: first_node(schema, "ObjectNode").update(__id__=1)))


def test_arrays_of_objects_are_refused():
    with pytest.raises(ArchiveError, match="arrays of objects"):
        unpack(with_schema(lambda schema: first_node(schema, "NdArrayNode").update(type="json")))
    buffer = io.BytesIO()
    np.save(buffer, np.array([None], object), allow_pickle=True)
    with pytest.raises(ArchiveError, match="array of objects"):
        unpack(changed(**{"0.npy": buffer.getvalue()}))


def test_an_array_that_claims_to_be_larger_than_its_file_is_refused():
    content = npy(np.zeros(4)).replace(b"(4,)", b"(1099511627776,)")
    for forged in (content[:-8], npy(np.zeros(4))[:-8], npy(np.zeros(4)) + b"12345678"):
        with pytest.raises(ArchiveError):
            unpack(changed(**{"0.npy": forged}))


def test_a_zip_file_in_the_place_of_an_array_is_refused():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    with pytest.raises(ArchiveError, match="content is damaged"):
        unpack(changed(**{"0.npy": buffer.getvalue()}))


def test_a_zip_bomb_is_refused_before_it_is_expanded(monkeypatch):
    bomb = changed(**{"97.npy": npy(np.zeros(2_000_000))})
    assert len(bomb) < 50_000
    monkeypatch.setattr("faceheads.archive.MAX_CONTENT_BYTES", 10_000_000)
    with pytest.raises(ArchiveError, match="expands to"):
        unpack(bomb)


def test_what_expands_far_more_than_weights_do_is_refused(monkeypatch):
    monkeypatch.setattr("faceheads.archive._HARMLESS_BYTES", 1_000_000)
    with pytest.raises(ArchiveError, match="expands from"):
        unpack(changed(**{"0.npy": npy(np.zeros(1_000_000))}))


def test_a_schema_of_too_many_values_is_refused_before_it_is_read():
    with pytest.raises(ArchiveError, match="has 3,000,002 values"):
        unpack(changed(**{"schema.json": b"[" + b"[]," * 1_500_000 + b"[]]"}))


def test_entries_that_the_schema_does_not_name_are_refused():
    with pytest.raises(ArchiveError, match="neither schema.json nor an array"):
        unpack(changed(**{"../0.npy": npy(np.zeros(3))}))
    with pytest.raises(ArchiveError, match=r"nothing uses its array '97\.npy'"):
        unpack(changed(**{"97.npy": npy(np.zeros(3))}))


def test_an_entry_that_expands_to_more_than_it_says_is_refused():
    data = bytearray(changed(**{"97.npy": npy(np.zeros(100_000))}))
    size = struct.pack("<I", len(npy(np.zeros(100_000))))
    assert data.count(size) == 2
    forged = bytes(data).replace(size, struct.pack("<I", 128))[:-64]
    with pytest.raises(ArchiveError):
        unpack(forged + hashlib.sha256(forged).hexdigest().encode())


def test_other_compressions_are_refused_because_their_expansion_cannot_be_bounded():
    with pytest.raises(ArchiveError, match="deflate"):
        unpack(sealed(entries_of(PACKED).items(), zipfile.ZIP_LZMA))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused():
    with pytest.raises(ArchiveError, match="different names"):
        unpack(sealed([*entries_of(PACKED).items(), ("schema.json", b"{}")]))


def test_a_schema_that_is_missing_or_no_schema_is_refused():
    with pytest.raises(ArchiveError, match=r"must hold schema\.json"):
        unpack(sealed([("other.json", b"{}")]))
    for schema in (b"", b"[]", b"{}", b"not json", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 200 + b"1" + b"}" * 200):
        with pytest.raises(ArchiveError):
            unpack(sealed([("schema.json", schema)]))


def test_a_deeply_nested_schema_is_refused():
    def nest(schema):
        node = {
            "__loader__": "JsonNode",
            "__module__": "builtins",
            "__class__": "str",
            "content": "1",
            "is_json": True,
        }
        for _ in range(100):
            node = {"__loader__": "ListNode", "__module__": "builtins", "__class__": "list", "content": [node]}
        schema["content"]["deep"] = node

    with pytest.raises(ArchiveError, match="nested"):
        unpack(with_schema(nest))


def test_an_array_that_is_missing_is_named():
    with pytest.raises(ArchiveError, match=r"'9\.npy' is missing"):
        unpack(with_schema(lambda schema: first_node(schema, "NdArrayNode").update(file="9.npy")))


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path, monkeypatch):
    with pytest.raises(ArchiveError, match=r"nowhere\.skops cannot be read"):
        read_archive(tmp_path / "nowhere.skops")
    path = tmp_path / "large.skops"
    path.write_bytes(PACKED)
    monkeypatch.setattr("faceheads.archive.MAX_FILE_BYTES", 100)
    with pytest.raises(ArchiveError, match="at most 100"):
        read_archive(path)
