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
import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import MODEL_ARCH as Arch
from gguf import GGMLQuantizationType as Kind
from gguf.quants import dequantize, quantize

from common import skeleton
from common.checkpoint import read_tensors, write_checkpoint
from common.fixture import Fixture
from common.runner import lean, make_fixture, run_model, save_expected, token_ids
from common.versions import versions
from common.weights import WeightMaker

Config = dict[str, Any]
Arrays = dict[str, np.ndarray]
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
    prepare: Callable[[Arrays, Config], Arrays] | None = None  # to llama.cpp's tensors, some under its names


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
        (("num_experts_per_tok", "moe_k", "top_k_experts"), writer.add_expert_used_count),
        (("n_shared_experts", "moe_num_shared_experts", "num_shared_experts"), writer.add_expert_shared_count),
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
    """Mixtral, Mistral and Llama."""
    common(writer, config)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_rope_dimension_count(config["head_dim"])


def deepseek(writer: gguf.GGUFWriter, config: Config) -> None:
    """DeepSeekMoE."""
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
    """DeepSeek-V2 before kv_b was split."""
    latent(writer, config, split=False)


def qwen2(writer: gguf.GGUFWriter, config: Config) -> None:
    """Qwen2-MoE."""
    common(writer, config)
    writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])


def olmoe(writer: gguf.GGUFWriter, config: Config) -> None:
    """OLMoE."""
    common(writer, config)
    writer.add_clamp_kqv(config["clip_qkv"])


def glm4(writer: gguf.GGUFWriter, config: Config) -> None:
    """GLM-4.5."""
    common(writer, config)
    writer.add_rope_dimension_count(int(config["head_dim"] * config["partial_rotary_factor"]))
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    writer.add_nextn_predict_layers(config["num_nextn_predict_layers"])


def dots1(writer: gguf.GGUFWriter, config: Config) -> None:
    """dots.llm1."""
    common(writer, config)
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)


