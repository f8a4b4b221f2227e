"""The section `feature_extraction` of params.yaml as committed."""

from pathlib import Path

import yaml

from stages.lib.core.model_sections import FeatureExtractionParams

_PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
HEAD = FeatureExtractionParams.model_validate(yaml.safe_load(_PARAMS.read_text(encoding="utf-8"))["feature_extraction"])
