"""Names of things: ordinary nouns and made-up words."""

import random
import re
from contextlib import contextmanager
from pathlib import Path

#: Words of the language, and names that programs use for themselves.
RESERVED = {
    "let", "new", "var", "for", "do", "if", "in", "of", "the", "state", "last", "before", "strategy", "mode", "phase", "plan",
    "calls", "turns", "count", "gap", "delta", "aim", "total", "best", "list", "item", "value", "sum", "least", "most", "kind",
}
#: Made-up words that would be those of a game's variables. None of these words is in the list, so no program is about a game.
OF_GAMES = {"car", "pin", "pins", "dot", "dots"}

_ALL = [word for word in (Path(__file__).parent / "words.txt").read_text().split() if word not in RESERVED]
#: Nouns that only the gate uses: every tenth.
HELD_OUT = _ALL[5::10]
WORDS = [word for i, word in enumerate(_ALL) if i % 10 != 5]
#: Beginnings of the syllables of made-up words that only the gate uses: of such syllables alone no word of the corpus is made.
HELD_OUT_ONSETS = ["bl", "br", "dr", "fl", "gl", "kr", "pl", "sk", "sl", "tr", "th", "qu"]
#: One consonant, or two: the more kinds of names, the more they have to be copied.
ONSETS = list("bcdfghjklmnprstvwxyz") * 4 + HELD_OUT_ONSETS * 2 + [
    first + second for first in "bcdfghjklmnpstvwz" for second in "hlnrvwy" if first + second not in HELD_OUT_ONSETS
]
CODAS = ["", "", "n", "r", "l", "s", "t", "m", "ck"]
#: Share of the syllables that are pieces of words: with them every token of letters is copied now and then.
PIECES = 0.4

_OF_THE_GATE = re.compile(rf"((?:{'|'.join(HELD_OUT_ONSETS)})[aeiou](?:{'|'.join(CODAS[2:])})?)+[nrlstm]?")

_source = {"words": WORDS, "onsets": ONSETS, "pieces": PIECES}


@contextmanager
def held_out():
    """Within it, names are drawn that the corpus never has."""
    _source.update(words=HELD_OUT, onsets=HELD_OUT_ONSETS, pieces=0)
    try:
        yield
    finally:
        _source.update(words=WORDS, onsets=ONSETS, pieces=PIECES)


def pseudo_word(rng: random.Random) -> str:
    """A word that no list holds, so that copying does not rest on knowing the word."""
    while True:
        word = "".join(syllable(rng) for _ in range(rng.choice((1, 2, 2, 2, 3))))
        word = word if len(word) > 2 else word + rng.choice("nrlstm")
        if word not in RESERVED and word not in OF_GAMES and not (_source["pieces"] and is_held_out(word)):
            return word


def syllable(rng: random.Random) -> str:
    """Consonants and a vowel, or a piece of a word: two to five letters of it that follow one another."""
    if rng.random() >= _source["pieces"]:
        return rng.choice(_source["onsets"]) + rng.choice("aeiou") + rng.choice(CODAS)
    word = rng.choice(WORDS)
    length = rng.randint(2, 5)
    start = rng.randint(0, max(0, len(word) - length))
    return word[start:start + length]


def is_held_out(word: str) -> bool:
    """Whether the gate could have this made-up word."""
    return word in HELD_OUT or bool(_OF_THE_GATE.fullmatch(word))


def word(rng: random.Random) -> str:
    return rng.choice(_source["words"]) if rng.random() < 0.65 else pseudo_word(rng)


def compound(rng: random.Random) -> str:
    """A scalar's name: one word, or two."""
    return word(rng) if rng.random() < 0.6 else f"{word(rng)}_{word(rng)}"


def camel(rng: random.Random) -> str:
    return word(rng) + word(rng).capitalize()


def unique(rng: random.Random, make, count: int, taken: set[str]) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        name = make(rng)
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names
