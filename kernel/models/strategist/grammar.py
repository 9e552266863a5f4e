"""Reads a program as far as the corpus's language goes: is it whole, which names does it use, what does it compare?"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r'\s*("[^"\n]*"|\d+(?:\.\d+)?|[A-Za-z_$][\w$]*|===|!==|>=|<=|=>|&&|\|\||\?\?|\?\.|\+\+|--|\+=|-=|\.\.\.|[-+*/%<>!?:;=(){}\[\].,])')
LEVELS = [["??"], ["||"], ["&&"], ["===", "!=="], ["<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]]
COMPARISONS = {"===", "!==", "<", ">", "<=", ">=", "-", "/", "%"}
ASSIGNMENTS = ("=", "+=", "-=")
KEYWORDS = {"if", "else", "return", "const", "let", "for", "of", "function", "true", "false", "null"}
METHODS = {"abs", "min", "max", "round", "floor", "ceil", "sign", "length", "filter", "includes", "indexOf", "some", "every", "reduce", "map", "find"}


@dataclass
class Reading:
    """What a program uses: fields of the state, other properties, strings, actions returned as they stand, comparisons of a thing with itself."""

    fields: set[str] = field(default_factory=set)
    properties: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    memory: bool = False
    self_comparisons: int = 0


class Reader:
    """A recursive-descent reader; raises ValueError on anything else, an unknown name and a path that returns nothing included."""

    def __init__(self, code: str):
        self.tokens: list[str] = []
        at, code = 0, code.rstrip()
        while at < len(code):
            match = TOKEN.match(code, at)
            if not match:
                raise ValueError(f"unexpected text at {at}")
            self.tokens.append(match[1])
            at = match.end()
        self.at = 0
        self.scopes: list[set[str]] = [{"Math"}]
        self.reading = Reading()

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if not token or (expected and token not in expected):
            raise ValueError(f"expected {expected}, found {token!r}")
        self.at += 1
        return token

    def skip(self, token: str) -> bool:
        found = self.peek() == token
        self.at += found
        return found

    def name(self) -> str:
        token = self.take()
        if not re.match(r"[A-Za-z_$]", token) or token in KEYWORDS:
            raise ValueError(f"{token!r} is no name")
        return token

    def declare(self, name: str) -> None:
        if name in self.scopes[-1]:
            raise ValueError(f"{name!r} twice")
        self.scopes[-1].add(name)

    # Statements

    def read(self) -> Reading:
        self.scopes.append({match for match in self.function_names()})
        if "strategy" not in self.scopes[-1]:
            raise ValueError("no strategy")
        while self.peek():
            if self.peek() == "function":
                self.function()
            else:
                self.declaration()
                self.reading.memory = True
        return self.reading

    def function_names(self):
        return (self.tokens[i + 1] for i in range(len(self.tokens) - 1) if self.tokens[i] == "function")

    def function(self) -> None:
        self.take("function")
        name = self.name()
        self.take("(")
        parameters: set[str] = set()
        while not self.skip(")"):
            parameters.add(self.name())
            self.skip(",")
        self.scopes.append(parameters)
        if not self.block():
            raise ValueError(f"a path of {name} returns nothing")
        self.scopes.pop()

    def block(self) -> bool:
        """Reads `{ … }`; true when every path through it returns."""
        self.take("{")
        self.scopes.append(set())
        returns = False
        while not self.skip("}"):
            returns = self.statement() or returns
        self.scopes.pop()
        return returns

    def declaration(self) -> None:
        word = self.take("const", "let")
        name = self.name()
        if self.skip("="):
            self.expression()
        elif word == "const":
            raise ValueError(f"{name} has no value")
        self.take(";")
        self.declare(name)

    def statement(self) -> bool:
        token = self.peek()
        if token == "{":
            return self.block()
        if token in ("const", "let"):
            self.declaration()
            return False
        if token == "for":
            return self.loop()
        if token == "return":
            self.take()
            self.result()
            self.take(";")
            return True
        if token != "if":
            self.expression()
            self.take(";")
            return False
        self.take()
        self.take("(")
        self.expression()
        self.take(")")
        returns = self.statement()
        return self.skip("else") and self.statement() and returns

    def loop(self) -> bool:
        self.take("for")
        self.take("(")
        self.scopes.append(set())
        if self.peek(2) == "of":
            self.take("const", "let")
            name = self.name()
            self.take("of")
            self.expression()
            self.declare(name)
        else:
            self.declaration()
            self.expression()
            self.take(";")
            self.expression()
        self.take(")")
        self.statement()
        self.scopes.pop()
        return False

    def result(self) -> None:
        start = self.at
        text = self.expression()
        if "?" not in self.tokens[start:self.at]:
            self.reading.returned.add(text)
        else:
            self.reading.returned.update(token for token in self.tokens[start:self.at] if token.startswith('"'))

    # Expressions; each returns its text without spaces

    def expression(self) -> str:
        left = self.binary(0)
        if self.peek() in ASSIGNMENTS:
            return left + self.take() + self.expression()
        if self.skip("?"):
            first = self.expression()
            self.take(":")
            return f"{left}?{first}:{self.expression()}"
        return left

    def binary(self, level: int) -> str:
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek() in LEVELS[level]:
            operator = self.take()
            right = self.binary(level + 1)
            self.reading.self_comparisons += left == right and operator in COMPARISONS
            left = left + operator + right
        return left

    def unary(self) -> str:
        if self.peek() in ("-", "!", "..."):
            return self.take() + self.unary()
        text = self.atom()
        while True:
            if self.peek() in (".", "?."):
                self.take()
                name = self.take()
                (self.reading.fields if text in ("state", "last") else self.reading.properties if name not in METHODS else set()).add(name)
                text += "." + name
            elif self.skip("["):
                start = self.at
                inner = self.expression()
                if text in ("state", "last") and self.at == start + 1:
                    self.reading.fields.add(inner.strip('"'))
                    self.reading.strings.discard(inner.strip('"'))
                self.take("]")
                text += f"[{inner}]"
            elif self.peek() == "(":
                text += self.arguments()
            elif self.peek() in ("++", "--"):
                text += self.take()
            else:
                return text

    def arguments(self) -> str:
        self.take("(")
        found = []
        while not self.skip(")"):
            found.append(self.arrow() if self.peek() == "(" and self.is_arrow() else self.expression())
            self.skip(",")
        return f"({','.join(found)})"

    def is_arrow(self) -> bool:
        end = self.tokens.index(")", self.at)
        return self.tokens[end + 1:end + 2] == ["=>"]

    def arrow(self) -> str:
        self.take("(")
        names: set[str] = set()
        while not self.skip(")"):
            names.add(self.name())
            self.skip(",")
        self.take("=>")
        self.scopes.append(names)
        text = self.expression()
        self.scopes.pop()
        return f"({','.join(sorted(names))})=>{text}"

    def atom(self) -> str:
        token = self.take()
        if token == "(":
            inner = self.expression()
            self.take(")")
            return f"({inner})"
        if token == "{":
            return self.object()
        if token[0] == '"':
            self.reading.strings.add(token[1:-1])
            return token
        if token[0].isdigit() or token in ("true", "false", "null"):
            return token
        if any(token in scope for scope in self.scopes):
            return token
        raise ValueError(f"unknown name {token!r}")

    def object(self) -> str:
        fields = []
        while not self.skip("}"):
            key = self.take().strip('"')
            self.reading.keys.add(key)
            self.take(":")
            fields.append(f"{key}:{self.expression()}")
            self.skip(",")
        return f"{{{','.join(fields)}}}"


def code_in(completion: str) -> str | None:
    match = re.fullmatch(r"```ts\n(.*?)\n?```", completion, re.DOTALL)
    return match[1] if match else None


def read_program(completion: str) -> Reading | None:
    """What the program in a completion uses, or None when it is not a whole one."""
    code = code_in(completion)
    try:
        return Reader(code).read() if code else None
    except (ValueError, RecursionError):
        return None
