"""The variables that a TypeScript text declares at its top level."""

from dataclasses import dataclass

from .scanner import CLOSING, OPENING, ends_statement, matching, tokens

KINDS = ("const", "let", "var")


@dataclass
class Declaration:
    """A variable of the ``parameters`` cell."""

    name: str
    #: ``const``, ``let`` or ``var``.
    kind: str
    #: The type that it was declared with; empty where it has none.
    type: str = ""
    #: Its value's text.
    value: str = "undefined"
    #: What follows the value and says its type: ``as const``, ``satisfies Settings``.
    assertion: str = ""
    #: The comment behind it.
    help: str = ""


def declarations(text):
    """By name, the newest of each."""
    return {found.name: found for found in _Reader(text).read()}


class _Reader:
    def __init__(self, text):
        self.text = text
        everything = tokens(text)
        self.tokens = [token for token in everything if token.kind != "comment"]
        self.comments = [token for token in everything if token.kind == "comment"]
        self.at = 0

    def read(self):
        while self.at < len(self.tokens):
            if self._begins_declaration():
                yield from self._declare(self.tokens[self.at].text)
            elif self._is(OPENING):
                self.at = matching(self.tokens, self.at) + 1
            else:
                self.at += 1

    def _begins_declaration(self):
        token = self.tokens[self.at]
        if token.kind != "word" or token.text not in KINDS or self.at + 1 >= len(self.tokens):
            return False
        before = self.tokens[self.at - 1].text if self.at else ";"
        after = self.tokens[self.at + 1]
        return (token.first or before in (";", "}", "export")) and after.text != "enum" and (after.kind == "word" or after.text in ("{", "["))

    def _declare(self, kind):
        self.at += 1
        while self.at < len(self.tokens):
            pattern = self._take(self._pattern_end())
            if self._is("!"):
                self.at += 1
            annotation = self._annotation()
            value, assertion = self._value()
            help = self._comment()
            for name, path in _names(pattern):
                if not path:
                    yield Declaration(name, kind, annotation, value, assertion, help)
                else:
                    type = f"({annotation}){path}" if annotation and path != "..." else ""
                    yield Declaration(name, kind, type, help=help)
            if not self._is(","):
                return
            self.at += 1

    def _pattern_end(self):
        return matching(self.tokens, self.at) + 1 if self._is(OPENING) else self.at + 1

    def _annotation(self):
        if not self._is(":"):
            return ""
        self.at += 1
        return self._text(self._take(self._end(angles=True)))

    def _value(self):
        if not self._is("="):
            return "undefined", ""
        self.at += 1
        value = self._take(self._end())
        return self._text(value), self._assertion(value)

    def _assertion(self, value):
        if value and value[0].text == "<":
            end = _closing_angle(value)
            is_function = any(token.text == "=>" for token in value[end:])
            return "" if is_function else f"as {self._text(value[1:end])}"
        depth = 0
        for i, token in enumerate(value):
            if depth == 0 and i > 0 and token.kind == "word" and token.text in ("as", "satisfies") and value[i - 1].text != ".":
                return self._text(value[i:])
            depth += _depth(token)
        only = [token.text for token in value if token.text != "-"]
        is_bigint = len(only) == 1 and value[-1].kind == "number" and only[0].endswith("n")
        return "as bigint" if is_bigint else ""

    def _end(self, angles=False):
        """Where the type or value ends that begins here; in a type, angles are brackets."""
        depth = 0
        for i in range(self.at, len(self.tokens)):
            token = self.tokens[i]
            if depth == 0:
                if token.text in (";", "}", ")") or (i > self.at and ends_statement(self.tokens, i)):
                    return i
                if token.text == "," and (angles or self._begins_declarator(i + 1)):
                    return i
                if angles and token.text == "=":
                    return i
            depth += _depth(token)
            if angles and token.kind == "sign":
                depth += {"<": 1, ">": -1}.get(token.text, 0)
        return len(self.tokens)

    def _begins_declarator(self, at):
        """Tells the comma before another variable from one in ``new Map<string, number>()``."""
        if at >= len(self.tokens):
            return False
        end = matching(self.tokens, at) + 1 if self.tokens[at].text in ("{", "[") else at + 1
        after = self.tokens[end].text if end < len(self.tokens) else ";"
        is_last = end < len(self.tokens) and self.tokens[end].first
        return self.tokens[at].text in ("{", "[") and after in ("=", ":") or self.tokens[at].kind == "word" and (after in ("=", ":", ",", ";", "!") or is_last)

    def _comment(self):
        """The comment on the rest of the line, behind a comma or semicolon."""
        behind = self.tokens[self.at - 1].end
        after = self.at
        if after < len(self.tokens) and self.tokens[after].text in (",", ";"):
            behind = self.tokens[after].end
            after += 1
        next_start = self.tokens[after].start if after < len(self.tokens) else len(self.text)
        comment = next((it for it in self.comments if behind <= it.start < next_start), None)
        if comment is None or "\n" in self.text[behind : comment.start]:
            return ""
        return comment.text.removeprefix("//").removeprefix("/*").removesuffix("*/").strip(" *")

    def _take(self, end):
        taken = self.tokens[self.at : end]
        self.at = end
        return taken

    def _text(self, part):
        """The text of tokens on one line, without comments."""
        words = []
        for i, token in enumerate(part):
            gap = i > 0 and token.start > part[i - 1].end
            # What a new line ended, the members of an object type, a semicolon ends.
            ended = gap and token.text not in CLOSING and part[i - 1].text not in ("{", ";") and ends_statement(part, i)
            words.append(f"{';' if ended else ''}{' ' if gap else ''}{token.text}")
        return "".join(words)

    def _is(self, text):
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.kind == "sign" and (token.text == text if isinstance(text, str) else token.text in text)


def _names(pattern):
    """The names that a pattern declares, each with the way to its type: nothing, ``["key"]``, ``[0]``; ``...`` where it has none."""
    if len(pattern) == 1 and pattern[0].kind == "word":
        yield pattern[0].text, ""
    if len(pattern) < 2 or pattern[0].text not in OPENING:
        return
    for index, element in enumerate(_split(pattern[1:-1])):
        if not element:
            continue
        if element[0].text == "...":
            yield from ((name, "...") for name, _ in _names(element[1:]))
            continue
        key, target = (f"[{index}]", element) if pattern[0].text == "[" else _property(element)
        for name, path in _names(_without_default(target)):
            yield name, "..." if path == "..." or not key else key + path


def _property(element):
    colon = next((i for i, token in enumerate(element) if token.text == ":"), 0)
    key = element[0]
    known = key.kind in ("word", "string", "number")
    path = f"[{key.text}]" if key.kind != "word" else f'["{key.text}"]'
    return path if known else "", element[colon + 1 :] if colon else element


def _without_default(target):
    if target and target[0].text in OPENING:
        return target[: matching(target, 0) + 1]
    return target[:1]


def _split(found):
    parts, depth = [[]], 0
    for token in found:
        if depth == 0 and token.text == "," and token.kind == "sign":
            parts.append([])
            continue
        depth += _depth(token)
        parts[-1].append(token)
    return parts


def _closing_angle(value):
    depth = 0
    for i, token in enumerate(value):
        depth += {"<": 1, ">": -1}.get(token.text, 0) if token.kind == "sign" else 0
        if depth == 0:
            return i
    return len(value)


def _depth(token):
    if token.kind != "sign":
        return 0
    return 1 if token.text in OPENING else -1 if token.text in CLOSING else 0
