// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/branch_pass.h"

#include "core/engine/run_plan.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace moescope::engine {
namespace {

/// Logits made at once.
constexpr std::int64_t kLogitBytes = std::int64_t{32} << 20U;

}  // namespace

BranchPass::BranchPass(Setup setup)
    : m_setup(std::move(setup)),
      m_stretches(
          splitText(m_setup.corpus.offsets, m_setup.devices.size(), m_setup.limits.blockTokens)) {}

int BranchPass::firstChanged(const Intervention& branch, int layers) {
    int first = layers;
    for (const auto& [layer, change] : branch.layers) {
        first = std::min(first, layer.value);
    }
    return first;
}

std::vector<BranchPass::Batch> BranchPass::batches(const std::vector<Intervention>& branches,
                                                   int layers, std::size_t atOnce) {
    const std::size_t step = std::max<std::size_t>(atOnce, 1);
    std::vector<Batch> result;
    for (std::size_t first = 0; first < branches.size() || first == 0; first += step) {
        Batch batch{first, std::min(first + step, branches.size()), first == 0 ? layers : 0};
        for (std::size_t b = batch.first; b < batch.end; ++b) {
            batch.intactUntil = std::max(batch.intactUntil, firstChanged(branches[b], layers));
        }
        result.push_back(batch);
    }
    return result;
}

std::vector<std::uint64_t> BranchPass::passes(const std::vector<Intervention>& branches, int layers,
                                              std::size_t atOnce) {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(layers), 0);
    const auto count = [&](int first, int end) {
        std::for_each(counts.begin() + first, counts.begin() + end,
                      [](std::uint64_t& passes) { ++passes; });
    };
    for (const Batch& batch : batches(branches, layers, atOnce)) {
        count(0, batch.intactUntil);
        for (std::size_t b = batch.first; b < batch.end; ++b) {
            count(firstChanged(branches[b], layers), layers);
        }
    }
    return counts;
}

