"""Who imports whom, read from the source with `ast`: scripts -> {features, finetune} -> faceheads, and no way back."""

import ast
import graphlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = tuple(
    name for name in ("faceheads", "features", "finetune") if (REPOSITORY / name / "__init__.py").is_file()
)

#: Modules that worker processes load once each: torch there would cost every worker 0.3 GB and seconds.
WORKER_MODULES = ("faceheads.images.reading", "features.align", "features.face", "features.detect.hog")


@dataclass(frozen=True)
class Import:
    """One imported module: where, what, whether it runs when its file is imported, and whether it was written relatively."""

    importer: str
    target: str
    line: int
    is_top_level: bool
    is_relative: bool

    def __str__(self):
        return f"{self.importer}, line {self.line}: {self.target}"

    @property
    def package(self):
        return self.importer.partition(".")[0]

    @property
    def root(self):
        return self.target.partition(".")[0]


def source_files():
    """Map each module's dotted name to its file; a package has the name of its folder."""
    files = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def script_files():
    return {path.name: path for path in sorted(REPOSITORY.glob("*.py"))}


def imports_of(module, source, is_package=False):
    """List what the source text of ``module`` imports, but for what only type checkers see."""
    found = []
    _visit(ast.parse(source), module, is_package, True, found)
    return found


def _visit(node, module, is_package, is_top_level, found):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            found += [Import(module, alias.name, child.lineno, is_top_level, False) for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            found += _from_imports(child, module, is_package, is_top_level)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            _visit(child, module, is_package, is_top_level and not is_function, found)


def _from_imports(node, module, is_package, is_top_level):
    base = node.module or ""
    if node.level:
        parts = module.split(".") if is_package else module.split(".")[:-1]
        kept = parts[: len(parts) - (node.level - 1)] if node.level - 1 < len(parts) else ["<outside>"]
        base = ".".join(kept + ([node.module] if node.module else []))
    return [Import(module, f"{base}.{alias.name}", node.lineno, is_top_level, node.level > 0) for alias in node.names]


def all_imports():
    return [
        entry
        for module, path in source_files().items()
        for entry in imports_of(module, path.read_text(encoding="utf-8"), path.name == "__init__.py")
    ]


def module_of(target, modules):
    """Return the project's module that ``target`` names: itself, or the module that holds the imported name; None if foreign."""
    if target in modules:
        return target
    parent = target.rpartition(".")[0]
    return parent if parent in modules else None


def edges(entries, modules):
    """Map each module to the project's modules that it imports."""
    graph = {module: set() for module in modules}
    for entry in entries:
        target = module_of(entry.target, modules)
        if target is not None and target != entry.importer:
            graph[entry.importer].add(target)
    return graph


def reached(module, graph):
    """Return the modules that importing ``module`` loads; a submodule loads the packages above it too."""
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [*graph.get(name, ()), *([name.rpartition(".")[0]] if "." in name else [])]
    return seen


def test_the_reader_sees_every_kind_of_import():
    source = (
        "import a.b\nfrom . import c\nfrom ..d import e\ndef f():\n    import g\nif TYPE_CHECKING:\n    import h\n"
    )
    entries = imports_of("features.detect.hog", source)
    assert [(entry.target, entry.is_top_level) for entry in entries] == [
        ("a.b", True),
        ("features.detect.c", True),
        ("features.d.e", True),
        ("g", False),
    ]
    assert imports_of("features.detect", "from . import c", is_package=True)[0].target == "features.detect.c"
    assert imports_of("faceheads.pool", "from ...x import y")[0].root == "<outside>"


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("faceheads", {"features", "finetune", "cv2", "dlib"}),
        ("features", {"finetune"}),
        ("finetune", {"features"}),
    ],
)
def test_a_package_imports_nothing_that_stands_above_or_beside_it(package, foreign):
    assert [str(entry) for entry in all_imports() if entry.package == package and entry.root in foreign] == []


def test_inside_a_package_imports_are_relative():
    # The wheel's name for features is faceheads.features: an absolute import would find nothing there, or another distribution.
    wrong = [str(entry) for entry in all_imports() if not entry.is_relative and entry.root == entry.package]
    assert wrong == []


def test_no_relative_import_leaves_its_package():
    assert [str(entry) for entry in all_imports() if entry.root == "<outside>"] == []


def test_in_faceheads_only_the_networks_know_torch():
    users = [
        entry for entry in all_imports() if entry.root in {"torch", "torchvision"} and entry.package == "faceheads"
    ]
    assert [str(entry) for entry in users if not entry.importer.startswith("faceheads.networks")] == []


def test_the_modules_that_workers_load_never_load_torch():
    entries = [entry for entry in all_imports() if entry.is_top_level]
    graph = edges(entries, set(source_files()))
    loaded = set().union(*(reached(module, graph) for module in WORKER_MODULES if module in graph))
    assert [str(entry) for entry in entries if entry.importer in loaded and entry.root == "torch"] == []


def test_there_are_no_import_cycles():
    graphlib.TopologicalSorter(edges(all_imports(), set(source_files()))).prepare()


def test_a_script_is_a_few_lines_that_call_a_package():
    for name, path in script_files().items():
        source = path.read_text(encoding="utf-8")
        roots = {entry.root for entry in imports_of(name, source)}
        assert roots & {"faceheads", "features", "finetune"}, f"{name} calls no package"
        assert roots <= {"faceheads", "features", "finetune", "sys", "__future__"}, (
            f"{name} does more than call a package"
        )
        assert len(source.splitlines()) <= 20, f"{name} holds logic that belongs in a package"


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("faceheads", ["numpy", "torch", "sklearn", "pandas", "matplotlib"]),
        ("features", ["torch", "dlib", "sklearn", "cv2", "matplotlib"]),
        ("faceheads.networks", ["torch"]),
        (", ".join(WORKER_MODULES), ["torch", "sklearn", "matplotlib"]),
    ],
)
def test_importing_loads_nothing_heavy(modules, absent):
    code = f"import sys, {modules}\nprint([name for name in {absent} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr
