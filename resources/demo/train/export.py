# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the trained models as Hugging Face folders in the hub's published layout.

python3 export.py [--to FOLDER] [--interim]     # interim: from the resumable states, while training still runs
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from torch import Tensor

import hub_tokenizers
from curves import curve_of, shipped_curves, write_curves
from decoder import Shape
from hub_tensors import to_hub
from paths import DEMO_DIR, STEPS_FILE, shipped_steps
from presets import EARLY_NAME, RECIPES, Recipe
from tokenizer_training import VOCABULARY
from train import final_path, state_path

SHARDED = {"tiny-mixtral": 2_200_000}
METADATA = {"format": "pt"}


def hub_config(shape: Shape) -> dict[str, Any]:
    """config.json with the keys that the family's published checkpoints carry."""
    common = {
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "max_position_embeddings": hub_tokenizers.CONTEXT,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "rms_norm_eps": shape.epsilon,
        "rope_theta": shape.rope_theta,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": shape.vocabulary,
    }
    if shape.family == "mistral":
        own = {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "intermediate_size": shape.dense_width,
               "sliding_window": None}  # fmt: skip
    elif shape.family == "mixtral":
        own = {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "intermediate_size": shape.expert_width,
               "num_local_experts": shape.experts, "num_experts_per_tok": shape.top_k, "output_router_logits": False,
               "router_aux_loss_coef": 0.02, "sliding_window": None}  # fmt: skip
    else:
        own = _deepseek_config(shape)
    return dict(sorted({**common, **own}.items()))


def _deepseek_config(shape: Shape) -> dict[str, Any]:
    return {
        "architectures": ["DeepseekForCausalLM"],
        "attention_bias": False,
        "bos_token_id": VOCABULARY - 2,
        "eos_token_id": VOCABULARY - 1,
        "first_k_dense_replace": shape.first_dense,
        "intermediate_size": shape.dense_width,
        "model_type": "deepseek",
        "moe_intermediate_size": shape.expert_width,
        "moe_layer_freq": 1,
        "n_routed_experts": shape.experts,
        "n_shared_experts": shape.shared_width // shape.expert_width,
        "norm_topk_prob": shape.renormalise,
        "num_experts_per_tok": shape.top_k,
        "pretraining_tp": 1,
        "rope_scaling": None,
        "scoring_func": "softmax",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _write_tensors(folder: Path, tensors: dict[str, Tensor], shard_bytes: int | None) -> None:
    for old in folder.glob("model*.safetensors*"):
        old.unlink()
    if shard_bytes is None:
        save_file(tensors, folder / "model.safetensors", metadata=METADATA)
        return
    split = split_torch_state_dict_into_shards(tensors, max_shard_size=shard_bytes)
    for file, names in split.filename_to_tensors.items():
        save_file({name: tensors[name] for name in names}, folder / file, metadata=METADATA)
    index = {
        "metadata": {"total_size": split.metadata["total_size"]},
        "weight_map": dict(sorted(split.tensor_to_filename.items())),
    }
    _write_json(folder / "model.safetensors.index.json", index)


def write_folder(folder: Path, recipe: Recipe, state: dict[str, Tensor]) -> None:
    """One complete checkpoint folder."""
    folder.mkdir(parents=True, exist_ok=True)
    config = hub_config(recipe.shape)
    _write_json(folder / "config.json", config)
    ends = {key: config[key] for key in ("bos_token_id", "eos_token_id")}
    _write_json(folder / "generation_config.json", {"_from_model_config": True, **ends})
    _write_tensors(folder, to_hub(recipe.shape, state), SHARDED.get(folder.name))
    if recipe.tokenizer == "spm":
        hub_tokenizers.write_sentencepiece(
            folder, chat=recipe.on_pairs, with_model=folder.name == "tiny-mistral"
        )
    else:
        hub_tokenizers.write_byte_level(folder)


def write_records(names: Iterable[str]) -> None:
    """Notes steps and curve of each exported checkpoint; the others keep theirs."""
    steps, drawn = shipped_steps(), shipped_curves()
    for name in names:
        early = name == EARLY_NAME
        state = torch.load(state_path("tiny-deepseekmoe" if early else name), map_location="cpu", weights_only=False)
        steps[name] = state["early_step" if early else "step"]
        if not early:
            # A run from the start of a model replaces the curve of the one before.
            drawn[name] = curve_of(state["history"], drawn.get(name, {}) if state["first_step"] else {})
    _write_json(STEPS_FILE, steps)
    write_curves(drawn)


def available_states(interim: bool) -> dict[str, tuple[Recipe, dict[str, Tensor]]]:
    """Name to recipe and weights of every model that is there."""
    states = {}
    for recipe in RECIPES.values():
        names = [recipe.name] + ([EARLY_NAME] if recipe.early_fraction else [])
        for name in names:
            if final_path(name).exists():
                states[name] = (recipe, torch.load(final_path(name), map_location="cpu"))
            elif interim and state_path(name).exists():
                states[name] = (recipe, torch.load(state_path(name), map_location="cpu", weights_only=False)["model"])
    return states


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=DEMO_DIR)
    parser.add_argument("--interim", action="store_true")
    arguments = parser.parse_args()
    states = available_states(arguments.interim)
    for name, (recipe, state) in states.items():
        write_folder(arguments.to / name, recipe, state)
        size = sum(path.stat().st_size for path in (arguments.to / name).iterdir())
        print(f"{name}: {size} bytes")
    if arguments.to == DEMO_DIR:
        write_records(states)


if __name__ == "__main__":
    main()
