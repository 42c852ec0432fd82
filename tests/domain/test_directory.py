"""The company's words: what number a field says, and departments in the order of their tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.directory import Department, in_tree_order, number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("120", 120), ("1 200 кв.", 1200), ("5.0", 5), ("5,00", 5), ("квартир: 48", 48), ("4 подъезда", 4), ("0", 0),
        ("", None), ("нет", None), ("2-4", None), ("1, 2", None), ("12,5", None), ("9" * 40, None), ("1 000 000", None),
        ("9 эт.", 9), ("9.", 9), ("1\u00a0200", 1200),
    ],
)  # fmt: skip
def test_a_field_says_one_whole_number_or_none(text: str, number: int | None) -> None:
    assert number_of(text) == number


def test_children_stand_below_their_parent_in_the_order_of_the_crm() -> None:
    listed = [
        Department(external_id="3", name="Бригада 2", parent_id="2", place=20),
        Department(external_id="4", name="Бригада 1", parent_id="2", place=10),
        Department(external_id="1", name="Компания"),
        Department(external_id="5", name="Продажи", parent_id="1", place=500),
        Department(external_id="2", name="Клининг", parent_id="1", place=100),
        Department(external_id="6", name="Ничья", parent_id="77", place=900),
    ]
    shown = [(one.name, depth) for one, depth in in_tree_order(listed)]
    assert shown == [("Компания", 0), ("Клининг", 1), ("Бригада 1", 2), ("Бригада 2", 2), ("Продажи", 1), ("Ничья", 0)]


def test_a_circle_of_parents_is_shown_once_and_ends() -> None:
    listed = [Department(external_id=one, name=one, parent_id=parent) for one, parent in ("ab", "bc", "ca", "dd")]
    assert [(one.name, depth) for one, depth in in_tree_order(listed)] == [("a", 0), ("c", 1), ("b", 2), ("d", 0)]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 12)), max_size=10, unique_by=lambda one: one[0]))
def test_every_department_is_there_once(links: list[tuple[int, int]]) -> None:
    listed = [Department(external_id=str(id_), name="Отдел", parent_id=str(parent)) for id_, parent in links]
    shown = in_tree_order(listed)
    assert sorted(one.external_id for one, _ in shown) == sorted(one.external_id for one in listed)
    depths = {one.external_id: depth for one, depth in shown}
    assert all(depth == 0 or depths[one.parent_id] == depth - 1 for one, depth in shown)
