"""What is installed: the wheel, its names, and that every requirement is declared and pinned."""

import ast
import configparser
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from faceheads.weights import list_weights

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = tuple(
    name for name in ("faceheads", "features", "finetune") if (REPOSITORY / name / "__init__.py").is_file()
)
SITE_PACKAGES = Path(pytest.__file__).resolve().parents[1]

#: Required but not in the checkout: opencv-python-headless has the same cv2 and needs no graphics libraries; openvino is an option.
NOT_IN_THE_CHECKOUT = {"opencv-python", "openvino"}
#: The extras whose requirements the checkout installs.
CHECKOUT_EXTRAS = ("fast", "onnx", "report", "app", "heif", "lfwa", "reference", "test")

#: What the extras bring, as modules: hidden, the commands must still start.
OPTIONAL_MODULES = [
    "numba",
    "openvino",
    "onnxruntime",
    "onnx",
    "skl2onnx",
    "matplotlib",
    "jinja2",
    "gradio",
    "h5py",
    "pillow_heif",
]
OPTIONAL_MODULES += ["face_recognition", "facenet_pytorch", "torchvision", "pytest", "hypothesis"]


def read_config(path=REPOSITORY / "setup.cfg"):
    config = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    config.optionxform = str
    config.read(path, encoding="utf-8")
    return config


def requirements(config, extras=()):
    lines = config["options"]["install_requires"].split("\n")
    for extra in extras:
        lines += config["options.extras_require"][extra].split("\n")
    return [Requirement(line) for line in lines if line.strip()]


def console_scripts():
    return [line for line in read_config()["options.entry_points"]["console_scripts"].split("\n") if line.strip()]


def names(found):
    return {canonicalize_name(requirement.name) for requirement in found}


def pins():
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def run(*command, cwd=REPOSITORY):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Copy what the wheel is made of, so that building leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "MODEL_LICENSES.md"):
        if (REPOSITORY / name).exists():
            shutil.copy(REPOSITORY / name, folder)
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-q",
        "-w",
        out,
        source,
    )
    return next(out.glob("faceheads-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel into an environment of its own, which borrows the packages that are here already."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = next(path for path in (folder / "bin/python", folder / "Scripts/python.exe") if path.exists())
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "borrowed.pth").write_text(f"{SITE_PACKAGES}\n", encoding="utf-8")
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    return python, site


def wheel_modules(wheel):
    paths = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")]
    return sorted(path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths)


def test_the_wheel_holds_one_top_level_package(wheel):
    roots = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"faceheads"}


def test_the_wheel_holds_every_module_of_the_checkout(wheel, source):
    expected = set()
    for package in PACKAGES:
        below = Path("faceheads" if package != "faceheads" else "")
        expected |= {below / path.relative_to(source) for path in (source / package).rglob("*.py")}
    held = {Path(name) for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    assert sorted(map(str, held ^ expected)) == [], "setup.cfg lists every package by hand: add the new one"


def test_the_wheel_holds_the_data_files_and_the_licences(wheel, source):
    held = {name.rpartition("/")[2] for name in zipfile.ZipFile(wheel).namelist()}
    data = {path.name for path in (source / "faceheads" / "data").glob("*") if path.is_file()}
    assert data | {"LICENSE", "MODEL_LICENSES.md"} <= held


def test_the_wheel_holds_what_pages_are_made_of(wheel, source):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if "/templates/" in name}
    expected = set()
    for package in PACKAGES:
        below = Path("faceheads" if package != "faceheads" else "")
        found = [path for path in (source / package).rglob("templates/**/*") if path.is_file()]
        expected |= {(below / path.relative_to(source)).as_posix() for path in found}
    assert held == expected
    assert any("webapp" in name for name in held)


def test_every_module_of_the_installed_wheel_can_be_imported(installed, wheel, tmp_path):
    python, _ = installed
    code = f"import importlib\nfor name in {wheel_modules(wheel)}:\n    importlib.import_module(name)"
    run(python, "-P", "-c", code, cwd=tmp_path)


def test_the_installed_wheel_leaves_no_bare_features_or_finetune(installed):
    _, site = installed
    assert {path.name for path in site.iterdir() if path.suffix not in {".dist-info", ".pth"}} == {"faceheads"}


def test_every_command_of_the_installed_wheel_shows_its_help(installed, tmp_path):
    python, _ = installed
    for line in console_scripts():
        assert "usage" in run(python.parent / line.partition("=")[0].strip(), "--help", cwd=tmp_path).lower()


def test_the_commands_need_no_extra(installed, tmp_path):
    python, _ = installed
    modules = sorted({line.partition("=")[2].partition(":")[0].strip() for line in console_scripts()})
    hidden = f"import sys\nfor name in {OPTIONAL_MODULES}:\n    sys.modules[name] = None\n"
    run(python, "-P", "-c", f"{hidden}import {', '.join(modules)}, faceheads.features.detect.hog", cwd=tmp_path)


def test_every_requirement_of_the_checkout_is_pinned_to_a_version_that_satisfies_it():
    pinned = pins()
    for requirement in requirements(read_config(), CHECKOUT_EXTRAS):
        name = canonicalize_name(requirement.name)
        if name not in NOT_IN_THE_CHECKOUT:
            assert name in pinned, f"constraints.txt lacks {name}"
            assert requirement.specifier.contains(pinned[name]), f"{requirement} excludes {pinned[name]}"


def test_whatever_the_packages_import_is_a_requirement():
    config = read_config()
    declared = names(requirements(config, config["options.extras_require"])) | {"opencv-python-headless"}
    owners = packages_distributions() | {"dlib": ["dlib-bin"]}  # its wheel does not say that it holds dlib
    wrong = []
    for path in [path for package in PACKAGES for path in sorted((REPOSITORY / package).rglob("*.py"))]:
        for root in foreign_imports(path):
            if not {canonicalize_name(name) for name in owners.get(root, [root])} & declared:
                wrong.append(f"{path.relative_to(REPOSITORY)}: {root}")
    assert wrong == []


def foreign_imports(path):
    """Return the root of each import that is neither ours nor the standard library's."""
    roots = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots.add(node.module.partition(".")[0])
    return roots - set(sys.stdlib_module_names) - {"faceheads"}


def test_the_stand_in_for_dlib_is_metadata_of_the_version_that_dlib_bin_has():
    folder = REPOSITORY / "packaging" / "dlib-from-bin"
    config = read_config(folder / "setup.cfg")
    assert config["metadata"]["name"] == "dlib"
    assert not config["options"]["packages"].strip()
    assert config["metadata"]["version"] == Version(pins()["dlib-bin"]).base_version
    (only,) = [Requirement(line) for line in config["options"]["install_requires"].split("\n") if line.strip()]
    assert only.name == "dlib-bin" and only.specifier.contains(pins()["dlib-bin"])


def test_the_licence_of_every_weight_file_is_told():
    told = (REPOSITORY / "MODEL_LICENSES.md").read_text(encoding="utf-8")
    assert [weights.file_name for weights in list_weights() if f"`{weights.file_name}`" not in told] == []