std::uint64_t BranchPass::steps(const std::vector<Intervention>& branches, int layers,
                                std::size_t atOnce) {
    const auto counts = passes(branches, layers, atOnce);
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void BranchPass::run(const std::vector<Intervention>& branches, const Consumer& consumer) {
    for (const Batch& batch : batches(branches, spec().layerCount(), m_setup.atOnce)) {
        m_replicas.clear();
        for (const at::Device device : m_setup.devices) {
            const Replica* const first = m_replicas.empty() ? nullptr : m_replicas.front().get();
            m_replicas.push_back(std::make_unique<Replica>(std::vector{&m_setup.model},
                                                           ComputePlace{device, m_setup.dtype},
                                                           m_setup.memory, first));
        }
        runBatch(branches, batch, consumer);
        m_bytesRead += m_replicas.front()->model().reader().bytesRead();
    }
    m_replicas.clear();
}

BranchPass::Stream BranchPass::embedded() {
    Stream stream;
    const auto tokens = tokensOfParts(m_stretches, m_setup.devices.size());
    for (std::size_t part = 0; part < tokens.size(); ++part) {
        const auto options = at::TensorOptions().dtype(m_setup.dtype).device(m_setup.devices[part]);
        stream.push_back(withRelief(m_replicas[part]->relief(), [&] {
            return at::empty({static_cast<std::int64_t>(tokens[part]), spec().hiddenSize}, options);
        }));
    }
    for (const Stretch& stretch : m_stretches) {
        at::Tensor rows =
            stream[stretch.part].narrow(0, static_cast<std::int64_t>(stretch.firstRow),
                                        static_cast<std::int64_t>(stretch.tokens));
        m_replicas[stretch.part]->model().embed(
            std::span(m_setup.corpus.ids).subspan(stretch.firstToken, stretch.tokens), rows);
    }
    return stream;
}

BranchPass::Stream BranchPass::copied(const Stream& stream) {
    Stream copy;
    for (std::size_t part = 0; part < stream.size(); ++part) {
        copy.push_back(
            withRelief(m_replicas[part]->relief(), [&] { return stream[part].clone(); }));
    }
    return copy;
}

void BranchPass::runBatch(const std::vector<Intervention>& branches, const Batch& batch,
                          const Consumer& consumer) {
    const int layers = spec().layerCount();
    Stream intact = embedded();
    std::vector<Stream> hidden(batch.end - batch.first);
    const MemoryPlan& memory = m_setup.memory;
    const LayerParts parts = layerParts(memory);
    // To a device all but the experts goes ahead in any case.
    const auto ahead =
        memory.decodeAhead || memory.streamed() ? std::optional(parts) : std::nullopt;
    for (int layer = 0; layer < layers; ++layer) {
        m_setup.poll();
        m_replicas.front()->model().reader().checkpoint().requireWhole();
        for (const auto& replica : m_replicas) {
            replica->model().beginLayer(layer, parts);
            if (layer + 1 < layers) {
                replica->model().readAhead(layer + 1, ahead, replica->lane());
            }
        }
        for (std::size_t b = 0; b < hidden.size(); ++b) {
            const Intervention& branch = branches[batch.first + b];
            if (firstChanged(branch, layers) == layer) {
                hidden[b] = copied(intact);
            }
            if (!hidden[b].empty()) {
                passLayer(layer, hidden[b], branch.at(LayerId{layer}));
            }
        }
        if (layer < batch.intactUntil) {
            passLayer(layer, intact, nullptr);
        }
        for (const auto& replica : m_replicas) {
            replica->model().endLayer(layer);
        }
    }
    if (batch.first == 0) {
        emit(intact, std::nullopt, consumer);
    }
    for (std::size_t b = 0; b < hidden.size(); ++b) {
        emit(hidden[b].empty() ? intact : hidden[b], batch.first + b, consumer);
        hidden[b].clear();
        if (m_setup.done) {
            m_setup.done(batch.first + b);
        }
    }
}

void BranchPass::passLayer(int layer, Stream& stream, const LayerIntervention* change) {
    std::vector<DeviceModels> devices;
    for (std::size_t part = 0; part < m_replicas.size(); ++part) {
        devices.push_back({{&m_replicas[part]->model(), stream[part]}, {}});
    }
    LayerPass pass({.devices = devices,
                    .stretches = m_stretches,
                    .offsets = m_setup.corpus.offsets,
                    .limits = m_setup.limits,
                    .poll = m_setup.poll});
    const model::LayerSpec& layerSpec = spec().layers[static_cast<std::size_t>(layer)];
    if (layerSpec.isRouted()) {
        const LayerContext context{.branch = BranchId{},
                                   .layer = LayerId{layer},
                                   .model = spec(),
                                   .moe = *layerSpec.moe,
                                   .hiddenSize = spec().hiddenSize,
                                   .columns = {},
                                   .corpus = m_setup.corpus};
        pass.run(&context, {}, change,
                 {.block = [](const TokenBlock&, const Relief&) {}, .activations = {}});
    } else {
        pass.run(nullptr, {}, nullptr, {});
    }
    m_setup.step();
}

std::uint64_t BranchPass::logitBytes(const model::ModelSpec& model, std::uint64_t tokens) {
    const std::uint64_t row = static_cast<std::uint64_t>(model.vocabSize) * sizeof(float);
    return std::min(tokens * row, std::max<std::uint64_t>(kLogitBytes, row));
}

void BranchPass::emit(const Stream& stream, std::optional<std::size_t> branch,
                      const Consumer& consumer) {
    const std::int64_t rowBytes =
        std::max<std::int64_t>(1, spec().vocabSize) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t step = std::max<std::int64_t>(1, kLogitBytes / rowBytes);
    for (const Stretch& stretch : m_stretches) {
        ModelRun& run = m_replicas[stretch.part]->model();
        const auto tokens = static_cast<std::int64_t>(stretch.tokens);
        for (std::int64_t first = 0; first < tokens; first += step) {
            m_setup.poll();
            const std::int64_t row = static_cast<std::int64_t>(stretch.firstRow) + first;
            const at::Tensor rows =
                stream[stretch.part].narrow(0, row, std::min(step, tokens - first));
            const at::Tensor logits = withRelief(
                run.relief(), [&] { return run.logits(run.finalHidden(rows)).to(at::kFloat); });
            withRelief(run.relief(), [&] {
                consumer({.branch = branch,
                          .firstToken = stretch.firstToken + static_cast<std::uint64_t>(first),
                          .logits = logits});
            });
        }
    }
}

}  // namespace moescope::engine
