"""Sums, addresses and names."""

import pytest

from domain.calls import CallContext
from domain.events import Direction
from integrations.extractive.addresses import find_address
from integrations.extractive.amounts import amounts_of, find_sums
from integrations.extractive.clauses import Clause, cut
from integrations.extractive.lexicon import load_lexicon
from integrations.extractive.people import client_name, staff_name
from integrations.extractive.roles import attribute
from tests.integrations.extractive.scripted import HELD_AT, said


def heard(*turns: str) -> list[Clause]:
    transcript, context = said(*turns)
    return attribute(cut(transcript, load_lexicon()), context, load_lexicon())


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("восемнадцать тысяч рублей", [(18000, "восемнадцать тысяч рублей")]),
        ("сто пятьдесят рублей за метр", [(150, "сто пятьдесят рублей за метр")]),
        ("две с половиной тысячи рублей", [(2500, "две с половиной тысячи рублей")]),
        ("15 000 ₽", [(15000, "15 000 ₽")]),
        ("18,5 тыс. руб.", [(18500, "18,5 тыс. руб")]),
        ("18 т.р.", [(18000, "18 т.р")]),
        ("два миллиона триста тысяч рублей", [(2300000, "два миллиона триста тысяч рублей")]),
        ("Нам другая компания предложила пятнадцать тысяч.", [(15000, "пятнадцать тысяч")]),
        ("Стоит 1500.", [(1500, "1500")]),
        ("Чистка стоит пять пятьсот.", [(5500, "пять пятьсот")]),
        ("За две девятьсот.", [(2900, "две девятьсот")]),
        ("от двух до пяти тысяч рублей", [(5000, "от двух до пяти тысяч рублей")]),
        ("две-три тысячи рублей", [(3000, "две-три тысячи рублей")]),
        ("сто рублей пятьдесят копеек", [(100, "сто рублей")]),
        ("тысяча рублей и ещё раз тысяча рублей", [(1000, "тысяча рублей")]),
        ("двадцать тысяч километров", []),
        ("пробег сто тысяч", []),
        ("скидка десять процентов", []),
        ("второй рубль", []),
        ("ноль рублей", []),
        ("стоит в два раза больше", []),
        ("заказ номер двадцать семь сорок", []),
        ("приеду в пять", []),
    ],
)
def test_amounts(text: str, amounts: list[tuple[int, str]]) -> None:
    clauses = heard(f"op: {text}")
    found = amounts_of(find_sums(clauses, load_lexicon()), clauses)
    assert [(amount.value_rub, amount.text) for amount in found] == amounts


def test_a_price_may_follow_its_question() -> None:
    clauses = heard("cl: Сколько это стоит?", "op: Двенадцать тысяч с доставкой.")
    assert [amount.value_rub for amount in amounts_of(find_sums(clauses, load_lexicon()), clauses)] == [12000]


