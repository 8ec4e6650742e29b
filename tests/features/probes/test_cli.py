import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from faceheads.fitted_head import Head
from faceheads.headfile import HeadFile
from faceheads.store import make_golden_inputs, save_heads
from faceheads.targets import REGRESSION, Target
from features.embed import EmbedderRequest
from features.pipeline import FacePipeline
from features.probes.cli import probe_main
from tests.features.photos import whole_image_config
from tests.features.probes.drawn_faces import drawn_head


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Heads on spatial frequencies of the whole photo, which need no face."""
    spec = FacePipeline(whole_image_config(embedder=EmbedderRequest("spectrum"))).table_spec
    X = np.random.default_rng(0).standard_normal((60, spec.embedder.dimension)).astype(np.float32)
    target = Target("detail", REGRESSION, ("detail",), unit="points")
    head = Head(target, "ridge", make_pipeline(StandardScaler(), Ridge()).fit(X, X[:, 3]))
    path = tmp_path_factory.mktemp("model") / "detail.skops"
    save_heads(path, HeadFile((head,), spec, make_golden_inputs(X)))
    return path


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(drawn_head(image_hw=(140, 140), centre_xy=(70, 60), seed=i)[0]).save(folder / f"{i}.png")
    (folder / "broken.jpg").write_bytes(b"no photo")
    return folder


def run(photos, model, *more):
    options = ["--img_dir", photos, "--model", model, "--output_dir", photos.parent / "out", "--jobs", "1", *more]
    return probe_main(list(map(str, options)))


def test_a_folder_becomes_tables_a_sheet_and_a_report(photos, model, capsys):
    labels = photos.parent / "labels.csv"
    labels.write_text("path,identity,kind\n0.png,a,x\n1.png,a,y\n")
    more = ("--probes", "light", "--label", labels, "--cohort", "kind", "--report", "--max_failures", "1")
    assert run(photos, model, *more) == 0
    out = photos.parent / "out"
    assert {path.name for path in out.iterdir()} >= {
        "effects.csv",
        "faces.csv",
        "sheet.png",
        "probes.html",
        "probes.md",
    }
    effects = pd.read_csv(out / "effects.csv", keep_default_na=False)
    blurred = effects[(effects.probe == "blurred") & (effects.by == "")].set_index("metric")
    assert blurred.loc["effect", ["faces", "groups"]].tolist() == [3, 2]
    faces = pd.read_csv(out / "faces.csv")
    assert faces[faces.change == "blurred"].path.tolist() == ["0.png", "1.png", "2.png"]
    changes = (faces.after - faces.before)[faces.change == "blurred"].abs()
    assert float(blurred.loc["effect", "value"]) == pytest.approx(changes.mean(), rel=1e-3)
    printed = capsys.readouterr().out
    assert "3 ok, 1 unreadable" in printed
    assert "the label column 'identity'" in printed
    assert "blurred" in printed
    assert "sunglasses" not in printed


def test_too_many_failures_are_the_exit_code(photos, model):
    assert run(photos, model, "--probes", "eyes", "--max_failures", "0") == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--probes", "hats"), "--probes must be some of ['hair', 'glasses', 'eyes', 'light']"),
        (("--attributes", "gender"), "--attributes must be some of ['detail']"),
        (("--img_dir", "nowhere"), "nowhere"),
    ],
)
def test_wrong_use_is_one_sentence(photos, model, capsys, more, words):
    assert run(photos, model, *more) == 2
    error = capsys.readouterr().err
    assert error.startswith("probes: ")
    assert words in error


def test_a_folder_without_a_face_says_so(photos, model, capsys):
    for path in photos.glob("*.png"):
        path.unlink()
    assert run(photos, model) == 2
    assert "No face was found" in (error := capsys.readouterr().err)
    assert "1 unreadable" in error
