"""The scripts that made the shipped packs."""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import ROOT

from hycora_scale.hypernetwork import generate
from hycora_scale.pack import read_pack, write_pack


def script(name: str) -> ModuleType:
    """A script of experiments/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scale/experiments" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Data classes look their module up.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run(monkeypatch: pytest.MonkeyPatch, name: str, *options: object) -> None:
    """Runs a script with a command line."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, options)])
    script(name).main()


@pytest.mark.parametrize("static", [[], ["--static"]])
def test_a_wider_pack_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, static: list[str]) -> None:
    source, target = ROOT / "public/packs/starter.hycora.safetensors", tmp_path / "wide"
    before = read_pack(source)
    rank = before.config.rank + 3
    run(monkeypatch, "widen", source, target, rank, *static)
    after = read_pack(target)
    assert after.config.rank == rank
    assert after.config.scale == before.config.scale
    assert ("layers.0.q.lora_A0" in after.tensors) == (bool(static) or "layers.0.q.lora_A0" in before.tensors)
    roles = torch.tensor([0, 5])
    for pack in (before, after):
        pack.tensors.update({name: values.float() for name, values in pack.tensors.items()})
    old, new = (generate(pack.config, pack.tensors, roles) for pack in (before, after))
    for projection, layers in old.a.items():
        wanted = layers[0] @ old.b[projection][0]
        torch.testing.assert_close(new.a[projection][0] @ new.b[projection][0], wanted)
        assert new.a[projection][0][..., -1].std() > 0.1 * layers[0].std()


def test_an_average_lies_between_two_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, out = (tmp_path / name for name in ("before", "after", "out"))
    pack = read_pack(ROOT / "public/packs/starter.hycora.safetensors")
    old = {name: values.float() for name, values in pack.tensors.items() if not name.endswith(".lora_A0")}
    write_pack(before, replace(pack, config=replace(pack.config, source_a="hyper"), tensors=old))
    new = {name: values.float() + 1 for name, values in pack.tensors.items()}
    write_pack(after, replace(pack, tensors=new))
    run(monkeypatch, "average", before, after, 0.25, out)
    mixed = read_pack(out).tensors
    for name, values in new.items():
        torch.testing.assert_close(mixed[name], 0.75 * old.get(name, torch.zeros_like(values)) + 0.25 * values)


def packed_rows(monkeypatch: pytest.MonkeyPatch, out: Path, *options: object) -> list[dict[str, Any]]:
    """The rows that the script makes with options."""
    run(monkeypatch, "answers", out, *options)
    return [json.loads(line) for line in out.read_text("utf8").splitlines()]


def test_a_fact_comes_as_often_as_asked_in_other_wordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--facts", 2, "--talks", 0, "--scenes", 0)
    counts = {}
    for begin in (0, 1):
        rows = packed_rows(monkeypatch, tmp_path / "rows.jsonl", "--passes", 1, "--begin", begin, *options)
        turns = [row["messages"] for row in rows if row["role"] == "Long John Silver"]
        counts[begin] = {
            turns_of_row[place - 1]["content"]
            for turns_of_row in turns
            for place, turn in enumerate(turns_of_row)
            if turn["content"] == "My parrot is called Captain Flint, matey, after my old captain."
        }
    assert [len(asked) for asked in counts.values()] == [2, 2]
    assert not counts[0] & counts[1]


def test_what_is_held_out_is_in_no_packed_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = packed_rows(monkeypatch, tmp_path / "rows.jsonl", "--passes", 2)
    asked = {(row["role"], turn["content"]) for row in rows for turn in row["messages"] if turn["role"] == "user"}
    records = [json.loads(line) for line in (ROOT / "public/cast/lines.jsonl").read_text("utf8").splitlines()]
    items = [record for record in records if "questions" in record]
    held = {
        (record["role"], question)
        for record in items
        for index, question in enumerate(record["questions"])
        if record["split"] == "test" or index >= len(record["questions"]) - record.get("held", 0)
    }
    learnt = {(record["role"], question) for record in items for question in record["questions"]} - held
    assert len(asked & learnt) > 10_000
    assert not asked & (held - learnt)


