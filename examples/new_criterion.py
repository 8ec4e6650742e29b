# %% [markdown]
# # A new binary criterion in ten lines
# Any column of any CSV whose first column is the photo's path can be learned. Here the criterion is made up from two
# annotated columns of the sample table that ships with the project (UTKFace, research use): "a woman over 40".
# Run as a script, or cell by cell in an editor that knows `# %%`.

# %%
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from faceheads import load_table

DATA = Path(__file__).parents[1] / "faceheads" / "data"

# %%
X, y, groups = load_table(DATA / "sample.parquet", DATA / "sample_labels.csv")
criterion = ((y["gender"] == "female") & (y["age"] > 40)).to_numpy()

head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000, class_weight="balanced"))
guess = cross_val_predict(head, X, criterion, groups=groups, cv=GroupKFold(5))

# %%
print(f"{criterion.mean():.1%} of {len(X)} faces fulfil the criterion")
print(f"accuracy          {(guess == criterion).mean():.3f}   (always 'no': {1 - criterion.mean():.3f})")
print(f"balanced accuracy {balanced_accuracy_score(criterion, guess):.3f}   (always 'no': 0.500)")
