"""`flows.retraining.pins`: a server that asks for a run does not choose whose code is run, nor where."""

import os

import pytest

from flows.errors import FlowError
from flows.retraining import pins

HERE = {"repository": "git@host:birds.git", "branch": "main", "checkout": "/srv/birds", "workers": None}


@pytest.fixture
def asked(monkeypatch) -> None:
    """As within a run of a deployment, on a machine that pins nothing yet."""
    monkeypatch.setattr(pins, "deployment", type("Deployment", (), {"id": "1"}))
    for name, variable in pins.VARIABLES.items():
        monkeypatch.setenv(variable, f"of before: {name}")
        monkeypatch.delenv(variable)


@pytest.mark.usefixtures("asked")
def test_the_places_that_are_pinned_are_taken():
    pins.pin(HERE)
    pins.refuse_others(HERE)
    pins.pin(HERE | {"checkout": None, "workers": "tcp://scheduler:8786"})
    assert pins.VARIABLES["checkout"] not in os.environ
    pins.refuse_others(HERE | {"checkout": None, "workers": "tcp://scheduler:8786"})


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository", "https://evil.example/x.git"),
        ("repository", "."),
        ("branch", "pull/7"),
        ("checkout", "/home/somebody/work"),
        ("checkout", None),
        ("workers", "tcp://evil.example:8786"),
    ],
)
def test_any_other_is_one_line(name, value):
    pins.pin(HERE)
    with pytest.raises(FlowError, match=rf"^{name}: a run that a server asks for does not choose it, SMALLSET_"):
        pins.refuse_others(HERE | {name: value})


@pytest.mark.usefixtures("asked")
def test_a_worker_that_pins_no_repository_runs_none():
    with pytest.raises(FlowError, match=r"^SMALLSET_REPOSITORY: expected the repository that this worker may run"):
        pins.refuse_others(HERE)


@pytest.mark.usefixtures("asked")
def test_a_folder_is_the_same_one_however_it_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMALLSET_REPOSITORY", ".")
    pins.refuse_others({"repository": str(tmp_path), "branch": "main", "checkout": None, "workers": None})


def test_a_run_of_a_person_goes_where_the_person_says():
    pins.refuse_others({"repository": "https://host/x.git", "branch": "any", "checkout": None, "workers": None})


@pytest.mark.usefixtures("asked", "prefect_server")
def test_a_refused_run_fails_and_clones_nothing(project, tmp_path):
    from flows.retraining.retrain import retrain

    pins.pin(HERE | {"checkout": str(tmp_path / "checkout")})
    state = retrain(str(project), checkout=str(tmp_path / "checkout"), return_state=True)
    assert (state.name, state.message.split(":")[0]) == ("Failed", "repository")
    assert not (tmp_path / "checkout").exists()
