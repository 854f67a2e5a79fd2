// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/residual_keeper.h"

#include "core/base/error.h"
#include "core/engine/device_memory.h"

#include <fmt/format.h>

#include <new>
#include <utility>

namespace moescope::engine {

ResidualKeeper::ResidualKeeper(ScratchUse use, std::chrono::seconds every,
                               std::function<void(const std::string&)> warn)
    : m_use(use), m_every(every), m_warn(std::move(warn)) {}

bool ResidualKeeper::isDue() const {
    return m_use == ScratchUse::Always ||
           (m_use == ScratchUse::Auto && !m_cannotKeep && Clock::now() - m_lastKept >= m_every);
}

void ResidualKeeper::keep(const std::function<void()>& save) {
    try {
        save();
    } catch (const Error& error) {
        giveUp(error.what());
    } catch (const std::bad_alloc&) {
        giveUp("The machine ran out of memory while the residual stream was kept.");
    } catch (const c10::Error& error) {
        if (!isOutOfMemory(error) && !isOutOfMainMemory(error)) {
            throw;
        }
        giveUp("Memory ran out while the residual stream was kept.");
    }
    m_lastKept = Clock::now();
}

void ResidualKeeper::giveUp(const std::string& why) {
    if (m_use == ScratchUse::Always) {
        throw;
    }
    m_cannotKeep = true;
    m_warn(fmt::format("{} The run goes on; if it is stopped, resuming computes more again.", why));
}

}  // namespace moescope::engine
