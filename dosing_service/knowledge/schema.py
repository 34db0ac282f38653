"""Marshmallow schemas of the knowledge files: what a file may say, key by key. Cross-checks between files are in
the loader.
"""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from dosing_service.knowledge import base
from dosing_service.knowledge.fields import (
    CitationsField,
    CourseField,
    FrequencyField,
    Number,
    RangeField,
    UnitField,
    Whole,
)
from dosing_service.knowledge.quantities import KindMismatch, check_kind
from dosing_service.knowledge.ranges import Range, describe
from dosing_service.model import Basis, DosingWeight, Per, Severity, Status

DESIGNS = (
    *("label", "guideline", "consensus", "randomised-trial", "open-trial", "cohort", "case-series", "case-report"),
    *("expert-opinion", "review", "compendium", "machine-text"),
)
USES = ("calcinosis", "underlying-disease", "reference")
ROUTES = ("oral", "intravenous", "subcutaneous", "intramuscular", "intralesional", "topical")
#: What a product is; what it is counted in follows from it.
FORMS = (
    *("tablet", "capsule", "effervescent-tablet", "single-dose-solution"),
    *("oral-solution", "oral-suspension", "vial", "autoinjector", "prefilled-syringe"),
)
JURISDICTIONS = ("US", "EU", "UK", "FR", "AU")
LIMIT_KINDS: Mapping[str, Per | None] = MappingProxyType(
    {
        "single-maximum": Per.ADMINISTRATION,
        "daily-maximum": Per.DAY,
        "weekly-maximum": Per.WEEK,
        "monthly-maximum": Per.MONTH,
        "course-maximum": Per.COURSE,
        "cumulative-maximum": None,
        "duration-maximum": None,
        "rate-maximum": Per.RATE,
    }
)
_BODY_OF_BASIS = {
    Basis.FIXED: None,
    Basis.BODY_WEIGHT: "kg",
    Basis.BODY_SURFACE_AREA: "m2",
    Basis.CONCENTRATION_VOLUME: "mL",
    Basis.CONCENTRATION: None,
}
_BAND_KEY = {Basis.WEIGHT_BAND: "weight", Basis.AGE_BAND: "age", Basis.BODY_SURFACE_AREA_BAND: "body_surface_area"}
EGFR_UNIT = "mL/min/{1.73_m2}"
_AGE_UNITS = ("a", "mo", "wk", "d")


class FileSchema(Schema):
    """A mapping in a knowledge file: unknown keys are refused."""

    class Meta:
        unknown = RAISE


def sentence(**kwargs: Any) -> fields.String:
    """Return a field that holds at least one character."""
    return fields.String(validate=validate.Length(min=1), **kwargs)


def _words(**kwargs: Any) -> fields.List[str]:
    return fields.List(fields.String(), **kwargs)


class QuantitySchema(FileSchema):
    value = Number(required=True)
    unit = UnitField(required=True)


class ReferenceSchema(FileSchema):
    kind = fields.String(required=True, validate=validate.OneOf((*DESIGNS, "standard", "unsourced")))
    citation = sentence(required=True)
    seen = fields.String(
        required=True,
        validate=validate.OneOf(("abstract", "excerpt", "table", "label-copy", "machine-text", "full-text", "none")),
    )
    pmid = sentence()
    pmcid = sentence()
    doi = sentence()
    url = sentence()


class FigureSchema(FileSchema):
    low = Number(required=True)
    high = Number(required=True)
    unit = UnitField(required=True)
    per = fields.Enum(Per, by_value=True, required=True)
    values = fields.List(Number())

    @validates_schema
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["low"] > data["high"]:
            raise ValidationError("low is above high", "low")
        if any(not data["low"] <= value <= data["high"] for value in data.get("values", ())):
            raise ValidationError("a value lies outside low to high", "values")
        try:
            check_kind(data["unit"], data["per"])
        except KindMismatch as error:
            raise ValidationError(str(error), "per") from error

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.DoseFigure:
        values = tuple(data["values"]) if "values" in data else None
        return base.DoseFigure(data["low"], data["high"], data["unit"], data["per"], values)