def ernie(writer: gguf.GGUFWriter, config: Config) -> None:
    """ERNIE-4.5."""
    common(writer, config)
    writer.add_uint32("ernie4_5-moe.interleave_moe_layer_step", config["moe_layer_interval"])
    writer.add_leading_dense_block_count(config["moe_layer_start_index"])
    writer.add_expert_shared_feed_forward_length(config["intermediate_size"] // config["num_key_value_heads"])


def hunyuan(writer: gguf.GGUFWriter, config: Config) -> None:
    """Hunyuan-A13B."""
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
    """MiniMax-M2."""
    common(writer, config)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_expert_feed_forward_length(config["intermediate_size"])
    writer.add_rope_dimension_count(config["rotary_dim"])


def granite(writer: gguf.GGUFWriter, config: Config) -> None:
    """GraniteMoE."""
    common(writer, config)
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_attention_scale(config["attention_multiplier"])
    writer.add_embedding_scale(config["embedding_multiplier"])
    writer.add_residual_scale(config["residual_multiplier"])
    writer.add_logit_scale(config["logits_scaling"])
    if shared := config.get("shared_intermediate_size"):
        writer.add_expert_shared_feed_forward_length(shared)


def split_granite(tensors: Arrays, _config: Config) -> Arrays:
    """Gate and up apart, for the experts and the shared MLP."""
    result: Arrays = {}
    for name, value in tensors.items():
        if "input_linear" in name:
            layer = name.split(".")[2]
            ending = "exps" if "block_sparse_moe" in name else "shexp"
            gate, up = np.split(value, 2, axis=-2)
            result |= {f"blk.{layer}.ffn_gate_{ending}.weight": gate, f"blk.{layer}.ffn_up_{ending}.weight": up}
        else:
            result[name] = value
    return result


def yarn(writer: gguf.GGUFWriter, scaling: Config) -> None:
    """What the base class writes of YaRN."""
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(float(scaling["factor"]))
    writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    writer.add_rope_scaling_yarn_beta_fast(float(scaling["beta_fast"]))
    writer.add_rope_scaling_yarn_beta_slow(float(scaling["beta_slow"]))


def gpt_oss(writer: gguf.GGUFWriter, config: Config) -> None:
    """gpt-oss."""
    common(writer, config)
    writer.add_sliding_window(config["sliding_window"])
    writer.add_expert_feed_forward_length(config["intermediate_size"])
    yarn(writer, config["rope_scaling"])


def mxfp4_blocks(blocks: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The hub's blocks [..., b, 16] with scales [..., b] as GGUF's: the scale in front, and in byte i
    the values i and i + 16, where the hub has 2 i and 2 i + 1."""
    codes = np.stack([blocks & 15, blocks >> 4], axis=-1).reshape(*blocks.shape[:-1], 32)
    packed = codes[..., :16] | (codes[..., 16:] << 4)
    whole = np.concatenate([scales[..., None], packed], axis=-1).astype(np.uint8)
    result = whole.reshape(*whole.shape[:-2], -1).view(Blocks)
    result.kind = Kind.MXFP4
    return result


def split_gpt_oss(tensors: Arrays, _config: Config) -> Arrays:
    """Gate (even rows) and up (odd rows) apart, blocks repacked."""
    result: Arrays = {}
    for name, value in tensors.items():
        if "mlp.experts" not in name:
            result[name + (".weight" if name.endswith("sinks") else "")] = value
        elif (part := name.rsplit("_", 1)[-1]) != "scales":
            at = f"blk.{name.split('.')[2]}.ffn"
            scales = tensors[name.replace("_blocks", "_scales")]
            whole = value if part == "bias" else mxfp4_blocks(value, scales)
            ending = "exps.bias" if part == "bias" else "exps.weight"
            if "gate_up" in name:
                result |= {f"{at}_gate_{ending}": whole[:, ::2], f"{at}_up_{ending}": whole[:, 1::2]}
            else:
                result[f"{at}_down_{ending}"] = whole
    return result


def phi(writer: gguf.GGUFWriter, config: Config) -> None:
    """Phi-3.5-MoE."""
    common(writer, config)
    original = config["rope_scaling"]["original_max_position_embeddings"]
    stretch = config["max_position_embeddings"] / original
    writer.add_rope_scaling_orig_ctx_len(original)
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_sliding_window(config["sliding_window"])
    writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
    writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(original)))


def dbrx(writer: gguf.GGUFWriter, config: Config) -> None:
    """DBRX."""
    attention, experts = config["attn_config"], config["ffn_config"]
    writer.add_block_count(config["n_layers"])
    writer.add_context_length(config["max_seq_len"])
    writer.add_embedding_length(config["d_model"])
    writer.add_feed_forward_length(experts["ffn_hidden_size"])
    writer.add_head_count(config["n_heads"])
    writer.add_head_count_kv(attention["kv_n_heads"])
    writer.add_rope_freq_base(attention["rope_theta"])
    writer.add_clamp_kqv(attention["clip_qkv"])
    writer.add_expert_count(experts["moe_num_experts"])
    writer.add_expert_used_count(experts["moe_top_k"])
    writer.add_layer_norm_eps(1e-5)


def stack_dbrx(tensors: Arrays, config: Config) -> Arrays:
    """Experts as [E, out, in]."""
    sizes = config["ffn_config"]
    shape = (sizes["moe_num_experts"], sizes["ffn_hidden_size"], config["d_model"])
    roles = {"w1": "gate", "v1": "up", "w2": "down"}
    result: Arrays = {}
    for name, value in tensors.items():
        if (found := re.search(r"blocks\.(\d+)\.ffn\.experts\.mlp\.(\w+)$", name)) is not None:
            stacked = value.reshape(shape)
            result[f"blk.{found[1]}.ffn_{roles[found[2]]}_exps.weight"] = (
                stacked.swapaxes(1, 2) if found[2] == "w2" else stacked
            )
        else:
            result[name] = value
    return result


def grok(writer: gguf.GGUFWriter, config: Config) -> None:
    """Grok-1."""
    common(writer, config | {"rope_theta": 0.0})
    writer.kv_data[0].pop("grok.rope.freq_base")  # the script writes none
    writer.add_attn_logit_softcapping(config["max_attn_value"])
    writer.add_router_logit_softcapping(30.0)
    writer.add_attn_output_scale(config["attn_output_multiplier"])
    writer.add_embedding_scale(config["embedding_multiplier_scale"])
    writer.add_logit_scale(config["output_multiplier_scale"])


def stack_grok(tensors: Arrays, config: Config) -> Arrays:
    """The names of this layout of Grok-1, which llama.cpp's script does not read itself."""
    names = {
        "attn.q_proj.weight": "attn_q.weight",
        "attn.k_proj.weight": "attn_k.weight",
        "attn.v_proj.weight": "attn_v.weight",
        "attn.o_proj.weight": "attn_output.weight",
        "moe_block.gate.weight": "ffn_gate_inp.weight",
        "pre_attn_norm.scale": "attn_norm.weight",
        "post_attn_norm.scale": "attn_output_norm.weight",
        "pre_moe_norm.scale": "ffn_norm.weight",
        "post_moe_norm.scale": "layer_output_norm.weight",
    }
    result = {
        "token_embd.weight": tensors["model.embed_tokens.weight"],
        "output_norm.weight": tensors["model.norm.scale"],
    }
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        result |= {f"blk.{layer}.{new}": tensors[at + old] for old, new in names.items()}
        for old, new in (("linear", "gate"), ("linear_v", "up"), ("linear_1", "down")):
            experts = [tensors[f"{at}moe_block.experts.{e}.{old}.weight"] for e in range(config["num_experts"])]
            result[f"blk.{layer}.ffn_{new}_exps.weight"] = np.stack(experts)
    return result


def bailing(writer: gguf.GGUFWriter, config: Config) -> None:
    """Ling."""
    common(writer, config)
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_weights_scale(1.0)
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    if (scaling := config["rope_scaling"]) is not None:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(scaling["factor"])


def split_bailing(tensors: Arrays, config: Config) -> Arrays:
    """Query, key and value apart, and the head normalised."""
    heads, kv, size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    result: Arrays = {}
    for name, value in tensors.items():
        ending = name.rsplit(".", 1)[-1]
        if "query_key_value" in name:
            parts = np.split(value, [heads * size, (heads + kv) * size])
            for role, part, count in zip("qkv", parts, (heads, kv, 0), strict=True):
                rows = paired_rows(part, count) if count else part
                result[f"blk.{name.split('.')[2]}.attn_{role}.{ending}"] = rows
        elif "attention.dense" in name:
            result[f"blk.{name.split('.')[2]}.attn_output.{ending}"] = value
        elif name == "lm_head.weight" and config["norm_head"]:
            result[name] = value / (np.linalg.norm(value, axis=0, keepdims=True) + 1e-7)
        else:
            result[name] = value
    return result


def bailing2(writer: gguf.GGUFWriter, config: Config) -> None:
    """Ling 2.0."""
    common(writer, config)
    writer.add_rope_dimension_count(int(config["head_dim"] * config["partial_rotary_factor"]))
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_shared_feed_forward_length(config["moe_shared_expert_intermediate_size"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_nextn_predict_layers(config["num_nextn_predict_layers"])


def rename_bailing2(tensors: Arrays, _config: Config) -> Arrays:
    """The selection bias with an ending."""
    return {re.sub("expert_bias$", "expert_bias.bias", name): value for name, value in tensors.items()}


def llama4(writer: gguf.GGUFWriter, config: Config) -> None:
    """Llama-4."""
    common(writer, config | {"intermediate_size": config["intermediate_size_mlp"]})
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_interleave_moe_layer_step(config["interleave_moe_layer_step"])
    writer.add_expert_feed_forward_length(config["intermediate_size"])


def split_llama4(tensors: Arrays, _config: Config) -> Arrays:
    """The language model alone; experts as [E, out, in], gate and up apart."""
    result: Arrays = {}
    for full, value in tensors.items():
        if not full.startswith("language_model."):
            continue
        name = full.removeprefix("language_model.")
        if "feed_forward.experts" not in name:
            result[name] = value
            continue
        at, stored = f"blk.{name.split('.')[2]}.ffn", value.swapaxes(-1, -2)
        if name.endswith("gate_up_proj"):
            gate, up = np.split(stored, 2, axis=1)
            result |= {f"{at}_gate_exps.weight": gate, f"{at}_up_exps.weight": up}
        else:
            result[f"{at}_down_exps.weight"] = stored
    return result


def hybrid(writer: gguf.GGUFWriter, config: Config) -> None:
    """Qwen3-Next."""
    qwen2(writer, config)
    writer.add_ssm_conv_kernel(config["linear_conv_kernel_dim"])
    writer.add_ssm_state_size(config["linear_key_head_dim"])
    writer.add_ssm_group_count(config["linear_num_key_heads"])
    writer.add_ssm_time_step_rank(config["linear_num_value_heads"])
    writer.add_ssm_inner_size(config["linear_value_head_dim"] * config["linear_num_value_heads"])
    writer.add_full_attention_interval(config["full_attention_interval"])
    share = config.get("partial_rotary_factor") or config["rope_parameters"]["partial_rotary_factor"]
    writer.add_rope_dimension_count(int(config["head_dim"] * share))


def hybrid_value(name: str, value: np.ndarray) -> tuple[str, np.ndarray]:
    """Rates of decay, norms as 1 + weight."""
    if name.endswith("A_log"):
        return name, -np.exp(value)
    if name.endswith("dt_bias"):
        return name.replace("dt_bias", "dt_proj.bias"), value
    if name.endswith("norm.weight") and not name.endswith("linear_attn.norm.weight"):
        return name, value + 1
    return name, value


def hybrid_arrays(tensors: Arrays, _config: Config) -> Arrays:
    """As the first version of the script had it: packed projections."""
    return dict(hybrid_value(name, value) for name, value in tensors.items() if not name.startswith("mtp."))


def split_qwen3_next(tensors: Arrays, config: Config) -> Arrays:
    """Queries, keys and values of all heads behind one another, and apart from the gates."""
    keys, size = config["linear_num_key_heads"], config["linear_key_head_dim"]
    values = config["linear_num_value_heads"] // keys * config["linear_value_head_dim"]
    result: Arrays = {}
    for name, value in hybrid_arrays(tensors, config).items():
        if "in_proj_qkvz" not in name:
            result[name] = value
            continue
        by_key = value.reshape(keys, 2 * (size + values), -1)
        parts = np.split(by_key, [size, 2 * size, 2 * size + values], axis=1)
        flat = [part.reshape(-1, value.shape[1]) for part in parts]
        at = f"blk.{name.split('.')[2]}."
        result |= {f"{at}attn_qkv.weight": np.concatenate(flat[:3]), f"{at}attn_gate.weight": flat[3]}
    return result


def qwen35(writer: gguf.GGUFWriter, config: Config) -> None:
    """Qwen3.5-MoE."""
    hybrid(writer, config | {"intermediate_size": 0, "rope_theta": config["rope_parameters"]["rope_theta"]})
    writer.kv_data[0].pop("qwen35moe.feed_forward_length")
    writer.add_rope_dimension_sections([*config["rope_parameters"]["mrope_section"], 0])


def tiled(value: np.ndarray, config: Config, axis: int) -> np.ndarray:
    """Value heads from "of the first key head, of the second, ..." to "the first of each, ..."."""
    keys, heads = config["linear_num_key_heads"], config["linear_num_value_heads"]
    shape = value.shape
    split = value.reshape(*shape[:axis], keys, heads // keys, shape[axis] // heads, *shape[axis + 1 :])
    return split.swapaxes(axis, axis + 1).reshape(shape)


def split_qwen35(tensors: Arrays, config: Config) -> Arrays:
    """The language model alone, its value heads tiled; gate and up of the experts stay together."""
    keys = 2 * config["linear_num_key_heads"] * config["linear_key_head_dim"]
    result: Arrays = {}
    for full, value in tensors.items():
        if full.startswith("mtp.") or "visual" in full:
            continue
        name, changed = hybrid_value(full.replace("language_model.", ""), value)
        if re.search(r"in_proj_qkv|conv1d", name):
            changed = np.concatenate([changed[:keys], tiled(changed[keys:], config, 0)])
        elif re.search(r"in_proj_[zab]|A_log|dt_proj", name):
            changed = tiled(changed, config, 0)
        elif "linear_attn.out_proj" in name:
            changed = tiled(changed, config, 1)
        if (found := re.search(r"layers\.(\d+)\.mlp\.experts\.(gate_up|down)_proj", name)) is not None:
            name = f"blk.{found[1]}.ffn_{found[2]}_exps.weight"
        result[name] = changed
    return result


def gemma4(writer: gguf.GGUFWriter, config: Config) -> None:
    """Gemma-4."""
    rope = config["rope_parameters"]
    common(writer, config | {"rope_theta": rope["full_attention"]["rope_theta"]})
    windows = [kind == "sliding_attention" for kind in config["layer_types"]]
    replaced = ("attention.head_count_kv", "attention.key_length", "attention.value_length")
    for key in replaced:
        writer.kv_data[0].pop(f"gemma4.{key}")
    writer.add_head_count_kv(
        [config["num_key_value_heads" if window else "num_global_key_value_heads"] for window in windows]
    )
    writer.add_key_length(config["global_head_dim"])
    writer.add_value_length(config["global_head_dim"])
    writer.add_key_length_swa(config["head_dim"])
    writer.add_value_length_swa(config["head_dim"])
    writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
    writer.add_rope_dimension_count(config["global_head_dim"])
    writer.add_rope_dimension_count_swa(config["head_dim"])
    writer.add_sliding_window(config["sliding_window"])
    writer.add_sliding_window_pattern(windows)
    writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    writer.add_shared_kv_layers(0)
    writer.add_embedding_length_per_layer_input(0)


def split_gemma4(tensors: Arrays, config: Config) -> Arrays:
    """The language model alone; which pairs of the full layers turn becomes a tensor."""
    pairs = config["global_head_dim"] // 2
    turning = int(pairs * config["rope_parameters"]["full_attention"]["partial_rotary_factor"])
    result = {"rope_freqs.weight": np.array([1.0] * turning + [1e30] * (pairs - turning), np.float32)}
    for full, value in tensors.items():
        if not full.startswith("model.language_model."):
            continue
        name = full.replace("language_model.", "")
        layer = name.split(".")[2]
        if name.endswith("router.scale"):
            name = f"blk.{layer}.ffn_gate_inp.scale"
        elif name.endswith("per_expert_scale"):
            name = f"blk.{layer}.ffn_down_exps.scale"
        elif name.endswith(("layer_scalar", "experts.gate_up_proj", "experts.down_proj")):
            name += ".weight"
        result[name] = value
    return result


MIXTRAL_EXPERTS = r"block_sparse_moe\.experts\.(\d+)\.(\w+)\.weight"
#: One multiplier of sines and cosines, which the script computes; the published model has another.
PHI_SCALING = {
    "type": "longrope",
    "short_factor": [1.0, 1.25],
    "long_factor": [1.5, 2.0],
    "short_mscale": math.sqrt(1.5),
    "long_mscale": math.sqrt(1.5),
    "original_max_position_embeddings": 16,
}
#: What the published models have; llama.cpp keeps it in its code.
LLAMA4_CHANGES = {
    "attention_chunk_size": 8192,
    "attn_scale": 0.1,
    "floor_scale": 8192,
    "no_rope_layers": [1, 1, 1, 0],
}
MIXTRAL = Conversion(Arch.LLAMA, "mixtral", llama, experts=MIXTRAL_EXPERTS, paired=True)
CONVERSIONS = {
    "mixtral": replace(MIXTRAL, shards=3),
    "mixtral-unmerged": replace(MIXTRAL, source="mixtral", merged=False, kind=Kind.F32),
    "llama": Conversion(Arch.LLAMA, "dense", llama, paired=True),
    "deepseek": Conversion(Arch.DEEPSEEK, "deepseek", deepseek, paired=True),
    "deepseek_v2-lite": Conversion(Arch.DEEPSEEK2, "deepseek_v2", early_latent),
    "deepseek_v2": Conversion(Arch.DEEPSEEK2, "deepseek_v2", latent, split_latent=True),
    "deepseek_v3": Conversion(Arch.DEEPSEEK2, "deepseek_v3", latent, split_latent=True, left_out=r"model\.layers\.4\."),
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
    "granitemoe": Conversion(Arch.GRANITE_MOE, "granitemoe", granite, paired=True, prepare=split_granite),
    "granitemoeshared": Conversion(Arch.GRANITE_MOE, "granitemoe", granite, paired=True, prepare=split_granite),
    "gpt_oss": Conversion(Arch.GPT_OSS, "gpt_oss", gpt_oss, prepare=split_gpt_oss, changes={"swiglu_limit": 7.0}),
    "phimoe": Conversion(
        Arch.PHIMOE,
        "phimoe",
        phi,
        experts=MIXTRAL_EXPERTS,
        changes={"router_jitter_noise": 0.01, "rope_scaling": PHI_SCALING},
    ),
    "dbrx": Conversion(Arch.DBRX, "dbrx", dbrx, prepare=stack_dbrx),
    "grok1": Conversion(Arch.GROK, "grok1", grok, prepare=stack_grok),
    "bailing_moe": Conversion(Arch.BAILINGMOE, "bailing_moe", bailing, prepare=split_bailing, kind=Kind.F32),
    "bailing_moe-variant": Conversion(Arch.BAILINGMOE, "bailing_moe", bailing, prepare=split_bailing),
    "bailing_moe_v2": Conversion(Arch.BAILINGMOE2, "bailing_moe", bailing2, prepare=rename_bailing2),
    "llama4": Conversion(Arch.LLAMA4, "llama4", llama4, prepare=split_llama4, changes=LLAMA4_CHANGES),
    "qwen3_next": Conversion(Arch.QWEN3NEXT, "qwen3_next", hybrid, prepare=split_qwen3_next),
    "qwen3_next-packed": Conversion(Arch.QWEN3NEXT, "qwen3_next", hybrid, source="qwen3_next", prepare=hybrid_arrays),
    "gemma4": Conversion(Arch.GEMMA4, "gemma4", gemma4, prepare=split_gemma4),
    "qwen3_5_moe": Conversion(Arch.QWEN35MOE, "qwen3_5_moe", qwen35, prepare=split_qwen35),
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
    layers = config["num_hidden_layers"] if "num_hidden_layers" in config else config["n_layers"]
    blocks = layers + config.get("num_nextn_predict_layers", 0)
    table = gguf.get_tensor_name_map(conversion.arch, blocks)
    llama_table = gguf.get_tensor_name_map(Arch.LLAMA, blocks)
    stacks: dict[str, dict[int, np.ndarray]] = {}
    result: dict[str, np.ndarray] = {}

    def add(name: str, value: np.ndarray) -> None:
        if re.match(r"blk\.|token_embd|output|rope_freqs", name):
            result[name] = value
            return
        name = name.replace("e_score_correction_bias", "e_score_correction.bias")
        new = table.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:  # dense layers of the Qwen fixtures: no published model has them
            new = llama_table.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new is not None, name
        result[new] = np.squeeze(value) if value.ndim > 1 and 1 in value.shape else value

    if conversion.prepare is not None:
        tensors = conversion.prepare(tensors, config)
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
    scaling = config.get("rope_scaling") or {}
    if scaling.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(config))
    for length in ("long", "short"):
        if (factors := scaling.get(f"{length}_factor")) is not None:
            writer.add_tensor(f"rope_factors_{length}.weight", np.array(factors, np.float32))
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
WRITABLE = (
    (r"embed_tokens|lm_head", Kind.Q8_0),
    (r"q_proj|k_proj", Kind.Q5_0),
    (r"v_proj", Kind.Q8_0),
    (r"o_proj", Kind.Q5_1),
    (r"w1", Kind.Q4_0),
    (r"w2", Kind.MXFP4),
    (r"w3", Kind.Q4_1),
)
#: The others, whose blocks are drawn at random.
DRAWN = (
    (r"embed_tokens|w3", Kind.Q6_K),
    (r"lm_head", Kind.IQ4_XS),
    (r"q_proj", Kind.Q3_K),
    (r"k_proj", Kind.Q4_K),
    (r"v_proj", Kind.Q5_K),
    (r"o_proj", Kind.F16),
    (r"w1", Kind.Q2_K),
    (r"w2", Kind.IQ4_NL),
)
#: Where a drawn type has its half-precision scales, and how large they are against each other, so that
#: the values' mean is near zero.
SCALES = {
    Kind.Q2_K: ((80, 1.0), (82, 1.5)),
    Kind.Q3_K: ((108, 1.0),),
    Kind.Q4_K: ((0, 1.0), (2, 7.5)),
    Kind.Q5_K: ((0, 1.0), (2, 15.5)),
    Kind.Q6_K: ((208, 1.0),),
    Kind.IQ4_NL: ((0, 1.0),),
    Kind.IQ4_XS: ((0, 1.0),),
}


def drawn_blocks(like: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """Random blocks [rows, bytes] whose values spread as those of `like` do."""
    values, size = gguf.GGML_QUANT_SIZES[kind]
    rows, columns = like.shape
    generator = np.random.Generator(np.random.PCG64([seed, int(kind), rows]))
    blocks = generator.integers(0, 256, (rows, columns // values, size)).astype(np.uint8)

    def scaled(factor: float) -> np.ndarray:
        for place, share in SCALES[kind]:
            half = np.array([factor * share], np.float16).view(np.uint8)
            blocks[:, :, place : place + 2] = half
        return blocks.reshape(rows, -1)

    unit = 2.0**-6
    spread = dequantize(scaled(unit), kind).std()
    return scaled(unit * float(like.std() / spread)).copy()


def blocks_of(value: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """Rows of blocks: quantised where the package can, else drawn."""
    result = (drawn_blocks(value, kind, seed) if kind in SCALES else quantize(value, kind)).view(Blocks)
    result.kind = kind
    return result


def quantised_mixtral(folder: Path, name: str, kinds: tuple[tuple[str, Kind], ...], sizes: Config) -> None:
    """A Mixtral whose rows are whole blocks; expected values from the dequantised weights."""
    family = importlib.import_module("families.mixtral")
    config = family.CONFIG | {"num_attention_heads": 4, "head_dim": 16, "intermediate_size": 32} | sizes
    config |= {"torch_dtype": "float32"}
    experts = config["num_local_experts"]
    stored: dict[str, np.ndarray] = {}

    def tensors(seed: int) -> Tensors:
        make = WeightMaker(seed)
        shape = skeleton.Shape.of(config)

        def feed_forward(_layer: int, at: str) -> Tensors:
            block = f"{at}block_sparse_moe."
            return skeleton.router(make, f"{block}gate.weight", experts, shape.hidden) | skeleton.experts(
                make, f"{block}experts.", experts, shape.hidden, 32, names=family.ROLES
            )

        result = skeleton.decoder(make, shape, feed_forward)
        for number, (key, value) in enumerate(result.items()):
            kind = next((kind for pattern, kind in kinds if re.search(pattern, key)), None)
            stored[key] = value.numpy()
            if kind is not None:
                stored[key] = blocks_of(value.numpy(), kind, 1000 * seed + number)
                result[key] = torch.from_numpy(dequantize(np.asarray(stored[key]), kind))
        return result

    fixture = Fixture(
        name=name,
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
        (folder / f"{name}.safetensors").write_bytes(expected.read_bytes())
    names = renamed(dict(stored), config, MIXTRAL)
    write(folder / f"{name}.gguf", config, names, MIXTRAL)


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
        config = json.loads((source / "config.json").read_text(encoding="utf-8"))
        inner = config.get("text_config", config)
        inner |= conversion.changes or {}
        tensors = {
            key: value.numpy() if value.dtype == torch.uint8 else value.float().numpy()
            for key, value in read_tensors(source).items()
        }
        if config["tie_word_embeddings"]:
            tensors.pop("lm_head.weight", None)
        write(folder / f"{name}.gguf", inner, renamed(tensors, inner, conversion), conversion)
        if conversion.changes:
            family = importlib.import_module(f"families.{conversion.module}")
            fixture = next(f for f in family.fixtures(None) if f.name == source.name)
            changed_expectation(folder, name, config, fixture, source)
    quantised_mixtral(folder, "mixtral-quantised", WRITABLE, {"hidden_size": 64, "num_local_experts": 5})
    small = {"hidden_size": 256, "num_local_experts": 4, "num_hidden_layers": 1}
    quantised_mixtral(folder, "mixtral-k-quantised", DRAWN, small)
    print(f"gguf models: {sum(f.stat().st_size for f in folder.iterdir()) // 1024} KiB", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_gguf_models(Path(__file__).resolve().parent.parent / "data" / "reference")
