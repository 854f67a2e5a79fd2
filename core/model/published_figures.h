// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <span>
#include <string>
#include <string_view>

namespace moescope::model {

/// What the makers of a model say of its size, to stand beside our count. Billions of parameters;
/// 0: not said.
struct PublishedFigures {
    std::string_view family;  ///< the adapter's id
    int layers = 0, hiddenSize = 0, experts = 0;
    std::string_view title;
    double total = 0.0, active = 0.0;
    std::string_view source;
    std::string_view counting = "";  ///< how they count otherwise than we do; empty: alike
};
[[nodiscard]] std::span<const PublishedFigures> publishedFigures();

/// The entry whose shape the model has; nothing for others.
[[nodiscard]] const PublishedFigures* findPublished(const ModelSpec& spec);

/// "Mixtral 8x7B: 46.7 B, 12.9 B per token (source)"
[[nodiscard]] std::string publishedText(const PublishedFigures& figures);

}  // namespace moescope::model
