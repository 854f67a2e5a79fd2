// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/session/head.h"

#include <cstdint>
#include <string>
#include <vector>

namespace moescope::figures {

/// How far the choices of two models for one token agree.
enum class Agreement {
    Same,         ///< the same first choice, and the same experts after it in whatever order
    FirstChoice,  ///< the same first choice, but others after it
    Neither,      ///< another first choice
};

/// Over the tokens of a layer (B5).
struct RoutingAgreement {
    std::uint64_t tokens = 0;
    double firstChoice = 0.0;  ///< share of tokens with the same first choice; 1/E at random
    double sameSet = 0.0;      ///< share with the same chosen set; 1 / (E over k) at random
    double overlap = 0.0;      ///< mean of |A and B| / k; k/E at random
};

/// Both routings have the same tokens and as many experts and choices. NaN without tokens.
[[nodiscard]] RoutingAgreement agreementOf(const Routing& a, const Routing& b);
/// Of one row.
[[nodiscard]] Agreement agreementOf(const Routing& a, const Routing& b, std::uint64_t row);
/// Router saturation (D1): for k' = 1 ... k, mean over tokens of the share of the first k' choices
/// that both make, k'/E at random; k is the smaller one of both. NaN without tokens.
[[nodiscard]] std::vector<double> saturationOf(const Routing& a, const Routing& b);
/// What unrelated routers of one shape would give.
[[nodiscard]] RoutingAgreement agreementAtRandom(int experts, int topK);

/// Why the choices of two sessions cannot be set beside each other, as a sentence that says what
/// differs: text, layers, experts. Empty when they can.
[[nodiscard]] std::string differenceOf(const session::Head& a, const session::Head& b);

}  // namespace moescope::figures
