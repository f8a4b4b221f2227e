"""`flows.project.source`: what has changed at an address is noticed, by what its server says."""

import shutil
import socket
from pathlib import Path

import pytest
import yaml

from flows.errors import FlowError
from flows.project import source
from flows.project.git import git
from tests.flows.versions_project import GATE, checkout, retrain, saved


def write_params(folder: Path, address: str, **more) -> None:
    download = {"path": "sources", "source": "url", "url": address, "sha256": None} | more
    params = {"download": download, "train": {"epochs": 1}, "gate": GATE}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


@pytest.fixture
def here(tmp_path, monkeypatch, site):
    monkeypatch.chdir(tmp_path)
    write_params(tmp_path, f"{site.address}/images.zip")
    site.headers = {"ETag": '"one"', "Content-Length": "0"}
    return tmp_path


def test_only_what_has_changed_is_new(here, site):
    assert source.look()
    noted = source.STATE.read_bytes()
    assert not source.look()
    assert source.STATE.read_bytes() == noted
    site.headers["ETag"] = '"two"'
    assert source.look()
    assert not source.look()
    site.headers = {"Last-Modified": "Mon, 23 Nov 2026 03:00:00 GMT"}
    assert source.look()
    assert not source.look()


def test_what_a_power_loss_left_of_the_note_is_written_anew(here):
    source.look()
    source.STATE.write_text("")
    assert source.look()
    assert not source.look()


def test_a_server_that_only_knows_get_is_asked_so(here, site):
    site.refused = {"HEAD"}
    assert source.look()
    assert not source.look()


@pytest.mark.parametrize("more", [{"source": "sample"}, {"source": "folder"}, {"sha256": "0" * 64}, {"url": None}])
def test_other_sources_need_no_look(here, site, more):
    write_params(here, f"{site.address}/images.zip", **more)
    site.status = 500
    assert not source.look()


def test_an_address_that_says_nothing_is_one_line(here, site):
    site.headers = {}
    with pytest.raises(FlowError, match="neither an ETag, a date nor a length"):
        source.look()
    site.status = 404
    with pytest.raises(FlowError, match=r"^download\.url: http://127\.0\.0\.1:\d+/images\.zip: .*404[^\n]*$"):
        source.look()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        write_params(here, f"http://127.0.0.1:{closed.getsockname()[1]}/images.zip")
        with pytest.raises(FlowError, match=r"^download\.url: http[^\n]*refused[^\n]*$"):
            source.look()


@pytest.mark.usefixtures("prefect_server")
def test_a_scheduled_run_notices_a_change_and_a_fresh_checkout_none(project, site):
    site.headers = {"ETag": '"one"'}
    write_params(project, f"{site.address}/images.zip")
    dvc_yaml = yaml.safe_load((project / "dvc.yaml").read_text())
    dvc_yaml["stages"]["train"]["deps"].append("${download.path}")
    (project / "dvc.yaml").write_text(yaml.safe_dump(dvc_yaml))
    (project / "sources").mkdir()
    (project / "sources" / "README.md").write_text("Images")
    with (project / ".gitignore").open("a") as ignore:
        ignore.write("/sources/.source.json\n")
    git("add", "--all", folder=project)
    git("commit", "--quiet", "--message", "An address", folder=project)
    git("push", "--quiet", "origin", "main", folder=project)
    assert retrain(project)[0] == "Promoted"
    shutil.rmtree(checkout(project))
    assert retrain(project)[0] == "UpToDate"
    site.headers = {"ETag": '"two"'}
    assert retrain(project)[0] == "Unchanged"
    assert saved(project) == [("trained", "unchanged"), ("trained", "promoted")]
    assert (checkout(project) / ".smallset" / "starts").read_text() == "0\n"
