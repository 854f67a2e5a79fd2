// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/device.h"
#include "core/engine/device_memory.h"
#include "core/engine/probe.h"
#include "core/engine/unit_journal.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace moescope::engine {

/// Computes a layer's units of work, several at once, each kept in the journal as soon as it is
/// finished; those that the journal has are not computed again. A unit for which a device's memory
/// runs out is computed again, alone and in smaller tiles, at the end in main memory.
class UnitPhase {
public:
    struct Setup {
        const LayerContext& layer;
        const UnitProbe& probe;
        /// In the order in which a unit tries them as memory runs out; the first serves where it
        /// does not.
        std::vector<std::shared_ptr<const NeuronSource>> sources;
        Relief relieve;  ///< between any two of them, as often as it helps; may be empty
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
    /// Units that were computed with the last of several sources.
    [[nodiscard]] std::size_t withLast() const { return m_withLast; }

private:
    [[nodiscard]] std::string keyOf(std::size_t unit) const;
    [[nodiscard]] std::vector<double> compute(std::size_t unit, const NeuronSource& neurons);
    void keep(std::size_t unit, const std::vector<double>& result);
    /// Side by side; those for which memory ran out are put aside.
    void computeMissing();
    void computeAlone(std::size_t unit);

    Setup m_setup;
    std::vector<WorkUnit> m_units;
    std::vector<std::size_t> m_missing;
    std::size_t m_withLast = 0;
    std::mutex m_mutex;  // guards the journal, poll, done and:
    std::vector<std::size_t> m_putAside;
};

}  // namespace moescope::engine
