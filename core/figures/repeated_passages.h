// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <cstdint>
#include <span>
#include <string>

/// What makes counts of tokens look surer than they are (E3). Private to the builders.
namespace moescope::figures {

inline constexpr std::size_t kPassage = 32;  ///< tokens

/// Share of a text's tokens that lie in passages of kPassage tokens, within a document, which stand
/// in the text before. `offsets` are its documents'. By hashes of 64 bits: in a text of a million
/// tokens two different passages pass for one with a chance of 3e-8.
[[nodiscard]] double repeatedShare(std::span<const text::TokenId> ids,
                                   std::span<const std::uint64_t> offsets);

/// A sentence of caution where much of the session's text is said twice, or where it has few
/// documents; else nothing. What is counted is kept between figures.
[[nodiscard]] std::string repetitionCaution(const BuildContext& context);

}  // namespace moescope::figures