@pytest.fixture
def reminded(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that packs answers behind reminders; its neighbour is found as if it were run."""
    monkeypatch.syspath_prepend(str(ROOT / "scale/experiments"))
    return script("reminded")


PARROT = {"id": "parrot", "fact": "His parrot is called Captain Flint.", "accept": ["flint"]}
LEG = {"id": "leg", "fact": "He lost a leg at sea.", "accept": ["sea"]}
CREW = {"id": "crew", "fact": "He has six men.", "accept": ["six"]}
NAMES = {"id": "mate", "fact": "His friend is Israel.", "accept": ["israel"]}
SILVER = "Long John Silver"


# What he once said, and the stems that call it.
SAID = {"Rum is dear.": "rum 100", "I like rum.": "rum 90", "Rum? Never.": "rum 80", "Good rum!": "rum 20"}


def entry(of: str, name: str, content: str, stems: str) -> Any:
    """An entry of a lorebook as `tools/castBooks.mjs` writes it."""
    return {"comment": name, "content": content, "extensions": {"hycora": {"set": of, "stems": stems}}}


def rows_of(reminded: ModuleType, starter: Any, seed: int) -> Any:
    """Rows of one character's short sheet, each of whose facts has one word that calls it."""
    facts = [{**fact, "ways": [f"Any {fact['id']}?"]} for fact in (PARROT, LEG, CREW, NAMES)]
    entries = [entry("facts", fact["id"], fact["fact"], f"{fact['id']} 100 all 70") for fact in facts]
    entries += [entry("answers", "", f'He once said: "{said}"', stems) for said, stems in SAID.items()]
    bounds = {"least_share": 0.6, "least_weight": 0.8}
    sets = {"facts": {**bounds, "most": 4}, "answers": {**bounds, "most": 2}}
    sheets = {SILVER: reminded.Sheet(facts, {"extensions": {"hycora": {"sets": sets}}, "entries": entries}, 0.25)}
    ways = {("", "hello"): ["Ahoy?"], (SILVER, "rum-own"): ["A drink?"]}
    return reminded.Rows(starter.codec, {SILVER: "You are he."}, sheets, ways, Random(seed))


def test_a_lorebook_is_read_as_the_page_reads_it(reminded: ModuleType) -> None:
    packed = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    said = json.dumps([entry("answers", "", f'He once said: "{said}"', stems) for said, stems in SAID.items()])
    data = base64.b64encode(packed.compress(said.encode()) + packed.flush()).decode()
    sets = {of: {"least_share": 0.6, "least_weight": 0.45, "most": 3, "heed": 0.5} for of in ("facts", "answers")}
    extensions = {"hycora": {"sets": sets, "packed": data}}
    facts = [entry("facts", "parrot", "He has a parrot.", "parrot 100")]
    sheet = reminded.Sheet([], {"extensions": extensions, "entries": facts}, 0)

    def called(question: str) -> list[str]:
        return [one.id for one in sheet.called_by(question, [], None, Random(1))]

    assert called("rum") == ["Rum? Never.", "I like rum.", "Rum is dear."]
    # All four have rum, none has the other word.
    share = math.log(2) / (math.log(2) + math.log(5))
    assert 0.45 < share**0.5 < 0.55
    assert called("rum today") == ["I like rum.", "Rum is dear."]
    assert called("parrot") == ["parrot"]


def test_what_an_answer_states_is_a_reminder_before_its_question(reminded: ModuleType, starter: Any) -> None:
    rows = rows_of(reminded, starter, 1)
    made = [rows.exchange(SILVER, "Tell of the parrot", "My parrot is Flint.", ["parrot"]) for _ in range(400)]
    share = sum(any("parrot" in reminder for reminder in one.reminders) for one in made) / len(made)
    # 0.95 of the 0.85 that are not without.
    assert 0.75 < share < 0.87
    assert max(len(one.reminders) for one in made) == 1
    both = rows.sheets[SILVER].called_by("All of the parrots and the leg", (), None, Random(1))
    assert [one.id for one in both] == ["parrot", "leg"]
    assert rows.sheets[SILVER].called_by("All of it", (), None, Random(1)) == []
    uncalled = [rows.exchange(SILVER, "And?", "My parrot is Flint.", ["parrot"]) for _ in range(400)]
    assert 0.35 < sum(bool(one.reminders) for one in uncalled) / len(uncalled) < 0.5
    for item, further in ({"item": "p", "facts": ["parrot"]}, "Any parrot?"), ({"item": "hello"}, "Ahoy?"):
        assert {rows.way(SILVER, "Tell.", item, share) for share in (0, 1)} == {"Tell.", further}
    assert rows.way(SILVER, "Tell.", {"item": "rum-own"}, 1) == "A drink?"
    row = rows.row(SILVER, [reminded.Exchange(("He has a leg.",), "Which leg?", "My left leg.")], "Ahoy!")
    text = starter.codec.decode(row.ids)
    assert text.index("Ahoy!") < text.index("He has a leg.") < text.index("Which leg?") < text.index("My left leg.")
    learnt = starter.codec.decode([id_ for id_, marked in zip(row.ids, row.replies) if marked])
    assert learnt.startswith("My left leg.")
    assert "He has a leg." not in learnt


def test_what_was_once_said_is_a_reminder_and_at_times_not_the_answer_itself(
    reminded: ModuleType, starter: Any
) -> None:
    rows = rows_of(reminded, starter, 4)
    said = [one.text for one in rows.sheets[SILVER].called_by("Any rum?", (), None, Random(1))]
    assert said == ['He once said: "I like rum."', 'He once said: "Rum is dear."']
    made = [rows.exchange(SILVER, "Any rum?", "Rum is dear.", (), "Rum is dear.").reminders for _ in range(600)]
    own = sum('He once said: "Rum is dear."' in one for one in made) / len(made)
    others = sum(one == ('He once said: "Rum? Never."', 'He once said: "I like rum."') for one in made) / len(made)
    # Of the 0.88 that are not without, a quarter lacks its own answer, and of the rest one in twenty.
    assert 0.56 < own < 0.69
    assert 0.2 < others < 0.32
    uncalled = [rows.exchange(SILVER, "A toast?", "Good rum!", (), "Good rum!").reminders for _ in range(600)]
    assert 0.26 < sum(bool(one) for one in uncalled) / len(uncalled) < 0.42


def test_words_have_the_stems_of_the_page(reminded: ModuleType) -> None:
    stems = json.loads((ROOT / "tests/fixtures/stems.json").read_text("utf8"))
    assert {text: sorted(reminded.stems_of(text)) for text in stems} == stems


def test_another_name_or_number_is_in_reminder_and_answer_alike(reminded: ModuleType, starter: Any) -> None:
    rows = rows_of(reminded, starter, 2)
    swap = rows.substitutes.swapped
    told = reminded.Exchange((PARROT["fact"], LEG["fact"]), "Your parrot?", "It is Captain Flint, of course.")
    named = swap(SILVER, told, Random(3))
    assert named.reminders == ("His parrot is called Captain Israel.", LEG["fact"])
    assert named.answer == "It is Captain Israel, of course."
    counted = swap(SILVER, reminded.Exchange((CREW["fact"],), "How many?", "I have six men."), Random(3))
    number = counted.answer.split()[2]
    assert number in reminded.NUMBERS
    assert number != "six"
    assert counted.reminders == (f"He has {number} men.",)
    asked = reminded.Exchange((PARROT["fact"],), "Is it Flint?", "It is Captain Flint.")
    assert swap(SILVER, asked, Random(3)) is asked
    unsaid = reminded.Exchange((LEG["fact"],), "Your parrot?", "It is Captain Flint.")
    assert swap(SILVER, unsaid, Random(3)) is unsaid


def test_replies_of_dialogues_are_quoted_by_a_share_unless_they_are_long(reminded: ModuleType, starter: Any) -> None:
    rows = rows_of(reminded, starter, 5)
    reply = 'She said "no" to me.'
    quoted = ("He once said: \"She said 'no' to me.\"",)
    assert rows.quoted(SILVER, "And?", reply, 1) == reminded.Exchange(quoted, "And?", reply)
    made = [rows.quoted(SILVER, "And?", reply, 0.6).reminders for _ in range(400)]
    assert set(made) == {(), quoted}
    assert 0.5 < made.count(quoted) / len(made) < 0.7
    assert rows.quoted(SILVER, "And?", "no " * 60, 1).reminders == ()


def test_a_card_is_learnt_from_every_second_answer_and_weighed_by_the_others(tmp_path):
    distilled = script("distilled")
    questions = ["a", "b", "c", "d"]
    items = [
        {"item": f"i{at}", "questions": questions, "after": [None, "greeting"] * 2, "answer": f"A{at}", "split": split}
        for at, split in enumerate(["train", "train", "test", "test", "train"])
    ]
    lines = tmp_path / "lines.jsonl"
    rows = [{"item": "greeting", "answer": "Hi."}, *({**row, "held": 1} for row in items)]
    # What is measured of a card is never learnt, in whatever wording.
    rows = [
        {key: value for key, value in row.items() if not (key == "held" and row["split"] == "test")} for row in rows
    ]
    distilled.write_rows(lines, rows)
    taught = distilled.Taught("Nobody", {}, lines, tmp_path / "pack")
    assert [row["item"] for row in taught.lessons()] == ["i0", "i2", "i4"]
    assert [(row["item"], row["questions"], row["after"]) for row in taught.learnt()] == [
        (name, questions[:3], [None, "greeting", None]) for name in ("i0", "i4")
    ]
    held = taught.held_out()
    assert [row["item"] for row in held] == ["i1", "i2", "i3"]
    assert all(row["questions"] == questions[:2] and row["split"] == "test" and "held" not in row for row in held)
    assert [distilled.recipe(count)["steps"] for count in (10, 60, 120)] == [30, 60, 120]
