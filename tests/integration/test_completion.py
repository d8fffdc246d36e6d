"""The completion scripts, read and asked by the shells themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FACTLOAD = Path(sys.executable).with_name("factload")
BASH = shutil.which("bash") or "/bin/bash"
# What bash does at the Tab key: call the function that `complete` registered, with the words and the place.
TAB = """
eval "$(cat completion)"
function=$(complete -p factload | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"$function" factload "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("completion")
    (made / "completion").write_text(printed("bash"), encoding="utf-8")
    (made / "sales.yaml").write_text("")
    return made


def printed(shell: str) -> str:
    done = subprocess.run(
        [FACTLOAD, "--print-completion", shell], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def completed(folder: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [BASH, "--norc", "-c", TAB, "bash", "factload", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def options_of(*command: str) -> set[str]:
    help_text = subprocess.run(
        [FACTLOAD, *command, "--help"], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    return set(re.findall(r"(?<![\w-])--[a-z-]+", help_text.partition("options:")[2]))


def test_bash_completes_commands(folder: Path) -> None:
    assert completed(folder, "re") == {"replay", "release", "rejects"}
    assert completed(folder, "") >= {
        "check",
        "run",
        "replay",
        "release",
        "status",
        "rejects",
        "init",
        "schema",
        "doctor",
    }


@pytest.mark.parametrize("command", ["run", "check", "rejects", "init", "doctor"])
def test_bash_completes_each_command_s_own_options(folder: Path, command: str) -> None:
    assert completed(folder, command, "--") == options_of(command)


def test_bash_completes_files_where_one_is_expected(folder: Path) -> None:
    assert "sales.yaml" in completed(folder, "check", "sal")
    assert "sales.yaml" in completed(folder, "run", "sales.yaml", "--workbook", "sal")


def test_zsh_s_script_is_made_of_the_same_commands(tmp_path: Path) -> None:
    script = printed("zsh")
    assert script.startswith("#compdef factload")
    assert {"check", "replay", "--workbook", "--print-completion"} <= set(
        re.findall(r"-{0,2}[a-z][a-z-]+", script)
    )
    if zsh := shutil.which("zsh"):
        (tmp_path / "_factload").write_text(script, encoding="utf-8")
        subprocess.run([zsh, "-n", tmp_path / "_factload"], check=True, timeout=60)


def test_an_unknown_shell_is_refused() -> None:
    done = subprocess.run(
        [FACTLOAD, "--print-completion", "cmd"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "bash" in done.stderr
