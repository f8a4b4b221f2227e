"""The report together with the run that made it: report.html itself is a function of its inputs and knows no time."""

import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from flows.errors import FlowError
from flows.execution.machine import describe_machine, versions
from flows.execution.process_output import Outcome
from flows.run.provenance import RunRecord, commit_and_changes, now, read_record, remade_since
from flows.run.results import REPORT, RUN_REPORT

MARKER = "<!-- provenance of the run -->"
_NOT_DONE = frozenset({Outcome.FAILED, Outcome.STOPPED, Outcome.NOT_RUN})
_MOST = 6  # changed files named
_TEMPLATE = """\
{% macro row(name, value) %}
<tr><th scope="row">{{ name }}</th><td style="overflow-wrap: anywhere">{{ value }}</td></tr>
{% endmacro %}
{% macro where(commit, changed, machine, packages) %}
{{ row("commit", commit or "none") }}
{% if changed %}{{ row("not committed", changed[:most] | join(", ")
  ~ (" and %d more" | format(changed | length - most) if changed | length > most else "")) }}{% endif %}
{{ row("system", machine.system) }}
{{ row("processor", machine.processor) }}
{{ row("cores and memory", "%d, %.1f GB" | format(machine.cores, machine.memory / 1e9)) }}
{% if machine.gpus %}{{ row("GPU", machine.gpus | join(", ")) }}{% endif %}
{{ row("versions", packages | join(", ")) }}
{% endmacro %}
<h3>Run</h3>
{% if at_work %}<p><strong>Another run was at work</strong> when this page was written: it shows what lay here then.</p>
{% endif %}
{% if not record %}
<p>These results were made by <code>dvc repro</code> alone, in a run of which nothing is known.
This page was written {{ written }} UTC, here:</p>
{% else %}
{% if unfinished %}<p><strong>The last run did not come to an end:</strong> {{ unfinished | join(", ") }}.
{% if report_is_older %}This page shows what an earlier run left
{%- if report_made %}, made {{ report_made | time }} UTC{% endif %}: it is not of that run's pictures and parameters.
{% endif %}</p>{% endif %}
{% if remade %}<p>Since that run DVC alone has made or fetched other results of {{ remade | join(", ") }};
of their run nothing is known.</p>{% endif %}
{% endif %}
<div class="scroll" tabindex="0" role="region" aria-label="Commit, machine and versions">
<table>
<tbody>
{% if record %}
{{ row("started", record.started | time ~ " UTC") }}
{{ row("took", record.seconds | duration) }}
{% if record.flow_run %}{{ row("flow run", "%s (%s)" | format(record.flow_run.name, record.flow_run.id)) }}{% endif %}
{{ where(record.commit, record.changed, record.machine, record.packages | versions) }}
{% else %}
{{ where(commit, changed, machine, packages | versions) }}
{% endif %}
</tbody>
</table>
</div>
{% if record %}
<div class="scroll" tabindex="0" role="region" aria-label="Outcome and time of every stage">
<table>
<thead><tr><th scope="col">stage</th><th scope="col">in this run</th>
<th scope="col" class="number">its results took</th><th scope="col">and were made, UTC</th></tr></thead>
<tbody>
{% for stage in record.stages %}
<tr><th scope="row" class="name">{{ stage.name }}</th>
{% if stage.name in remade %}<td>{{ stage.outcome }}; other results since</td><td></td><td></td>
{% elif stage.outcome in not_done %}<td>{{ stage.outcome }}</td><td></td><td></td>
{% elif stage.took is none %}<td>{{ stage.outcome }}</td><td class="number">not known</td><td>not known</td>
{% else %}<td>{{ stage.outcome }}</td><td class="number">{{ stage.took | duration }}</td>
<td class="fixed">{{ stage.ended | time }}</td>
{% endif %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
"""


def write_page(output: Path = RUN_REPORT, at_work: bool = False) -> None:
    """Write a copy of the report that says which run made it, when, where, and how long each stage took.

    Args:
        at_work: whether another run is at work here now: dvc.lock is not to be read then, and the page says so.

    Raises:
        FlowError: there is no report, or it is one by an earlier Smallset.
    """
    if not REPORT.is_file():
        raise FlowError(f"{REPORT}: not found; run `smallset run` first")
    page = REPORT.read_text(encoding="utf-8")
    if MARKER not in page:
        raise FlowError(
            f"{REPORT}: expected a place for the run, found none: made by an earlier Smallset, run it again"
        )
    if output.resolve() == REPORT.resolve():
        raise FlowError(f"--output: {REPORT} is DVC's own: expected another file")
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page.replace(MARKER, _fragment(read_record(), at_work), 1), encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise FlowError(f"--output: {output} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def renew_page() -> None:
    """Write the page of the run just recorded, or take away that of an earlier one where there is no report for it."""
    if REPORT.is_file() and MARKER in REPORT.read_text(encoding="utf-8"):
        write_page()
    else:
        RUN_REPORT.unlink(missing_ok=True)


def _fragment(record: RunRecord | None, at_work: bool) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"duration": _duration, "time": _time, "versions": _versions}
    content: dict[str, Any] = {"record": record, "most": _MOST, "not_done": _NOT_DONE, "at_work": at_work}
    if record is None:
        commit, changed = commit_and_changes()
        here = {"commit": commit, "changed": changed, "machine": describe_machine(), "packages": versions()}
        content |= here | {"written": _time(now())}
    else:
        unfinished = [stage for stage in record.stages if stage.outcome in _NOT_DONE]
        content |= {
            "unfinished": [f"{stage.name} {stage.outcome}" for stage in unfinished],
            "report_is_older": any(stage.name == "report" for stage in unfinished),
            "report_made": next((stage.ended for stage in unfinished if stage.name == "report"), None),
            "remade": [] if at_work else sorted(remade_since(record)),
        }
    return environment.from_string(_TEMPLATE).render(content)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _time(moment: str) -> str:
    return moment.removesuffix("+00:00").replace("T", " ")


def _versions(packages: dict[str, str]) -> list[str]:
    return [f"{name} {version}" for name, version in packages.items()]
