"""What an experiment remembers of the code it ran on, from a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from spanloop.eval._git import repo_info


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two commits, the newer one tagged, as the folder one is in."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"AUTHOR_NAME": "ada", "AUTHOR_EMAIL": "ada@example.com"}.items():
        monkeypatch.setenv(f"GIT_{name}", value)
        monkeypatch.setenv(f"GIT_{name.replace('AUTHOR', 'COMMITTER')}", value)
    git("init", "--quiet", "--initial-branch=faster")
    for number in (1, 2):
        (tmp_path / "prompt.txt").write_text(f"prompt {number}\n")
        git("add", "prompt.txt")
        git("commit", "--quiet", f"--message=prompt {number}")
    git("tag", "v2")
    return tmp_path


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_commit_branch_tag_and_ancestors_are_known(repository: Path) -> None:
    found = repo_info()
    assert found.pop("commit_time")
    assert found == {
        "commit": git("rev-parse", "HEAD"),
        "author_name": "ada",
        "author_email": "ada@example.com",
        "commit_message": "prompt 2\n",
        "branch": "faster",
        "tag": "v2",
        "dirty": False,
        "ancestors": [git("rev-parse", "HEAD~1")],
    }


def test_changes_are_kept_and_files_that_git_does_not_know_are_none(repository: Path) -> None:
    (repository / "new.txt").write_text("new")
    assert repo_info()["dirty"] is False
    (repository / "prompt.txt").write_text("prompt 3\n")
    found = repo_info()
    assert (found["dirty"], "+prompt 3" in found["git_diff"]) == (True, True)


def test_without_a_branch_it_is_head(repository: Path) -> None:
    git("checkout", "--quiet", "--detach", "HEAD~1")
    found = repo_info()
    assert (found["branch"], "tag" in found) == ("HEAD", False)


def test_settings_say_what_is_collected(repository: Path) -> None:
    assert repo_info({"collect": "none"}) == {}
    assert repo_info({"collect": "some", "fields": ["branch", "dirty"]}) == {"branch": "faster", "dirty": False}


def test_outside_of_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert repo_info() == {}
