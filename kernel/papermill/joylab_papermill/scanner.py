"""The tokens of a TypeScript text, as far as declarations of variables need them."""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)
    |(?P<number>(?:\d|\.\d)[\w.]*(?:(?<=[eE])[+-]\d+)?)
    |(?P<word>[^\W\d][\w$]*|\$[\w$]*)
    |(?P<sign>=>|===?|!==?|\.\.\.|\?\.|\?\?|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
REGULAR_EXPRESSION = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = set(OPENING.values())
#: A line that ends so, or a next one that begins so, goes on.
OPERATORS = set("= => == === != !== . , ? : ?. ?? && || | & + - * / % ^ < > ( [ ! ~ ...".split())
OPERATOR_WORDS = {"as", "satisfies", "in", "instanceof", "extends", "new", "typeof", "await", "keyof", "readonly", "is"}
#: Signs that begin a value rather than go on with one.
PREFIXES = {"!", "~", "..."}


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    #: Whether it is the first of its line.
    first: bool


def tokens(text):
    """All tokens; comments are among them."""
    found, at, first = [], 0, True
    while at < len(text):
        kind, end = _next(text, at, found)
        if kind == "space":
            first = first or "\n" in text[at:end]
        else:
            found.append(Token(kind, text[at:end], at, end, first))
            first = kind == "comment" and first
        at = end
    return found


def _next(text, at, before):
    if text[at] == "`":
        return "string", _template_end(text, at)
    if text[at] == "/" and text[at + 1 : at + 2] not in ("/", "*") and _may_begin_value(before):
        match = REGULAR_EXPRESSION.match(text, at)
        if match:
            return "string", match.end()
    match = TOKEN.match(text, at)
    return match.lastgroup, match.end()


def _may_begin_value(before):
    last = next((token for token in reversed(before) if token.kind != "comment"), None)
    return last is None or (last.kind == "sign" and last.text not in CLOSING)


def _template_end(text, at):
    at += 1
    while at < len(text) and text[at] != "`":
        if text[at] == "\\":
            at += 2
        elif text.startswith("${", at):
            at = _braces_end(text, at + 2)
        else:
            at += 1
    return min(at + 1, len(text))


def _braces_end(text, at):
    """The end of what a template puts in, from behind its brace."""
    found, depth = [], 1
    while at < len(text) and depth > 0:
        kind, end = _next(text, at, found)
        if kind != "space":
            found.append(Token(kind, text[at:end], at, end, False))
        depth += {"{": 1, "}": -1}.get(text[at:end], 0)
        at = end
    return at


def matching(found, at):
    """The position of the bracket that closes the one at a position."""
    depth = 0
    for i in range(at, len(found)):
        depth += 1 if found[i].text in OPENING and found[i].kind == "sign" else -1 if found[i].text in CLOSING and found[i].kind == "sign" else 0
        if depth == 0:
            return i
    return len(found) - 1


def ends_statement(found, at):
    """Whether a statement without a semicolon ends before the token at a position."""
    token, last = found[at], found[at - 1]
    if not token.first:
        return False
    if last.text in OPERATORS | OPERATOR_WORDS and last.kind in ("sign", "word"):
        return False
    goes_on = (token.kind == "sign" and token.text in OPERATORS - PREFIXES) or (token.kind == "word" and token.text in {"as", "satisfies", "in", "instanceof", "extends", "is"})
    return not goes_on
