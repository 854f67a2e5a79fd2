// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/log.h"
#include "core/engine/run.h"
#include "core/session/run_events.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

namespace moescope::app {

/// "under a second", "42 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string durationText(double seconds);
/// What a run will need, for people; lines ending in a newline.
[[nodiscard]] std::string estimateText(const engine::Estimate& estimate);
/// The same as an event.
[[nodiscard]] session::RunEvent estimateEvent(const engine::Estimate& estimate);

/// Shows a run to a person: warnings as lines, progress as one line that is rewritten on a
/// terminal, and elsewhere (a log file) as a plain line whenever a tenth of the work or half a
/// minute has passed. Thread-compatible, as RunObserver.
class ConsoleObserver final : public engine::RunObserver {
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;

    ConsoleObserver(std::ostream& out, bool isTerminal,
                    Clock clock = std::chrono::steady_clock::now);
    void onEvent(const session::RunEvent& event) override;
    /// Ends the rewritten line, if there is one.
    void endLine();

private:
    void showProgress(const session::RunEvent& event);

    std::ostream& m_out;
    bool m_isTerminal;
    Clock m_clock;
    bool m_lineIsOpen = false;
    int m_lastTenth = -1;
    std::chrono::steady_clock::time_point m_lastShown{};
};

/// Writes each event as one JSON line and nothing else.
class JsonObserver final : public engine::RunObserver {
public:
    explicit JsonObserver(std::ostream& out) : m_out(out) {}
    void onEvent(const session::RunEvent& event) override;
    /// True once an event has said how the run ended badly.
    [[nodiscard]] bool hasFailed() const noexcept { return m_hasFailed; }

private:
    std::ostream& m_out;
    bool m_hasFailed = false;
};

}  // namespace moescope::app
