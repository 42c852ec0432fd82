"""Which column of a table is what, by the names people and systems give them."""

import re
from dataclasses import dataclass

from domain.errors import BadInput
from domain.imports import ImportKind

HEADER_WITHIN = 20  # rows: above the names there may be a title or two
_NAMES = {
    "id": "id, ид, номер лида, номер заявки, id лида, id заявки, id сделки, lead id, external id",
    "name": "имя, фио, клиент, контакт, имя клиента, имя контакта, полное имя, name, full name, client, username, lead name",
    "phone": "телефон, тел, номер, номер телефона, телефон клиента, мобильный, мобильный телефон, рабочий телефон, "
             "контактный телефон, phone, phone number, mobile, tel, contact phone",
    "email": "email, mail, почта, эл почта, электронная почта, емейл, имейл, email клиента, адрес почты",
    "chat_id": "chat id, chatid, whatsapp, whatsapp id, whatsapp jid, jid, вотсап, ватсап, вацап",
    "direction": "направление, direction, direction name, проект, продукт, услуга",
    "creative": "креатив, creative, creative name, объявление, название объявления, баннер, ad, ad name",
    "utm_source": "utm source, источник, рекламный источник, source, площадка",
    "utm_medium": "utm medium, канал, medium, тип трафика",
    "utm_campaign": "utm campaign, кампания, рекламная кампания, campaign, campaign name",
    "utm_term": "utm term, ключевое слово, ключ, term, keyword",
    "utm_content": "utm content, content, id объявления, ad id",
    "url_marker": "партнер, url marker, метка партнера, partner, реферал",
    "created": "дата, дата создания, дата заявки, дата лида, дата обращения, создан, создано, когда, created, created at, "
               "date, day, день, дата и время, creation date",
    "status": "статус, этап, стадия, status, stage, этап сделки",
    "manager": "менеджер, ответственный, manager, responsible, ответственный менеджер, сотрудник",
    "amount": "расход, расходы, затраты, потрачено, стоимость, сумма, бюджет, cost, costs, spend, amount, amount spent",
    "currency": "валюта, currency",
}  # fmt: skip
_FIELDS = {name.strip(): field for field, names in _NAMES.items() for name in names.split(",")}
_CONTACTS = frozenset({"phone", "email", "chat_id"})
_NOT_LETTERS = re.compile(r"[^\w]+|_")

SHOWN_NAMES = "телефон, e-mail, WhatsApp — для лидов; дата и расход — для расходов; креатив; направление"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """``places``: field → place in a row, from 0; ``titles``: field → its name in the table; ``unknown``: names left out."""

    kind: ImportKind
    places: dict[str, int]
    titles: dict[str, str]
    unknown: tuple[str, ...]

    def of(self, cells: list[str]) -> dict[str, str]:
        """What a row says, by field; "" where it is too short."""
        return {field: cells[place] if place < len(cells) else "" for field, place in self.places.items()}


def find_columns(cells: list[str], kind: ImportKind | None = None) -> Columns | None:
    """The columns, if this row names them. ``kind``: what a person says the table is."""
    places: dict[str, int] = {}
    titles: dict[str, str] = {}
    unknown = []
    for place, title in enumerate(cells):
        field = field_of(title)
        if field is not None and field not in places:
            places[field], titles[field] = place, title
        elif title:
            unknown.append(title)
    found = kind or _kind_of(places)
    if found is None or not _enough(found, places):
        return None
    return Columns(kind=found, places=places, titles=titles, unknown=tuple(unknown))


def field_of(title: str) -> str | None:
    """The field that is called so."""
    return _FIELDS.get(_tidy(title))


def nothing_found() -> BadInput:
    return BadInput("file", f"не нашлась строка с названиями колонок. Нужны: {SHOWN_NAMES}")


def _kind_of(places: dict[str, int]) -> ImportKind | None:
    for kind in (ImportKind.LEADS, ImportKind.SPEND, ImportKind.CREATIVES, ImportKind.DIRECTIONS):
        if _enough(kind, places):
            return kind
    return None


def _enough(kind: ImportKind, places: dict[str, int]) -> bool:
    if kind is ImportKind.LEADS:
        return bool(_CONTACTS & places.keys())
    if kind is ImportKind.SPEND:
        return {"created", "amount"} <= places.keys()
    return ("creative" if kind is ImportKind.CREATIVES else "direction") in places


def _tidy(title: str) -> str:
    """«E-mail», «e_mail» and «E Mail:» are one name."""
    words = " ".join(_NOT_LETTERS.sub(" ", title.casefold().replace("ё", "е")).split())
    return words.replace("e mail", "email").replace("е mail", "email")
