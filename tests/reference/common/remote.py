# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the modelling files that were published beside checkpoints, outside this repository.

The files are read from clones of github.com/kamanphoebe/Look-into-MoEs, inclusionAI/Ling and
inclusionAI/Ling-V2 (all MIT), given with --remote-code. They were written for transformers 4.36 to 4.52.
Nothing in them is edited: what they import and a newer transformers no longer has is put in place
before they are loaded, and each such change is listed in CHANGES. None of them touches the
arithmetic of the forward pass.

The published files also carry an argument `decoder_layer_idx` that the study added; it stays None.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
import transformers
from torch import nn
from transformers import modeling_rope_utils

#: Clones of published code.
RemoteCode = Sequence[Path]

#: What is put in place, and why: copied into README.md.
CHANGES = {
    "transformers.utils.import_utils.is_torch_fx_available": "removed in 5.x; returns False, so that nothing is traced",
    "transformers.pytorch_utils.is_torch_greater_or_equal_than_1_13": "removed in 5.x; True",
    "transformers.pytorch_utils.ALL_LAYERNORM_LAYERS": "removed in 5.x; an empty list (used for weight decay only)",
    "transformers.utils.is_flash_attn_greater_or_equal_2_10": "removed in 5.x; returns False",
    "transformers.utils.add_start_docstrings and its kin": "removed in 5.x; decorators that do nothing",
    "transformers.modeling_attn_mask_utils": "removed in 5.x where absent; a causal mask of 0 and the lowest float32",
    "transformers.modeling_rope_utils.ROPE_INIT_FUNCTIONS['default']": "removed in 5.x; the formula of 4.52, while a "
    "remote model is built",
    "MoEV2CausalLMOutputWithPast of Ling 2.0": "a plain object: 5.24 renames fields of the output classes",
    "config.rope_scaling": "5.x turns it into rope_parameters; set back to the value of config.json after loading",
    "config.partial_rotary_factor": "5.x moves it into rope_parameters; set back likewise",
    "PreTrainedModel.post_init": "skipped: it sets initial weights and 5.x rejects the class's list of tied weights",
    "config.use_cache": "False: the cache classes of 4.36 are gone; every pass is a whole text",
    "from_pretrained": "not used: 5.x builds on the meta device, where these files' cosine tables are lost; "
    "the module is built from its config and load_state_dict(strict=True) reads the tensors",
}


def _nothing(*_arguments: Any, **_options: Any) -> Any:
    return lambda decorated: decorated


def _causal_mask(
    _mask: Any, shape: tuple[int, int], inputs: torch.Tensor, past: int, *_more: Any, **_options: Any
) -> torch.Tensor:
    batch, length = shape
    assert past == 0, "run without a cache"
    lowest = torch.finfo(inputs.dtype).min
    return torch.full((length, length), lowest).triu(1).expand(batch, 1, length, length)


def _put(module: str, **values: Any) -> None:
    """Adds names to a module of transformers; makes the module where it is gone."""
    try:
        target = importlib.import_module(module)
    except ImportError:
        target = ModuleType(module)
        sys.modules[module] = target
    for name, value in values.items():
        if not hasattr(target, name):
            setattr(target, name, value)


def _plain_rope(config: Any, device: Any = None, **_options: Any) -> tuple[torch.Tensor, float]:
    """Inverse frequencies theta^(-2j / d) for the rotated part d of a head, and no scaling."""
    size = int(config.head_dim * getattr(config, "partial_rotary_factor", 1.0))
    exponents = torch.arange(0, size, 2, dtype=torch.int64).to(device=device, dtype=torch.float) / size
    return 1.0 / (config.rope_theta**exponents), 1.0


def _prepare() -> None:
    _put(
        "transformers.modeling_attn_mask_utils",
        AttentionMaskConverter=SimpleNamespace,
        _prepare_4d_attention_mask=_causal_mask,
        _prepare_4d_causal_attention_mask=_causal_mask,
        _prepare_4d_causal_attention_mask_for_sdpa=_causal_mask,
    )
    _put("transformers.pytorch_utils", ALL_LAYERNORM_LAYERS=[], is_torch_greater_or_equal_than_1_13=True)
    _put("transformers.utils.import_utils", is_torch_fx_available=lambda: False)
    _put(
        "transformers.utils",
        add_start_docstrings=_nothing,
        add_start_docstrings_to_model_forward=_nothing,
        replace_return_docstrings=_nothing,
        is_flash_attn_greater_or_equal_2_10=lambda: False,
    )


@contextlib.contextmanager
def _default_rope() -> Iterator[None]:
    """The formula in its old place; not for longer than needed, since transformers' own models would take it too."""
    functions = modeling_rope_utils.ROPE_INIT_FUNCTIONS
    added = "default" not in functions
    functions.setdefault("default", _plain_rope)
    try:
        yield
    finally:
        if added:
            del functions["default"]


def has_remote(roots: RemoteCode, folder: str, file: str) -> bool:
    """Whether one of the clones holds folder/file.py."""
    return any((root / folder / f"{file}.py").exists() for root in roots)


def remote_module(roots: RemoteCode, folder: str, file: str) -> ModuleType:
    """Loads folder/file.py of the clone that has it, as part of a package named after the folder."""
    _prepare()
    package = f"remote_{folder}"
    if package not in sys.modules:
        parent = ModuleType(package)
        parent.__path__ = [str(root / folder) for root in roots]
        sys.modules[package] = parent
    name = f"{package}.{file}"
    if name not in sys.modules:
        path = next(root / folder / f"{file}.py" for root in roots if has_remote([root], folder, file))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def build_remote(
    model_class: type[nn.Module], config_class: type, settings: dict[str, Any], tensors: dict[str, torch.Tensor]
) -> nn.Module:
    """The remote model with the tensors, in float32. A tied head may be left out of them."""
    config = config_class(**{k: v for k, v in settings.items() if k not in ("rope_scaling", "rope_theta")})
    config.rope_parameters = settings.get("rope_scaling")  # what 5.x gives for rope_scaling
    for key in ("rope_theta", "partial_rotary_factor"):
        if key in settings:
            vars(config)[key] = settings[key]
    config._attn_implementation = "eager"
    config.use_cache = False
    assert config.rope_scaling == settings.get("rope_scaling")
    original = transformers.PreTrainedModel.post_init
    transformers.PreTrainedModel.post_init = lambda _self: None
    try:
        with _default_rope():
            model = model_class(config)
    finally:
        transformers.PreTrainedModel.post_init = original
    values = {name: tensor.float() for name, tensor in tensors.items()}
    if settings["tie_word_embeddings"] and hasattr(model, "lm_head"):
        values["lm_head.weight"] = values["model.embed_tokens.weight"]
    model.load_state_dict(values, strict=True)
    return model.float().eval()
