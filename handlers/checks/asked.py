"""What somebody wants examined, out of their words. Pure functions."""

import re

LONGEST = 60  # characters of «проверь …»: anything longer is another question
_ALL = frozenset({"", "всё", "все", "всех", "сводку", "бота", "связь", "all"})
_STEMS = {"бизон": "bizon365", "bizon": "bizon365", "амо": "amocrm", "amo": "amocrm", "тильд": "tilda", "tilda": "tilda"}
_STEMS |= {"битрикс": "bitrix24", "bitrix": "bitrix24", "модел": "openai", "openai": "openai"}
_ENDING = re.compile(r"24|365|срм|crm|[аыуеи]|ой|ом|ь|")
_WORDS = re.compile(r"проверь(?:те)?|проверка|проверить", re.IGNORECASE)


def read_asked(words: str) -> str | None:
    """A vendor's name, "" for everything, None when it is neither."""
    word = re.sub(r"[\s-]+", "", words.lower()).rstrip("?.")
    if word in _ALL:
        return ""
    told = (name for stem, name in _STEMS.items() if word.startswith(stem) and _ENDING.fullmatch(word[len(stem) :]))
    return next(told, None)


def read_plain(text: str) -> str | None:
    """The same of «проверь бизон»; None when the words ask for something else."""
    verb, _, rest = text.strip().partition(" ")
    if len(text) > LONGEST or not _WORDS.fullmatch(verb.rstrip("?.")):
        return None
    return read_asked(rest.strip().removeprefix("связь с "))
