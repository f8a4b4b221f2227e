"""What the tools would tell their makers, turned off for this process and all that it starts.

Keras, KerasHub, TensorFlow, matplotlib, Dask, DVCLive and GTO send nothing; kagglehub asks nobody but Kaggle.
"""

from collections.abc import Mapping

# Each is read when its tool is imported; whoever sets one otherwise is asked for nothing.
SILENT: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",  # Prefect's client and command line; Hugging Face
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # Prefect's server, every ten minutes, and its page in a browser
    "DVC_NO_ANALYTICS": "1",  # DVC, of each command; its look for a newer version is off in .dvc/config
    "HF_HUB_DISABLE_TELEMETRY": "1",  # Hugging Face: which libraries are in use, with each download
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
}
