// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace moescope {

/// An index that cannot be mixed with an index of another kind. LayerId{3} is absolute: the model's
/// own layer number, dense layers included.
template <typename Tag>
struct StrongId {
    int value = 0;
    constexpr StrongId() = default;
    constexpr explicit StrongId(int v) : value(v) {}
    constexpr auto operator<=>(const StrongId&) const = default;
};

using LayerId = StrongId<struct LayerTag>;
using ExpertId = StrongId<struct ExpertTag>;
/// 0 is the intact model; interventions open further branches.
using BranchId = StrongId<struct BranchTag>;

}  // namespace moescope

template <typename Tag>
struct std::hash<moescope::StrongId<Tag>> {
    std::size_t operator()(moescope::StrongId<Tag> id) const noexcept {
        return std::hash<int>{}(id.value);
    }
};
