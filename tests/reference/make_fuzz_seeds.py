# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small seeds for the fuzzers of GGUF files and tokenizers: tests/fuzz/corpus."""

from __future__ import annotations

import io
import json
from pathlib import Path

import gguf
import numpy as np
import sentencepiece

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
DATA = ROOT / "data" / "reference"


def byte_alphabet() -> list[str]:
    """GPT-2's 256 printable characters, by byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(other)) for byte in range(256)]


def gguf_vocabulary(path: Path, model: str, pre: str | None) -> None:
    """A GGUF file with nothing but a small vocabulary."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    if pre is not None:
        letters = byte_alphabet()
        tokens = [*letters, "He", "Hel", "\u0120w", "<s>", "user"]
        kinds = [gguf.TokenType.NORMAL] * (len(tokens) - 2) + [gguf.TokenType.CONTROL, gguf.TokenType.USER_DEFINED]
        writer.add_tokenizer_pre(pre)
        writer.add_token_merges(["H e", "He l", "\u0120 w"])
        writer.add_bos_token_id(len(tokens) - 2)
    else:
        tokens = [
            "<unk>",
            "<s>",
            "</s>",
            *(f"<0x{byte:02X}>" for byte in range(256)),
            "\u2581",
            "H",
            "e",
            "He",
            "\u2581w",
        ]
        kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 2, *[gguf.TokenType.BYTE] * 256]
        kinds += [gguf.TokenType.NORMAL] * 5
        writer.add_token_scores([float(-i) for i in range(len(tokens))])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{{ bos_token }}{{ messages[0]['content'] }}")
    finish(writer)


def finish(writer: gguf.GGUFWriter) -> None:
    """Writes the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_model(path: Path, arch: str, extra: dict[str, int]) -> None:
    """A model of one layer and few tensors, one of them stacked and quantised."""
    writer = gguf.GGUFWriter(path, arch)
    for key, value in (
        {
            "block_count": 1,
            "context_length": 8,
            "embedding_length": 32,
            "feed_forward_length": 32,
            "attention.head_count": 2,
            "attention.head_count_kv": 1,
            "expert_count": 2,
            "expert_used_count": 1,
        }
        | extra
    ).items():
        writer.add_uint32(f"{arch}.{key}", value)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tensor("token_embd.weight", np.zeros((2, 32), np.float32))
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((4, 2), np.float16))
    blocks = np.zeros((2, 1, 34), np.uint8)
    writer.add_tensor("blk.0.ffn_gate_exps.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("blk.0.ffn_gate_inp.weight", np.zeros((2, 1), np.float32))
    writer.add_tensor("rope_freqs.weight", np.ones(4, np.float32))
    finish(writer)


def tiny_sentencepiece(path: Path, kind: str) -> None:
    """A trained model of a few pieces; written to memory, since a model names the file that it is trained to."""
    lines = ["hello world", "a b c d e f", "12 34 hello", "low lower lowest"] * 20
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=40 + (256 if kind == "bpe" else 0),
        model_type=kind,
        user_defined_symbols=["[x]"],
        hard_vocab_limit=False,
        minloglevel=2,
        normalization_rule_name="identity",
        byte_fallback=kind == "bpe",
        max_sentence_length=100,
        num_threads=1,
    )
    path.write_bytes(model.getvalue())


def tiny_json(source: Path, path: Path) -> None:
    """A reference tokenizer.json cut down to its first pieces and the merges among them."""
    content = json.loads(source.read_text(encoding="utf-8"))
    model = content["model"]
    added = {token["content"] for token in content["added_tokens"]}
    kept = {piece for piece, number in model["vocab"].items() if number < 270 or piece in added}
    pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
    model["merges"] = [pair for pair in pairs if {*pair, "".join(pair)} <= kept]
    model["vocab"] = {piece: number for piece, number in model["vocab"].items() if piece in kept}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


#: Settings that an architecture requires beyond the usual ones.
HYBRID = {
    "ssm.time_step_rank": 2,
    "ssm.inner_size": 8,
    "ssm.group_count": 1,
    "ssm.state_size": 4,
    "ssm.conv_kernel": 4,
    "full_attention_interval": 4,
}
OTHER_MODELS: dict[str, dict[str, int]] = {
    "gpt-oss": {"attention.sliding_window": 128},
    "granitemoe": {"expert_shared_feed_forward_length": 32},
    "phimoe": {"attention.sliding_window": 8, "rope.scaling.original_context_length": 4},
    "dbrx": {},
    "grok": {},
    "bailingmoe2": {"expert_shared_count": 1, "expert_group_count": 1, "expert_group_used_count": 1},
    "llama4": {"interleave_moe_layer_step": 1},
    "qwen3next": HYBRID,
    "qwen35moe": HYBRID,
    "gemma4": {
        "attention.key_length": 8,
        "attention.key_length_swa": 4,
        "attention.sliding_window_pattern": 1,
        "attention.sliding_window": 4,
        "embedding_length_per_layer_input": 0,
    },
}


def make_fuzz_seeds(data: Path) -> None:
    """Writes all seeds; those of tokenizers from the ones in data."""
    for folder in ("gguf", "gguf_tokenizer", "sentencepiece", "tokenizer"):
        (CORPUS / folder).mkdir(exist_ok=True)
    gguf_model(CORPUS / "gguf" / "llama", "llama", {})
    gguf_model(CORPUS / "gguf" / "qwen3moe", "qwen3moe", {"nextn_predict_layers": 0})
    gguf_model(
        CORPUS / "gguf" / "deepseek2",
        "deepseek2",
        {
            "rope.dimension_count": 4,
            "attention.key_length": 8,
            "attention.value_length": 4,
            "attention.kv_lora_rank": 4,
            "expert_gating_func": 2,
        },
    )
    for arch, extra in OTHER_MODELS.items():
        gguf_model(CORPUS / "gguf" / arch, arch, extra)
    for pre in ("gpt-2", "qwen2", "deepseek-llm", "gpt-4o", "kimi-k2"):
        gguf_vocabulary(CORPUS / "gguf_tokenizer" / pre, "gpt2", pre)
    gguf_vocabulary(CORPUS / "gguf_tokenizer" / "sentencepiece", "llama", None)
    for kind in ("bpe", "unigram"):
        tiny_sentencepiece(CORPUS / "sentencepiece" / kind, kind)
    for name in ("byte-level-plain", "byte-level-split", "llama", "llama-metaspace"):
        tiny_json(data / "tokenizers" / name / "tokenizer.json", CORPUS / "tokenizer" / f"{name}.json")


if __name__ == "__main__":
    make_fuzz_seeds(DATA)
