// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/instruction_sets.h"

#include <cstddef>
#include <cstdint>

/// Products of all pairs of rows of bfloat16 by dot products of the processor. Internal to
/// core/numerics.
namespace moescope::numerics {

/// Called every few rows, for what can be done beside products.
struct BetweenRows {
    void (*call)(const void* with, std::size_t row) = nullptr;
    const void* with = nullptr;
};

/// sums [count, count], its upper triangle += products of the rows of y, which begin `stride`
/// elements apart; there is room for whole groups of four rows. width is a multiple of 32. Needs
/// hasAvx512Bf16(). Products are exact, sums float32; numbers below 1.2e-38 are taken for 0.
void addBfloat16Gram(const std::uint16_t* y, std::size_t stride, std::size_t width,
                     std::size_t count, double* sums, const BetweenRows& between);

}  // namespace moescope::numerics
