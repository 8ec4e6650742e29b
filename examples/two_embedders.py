# %% [markdown]
# # Two embedders side by side
# The same photos through the network's final embedding, which was trained to tell people apart, and through pooled
# earlier stages, which know more about attributes. Give a folder of photos whose labels the project knows, for example
# UTKFace: `python -m examples.two_embedders ../shared/data/utkface/UTKFace --n 600`.

# %%
import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from faceheads.datasets import open_dataset
from features.transformer import FaceEmbedder

parser = argparse.ArgumentParser(description="Compare two embedders on the ages of a labelled folder.")
parser.add_argument("folder", type=Path)
parser.add_argument("--n", type=int, default=600, help="number of photos")
args = parser.parse_args()

# %%
dataset = open_dataset(args.folder)
labels = dataset.labels["age"].dropna().sample(args.n, random_state=0)
paths = [dataset.root / path for path in labels.index]

for name, layers in (("final embedding", "final"), ("attribute layers", "attributes")):
    X = FaceEmbedder(layers=layers, no_face="whole").fit_transform(paths)
    head = make_pipeline(StandardScaler(), RidgeCV(np.logspace(1, 5, 9)))
    guess = cross_val_predict(head, X, labels.to_numpy(), cv=KFold(5, shuffle=True, random_state=0))
    print(f"{name:<18}{X.shape[1]:>6} numbers   age off by {mean_absolute_error(labels, guess):.2f} years on average")

print(
    f"{'the median age':<31}     age off by {mean_absolute_error(labels, np.full(len(labels), labels.median())):.2f}"
)