def test_percents_are_marked() -> None:
    sums = find_sums(heard("op: Скидка от пяти до десяти процентов."), load_lexicon())
    assert [(found.rub, found.end - found.start) for found in sums] == [(None, 5)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("я живу на улице Билибина, дом шесть, второй подъезд", "улица Билибина, дом 6, подъезд 2"),
        ("на улице Суворова, сто пятьдесят девять", "улица Суворова, дом 159"),
        ("на улице Кирова.", "улица Кирова"),
        (
            "проспект Ленинградский, дом двенадцать, корпус два, квартира сорок пять",
            "проспект Ленинградский, дом 12, корпус 2, квартира 45",
        ),
        ("на Ленинском проспекте, дом 5", "Ленинский проспект, дом 5"),
        ("Садовая улица, дом восемь", "Садовая улица, дом 8"),
        ("с Садовой улицы, дом восемь", "Садовая улица, дом 8"),
        ("на улице Садовой, дом восемь", "улице Садовой, дом 8"),
        ("улица Мира двадцать один квартира шесть", "улица Мира, дом 21, квартира 6"),
        ("ул. Ленина, д. 12Б, кв. 7", "улица Ленина, дом 12Б, квартира 7"),
        ("улица Новая, дом двенадцать дробь один", "улица Новая, дом 12/1"),
        ("улица Новая, дом 12-3", "улица Новая, дом 12-3"),
        ("улица Восьмого Марта, дом три", "улица Восьмого Марта, дом 3"),
        ("улица 50 лет Октября, дом три", "улица 50 лет Октября, дом 3"),
        ("улица Новая, дом три, подъезд номер два, пятый этаж", "улица Новая, дом 3, подъезд 2, этаж 5"),
        ("дом шесть, квартира двенадцать", "дом 6, квартира 12"),
        ("поднимайтесь, четвёртый этаж, квартира тридцать два", "этаж 4, квартира 32"),
        ("улица Новая. Дом три.", "улица Новая, дом 3"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    point = find_address(heard(f"cl: {text}"), load_lexicon())
    assert point is not None
    assert point.text == address


@pytest.mark.parametrize(
    "text", ["на улице темно", "дом шесть", "улица", "пятый этаж", "мы находимся на улице Мира, дом три", "уборка, улица"]
)
def test_no_address(text: str) -> None:
    assert find_address(heard(f"cl: {text}"), load_lexicon()) is None


def test_the_clients_address_wins() -> None:
    clauses = heard("op: Приём на улице Ленина, дом пять.", "cl: А я на улице Мира, дом девять.")
    point = find_address(clauses, load_lexicon())
    assert point is not None
    assert point.text == "улица Мира, дом 9"


@pytest.mark.parametrize(
    ("turns", "staff", "client"),
    [
        (["op: Двор, меня зовут Анна.", "cl: Меня зовут Елена Сергеевна Котова."], "Анна", "Елена Сергеевна Котова"),
        (["op: компания двор меня зовут анна", "cl: меня зовут елена сергеевна котова"], "Анна", "Елена Сергеевна Котова"),
        (["op: Грузоперевозки Атлант, Фёдор.", "cl: Добрый день."], "Фёдор", ""),
        (["op: Мастерская Пион, Эмма слушает.", "cl: Это Игнат Зимин."], "Эмма", "Игнат Зимин"),
        (["op: Компания Двор.", "cl: Это Кира из агентства."], "", "Кира"),
        (["op: Как вас зовут?", "cl: Зоя Аркадьевна."], "", "Зоя Аркадьевна"),
        (["op: Слушаю вас.", "cl: Я председатель дома на улице Мира."], "", "председатель дома"),
        (["op: Слушаю вас.", "cl: Здравствуйте, я мама Егора Тихонова."], "", "мама Егора Тихонова"),
        (["op: Слушаю вас.", "op: Павел Игоревич, записываю."], "", "Павел Игоревич"),
        (["op: Слушаю вас.", "op: Ольга Петровна вам перезвонит."], "", ""),
        (["op: Слушаю вас.", "op: Игнат, мы ждём деталь."], "", "Игнат"),
        (["op: Зовут меня Анна.", "cl: Понятно."], "Анна", ""),
        (["op: Слушаю.", "cl: Меня зовут Абдурашид."], "", "Абдурашид"),
    ],
)  # fmt: skip
def test_names(turns: list[str], staff: str, client: str) -> None:
    clauses = heard(*turns)
    context = CallContext(held_at=HELD_AT, direction=Direction.INCOMING)
    assert (staff_name(clauses, context, load_lexicon()), client_name(clauses, context, load_lexicon())) == (staff, client)


def test_an_outgoing_call_greets_the_client_by_name() -> None:
    clauses = heard("op: Здравствуйте, Марк! Это учебный центр Формула, отдел записи, Полина.", "cl: Да.")
    context = CallContext(held_at=HELD_AT, direction=Direction.OUTGOING)
    assert (staff_name(clauses, context, load_lexicon()), client_name(clauses, context, load_lexicon())) == (
        "Полина",
        "Марк",
    )


def test_the_crm_spells_a_misheard_name() -> None:
    clauses = heard("cl: Меня зовут Елена Сергевна Варонцова.")
    context = CallContext(held_at=HELD_AT, direction=Direction.INCOMING, client_name="Воронцова Елена Сергеевна")
    assert client_name(clauses, context, load_lexicon()) == "Елена Сергеевна Воронцова"
