"""What an ad is called by those who pay for it: names that are known, however they are written, and those like them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from storage.spend_entries import KnownAds

LONGEST_NAME = 8  # words
SHORTEST_NAME = 2  # letters
MOST_ALIKE = 3
SHORTEST_STEM = 4  # letters: endings change
MOST_COMPARED = 2000
# How sites are called aloud, by the name that marks usually carry.
_ALOUD = {
    "google": "google ads, googleads, adwords, гугл, гугле, гугл реклама",
    "yandex": "яндекс, яндексе, яндекс директ, яндекс.директ, директ, директе, yandex direct, direct",
    "vk": "вк, вконтакте, вк реклама, vk ads, vkontakte",
    "telegram": "телеграм, телеграмм, телеграме, тг, tg, telegram ads, tgads",
    "avito": "авито", "instagram": "инстаграм, инста, inst, insta", "facebook": "фейсбук, fb", "youtube": "ютуб, ютубе",
    "tiktok": "тикток", "2gis": "2гис, дубльгис", "mytarget": "майтаргет", "dzen": "дзен", "ok": "одноклассники",
}  # fmt: skip
_SITES = {said.strip(): site for site, names in _ALOUD.items() for said in (site, *names.split(","))}
_GAPS = re.compile(r"[\s_\-]+")
_LETTER = re.compile(r"[^\W\d_]")


class Kind(StrEnum):
    """What a name is of, in the order in which unknown names are taken."""

    SOURCE = "source"
    DIRECTION = "direction"
    CREATIVE = "creative"


def tidy(name: str) -> str:
    """«VK_Ads» and «vk ads» are one name."""
    return _GAPS.sub(" ", name.casefold().replace("ё", "е")).strip(" .:=«»\"'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Names by kind: as they are written tidily → as they are called."""

    names: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)

    def exact(self, kind: Kind, said: str) -> str | None:
        """The name that this is, "vk" for «ВК» too."""
        mine, told = self.names.get(kind, {}), tidy(said)
        if told in mine or kind is not Kind.SOURCE:
            return mine.get(told)
        site = _SITES.get(told)
        if site is None:
            return None
        return mine.get(site) or next((name for one, name in mine.items() if _SITES.get(one) == site), None)

    def kinds_of(self, said: str) -> list[Kind]:
        """What these words are the name of; of a site that everybody knows too."""
        if len(said) < SHORTEST_NAME:
            return []
        kinds = [kind for kind in Kind if self.exact(kind, said) is not None]
        return kinds or ([Kind.SOURCE] if tidy(said) in _SITES else [])

    def name(self, kind: Kind, said: str) -> str:
        """As it will be kept: a known name as it is called, a site as marks call it, else what was said."""
        known = self.exact(kind, said)
        return known if known is not None else _SITES.get(tidy(said), said) if kind is Kind.SOURCE else said

    def alike(self, kind: Kind, said: str) -> list[str]:
        """Names somebody may have meant, the likest first; then those that have such a word in them."""
        mine, told = dict(list(self.names.get(kind, {}).items())[:MOST_COMPARED]), tidy(said)
        close = get_close_matches(told, mine, MOST_ALIKE, 0.72)
        stem = told[: max(SHORTEST_STEM, len(told) - 2)]
        if len(told) >= SHORTEST_STEM:
            close += [one for one in mine if one not in close and any(word.startswith(stem) for word in one.split())]
        return [mine[one] for one in close[:MOST_ALIKE]]


def known_names(ads: KnownAds) -> Known:
    """A name without a letter could be a sum or a day: it has to be labelled."""
    lists: dict[Kind, Iterable[str]] = {
        Kind.SOURCE: ads.sources,
        Kind.DIRECTION: ads.directions,
        Kind.CREATIVE: ads.creatives,
    }
    return Known(
        names={kind: {tidy(name): name for name in some if _LETTER.search(name)} for kind, some in lists.items()}
    )  # fmt: skip
