"""The command line as a whole: help, usage, exit codes, what a terminal gets."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import micrograd_nn
from micrograd_nn import cli
from micrograd_nn.cli import draw, main, train

COMMANDS = list(cli.COMMANDS)
ROOT = Path(micrograd_nn.__file__).resolve().parents[1]


def start(*arguments, **options):
    """Start micrograd-nn as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "micrograd_nn", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


# --- Help and usage -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_an_example(mn, command):
    result = mn(command, "--help")
    assert result.code == 0
    assert result.err == ""
    assert f"example{'s' * ('examples' in result.out)}:\n  micrograd-nn {command}" in result.out


def test_the_help_lists_all_commands(mn):
    result = mn("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert re.search(rf"^    {command} ", result.out, re.M)


def test_the_help_of_train_says_where_iris_is(mn):
    out = mn("train", "--help").out
    path = next(line.strip() for line in out.splitlines() if line.strip().endswith("iris.csv"))
    assert Path(path).is_file()


def test_version(mn):
    result = mn("--version")
    assert (result.code, result.out) == (0, f"micrograd-nn {micrograd_nn.__version__}\n")


def test_without_a_command_it_shows_the_help_and_is_bad_usage(mn):
    result = mn()
    assert result.code == 2
    assert result.out.startswith("usage: micrograd-nn")
    assert result.error.startswith("micrograd-nn: error: name a command: demo, train")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "there is no command 'trian'; did you mean train?"),
        (["xyzzy"], "there is no command 'xyzzy'; there are demo, train"),
        (["(" * 6_000], "there is no command '" + "(" * 39 + "…'"),
        (["--frobnicate"], "unknown arguments: --frobnicate"),
        (["demo", "--frobnicate"], "unknown arguments: --frobnicate (see micrograd-nn demo --help"),
        (["demo", "more"], "unknown arguments: more"),
        (["demo", "--epochs", "0"], "a whole number from 1 is needed, not '0'"),
        (["demo", "--epochs", "many"], "a whole number from 1 is needed, not 'many'"),
        (["demo", "--epochs", "9" * 5000], "a whole number from 1 is needed"),
        (["demo", "--seed", "-1"], "a whole number from 0 is needed, not '-1'"),
        (["demo", "--epochs"], "expected one argument"),
        (["train"], "required: DATA.csv, --target"),
        (["train", "a.csv"], "required: --target"),
        (["train", "a.csv", "--target", "y", "--lr", "0"], "a number above 0 is needed, not '0'"),
        (["train", "a.csv", "--target", "y", "--lr", "nan"], "above 0 is needed, not 'nan'"),
        (["train", "a.csv", "--target", "y", "--lr", "inf"], "above 0 is needed, not 'inf'"),
        (["train", "a.csv", "--target", "y", "--test-size", "1"], "below 1 is needed, not '1'"),
        (["train", "a.csv", "--target", "y", "--hidden", "16;16"], "such as 16,16"),
        (["train", "a.csv", "--target", "y", "--hidden", "0"], "such as 16,16"),
        (["train", "a.csv", "--target", "y", "--activation", "rely"], "invalid choice: 'rely'"),
        (["train", "a.csv", "--target", "y", "--columns", "a,,b"], "different names"),
        (["train", "a.csv", "--target", "y", "--columns", '"a'], "no list of names"),
        (["train", "a.csv", "--target", "y", "--columns", "y"], "can't be one of --columns too"),
        (["train", "a.csv", "--target", "y", "--regression", "--classification"], "not allowed"),
        (["predict"], "required: MODEL.npz, DATA.csv"),
        (["data", "roses"], "invalid choice: 'roses'"),
        (["data", "iris", "-n", "3"], "iris is measured, not drawn at random: leave out -n"),
        (["draw"], "required: EXPR"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(mn, arguments, said):
    result = mn(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.error.startswith("micrograd-nn")
    assert said in result.error


def test_options_are_not_guessed_from_their_beginning(mn):
    assert mn("demo", "--qui").code == 2


# --- What goes wrong ----------------------------------------------------------------------------


def raising(error):
    def run(*_):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("two\nlines \x1b[31m"), 1, "RuntimeError: two lines ?[31m (this is a fault"),
        (MemoryError(), 1, "not enough memory"),
        (
            PermissionError(13, "Permission denied", "secret.csv"),
            2,
            "secret.csv: Permission denied",
        ),
        (OSError("odd"), 2, "odd"),
    ],
)
def test_what_goes_wrong_is_never_a_traceback(mn, monkeypatch, error, code, said):
    monkeypatch.setattr(draw, "run", raising(error))
    result = mn("draw", "x")
    assert result.code == code
    assert said in result.error


def test_a_traceback_can_be_had(mn, monkeypatch):
    monkeypatch.setattr(draw, "run", raising(RuntimeError("here")))
    monkeypatch.setenv("MICROGRAD_NN_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="here"):
        mn("draw", "x")


# --- What a terminal gets -----------------------------------------------------------------------


def on_a_terminal(monkeypatch, **variables):
    """Pretend that the output is a terminal that shows colours."""
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"WT_SESSION": "1", **variables}.items():
        monkeypatch.setenv(name, value)


def test_a_pipe_gets_plain_text(mn):
    assert "\x1b" not in mn("draw", "x*y").out


def test_a_terminal_gets_colours(mn, monkeypatch):
    on_a_terminal(monkeypatch)
    assert "\x1b[1mgraph.svg\x1b[0m" in mn("draw", "x*y", "-o", "graph.svg").out
    assert "\x1b[31merror: \x1b[0m" in mn("draw", "x*").err


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_can_do_without_colours(mn, monkeypatch, variables):
    on_a_terminal(monkeypatch, **variables)
    assert "\x1b" not in mn("draw", "x*y").out
    assert "\x1b" not in mn("draw", "x*").err


# --- As a process -------------------------------------------------------------------------------


def test_a_module_that_is_run_is_the_command(folder):
    process = start("draw", "x*y", "--set", "x=2", "--set", "y=3", cwd=folder)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "value     6\n" in out


def test_the_reader_of_a_pipe_may_go(folder):
    with start("data", "circles", "-n", 50_000, cwd=folder) as process:
        assert process.stdout.readline() == "x1,x2,class\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == cli.BROKEN_PIPE


@pytest.mark.usefixtures("ctrl_c_raises")  # the process that is started inherits it
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for other processes")
def test_ctrl_c_keeps_the_model_and_it_can_be_resumed(folder, mn):
    mn("data", "moons", "-n", 1000, "-o", "moons.csv")
    common = ["train", "moons.csv", "--target", "class"]
    # Steps of one row make epochs so slow that this can't come to its end before the signal.
    process = start(*common, "--batch-size", 1, "--epochs", 1_000_000, cwd=folder)
    while not (folder / "model.npz").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    if err:  # the signal came while the first checkpoint was written
        assert err == "micrograd-nn: interrupted\n"
    else:
        assert re.search(r"saved     model\.npz, as it was after epoch \d+\n", out)
        assert "go on     micrograd-nn train moons.csv --target class -o model.npz" in out
    assert mn(*common, "--epochs", 1, "--resume").code == 0


def test_main_returns_and_never_exits(folder, capsys):
    assert main(["--help"]) == 0
    assert main(["train", "none.csv", "--target", "y"]) == 2
    assert train.EPOCHS > 0
