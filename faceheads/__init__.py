"""Tables of face embeddings in, decisions with known errors out.

``faceheads`` never looks at a picture: it reads the feature tables that ``features`` writes, trains
scikit-learn heads on them, measures them and keeps them on disk. Importing it touches neither disk nor network.
"""

__version__ = "0.1.0"
