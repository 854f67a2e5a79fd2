# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch .bin files: some that must be read, with their values, and many that must be refused.

The refused ones are written instruction by instruction. None is ever loaded here or by the product's
tests with Python's pickle; `bad.json` says what the product answers.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from common.checkpoint import save_tensors

DTYPES = {
    "f64": torch.float64,
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "e4m3": torch.float8_e4m3fn,
    "i64": torch.int64,
    "i32": torch.int32,
    "i16": torch.int16,
    "i8": torch.int8,
    "u8": torch.uint8,
    "bool": torch.bool,
}


def _saved(value: object, protocol: int = 2, **options: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, pickle_protocol=protocol, **options)
    return buffer.getvalue()


def good() -> dict[str, tuple[bytes, dict[str, Tensor]]]:
    """File contents and the tensors they hold."""
    every = {name: torch.arange(6).reshape(2, 3).to(dtype) for name, dtype in DTYPES.items()}
    every |= {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4)}
    large = torch.arange(40, dtype=torch.float32).reshape(8, 5)
    # Views that begin inside a shared storage, two names for one tensor, a dimension of one row.
    views = {"rows": large[2:5], "more": large[4:], "tied": large, "again": large, "row": large[3:4].t()[:, :1].t()}
    module = torch.nn.Linear(3, 2)
    with torch.no_grad():
        module.weight.copy_(torch.arange(6).reshape(2, 3))
        module.bias.copy_(torch.tensor([7.0, 8.0]))
    parameters = OrderedDict(module.named_parameters())
    state = module.state_dict()  # an OrderedDict with the attribute _metadata
    files = {
        "every_dtype": (_saved(every), every),
        "views": (_saved(views), views),
        "parameters": (_saved(parameters), dict(parameters)),
        "state_dict": (_saved(state), dict(state)),
        "protocol_4": (_saved(state, protocol=4), dict(state)),
        "zip64": (_rezip(_saved(state), force_zip64=True), dict(state)),
        "no_byteorder": (_rezip(_saved(state), leave_out="byteorder"), dict(state)),
    }
    return files


def _rezip(
    data: bytes,
    *,
    leave_out: str = "",
    force_zip64: bool = False,
    compressed: bool = False,
    replaced: dict[str, bytes] | None = None,
    added: dict[str, bytes] | None = None,
) -> bytes:
    """The same archive written again with something changed; the pickle is data here."""
    buffer = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", kind) as target:
        entries = {name: source.read(name) for name in source.namelist() if not leave_out or leave_out not in name}
        for name, content in (entries | (replaced or {}) | (added or {})).items():
            info = zipfile.ZipInfo(name)
            info.compress_type = kind
            with target.open(info, "w", force_zip64=force_zip64) as entry:
                entry.write(content)
    return buffer.getvalue()


