"""What looks on at a training: TensorBoard, pictures of embeddings, the line on stderr."""

from contextlib import closing

import pandas as pd
import pytest

from finetune import history
from finetune.embedding_pictures import EmbeddingPictures, picture_path
from finetune.progress_bar import ProgressBar
from finetune.tensorboard import FOLDER, TensorBoard
from tests.finetune.test_loop import Killed, Killer, trainer_in

LABELS = pd.Series(pd.Categorical(list("ababab")))


def scalars_of(folder):
    """Step and value of each scalar, by name, as TensorBoard itself reads them."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder / FOLDER), {"images": 0, "scalars": 0}).Reload()
    scalars = {name: [(e.step, e.value) for e in events.Scalars(name)] for name in events.Tags()["scalars"]}
    return scalars, [event.step for event in events.Images("embeddings")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_has_what_the_csv_files_have_also_after_a_kill(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "LOG_EVERY", 1)  # so that a step is logged, lost, and logged again
    with closing(TensorBoard(tmp_path)) as board, pytest.raises(Killed):
        trainer_in(tmp_path, EmbeddingPictures(tmp_path, LABELS), board, Killer(5)).run()
    with closing(TensorBoard(tmp_path)) as board:
        again = trainer_in(tmp_path, EmbeddingPictures(tmp_path, LABELS), board)
        again.resume()
        again.run()
    scalars, pictures = scalars_of(tmp_path)
    steps, epochs = pd.read_csv(tmp_path / "steps.csv"), pd.read_csv(tmp_path / "epochs.csv")
    assert [step for step, _ in scalars["step/loss"]] == steps["step"].tolist() == list(range(1, 7))
    assert [value for _, value in scalars["step/loss"]] == pytest.approx(steps["loss"].tolist())
    assert [value for _, value in scalars["validation/score"]] == pytest.approx(epochs["score"].tolist())
    best = epochs["score"].cummin().drop_duplicates().index
    assert pictures == epochs["step"][best].tolist()
    assert [picture_path(tmp_path, epoch).is_file() for epoch in epochs["epoch"]] == [i in best for i in epochs.index]


def test_a_resumed_bar_does_not_count_the_steps_of_before_into_the_pace(tmp_path, capsys):
    with closing(ProgressBar()) as bar, pytest.raises(Killed):
        trainer_in(tmp_path, bar, Killer(5)).run()
    with closing(ProgressBar()) as bar:
        again = trainer_in(tmp_path, bar)
        again.resume()
        again.run()
        assert (bar._bar.initial, bar._bar.n, bar._bar.total) == (4, 6, 6)
    assert "epoch=2, score=" in capsys.readouterr().err
