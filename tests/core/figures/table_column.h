// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <string>
#include <variant>

namespace moescope::tests {

/// The column of a table of that name, which has to be there.
inline const figures::TableColumn& column(const figures::Figure& figure, const std::string& name) {
    const auto& columns = std::get<figures::TableFigure>(figure.body).columns;
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& one) { return one.name == name; });
    REQUIRE(found != columns.end());
    return *found;
}

}  // namespace moescope::tests
