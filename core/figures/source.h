// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/session.h"

#include <memory>

namespace moescope::figures {

/// What figures are built from: the part of session::Session they need. Thread-safe, like it.
class FigureSource {
public:
    FigureSource() = default;
    virtual ~FigureSource() = default;
    FigureSource(const FigureSource&) = delete;
    FigureSource& operator=(const FigureSource&) = delete;

    [[nodiscard]] virtual const session::Head& head() const = 0;
    [[nodiscard]] virtual const session::QuantityInfo* find(
        const session::QuantityId& id) const = 0;
    [[nodiscard]] virtual NdArray read(const session::QuantityId& id,
                                       std::optional<LayerId> layer) const = 0;
    [[nodiscard]] virtual NdArray readRows(const session::QuantityId& id,
                                           std::optional<LayerId> layer, std::uint64_t first,
                                           std::uint64_t count) const = 0;
};

[[nodiscard]] std::shared_ptr<const FigureSource> makeSource(
    std::shared_ptr<const session::Session> session);

}  // namespace moescope::figures
