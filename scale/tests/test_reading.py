"""Files as the page reads them: the shared fixtures hold both."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from conftest import ROOT

from hycora_scale.chat import Turn
from hycora_scale.dataset import DatasetOptions, columns_of, read_dataset, read_files
from hycora_scale.errors import HycoraError
from hycora_scale.file_sides import file_sides
from hycora_scale.macros import MacroValues, fill_macros
from hycora_scale.text import decode_text
from hycora_scale.thoughts import close_thought, without_thoughts

SYSTEM, USER, REPLY = (
    {"role": role, "content": text} for role, text in (("system", "x"), ("user", "Hi"), ("assistant", "Ho"))
)
HUMAN, MODEL = {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}
TAVERN = [
    {"user_name": "You", "character_name": "Bo", "chat_metadata": {}},
    {"name": "You", "is_user": True, "mes": "Hi"},
    {"name": "Bo", "is_user": False, "mes": "Ho"},
]
TURNS = [{"speaker": "user", "text": "Hi"}, {"speaker": "Bo", "text": "Ho"}]
TEXTS = {
    "messages": json.dumps({"role": "Bo", "messages": [SYSTEM, USER, REPLY]}),
    "sharegpt": json.dumps([{"name": "Bo", "conversations": [HUMAN, MODEL]}]),
    "alpaca": json.dumps({"character": "Bo", "instruction": "Hi", "input": "", "output": "Ho"}),
    "rolebench": json.dumps({"role": "Bo", "question": "Hi", "generated": ["Ho"]}),
    "turns": json.dumps({"role": "Bo", "turns": TURNS}),
    "csv": "character,question,answer\nBo,Hi,Ho\n",
    "tavern": "\n".join(json.dumps(line) for line in TAVERN),
    "card": json.dumps({"name": "Bo", "mes_example": "<START>\n{{user}}: Hi\n{{char}}: Ho"}),
    "script": "You: Hi\nBo: Ho\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_form_gives_the_same_dialogue(name):
    reading = read_dataset(TEXTS[name], f"data.{name}")
    assert [(d.role, d.turns) for d in reading.dialogues] == [("Bo", (Turn("user", "Hi"), Turn("role", "Ho")))]
    assert not reading.rejected


READINGS = json.loads((ROOT / "tests/fixtures/readings.json").read_text("utf8"))


def _brief(dialogue):
    said = [
        turn.text if turn.speaker == "user" else f"*{turn.text}*" if turn.is_learnt else f"({turn.text})"
        for turn in dialogue.turns
    ]
    split = f" ({dialogue.split})" if dialogue.split else ""
    return f"{dialogue.line} {dialogue.role}{split}: {' > '.join(said)}"


@pytest.mark.parametrize("case", READINGS, ids=lambda case: case["about"])
def test_a_file_is_read_as_the_page_reads_it(case):
    options = DatasetOptions(case.get("role"))
    if "refused" in case:
        with pytest.raises(HycoraError) as caught:
            read_dataset(case["text"], case["file"], options)
        assert str(caught.value) == case["refused"].replace("\u2019", "'")
        return
    reading = read_dataset(case["text"], case["file"], options)
    assert [_brief(dialogue) for dialogue in reading.dialogues] == case["dialogues"]
    rejected = [f"{line} {reason}" for line, reason in reading.rejected]
    assert rejected == [reason.replace("\u2019", "'") for reason in case["rejected"]]
    assert reading.notes() == [note.replace("\u2019", "'") for note in case["notes"]]


MACROS = json.loads((ROOT / "tests/fixtures/macros.json").read_text("utf8"))
NAMES = MacroValues("A$&nn", "Bob", persona="a pilot", seed=5, at=datetime(2026, 5, 3, 16, 5, 9))


@pytest.mark.parametrize("case", MACROS, ids=lambda case: case["about"])
def test_macros_are_filled_as_the_page_fills_them(case):
    assert fill_macros(case["text"], NAMES) == case["filled"]


def test_macros_are_filled_in_the_end_however_their_braces_stand():
    assert fill_macros("{{random:{{char}},{{char}}}}", replace(NAMES, character="{{user}}")) == "{{user}}"
    at = datetime(2026, 5, 3, 23, 30, tzinfo=timezone.utc)
    assert fill_macros("{{time_UTC+2}} {{time_utc-3}}", replace(NAMES, at=at)) == "1:30 AM 8:30 PM"
    deep = "{{random:" * 20_000
    assert fill_macros(deep, NAMES) == deep
    assert "{{random:" in fill_macros(deep + "}}" * 20_000, NAMES)


THOUGHTS = json.loads((ROOT / "tests/fixtures/thoughts.json").read_text("utf8"))


@pytest.mark.parametrize(("heard", "said"), THOUGHTS["said"])
def test_thoughts_are_left_out_as_the_page_leaves_them_out(heard, said):
    assert without_thoughts(heard).strip() == said.strip()


@pytest.mark.parametrize(("begun", "closed"), THOUGHTS["closed"])
def test_a_thought_that_a_prompt_opens_is_closed(begun, closed):
    assert close_thought(begun) == closed


FILE_SIDES = json.loads((ROOT / "tests/fixtures/fileSides.json").read_text("utf8"))


@pytest.mark.parametrize("case", FILE_SIDES, ids=lambda case: case["about"])
def test_names_of_files_say_their_sides_as_the_page_reads_them(case):
    assert file_sides(case["files"]) == case["sides"]


def test_a_folder_is_held_out_as_the_names_of_its_files_say(tmp_path):
    row = {"role": "Mora", "messages": [USER, REPLY]}
    item = {"role": "Mora", "item": "a", "questions": ["One?", "Two?"], "answer": "A.", "held": 1}
    for name, rows in {
        "train/a.jsonl": [row, {**row, "split": "test"}],
        "dev.jsonl": [item],
        "old.split.jsonl": [row],
        ".hidden/b.jsonl": [row],
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "more.json").write_text("{}")
    dialogues, notes = read_files([str(tmp_path)])
    assert [dialogue.split for dialogue in dialogues] == ["test", "test", "train", "test"]
    assert notes == [
        f"warning: {tmp_path}: of a folder only .jsonl, .ndjson, .csv, .tsv are read, not more.json",
        "By the files' names train/a.jsonl is learnt, dev.jsonl is held out.",
    ]
    named = [str(tmp_path / "train/a.jsonl"), str(tmp_path / "dev.jsonl")]
    assert [dialogue.split for dialogue in read_files(named)[0]] == ["train", "test", "test", "test"]


def test_rows_that_cannot_be_used_are_named():
    rows = ['{"role": "Bo"}', "{", '{"role": "", "messages": []}', '{"role": "Bo", "messages": [], "split": "best"}']
    assert [line for line, _ in read_dataset("\n".join(rows), "x.jsonl").rejected] == [1, 2, 3, 4]
    with pytest.raises(HycoraError, match="no data set that is known"):
        read_dataset("lorem ipsum", "x.txt")


def test_text_files_are_decoded_as_the_page_does():
    for encoding in ("utf8", "utf-8-sig", "utf-16", "cp1252"):
        text, warning = decode_text("Zo\u00eb: \u201cNon\u201d\r\n".encode(encoding), "a.txt")
        assert text == "Zo\u00eb: \u201cNon\u201d\r\n"
        assert ("Windows-1252" in (warning or "")) == (encoding == "cp1252")
    assert "UTF-16" in (decode_text("role\tuser\n".encode("utf-16-be"), "a.tsv")[1] or "")
    for binary in (b"PAR1Mora: Aye.", b"PK\x03\x04", b"Mora: Aye.\x00\x00", bytes([1, 2, 3]) * 9):
        with pytest.raises(HycoraError, match="save it as text in UTF-8"):
            decode_text(binary, "a.txt")


def test_rows_that_name_nobody_are_read_as_the_options_say():
    row = {"instruction": "Who?", "output": "Me."}
    rows = f"{json.dumps(row)}\n{json.dumps({**row, 'role': 'Bo'})}\n"
    named = read_dataset(rows, "x.jsonl", DatasetOptions("Ada"))
    assert [d.role for d in named.dialogues] == ["Ada", "Bo"]
    table = 'asks,"says, then",who\nHi?,Hi.,\nHo?,Ho.,Bo\n'
    assert read_dataset(table, "x.csv", DatasetOptions("Ada")).rejected
    options = DatasetOptions("Ada", columns_of("user=asks,reply=says, then,role=who"))
    found = [(d.role, *(turn.text for turn in d.turns)) for d in read_dataset(table, "x.csv", options).dialogues]
    assert found == [("Ada", "Hi?", "Hi."), ("Bo", "Ho?", "Ho.")]
    assert read_dataset(table, "x.csv", DatasetOptions("Ada", (None, "asks", "no"))).rejected == [
        (1, 'it has no column "no"')
    ]
    for wrong in ("user=asks", "asks,says", "user=asks,reply=", "user=a,reply=b,user=c", "x=a,user=b"):
        with pytest.raises(HycoraError, match="expected user=COLUMN"):
            columns_of(wrong)
