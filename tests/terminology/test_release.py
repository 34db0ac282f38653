"""A release of RxNorm becomes an index: what each code resolves to, and which files are refused."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from dosing_service.cli import main
from dosing_service.terminology import IndexFault, RxNormIndex
from dosing_service.terminology import release as release_module
from dosing_service.terminology.release import import_release

FILES = Path(__file__).parent
CONCEPTS, RELATIONS = FILES / "RXNCONSO.RRF", FILES / "RXNREL.RRF"


@pytest.mark.parametrize(
    ("code", "term_type", "ingredients", "strengths", "why"),
    [
        ("3443", "IN", {"3443"}, [], "an ingredient is its own"),
        ("9000401", "PIN", {"6902"}, [], "form_of: the acetate is methylprednisolone"),
        ("9000501", "MIN", {"3443", "6809"}, [], "has_part: several ingredients"),
        ("9000301", "BN", {"3443"}, [], "tradename_of"),
        ("9000102", "SCDC", {"3443"}, [], "has_ingredient; the strength of a component has done its part"),
        ("9000103", "SCDC", {"6902"}, [], "has_precise_ingredient, then form_of"),
        ("9000201", "SCD", {"3443"}, [("diltiazem hydrochloride", "45", "MG")], "consists_of"),
        ("9000202", "SBD", {"3443"}, [("diltiazem hydrochloride", "45", "MG")], "tradename_of the clinical drug"),
        ("9000203", "SCD", {"6902"}, [("methylprednisolone acetate", "30", "MG/ML")], "a strength of an ester"),
        (
            *("9000204", "SCD", {"9000001", "6809"}),
            *([("examplamine", "5", "MG"), ("metformin hydrochloride", "500", "MG")], "a combination"),
        ),
        ("9000207", "SCD", set(), [], "obsolete: the name is known, its relations are gone"),
        ("9000209", "SCD", {"3443"}, [], "a strength that is not simple is left out"),
        ("9000601", "GPCK", {"3443"}, [], "contains; a pack has no strength"),
        ("9000602", "BPCK", {"3443"}, [], "contains a branded drug"),
        ("9000701", "SCDF", {"3443"}, [], "a form without a strength"),
        ("9000702", "SBDF", {"3443"}, [], "tradename_of a form"),
    ],
)
def test_code_resolves_to_its_ingredients(
    index: RxNormIndex,
    code: str,
    term_type: str,
    ingredients: set[str],
    strengths: list[tuple[str, str, str]],
    why: str,
) -> None:
    """Each term type reaches its ingredients by the relations that RxNorm has for it."""
    found = index.lookup(code)

    assert found is not None, why
    assert term_type == found.term_type
    assert ingredients == {number for number, _ in found.ingredients}, why
    assert strengths == [(item.substance, str(item.value), item.unit) for item in found.strengths], why


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("9000299", "an editor has withdrawn it"),
        ("9000901", "another source's"),
        ("1", "not in the release"),
        ("", "nothing"),
        ("3443x", "no number"),
        ("٣٤٤٣", "digits of another script"),
        ("9" * 40, "longer than any code"),
        ("3443; DROP TABLE concept", "no code"),
    ],
)
def test_unknown_code_is_nothing(index: RxNormIndex, code: str, why: str) -> None:
    """What is no code of RxNorm's own drugs is not found, and does no harm."""
    assert index.lookup(code) is None, why


def test_names_are_those_of_rxnorm(index: RxNormIndex) -> None:
    """Of several names of one code the normalised English one is kept."""
    found = index.lookup("9000201")

    assert found is not None
    assert found.name == "diltiazem hydrochloride 45 MG Oral Tablet"
    assert found.ingredients == (("3443", "diltiazem"),)


def _dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        lines = list(database.iterdump())
    database.close()
    return lines


def test_import_is_idempotent(tmp_path: Path) -> None:
    """A second import of the same files replaces the index by the same one and leaves nothing else behind."""
    target = tmp_path / "rxnorm.sqlite"
    first = import_release(CONCEPTS, RELATIONS, target)
    before = _dump(target)
    second = import_release(CONCEPTS, RELATIONS, target)

    assert first == second
    assert before == _dump(target)
    assert [target] == list(tmp_path.iterdir())


def test_direction_of_relations_does_not_matter(tmp_path: Path) -> None:
    """A release with one row per relation, in either direction, gives the same index."""
    lines = RELATIONS.read_text("utf-8").splitlines(keepends=True)
    whole = tmp_path / "whole.sqlite"
    import_release(CONCEPTS, RELATIONS, whole)
    for remainder in (0, 1):
        half = tmp_path / f"half-{remainder}.RRF"
        half.write_text("".join(line for number, line in enumerate(lines) if number % 2 == remainder), "utf-8")
        import_release(CONCEPTS, half, tmp_path / "half.sqlite")

        assert _dump(whole) == _dump(tmp_path / "half.sqlite")


