"""The growth reference against the percentiles that its publisher prints beside L, M and S, and a published example."""

import csv
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import growth
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.growth import Measure
from dosing_service.model import Sex

Row = dict[str, str]

_TABLE = Path(__file__).parent / "growth_percentiles.csv"
_FILE = files("dosing_service.knowledge").joinpath("growth/cdc-2000.csv").read_text("utf-8")
_KEYS = ("sex", "measure", "months")
_GOOD = "sex,measure,months,l,m,s\n" + "".join(
    f"{sex},{measure},{months},1,10,0.1\n"
    for sex in ("female", "male")
    for measure in ("weight", "height", "bmi")
    for months in (0, 12)
)


def _published() -> list[Any]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return [pytest.param(row, id=f"{number}") for number, row in enumerate(csv.DictReader(file), start=2)]


def _parameters(row: Row) -> list[Decimal]:
    """Return L, M and S of a row's curve at its age."""
    for other in csv.DictReader(_FILE.splitlines()):
        if all(other[key] == row[key] for key in _KEYS):
            return [Decimal(other[name]) for name in "lms"]
    raise AssertionError(row)


@pytest.mark.parametrize("row", _published())
def test_percentile_is_the_published_one(row: Row) -> None:
    """L, M and S of the file give the percentiles that stand beside them in the published tables, to six digits."""
    z = Decimal(repr(NormalDist().inv_cdf(int(row["percentile"]) / 100)))
    value = growth.value_at(z, *_parameters(row))
    assert pytest.approx(Decimal(row["expected"]), rel=Decimal("1e-6")) == value, row["why"]


def test_modified_z_score_is_that_of_the_published_example(knowledge: KnowledgeBase) -> None:
    """A boy of 48.5 months: median 15.62, -2 standard deviations 13.74, and a body mass index of 12 is -3.85."""
    point = knowledge.growth.at(Measure.BODY_MASS_INDEX, Sex.MALE, Decimal("48.5"))
    assert point is not None
    assert round(point.median, 2) in {Decimal("15.62"), Decimal("15.63")}  # the example cuts 15.628 off
    assert Decimal("13.74") == round(point.at(Decimal(-2)), 2)
    assert Decimal("-3.85") == round((12 - point.median) / point.below, 2)


def test_between_two_ages_the_reference_is_linear(knowledge: KnowledgeBase) -> None:
    """At 108 months the median of boys is half way between those of 107.5 and 108.5 months."""
    point = knowledge.growth.at(Measure.WEIGHT, Sex.MALE, Decimal(108))
    assert point is not None
    assert Decimal("28.550968745") == point.median  # (28.42063744 + 28.68130005) / 2


def test_the_reference_ends_with_its_last_age_and_has_no_body_mass_index_below_two_years(
    knowledge: KnowledgeBase,
) -> None:
    """Beyond 20 years the last point holds; before the first there is none."""
    last = knowledge.growth.at(Measure.WEIGHT, Sex.FEMALE, Decimal(600))
    assert last is not None
    assert Decimal("58.21897289") == last.median
    assert knowledge.growth.at(Measure.BODY_MASS_INDEX, Sex.FEMALE, Decimal(23)) is None


def test_a_curve_without_skew_is_exponential() -> None:
    """At L = 0 the formula is M exp(S z): 10 exp(0.2) = 12.2140."""
    value = growth.value_at(Decimal(2), Decimal(0), Decimal(10), Decimal("0.1"))
    assert pytest.approx(Decimal("12.2140275816"), rel=Decimal("1e-9")) == value


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "line 1", "an empty file"),
        ("sex,measure,months,m,l,s\n", "line 1", "columns in another order would give other children"),
        (_GOOD.replace("female,weight,0,1", "girl,weight,0,1"), "line 2", "an unknown sex"),
        (_GOOD.replace("female,weight,0,1", "female,wait,0,1"), "line 2", "an unknown measure"),
        (_GOOD.replace("female,weight,0,1", "female,weight,birth,1"), "line 2", "a word for a number"),
        (_GOOD.replace("female,weight,0,1,10,0.1", "female,weight,0,1,10"), "line 2", "a value left out"),
        (_GOOD.replace("female,weight,12", "female,weight,0"), "female weight", "one age twice"),
        (_GOOD.replace("\nmale,bmi,12,1,10,0.1", ""), "male bmi", "a curve of one point"),
    ],
)
def test_a_broken_file_is_named_with_its_place(text: str, where: str, why: str) -> None:
    """A file that is not the reference stops the start and says where."""
    with pytest.raises(KnowledgeError) as caught:
        growth.read("growth/cdc-2000.csv", text)
    assert where == caught.value.path, why
