// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace moescope::jobs {

/// A stage of a run with its expected cost in any unit common to all stages (estimated seconds,
/// bytes to read); only the ratios matter.
struct PlannedStage {
    std::string name;
    double cost = 1;
};

/// Where a run stands.
struct ProgressEvent {
    std::string stage;
    std::uint64_t done = 0;   ///< units of the stage, e.g. layers
    std::uint64_t total = 0;  ///< 0: unknown
    double fraction = 0;      ///< of the whole run (of the stage without a plan), 0 to 1
    double elapsedSeconds = 0;
    std::optional<double> remainingSeconds;  ///< likewise; absent until it can be told
};

/// Turns "n units of this stage are done" into throttled events (at most 20 a second; the beginning
/// and end of a stage always come) with the remaining time, which is planned cost left times the
/// time per cost, of the whole run or of its newer half, whichever is slower; nothing until there
/// is enough to go by. Without a plan fraction and remaining time are those of the stage. A default
/// object swallows everything.
/// Thread-safe; the sink is called from the thread that reports, never from two at once, and must
/// not call back.
class Progress {
public:
    using Sink = std::function<void(const ProgressEvent&)>;
    using Clock = std::function<std::chrono::steady_clock::time_point()>;

    Progress() = default;
    explicit Progress(Sink sink, std::vector<PlannedStage> plan = {}, Clock clock = {});

    /// Ends the stage before it; each stage of the plan begins once. A stage that the plan does not
    /// name costs nothing there. `alreadyDone` units were found finished (a resumed run): they
    /// count as done but not as speed.
    void begin(const std::string& stage, std::uint64_t total, std::uint64_t alreadyDone = 0);
    void advance(std::uint64_t units = 1);
    /// All of the run is done.
    void finish();

private:
    using Time = std::chrono::steady_clock::time_point;
    /// How much measured cost was done by when.
    struct Mark {
        Time time{};
        double measured = 0;
    };

    [[nodiscard]] Time now() const;
    [[nodiscard]] double stageShare() const;
    [[nodiscard]] ProgressEvent event(Time time) const;
    void endStage();
    /// Moves the marks so that the older one lies between a quarter and a half of the work done.
    void mark(Time time);
    void report(bool always);

    mutable std::mutex m_mutex;
    Sink m_sink;
    Clock m_clock;
    std::vector<PlannedStage> m_plan;  // guarded by m_mutex, as all below
    double m_planned = 0;
    double m_costBefore = 0;   // of ended stages
    double m_costSkipped = 0;  // of that and of the current stage, what was found finished
    double m_stageCost = 0;
    ProgressEvent m_last;
    Time m_start{};
    Time m_measuredFrom{};
    Mark m_older, m_newer;
    Time m_lastReport{};
    bool m_started = false;
};

}  // namespace moescope::jobs
