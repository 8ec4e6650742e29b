"""The shards of a table that is being made: what each needs, and how they become the table."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceheads.spec import TableSpec
from faceheads.table import FaceRow, FaceTable, TableError
from faceheads.table_io import iterate_table, write_table

from .earlier import EarlierRows
from .face import LANDMARK_SCHEMES

_SHARD_NAME = re.compile(r"part-[0-9]{5,}\.parquet")


@dataclass(frozen=True)
class Shard:
    """One shard: where it goes, its images (path, sha256 where known), and the paths that are to be computed."""

    path: Path
    images: list[tuple[str, str]]
    missing: list[str]


@dataclass(frozen=True)
class ShardFolder:
    """``NAME.parts/``, the shards of the table ``NAME`` until it is complete.

    Attributes
    ----------
    output : Path
        The table: ``NAME.parquet``, ``NAME.csv`` or a folder.
    """

    output: Path

    @property
    def folder(self) -> Path:
        """Where the shards lie."""
        return self.output.with_name(f"{self.output.name}.parts")

    def check_output(self) -> None:
        """Refuse to replace a folder that holds anything but a table.

        Raises
        ------
        TableError
            If the table is to be a folder that has other files or folders in it.
        """
        others = [name for name in _names_in(self.output) if not _SHARD_NAME.fullmatch(name)]
        if others:
            raise TableError(
                f"{self.output} holds other things than a feature table, for example {others[0]!r}. "
                "Choose another name for --save_feature."
            )

    def make(self) -> None:
        """Make the folder, so that a place that cannot be written to is noticed before anything is computed.

        Raises
        ------
        TableError
            If it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TableError(f"--save_feature {self.output} cannot be written: {error.strerror}.") from error

    def remove(self) -> None:
        """Forget what an earlier run left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def earlier_tables(self) -> list[Path]:
        """Shards of a run that was stopped, and the finished table of one that was not."""
        for leftover in self.folder.glob(".*.tmp"):
            leftover.unlink()
        finished = [self.output] if self.output.is_file() or _names_in(self.output) else []
        return sorted(self.folder.glob("*.parquet")) + finished

    def set_aside(self, tables: Sequence[Path]) -> list[Path]:
        """The tables, shards under another name: new ones must never overwrite rows that are still to be read."""
        return [self._set_aside(table) if table.name.startswith("part-") else table for table in tables]

    def _set_aside(self, table: Path) -> Path:
        if table.parent != self.folder:
            return table
        return table.rename(table.with_name(f"earlier-{uuid.uuid4().hex}.parquet"))

    def plan(self, images: Sequence[tuple[str, str]], shard_size: int, earlier: EarlierRows) -> Iterator[Shard]:
        """The shards to make of images (path, sha256); none where the finished table is exactly what is wanted."""
        if self.output.exists() and earlier.file_of_exactly(images) == self.output:
            return
        for number, start in enumerate(range(0, len(images), shard_size)):
            chosen = list(images[start : start + shard_size])
            missing = [path for path, sha256 in chosen if sha256 not in earlier]
            yield Shard(self.folder / f"part-{number:05d}.parquet", chosen, missing)

    def write(self, shard: Shard, computed: dict[str, list[FaceRow]], earlier: EarlierRows, spec: TableSpec) -> None:
        """Write a shard from the rows computed now, by path, and those of earlier."""
        same = None if computed else earlier.file_of_exactly(shard.images)
        if same is not None and same != self.output:
            earlier.rename(same, shard.path)
            return
        rows: list[FaceRow] = []
        for path, sha256 in shard.images:
            rows += computed[path] if path in computed else earlier.rows(path, sha256)
        write_table(shard.path, FaceTable.from_rows(rows, LANDMARK_SCHEMES[spec.embedder.landmark_scheme], spec))

    def join(self, n_shards: int) -> None:
        """Make the table of the first shards, and remove the folder."""
        files = [self.folder / f"part-{number:05d}.parquet" for number in range(n_shards)]
        for stale in set(self.folder.glob("*.parquet")) - set(files):
            stale.unlink()
        if self.output.suffix == "":
            self.check_output()
            shutil.rmtree(self.output, ignore_errors=True)
            self.folder.rename(self.output)
            return
        write_table(self.output, (piece for file in files for piece in iterate_table(file)))
        shutil.rmtree(self.folder)


def _names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
