# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks exported folders against independent code: transformers, and DeepSeekMoE's published modelling file.

    python3 verify.py FOLDER... [--remote-code DIRECTORY]

DIRECTORY holds configuration_deepseek.py and modeling_deepseek.py (they are not part of this repository).
Each line states the largest difference between the logits of our decoder and theirs, both in float32.
"""

import argparse
import importlib
import json
import sys
import tempfile
import types
from pathlib import Path

import torch
import transformers

from decoder import Decoder
from hub_tensors import folder_tensors, from_hub, to_hub
from presets import EARLY_NAME, RECIPES

TOLERANCE = 1e-4
TEXT = "As an open source alternative to def main(): return 42 \u2014 \u540d\u524d \u00dc"


def decoder_of(folder: Path) -> Decoder:
    """Our decoder with a folder's weights."""
    shape = RECIPES["tiny-deepseekmoe" if folder.name == EARLY_NAME else folder.name].shape
    stored = folder_tensors(folder)
    state = from_hub(shape, stored)
    again = to_hub(shape, state)
    assert again.keys() == stored.keys() and all(torch.equal(again[name], stored[name]) for name in stored), folder
    model = Decoder(shape)
    model.load_state_dict(state)
    return model.eval()


def check_resaved_names(model: transformers.PreTrainedModel, folder: Path) -> str:
    """What transformers itself writes: the published names, or a list of those that differ."""
    with tempfile.TemporaryDirectory() as place:
        model.save_pretrained(place)
        written = folder_tensors(Path(place)).keys()
    published = folder_tensors(folder).keys()
    return "same names" if written == published else f"{len(written)} other names, e.g. {sorted(written - published)[0]}"


def published_deepseek(folder: Path, code: Path) -> torch.nn.Module:
    """The published model class with our weights. Its imports of names since removed from transformers are filled in."""
    import transformers.utils.import_utils as import_utils

    import_utils.is_torch_fx_available = lambda: False  # type: ignore[attr-defined]
    package = types.ModuleType("published_deepseek")
    package.__path__ = [str(code)]
    sys.modules["published_deepseek"] = package
    import transformers.utils as utils

    for name in ("add_start_docstrings", "add_start_docstrings_to_model_forward", "replace_return_docstrings"):
        if not hasattr(utils, name):
            setattr(utils, name, lambda *_, **__: lambda function: function)
    for name in ("is_flash_attn_2_available", "is_flash_attn_greater_or_equal_2_10"):
        if not hasattr(utils, name):
            setattr(utils, name, lambda: False)
    modeling = importlib.import_module("published_deepseek.modeling_deepseek")
    configuration = importlib.import_module("published_deepseek.configuration_deepseek")
    config = configuration.DeepseekConfig(**json.loads((folder / "config.json").read_text()))
    config.rope_scaling, config.pretraining_tp, config._attn_implementation = None, 1, "eager"
    modeling.DeepseekForCausalLM._tied_weights_keys = {}
    for class_ in (modeling.DeepseekModel, modeling.DeepseekForCausalLM):
        class_.post_init = lambda self: None
    model = modeling.DeepseekForCausalLM(config)
    tensors = {name: tensor.float() for name, tensor in folder_tensors(folder).items()}
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    model.load_state_dict(tensors, strict=True)
    return model.eval()


@torch.no_grad()
def check(folder: Path, code: Path | None) -> None:
    """Prints one line; fails when the logits differ."""
    model = decoder_of(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    ours = model.logits(model(ids)[0])
    note = ""
    if model.shape.family == "deepseek":
        if code is None:
            print(f"{folder.name}: not compared (needs --remote-code)")
            return
        theirs = published_deepseek(folder, code)(ids, use_cache=False).logits
    else:
        reference = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        theirs, note = reference(ids).logits, f"; saved again by transformers: {check_resaved_names(reference, folder)}"
    difference = (ours - theirs).abs().max().item()
    print(f"{folder.name}: {ids.shape[1]} tokens, largest logit difference {difference:.2e} of {theirs.abs().max():.1f}{note}")
    assert difference < TOLERANCE * max(1.0, theirs.abs().max().item())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--remote-code", type=Path)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        check(folder, arguments.remote_code)


if __name__ == "__main__":
    main()
