import re
import shutil
import sys

import pytest

pytest.importorskip("matplotlib")

from matplotlib.animation import Animation
from matplotlib.figure import Figure

from micrograd_nn.readers.figures.movie import FFMpegWriter, Movie


@pytest.fixture
def movie():
    ax = Figure(figsize=(2, 2)).add_subplot()
    (line,) = ax.plot([], [])
    ax.set(xlim=(0, 3), ylim=(0, 3))

    def show(k):
        line.set_data([0, k], [0, k])
        return [line]

    return Movie(ax.figure, show, frames=4, fps=8)


def test_it_is_an_animation_of_matplotlib(movie):
    assert isinstance(movie, Animation)


def test_it_plays_in_a_notebook(movie):
    html = movie._repr_html_()
    assert html.count("data:image/png;base64") == 4


def test_a_page_holds_its_frames(movie, tmp_path):
    page = movie.save(tmp_path / "movie.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("data:image/png;base64") == 4


def test_mp4_without_ffmpeg_names_both_ways_out(movie, tmp_path, monkeypatch):
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(RuntimeError, match=r"install it .*or save a \.gif"):
        movie.save(tmp_path / "movie.mp4")
    assert not (tmp_path / "movie.mp4").exists()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
def test_mp4_with_ffmpeg(movie, tmp_path):
    assert movie.save(tmp_path / "movie.mp4").read_bytes()[4:8] == b"ftyp"


def test_gif_without_pillow_names_the_extra(movie, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"micrograd-nn\[plot\]"):
        movie.save(tmp_path / "movie.gif")


def test_mistakes_are_explained(movie, tmp_path):
    with pytest.raises(ValueError, match=r"'movie\.avi'.*\.gif, \.mp4, \.html"):
        movie.save(tmp_path / "movie.avi")
    with pytest.raises(ValueError, match="at least one frame"):
        Movie(Figure(), lambda k: [], frames=0)
    with pytest.raises(ValueError, match="fps must be above 0"):
        Movie(Figure(), lambda k: [], frames=1, fps=0)


def test_its_page_asks_no_other_site(movie, tmp_path):
    page = movie.save(tmp_path / "movie.html").read_text(encoding="utf-8")
    assert "http" not in page
    signs = re.findall(r"<button[^>]*>\s*([^<\s]*)\s*</button>", page)
    assert signs == ["−", "«", "‹", "◀", "‖", "▶", "›", "»", "+"]
