"""What stages and durations are called before a person."""

_STAGES = {
    "download": "get the images",
    "split": "check and divide the images",
    "candidates": "list the backbones to try",
    "candidate_features": "try a backbone",
    "backbone": "get the backbone",
    "features": "compute features",
    "scratch": "train a small network",
    "scratch_augmented": "train a small network on varied images",
    "feature_extraction": "fit a head on the features",
    "feature_extraction_augmented": "train a head on varied images",
    "fine_tuned": "fine-tune the backbone",
    "evaluate": "measure it on the test images",
    "label_issues": "look for wrong labels",
    "cross_validation": "cross-validate the head",
    "decisions": "choose when it does not know",
    "report": "write the report",
    "classifier": "pack the classifier",
}


def words_of(stage: str) -> str:
    """What a stage does, in some words; empty for one that is not of this pipeline."""
    return _STAGES.get(stage.partition("@")[0], "")


def duration(seconds: float) -> str:
    """A duration as somebody says it: "4 s", "2 min 10 s", "1 h 5 min"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def about(seconds: float) -> str:
    """A duration that nobody knows exactly: of more than a minute tens of seconds, of more than ten whole minutes."""
    step = 1 if seconds < 60 else 10 if seconds < 600 else 60
    found = max(1, round(seconds / step)) * step
    text = duration(found)
    return f"about {text.removesuffix(' 0 s')}"
