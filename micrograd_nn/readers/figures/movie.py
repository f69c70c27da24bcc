"""Animations that write themselves to a file, and show themselves in a notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# This module is loaded when an animation is made, and never before.
from matplotlib.animation import FFMpegWriter, FuncAnimation  # noqa: TID253
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: TID253

from micrograd_nn.readers.figures.style import FloatArray
from micrograd_nn.readers.svgtext import page

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from PIL.Image import Image

#: As many colours of a GIF are exactly those of the frames.
_KEPT = 96
_SUFFIXES = (".gif", ".mp4", ".html")
#: matplotlib's buttons show icons that a page fetches from another site; these need nothing.
_ICONS = {
    "minus": "−", "fast-backward": "«", "step-backward": "‹", "play fa-flip-horizontal": "◀",
    "pause": "‖", "play": "▶", "step-forward": "›", "fast-forward": "»", "plus": "+",
}  # fmt: skip


class Movie(FuncAnimation):
    """An animation of matplotlib: ``save(path)`` writes it, a notebook plays it.

    Parameters
    ----------
    figure : Figure
    show : callable
        ``show(k)`` lets the figure show frame k, and returns all artists that do not look the
        same in each frame, or lie above one that doesn't.
    frames : int
        How many there are.
    fps : float
        Frames per second.

    Attributes
    ----------
    figure : Figure
    frames : int
    """

    def __init__(
        self, figure: Figure, show: Callable[[int], list[Artist]], frames: int, fps: float = 10.0
    ) -> None:
        if frames < 1:
            raise ValueError("an animation needs at least one frame")
        if not fps > 0:
            raise ValueError(f"fps must be above 0, got {fps}")
        self.figure, self.frames, self.fps = figure, frames, float(fps)
        self._show = show
        if not hasattr(figure.canvas, "buffer_rgba"):
            FigureCanvasAgg(figure)
        show(0)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # nothing may jump between frames
        super().__init__(
            figure, lambda k: show(int(k)), frames=frames, interval=1000 / fps,
            init_func=list, cache_frame_data=False,
        )  # fmt: skip
        self._draw_was_started = True  # one that is dropped unseen is no mistake

    def images(self) -> Iterator[FloatArray]:
        """Yield each frame as an array (height, width, 3) of bytes."""
        kept = self.figure.canvas
        canvas: Any = FigureCanvasAgg(self.figure)
        first = self._show(0)
        try:
            for artist in first:
                artist.set_animated(True)  # left out of the background, which is drawn once
            canvas.draw()
            background = canvas.copy_from_bbox(self.figure.bbox)
            for k in range(self.frames):
                canvas.restore_region(background)
                for artist in sorted(self._show(k), key=lambda artist: artist.get_zorder()):
                    self.figure.draw_artist(artist)
                yield np.array(canvas.buffer_rgba())[..., :3]
        finally:
            for artist in first:
                artist.set_animated(False)
            self.figure.set_canvas(kept)

    def save(self, filename: str | os.PathLike[str], *args: Any, **options: Any) -> Path:  # type: ignore[override]
        """Write the animation to a file that ends in ``.gif``, ``.mp4`` or ``.html``.

        A GIF repeats, and holds its last frame for a while. Further arguments are those of
        matplotlib's ``Animation.save``, which then writes the file.

        Returns
        -------
        Path
            The path of the file.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        ImportError
            For GIF, if Pillow isn't installed.
        RuntimeError
            For MP4, if the program ffmpeg isn't installed.
        """
        path = Path(filename)
        suffix = path.suffix.lower()
        if args or options:
            super().save(path, *args, **options)
        elif suffix == ".gif":
            self._save_gif(path)
        elif suffix == ".mp4":
            self._save_mp4(path)
        elif suffix == ".html":
            path.write_text(page(path.stem, self.to_jshtml()), encoding="utf-8")
        else:
            raise ValueError(
                f"an animation can't be saved as {path.name!r}: the name must end in "
                + ", ".join(_SUFFIXES)
            )
        return path

    def to_jshtml(self, *args: Any, **options: Any) -> str:
        """Return the animation as HTML that plays it; it asks no other site for anything."""
        html: str = super().to_jshtml(*args, **options)
        html = re.sub(r'<link rel="stylesheet"\s+href="https://[^"]*">', "", html)
        return re.sub(r'<i class="fa fa-([^"]+)"></i>', lambda icon: _ICONS[icon[1]], html)

    def _save_gif(self, path: Path) -> None:
        try:
            from PIL import Image
        except ImportError:
            raise ImportError('GIF needs Pillow: pip install "micrograd-nn[plot]"') from None
        pictures = [Image.fromarray(frame) for frame in self.images()]
        palette = _palette(pictures)
        drawn = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
        duration = round(1000 / self.fps)
        drawn[0].save(
            path, format="GIF", save_all=True, append_images=drawn[1:], loop=0, optimize=False,
            duration=[duration] * (len(drawn) - 1) + [max(duration, 1500)],
        )  # fmt: skip

    def _save_mp4(self, path: Path) -> None:
        if not FFMpegWriter.isAvailable():
            raise RuntimeError(
                f"{path.name} needs the program ffmpeg, which isn't on the path: install it "
                "(apt install ffmpeg, brew install ffmpeg, or from ffmpeg.org), or save a .gif, "
                "which needs no program"
            )
        writer = FFMpegWriter(fps=round(self.fps), extra_args=["-pix_fmt", "yuv420p"])
        super().save(path, writer=writer)

    def _repr_html_(self) -> str:
        return self.to_jshtml()


def _palette(pictures: list[Image]) -> Image:
    """Return 256 colours for all frames: the most frequent ones, and the best for the others."""
    from PIL import Image

    chosen = [pictures[0], pictures[len(pictures) // 2], pictures[-1]]
    width, height = chosen[0].size
    sheet = Image.new("RGB", (width, height * len(chosen)))
    for k, picture in enumerate(chosen):
        sheet.paste(picture, (0, k * height))
    counted: Any = sheet.getcolors(sheet.width * sheet.height) or []
    frequent = [colour for _, colour in sorted(counted, reverse=True)[:_KEPT]]
    fitted = sheet.quantize(256 - _KEPT, Image.Quantize.MEDIANCUT).getpalette() or []
    kept: list[Any] = []
    # Pillow finds the colour of a pixel only roughly, so that none may have a close neighbour.
    for colour in [*frequent, *np.reshape(fitted, (-1, 3)).tolist()]:
        if len(kept) < 256 and all(np.abs(np.subtract(k, colour)).max() > 6 for k in kept):
            kept.append(colour)
    palette = Image.new("P", (1, 1))
    palette.putpalette([int(c) for colour in kept for c in colour])
    return palette
