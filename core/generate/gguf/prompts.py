"""Texts on which llama.cpp's tokenizer is compared with a checkpoint's, and prompts made of them."""

from collections.abc import Sequence
from typing import Any

SAMPLES = (
    "Hello, world! It's 3.14 o'clock, WE'LL see 12345 of them (2024-11-27), 1,000,000.00 or ½.",
    "  two  spaces,\ttabs\t\t\n\n\nand lines   \n ends \r\n\r\n   \n",
    "Привет, мир! Ёлка — 2024 год; «кавычки» и т. д. Українська мова, български език.",
    "L’été à Noël, où ça ? São Paulo às 10h30, coração. Übergrößenträger, straße, ŁÓDŹ, naïve.",
    "日本語のテキストと中文，ひらがな。한국어 문장입니다. 繁體中文「引號」！",
    "العربية ١٢٣، עברית, हिन्दी में १२३, বাংলা, தமிழ், ภาษาไทย, ქართული, Հայերեն, አማርኛ, Ελληνικά.",
    "e\u0301 combining, emoji 👩‍👩‍👧 🇫🇷 👍🏽, NBSP\u00a0here, zero\u200bwidth, \u3000wide",
    "\ufeffBOM, \ufffd, 𝒳 𠀀",
    "a \x00 nul \x1b[31m escape \x7f \u202e bidi \u2028 line",
    'def f(x):\n    return x**2  # code <b>html</b> {"a": [1, 2]} https://example.org/?q=a%20b\n\n\n\n\treturn',
    "[INST] <<SYS>> </s> <s> <unk> <|user|> <|im_start|> <0x0A> ▁under ▁▁ [/INST]",
    "aaaaaaaaa =======\n--------- ........ ____ !!!???      ",
    " ".join("x" + " " * number for number in range(1, 40)),
    "- one\n- two\n  1. three\n\n| a | b |\n|---|---|\n**bold** _it_ `x` $\\alpha^2$",
)


def sample_prompts(tokenizer: Any, samples: Sequence[str] = SAMPLES) -> list[str]:
    """The prompts of the samples as the chat template writes them; none without a chat template, or of a
    sample that the template refuses."""
    if not tokenizer.chat_template:
        return []
    prompts = []
    for sample in samples:
        chat = [{"role": "user", "content": sample}]
        try:
            prompts.append(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        except Exception:  # a template is a program of its author; it may raise what it likes
            continue
    return prompts
