// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/figures/removal_choice.h"

#include <optional>
#include <string>
#include <vector>

/// Losses of single tokens with and without experts (C4). Private to the builders.
namespace moescope::figures {

/// The tables of removals, by kind. TABLE_token_loss holds the losses.
inline constexpr std::string_view kInLayerTable = "single";
inline constexpr std::string_view kEverywhereTable = "everywhere";
inline constexpr std::string_view kSetTable = "set";

[[nodiscard]] KeptRemovals keptRemovals(const FigureSource& source, BranchId branch);

/// A removal whose losses the session keeps.
struct KeptRemoval {
    std::string_view table;
    std::uint64_t row = 0;   ///< of its first axis
    std::uint64_t cell = 0;  ///< within the row
    std::string name{};      ///< "expert 3 of layer 2", "0:3,5:1"
    std::optional<LayerId> layer{};
    std::optional<int> expert{};
    bool isDefault = false;  ///< no expert was asked for: the one whose removal costs most
};

/// What was asked for; without a choice what the session has, one expert before sets. `onlyOne`:
/// of several the first. Throws Error(Usage) saying what is kept and which option keeps the rest.
[[nodiscard]] std::vector<KeptRemoval> removalsAsked(const BuildContext& context, bool onlyOne);

/// " No expert was asked for: ...", or nothing.
[[nodiscard]] std::string defaultText(const KeptRemoval& removal);

/// In nats, of each token given those before it; NaN for the first token of a document, whatever
/// the session has there.
struct TokenLosses {
    std::vector<float> intact, without;  ///< [T]
    [[nodiscard]] std::size_t size() const { return intact.size(); }
    [[nodiscard]] float rise(std::size_t token) const { return without[token] - intact[token]; }
};

/// Throws Error(BadSession) for other shapes than experiments write, Error(Cancelled).
[[nodiscard]] TokenLosses lossesWithout(const BuildContext& context, const KeptRemoval& removal);
/// [T] ids predicted to follow each token without the experts; nullopt where the session does not
/// keep them (before format 1.5). Throws as lossesWithout() does.
[[nodiscard]] std::optional<std::vector<text::TokenId>> predictedWithout(
    const BuildContext& context, const KeptRemoval& removal);
/// The magnitude that the rise of all but a hundredth of the tokens stays below; `ofAll`: the
/// largest of all removals of the kind, in every layer; kept for the next figure.
[[nodiscard]] double usualRise(const BuildContext& context, const KeptRemoval& removal, bool ofAll);

/// Up to `most` of some tokens, the largest rise first; those whose loss does not rise, or has no
/// number, are none.
[[nodiscard]] std::vector<std::uint64_t> largestRises(const TokenLosses& losses,
                                                      const TokenSelection& within,
                                                      std::size_t most);

}  // namespace moescope::figures