def test_long_release_is_taken_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into one batch is all there."""
    import_release(CONCEPTS, RELATIONS, tmp_path / "one.sqlite")
    monkeypatch.setattr(release_module, "_BATCH", 7)
    import_release(CONCEPTS, RELATIONS, tmp_path / "seven.sqlite")

    assert _dump(tmp_path / "one.sqlite") == _dump(tmp_path / "seven.sqlite")


def _without_components(data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if b"onsist" not in line and b"constit" not in line)


@pytest.mark.parametrize(
    ("name", "change", "reason", "why"),
    [
        ("RXNCONSO.RRF", lambda data: data[:-40], "line 37: the line has no end: the file is cut off", "cut inside"),
        ("RXNREL.RRF", lambda data: data[:-1], "the line has no end: the file is cut off", "the last byte is gone"),
        ("RXNCONSO.RRF", lambda data: data.replace(b"|", b",", 1), "line 1: 17 columns, 18 expected", "a bar is gone"),
        ("RXNREL.RRF", lambda data: data.replace(b"|", b"\t"), "line 1: 0 columns, 16 expected", "tabs"),
        ("RXNCONSO.RRF", lambda data: data.replace(b"|\n", b"|x\n", 1), "line 1: 18 columns", "more than columns"),
        ("RXNCONSO.RRF", lambda _: b"", "no line of RxNorm's own drugs", "empty"),
        ("RXNCONSO.RRF", lambda data: data.replace(b"RXNORM", b"MTHSPL"), "no line of RxNorm's own", "other source"),
        ("RXNREL.RRF", lambda _: b"", "no relation between RxNorm's own drugs", "empty"),
        (
            "RXNCONSO.RRF",
            lambda data: data.replace(b"diltiazem", b"\xff\xfe", 1),
            "line 1: not UTF-8",
            "other encoding",
        ),
        ("RXNCONSO.RRF", lambda _: b"x" * 100_000, "line 1: the line has no end", "no lines at all"),
        ("RXNCONSO.RRF", lambda data: data.replace(b"3443|", b"x43|", 1), "line 1: a code and a name", "no number"),
        ("RXNREL.RRF", lambda data: data.replace(b"3443|", b"x43|", 1), "line 1: a code is no number", "no number"),
        ("RXNREL.RRF", _without_components, "drugs have no ingredient: the file is cut off", "ends between two lines"),
    ],
)
def test_broken_release_is_refused(
    tmp_path: Path, name: str, change: Callable[[bytes], bytes], reason: str, why: str
) -> None:
    """A file that is cut off or of another format is refused in one line, and the index in place stays as it was."""
    for path in (CONCEPTS, RELATIONS):
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(change(data) if path.name == name else data)
    target = tmp_path / "rxnorm.sqlite"
    target.write_bytes(b"as it was")

    with pytest.raises(IndexFault) as refused:
        import_release(tmp_path / CONCEPTS.name, tmp_path / RELATIONS.name, target)

    assert reason in str(refused.value), why
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / name))
    assert target.read_bytes() == b"as it was"
    assert {CONCEPTS.name, RELATIONS.name, target.name} == {path.name for path in tmp_path.iterdir()}


def test_command_imports(tmp_path: Path) -> None:
    """The command writes the index and says how much is in it."""
    target = tmp_path / "rxnorm.sqlite"
    result = CliRunner().invoke(main, ["terminology", "import", str(CONCEPTS), str(RELATIONS), "--to", str(target)])

    assert result.exit_code == 0
    # Counted by hand in RXNCONSO.RRF: 9 ingredients, their salts, combinations and brands, 8 components, 10 clinical
    # drugs (one obsolete), a branded one, 2 packs, 2 forms.
    assert result.output == (
        f"{target}: 32 codes, 6 ingredients; 10 of 10 clinical and branded drugs have their ingredients\n"
    )
    assert RxNormIndex(target).lookup("9000201") is not None


@pytest.mark.parametrize(
    ("concepts", "target", "reason"),
    [
        ("nothing.RRF", "rxnorm.sqlite", "nothing.RRF: cannot be read: No such file or directory"),
        ("", "rxnorm.sqlite", "cannot be read: Is a directory"),
        ("RXNCONSO.RRF", "no-folder/rxnorm.sqlite", "cannot be written: No such file or directory"),
        ("RXNCONSO.RRF", "folder", "cannot be written"),
    ],
)
def test_command_says_what_is_wrong(tmp_path: Path, concepts: str, target: str, reason: str) -> None:
    """A missing file or folder ends the command with one line and exit code 1."""
    (tmp_path / "folder").mkdir()
    arguments = [str(FILES / concepts), str(RELATIONS), "--to", str(tmp_path / target)]
    result = CliRunner().invoke(main, ["terminology", "import", *arguments])

    assert result.exit_code == 1
    assert reason in result.output
    assert result.output.count("\n") == 1
