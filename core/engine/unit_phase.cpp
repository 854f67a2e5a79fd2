// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/unit_phase.h"

#include "core/engine/no_autograd.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>

#include <utility>

namespace moescope::engine {

UnitPhase::UnitPhase(Setup setup)
    : m_setup(std::move(setup)), m_units(m_setup.probe.units(m_setup.layer)) {
    for (std::size_t unit = 0; unit < m_units.size(); ++unit) {
        if (!m_setup.journal.contains(keyOf(unit))) {
            m_missing.push_back(unit);
        }
    }
}

std::string UnitPhase::keyOf(std::size_t unit) const {
    const WorkUnit& work = m_units[unit];
    return work.ofAllLayers ? work.key : std::to_string(m_setup.layer.layer.value) + " " + work.key;
}

void UnitPhase::compute(std::size_t unit, const DividedThreads& threads) {
    const NoAutograd noAutograd;  // is each thread's own
    threads.enter();
    const auto poll = [this] {
        const std::lock_guard lock(m_mutex);
        m_setup.poll();
    };
    const std::vector<double> result =
        m_setup.probe.compute(m_setup.layer, unit, m_setup.neurons, poll);
    const std::lock_guard lock(m_mutex);
    m_setup.journal.append(keyOf(unit), result);
    m_setup.done();
}

session::Part UnitPhase::run() {
    {
        const DividedThreads threads(m_setup.atOnce);
        jobs::parallelFor(m_missing.size(), static_cast<unsigned>(m_setup.atOnce),
                          jobs::CancelToken(),
                          [&](std::size_t i) { compute(m_missing[i], threads); });
    }
    std::vector<std::vector<double>> results;
    for (std::size_t unit = 0; unit < m_units.size(); ++unit) {
        results.push_back(m_setup.journal.read(keyOf(unit)));
    }
    return m_setup.probe.assemble(m_setup.layer, results);
}

}  // namespace moescope::engine
