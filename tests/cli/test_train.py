"""micrograd-nn train and predict: from a CSV file to a model, and from a model to predictions."""

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest

from micrograd_nn import data, training
from micrograd_nn.cli import train
from micrograd_nn.cli.cards import ModelCard, load_model
from micrograd_nn.cli.data import shipped_iris
from micrograd_nn.nn import MLP


@pytest.fixture
def iris(folder):
    """Put the iris measurements into the folder."""
    shutil.copy(shipped_iris(), folder / "iris.csv")
    return folder


@pytest.fixture
def write(folder):
    """Write a CSV file: a string with one line per row."""

    def write(name, text):
        (folder / name).write_text(text, encoding="utf-8")

    return write


def line(rows=60, slope=3.0):
    """A target that is linear in x, with a second column that has nothing to do with it."""
    points = np.linspace(-5, 5, rows)
    return "x,noise,y\n" + "".join(f"{x},{np.sin(99 * x)},{slope * x + 100}\n" for x in points)


def read_rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def fact(out, name):
    return re.search(rf"^  {name} +(.*)$", out, re.M)[1]


# --- Iris, from the file to the predictions -----------------------------------------------------


def test_iris_is_learnt_and_predicted(mn, iris):
    result = mn("train", "iris.csv", "--target", "species")
    assert (result.code, result.err) == (0, "")
    assert fact(result.out, "data") == "150 rows, 4 columns to predict species by"
    assert fact(result.out, "split") == "96 rows to train on, 24 to validate, 30 held out"
    right = held_out(result)

    table = result.out[result.out.index("predicted") :].splitlines()[1:5]
    assert table[0].split() == ["actual", "setosa", "versicolor", "virginica"]
    counts = [[int(c.replace("·", "0")) for c in row.split()[1:]] for row in table[1:]]
    assert np.sum(counts, axis=1).tolist() == [10, 10, 10]
    assert np.trace(counts) == right
    assert fact(result.out, "next") == "micrograd-nn predict model.npz iris.csv"

    result = mn("predict", "model.npz", "iris.csv")
    assert result.code == 0
    assert result.error == "micrograd-nn predict: note: these columns are not used: species"
    rows = read_rows(result.out)
    assert list(rows[0]) == ["species", "p_setosa", "p_versicolor", "p_virginica"]
    actual = [row["species"] for row in read_rows((iris / "iris.csv").read_text())]
    assert np.mean([row["species"] == a for row, a in zip(rows, actual, strict=True)]) >= 0.93
    for row in rows:
        probabilities = {name[2:]: float(p) for name, p in row.items() if name != "species"}
        assert sum(probabilities.values()) == pytest.approx(1, abs=2e-6)
        assert max(probabilities, key=probabilities.get) == row["species"]


def held_out(result):
    """How many of the 30 flowers held out are named rightly."""
    return int(re.search(r"accuracy [\d.]+ %, (\d+) of 30 right", result.out)[1])


def test_what_was_held_out_is_predicted_too(mn, iris):
    options = ["train", "iris.csv", "--target", "species", "--seed"]
    assert sum(held_out(mn(*options, seed)) for seed in range(3)) >= 0.93 * 3 * 30


def test_the_same_seed_gives_the_same_model(mn, iris):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        mn("train", "iris.csv", "--target", "species", "--seed", seed, "--epochs", 3, "-o", name)
    a, b, c = (load_model(name)[0].model.state_dict() for name in "abc")
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not any(np.array_equal(a[name], c[name]) for name in a if name.endswith("W"))


def test_the_held_out_rows_are_in_no_other_part(mn, iris):
    settings = dict(train.DEFAULTS)
    table = data.read_csv("iris.csv", "species")
    parts = train.split(table, settings)
    rows = [X for X, _ in (parts.train, parts.stopping, parts.test)]
    assert [len(X) for X in rows] == [96, 24, 30]
    everything = parts.card.standardised(table.X)
    both = np.vstack(rows)
    assert np.array_equal(np.sort(both, axis=0), np.sort(everything, axis=0))
    # Standardised by the training part alone.
    assert np.allclose(rows[0].mean(axis=0), 0, atol=1e-12)
    assert np.allclose(rows[0].std(axis=0), 1)
    assert not np.allclose(rows[2].mean(axis=0), 0, atol=1e-3)


