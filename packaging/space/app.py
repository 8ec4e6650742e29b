"""The faceheads app as a Hugging Face Space: this file and requirements.txt, nothing else."""

import sys

from faceheads.features.cli import app_main

if __name__ == "__main__":
    sys.exit(app_main(["--host", "0.0.0.0", "--port", "7860", "--behind_proxy", "--rate", "30"]))
