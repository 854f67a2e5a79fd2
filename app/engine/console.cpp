// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/console.h"

#include "core/base/format_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace moescope::app {
namespace {

using session::RunEvent;

constexpr auto kQuietAtMost = std::chrono::seconds(30);

std::string progressText(const RunEvent& event) {
    std::string text = fmt::format("{:3.0f} %", 100.0 * event.fraction);
    if (!event.stage.empty()) {
        text += "  " + event.stage;
    }
    if (event.remainingSeconds && event.fraction < 1.0) {
        text += fmt::format(", {} left", durationText(*event.remainingSeconds));
    }
    return text;
}

/// Experiment by experiment, and what they share.
std::string costsText(const engine::Estimate& estimate) {
    if (estimate.experiments.empty()) {
        return {};
    }
    std::size_t width = std::string_view("shared").size();
    double shared = estimate.seconds;
    for (const engine::ExperimentCost& cost : estimate.experiments) {
        width = std::max(width, cost.id.size());
        shared -= cost.seconds;
    }
    std::string text;
    for (const engine::ExperimentCost& cost : estimate.experiments) {
        text += fmt::format("  {:<{}}  {:<14}  {:>9} memory  {:>9} disk\n", cost.id, width,
                            durationText(cost.seconds), formatBytes(cost.memoryBytes),
                            formatBytes(cost.diskBytes));
    }
    return text + fmt::format("  {:<{}}  {:<14}  reading, the text's pass, storing\n", "shared",
                              width, durationText(std::max(shared, 0.0)));
}

}  // namespace

std::string durationText(double seconds) {
    if (!(seconds >= 1.0)) {
        return "under a second";
    }
    const auto whole = static_cast<std::uint64_t>(std::llround(std::min(seconds, 1e12)));
    if (whole < 60) {
        return fmt::format("{} s", whole);
    }
    if (whole < 3600) {
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    }
    return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string estimateText(const engine::Estimate& estimate) {
    std::string text = fmt::format(
        "Estimate: {} tokens, {} layers to do, on {} in {}\n"
        "  memory  {} of {} allowed (at least {})\n",
        estimate.tokens, estimate.layers, estimate.device, estimate.dtype,
        formatBytes(estimate.memoryBytes), formatBytes(estimate.budgetBytes),
        formatBytes(estimate.minimumBytes));
    if (estimate.deviceBytes > 0) {
        text += fmt::format("  device  {} of {} allowed\n", formatBytes(estimate.deviceBytes),
                            formatBytes(estimate.deviceBudgetBytes));
    }
    text += fmt::format("  disk    {}\n  read    {} of weights\n  time    {}\n",
                        formatBytes(estimate.diskBytes), formatBytes(estimate.readBytes),
                        (estimate.seconds < 1.0 ? "" : "about ") + durationText(estimate.seconds));
    text += costsText(estimate);
    for (const std::string& note : estimate.notes) {
        text += fmt::format("  note    {}\n", note);
    }
    return text;
}

RunEvent estimateEvent(const engine::Estimate& estimate) {
    RunEvent event;
    event.kind = RunEvent::Kind::Estimate;
    event.memoryBytes = estimate.memoryBytes;
    event.diskBytes = estimate.diskBytes;
    event.readBytes = estimate.readBytes;
    event.seconds = estimate.seconds;
    return event;
}

ConsoleObserver::ConsoleObserver(std::ostream& out, bool isTerminal, Clock clock)
    : m_out(out), m_isTerminal(isTerminal), m_clock(std::move(clock)) {}

void ConsoleObserver::onEvent(const RunEvent& event) {
    if (event.kind == RunEvent::Kind::Progress) {
        showProgress(event);
    } else if (event.kind == RunEvent::Kind::Warning) {
        endLine();
        m_out << "Warning: " << event.message << std::endl;
    }
}

void ConsoleObserver::showProgress(const RunEvent& event) {
    if (m_isTerminal) {
        // Back to the start of the line, erase it, write the new one.
        m_out << "\r\x1B[K" << progressText(event) << std::flush;
        m_lineIsOpen = true;
        return;
    }
    const int tenth = static_cast<int>(event.fraction * 10.0);
    const auto now = m_clock();
    if (tenth != m_lastTenth || now - m_lastShown >= kQuietAtMost) {
        m_lastTenth = tenth;
        m_lastShown = now;
        m_out << progressText(event) << std::endl;
    }
}

void ConsoleObserver::endLine() {
    if (m_lineIsOpen) {
        m_out << std::endl;
        m_lineIsOpen = false;
    }
}

void JsonObserver::onEvent(const RunEvent& event) {
    m_hasFailed = m_hasFailed || event.kind == RunEvent::Kind::Failed ||
                  event.kind == RunEvent::Kind::Cancelled;
    m_out << session::toJsonLine(event) << std::endl;
}

}  // namespace moescope::app
