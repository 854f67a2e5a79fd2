// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/part_writer.h"
#include "core/engine/run_plan.h"
#include "core/jobs/progress.h"

#include <cstdint>
#include <string>
#include <vector>

namespace moescope::engine {

/// Tells how far a run is: layers weigh what the estimate says they take, and within a layer the
/// steps of each phase do. Thread-compatible.
class RunProgress {
public:
    enum class Phase { Statics, Units, Attention, FeedForward };

    /// `layers` will be visited, in this order. Of a resumed run what was finished counts as done.
    RunProgress(const RunPlan& plan, const std::vector<int>& layers, Events& events);

    void beginLayer(int layer);
    /// Announces the steps of a phase, in the order of phases; step() uses them up in that order.
    void expect(Phase phase, double steps);
    void step();
    void endLayer();
    /// After the layers: the model is run again with changes, in so many steps, of which some were
    /// found done.
    void beginBranches(const std::string& name, std::uint64_t steps, std::uint64_t alreadyDone);
    void branchStep() { m_progress.advance(); }
    void finish() { m_progress.finish(); }

private:
    struct Expected {
        double seconds = 0.0, steps = 0.0, done = 0.0;
    };
    [[nodiscard]] double share() const;

    const RunPlan& m_plan;
    jobs::Progress m_progress;
    std::vector<Expected> m_phases;  ///< of the current layer, in order
    LayerSeconds m_seconds;
    std::uint64_t m_units = 0;  ///< told of the current layer
};

}  // namespace moescope::engine