class SpanSchema(FileSchema):
    """A figure whose kind of amount is fixed by where it stands: a volume, an infusion time, an infusion rate."""

    low = Number(required=True)
    high = Number(required=True)
    unit = UnitField(required=True)


class PopulationSchema(FileSchema):
    description = sentence(required=True)
    age = RangeField(*_AGE_UNITS)
    weight = RangeField("kg")
    egfr = RangeField(EGFR_UNIT)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Population:
        return base.Population(data["description"], data.get("age"), data.get("weight"), data.get("egfr"))


class PopulationField(fields.Field[base.Population | None]):
    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> base.Population | None:
        if value == "not-stated":
            return None
        population: base.Population = PopulationSchema().load(value)
        return population


class BandSchema(FileSchema):
    weight = RangeField("kg")
    age = RangeField(*_AGE_UNITS)
    body_surface_area = RangeField("m2")
    dose = fields.Nested(FigureSchema, required=True)


class AppliesToSchema(FileSchema):
    formulation = sentence()
    route = sentence()
    age = RangeField(*_AGE_UNITS)
    weight = RangeField("kg")
    dose = RangeField("mg/kg/d")


class LimitSchema(FileSchema):
    kind = fields.String(required=True, validate=validate.OneOf(tuple(LIMIT_KINDS)))
    value = Number(required=True)
    unit = UnitField(required=True)
    effect = fields.Enum(base.Effect, by_value=True, required=True)
    applies_to = fields.Nested(AppliesToSchema, load_default=dict)
    references = CitationsField(required=True)

    @validates_schema
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        per, unit = LIMIT_KINDS[data["kind"]], data["unit"]
        if unit.body not in {None, "kg", "m2"} or unit.code == "%":
            raise ValidationError(f"{unit.code} is no unit of a maximum", "unit")
        if data["kind"] == "cumulative-maximum" and unit.time is not None:
            raise ValidationError("a cumulative-maximum is a total", "unit")
        is_duration = unit.code in {"d", "wk", "mo"}
        if (data["kind"] == "duration-maximum") != is_duration:
            raise ValidationError("a duration-maximum, and nothing else, is in d, wk or mo", "unit")
        if per is None:
            return
        try:
            check_kind(unit, per)
        except KindMismatch as error:
            raise ValidationError(str(error), "unit") from error

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Limit:
        to = data["applies_to"]
        formulation, route, age, weight, dose = (
            to.get(key) for key in ("formulation", "route", "age", "weight", "dose")
        )
        words = [formulation, route, *(describe(item) for item in (age, weight, dose))]
        return base.Limit(
            kind=data["kind"],
            value=data["value"],
            unit=data["unit"],
            effect=data["effect"],
            formulation=formulation,
            route=route,
            age=age,
            weight=weight,
            dose=dose,
            applies_to=", ".join(word for word in words if word) or None,
            citations=data["references"],
        )


class TimeSchema(SpanSchema):
    is_ = fields.Enum(base.TimeIs, by_value=True, data_key="is")

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["unit"].code not in {"min", "h"}:
            raise ValidationError("the time of an infusion is in min or h", "unit")
        given = data.get("is_")
        if data["low"] > data["high"] or (given is not None and (given is base.TimeIs.BETWEEN) != _is_range(data)):
            raise ValidationError("a range is between, a single time is about or at-least", "is")


def _is_range(data: Mapping[str, Any]) -> bool:
    return bool(data["low"] < data["high"])


class StepsSchema(FileSchema):
    size = Number()
    every = fields.Nested(QuantitySchema, required=True)


class ReducedRateSchema(FileSchema):
    high = Number(required=True)
    rules = _words(required=True, validate=validate.Length(min=1))


