"""`flows.run.in_turn`: stages that can go on no more, on a place that only pretends to run any."""

from types import SimpleNamespace

import pytest

from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult
from flows.execution.stage_task import Here, state_of
from flows.project.graph import StageNode
from flows.run import in_turn

STAGES = [StageNode(name, upstream, False, ()) for name, upstream in (("a", ()), ("b", ()), ("c", ("a", "b")))]


class Place(Here):
    """Ends what it is told at once, and everything else never."""

    def __init__(self, ends: tuple[str, ...], gone: bool = False, refuses: FlowError | None = None) -> None:
        super().__init__()
        self.ends, self.gone, self.refuses = ends, gone, refuses
        self.submitted: list[str] = []
        self.looks = 0

    def submit(self, name, wait_for):
        self.submitted.append(name)
        return SimpleNamespace(add_done_callback=lambda tell: tell(None) if name in self.ends else None)

    def settle(self, name, future):
        return state_of(StageResult(name, Outcome.STOPPED if self._stop.is_set() else Outcome.RAN))

    def look(self) -> None:
        self.looks += 1
        if self.gone and self.looks == 3:
            raise FlowError("no worker")

    def lost(self):
        return self.refuses if self.submitted else None


@pytest.fixture(autouse=True)
def soon(monkeypatch) -> None:
    monkeypatch.setattr(in_turn, "_LOOK", 0.01)


def run(place: Place, width: int = 2) -> list[StageResult]:
    taken: list[StageResult] = []
    try:
        in_turn.run_in_order(STAGES, width, place, taken.append, frozenset())
    finally:
        place.taken = [(one.name, one.outcome) for one in taken]
    return taken


def test_who_waits_for_a_stage_that_cannot_end_hears_of_it_and_all_are_stopped():
    place = Place(ends=("a",), gone=True)
    with pytest.raises(FlowError, match="no worker"):
        run(place)
    assert place.submitted == ["a", "b"]
    assert place.taken == [("a", Outcome.RAN), ("b", Outcome.STOPPED)]


def test_where_no_more_can_begin_what_is_at_work_ends_first():
    place = Place(ends=("a", "b", "c"), refuses=FlowError("the server is gone"))
    with pytest.raises(FlowError, match="the server is gone"):
        run(place)
    assert place.taken == [("a", Outcome.RAN), ("b", Outcome.RAN)]
    assert "c" not in place.submitted


def test_all_are_done_in_turn():
    place = Place(ends=("a", "b", "c"))
    assert [one.name for one in run(place, width=1)] == place.submitted == ["a", "b", "c"]
