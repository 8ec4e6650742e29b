"""Photos in, aligned faces and their embeddings out."""