class DilutionSchema(FileSchema):
    amount = fields.Nested(QuantitySchema, required=True)
    volume = fields.Nested(SpanSchema, required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Dilution:
        amount, volume = data["amount"], data["volume"]
        if amount["unit"].code not in {"mg", "g", "ug"} or volume["unit"].code != "mL" or volume["low"] == 0:
            raise ValidationError("a dilution is a mass in so many mL")
        return base.Dilution(amount["value"], amount["unit"], volume["low"], volume["high"], data["references"])


class ShortestTimeSchema(FileSchema):
    amount = fields.Nested(QuantitySchema, required=True)
    time = fields.Nested(QuantitySchema, required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.ShortestTime:
        amount, time = data["amount"], data["time"]
        if amount["unit"].code != "mg" or time["unit"].code != "min":
            raise ValidationError("a shortest time is so many mg in so many min")
        return base.ShortestTime(amount["value"], time["value"], data["references"])


class InfusionSchema(FileSchema):
    time = fields.Nested(TimeSchema)
    rate = fields.Nested(SpanSchema)
    steps = fields.Nested(StepsSchema)
    reduced = fields.Nested(ReducedRateSchema)
    solution = fields.Nested(QuantitySchema)
    dilution = fields.Nested(DilutionSchema)
    shortest = fields.Nested(ShortestTimeSchema)
    note = sentence()
    references = CitationsField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if "steps" in data and data["steps"]["every"]["unit"].code != "min":
            raise ValidationError("steps come every so many min", "steps")
        if "solution" in data and data["solution"]["unit"].code != "mg/mL":
            raise ValidationError("the strength of a solution is in mg/mL", "solution")
        if "reduced" in data and ("rate" not in data or data["reduced"]["high"] >= data["rate"]["high"]):
            raise ValidationError("a reduced rate is below the highest rate", "reduced")


class TaperStepSchema(FileSchema):
    after = fields.Nested(QuantitySchema, required=True)
    percent = Number(required=True, validate=validate.Range(max=100))

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.TaperStep:
        value, unit = data["after"]["value"], data["after"]["unit"].code
        if unit not in {"d", "wk", "mo"} or value != value.to_integral_value():
            raise ValidationError("a step of a taper comes after whole d, wk or mo", "after")
        return base.TaperStep(int(value), unit, data["percent"])


class EvidenceSchema(FileSchema):
    level = fields.String(required=True, validate=validate.OneOf(DESIGNS))
    patients = Whole()
    outcome = sentence()

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Evidence:
        return base.Evidence(data["level"], data.get("patients"), data.get("outcome"))


class CompareWeightsSchema(FileSchema):
    above_bmi = Number(required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.CompareWeights:
        return base.CompareWeights(data["above_bmi"], data["references"])


class RegimenSchema(FileSchema):
    id = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9]+(-[a-z0-9]+)*$"))
    name = sentence(required=True)
    use = fields.String(required=True, validate=validate.OneOf(USES))
    indication = sentence(required=True)
    diseases = _words(required=True)
    lesion = fields.String(validate=validate.OneOf(("small", "large")))
    route = fields.String(required=True, validate=validate.OneOf(ROUTES))
    formulation = sentence()
    off_label = fields.Boolean(required=True, truthy={True}, falsy={False})
    population = PopulationField(required=True)
    basis = fields.Enum(Basis, by_value=True, required=True)
    dose = fields.Nested(FigureSchema)
    bands = fields.List(fields.Nested(BandSchema), validate=validate.Length(min=2))
    volume = fields.Nested(SpanSchema)
    dosing_weight = fields.Enum(DosingWeight, by_value=True, load_default=DosingWeight.ACTUAL)
    compare_weights = fields.Nested(CompareWeightsSchema)
    frequency = FrequencyField(required=True)
    course = CourseField()
    limits = fields.List(fields.Nested(LimitSchema), load_default=list)
    infusion = fields.Nested(InfusionSchema)
    evidence = fields.Nested(EvidenceSchema)
    titration = sentence()
    titrated = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    duration = sentence()
    taper = sentence()
    taper_steps = fields.List(fields.Nested(TaperStepSchema), load_default=list)
    administration = sentence()
    followed_by = sentence()
    references = CitationsField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        _check_taper(data)
        if data["titrated"] and ("titration" not in data or data["limits"]):
            raise ValidationError("a dose without an end has the words of its titration and no maximum", "titrated")
        basis: Basis = data["basis"]
        band_key = _BAND_KEY.get(basis)
        if ("bands" in data) != (band_key is not None) or ("dose" in data) == (band_key is not None):
            raise ValidationError("a band basis has bands, every other basis has dose", "basis")
        if "compare_weights" in data and basis is not Basis.BODY_WEIGHT:
            raise ValidationError("only a dose per kg can be compared by another weight", "compare_weights")
        if band_key:
            _check_bands(data["bands"], band_key)
            return
        body = data["dose"].unit.body
        if body != _BODY_OF_BASIS[basis]:
            raise ValidationError(f"unit {data['dose'].unit.code} does not fit the basis {basis.value}", "dose")
        if (data["dose"].unit.code == "%") != (basis is Basis.CONCENTRATION):
            raise ValidationError("a strength in % has the basis concentration", "dose")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Regimen:
        band_key = _BAND_KEY.get(data["basis"])
        volume = data.get("volume")
        population = data["population"]
        figure = data["dose"] if "dose" in data else data["bands"][0]["dose"]
        return base.Regimen(
            id=data["id"],
            name=data["name"],
            use=data["use"],
            indication=data["indication"],
            diseases=tuple(data["diseases"]),
            lesion=data.get("lesion"),
            route=data["route"],
            formulation=data.get("formulation"),
            off_label=data["off_label"],
            population=population,
            ages=population.age if population else (base.ADULT if data["basis"] is Basis.FIXED else None),
            weights=population.weight if population else None,
            basis=data["basis"],
            per=figure.per,
            amount_unit=figure.unit.amount,
            figure=data.get("dose"),
            bands=tuple(base.Band(band[band_key], band["dose"]) for band in data.get("bands", ())),
            volume=_span(volume, Per.ADMINISTRATION) if volume else None,
            dosing_weight=data["dosing_weight"],
            frequency=data["frequency"],
            course=data.get("course"),
            limits=tuple(data["limits"]),
            infusion=_infusion(data["infusion"]) if "infusion" in data else None,
            evidence=data.get("evidence", base.Evidence(None, None, None)),
            titration=data.get("titration"),
            duration=data.get("duration"),
            taper=data.get("taper"),
            taper_steps=tuple(data["taper_steps"]),
            administration=data.get("administration"),
            followed_by=data.get("followed_by"),
            citations=data["references"],
            compare_weights=data.get("compare_weights"),
            titrated=data["titrated"],
        )


def _span(data: Mapping[str, Any], per: Per) -> base.DoseFigure:
    return base.DoseFigure(data["low"], data["high"], data["unit"], per)


def _infusion(data: Mapping[str, Any]) -> base.Infusion:
    time, rate, steps, reduced = (data.get(key) for key in ("time", "rate", "steps", "reduced"))
    return base.Infusion(
        time=_span(time, Per.ADMINISTRATION) if time else None,
        time_is=_time_is(time) if time else None,
        rate=_span(rate, Per.RATE) if rate else None,
        steps=base.RateSteps(steps.get("size"), steps["every"]["value"]) if steps else None,
        reduced=base.ReducedRate(reduced["high"], tuple(reduced["rules"])) if reduced else None,
        solution=data["solution"]["value"] if "solution" in data else None,
        dilution=data.get("dilution"),
        shortest=data.get("shortest"),
        note=data.get("note"),
        citations=data["references"],
    )


def _time_is(time: Mapping[str, Any]) -> base.TimeIs:
    default = base.TimeIs.BETWEEN if _is_range(time) else base.TimeIs.ABOUT
    return base.TimeIs(time.get("is_", default))


def _check_taper(data: Mapping[str, Any]) -> None:
    steps: list[base.TaperStep] = data["taper_steps"]
    if not steps:
        return
    if "taper" not in data:
        raise ValidationError("steps of a taper stand beside its words", "taper_steps")
    if len({step.unit for step in steps}) > 1:
        raise ValidationError("the steps of a taper have one unit", "taper_steps")
    for left, right in pairwise(steps):
        if left.after >= right.after or left.percent <= right.percent:
            raise ValidationError("the steps of a taper come later and later, each below the one before", "taper_steps")


def _check_bands(bands: list[dict[str, Any]], key: str) -> None:
    figures = [band["dose"] for band in bands]
    if len({(figure.per, figure.unit.amount) for figure in figures}) != 1:
        raise ValidationError("all bands have one kind of amount and one amount unit", "bands")
    for band in bands:
        if set(band) != {key, "dose"}:
            raise ValidationError(f"each band has exactly the keys {key} and dose", "bands")
    ranges: list[Range] = [band[key] for band in bands]
    for left, right in pairwise(ranges):
        if left.unit != right.unit:
            raise ValidationError("all bands have one unit", "bands")
        if (
            left.end is None
            or right.start is None
            or left.end > right.start
            or (left.end_included and right.start_included and left.end == right.start)
        ):
            raise ValidationError(f"bands overlap near {right.start}", "bands")
        if left.end < right.start or not (left.end_included or right.start_included):
            raise ValidationError(f"bands leave a gap at {left.end}", "bands")


class NoteSchema(FileSchema):
    text = sentence(required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Note:
        return base.Note(data["text"], data["references"])


class OtherUsesSchema(FileSchema):
    text = sentence(required=True)
    limit = fields.Nested(LimitSchema)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.OtherUses:
        return base.OtherUses(data["text"], data.get("limit"), data["references"])


class ProductSchema(FileSchema):
    id = sentence(required=True)
    form = fields.String(required=True, validate=validate.OneOf(FORMS))
    routes = fields.List(fields.String(validate=validate.OneOf(ROUTES)), required=True, validate=validate.Length(min=1))
    formulation = sentence()
    release_hours = Whole()
    strength = fields.Nested(QuantitySchema, required=True)
    volume = fields.Nested(QuantitySchema)
    divisible = fields.Boolean(truthy={True}, falsy={False})
    regions = fields.List(fields.String(validate=validate.OneOf(JURISDICTIONS)), load_default=list)
    diluent = fields.Nested(NoteSchema)
    rxnorm = _words(load_default=list)
    references = CitationsField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["strength"]["unit"].code not in {"mg", "mg/mL"} or data["strength"]["value"] == 0:
            raise ValidationError("a strength is above 0, in mg or mg/mL", "strength")
        if "volume" in data and data["volume"]["unit"].code != "mL":
            raise ValidationError("a volume is in mL", "volume")
        if data.get("release_hours") not in {None, 12, 24}:
            raise ValidationError("an extended-release form acts for 12 or 24 hours", "release_hours")
        if data.get("divisible") and "release_hours" in data:
            raise ValidationError("an extended-release form is never divided", "divisible")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Product:
        return base.Product(
            id=data["id"],
            form=data["form"],
            routes=tuple(data["routes"]),
            formulation=data.get("formulation"),
            release_hours=data.get("release_hours"),
            strength=data["strength"]["value"],
            strength_unit=data["strength"]["unit"],
            volume_ml=data["volume"]["value"] if "volume" in data else None,
            divisible=data.get("divisible"),
            regions=tuple(data["regions"]),
            diluent=data.get("diluent"),
            rxnorm=tuple(data["rxnorm"]),
            citations=data["references"],
        )


class PositionSchema(FileSchema):
    says = sentence(required=True)
    regimen = sentence()
    amount = fields.Nested(FigureSchema)
    text = sentence()
    age = RangeField(*_AGE_UNITS)
    weight = RangeField("kg")
    dosing_weight = fields.Enum(DosingWeight, by_value=True, load_default=DosingWeight.ACTUAL)
    reaches = fields.Nested(QuantitySchema)
    references = CitationsField()

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if sum(key in data for key in ("regimen", "amount", "text")) != 1:
            raise ValidationError("a position has exactly one of regimen, amount and text")
        if "regimen" not in data and "references" not in data:
            raise ValidationError("an amount or words need references", "references")
        if "reaches" in data:
            _check_reaches(data)


def _check_reaches(data: Mapping[str, Any]) -> None:
    figure = data.get("amount")
    if figure is None or figure.per is not Per.DAY or figure.low == 0:
        raise ValidationError("reaches goes with an amount per day above 0", "reaches")
    if data["reaches"]["unit"].code not in {"mg", "g", "ug"} or figure.unit.amount not in {"mg", "g", "ug"}:
        raise ValidationError("reaches is a total in mg, g or ug", "reaches")


class DisagreementAppliesSchema(FileSchema):
    regimens = _words()
    age = RangeField(*_AGE_UNITS)
    weight = RangeField("kg")


class DisagreementSchema(FileSchema):
    id = fields.String(required=True, validate=validate.Regexp(r"^C[0-9]{2}$"))
    severity = fields.Enum(Severity, by_value=True, required=True)
    topic = sentence(required=True)
    summary = sentence(required=True)
    management = sentence(required=True)
    applies_to = fields.Nested(DisagreementAppliesSchema, load_default=dict)
    compare = _words(load_default=list, validate=validate.ContainsOnly(("per-kg", "per-m2", "per-year", "per-course")))
    undated = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    positions = fields.List(fields.Nested(PositionSchema), required=True, validate=validate.Length(min=2))

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["undated"] and not data["applies_to"].get("regimens"):
            raise ValidationError("what is not dated are the regimens that it applies to", "applies_to")


class StudySchema(FileSchema):
    design = fields.String(required=True, validate=validate.OneOf(DESIGNS))
    patients = Whole()
    dose = sentence()
    outcome = sentence(required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.Study:
        return base.Study(data["design"], data.get("patients"), data.get("dose"), data["outcome"], data["references"])


class EvidenceFindingSchema(FileSchema):
    severity = fields.Enum(Severity, by_value=True, required=True)
    summary = sentence(required=True)
    management = sentence(required=True)
    warns = fields.Boolean(truthy={True}, falsy={False}, load_default=False)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.EvidenceFinding:
        return base.EvidenceFinding(**data)


class AgentEvidenceSchema(FileSchema):
    verdict = fields.String(
        required=True, validate=validate.OneOf(("supported", "weak", "disputed", "advised-against", "not-established"))
    )
    summary = sentence(required=True)
    studies = fields.List(fields.Nested(StudySchema), load_default=list)
    finding = fields.Nested(EvidenceFindingSchema)
    references = CitationsField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        warns = "finding" in data and data["finding"].warns
        if data["verdict"] == "advised-against" and not warns:
            raise ValidationError("an agent that is advised against needs a finding that warns", "finding")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.AgentEvidence:
        return base.AgentEvidence(
            data["verdict"], data["summary"], tuple(data["studies"]), data.get("finding"), data["references"]
        )


class CodingSchema(FileSchema):
    system = fields.String(required=True, validate=validate.OneOf(("rxnorm", "atc", "unii", "snomed")))
    code = sentence(required=True)
    verified = fields.Boolean(required=True, truthy={True}, falsy={False})

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.AgentCoding:
        return base.AgentCoding(**data)


class AgentSchema(FileSchema):
    id = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9]+(-[a-z0-9]+)*$"))
    name = sentence(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(("drug", "procedure")))
    class_ = sentence(required=True, data_key="class")
    synonyms = _words(load_default=list)
    codings = fields.List(fields.Nested(CodingSchema), load_default=list)
    default_regimen = sentence()
    notes = fields.List(fields.Nested(NoteSchema), load_default=list)
    other_uses = fields.Nested(OtherUsesSchema)
    evidence = fields.Nested(AgentEvidenceSchema, required=True)
    products = fields.List(fields.Nested(ProductSchema), load_default=list)
    limits = fields.List(fields.Nested(LimitSchema), load_default=list)
    regimens = fields.List(fields.Nested(RegimenSchema), required=True)
    disagreements = fields.List(fields.Nested(DisagreementSchema), load_default=list)


class ReleaseSchema(FileSchema):
    version = sentence(required=True)
    released = sentence(required=True)
    reviewed = sentence(required=True)


class ExpectedAmountSchema(FileSchema):
    per = fields.Enum(Per, by_value=True, required=True)
    low = Number(required=True)
    high = Number(required=True)
    unit = sentence(required=True)
    divided_over_days = Whole()


class ExpectedSchema(FileSchema):
    status = fields.Enum(Status, by_value=True, required=True)
    amounts = fields.List(fields.Nested(ExpectedAmountSchema), load_default=list)


class KnownAnswerSchema(FileSchema):
    sentence = sentence(required=True)
    given = fields.Dict(required=True)
    expect = fields.Nested(ExpectedSchema, required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> base.KnownAnswer:
        return base.KnownAnswer(data["sentence"], data["given"], data["expect"])
