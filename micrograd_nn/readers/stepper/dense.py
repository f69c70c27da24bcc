"""Scripts and style sheets in fewer characters, as they are sent along in every page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

#: What must stay as it is: strings, templates and regular expressions. (A division has a space
#: after it, in these scripts.)
_KEPT = r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*'|`(?:\\.|[^`\\])*`|/(?![ /*])(?:\\.|[^/\\\n])+/[a-z]*)"""
_SPACE = re.compile(_KEPT + r"|[ ]*([{}()\[\],;:?=<>+*/&|!-]+)[ \n]*")
_TOKEN = re.compile(
    _KEPT + r"|(\.?[A-Za-z]\w*)|([{(\[])|([})\]])|(\.\.\.|\d[\w.]*|\s+|.)", re.DOTALL
)
_DECLARED = re.compile(r"\b(?:const|let|function) (\w+)")
_INSERTED = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")


def dense(text: str) -> str:
    r"""Return a script or style sheet without comments and needless space.

    Examples
    --------
    >>> dense("// why\n  if (a > 0) say('a > 0', /[, ]/, b / 2);")
    "if(a>0)say('a > 0',/[, ]/,b/2);"
    """
    return _SPACE.sub(lambda found: str(found[1] or found[2]), _without_comments(text))


def dense_script(text: str) -> str:
    """Return a script without comments and needless space, in which declared names are short.

    A name stays as it is where it is a property, too, in the short notation ``{ name }``.

    Examples
    --------
    >>> dense_script("const width = box.width; let long = { width: width + 1 }, say = `${long}`;")
    'const a=box.width;let b={width:a+1},say=`${b}`;'
    """
    text = _without_comments(text)
    uses: Counter[str] = Counter()
    entries: set[str] = set()

    def counted(name: str, is_entry: bool) -> str:
        uses[name] += 1
        if is_entry:
            entries.add(name)
        return name

    _with_names(text, counted)
    long = {name for name in _DECLARED.findall(text) if len(name) > 2} - entries
    fresh = (name for name in _short_names() if name not in uses)
    short = {name: next(fresh) for name, _ in uses.most_common() if name in long}
    return dense(_with_names(text, lambda name, _: short.get(name, name)))


def _without_comments(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))


def _with_names(text: str, named: Callable[[str, bool], str]) -> str:
    """Return a script with each name that isn't a property replaced.

    ``named(name, is_entry)`` gives the new name, ``is_entry`` telling that it is a property, too.
    """
    pieces: list[str] = []
    brackets: list[str] = []
    tokens = list(_TOKEN.finditer(text))
    solid = [token[0] for token in tokens if not token[0].isspace()] + [""]
    at = -1
    for token in tokens:
        kept, name, opening, closing, _ = token.groups()
        piece = token[0]
        at += not piece.isspace()
        if opening:
            brackets.append(opening)
        elif closing:
            brackets.pop()
        elif kept and kept.startswith("`"):
            piece = _INSERTED.sub(lambda found: f"${{{_with_names(found[1], named)}}}", kept)
        elif name and not name.startswith("."):
            in_braces = brackets[-1:] == ["{"] and solid[at - 1] in ("{", ",")
            if not (in_braces and solid[at + 1] == ":"):
                piece = named(name, in_braces and solid[at + 1] in (",", "}", "="))
        pieces.append(piece)
    return "".join(pieces)


def _short_names() -> Iterator[str]:
    """Yield a, b, ... z, A, ... Z, a1, b1, ..."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for number in count():
        for letter in letters:
            yield f"{letter}{number}" if number else letter
