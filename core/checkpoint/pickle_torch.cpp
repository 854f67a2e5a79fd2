// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/checkpoint/pickle_value.h"
#include "core/checkpoint/stored_tensor.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>

// The names of PyTorch that a pickled state dict uses and what they build. Sources: torch/_utils.py
// (_rebuild_*), torch/serialization.py (persistent_id).
namespace moescope::checkpoint {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMaxDimensions = 16;
constexpr std::size_t kLongestKey = 256;

struct DtypeName {
    std::string_view name;
    Dtype dtype;
};
constexpr auto kStorageTypes = std::to_array<DtypeName>({{"DoubleStorage", Dtype::F64},
                                                         {"FloatStorage", Dtype::F32},
                                                         {"HalfStorage", Dtype::F16},
                                                         {"BFloat16Storage", Dtype::BF16},
                                                         {"LongStorage", Dtype::I64},
                                                         {"IntStorage", Dtype::I32},
                                                         {"ShortStorage", Dtype::I16},
                                                         {"CharStorage", Dtype::I8},
                                                         {"ByteStorage", Dtype::U8},
                                                         {"BoolStorage", Dtype::Bool}});
constexpr auto kDtypes = std::to_array<DtypeName>({{"float64", Dtype::F64},
                                                   {"float32", Dtype::F32},
                                                   {"float16", Dtype::F16},
                                                   {"bfloat16", Dtype::BF16},
                                                   {"float8_e4m3fn", Dtype::F8_E4M3},
                                                   {"float8_e5m2", Dtype::F8_E5M2},
                                                   {"int64", Dtype::I64},
                                                   {"int32", Dtype::I32},
                                                   {"int16", Dtype::I16},
                                                   {"int8", Dtype::I8},
                                                   {"uint64", Dtype::U64},
                                                   {"uint32", Dtype::U32},
                                                   {"uint16", Dtype::U16},
                                                   {"uint8", Dtype::U8},
                                                   {"bool", Dtype::Bool}});

template <std::size_t N>
std::optional<Dtype> find(const std::array<DtypeName, N>& table, std::string_view name) {
    for (const auto& row : table) {
        if (row.name == name) {
            return row.dtype;
        }
    }
    return std::nullopt;
}

PickleValue value(Kind kind, std::int64_t number) {
    return {kind, number};
}

PickleValue global(PickleGlobal which) {
    return value(Kind::Global, static_cast<std::int64_t>(which));
}

std::optional<PickleValue> torchName(std::string_view module, std::string_view name) {
    if (module == "torch._utils") {
        if (name == "_rebuild_tensor_v2") {
            return global(PickleGlobal::RebuildTensorV2);
        }
        if (name == "_rebuild_tensor_v3") {
            return global(PickleGlobal::RebuildTensorV3);
        }
        if (name == "_rebuild_parameter") {
            return global(PickleGlobal::RebuildParameter);
        }
    }
    const bool untyped = name == "UntypedStorage" || name == "_UntypedStorage";
    if (untyped && (module == "torch.storage" || module == "torch")) {
        return value(Kind::StorageType, PickleValue::kUntyped);
    }
    if (module == "torch") {
        if (const auto dtype = find(kStorageTypes, name)) {
            return value(Kind::StorageType, static_cast<std::int64_t>(*dtype));
        }
        if (const auto dtype = find(kDtypes, name)) {
            return value(Kind::DtypeName, static_cast<std::int64_t>(*dtype));
        }
    }
    return std::nullopt;
}

std::uint64_t count(const PickleValue& number, std::string_view what, std::string_view where) {
    if (!number.is(Kind::Integer) || number.number < 0) {
        throwDamaged(where, fmt::format("the pickle gives a tensor a {} that is no count", what));
    }
    return static_cast<std::uint64_t>(number.number);
}

std::vector<std::uint64_t> counts(const PickleHeap& heap, const PickleValue& list,
                                  std::string_view what, std::string_view where) {
    if (!list.is(Kind::Tuple) && !list.is(Kind::List)) {
        throwDamaged(where, fmt::format("the pickle gives a tensor a {} that is no tuple", what));
    }
    const auto& items = heap.sequences[list.index()];
    if (items.size() > kMaxDimensions) {
        throwDamaged(where, fmt::format("the pickle gives a tensor {} dimensions", items.size()));
    }
    std::vector<std::uint64_t> result;
    for (const auto& item : items) {
        result.push_back(count(item, what, where));
    }
    return result;
}

PickleValue rebuildTensor(PickleHeap& heap, std::span<const PickleValue> arguments, bool withDtype,
                          std::string_view where) {
    const std::size_t least = withDtype ? 7 : 6;
    if (arguments.size() < least || arguments.size() > least + 1 ||
        !arguments[0].is(Kind::Storage) || (withDtype && !arguments[6].is(Kind::DtypeName))) {
        throwDamaged(where, "the pickle rebuilds a tensor from other values than PyTorch writes");
    }
    // Flags such as "conj": the stored values are not yet the tensor's.
    const bool flagged = arguments.size() > least && arguments[least].is(Kind::Dict) &&
                         !heap.dicts[arguments[least].index()].empty();
    if (flagged) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: the pickle holds a tensor with metadata (a conjugated or "
                                "negated view). Save plain tensors.",
                                where));
    }
    PickleTensor tensor;
    tensor.storage = arguments[0].index();
    tensor.dtype =
        withDtype ? static_cast<Dtype>(arguments[6].number) : heap.storages[tensor.storage].dtype;
    tensor.offset = count(arguments[1], "storage offset", where);
    tensor.shape = counts(heap, arguments[2], "size", where);
    tensor.strides = counts(heap, arguments[3], "stride", where);
    if (tensor.shape.size() != tensor.strides.size()) {
        throwDamaged(where, "the pickle gives a tensor sizes and strides of different length");
    }
    heap.tensors.push_back(std::move(tensor));
    return value(Kind::Tensor, static_cast<std::int64_t>(heap.tensors.size() - 1));
}

}  // namespace

