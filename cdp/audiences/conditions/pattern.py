"""Regular expressions that every database reads alike (reference `cdp.md` 3.3, rule 8: RE2-like).

Literals, ``.``, classes, ``\\d \\w \\s`` and their opposites (of ASCII), groups, ``|``, ``^`` and ``$`` (of
the whole text), and ``* + ? {n} {n,} {n,m}``. No references back, no looking around, and nothing repeated
inside of what is repeated: so the automaton stays small, and no text takes longer than its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 200
MOST_TIMES = 100
LARGEST = 2_000  # characters to match, once repetitions are written out
LAST = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]
DIGIT: Ranges = ((48, 57),)
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
SPACE: Ranges = ((9, 13), (32, 32))
CLASSES = {"d": DIGIT, "w": WORD, "s": SPACE}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
TIMES = re.compile(r"\{([0-9]{1,4})(,([0-9]{0,4}))?\}")


class BadPattern(ValueError):
    """Not an expression of this kind; the message is a rule without a subject."""


@dataclass(frozen=True)
class Chars:
    """One character of ``ranges``, or of all others."""

    ranges: Ranges
    others: bool = False

    def has(self, code: int) -> bool:
        return any(first <= code <= last for first, last in self.ranges) != self.others


@dataclass(frozen=True)
class Edge:
    """The beginning or the end of the text."""

    is_end: bool


@dataclass(frozen=True)
class Row:
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Choice:
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Repeat:
    part: Part
    least: int
    most: int | None


Part = Chars | Edge | Row | Choice | Repeat


def parsed(text: str, *, case: bool) -> Part:
    """The expression. Without ``case`` it is for texts that were folded (:func:`folded`).

    Raises :class:`BadPattern`.
    """
    if not 1 <= len(text) <= LONGEST:
        raise BadPattern(f"must have 1 to {LONGEST} characters")
    reader = Reader(text, case=case)
    part = reader.choice()
    if reader.place < len(text):
        raise BadPattern("closes a group that was not opened")
    if size(part) > LARGEST:
        raise BadPattern(f"repeats too much: more than {LARGEST} characters")
    return part


def folded(text: str) -> str:
    """Without the difference of capital and small letters; the final sigma is a sigma."""
    return text.lower().replace("ς", "σ")


def size(part: Part) -> int:
    if isinstance(part, Repeat):
        return size(part.part) * max(part.least, part.most or 0, 1)
    return sum(size(one) for one in part.parts) if isinstance(part, Row | Choice) else 1


def repeats(part: Part) -> bool:
    if isinstance(part, Row | Choice):
        return any(repeats(one) for one in part.parts)
    return isinstance(part, Repeat)


class Reader:
    def __init__(self, text: str, *, case: bool) -> None:
        self.text, self.case, self.place = text, case, 0

    def ahead(self) -> str:
        return self.text[self.place : self.place + 1]

    def next(self) -> str:
        if not (char := self.ahead()):
            raise BadPattern("ends too early")
        self.place += 1
        return char

    def choice(self) -> Part:
        rows = [self.row()]
        while self.ahead() == "|":
            self.place += 1
            rows.append(self.row())
        return rows[0] if len(rows) == 1 else Choice(tuple(rows))

    def row(self) -> Part:
        parts: list[Part] = []
        while self.ahead() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom()))
        return Row(tuple(parts))

    def repeated(self, part: Part) -> Part:
        found = self.times()
        if found is None:
            return part
        if self.ahead() in ("*", "+", "?") or TIMES.match(self.text, self.place):
            raise BadPattern("repeats a repetition")
        if isinstance(part, Edge) or repeats(part):
            raise BadPattern("repeats what cannot be repeated, or has a repetition inside")
        return Repeat(part, *found)

    def times(self) -> tuple[int, int | None] | None:
        if counts := TIMES.match(self.text, self.place):
            self.place = counts.end()
            least = int(counts[1])
            most = least if counts[2] is None else int(counts[3]) if counts[3] else None
            if max(least, most or 0) > MOST_TIMES or (most is not None and most < least):
                raise BadPattern(f"repeats between 0 and {MOST_TIMES} times, the smaller number first")
            return least, most
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if found := simple.get(self.ahead()):
            self.place += 1
        return found

    def atom(self) -> Part:
        char = self.next()
        match char:
            case ".":
                return Chars(((10, 10),), others=True)
            case "^" | "$":
                return Edge(char == "$")
            case "(":
                return self.group()
            case "[":
                return self.set()
            case "\\":
                return self.escape()
        if char in "*+?{}]":
            raise BadPattern(f"has {char!r} where nothing can be repeated; write \\{char} for the character")
        return self.literal(char)

    def group(self) -> Part:
        if self.text.startswith("?:", self.place):
            self.place += 2
        elif self.ahead() == "?":
            raise BadPattern("has a group that looks around or has options; use ( ) or (?: )")
        part = self.choice()
        if self.ahead() != ")":
            raise BadPattern("opens a group that is not closed")
        self.place += 1
        return part

    def literal(self, char: str) -> Part:
        chars = [Chars(((ord(one), ord(one)),)) for one in (char if self.case else folded(char))]
        return chars[0] if len(chars) == 1 else Row(tuple(chars))

    def escape(self) -> Part:
        char = self.next()
        if char.lower() in CLASSES:
            return Chars(CLASSES[char.lower()], others=char.isupper())
        return self.literal(self.escaped(char))

    def escaped(self, char: str) -> str:
        if char in CONTROLS:
            return CONTROLS[char]
        if char.isascii() and char.isalnum():
            raise BadPattern(f"has \\{char}, which databases do not read alike")
        return char

    def set(self) -> Part:
        others = self.ahead() == "^"
        self.place += others
        ranges: list[tuple[int, int]] = []
        while (char := self.next()) != "]":
            ranges += self.range(char)
        if not ranges:
            raise BadPattern("has an empty class []")
        return Chars(tuple(ranges), others=others)

    def range(self, char: str) -> list[tuple[int, int]]:
        if char == "[":
            raise BadPattern("has [ inside of a class; write \\[")
        if char == "\\" and self.ahead() in CLASSES:
            return list(CLASSES[self.next()])
        first = last = ord(self.escaped(self.next()) if char == "\\" else char)
        if self.ahead() == "-" and self.text[self.place + 1 : self.place + 2] not in ("]", ""):
            self.place += 1
            char = self.next()
            last = ord(self.escaped(self.next()) if char == "\\" else char)
        if last < first:
            raise BadPattern("has a range that ends before it begins")
        return [(first, last)] if self.case else with_small_letters(first, last)


def with_small_letters(first: int, last: int) -> list[tuple[int, int]]:
    found = [(first, last)]
    if first == last and len(small := folded(chr(first))) == 1:
        found.append((ord(small), ord(small)))
    low, high = max(first, 65), min(last, 90)
    return [*found, (low + 32, high + 32)] if low <= high else found


def for_postgresql(part: Part) -> str:
    """The expression as PostgreSQL's own (`ARE`) understands it; every character by its number."""
    match part:
        case Chars(ranges, others):
            inside = "".join(f"{numbered(first)}-{numbered(last)}" for first, last in ranges)
            return f"[{'^' if others else ''}{inside}]"
        case Edge(is_end):
            return r"\Z" if is_end else r"\A"
        case Row(parts):
            return f"(?:{''.join(map(for_postgresql, parts))})"
        case Choice(parts):
            return f"(?:{'|'.join(map(for_postgresql, parts))})"
        case Repeat(inner, least, most):
            return f"{for_postgresql(inner)}{{{least},{'' if most is None else most}}}"


def numbered(code: int) -> str:
    return f"\\U{code:08X}"
