"""Reading CSV files: what is understood, and what every error says."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn.data import DataError, Table, read_csv

GOOD = "a,b,kind\n1,2.5,x\n-3,4e2,y\n5,.5,x\n"


@pytest.fixture
def write(tmp_path):
    """Write a file of text or bytes and return its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def assert_good(table):
    assert table.columns == ("a", "b")
    assert table.X.tolist() == [[1.0, 2.5], [-3.0, 400.0], [5.0, 0.5]]
    assert (table.X.dtype, table.y.dtype) == (np.float64, np.int64)
    assert table.y.tolist() == [0, 1, 0]
    assert table.class_names == ("x", "y")
    assert table.header == ("a", "b", "kind")


# --- What is understood -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD + "\n\n  \n\r\n",
        "\n\n" + GOOD.replace("\n", "\n\n"),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", "|"),
        GOOD.replace(",", " , ").replace("\n", "  \n  "),
        GOOD.replace(",", '" , "').replace("\n", '"\n"')[:-1].join(['"', ""]),
        '"a","b","kind"\n"1","2.5","x"\n"-3","4e2","y"\n"5",".5","x"\n',
    ],
    ids=[
        "plain", "no last line end", "trailing blank lines", "blank lines", "byte-order mark",
        "CRLF", "CR", "semicolons", "tabs", "bars", "spaces", "quotes and spaces", "quotes",
    ],
)  # fmt: skip
def test_many_ways_to_write_the_same_table(write, content):
    assert_good(read_csv(write(content), target="kind"))


def test_other_encodings_when_named(write):
    content = GOOD.replace("x", "é")
    for encoding in ("latin-1", "utf-16", "utf-8-sig"):
        table = read_csv(write(content.encode(encoding)), target="kind", encoding=encoding)
        assert table.class_names == ("y", "é")


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends(write):
    content = '"length, cm","the ""kind"""\n1,"big\nred"\n2,"small, ""blue"""\n'
    table = read_csv(write(content), target='the "kind"')
    assert table.columns == ("length, cm",)
    assert table.class_names == ("big\nred", 'small, "blue"')


def test_a_delimiter_can_be_given(write):
    path = write("a b,c\n1 2\n")
    assert read_csv(path, delimiter=" ").columns == ("a", "b,c")


def test_without_a_target_all_columns_are_features(write):
    table = read_csv(write("a,b\n1,2\n"))
    assert (table.y, table.target, table.class_names) == (None, None, None)
    assert table.X.tolist() == [[1.0, 2.0]]


def test_features_can_be_chosen_and_ordered(write):
    table = read_csv(write(GOOD.replace("400", "?")), columns=["b", "a"])
    assert table.columns == ("b", "a")
    assert table.X[:, 1].tolist() == [1.0, -3.0, 5.0]
    assert read_csv(write(GOOD), "kind", columns=["b"]).X.shape == (3, 1)


def test_a_text_column_that_is_not_chosen_does_not_matter(write):
    assert read_csv(write(GOOD), columns=["a"]).X.tolist() == [[1.0], [-3.0], [5.0]]


def test_the_path_may_be_a_string_and_the_table_shows_itself(write):
    path = str(write(GOOD))
    table = read_csv(path, target="kind")
    assert len(table) == 3
    assert repr(table) == f"<Table {path}: 3 rows, 2 features, target 'kind' with 2 classes>"
    assert repr(read_csv(path, columns=["a"])) == f"<Table {path}: 3 rows, 1 feature>"
    assert isinstance(table, Table)


# --- What the target is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "y", "class_names"),
    [
        (["no", "yes", "no"], [0, 1, 0], ("no", "yes")),
        (["1", "0", "0"], [1, 0, 0], ("0", "1")),
        (["10", "9", "-1", "9", "10", "-1"], [2, 1, 0, 1, 2, 0], ("-1", "9", "10")),
        (["b", "10", "a", "9", "b"], [3, 1, 2, 0, 3], ("9", "10", "a", "b")),
        (["0.5", "1.5", "0.5", "1.5"], [0.5, 1.5, 0.5, 1.5], None),
        (["1", "2", "3"], [1.0, 2.0, 3.0], None),
        ([str(k) for k in range(11)] * 9, list(range(11)) * 9, None),
    ],
)
def test_auto_tells_classes_from_numbers(write, cells, y, class_names):
    table = read_csv(write("a,t\n" + "".join(f"1,{cell}\n" for cell in cells)), target="t")
    assert table.y.tolist() == y
    assert table.class_names == class_names
    assert table.y.dtype == (np.float64 if class_names is None else np.int64)


def test_the_task_can_be_said(write):
    path = write("a,t\n1,1.5\n1,10\n1,9\n")
    classes = read_csv(path, target="t", task="classification")
    assert (classes.y.tolist(), classes.class_names) == ([0, 2, 1], ("1.5", "9", "10"))
    path = write("a,t\n1,0\n1,0\n")
    assert read_csv(path, target="t", task="regression").y.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="task is 'auto', 'classification' or 'regression'"):
        read_csv(path, target="t", task="clustering")


# --- What every error says ----------------------------------------------------------------------

