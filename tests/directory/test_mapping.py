"""Fields of houses are found by their labels, unless people have said which they are."""

import pytest

from domain.directory import CardField, HouseField
from handlers.directory.mapping import choices_of, mapping_of
from storage.house_mapping import KeptMapping


def fields(*labels: str) -> tuple[CardField, ...]:
    return tuple(CardField(code=f"UF_{number}", label=label) for number, label in enumerate(labels))


def found(*labels: str) -> dict[str, str]:
    return {name.value: code for name, code in mapping_of(KeptMapping(fields=fields(*labels))).codes.items()}


def test_a_company_s_own_words_are_understood() -> None:
    assert found(
        "Название", "Бригада", "Адрес дома", "Кол-во квартир", "Число подъездов", "Этажность", "УК", "График уборки", "Сумма"
    ) == {
        "address": "UF_2", "flats": "UF_3", "entrances": "UF_4", "floors": "UF_5", "company": "UF_6", "schedule": "UF_7",
        "brigade": "UF_1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("Указания", "Дата"), {}),
        (("Адрес доставки писем", "Адрес"), {"address": "UF_1"}),
        (("График бригады",), {"schedule": "UF_0"}),
        (("Управляющая компания", "УК (старое)"), {"company": "UF_0"}),
        (("Квартира клиента", "Этаж клиента", "Подъезд клиента", "Квартир в доме", "Этажей в доме", "Подъездов в доме"),
         {"flats": "UF_3", "floors": "UF_4", "entrances": "UF_5"}),
        (("АДРЕС", "Подъездов", "График  работ бригады", "Бригада №"),
         {"address": "UF_0", "entrances": "UF_1", "schedule": "UF_2", "brigade": "UF_3"}),
    ],
)  # fmt: skip
def test_the_surest_label_is_taken_once(labels: tuple[str, ...], expected: dict[str, str]) -> None:
    assert found(*labels) == expected


def test_two_fields_with_one_label_are_told_apart_by_code() -> None:
    address = choices_of(KeptMapping(fields=fields("Адрес", "Телефон", "Адрес")))[0]
    assert address.card_field is not None
    assert (address.card_field.code, [one.code for one in address.rivals]) == ("UF_0", ["UF_2"])


def test_every_field_that_fits_is_named_for_somebody_to_look() -> None:
    flats = choices_of(KeptMapping(fields=fields("Квартира клиента", "Квартир", "Количество квартир")))[1]
    assert flats.card_field is not None
    assert (flats.card_field.code, [one.code for one in flats.rivals]) == ("UF_1", ["UF_2", "UF_0"])


def test_what_people_say_holds_until_the_field_is_gone() -> None:
    known = fields("Адрес", "Дом", "Квартир")
    chosen = {HouseField.ADDRESS: "UF_1", HouseField.FLATS: ""}
    kept = KeptMapping(fields=known, chosen=chosen, pipeline_id="2")
    assert (mapping_of(kept).codes, mapping_of(kept).pipeline_id) == ({HouseField.ADDRESS: "UF_1"}, "2")
    address, flats, *_ = choices_of(KeptMapping(fields=(known[0], known[2]), chosen=chosen))
    assert (address.lost, address.by_hand, address.card_field) == ("UF_1", False, known[0])
    assert (flats.card_field, flats.by_hand) == (None, True)
