// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/projection_parts.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr std::array<const char*, 3> kRoles{"gate", "up", "down"};

}  // namespace

std::vector<std::string> projectionRoles(const BuildContext& context) {
    for (const std::string& role : context.request.roles) {
        if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} has no role \"{}\"; it has gate, up and down.",
                                    context.info.name, role));
        }
    }
    return context.request.roles.empty() ? std::vector<std::string>(kRoles.begin(), kRoles.end())
                                         : context.request.roles;
}

std::size_t projectionRoleIndex(const std::string& role) {
    return static_cast<std::size_t>(std::find(kRoles.begin(), kRoles.end(), role) - kRoles.begin());
}

std::string componentTitle(const NdArray& explained, std::size_t role, std::size_t component) {
    const std::uint64_t components = explained.shape().empty() ? 0 : explained.shape().back();
    const std::uint64_t at = role * components + component;
    const std::string name = fmt::format("PC {}", component + 1);
    return component >= components || at >= explained.size() || !std::isfinite(explained.at(at))
               ? name
               : fmt::format("{} ({:.1f} %)", name, explained.at(at) * 100.0);
}

ScatterGroup projectionGroup(const std::string& label) {
    ScatterGroup group;
    group.name = label;
    const auto [end, error] =
        std::from_chars(label.data(), label.data() + label.size(), group.index);
    const bool isNumber = error == std::errc() && end == label.data() + label.size();
    if (!isNumber) {
        group.index = 0;
        group.kind =
            label.starts_with('S') ? ScatterGroup::Kind::Shared : ScatterGroup::Kind::Baseline;
    }
    return group;
}

}  // namespace moescope::figures
