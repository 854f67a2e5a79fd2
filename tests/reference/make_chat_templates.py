# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the chat templates of tests/data/reference/chat_templates as transformers does."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import jinja2
from transformers.utils import chat_template_utils

DATA = Path(__file__).resolve().parent.parent / "data" / "reference"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def _chat(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in pairs]


CONVERSATIONS = [
    _chat(("user", "Hello, world!")),
    _chat(("user", "  padded\n")),
    _chat(("user", '\u4e2d\u6587 "quotes" {{x}} {% if %}')),
    _chat(("system", " Be brief. "), ("user", "Hi")),
    _chat(("user", "a"), ("assistant", "<think>x</think>\n\nb"), ("user", "c"), ("assistant", " d ")),
    _chat(("user", "a"), ("user", "b")),
    _chat(("assistant", "a")),
]


class _FixedDay(datetime.datetime):
    """The day that the product's strftime_now gives."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _FixedDay:
        return cls(2024, 7, 26, 12, tzinfo=tz)


def _render(template: jinja2.Template, messages: list[dict[str, str]], prompt: bool) -> str | None:
    try:
        return template.render(messages=messages, tools=None, documents=None, add_generation_prompt=prompt, **TOKENS)
    except jinja2.exceptions.TemplateError:
        return None


def make_chat_templates(data: Path) -> None:
    """Writes data/chat_templates/expected.json."""
    folder = data / "chat_templates"
    chat_template_utils.datetime = _FixedDay
    rendered = {}
    for path in sorted(folder.glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        template = chat_template_utils._compile_jinja_template(source)
        rendered[path.stem] = [
            [_render(template, messages, prompt) for prompt in (False, True)] for messages in CONVERSATIONS
        ]
    result = {
        "library": {"jinja2": jinja2.__version__},
        "tokens": TOKENS,
        "conversations": CONVERSATIONS,
        "rendered": rendered,
    }
    (folder / "expected.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make_chat_templates(DATA)
