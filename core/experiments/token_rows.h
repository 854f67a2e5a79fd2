// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace moescope::experiments {

/// An array [tokens, width] filled block by block.
template <typename T>
class TokenRows {
public:
    TokenRows() = default;
    TokenRows(std::uint64_t tokens, std::uint64_t width)
        : m_width(width), m_values(elementTypeOf<T>(), {tokens, width}) {}

    template <typename From>
    void put(std::uint64_t firstToken, std::span<const From> rows) {
        std::transform(rows.begin(), rows.end(),
                       m_values.template values<T>().begin() +
                           static_cast<std::ptrdiff_t>(firstToken * m_width),
                       [](From value) { return static_cast<T>(value); });
    }
    [[nodiscard]] NdArray take() { return std::move(m_values); }

private:
    std::uint64_t m_width = 0;
    NdArray m_values;
};

}  // namespace moescope::experiments
