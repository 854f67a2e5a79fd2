// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/unit_phase.h"

#include "core/engine/no_autograd.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>

#include <algorithm>
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

std::vector<double> UnitPhase::compute(std::size_t unit, const NeuronSource& neurons) {
    const auto poll = [this] {
        const std::lock_guard lock(m_mutex);
        m_setup.poll();
    };
    return m_setup.probe.compute(m_setup.layer, unit, neurons, poll);
}

void UnitPhase::keep(std::size_t unit, const std::vector<double>& result) {
    const std::lock_guard lock(m_mutex);
    m_setup.journal.append(keyOf(unit), result);
    m_setup.done();
}

void UnitPhase::computeMissing() {
    const DividedThreads threads(m_setup.atOnce);
    jobs::parallelFor(m_missing.size(), static_cast<unsigned>(m_setup.atOnce), jobs::CancelToken(),
                      [&](std::size_t i) {
                          const NoAutograd noAutograd;  // is each thread's own
                          threads.enter();
                          try {
                              keep(m_missing[i], compute(m_missing[i], *m_setup.sources.front()));
                          } catch (const c10::Error& error) {
                              if (!isOutOfMemory(error) || m_setup.sources.size() == 1) {
                                  throw;
                              }
                              const std::lock_guard lock(m_mutex);
                              m_putAside.push_back(m_missing[i]);
                          }
                      });
}

void UnitPhase::computeAlone(std::size_t unit) {
    for (std::size_t source = 0; source < m_setup.sources.size();) {
        const bool isLast = source + 1 == m_setup.sources.size();
        try {
            keep(unit, compute(unit, *m_setup.sources[source]));
            m_withLast += isLast ? 1 : 0;
            return;
        } catch (const c10::Error& error) {
            if (!isOutOfMemory(error) || isLast) {
                throw;
            }
        }
        if (!m_setup.relieve || !m_setup.relieve()) {
            ++source;
        }
    }
}

session::Part UnitPhase::run() {
    computeMissing();
    // Nobody else computes now, so that what the device's memory has is theirs.
    std::for_each(m_putAside.begin(), m_putAside.end(),
                  [this](std::size_t unit) { computeAlone(unit); });
    std::vector<std::vector<double>> results;
    results.reserve(m_units.size());
    for (std::size_t unit = 0; unit < m_units.size(); ++unit) {
        results.push_back(m_setup.journal.read(keyOf(unit)));
    }
    return m_setup.probe.assemble(m_setup.layer, results);
}

}  // namespace moescope::engine