# Instructions of a pickle, enough to write state dicts by hand.
PROTO = b"\x80\x02"
MARK, STOP, TUPLE, REDUCE, EMPTY_TUPLE, EMPTY_DICT, SETITEM = b"(", b".", b"t", b"R", b")", b"}", b"s"
NONE, FALSE, PERSID, BUILD = b"N", b"\x89", b"Q", b"b"


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _int(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def _name(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def _tuple(*parts: bytes) -> bytes:
    return MARK + b"".join(parts) + TUPLE


def _storage(kind: str = "FloatStorage", key: str = "0", elements: int = 6) -> bytes:
    return _tuple(_text("storage"), _name("torch", kind), _text(key), _text("cpu"), _int(elements)) + PERSID


def _tensor(
    offset: int = 0,
    size: tuple[int, ...] = (2, 3),
    stride: tuple[int, ...] = (3, 1),
    storage: bytes | None = None,
) -> bytes:
    return (
        _name("torch._utils", "_rebuild_tensor_v2")
        + _tuple(
            _storage() if storage is None else storage,
            _int(offset),
            _tuple(*map(_int, size)),
            _tuple(*map(_int, stride)),
            FALSE,
            _name("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE,
        )
        + REDUCE
    )


def _dict(value: bytes, key: str = "weight") -> bytes:
    return PROTO + EMPTY_DICT + _text(key) + value + SETITEM + STOP


def _file(pickle: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    """An archive as torch.save lays it out."""
    buffer = io.BytesIO()
    contents = {"data.pkl": pickle, "byteorder": b"little", "version": b"3\n"}
    contents |= {f"data/{key}": data for key, data in (storages or {"0": bytes(24)}).items()}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), content)
    return buffer.getvalue()


def _call(module: str, name: str, *arguments: bytes) -> bytes:
    return _name(module, name) + _tuple(*arguments) + REDUCE


def harmful() -> dict[str, tuple[bytes, str, list[str]]]:
    """Pickles that would do something: the answer names what they ask for."""
    refused = "unsupported"
    command = _text("touch /tmp/harm")
    return {
        "os_system": (_file(_dict(_call("os", "system", command))), refused, ["os.system"]),
        "posix_system": (_file(_dict(_call("posix", "system", command))), refused, ["posix.system"]),
        "eval": (_file(_dict(_call("builtins", "eval", command))), refused, ["builtins.eval"]),
        "exec_python_2": (_file(_dict(_call("__builtin__", "exec", command))), refused, ["__builtin__.exec"]),
        "getattr": (_file(_dict(_call("builtins", "getattr", command, command))), refused, ["builtins.getattr"]),
        "subprocess": (_file(_dict(_call("subprocess", "Popen", command))), refused, ["subprocess.Popen"]),
        "torch_load": (_file(_dict(_call("torch", "load", command))), refused, ["torch.load"]),
        "torch_jit": (_file(_dict(_call("torch.jit", "load", command))), refused, ["torch.jit.load"]),
        "hub_load": (_file(_dict(_call("torch.hub", "load", command))), refused, ["torch.hub.load"]),
        "numpy": (
            _file(_dict(_call("numpy.core.multiarray", "_reconstruct", NONE))),
            refused,
            ["numpy.core.multiarray._reconstruct"],
        ),
        "stack_global": (
            _file(PROTO + _text("os") + _text("system") + b"\x93" + _tuple(command) + REDUCE + STOP),
            refused,
            ["os.system"],
        ),
        # A state dict that is followed by a call, and one whose call hides in the attributes.
        "behind": (_file(_dict(_tensor())[:-1] + _call("os", "system", command) + STOP), refused, ["os.system"]),
        "in_metadata": (
            _file(_dict(_tensor())[:-1] + _call("os", "system", command) + BUILD + STOP),
            refused,
            ["os.system"],
        ),
        "inst": (_file(PROTO + MARK + command + b"ios\nsystem\n" + STOP), refused, ["'i'"]),
        "obj": (_file(PROTO + MARK + _name("torch", "FloatStorage") + command + b"o" + STOP), refused, ["'o'"]),
        "extension": (_file(PROTO + b"\x82\x01" + STOP), refused, ["0x82"]),
        "text_persid": (_file(PROTO + b"P0\n" + STOP), refused, ["'P'"]),
        "call_storage": (_file(_dict(_name("torch", "FloatStorage") + EMPTY_TUPLE + REDUCE)), refused, ["not run"]),
        "ordered_dict_of": (
            _file(_dict(_call("collections", "OrderedDict", EMPTY_TUPLE))),
            refused,
            ["not run"],
        ),
    }


def wrong() -> dict[str, tuple[bytes, str, list[str]]]:
    """Archives and state dicts that contradict themselves or are of another kind."""
    damaged, refused = "bad_checkpoint", "unsupported"
    plain = _saved({"weight": torch.arange(6.0).reshape(2, 3)})
    # The magic number and the protocol that old files begin with (a saved one holds addresses).
    legacy = PROTO + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19" + STOP + PROTO + b"M\xe9\x03" + STOP + _dict(EMPTY_DICT)
    torch.manual_seed(0)
    encrypted = bytearray(_file(_dict(_tensor())))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    transposed = _saved({"weight": torch.arange(6.0).reshape(2, 3).t()})
    columns = _saved({"weight": torch.arange(6.0).reshape(2, 3)[:, :2]})
    negated = _saved({"weight": torch._neg_view(torch.ones(2))})
    return {
        "legacy": (legacy, refused, ["before 1.6", "torch.save"]),
        "text": (b"no archive", damaged, ["no ZIP archive"]),
        "cut": (plain[:-300], damaged, ["end of the ZIP archive"]),
        "compressed": (_rezip(plain, compressed=True), refused, ["compressed"]),
        "encrypted": (bytes(encrypted), refused, ["encrypted"]),
        "big_endian": (_rezip(plain, replaced={"archive/byteorder": b"big"}), refused, ["big-endian"]),
        "no_pickle": (_rezip(plain, leave_out="data.pkl"), damaged, ["without data.pkl"]),
        "two_pickles": (_rezip(plain, added={"other/data.pkl": b"."}), damaged, ["more than one"]),
        "no_storage": (_rezip(plain, leave_out="data/0"), damaged, ["weight", "missing"]),
        "short_storage": (_file(_dict(_tensor()), {"0": bytes(20)}), damaged, ["weight", "6 elements"]),
        "beyond_storage": (_file(_dict(_tensor(offset=1))), damaged, ["weight", "beyond the end"]),
        "far_offset": (_file(_dict(_tensor(offset=2**62))), damaged, ["weight", "beyond the end"]),
        "negative_offset": (_file(_dict(_tensor(offset=-1))), damaged, ["storage offset"]),
        "negative_size": (_file(_dict(_tensor(size=(-2, 3)))), damaged, ["size"]),
        "huge_size": (_file(_dict(_tensor(size=(2**40, 2**40)))), damaged, ["weight", "larger than any file"]),
        "many_dimensions": (_file(_dict(_tensor(size=(1,) * 40, stride=(1,) * 40))), damaged, ["40 dimensions"]),
        "uneven": (_file(_dict(_tensor(size=(6,)))), damaged, ["different length"]),
        "transposed": (transposed, refused, ["weight", "contiguous"]),
        "columns": (columns, refused, ["weight", "contiguous"]),
        "negated": (negated, refused, ["metadata"]),
        "nested": (_saved({"model": {"weight": torch.zeros(1)}}), refused, ["model", "no tensor"]),
        "number": (_saved({"epoch": 3}), refused, ["epoch", "no tensor"]),
        "list": (_saved([torch.zeros(1)]), refused, ["no dict"]),
        "tensor": (_saved(torch.zeros(1)), refused, ["no dict"]),
        "whole_module": (_saved(torch.nn.Linear(1, 1)), refused, ["torch.nn.modules.linear.Linear"]),
        "twice": (_file(_dict(_tensor())[:-1] + _text("weight") + _tensor() + SETITEM + STOP), damaged, ["twice"]),
        "own_item": (
            _file(PROTO + EMPTY_DICT + b"q\x00" + _text("weight") + b"h\x00" + SETITEM + STOP),
            refused,
            ["weight", "no tensor"],
        ),
        "empty_stack": (_file(PROTO + STOP), damaged, ["one value"]),
        "no_stop": (_file(_dict(_tensor())[:-1]), damaged, ["cut short"]),
        "no_mark": (_file(PROTO + TUPLE + STOP), damaged, ["no mark"]),
        "below_mark": (_file(PROTO + EMPTY_DICT + MARK + SETITEM + STOP), damaged, ["empty stack"]),
        "unremembered": (_file(PROTO + b"h\x07" + STOP), damaged, ["value 7"]),
        "protocol_9": (_file(b"\x80\x09" + EMPTY_DICT + STOP), damaged, ["protocol"]),
        "long_text": (_file(PROTO + b"X\xff\xff\xff\xff" + STOP), damaged, ["cut short"]),
        "long_integer": (_file(PROTO + b"\x8a\x10" + bytes(16) + STOP), damaged, ["64 bits"]),
        "endless_name": (_file(PROTO + b"c" + b"a" * 3000), damaged, ["without an end"]),
        "list_as_storage": (_file(_dict(_tensor(storage=b"]" + PERSID))), damaged, ["storage"]),
        "storage_key": (
            _file(_dict(_tensor(storage=_storage(key="../0")))),
            damaged,
            ["../0", "missing"],
        ),
    }


def make_pickles(data: Path) -> None:
    """Writes data/pickles."""
    for kind in ("good", "bad"):
        (data / "pickles" / kind).mkdir(parents=True, exist_ok=True)
    for name, (content, tensors) in good().items():
        (data / "pickles" / "good" / f"{name}.bin").write_bytes(content)
        plain = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
        save_tensors(data / "pickles" / "good" / f"{name}.safetensors", plain, {})
    answers = {}
    for name, (content, code, words) in (harmful() | wrong()).items():
        (data / "pickles" / "bad" / f"{name}.bin").write_bytes(content)
        answers[name] = {"code": code, "words": words}
    (data / "pickles" / "bad.json").write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")
    print(f"pickles: {len(answers)} refused", flush=True)


if __name__ == "__main__":
    make_pickles(Path(__file__).resolve().parent.parent / "data" / "reference")
