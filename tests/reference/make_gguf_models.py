# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures again as GGUF files, as llama.cpp's conversion scripts would write them.

Tensor names come from the `gguf` package's own table; merging of experts, order of query and key rows,
metadata and what stays float32 follow llama.cpp's conversion/*.py. Weights are the fixtures' own values,
so that what the fixtures expect holds for the GGUF file too. `mixtral-quantised` is a model of its own
whose weights are blocks; what it expects is run on their dequantised values.
"""

from __future__ import annotations

import importlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from gguf import MODEL_ARCH as Arch
from gguf.quants import dequantize, quantize

from common import skeleton
from common.checkpoint import read_tensors, write_checkpoint
from common.fixture import Fixture
from common.runner import lean, make_fixture, run_model, save_expected, token_ids
from common.versions import versions
from common.weights import WeightMaker

Config = dict[str, Any]
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Conversion:
    """How one fixture becomes a GGUF file."""

    arch: Arch
    module: str  # of families, for what must be run again
    metadata: Callable[[gguf.GGUFWriter, Config], None]
    source: str = ""  # fixture, where it has another name
    experts: str = r"mlp\.experts\.(\d+)\.(\w+)\.weight"
    paired: bool = False  # llama.cpp's order of query and key rows
    merged: bool = True  # experts in one tensor
    split_latent: bool = False
    shards: int = 0
    kind: Kind = Kind.BF16
    changes: Config | None = None  # to config.json, where GGUF cannot say what it says
    left_out: str = ""  # pattern of tensors that the script drops


def common(writer: gguf.GGUFWriter, config: Config) -> None:
    """What TextModel.set_gguf_parameters writes."""
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"] + config.get("num_nextn_predict_layers", 0))
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(float(config["rope_theta"]))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    for keys, add in (
        (("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"), writer.add_expert_count),
        (("num_experts_per_tok", "moe_k"), writer.add_expert_used_count),
        (("n_shared_experts", "moe_num_shared_experts"), writer.add_expert_shared_count),
        (("n_group",), writer.add_expert_group_count),
        (("topk_group",), writer.add_expert_group_used_count),
    ):
        for key in keys:
            if isinstance(config.get(key), int):
                add(config[key])
                break
    if "head_dim" in config:
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    if isinstance(width := config.get("moe_intermediate_size"), int):
        writer.add_expert_feed_forward_length(width)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_bos_token_id(config["bos_token_id"])
    eos = config["eos_token_id"]
    writer.add_eos_token_id(eos[0] if isinstance(eos, list) else eos)


def llama(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_rope_dimension_count(config["head_dim"])


def deepseek(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_weights_scale(1.0)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SOFTMAX)


def latent(writer: gguf.GGUFWriter, config: Config, *, split: bool = True) -> None:
    """DeepSeek-V2 and V3; files from before the split of kv_b have the plain head sizes."""
    head = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    extra = config.pop("num_nextn_predict_layers", 0)  # these layers are not written
    common(writer, config | ({"num_key_value_heads": 1} if split else {}))
    config["num_nextn_predict_layers"] = extra
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    if config.get("q_lora_rank"):
        writer.add_q_lora_rank(config["q_lora_rank"])
    writer.add_kv_lora_rank(config["kv_lora_rank"])
    if split:
        writer.add_key_length(config["kv_lora_rank"] + config["qk_rope_head_dim"])
        writer.add_value_length(config["kv_lora_rank"])
        writer.add_key_length_mla(head)
        writer.add_value_length_mla(config["v_head_dim"])
    else:
        writer.add_key_length(head)
        writer.add_value_length(config["v_head_dim"])
    writer.add_expert_weights_scale(float(config["routed_scaling_factor"]))
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    gating = gguf.ExpertGatingFuncType
    writer.add_expert_gating_func(gating.SIGMOID if config.get("scoring_func") == "sigmoid" else gating.SOFTMAX)
    writer.add_rope_dimension_count(config["qk_rope_head_dim"])
    scaling = config["rope_scaling"]
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(float(scaling["factor"]))
    writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    writer.add_rope_scaling_yarn_beta_fast(float(scaling["beta_fast"]))
    writer.add_rope_scaling_yarn_beta_slow(float(scaling["beta_slow"]))
    writer.add_rope_scaling_yarn_log_mul(0.1 * scaling["mscale_all_dim"])


def early_latent(writer: gguf.GGUFWriter, config: Config) -> None:
    latent(writer, config, split=False)


def qwen2(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])


def olmoe(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_clamp_kqv(config["clip_qkv"])


def glm4(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_rope_dimension_count(int(config["head_dim"] * config["partial_rotary_factor"]))
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    writer.add_nextn_predict_layers(config["num_nextn_predict_layers"])


def dots1(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)


def ernie(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_uint32("ernie4_5-moe.interleave_moe_layer_step", config["moe_layer_interval"])
    writer.add_leading_dense_block_count(config["moe_layer_start_index"])
    writer.add_expert_shared_feed_forward_length(
        config["intermediate_size"] // config["num_key_value_heads"]
    )


def hunyuan(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    dimensions = config["head_dim"]
    alpha = config["rope_scaling"]["alpha"]
    writer.kv_data[0].pop("hunyuan-moe.rope.freq_base")
    writer.add_rope_freq_base(config["rope_theta"] * alpha ** (dimensions / (dimensions - 2)))
    writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    writer.add_rope_scaling_factor(1.0)
    writer.add_rope_scaling_orig_ctx_len(256 * 1024)
    writer.add_expert_shared_feed_forward_length(config["intermediate_size"])
    writer.add_expert_feed_forward_length(config["moe_intermediate_size"][0])
    writer.add_expert_used_count(config["moe_topk"][0])
    writer.add_expert_shared_count(config["num_shared_expert"][0])


def minimax(writer: gguf.GGUFWriter, config: Config) -> None:
    common(writer, config)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_expert_feed_forward_length(config["intermediate_size"])
    writer.add_rope_dimension_count(config["rotary_dim"])


MIXTRAL_EXPERTS = r"block_sparse_moe\.experts\.(\d+)\.(\w+)\.weight"
MIXTRAL = Conversion(Arch.LLAMA, "mixtral", llama, experts=MIXTRAL_EXPERTS, paired=True)
CONVERSIONS = {
    "mixtral": replace(MIXTRAL, shards=3),
    "mixtral-unmerged": replace(MIXTRAL, source="mixtral", merged=False, kind=Kind.F32),
    "llama": Conversion(Arch.LLAMA, "dense", llama, paired=True),
    "deepseek": Conversion(Arch.DEEPSEEK, "deepseek", deepseek, paired=True),
    "deepseek_v2-lite": Conversion(Arch.DEEPSEEK2, "deepseek_v2", early_latent),
    "deepseek_v2": Conversion(Arch.DEEPSEEK2, "deepseek_v2", latent, split_latent=True),
    "deepseek_v3": Conversion(
        Arch.DEEPSEEK2, "deepseek_v3", latent, split_latent=True, left_out=r"model\.layers\.4\."
    ),
    "qwen2_moe": Conversion(
        Arch.QWEN2MOE,
        "qwen2_moe",
        qwen2,
        changes={"use_sliding_window": False, "sliding_window": None, "layer_types": ["full_attention"] * 3},
    ),
    "qwen3_moe": Conversion(Arch.QWEN3MOE, "qwen3_moe", common),
    "olmoe": Conversion(Arch.OLMOE, "olmoe", olmoe),
    "glm4_moe": Conversion(Arch.GLM4_MOE, "glm4_moe", glm4),
    "dots1": Conversion(Arch.DOTS1, "dots1", dots1),
    "ernie4_5_moe": Conversion(Arch.ERNIE4_5_MOE, "ernie4_5_moe", ernie),
    "hunyuan_v1_moe": Conversion(Arch.HUNYUAN_MOE, "hunyuan_v1_moe", hunyuan),
    "minimax_m2": Conversion(Arch.MINIMAXM2, "minimax_m2", minimax, experts=MIXTRAL_EXPERTS),
}


def paired_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """The two halves of each head's rows take turns."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def stacked_name(name: str, arch: Arch) -> str:
    """The name under which llama.cpp's scripts look up merged experts."""
    if arch == Arch.LLAMA:
        return re.sub(r"model\.(.*)block_sparse_moe", r"\1feed_forward", name)
    for mixtral, usual in (("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")):
        name = name.replace(f".{mixtral}.", f".{usual}.")
    return name.replace("block_sparse_moe.experts", "mlp.experts")


