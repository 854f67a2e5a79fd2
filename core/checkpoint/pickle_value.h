// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/dtype.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

/// What lies on the stack of the pickle machine (see pickle.h).
namespace moescope::checkpoint {

/// The names that pickled state dicts use.
enum class PickleGlobal {
    OrderedDict,
    RebuildTensorV2,  ///< (storage, offset, size, stride, requires_grad, hooks[, metadata])
    RebuildTensorV3,  ///< the same with the dtype before the metadata, for untyped storages
    RebuildParameter  ///< (tensor, requires_grad, hooks)
};

/// Small and copied freely. Text is a view of the pickle; compound values are numbers of entries in
/// PickleHeap.
struct PickleValue {
    enum class Kind {
        None,
        Bool,
        Integer,
        Float,
        Text,
        Global,       ///< number: a PickleGlobal
        StorageType,  ///< number: its Dtype, or kUntyped
        DtypeName,    ///< number: a Dtype
        Tuple,
        List,
        Dict,
        Storage,
        Tensor
    };
    static constexpr std::int64_t kUntyped = -1;

    Kind kind = Kind::None;
    std::int64_t number = 0;
    std::string_view text{};

    [[nodiscard]] bool is(Kind wanted) const noexcept { return kind == wanted; }
    [[nodiscard]] std::size_t index() const noexcept { return static_cast<std::size_t>(number); }
};

struct PickleStorage {
    Dtype dtype = Dtype::U8;
    std::string_view key;
    std::uint64_t elements = 0;
};

struct PickleTensor {
    std::size_t storage = 0;  ///< index into PickleHeap::storages
    Dtype dtype = Dtype::F32;
    std::uint64_t offset = 0;
    std::vector<std::uint64_t> shape, strides;
};

/// Everything compound that a pickle made. Nothing is ever freed: what can be made is bounded by
/// the number of instructions.
struct PickleHeap {
    std::vector<std::vector<PickleValue>> sequences;  ///< of tuples and lists
    std::vector<std::vector<std::pair<PickleValue, PickleValue>>> dicts;
    std::vector<PickleStorage> storages;
    std::vector<PickleTensor> tensors;

    [[nodiscard]] PickleValue sequence(PickleValue::Kind kind, std::vector<PickleValue> items) {
        sequences.push_back(std::move(items));
        return {kind, static_cast<std::int64_t>(sequences.size() - 1)};
    }
    [[nodiscard]] PickleValue dict() {
        dicts.emplace_back();
        return {PickleValue::Kind::Dict, static_cast<std::int64_t>(dicts.size() - 1)};
    }
};

/// What a global name of a pickle means here; `where` names the file. Throws Error(Unsupported)
/// naming it for every other.
[[nodiscard]] PickleValue pickleGlobal(std::string_view module, std::string_view name,
                                       std::string_view where);

/// Calls one of the known functions on its arguments. Throws Error(BadCheckpoint | Unsupported).
[[nodiscard]] PickleValue pickleCall(PickleHeap& heap, const PickleValue& function,
                                     std::span<const PickleValue> arguments,
                                     std::string_view where);

/// ('storage', type, key, location, elements) as torch.save refers to a storage.
[[nodiscard]] PickleValue pickleStorage(PickleHeap& heap, const PickleValue& reference,
                                        std::string_view where);

}  // namespace moescope::checkpoint
