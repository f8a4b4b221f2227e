"""A week of a growing folder, retrained every day by the real pipeline: all of it told, nothing wrongly promoted."""

import shutil
from pathlib import Path

import pytest

from tests.flows.week_project import Week, start_week

# Ten runs of the real pipeline: a minute each, on a machine that does other things too.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.usefixtures("prefect_server")]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, prefect_server: str):
    from tests.flows.site import serving

    with serving() as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSET_WEBHOOK", site.address)
        patch.setenv("PREFECT_API_URL", prefect_server)
        yield start_week(tmp_path_factory.mktemp("week"), site)


def test_a_week(week: Week) -> None:
    try:
        live(week)
    finally:
        print(week.table())


def live(week: Week) -> None:
    first_run(week)
    growth(week)
    new_class(week)
    renamed_class(week)
    swapped_labels(week)
    truncated_files_and_a_stray_folder(week)
    emptied_folder(week)
    rollback(week)
    history(week)


def first_run(week: Week) -> None:
    for bird in ("robin", "wren"):
        week.add(bird, 200)
    day = week.retrain("Monday: the first images")
    assert (day.code, day.used, day.events()) == (0, "v1.0.0", ["promoted"]), day.said


def growth(week: Week) -> None:
    for bird in ("robin", "wren"):
        week.add(bird, 40)
    day = week.retrain("Tuesday: 80 more")
    assert (day.code, day.used, day.events()) == (0, "v1.1.0", ["promoted"]), day.said


def new_class(week: Week) -> None:
    """A person is asked, and says yes."""
    before = week.days[-1].used
    week.add("heron", 200)
    day = week.retrain("Wednesday: herons")
    assert (day.used, day.events()) == (before, ["undecided"]), day.said
    assert "knows the classes robin, wren, the new model heron, robin, wren" in day.text()
    week.by_hand("promote", "--message", "herons are wanted")


def renamed_class(week: Week) -> None:
    week.rename(wren="jenny")
    day = week.retrain("Thursday: wrens are called jenny")
    assert day.events() == ["undecided"], day.said
    assert "have changed class: 240 from wren to jenny" in day.text()
    week.rename(jenny="wren")


def swapped_labels(week: Week) -> None:
    before = week.days[-1].used
    week.rename(robin="wren", wren="robin")
    day = week.retrain("Friday: robins and wrens are swapped")
    assert (day.used, day.events()) == (before, ["undecided"]), day.said
    assert "480 of 680 images that v1.2.0 knew have changed class" in day.text()
    week.rename(robin="wren", wren="robin")


def truncated_files_and_a_stray_folder(week: Week) -> None:
    """The rest trains, and its model may be promoted."""
    before = week.days[-1].used
    for bird in ("robin", "wren"):
        week.add(bird, 10)
    for file in sorted((week.birds / "robin").iterdir())[:6]:
        file.write_bytes(file.read_bytes()[:100])
    week.add("todo", 2, bird="robin")
    (week.birds / "wren" / "lost.png").symlink_to("nowhere")
    day = week.retrain("Saturday: 6 truncated files, 2 images in todo, a broken link")
    assert (day.code, day.events()) == (0, ["promoted"]), day.said
    assert day.used != before
    assert "7 files cannot be read or decoded and were set aside" in day.text()
    assert "class 'todo': expected at least 3 images" in day.text()


def emptied_folder(week: Week) -> None:
    before, kept = week.days[-1].used, week.birds.with_name("herons")
    shutil.copytree(week.birds / "heron", kept)
    shutil.rmtree(week.birds / "heron")
    (week.birds / "heron").mkdir()
    day = week.retrain("Sunday: the folder of herons is empty")
    assert (day.used, day.events()) == (before, ["undecided"]), day.said
    assert "heron has 0 of 200" in day.text()
    assert "class 'heron': heron/ is empty" in day.text()
    shutil.rmtree(week.birds / "heron")
    shutil.copytree(kept, week.birds / "heron")


def rollback(week: Week) -> None:
    """What a person took out of use comes back by hand only; what is better meanwhile waits."""
    taken_out = week.days[-1].used
    week.by_hand("rollback", "--message", "wrong on the new camera")
    day = week.retrain("Monday: Saturday's images again, after a rollback by hand")
    assert day.used != taken_out, day.said
    assert "took out of use: wrong on the new camera" in day.text()
    back = day.used
    for bird in ("robin", "wren"):
        week.add(bird, 10)
    day = week.retrain("Tuesday: 20 more, while a person holds the version")
    assert (day.used, day.events()) == (back, ["held"]), day.said


def history(week: Week) -> None:
    code, said = week.smallset("history", "--branch", "main", folder=Path(week.project).with_name("checkout"))
    assert code == 0
    print(said)
    said = " ".join(said.split())
    for word in ("promoted", "undecided", "held", "promote, by hand", "rollback, by hand", "wrong on the new camera"):
        assert word in said, word
