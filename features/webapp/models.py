"""What there is to choose from: heads that decide about faces, and embedders that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faceheads.extraction_command import BUILT_IN
from faceheads.headfile import HeadFile
from faceheads.identification.thresholds import GROUPING_FMR, default_threshold_path, threshold_at_fmr
from faceheads.joining import parts_of_spec
from faceheads.spec import TableSpec
from faceheads.store import load_heads
from faceheads.verification.threshold_file import ThresholdError, ThresholdFile, load_threshold

from ..annotate.cli import default_heads
from ..embed import EmbedderRequest
from ..pipeline import FacePipeline
from ..pipeline_config import PipelineConfig

SHIPPED = "gender, age, race (shipped)"
SHIPPED_THRESHOLD = "dlib, threshold that ships"


@dataclass(frozen=True, eq=False)
class HeadChoice:
    """Heads that the page offers.

    Attributes
    ----------
    name : str
    file : HeadFile
    config : PipelineConfig
        That makes their embeddings, of all faces.
    is_shipped : bool
    """

    name: str
    file: HeadFile
    config: PipelineConfig
    is_shipped: bool = False


@dataclass(frozen=True, eq=False)
class ComparisonChoice:
    """A way to compare two faces that the page offers.

    Attributes
    ----------
    name : str
    config : PipelineConfig
        That makes the embeddings, of all faces.
    file : ThresholdFile or None
        None: similarities are shown without a claim.
    """

    name: str
    config: PipelineConfig
    file: ThresholdFile | None = None

    @property
    def grouping_threshold(self) -> float | None:
        """The least similarity of groups that are joined; None where the file cannot bear it."""
        if self.file is None or self.file.score is not None:
            return None
        try:
            return threshold_at_fmr(self.file, GROUPING_FMR)
        except ThresholdError:
            return None


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Everything that the page offers.

    Attributes
    ----------
    heads : tuple of HeadChoice
    comparisons : tuple of ComparisonChoice
        At least one, with a threshold first.
    """

    heads: tuple[HeadChoice, ...]
    comparisons: tuple[ComparisonChoice, ...]

    @classmethod
    def load(cls, heads: Sequence[Path], thresholds: Sequence[Path], embedders: Sequence[str]) -> Catalogue:
        """The choices that ship, and those of files.

        Parameters
        ----------
        heads, thresholds : sequence of Path
            Files of ``train.py --save_model`` and ``verify.py --save_threshold``.
        embedders : sequence of str
            Names, or paths of networks that are not built in: compared with no claim, and tried for heads and thresholds that need them.

        Raises
        ------
        ValueError
            If a file cannot be used.
        """
        offered = [_heads(default_heads(), SHIPPED, (), is_shipped=True)]
        offered += [_heads(path, path.name, embedders) for path in heads]
        comparisons = [_threshold(path, path.name, embedders) for path in thresholds]
        comparisons += [_threshold(default_threshold_path(), SHIPPED_THRESHOLD, ())]
        comparisons += [_without_claim(name) for name in embedders]
        return cls(_differently_named(offered), _differently_named(comparisons))

    def head(self, name: object) -> HeadChoice:
        """The heads of a name; the first where the name is unknown."""
        return next((choice for choice in self.heads if choice.name == name), self.heads[0])

    def comparison(self, name: object) -> ComparisonChoice:
        """The comparison of a name; the first where the name is unknown."""
        return next((choice for choice in self.comparisons if choice.name == name), self.comparisons[0])

    @property
    def groupings(self) -> tuple[ComparisonChoice, ...]:
        """The comparisons that faces can be grouped by."""
        return tuple(choice for choice in self.comparisons if choice.grouping_threshold is not None)

    @property
    def configs(self) -> list[PipelineConfig]:
        """The pipelines of all choices."""
        return [choice.config for choice in (*self.heads, *self.comparisons)]


def _heads(path: Path, name: str, embedders: Sequence[str], is_shipped: bool = False) -> HeadChoice:
    file = load_heads(path)
    if file.table_spec is None:
        raise ValueError(
            f"{path} was trained on a table without a specification, so nobody can tell which embeddings it needs. Train "
            "again on a table that feature_extraction.py wrote."
        )
    config = _fitting_config(str(path), file.table_spec, embedders)
    file.check_spec(FacePipeline(config).embedder.spec)
    return HeadChoice(name, file, config, is_shipped)


def _threshold(path: Path, name: str, embedders: Sequence[str]) -> ComparisonChoice:
    file = load_threshold(path)
    if len(parts_of_spec(file.spec)) > 1:
        raise ValueError(
            f"{path} is a threshold of several fused tables, which the app does not extract. Use verify.py."
        )
    if file.check is not None:
        raise ValueError(f"{path} refuses fakes by looking at whole files, which the app does not do. Use verify.py.")
    config = _fitting_config(str(path), file.spec, embedders)
    file.check_spec(FacePipeline(config).embedder.spec)
    return ComparisonChoice(name, config, file)


def _without_claim(embedder: str) -> ComparisonChoice:
    config = PipelineConfig(differentiable(EmbedderRequest(embedder)), faces="all")
    FacePipeline(config).embedder  # noqa: B018  (what is wrong with it is said now)
    return ComparisonChoice(f"{Path(embedder).name}, similarity only", config)


def _fitting_config(path: str, spec: TableSpec, embedders: Sequence[str]) -> PipelineConfig:
    """The pipeline of a specification, its network built in or one of ``embedders``."""
    network = spec.embedder.network
    is_given = len(parts_of_spec(spec)) == 1 and spec.embedder.weights_sha256 != BUILT_IN.get(network)
    for embedder in [name for name in embedders if Path(name).exists()] if is_given else [None]:
        config = PipelineConfig.from_spec(spec, embedder, faces="all", no_face="skip", min_face_px=0)
        config = replace(config, embedder=differentiable(config.embedder))
        if FacePipeline(config).embedder.spec.embedder_digest == spec.embedder_digest:
            return config
    raise ValueError(
        f"{path} needs the network {network!r}, which is not built in. Say where it lies: --embedder PATH."
    )


def differentiable(request: EmbedderRequest) -> EmbedderRequest:
    """The same embedder where gradients can be taken of it: torch instead of OpenVINO, if there is a choice."""
    return request if request.precision == "int8" else replace(request, backend="torch")


def _differently_named(choices: Sequence[HeadChoice | ComparisonChoice]) -> tuple:
    """The choices, those with the name of an earlier one numbered."""
    taken: set[str] = set()
    named = []
    for choice in choices:
        name, number = choice.name, 1
        while name in taken:
            number += 1
            name = f"{choice.name} ({number})"
        taken.add(name)
        named.append(replace(choice, name=name))
    return tuple(named)