def test_a_model_file_needs_no_pickle(mn, iris):
    mn("train", "iris.csv", "--target", "species", "--epochs", 2)
    with np.load("model.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


# --- Predicting ---------------------------------------------------------------------------------


@pytest.fixture
def model(mn, iris):
    """Train a little on iris."""
    assert mn("train", "iris.csv", "--target", "species", "--epochs", 20).code == 0
    return "model.npz"


def test_columns_are_found_by_name(mn, model, write, folder):
    write("a.csv", "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n")
    write("b.csv", "id;petal_width;petal_length;sepal_length;sepal_width\nx7;0.2;1.4;5.1;3.5\n")
    a, b = mn("predict", model, "a.csv"), mn("predict", model, "b.csv")
    assert a.err == ""
    assert b.error.endswith("note: these columns are not used: id")
    assert a.out == b.out
    assert a.out.splitlines()[1].startswith("setosa,")


def test_predictions_go_to_a_file(mn, model, folder):
    result = mn("predict", model, "iris.csv", "-o", "out.csv")
    assert "out.csv, 150 predictions" in result.out
    assert (folder / "out.csv").read_text() == mn("predict", model, "iris.csv").out


def test_predictions_that_cannot_be_written_are_one_line(mn, model):
    result = mn("predict", model, "iris.csv", "-o", "nowhere/out.csv")  # one column isn't used
    assert result.code == 2
    assert result.error.endswith("nowhere/out.csv: it can't be written: there is no folder "
        "'nowhere': make it first")  # fmt: skip


def test_a_terminal_gets_the_first_rows_as_a_table(mn, model, monkeypatch):
    monkeypatch.setattr("micrograd_nn.cli.terminal.is_terminal", lambda stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    out = mn("predict", model, "iris.csv").out
    assert out.splitlines()[0].split() == ["row", "species", "setosa", "versicolor", "virginica"]
    assert out.splitlines()[20].split()[:2] == ["20", "setosa"]
    assert "130 more rows; -o FILE or a pipe gets all as CSV" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sepal_length,sepal_width,petal_length\n1,2,3\n",
         "new.csv, line 1, column 'petal_width': there is no such column"),
        ("sepal_length,sepal_width,petal_length,petal_width\n1,2,3,\n",
         "new.csv, line 2, column 'petal_width': the value is missing"),
        ("sepal_length,sepal_width,petal_length,petal_width\n1,2,3,4\n1,2,x,4\n",
         "new.csv, line 3, column 'petal_length': expected a number, found 'x'"),
        ("sepal_length,sepal_width,petal_length,petal_width\n",
         "new.csv, line 1: there is a header but no row below it"),
        ("sepal_length,sepal_width,petal_length,petal_width\n1,2,3,1e308\n1,2,3,-1.7e308\n",
         "new.csv: column 'petal_width' has a number that is too large"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used_are_an_error(mn, model, write, content, said):
    write("new.csv", content)
    result = mn("predict", model, "new.csv")
    assert (result.code, result.out) == (2, "")
    assert said in result.error


def test_models_that_cannot_be_used_are_an_error(mn, model, folder, write):
    write("text.npz", "no archive")
    np.savez(folder / "other.npz", a=np.ones(3))
    training.save("bare.npz", MLP(2, [1]))
    card = json.loads(load_model(model)[1].to_json())
    training.save("odd.npz", MLP(2, [1]), extra={"card": json.dumps({**card, "scale": [1.0]})})
    full = (folder / model).read_bytes()
    (folder / "cut.npz").write_bytes(full[: len(full) // 2])
    for name, said in {
        "none.npz": "none.npz: there is no such file",
        ".": ".: this is a folder",
        "text.npz": "text.npz: it is no .npz archive",
        "other.npz": "other.npz: it isn't a checkpoint of micrograd_nn",
        "cut.npz": "cut.npz: it is no .npz archive, or was cut off",
        "bare.npz": "bare.npz: it doesn't say which columns it needs",
        "odd.npz": "odd.npz: what it says of its data makes no sense",
    }.items():
        result = mn("predict", name, "iris.csv")
        assert (result.code, result.out) == (2, "")
        assert said in result.error


def test_what_is_read_is_never_overwritten(mn, model, iris):
    before = (iris / "iris.csv").read_bytes()
    for arguments in (
        ["predict", model, "iris.csv", "-o", "./iris.csv"],
        ["predict", model, "iris.csv", "-o", model],
        ["train", "iris.csv", "--target", "species", "-o", "iris.csv"],
    ):
        result = mn(*arguments)
        assert result.code == 2
        assert "this is the file that is read" in result.error
    assert (iris / "iris.csv").read_bytes() == before


def test_a_card_survives_its_text():
    card = ModelCard("y", ("a", "b"), "logits", ("u", "v"), (0.1, 0.2), (1e-300, 3.0))
    assert ModelCard.from_json(card.to_json()) == card


# --- Other data ---------------------------------------------------------------------------------


def test_two_classes(mn, folder):
    mn("data", "moons", "-n", 300, "-o", "moons.csv")
    out = mn("train", "moons.csv", "--target", "class", "--epochs", 60).out
    assert float(re.search(r"accuracy ([\d.]+) %", out)[1]) >= 95
    assert "→ 2 with relu" in fact(out, "network")


def test_a_regression(mn, write, folder):
    write("line.csv", line())
    result = mn("train", "line.csv", "--target", "y", "--epochs", 150, "--lr", 0.02)
    assert (result.code, result.err) == (0, "")
    assert float(re.search(r"R² ([\d.-]+) on 12 rows", result.out)[1]) > 0.98
    assert "→ 1 with relu" in fact(result.out, "network")
    write("new.csv", "noise,x\n0,-2\n0,2\n")
    rows = read_rows(mn("predict", "model.npz", "new.csv").out)
    assert list(rows[0]) == ["y"]
    assert [float(row["y"]) for row in rows] == pytest.approx([94, 106], abs=2)


def test_a_linear_model_of_chosen_columns(mn, write):
    write("line.csv", line().replace("noise", "id").replace(",-", ",a-"))
    options = ["--hidden", "none", "--columns", "x", "--regression", "--lr", 0.05]
    result = mn("train", "line.csv", "--target", "y", *options)
    assert fact(result.out, "network") == "1 → 1, 2 parameters"
    assert "R² 1.000" in result.out


def test_numbers_are_classes_or_not_as_asked(mn, write):
    rows = "".join(f"{k / 7},{k % 2}\n" for k in range(40))
    write("bits.csv", "x,y\n" + rows)
    for option, said in (("--regression", "R²"), ("--classification", "accuracy")):
        assert said in mn("train", "bits.csv", "--target", "y", option, "--epochs", 2).out


def test_all_rows_can_be_trained_on(mn, iris):
    out = mn("train", "iris.csv", "--target", "species", "--epochs", 2, "--test-size", 0).out
    assert fact(out, "split") == "120 rows to train on, 30 to validate"
    assert "of 120 right" in fact(out, "training")


def test_few_rows(mn, write):
    write("few.csv", "x,y\n0,a\n1,b\n2,a\n3,b\n")
    result = mn("train", "few.csv", "--target", "y", "--epochs", 3)
    assert result.code == 0
    assert fact(result.out, "split") == "3 rows to train on, 1 held out"


def test_many_classes_are_listed(mn, write):
    rows = "".join(f"{k % 12},c{k % 12:02}\n" for k in range(120))
    write("many.csv", "x,y\n" + rows)
    out = mn("train", "many.csv", "--target", "y", "--epochs", 2).out
    assert "most often taken for" in out
    assert "and 6 more" in fact(out, "classes")


def test_names_from_a_file_cannot_control_the_terminal(mn, write):
    write("odd.csv", "x,y\n" + "1,a\x1b[2J\n2,日本\n" * 10)
    out = mn("train", "odd.csv", "--target", "y", "--epochs", 2).out
    assert "\x1b" not in out
    assert "a?[2J" in out


# --- What goes wrong ----------------------------------------------------------------------------

TABLE = "a,b,kind\n1,2,u\n3,4,v\n5,6,u\n"


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (None, ["--target", "kind"], "data.csv: there is no such file"),
        ("", ["--target", "kind"], "data.csv: the file is empty"),
        (TABLE, ["--target", "knd"],
         "data.csv, line 1, column 'knd': there is no such column; did you mean 'kind'?"),
        (TABLE, ["--target", "kind", "--columns", "a,c"],
         "data.csv, line 1, column 'c': there is no such column"),
        (TABLE, ["--target", "a"],
         "data.csv, line 2, column 'kind': expected a number, found 'u'; --columns A,B,..."),
        (TABLE, ["--target", "kind", "--regression"],
         "data.csv, line 2, column 'kind': expected a number, found 'u'; --classification takes"),
        (TABLE.replace("4", ""), ["--target", "kind"],
         "data.csv, line 3, column 'b': the value is missing"),
        (TABLE.replace("v", "?"), ["--target", "kind"],
         "data.csv, line 3, column 'kind': the value is missing ('?')"),
        (TABLE.replace("v", "u"), ["--target", "kind"],
         "data.csv, line 2, column 'kind': there is only one class, 'u'"),
        (TABLE.replace("5,6", "5"), ["--target", "kind"],
         "data.csv, line 4, column 'kind': the row is too short"),
        (TABLE.replace("5", "1e999"), ["--target", "kind"],
         "data.csv, line 4, column 'a': expected a finite number"),
        ("a,kind\n1,u\n1e200,v\n3,u\n", ["--target", "kind"],
         "data.csv, line 3, column 'a': 1e+200 is too large"),
        ("a,y\n1,1.5\n2,1e200\n3,2.5\n", ["--target", "y"],
         "data.csv, line 3, column 'y': 1e+200 is too large"),
        (TABLE[:15], ["--target", "kind"], "there is only one class"),
        ("a,kind", ["--target", "kind"], "data.csv, line 1: there is a header but no row"),
        ("a,kind\n" + "1,u\n" * 9 + "2,v\n", ["--target", "kind", "--test-size", "0.95"],
         "data.csv: 9 of 10 examples to test on leave none to train on for some of the 2 classes: "
         "take fewer; --test-size 0 takes none"),
        ("a:kind\n1:u\n2:v\n", ["--target", "kind"],
         "name the delimiter if it splits the file wrongly; --delimiter C sets it"),
        (TABLE, ["--target", "kind", "--encoding", "utf-9"], "unknown encoding: utf-9; --encoding"),
        (TABLE, ["--target", "kind", "--delimiter", "::"], "a single character or tab is needed"),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_are_one_line_and_exit_code_2(mn, write, content, options, said):
    if content is not None:
        write("data.csv", content)
    result = mn("train", "data.csv", *options)
    assert (result.code, result.out) == (2, "")
    assert said in result.error


def test_a_missing_iris_is_an_error_that_says_how_to_get_it(mn, folder):
    result = mn("train", "iris.csv", "--target", "species")
    assert result.code == 2
    assert "there is no such file; `micrograd-nn data iris -o iris.csv` writes it" in result.error


def test_a_folder_is_no_data(mn, folder):
    (folder / "sub").mkdir()
    assert "sub: this is a folder" in mn("train", "sub", "--target", "y").error


@pytest.mark.parametrize("output", ["nowhere/model.npz", "."])
def test_a_model_that_cannot_be_written_is_an_error(mn, iris, output):
    result = mn("train", "iris.csv", "--target", "species", "-o", output)
    assert result.code == 2
    assert f"error: {output}: " in result.error
    assert result.out == ""  # nothing is computed that would be lost


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (TABLE.encode("utf-16"), ["--encoding", "utf-16"]),
        (TABLE.replace(",", ":").encode(), ["--delimiter", ":"]),
        (TABLE.replace(",", "\t").encode(), ["--delimiter", "tab"]),
    ],
)
def test_the_file_may_be_written_in_other_ways(mn, folder, content, options):
    (folder / "data.csv").write_bytes(content)
    settings = ["--target", "kind", "--epochs", 1, "--test-size", 0]
    result = mn("train", "data.csv", *options, *settings)
    assert result.code == 0
    assert (
        fact(result.out, "next") == f"micrograd-nn predict model.npz data.csv {' '.join(options)}"
    )
    assert mn("predict", "model.npz", "data.csv", *options).out.startswith("kind,")


def test_a_training_that_diverges_says_so(mn, iris):
    result = mn("train", "iris.csv", "--target", "species", "--lr", "1e300")
    assert result.code == 1
    assert "choose a lower --lr than 1e+300" in result.error


# --- Resuming -----------------------------------------------------------------------------------


def state(path):
    return load_model(path)[0].model.state_dict()


def test_a_training_can_be_resumed_and_ends_the_same(mn, iris, monkeypatch):
    monkeypatch.setattr(train, "PATIENCE", 1000)
    common = ["train", "iris.csv", "--target", "species"]
    options = ["--hidden", "5", "--seed", 4, "--lr", 0.02]
    mn(*common, *options, "--epochs", 9, "-o", "whole.npz")
    mn(*common, *options, "--epochs", 4, "-o", "part.npz")
    result = mn(*common, "--epochs", 9, "-o", "part.npz", "--resume")
    assert fact(result.out, "resume") == "going on with part.npz"
    assert fact(result.out, "network") == "4 → 5 → 3 with relu, 43 parameters"
    whole, part = state("whole.npz"), state("part.npz")
    assert all(np.array_equal(whole[name], part[name]) for name in whole)


def test_what_there_is_not_yet_is_started(mn, iris):
    result = mn("train", "iris.csv", "--target", "species", "--epochs", 2, "--resume")
    assert result.code == 0
    assert "starting anew, since there is no model.npz" in result.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "petal_width"], "it is trained to predict 'species', not 'petal_width'"),
        (["--target", "species", "--hidden", "5"], "it was trained with another --hidden"),
        (["--target", "species", "--seed", "1"], "it was trained with another --seed"),
        (["--target", "species", "--test-size", "0.5"], "trained with another --test-size"),
        (["--target", "species", "--regression"], "it was trained with another --regression"),
    ],
)
def test_a_training_with_other_options_is_not_resumed(mn, model, options, said):
    result = mn("train", "iris.csv", *options, "--resume")
    assert (result.code, result.out) == (2, "")
    assert said in result.error


def test_a_training_on_other_data_is_not_resumed(mn, model, iris):
    text = (iris / "iris.csv").read_text()
    (iris / "iris.csv").write_text(text.replace("5.1,3.5", "5.2,3.5"))
    result = mn("train", "iris.csv", "--target", "species", "--resume")
    assert result.code == 2
    assert "it was trained on other data than these" in result.error
