// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/branch_pass.h"

#include "core/engine/run_plan.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moescope::engine {
namespace {

/// Logits made at once.
constexpr std::int64_t kLogitBytes = std::int64_t{32} << 20U;

}  // namespace

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

std::uint64_t BranchPass::steps(const std::vector<Intervention>& branches, int layers,
                                std::size_t atOnce) {
    std::uint64_t count = 0;
    for (const Batch& batch : batches(branches, layers, atOnce)) {
        count += static_cast<std::uint64_t>(batch.intactUntil);
        for (std::size_t b = batch.first; b < batch.end; ++b) {
            count += static_cast<std::uint64_t>(layers - firstChanged(branches[b], layers));
        }
    }
    return count;
}

void BranchPass::run(const std::vector<Intervention>& branches,
                     const std::function<void(const LogitsBlock&)>& consumer) {
    for (const Batch& batch : batches(branches, m_setup.model.spec.layerCount(), m_setup.atOnce)) {
        runBatch(branches, batch, consumer);
    }
}

void BranchPass::runBatch(const std::vector<Intervention>& branches, const Batch& batch,
                          const std::function<void(const LogitsBlock&)>& consumer) {
    const int layers = m_setup.model.spec.layerCount();
    ModelRun run(m_setup.model.checkpoint, m_setup.model.spec, m_setup.place);
    const auto tokens = static_cast<std::int64_t>(m_setup.corpus.ids.size());
    at::Tensor intact = at::empty({tokens, m_setup.model.spec.hiddenSize}, m_setup.place.options());
    run.embed(m_setup.corpus.ids, intact);
    std::vector<at::Tensor> hidden(batch.end - batch.first);
    jobs::LaneWorker lane("read-ahead");
    const LayerParts parts{.experts = m_setup.residentExperts};
    const auto ahead = m_setup.decodeAhead ? std::optional(parts) : std::nullopt;
    for (int layer = 0; layer < layers; ++layer) {
        m_setup.poll();
        run.reader().checkpoint().requireWhole();
        run.beginLayer(layer, parts);
        if (layer + 1 < layers) {
            run.readAhead(layer + 1, ahead, lane);
        }
        for (std::size_t b = 0; b < hidden.size(); ++b) {
            const Intervention& branch = branches[batch.first + b];
            if (firstChanged(branch, layers) == layer) {
                hidden[b] = intact.clone();
            }
            if (hidden[b].defined()) {
                passLayer(run, layer, hidden[b], branch.at(LayerId{layer}));
            }
        }
        if (layer < batch.intactUntil) {
            passLayer(run, layer, intact, nullptr);
        }
        run.endLayer(layer);
    }
    if (batch.first == 0) {
        emit(run, intact, std::nullopt, consumer);
    }
    for (std::size_t b = 0; b < hidden.size(); ++b) {
        emit(run, hidden[b].defined() ? hidden[b] : intact, batch.first + b, consumer);
        hidden[b].reset();
        if (m_setup.done) {
            m_setup.done(batch.first + b);
        }
    }
    m_bytesRead += run.reader().bytesRead();
}

void BranchPass::passLayer(ModelRun& run, int layer, at::Tensor& hidden,
                           const LayerIntervention* change) {
    ModelStream stream{&run, hidden};
    std::vector<ModelStream> none;
    LayerPass pass(stream, none, m_setup.corpus.offsets, m_setup.limits, m_setup.poll);
    const model::LayerSpec& spec = run.layerSpec();
    if (spec.isRouted()) {
        const LayerContext context{.branch = BranchId{},
                                   .layer = LayerId{layer},
                                   .model = run.spec(),
                                   .moe = *spec.moe,
                                   .hiddenSize = run.spec().hiddenSize,
                                   .columns = {},
                                   .corpus = m_setup.corpus};
        pass.run(&context, {}, change, {.block = [](const TokenBlock&) {}, .activations = {}});
    } else {
        pass.run(nullptr, {}, nullptr, {});
    }
    m_setup.step();
}

std::uint64_t BranchPass::logitBytes(const model::ModelSpec& model, std::uint64_t tokens) {
    const std::uint64_t row = static_cast<std::uint64_t>(model.vocabSize) * sizeof(float);
    return std::min(tokens * row, std::max<std::uint64_t>(kLogitBytes, row));
}

void BranchPass::emit(ModelRun& run, const at::Tensor& hidden, std::optional<std::size_t> branch,
                      const std::function<void(const LogitsBlock&)>& consumer) const {
    const std::int64_t rowBytes =
        std::max<std::int64_t>(1, run.spec().vocabSize) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t rows = std::max<std::int64_t>(1, kLogitBytes / rowBytes);
    for (std::int64_t first = 0; first < hidden.size(0); first += rows) {
        m_setup.poll();
        const std::int64_t count = std::min(rows, hidden.size(0) - first);
        const at::Tensor logits =
            run.logits(run.finalHidden(hidden.narrow(0, first, count))).to(at::kFloat);
        consumer(
            {.branch = branch, .firstToken = static_cast<std::uint64_t>(first), .logits = logits});
    }
}

}  // namespace moescope::engine
