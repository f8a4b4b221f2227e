"""What `smallset export` says of words that it does not know."""

import sys

import pytest

from stages.export import main


def test_a_wrong_word_is_answered_with_the_options_that_a_person_has(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["export", "--directory", "m", "--output", "o", "--format", "foo"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert said.startswith("usage: smallset export [OPTIONS]; --help names them\n")
    assert "argument --format: invalid choice: 'foo'" in said
    assert "--directory" not in said