PickleValue pickleGlobal(std::string_view module, std::string_view name, std::string_view where) {
    if (module == "collections" && name == "OrderedDict") {
        return global(PickleGlobal::OrderedDict);
    }
    if (const auto known = torchName(module, name)) {
        return *known;
    }
    constexpr std::size_t kShown = 100;
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: the pickle asks for \"{}.{}\", which no state dict of tensors "
                            "needs; it may be harmful and was not run. Get the model as "
                            "safetensors, or from a source that you trust.",
                            where, module.substr(0, kShown), name.substr(0, kShown)));
}

PickleValue pickleCall(PickleHeap& heap, const PickleValue& function,
                       std::span<const PickleValue> arguments, std::string_view where) {
    if (function.is(Kind::Global)) {
        switch (static_cast<PickleGlobal>(function.number)) {
            case PickleGlobal::OrderedDict:
                if (arguments.empty()) {
                    return heap.dict();
                }
                break;
            case PickleGlobal::RebuildTensorV2:
                return rebuildTensor(heap, arguments, false, where);
            case PickleGlobal::RebuildTensorV3:
                return rebuildTensor(heap, arguments, true, where);
            case PickleGlobal::RebuildParameter:
                if (arguments.size() == 3 && arguments[0].is(Kind::Tensor)) {
                    return arguments[0];
                }
                break;
        }
    }
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: the pickle calls something that no state dict of tensors calls; "
                            "it was not run. Get the model as safetensors.",
                            where));
}

PickleValue pickleStorage(PickleHeap& heap, const PickleValue& reference, std::string_view where) {
    if (reference.is(Kind::Tuple)) {
        const auto& parts = heap.sequences[reference.index()];
        const bool right = parts.size() == 5 && parts[0].is(Kind::Text) &&
                           parts[0].text == "storage" && parts[1].is(Kind::StorageType) &&
                           parts[2].is(Kind::Text) && parts[2].text.size() <= kLongestKey &&
                           parts[3].is(Kind::Text);
        if (right) {
            const bool untyped = parts[1].number == PickleValue::kUntyped;
            heap.storages.push_back(
                {.dtype = untyped ? Dtype::U8 : static_cast<Dtype>(parts[1].number),
                 .key = parts[2].text,
                 .elements = count(parts[4], "storage size", where)});
            return value(Kind::Storage, static_cast<std::int64_t>(heap.storages.size() - 1));
        }
    }
    throwDamaged(where, "the pickle refers to a storage in another way than PyTorch does");
}

}  // namespace moescope::checkpoint
