"""The words around the name of a drug: salts, strengths, forms and directions.

A name counts only where its neighbours are such words: ``enacarbil`` behind gabapentin, or ``gold`` before sodium
thiosulfate, make another drug of it.
"""

import re
import unicodedata
from collections.abc import Mapping

#: A drug's name is short. What is longer is cut, so that no text takes long to read.
_MOST_CHARACTERS = 512
_MOST_WORDS = 96
_WORD = re.compile(r"[^\W_]+")
#: What separates two parts of a text, so that the words on both sides are no neighbours. A comma, a hyphen inside a
#: word and an apostrophe do not: "sodium phosphate, monobasic", "Solu-Medrol".
_SEPARATES = re.compile(r"[/\[\](){}<>:;+|&\n]|\.\s|\s[-–—]+\s|[–—]")
#: A biosimilar's suffix: four letters that mean nothing, joined by a hyphen.
_SUFFIX = re.compile(r"[a-z]{4}")

#: The tail of a name that says in which salt, ester or hydrate the drug comes. Never a name of its own.
SALTS = frozenset(
    """acetate acetonide acid anhydrous anion arginine aspartate axetil base benzathine besilate besylate bitartrate
    bromide butyrate calcium camsilate camsylate carbonate chloride cilexetil citrate cypionate decanoate diacetate
    dibasic dihydrate dihydrochloride diphosphate dipropionate disodium edisylate embonate enanthate erbumine estolate
    ethylsuccinate fumarate furoate gluconate glucuronate hcl hemihydrate hemisuccinate heptahydrate hexacetonide
    hexahydrate hyclate hydrate hydrobromide hydrochloride hydroxide isethionate isetionate lactate lysine magnesium
    malate maleate medoxomil meglumine mesilate mesylate monobasic monohydrate monosodium nitrate olamine oxalate
    palmitate pamoate pentahydrate phos phosphate pivalate potassium procaine propionate salicylate sesquihydrate sod
    sodium stearate succ succinate sulfate sulphate tartrate tebutate tetrahydrate tosilate tosylate tribasic trihydrate
    trisodium trometamol tromethamine undecanoate usp valerate xinafoate zinc""".split()  # noqa: SIM905 - words are easier to keep in order than quoted ones
)

#: Words beside a name that leave it what it is.
_PLAIN = frozenset(
    """abuse actuat actuation administer am amp ampoule ampul ampule an and apply as at auto autoinjector bag before
    bedtime bid biosimilar bottle brand buccal by cap caps capsule capsules cartridge cd cf chew chewable coated
    compounded concentrate continue course cr current daily day days delayed depot deterrent dilute diluted
    disintegrating dosage dosepak dose dosepack dosing dpi dr dry ds each ec effervescent emulsion enteric er every
    evening extended extemporaneous fast film first flush for free friday g generic give gm gram grams granules
    half hfa home hour hours hr hrs human im immediate implant in inf inh infuse infusion inj inject injectable
    injection international intensol intraarticular intradermal intralesional intramuscular intravenous intravenously
    iu iv ivpb ivp kg kit la liq liquid lozenge maintenance mcg mdi med medication meq mg microgram micrograms
    milligram milligrams millilitre milliliter minute minutes ml mmol modified mol monday month monthly months morning
    nebule nebuliser nebulizer nf night nightly now oad odt oil on once one oral orally osmotic outpatient own
    pack pak patch patches patient patients pen per percent pf piggyback pill pills pivot pm po powder ppi prefilled
    preservative prescribed prn products product prolonged pulse pump qam qd qday qhs qid qod qpm qw rapid
    ready reconstituted refill release renewal repeat resume rx saturday sc scored sdv single sl slow sol soln
    solution sprinkle sq sr standard start starter sterile sub subcut subcutaneous subcutaneously subling sublingual
    subq sunday susp suspension sustained syr syrup syringe tab table tablet tablets tabs take taken tapering
    taper tbec tbl the thursday three tid times total transdermal tuesday twice two ug unit units unt use via vial
    vials water wednesday week weekly weeks with xl xr xt""".split()  # noqa: SIM905 - as above
)

#: Words of a form or a way of giving, with the route that they are of. ``systemic`` outweighs the others.
ROUTE_WORDS: Mapping[str, str] = {
    word: route
    for route, words in {
        "topical": "topical topically cream creme ointment oint lotion shampoo skin gel foam",
        "ophthalmic": "ophthalmic eye eyes opht ophth intraocular",
        "otic": "otic ear ears",
        "nasal": "nasal nostril nostrils intranasal",
        "vaginal": "vaginal vaginally pessary pessaries",
        "rectal": "rectal rectally suppository suppositories enema",
        "oromucosal": "dental paste mouthwash oromucosal",
        "inhalation": "inhalation inhaled inhaler inhalant nebulized nebulised nebulizer nebuliser hfa mdi dpi inh",
        "systemic": """oral orally po tablet tablets tab tabs capsule capsules cap caps injection injectable injectible
            inj intravenous intravenously iv im intramuscular subcutaneous subcut sc subq sq infusion transdermal patch
            intralesional intraarticular depot syringe syrup elixir""",
    }.items()
    for word in words.split()
}
#: Forms of which a word is of a local route and another of a systemic one: RxNorm's dental paste.
_FORMS = {("oral", "paste"): "oromucosal", ("oral", "gel"): "oromucosal"}

_NEIGHBOURS = _PLAIN | SALTS | frozenset(ROUTE_WORDS) | {"drop", "drops", "spray", "sprays", "metered"}


class Words:
    """A text as words in lower case; ``apart[i]`` tells whether something separates word ``i`` from the one before."""

    __slots__ = ("apart", "gaps", "words")

    def __init__(self, text: str) -> None:
        """Split a text; what is beyond the length of any drug's name is left out."""
        text = unicodedata.normalize("NFKC", text[:_MOST_CHARACTERS])[:_MOST_CHARACTERS].lower()
        self.words: list[str] = []
        self.gaps: list[str] = []
        end = 0
        for match in _WORD.finditer(text):
            if len(self.words) == _MOST_WORDS:
                break
            self.words.append(match.group())
            self.gaps.append(text[end : match.start()])
            end = match.end()
        self.apart = [_SEPARATES.search(gap) is not None for gap in self.gaps]

    def key(self) -> tuple[str, ...]:
        """Return the words alone."""
        return tuple(self.words)

    def goes_with(self, position: int) -> bool:
        """Tell whether the word at a position leaves a name beside it what it is: a number, a form, a direction."""
        word = self.words[position]
        return word[0].isdigit() or word in _NEIGHBOURS

    def is_suffix(self, position: int) -> bool:
        """Tell whether a word is a biosimilar's suffix of the word before."""
        return self.gaps[position] == "-" and _SUFFIX.fullmatch(self.words[position]) is not None

    def is_salt(self, position: int) -> bool:
        """Tell whether a word is the salt of the name before it."""
        return self.words[position] in SALTS and self.gaps[position].strip() in {"", ","}

    def routes(self) -> frozenset[str]:
        """Return the routes that the words are of: ``systemic`` alone, where a word is of the whole body."""
        pairs = zip(self.words, self.words[1:], strict=False)
        forms = [_FORMS[pair] for pair in pairs if pair in _FORMS]
        if forms:
            return frozenset(forms)
        found = {ROUTE_WORDS[word] for word in self.words if word in ROUTE_WORDS}
        if "systemic" in found:
            return frozenset({"systemic"})
        # An eye ointment is for the eye: the form is less than the place.
        return frozenset(found - {"topical"} or found)
