"""The stepper within another page: a notebook, a book, a lecture."""

from __future__ import annotations

from html import escape


class Stepper:
    """The page of the stepper in a frame of its own; a notebook shows it.

    Parameters
    ----------
    page : str
        The page, as ``Picture.html()`` returns it.
    height : int
        The height of the frame, in CSS pixels.

    Examples
    --------
    >>> from micrograd_nn import Value, draw
    >>> draw(Value(2.0, name="x") ** 2).stepper(height=400)
    <Stepper 400 px high>
    """

    def __init__(self, page: str, height: int) -> None:
        self.page = page
        self.height = height

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.page)}" title="Both passes, step by step" '
            f'sandbox="allow-scripts" loading="lazy" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Stepper {self.height} px high>"
