"""What `smallset show` tells of a run, as lines to read."""

from collections.abc import Iterator, Mapping
from typing import Any

_INTERVAL = ("accuracy", "balanced_accuracy", "roc_auc", "average_precision")


def lines_of(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines, still to be made `visible`.

    Args:
        found: as of `flows.registry.show.describe`.
    """
    source, data, decision = found["source"], found["data"], found["decision"]
    yield f"{found['run']} on {found['branch'] or 'no branch'}, commit {found['commit'][:12]}"
    yield _row("started", f"{found['started']} ({_seconds(found['seconds'])})")
    yield _row("code", " ".join(str(source.get(key, "")) for key in ("commit", "author", "date", "subject")))
    yield _row("outcome", found["outcome"])
    yield _row("data", ", ".join(f"{key} {data[key]}" for key in ("source", "path", "url") if key in data))
    yield _row("archive", data["archive"] or "none made by this run")
    for subset, classes in data["classes"].items():
        yield _row(f"  {subset}", ", ".join(f"{name} {count}" for name, count in classes.items()))
    for where, title in (("other_than_default", "not default"), ("other_than_commit", "not as committed")):
        for key, (before, after) in found["parameters"][where].items():
            yield _row(title, f"{key}: {before} -> {after}")
    machine = found["machine"]
    yield _row("machine", ", ".join(str(machine[key]) for key in ("system", "processor", "cores") if key in machine))
    for stage in found["stages"]:
        yield _row("  stage", f"{stage['name']}: {stage['outcome']}, {_seconds(stage['seconds'])}")
    for model, figures in found["metrics"].items():
        mark = " (recommended)" if model == found["recommended"] else ""
        yield _row("model", f"{model}{mark}: {', '.join(_figures(figures))}")
    for text in found["cautions"]:
        yield _row("caution", text)
    yield _row("decision", f"{decision.get('decision', 'none')}: {decision.get('reason', '')}")
    for one in found["promotions"]:
        instead = f", in place of {one['replaced']['version']} ({one['replaced']['run']})" if one["replaced"] else ""
        yield _row("use", f"{one['version']}: {one['action']} at {one['at']} by {one['by']}: {one['why']}{instead}")
    yield _row("in use now", "yes" if found["in_use"] else "no")
    yield _row("model file", f"{found['model']['path']}, {found['model']['checksum'] or 'of an earlier run'}")
    yield _row("get it", found["model"]["get"])


def _row(name: str, text: str) -> str:
    return f"{name:17} {text}"


def _seconds(value: float | None) -> str:
    return "no time known" if value is None else f"{value:,.0f} s"


def _figures(figures: Mapping[str, float]) -> Iterator[str]:
    for name in _INTERVAL:
        if name in figures:
            low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
            interval = f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else ""
            yield f"{name.replace('_', ' ')} {figures[name]:.3f}{interval}"
