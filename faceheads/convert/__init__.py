"""Old pickled models to head files, without executing them: ``python -m faceheads.convert OLD.pkl NEW.skops``."""
