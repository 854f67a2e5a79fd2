// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/device.h"
#include "core/engine/probe.h"
#include "core/engine/unit_journal.h"

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

namespace moescope::engine {

/// Computes a layer's units of work, several at once, each kept in the journal as soon as it is
/// finished; those that the journal has are not computed again.
class UnitPhase {
public:
    struct Setup {
        const LayerContext& layer;
        const UnitProbe& probe;
        const NeuronSource& neurons;
        UnitJournal& journal;
        int atOnce = 1;
        std::function<void()> poll;  ///< throws when the run is to stop; one call at a time
        std::function<void()> done;  ///< a unit was computed; likewise
    };
    explicit UnitPhase(Setup setup);

    [[nodiscard]] std::size_t units() const { return m_units.size(); }
    /// Units that have to be computed.
    [[nodiscard]] std::size_t remaining() const { return m_missing.size(); }
    /// Throws what a unit, the journal or poll threw; units at work are then given up.
    [[nodiscard]] session::Part run();

private:
    [[nodiscard]] std::string keyOf(std::size_t unit) const;
    void compute(std::size_t unit, const DividedThreads& threads);

    Setup m_setup;
    std::vector<WorkUnit> m_units;
    std::vector<std::size_t> m_missing;
    std::mutex m_mutex;  // guards the journal, poll and done
};

}  // namespace moescope::engine
