"""Which money could be the same: one ad against many, as fast as against one."""

from itertools import product

import pytest

from domain.spending import Ad, Ads

SOME = [Ad(source=one, direction=two, creative=three) for one, two, three in product(("", "vk", "VK", "ok"), repeat=3)]


@pytest.mark.parametrize(
    "ads", [SOME[:1], SOME[1:], *([one, another] for one, another in zip(SOME, SOME[7:], strict=False))]
)
def test_many_ads_are_as_each_of_them(ads: list[Ad]) -> None:
    many = Ads(ads)
    assert [many.may_be(other) for other in SOME] == [any(ad.may_be(other) for ad in ads) for other in SOME]


def test_no_ad_is_held_against_each(monkeypatch: pytest.MonkeyPatch) -> None:
    read, parts = [0], Ad.parts

    def count(ad: Ad) -> tuple[str, str, str]:
        read[0] += 1
        return parts.fget(ad)  # type: ignore[attr-defined,no-any-return]

    monkeypatch.setattr(Ad, "parts", property(count))
    many = Ads(Ad(source="vk", creative=f"{number}") for number in range(200))
    assert not any(many.may_be(Ad(source="vk", creative=f"other {number}")) for number in range(200))
    assert read == [400]
