from __future__ import annotations

import json

import pytest
from conftest import ROOT

from hycora_scale.errors import HycoraError
from hycora_scale.templates import ChatTemplate

# What the page has to render too.
TEMPLATES = json.loads((ROOT / "tests/fixtures/chatTemplates.json").read_text("utf8"))


@pytest.mark.parametrize("named", TEMPLATES, ids=lambda named: named["name"])
def test_conversations_are_repaired_as_in_the_page(named):
    template = ChatTemplate(named["template"], named["tokens"])
    for case in named["cases"]:
        assert template.render(case["messages"], case["system"], reply=case["reply"]) == case["text"]


def test_what_a_template_takes_in_no_form_is_told_in_its_words():
    template = ChatTemplate("{{ raise_exception('only tools') }}", {})
    with pytest.raises(HycoraError, match="only tools"):
        template.render([{"role": "user", "content": "Hi"}], "You are Ada.")
