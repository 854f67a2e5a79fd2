// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/static_phase.h"

#include "core/engine/device.h"
#include "core/engine/stored_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace moescope::engine {
namespace {

/// A slab is halved so often at most: smaller pieces take a device longer to be told of than the
/// processor to sum up.
constexpr unsigned kMostHalvings = 6;

StaticNeeds needsOf(const std::vector<StaticProbe*>& probes) {
    StaticNeeds needs;
    for (const StaticProbe* probe : probes) {
        needs = together(needs, probe->needs());
    }
    return needs;
}

}  // namespace

StaticPhase::StaticPhase(Setup setup)
    : m_setup(std::move(setup)),
      m_needs(needsOf(m_setup.probes)),
      m_summer(m_setup.layer, m_needs, m_setup.means),
      m_isHere(m_setup.means == SummingMeans::Loops) {
    const auto width = static_cast<std::uint64_t>(m_setup.layer.columns.front().intermediateSize);
    const std::uint64_t slab =
        m_setup.slabNeurons == 0 ? width : std::min(m_setup.slabNeurons, width);
    m_leastNeurons = std::max<std::uint64_t>(slab >> kMostHalvings, 1);
}

void StaticPhase::begin() {
    for (StaticProbe* probe : m_setup.probes) {
        probe->begin(m_setup.layer);
    }
    if (m_needs.router) {
        giveRouter();
    }
}

void StaticPhase::giveRouter() {
    const LayerContext& layer = m_setup.layer;
    const auto& names = layer.model.layers[static_cast<std::size_t>(layer.layer.value)].names;
    const at::Tensor router = at::empty({layer.experts(), layer.hiddenSize}, at::kFloat);
    m_setup.columns.front().reader->loadSlab(
        names.router.weight, false, 0, static_cast<std::uint64_t>(layer.experts()),
        {router.data_ptr<float>(), static_cast<std::size_t>(router.numel())});
    for (StaticProbe* probe : m_setup.probes) {
        const auto give = [&](const at::Tensor& rows) { probe->consumeRouter(rows); };
        if (probe->needs().router) {
            giveTo(router, give);
        }
    }
}

void StaticPhase::runStored() {
    begin();
    StoredWeights(m_setup.layer, m_setup.columns).run(m_summer, m_setup.poll);
}

void StaticPhase::run() {
    begin();
    if (!m_needs.expertWeights && !m_needs.sums()) {
        return;
    }
    WeightStream(m_setup.layer, m_setup.columns, m_setup.device)
        .run(
            m_setup.slabNeurons, [&](const WeightBlock& block) { return take(block); },
            m_setup.poll);
}

bool StaticPhase::onDevice(const at::Tensor& here,
                           const std::function<void(const at::Tensor&)>& work) const {
    while (!m_isHere) {
        try {
            work(here.to(m_setup.device, here.scalar_type(), /*non_blocking=*/false,
                         /*copy=*/true));
            return true;
        } catch (const c10::Error& error) {
            if (!isOutOfMemory(error)) {
                throw;
            }
        }
        releaseCachedBlocks(m_setup.device);
        if (!m_setup.relieve || !m_setup.relieve()) {
            break;
        }
    }
    return false;
}

void StaticPhase::giveTo(const at::Tensor& here,
                         const std::function<void(const at::Tensor&)>& probe) {
    if (!onDevice(here, probe)) {
        m_ranOut = m_ranOut || !m_isHere;
        probe(here);
    }
}

bool StaticPhase::add(const WeightBlock& block) {
    const auto sum = [&](const at::Tensor& weights) {
        m_summer.add({block.role, block.columns, block.firstNeuron, block.neurons, weights});
    };
    if (onDevice(block.weights, sum)) {
        return true;
    }
    if (!m_isHere && block.neurons > m_leastNeurons) {
        return false;
    }
    m_ranOut = m_ranOut || !m_isHere;
    m_isHere = true;
    m_summer.addHere(block);
    return true;
}

WeightStream::Taken StaticPhase::take(const WeightBlock& block) {
    if (m_needs.sums() && !add(block)) {
        return WeightStream::Taken::Smaller;
    }
    for (StaticProbe* probe : m_setup.probes) {
        const auto give = [&](const at::Tensor& weights) {
            probe->consume({block.role, block.columns, block.firstNeuron, block.neurons, weights});
        };
        if (probe->needs().expertWeights) {
            giveTo(block.weights, give);
        }
    }
    return WeightStream::Taken::Yes;
}

std::string StaticPhase::warning() const {
    return m_ranOut ? fmt::format(
                          "layer {}: experiments on weights were computed in part on the "
                          "CPU, since the memory of {} ran out",
                          m_setup.layer.layer.value, describe(m_setup.device))
                    : std::string();
}

}  // namespace moescope::engine