def renamed(tensors: dict[str, np.ndarray], config: Config, conversion: Conversion) -> dict[str, np.ndarray]:
    """Tensors under GGUF's names, in llama.cpp's form; the arrays may be blocks of bytes."""
    blocks = config["num_hidden_layers"] + config.get("num_nextn_predict_layers", 0)
    table = gguf.get_tensor_name_map(conversion.arch, blocks)
    llama_table = gguf.get_tensor_name_map(Arch.LLAMA, blocks)
    stacks: dict[str, dict[int, np.ndarray]] = {}
    result: dict[str, np.ndarray] = {}

    def add(name: str, value: np.ndarray) -> None:
        name = name.replace("e_score_correction_bias", "e_score_correction.bias")
        new = table.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:  # dense layers of the Qwen fixtures: no published model has them
            new = llama_table.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new is not None, name
        result[new] = np.squeeze(value) if value.ndim > 1 and 1 in value.shape else value

    for name, value in tensors.items():
        if conversion.left_out and re.match(conversion.left_out, name):
            continue
        if (expert := re.search(conversion.experts, name)) is not None:
            stem = name[: expert.start()] + re.sub(r"\.\(.*", "", conversion.experts).replace("\\", "")
            if conversion.merged:
                stacks.setdefault(f"{stem}.{expert[2]}.weight", {})[int(expert[1])] = value
                continue
            role = {"w1": "gate", "w2": "down", "w3": "up"}[expert[2]]
            layer = re.search(r"layers\.(\d+)\.", name)
            assert layer is not None
            result[f"blk.{layer[1]}.ffn_{role}.{expert[1]}.weight"] = value
        elif name.endswith("kv_b_proj.weight") and conversion.split_latent:
            plain, heads = config["qk_nope_head_dim"], config["num_attention_heads"]
            by_head = value.reshape(heads, plain + config["v_head_dim"], -1)
            add(name.replace("kv_b", "k_b"), by_head[:, :plain].swapaxes(1, 2))
            add(name.replace("kv_b", "v_b"), by_head[:, plain:])
        elif conversion.paired and re.search(r"[qk]_proj\.", name):
            keys = "k_proj" in name
            add(name, paired_rows(value, config["num_key_value_heads" if keys else "num_attention_heads"]))
        else:
            add(name, value)
    for name, parts in stacks.items():
        stacked = np.stack([parts[i] for i in range(len(parts))])
        if isinstance(parts[0], Blocks):
            stacked = stacked.view(Blocks)
            stacked.kind = parts[0].kind
        add(stacked_name(name, conversion.arch), stacked)
    return result


