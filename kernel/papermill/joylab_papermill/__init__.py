"""Parameters of TypeScript notebooks for papermill.

A parameter is declared as the ``parameters`` cell declares it, with ``let`` or
``const`` and its type: what the notebook does with it goes on to work. One that
this cell does not declare becomes a constant: a string keeps its literal type,
so that ``const game = "pong"`` can be given where only names of games are allowed.
"""

import re
from contextvars import ContextVar

from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators
from papermill.utils import find_first_tagged_cell_index

from .declarations import Declaration, declarations
from .literals import NotWritable, literal

NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
RESERVED = frozenset(
    """await break case catch class const continue debugger default delete do else enum export extends false finally for function
    if implements import in instanceof interface let new null package private protected public return static super switch this
    throw true try typeof var void while with yield""".split()
)

#: What the ``parameters`` cell declares of the notebook that is about to get its parameters.
declared = ContextVar("declared", default={})


class TypeScriptTranslator(Translator):
    @classmethod
    def translate(cls, val):
        return literal(val)

    @classmethod
    def comment(cls, cmt_str):
        return "\n".join(f"// {line}".strip() for line in str(cmt_str).splitlines() or [""])

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        known = declared.get()
        lines = [assignment(known.get(name, Declaration(name, "const")), value) for name, value in parameters.items()]
        return "\n".join([cls.comment(comment), *lines, ""])

    @classmethod
    def inspect(cls, parameters_cell):
        """What a cell declares: for ``papermill --help-notebook``."""
        return [
            Parameter(name=it.name, inferred_type_name=it.type or "None", default=it.value, help=it.help)
            for it in declarations(parameters_cell["source"]).values()
        ]


def assignment(declaration, value):
    """The declaration of a variable as it was, with another value."""
    name, kind, type, assertion = declaration.name, declaration.kind, declaration.type, declaration.assertion
    if not NAME.fullmatch(name) or name in RESERVED:
        raise PapermillException(f'The parameter "{name}" cannot be a variable of TypeScript: choose a name of letters, digits and _ that is no keyword.')
    try:
        text = literal(value, type or assertion.removeprefix("as "))
    except NotWritable as error:
        raise PapermillException(f'The parameter "{name}": {error}.') from None
    typed = f": {type}" if type else ""
    asserted = f" {assertion}" if assertion and assertion != "as bigint" else ""
    return f"{kind} {name}{typed} = {text}{asserted};"


class JoylabEngine(NBClientEngine):
    """papermill's usual engine, which also shows the notebook: a translator gets only the parameters."""

    @classmethod
    def nb_language(cls, nb, language=None):
        index = find_first_tagged_cell_index(nb, "parameters")
        declared.set(declarations(nb.cells[index].source) if index >= 0 else {})
        return super().nb_language(nb, language)


for name in ("typescript", "joylab"):
    papermill_translators.register(name, TypeScriptTranslator)

# papermill asks the engine for the notebook's language just before it has the parameters written.
for name in (None, "nbclient"):
    papermill_engines.register(name, JoylabEngine)
