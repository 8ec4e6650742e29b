"""Image files: the only place that decodes them, and the writer of PNG and JPEG. Numpy and Pillow, nothing else."""
