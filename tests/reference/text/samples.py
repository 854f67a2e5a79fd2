# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that tokenizers are compared on. All sentences are ours.

Characters outside ASCII are written as such where they are plain words, and as escapes where they
would be lost or changed by an editor (combining marks, separators, texts that NFC changes).
"""

from __future__ import annotations

LANGUAGES = (
    "The router sends every token to two of eight experts.",
    "Don't panic: it's only the expert's weights we'll move, they've I'm you'd he'LL.",
    "Der Weg führt über die Brücke, größer als gedacht: Übermaß, Straße, Äpfel.",
    "Où êtes-vous allé cet été ? L'œuvre d'à côté coûte 3,50 €.",
    "El niño comió piñas mañana; ¿qué más? ¡Nada!",
    "Zażółć gęślą jaźń, a potem idź do domu.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Günaydın, İstanbul'da ışık çok güzel.",
    "Это предложение о словах и числах: 1234 слова.",
    "Όλα τα σημεία είναι ίδια, αλλά όχι πάντα.",
    "זה משפט קצר בעברית.",
    "هذه جملة قصيرة باللغة العربية، ١٢٣.",
    "यह हिन्दी का एक छोटा वाक्य है।",
    "এটি একটি ছোট বাংলা বাক্য।",
    "இது ஒரு சிறிய தமிழ் வாக்கியம்.",
    "นี่คือประโยคสั้นๆ ในภาษาไทย",
    "Đây là một câu tiếng Việt ngắn.",
    "这是一个关于专家的短句。共有8个专家。",
    "這是繁體中文，標點「引號」與——破折號。",
    "これは短い日本語の文です。カタカナとひらがな、漢字。",
    "이것은 짧은 한국어 문장입니다.",
    "ეს არის მოკლე წინადადება.",
    "Սա կարճ նախադասություն է։",
    "ይህ አጭር ዓረፍተ ነገር ነው።",
    "ᓄᓇᕗᑦ ᎠᏂᏴᏫᏯ ꦗꦮ",
)
CODE = (
    "def forward(self, x: Tensor) -> Tensor:\n    return self.down(self.act(self.gate(x)) * self.up(x))\n",
    "for (int i = 0; i < 10; ++i) {\n\tsum += a[i]*b[i]; // dot\n}\n",
    "#include <vector>\n\nstd::vector<std::pair<int,int>> v{{1,2},{3,4}};",
    "SELECT name, COUNT(*) FROM t WHERE x >= 3.14 GROUP BY name;",
    '{"key": [1, 2.5, -3e-7, true, null], "s": "a\\"b\\\\n"}',
    "<div class=\"a\"><p>text &amp; more</p></div>",
    "$ git log --oneline -n 5 | awk '{print $1}' && echo \"done\"",
    "\\begin{equation} E = mc^2 \\end{equation} % comment",
    "fn main() { let x: Vec<u8> = vec![0xff; 16]; println!(\"{:?}\", x); }",
    "if x != y and (z <= 4 or w == None):\n        pass\n\n\n# end",
    "camelCaseName snake_case_name SCREAMING_CASE kebab-case XMLHttpRequest2",
    "https://example.org/path?query=1&b=%20#frag user@example.com",
    "a+b-c*d/e%f^g&h|i~j!k=l<m>n?o:p;q,r.s",
    "    indented\n  less\n\ttab\n\t\ttwo tabs",
    "x=1;y =2; z= 3 ; w  =  4",
    "/* block\n * comment\n */",
    "r'''raw''' f\"{a!r:>{width}}\" b'\\x00'",
    "1 + 1 = 2, 2*3==6, 10//3, 7%4, ~0, 1<<8, 0b1010, 0o17, 0xDEADBEEF",
)
DIGITS = (
    "0", "7", "42", "123", "1234", "12345", "1234567890", "3.14159", "1,000,000", "1e-10", "2026-06-01T12:34:56Z",
    " 4 \u00bd months", "\u00bc \u00b2 \u2167 \u0664\u0665\u0666 \uff11\uff12\uff13 \u3007\u4e00\u4e8c", "1\u20442", "50%", "$5.00", "#1", "1st 2nd 3rd", "IV. XII",
)  # fmt: skip
EMOJI = (
    "\U0001f999", "This is \U0001f999.cpp", "\U0001f600\U0001f601\U0001f602", "\U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f1e9\U0001f1ea \U0001f1ef\U0001f1f5", "\u2764\ufe0f \u2764", "\u2600\u2601\u2602 \u2190\u2191\u2192", "1\ufe0f\u20e3", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "text\U0001f680text \U0001f680 text", "\u00a9\u00ae\u2122 \u20bf \u221e \u2211 \u222b \u221a",
)  # fmt: skip
COMBINING = (
    "e\u0301te\u0301", "\u00e9t\u00e9", "a\u0308o\u0308u\u0308", "n\u0303", "\u1e9b\u0323", "q\u0307\u0323", "Z\u0351\u036b\u0343a\u0334\u0321lgo",
    "\u0928\u092e\u0938\u094d\u0924\u0947", "\u0e01\u0e33 \u0e19\u0e49\u0e33", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
    "\u212b \u2126 \u212a", "\uf900\ufa10", "\ufb01 \ufb03", "\u0344", "\u2260 =\u0338", "\u0301 alone", "a \u0301b", "\u1f7d\u1fbe\u1fd3\u1fdb", "\uff21\uff22\uff23 \uff71\uff72",
)  # fmt: skip
SPACES = (
    "", " ", "  ", "   ", "    ", " " * 7, " " * 8, " " * 16, " " * 23, " " * 24, " " * 40, "a ", " a", "  a", "a  ", "a  b", "a   b", "a    b", " a b ", "\t", "\t\t", " \t ", "a\tb", "\n", "\n\n", "\n\n\n", "\r\n", "\r\n\r\n", "\r", "a\nb", "a\r\nb", "a\rb", "a \n b", "a\n b", "a \nb", "a\n\n b", "a\n \n b", "\n a", " \n a", "  \n  a", "a\n", "a \n", "a\n ", "a\n  ", "word\n\n\n\nword", "\u00a0", "a\u00a0b", "\u2003a\u2003\u2003b", "\u3000a\u3000", "\u200b", "a\u200bb", "\ufeffa", "\u2028a\u2029b", "\u0085", "\x0b\x0c", "a\u180eb", "\u1680a", " \u00a0 ",
    ".  \n", "!\n\n", "?\r\n  x", "...\n   ...", ")\n}\n\n", "//\n", "/ \n/", "a/\nb/",
)  # fmt: skip
RUNS = (
    "a" * 200, "A" * 60, "ab" * 50, "1" * 41, "." * 70, "-" * 65, "=" * 80, "_" * 33, "!" * 31, "\n" * 30, "\t" * 20, "\r\n" * 12, "\u4e2d" * 60, "\u3042" * 30, "\u00e9" * 30, "\U0001f600" * 8, "\u0e33" * 12, "e\u0301" * 12, "' " * 20, "'s" * 12, "abc " * 25, "( " * 15, "\u2581" * 9, "<s>" * 5, "aA1" * 20, "x\u0301" * 9,
)  # fmt: skip
SPECIALS = (
    "<s>", "</s>", "<unk>", "<s>G", "<s> G", "a<s>b", "a <s> b", "</s>end", "<s>uns", "text</s>\n<s>text", "[INST] Hi [/INST]", "[INST]Hi[/INST]</s>", "<pad>", "[PAD][BOS][EOS][UNK]",
    "<|endoftext|>", "a<|endoftext|>b", "a <|endoftext|> b", "<|im_start|>user\nHi<|im_end|>\n", "<|padding|>", "<|startoftext|>", "<|start|>assistant<|channel|>final<|message|>x<|end|>", "<|return|>", "<think>\nso\n</think>", "<tool_call>{}</tool_call>",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c>Hi", "<\uff5cUser\uff5c>Hi<\uff5cAssistant\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<\uff5cfim\u2581hole\uff5c>", "|||EMAIL_ADDRESS|||", "call |||PHONE_NUMBER||| now", "|||IP_ADDRESS|||", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>",
    "<0x41>", "<0x0A>", "\u2581", "\u2581a", "a\u2581b", "\u0120a", "<|bos|>", "x<|bos|>y", " <mask> ", "a<mask>b", "a <mask>b", "a<mask> b", "[word]", "a[word]b", "a [word] b", "tool", "tools", "a tool.", "\u00e9[NFC]", "e\u0301[NFC]", "  <sep>  x", "<sep><sep>",
)  # fmt: skip
CONTROL = (
    "\x00", "a\x00b", "\x01\x02\x1f\x7f", "\u0080\u009f", "\ufffd", "a\ufffdb", "\uffff", "\ue000", "\U0010fffd", "\U000e0001", "\u202eabc\u202c", "\u200e\u200f", "\u00ad", "\u2060", "\ufff9", "\U0001d400\U0001d7d8", "\U00020000\U0002a6d6", "\U0001f9ff", "\u0378",
)  # fmt: skip
MIXED = (
    "As an open source alternative to",
    "Hello, world!", "Hello,world", "hello HELLO Hello hELLO", "I'm, you're; we'll: they've 'tis 'S 'T", "\u2019s \u2018a\u2019 \u201cb\u201d \u2026 \u2013 \u2014", "it\u2019s", "naïve café résumé", "A.B.C. U.S.A. e.g. i.e.", "well-known state-of-the-art", "(a) [b] {c} <d>", "a(b)c", "\"quoted\" 'single' `code`", "100km/h at 5pm", "v1.2.3-rc4+build", "C++ C# F# .NET", "αβγ+δεζ=1", "日本語English混在text文", "中文,英文;混 合", "русский English вместе", "3D2N5", "H2O CO2 C6H12O6", "NaCl(aq)", "5'-ATGC-3'", "x\u2081 + x\u2082 = y\u00b2", "\u00b5m \u00c5 \u00d8", "\u0130 \u0131 \u1e9e \u00df", "\u01c5 \u01c8 \u02b0 \u02c6", "ﷺ \ufdfa", "e\u0301 vs \u00e9, \u212b vs \u00c5", "tab\tand  spaces   and\nnewline", "trailing space ", " leading", "two\n\nparagraphs\n\n  with indent", "a,b , c ,d", "...", "?!", "--", "->", "=>", "::", "<<>>", "\\", "\\n", "/", "//", "###", "***", "@@ -1,2 +3,4 @@", "~/.config", "C:\\Users\\x", "$$", "%%", "&&", "||", "^^",
)  # fmt: skip

#: Bytes that are no UTF-8.
INVALID = (
    b"\xff", b"a\xffb", b"\xc3", b"a\xc3", b"\xe3\x81", b"\xf0\x9f\xa6", b"\x80\x81", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok \xe2\x82 ok", b"\xfe\xff\x00a", b"\xe2\x28\xa1", b"\xf0\x28\x8c\xbc", b"caf\xe9 noir",
)  # fmt: skip

GROUPS: dict[str, tuple[str, ...]] = {
    "languages": LANGUAGES,
    "code": CODE,
    "digits": DIGITS,
    "emoji": EMOJI,
    "combining": COMBINING,
    "spaces": SPACES,
    "runs": RUNS,
    "specials": SPECIALS,
    "control": CONTROL,
    "mixed": MIXED,
}


def texts() -> list[tuple[str, str]]:
    """(group, text) of all valid texts."""
    return [(group, text) for group, members in GROUPS.items() for text in members]
