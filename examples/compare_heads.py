# %% [markdown]
# # Which head for which question?
# Every head that `train.py --head` offers, compared by cross-validation. No person and no copy of an image is on both
# sides of a fold: `groups` sees to that.

# %%
from pathlib import Path

import pandas as pd
from sklearn.model_selection import GroupKFold, cross_val_score

from faceheads import load_table
from faceheads.heads import make_head

DATA = Path(__file__).parents[1] / "faceheads" / "data"

# %%
rows = []
for target, task, scoring, kinds in (
    ("gender", "classification", "balanced_accuracy", ("logistic", "mlp", "svm")),
    ("age", "regression", "neg_mean_absolute_error", ("ridge", "mlp", "svr")),
):
    X, y, groups = load_table(DATA / "sample.parquet", DATA / "sample_labels.csv", target=target)
    if task == "classification":
        y = pd.factorize(y, sort=True)[0]
    for kind in kinds:
        head = make_head(kind, task, *X.shape)
        scores = abs(cross_val_score(head, X, y, groups=groups, cv=GroupKFold(3), scoring=scoring))
        rows.append((target, kind, scoring.removeprefix("neg_"), scores.mean(), scores.std()))

# %%
print(
    pd.DataFrame(rows, columns=["target", "head", "metric", "mean", "sd over folds"]).round(3).to_string(index=False)
)