def rope_factors(config: Config) -> np.ndarray:
    """What Llama 3's scaling divides the frequencies by (LlamaModel.generate_extra_tensors)."""
    scaling, size = config["rope_scaling"], config["head_dim"]
    lengths = 2 * np.pi * config["rope_theta"] ** (np.arange(0, size, 2) / size)
    original = scaling["original_max_position_embeddings"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    smooth = (original / lengths - low) / (high - low)
    between = 1 / ((1 - smooth) / scaling["factor"] + smooth)
    factors = np.where(lengths < original / high, 1.0, np.where(lengths > original / low, scaling["factor"], between))
    return factors.astype(np.float32)


def write(path: Path, config: Config, tensors: dict[str, np.ndarray], conversion: Conversion) -> None:
    """Writes one model; matrices as `kind`, vectors and routers as float32, bytes as they are."""
    count = -(-len(tensors) // conversion.shards) if conversion.shards else 0
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[conversion.arch], split_max_tensors=count)
    writer.add_name(path.stem)
    conversion.metadata(writer, dict(config))
    for name, value in tensors.items():
        if isinstance(value, Blocks):
            writer.add_tensor(name, np.ascontiguousarray(value), raw_dtype=value.kind)
        elif value.ndim > 1 and not name.endswith("ffn_gate_inp.weight") and conversion.kind == Kind.BF16:
            writer.add_tensor(name, quantize(np.ascontiguousarray(value), Kind.BF16), raw_dtype=Kind.BF16)
        else:
            writer.add_tensor(name, np.ascontiguousarray(value))
    if (config.get("rope_scaling") or {}).get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Blocks(np.ndarray):
    """Quantised rows as bytes, with the type that says what they are."""

    kind: Kind = Kind.Q8_0

    def __array_finalize__(self, source: Any) -> None:
        self.kind = getattr(source, "kind", Kind.Q8_0)


#: Which type stores what; each of those that the gguf package can write occurs.
QUANTISED = (
    (r"embed_tokens|lm_head", Kind.Q8_0),
    (r"q_proj|k_proj", Kind.Q5_0),
    (r"v_proj", Kind.Q8_0),
    (r"o_proj", Kind.Q5_1),
    (r"w1", Kind.Q4_0),
    (r"w2", Kind.MXFP4),
    (r"w3", Kind.Q4_1),
)


def quantised_mixtral(folder: Path) -> None:
    """A Mixtral whose rows are whole blocks; expected values from the dequantised weights."""
    family = importlib.import_module("families.mixtral")
    sizes = {"hidden_size": 64, "head_dim": 16, "intermediate_size": 32, "num_local_experts": 5}
    config = family.CONFIG | sizes | {"num_attention_heads": 4, "torch_dtype": "float32"}
    stored: dict[str, np.ndarray] = {}

    def tensors(seed: int) -> Tensors:
        make = WeightMaker(seed)
        shape = skeleton.Shape.of(config)

        def feed_forward(_layer: int, at: str) -> Tensors:
            block = f"{at}block_sparse_moe."
            return skeleton.router(make, f"{block}gate.weight", 5, shape.hidden) | skeleton.experts(
                make, f"{block}experts.", 5, shape.hidden, 32, names=family.ROLES
            )

        result = skeleton.decoder(make, shape, feed_forward)
        for name, value in result.items():
            kind = next((kind for pattern, kind in QUANTISED if re.search(pattern, name)), None)
            stored[name] = value.numpy()
            if kind is not None:
                stored[name] = quantize(value.numpy(), kind).view(Blocks)
                stored[name].kind = kind
                result[name] = torch.from_numpy(dequantize(np.asarray(stored[name]), kind))
        return result

    fixture = Fixture(
        name="mixtral-quantised",
        script="make_gguf_models.py",
        about="Mixtral in GGUF's quantised types",
        config=config,
        tensors=tensors,
        load=family.load,
        vocabulary=config["vocab_size"],
    )
    with tempfile.TemporaryDirectory() as temporary:
        print(make_fixture(fixture, Path(temporary)), flush=True)
        expected = Path(temporary) / fixture.name / "expected.safetensors"
        (folder / "mixtral-quantised.safetensors").write_bytes(expected.read_bytes())
    names = renamed(dict(stored), config, MIXTRAL)
    write(folder / "mixtral-quantised.gguf", config, names, MIXTRAL)


def changed_expectation(folder: Path, name: str, config: Config, fixture: Fixture, source: Path) -> None:
    """What the fixture's weights give with the configuration that the GGUF file can express."""
    with tempfile.TemporaryDirectory() as temporary:
        write_checkpoint(Path(temporary) / "m", config, read_tensors(source))
        ids, offsets = token_ids(fixture.vocabulary)
        expected, margin = run_model(fixture.load(Path(temporary) / "m"), ids, offsets, name)
        about = {
            "about": f"{name} as its GGUF file says it",
            "script": "tests/reference/make_gguf_models.py",
            "minimum_router_margin": margin,
            "versions": versions(),
        }
        save_expected(folder / f"{name}.safetensors", lean(expected), about)


def make_gguf_models(data: Path) -> None:
    """Writes data/gguf/NAME.gguf, and NAME.safetensors where models/NAME expects something else."""
    folder = data / "gguf"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*"):
        old.unlink()
    for name, conversion in CONVERSIONS.items():
        source = data / "models" / (conversion.source or name)
        config = json.loads((source / "config.json").read_text(encoding="utf-8")) | (conversion.changes or {})
        tensors = {key: value.float().numpy() for key, value in read_tensors(source).items()}
        if config["tie_word_embeddings"]:
            tensors.pop("lm_head.weight", None)
        write(folder / f"{name}.gguf", config, renamed(tensors, config, conversion), conversion)
        if conversion.changes:
            family = importlib.import_module(f"families.{conversion.module}")
            fixture = next(f for f in family.fixtures(None) if f.name == source.name)
            changed_expectation(folder, name, config, fixture, source)
    quantised_mixtral(folder)
    print(f"gguf models: {sum(f.stat().st_size for f in folder.iterdir()) // 1024} KiB", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_gguf_models(Path(__file__).resolve().parent.parent / "data" / "reference")
