// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run.h"

#include <chrono>
#include <functional>
#include <string>

namespace moescope::engine {

/// When the residual stream is kept beside the parts, and what comes of it when that fails: keeping
/// only spares work if the run is stopped, its results do not need it. Thread-compatible.
class ResidualKeeper {
public:
    ResidualKeeper(ScratchUse use, std::chrono::seconds every,
                   std::function<void(const std::string&)> warn);

    [[nodiscard]] bool isDue() const;
    /// Calls save(). When a file cannot be written or memory runs out in it, that is thrown with
    /// ScratchUse::Always; else it is a warning, and nothing is due any more.
    void keep(const std::function<void()>& save);

private:
    using Clock = std::chrono::steady_clock;
    /// In a handler of what save() threw.
    void giveUp(const std::string& why);

    ScratchUse m_use;
    std::chrono::seconds m_every;
    std::function<void(const std::string&)> m_warn;
    Clock::time_point m_lastKept = Clock::now();
    bool m_cannotKeep = false;
};

}  // namespace moescope::engine
