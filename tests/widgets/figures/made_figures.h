// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"

namespace moescope::tests {

/// A figure of a made-up session.
inline std::shared_ptr<const figures::Figure> madeFigure(const std::string& name, int layer = 2,
                                                         const MadeSession& session = {}) {
    const figures::FigureBuilder builder(std::make_shared<MadeSource>(session));
    figures::FigureRequest request;
    request.figure = name;
    if (figures::findFigure(name)->perLayer) {
        request.layer = LayerId{layer};
    }
    if (name == "norms-scores") {
        request.tokens = figures::TokenRange{4, 1};
    }
    return std::make_shared<const figures::Figure>(builder.build(request));
}

}  // namespace moescope::tests