ERRORS = {
    "empty": ("", ": the file is empty"),
    "blank": ("\n \r\n\t\n", ": the file is empty"),
    "blank cell": ('"  "\n""\n', ": the file is empty"),
    "only a byte-order mark": ("\ufeff", ": the file is empty"),
    "header only": ("a,b,kind\n", ", line 1: there is a header but no row below it"),
    "header only, later": ("\n\na,b,kind\n\n", ", line 3: there is a header but no row below it"),
    "text": (
        "a,b,kind\n1,2,x\n1,wide,y\n",
        ", line 3, column 'b': expected a number, found 'wide'",
    ),
    "decimal comma": (
        "a;b;kind\n1,5;2;x\n",
        ", line 2, column 'a': expected a number, found '1,5'; write decimals with a point",
    ),
    "underscore": (
        "a,b,kind\n1_000,2,x\n",
        ", line 2, column 'a': expected a number, found '1_000'",
    ),
    "long text": (
        "a,b,kind\n" + "z" * 99 + ",2,x\n",
        f", line 2, column 'a': expected a number, found '{'z' * 37}...'",
    ),
    "line end in a cell": (
        'a,b,kind\n1,2,x\n"1\n2",2,y\n',
        r", line 3, column 'a': expected a number, found '1\n2'; "
        "a quoted cell makes it go on to line 4: is a quote missing?",
    ),
    "line after such a cell": (
        'a,b,kind\n1,2,"x\nx"\n1,,y\n',
        ", line 4, column 'b': the value is missing",
    ),
    "missing": ("a,b,kind\n1,2,x\n\n1, ,y\n", ", line 4, column 'b': the value is missing"),
    "question mark": ("a,b,kind\n?,2,x\n", ", line 2, column 'a': the value is missing ('?')"),
    "NaN": ("a,b,kind\n1,NaN,x\n", ", line 2, column 'b': the value is missing ('NaN')"),
    "N/A": ("a,b,kind\n1,N/A,x\n", ", line 2, column 'b': the value is missing ('N/A')"),
    "target missing": ("a,b,kind\n1,2,x\n1,2,\n", ", line 3, column 'kind': the value is missing"),
    "infinity": (
        "a,b,kind\n1,-inf,x\n",
        ", line 2, column 'b': expected a finite number, found '-inf'",
    ),
    "overflow": (
        "a,b,kind\n1,1e999,x\n",
        ", line 2, column 'b': expected a finite number, found '1e999'",
    ),
    "short row": (
        "a,b,kind\n1,2,x\n1\n",
        ", line 3, column 'b': the row is too short: cells 1, columns in the header 3",
    ),
    "long row": (
        "a,b,kind\n1,2,x,9\n",
        ", line 2, column 4: the row is too long: cells 4, columns in the header 3",
    ),
    "no such column": (
        "a,b,Kinds\n1,2,x\n",
        ", line 1, column 'kind': there is no such column; "
        "did you mean 'Kinds'? The columns are a, b, Kinds",
    ),
    "no such column, nothing near": (
        "a,b\n1,2\n",
        ", line 1, column 'kind': there is no such column; the columns are a, b",
    ),
    "many columns": (
        ",".join(f"c{k}" for k in range(30)) + "\n",
        ", line 1: there is a header but no row below it",
    ),
    "same name twice": (
        "a,b,a,kind\n1,2,3,x\n",
        ", line 1, column 'a': columns 1 and 3 have the same name",
    ),
    "no name": ("a,,kind\n1,2,x\n", ", line 1, column 2: the column has no name"),
    "no header": (
        "5.1,3.5,setosa\n4.9,3.0,setosa\n",
        ", line 1, column 1: '5.1' is a number; the first line must name the columns",
    ),
    "one class": (
        "a,b,kind\n1,2,x\n1,2,x\n",
        ", line 2, column 'kind': there is only one class, 'x'; at least two are needed",
    ),
    "one row": (
        "a,b,kind\n1,2,x\n",
        ", line 2, column 'kind': there is only one class, 'x'; at least two are needed",
    ),
    "target alone": (
        "kind\nx\ny\n",
        ", line 1, column 'kind': there is no column beside the target",
    ),
    "word among numbers": (
        "a,kind\n1,1.5\n1,oops\n1,2.5\n",
        ", line 3, column 'kind': expected a number, found 'oops'",
    ),
    "open quote": (
        'a,b,kind\n1,2,x\n1,"2,x\n1,2,y\n',
        ", line 3: a quoted cell begins here and never ends",
    ),
    "open quote on the last line": (
        'a,b,kind\n1,2,x\n1,2,"y\n',
        ", line 3: a quoted cell begins here and never ends",
    ),
    "open quote closed by another": (
        'a,b,kind\n1,"2,x\n1,2,y\n1,"2,x\n1,2,y\n',
        ", line 2, column 'b': expected a number, found '2,x\\n1,2,y\\n1,2'; "
        "a quoted cell makes it go on to line 4: is a quote missing?",
    ),
    "row that goes on": (
        'a,b,kind\n"1,2,x\n1",2,y,4\n',
        ", line 2, column 4: the row is too long: cells 4, columns in the header 3; "
        "a quoted cell makes it go on to line 3: is a quote missing?",
    ),
    "another delimiter": (
        "a:b:kind\n1:2:x\n",
        ", line 1, column 'kind': there is no such column, only one, 'a:b:kind': "
        "name the delimiter if it splits the file wrongly",
    ),
    "other encoding": (
        "a,b,kind\n1,2,x\n1,2,é\n".encode("latin-1"),
        ", line 3: byte 0xe9 is not utf-8 text: "
        "name the file's encoding, such as latin-1, if it is CSV at all",
    ),
    "UTF-16": (
        GOOD.encode("utf-16"),
        ", line 1: the file is UTF-16, not UTF-8: name its encoding, utf-16",
    ),
    "binary": (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        ", line 3: the file is binary, not CSV text (it has a zero byte)",
    ),
    "huge header": (
        "a" * 200_000 + ",kind\n1,x\n",
        ", line 1: the line cannot be parsed: field larger than field limit (131072)",
    ),
    "huge cell": (
        "a,b,kind\n1,2," + "x" * 200_000 + "\n",
        ", line 2: the line cannot be parsed: field larger than field limit (131072)",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error_names_file_line_and_column_on_one_line(write, case):
    content, message = ERRORS[case]
    path = write(content)
    with pytest.raises(DataError) as caught:
        read_csv(path, target="kind")
    assert str(caught.value) == f"{path}{message}"


def test_errors_of_the_file_itself(write, tmp_path):
    for path, message in [
        (tmp_path / "none.csv", "none.csv: there is no such file"),
        (tmp_path, ": this is a folder, not a CSV file"),
        (tmp_path / ("x" * 300), "the file cannot be read: File name too long"),
        (write(GOOD) / "below", "the file cannot be read: Not a directory"),
        ("a\0b", "this is no file name: embedded null"),
    ]:
        with pytest.raises(DataError) as caught:
            read_csv(path)
        assert message in str(caught.value)


def test_errors_in_what_was_asked_for(write):
    path = write(GOOD)
    with pytest.raises(DataError, match="line 1, column 'c': there is no such column; the"):
        read_csv(path, columns=["a", "c"])
    for delimiter in (", ", "", "\n", '"'):
        with pytest.raises(DataError, match="is no delimiter: give a single character"):
            read_csv(path, delimiter=delimiter)
    with pytest.raises(DataError, match="cannot be decoded as 'utf-9': unknown encoding"):
        read_csv(path, encoding="utf-9")
    with pytest.raises(DataError, match="line 4: byte 0x0a is not utf-16 text"):
        read_csv(path, encoding="utf-16")


def test_the_delimiter_is_that_which_the_first_row_has_too(write):
    table = read_csv(write('"length, cm";"width, cm";kind\n\n1;2;x\n3;4;y\n'), target="kind")
    assert table.columns == ("length, cm", "width, cm")
    table = read_csv(write("length, cm;width, cm;kind\n1;2;x\n3;4;y\n"), target="kind")
    assert table.columns == ("length, cm", "width, cm")


def test_each_row_knows_its_line(write):
    table = read_csv(write('a,kind\n\n1,"x\ny"\n2,z\n'), target="kind")
    assert table.lines == (3, 5)


def test_a_list_of_columns_is_not_endless(write):
    header = ",".join(f"c{k}" for k in range(30))
    with pytest.raises(DataError, match=r"c18, c19, and 10 more$"):
        read_csv(write(f"{header}\n{header.replace('c', '')}\n"), target="zzz")


def test_error_tells_its_place_to_programs_and_can_be_pickled(write):
    path = write("a,b\n1,x\n")
    with pytest.raises(DataError) as caught:
        read_csv(path)
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 our own bytes
    assert (error.path, error.line, error.column) == (str(path), 2, "b")
    assert str(error) == str(caught.value)
    assert isinstance(error, ValueError)


@given(st.binary(max_size=80))
def test_any_bytes_give_a_table_or_a_one_line_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "data.csv"
    path.write_bytes(content)
    message = ""
    try:
        assert np.all(np.isfinite(read_csv(path).X))
    except DataError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.tuples(finite, finite, st.sampled_from("pqr")), min_size=2),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_numbers_come_back_bit_for_bit(tmp_path_factory, rows, delimiter, line_end, quoted):
    path = tmp_path_factory.mktemp("table") / "data.csv"
    quote = '"' if quoted else ""
    lines = [("first", "second", "letter"), *rows]
    text = "".join(
        delimiter.join(f"{quote}{cell}{quote}" for cell in line) + line_end for line in lines
    )
    path.write_bytes(text.encode())
    assert read_csv(path, columns=["first", "second"]).X.tolist() == [list(row[:2]) for row in rows]
    letters = sorted({row[2] for row in rows})
    if len(letters) > 1:
        table = read_csv(path, target="letter")
        assert [table.class_names[k] for k in table.y] == [row[2] for row in rows]


def test_a_file_that_may_not_be_read(write, monkeypatch):
    path = write(GOOD)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match="the file cannot be read: Permission denied"):
        read_csv(path)
