// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/progress.h"

#include <algorithm>
#include <utility>

namespace moescope::jobs {
namespace {

constexpr std::chrono::milliseconds kInterval{50};
/// With less behind it than this a projection says nothing: the first layers are often the
/// cheapest.
constexpr double kLeastShare = 0.05;
constexpr double kLeastSeconds = 1.0;

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

Progress::Progress(Sink sink, std::vector<PlannedStage> plan, Clock clock)
    : m_sink(std::move(sink)), m_clock(std::move(clock)), m_plan(std::move(plan)) {
    for (const PlannedStage& stage : m_plan) {
        m_planned += stage.cost;
    }
    m_start = now();
    m_measuredFrom = m_start;
    m_older = m_newer = {m_start, 0};
}

Progress::Time Progress::now() const {
    return m_clock ? m_clock() : std::chrono::steady_clock::now();
}

double Progress::stageShare() const {
    return m_last.total == 0 ? 0
                             : std::min(1.0, static_cast<double>(m_last.done) /
                                                 static_cast<double>(m_last.total));
}

ProgressEvent Progress::event(Time time) const {
    ProgressEvent event = m_last;
    event.elapsedSeconds = seconds(time - m_start);
    // Without a plan the current stage is all that is known.
    const double planned = m_planned > 0 ? m_planned : m_stageCost;
    const double done = m_costBefore + m_stageCost * stageShare();
    if (planned > 0) {
        event.fraction = std::clamp(done / planned, m_last.fraction, 1.0);
        const double measured = done - m_costSkipped;
        const double used = seconds(time - m_measuredFrom);
        if (measured >= kLeastShare * planned && used >= kLeastSeconds) {
            // Of the whole run and its newer half the slower speed: rather too long than too short.
            const double lately = measured - m_older.measured;
            const double pace =
                std::max(used / measured, lately > 0 ? seconds(time - m_older.time) / lately : 0.0);
            event.remainingSeconds = pace * (planned - done);
        }
    }
    return event;
}

void Progress::mark(Time time) {
    const double measured = m_costBefore + m_stageCost * stageShare() - m_costSkipped;
    if (measured > 0 && measured >= 2.0 * m_newer.measured) {
        m_older = std::exchange(m_newer, {time, measured});
    }
}

void Progress::endStage() {
    if (m_planned > 0) {
        m_costBefore += m_stageCost;
    } else {
        // Every stage starts anew: nothing says how it compares with the one before.
        m_costSkipped = 0;
        m_last.fraction = 0;
        m_measuredFrom = now();
        m_older = m_newer = {m_measuredFrom, 0};
    }
    m_stageCost = 0;
}

void Progress::begin(const std::string& stage, std::uint64_t total, std::uint64_t alreadyDone) {
    if (!m_sink) {
        return;
    }
    const std::lock_guard lock(m_mutex);
    if (m_started) {
        endStage();
    }
    m_started = true;
    const auto planned = std::find_if(m_plan.begin(), m_plan.end(),
                                      [&](const PlannedStage& s) { return s.name == stage; });
    m_stageCost = planned != m_plan.end() ? planned->cost : (m_planned > 0 ? 0 : 1);
    m_last.stage = stage;
    m_last.total = total;
    m_last.done = std::min(alreadyDone, total);
    m_costSkipped += m_stageCost * stageShare();
    report(true);
}

void Progress::advance(std::uint64_t units) {
    if (!m_sink) {
        return;
    }
    const std::lock_guard lock(m_mutex);
    m_last.done += units;
    if (m_last.total != 0) {
        m_last.done = std::min(m_last.done, m_last.total);
    }
    report(m_last.done == m_last.total);
}

void Progress::finish() {
    if (!m_sink) {
        return;
    }
    const std::lock_guard lock(m_mutex);
    m_last.done = m_last.total;
    ProgressEvent last = event(now());
    last.fraction = 1;
    last.remainingSeconds = 0;
    m_sink(last);
}

void Progress::report(bool always) {
    const Time time = now();
    if (!always && time - m_lastReport < kInterval) {
        return;
    }
    m_lastReport = time;
    mark(time);
    const ProgressEvent current = event(time);
    m_last.fraction = current.fraction;
    m_sink(current);
}

}  // namespace moescope::jobs
