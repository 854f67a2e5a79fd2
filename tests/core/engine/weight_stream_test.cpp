// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_stream.h"

#include "core/engine/columns.h"
#include "tests/core/engine/reference_model.h"
#include "tests/support/torch.h"

#include <map>

using namespace moescope;
using engine::Role;

namespace {

/// The slabs of each (role, column), put together along the neurons.
std::map<std::pair<int, int>, at::Tensor> streamed(const tests::ReferenceModel& model, int layer,
                                                   std::uint64_t slab) {
    const model::LayerSpec& spec = model.spec.layers[static_cast<std::size_t>(layer)];
    const engine::LayerContext context{.branch = BranchId{0},
                                       .layer = LayerId{layer},
                                       .model = model.spec,
                                       .moe = *spec.moe,
                                       .hiddenSize = model.spec.hiddenSize,
                                       .columns = engine::columnsOf(model.spec, layer, {}),
                                       .corpus = model.corpus};
    engine::WeightReader reader(model.checkpoint, {});
    std::vector<engine::ColumnWeights> columns;
    for (const model::FeedForwardNames& names : spec.names.experts) {
        columns.push_back({&reader, &names});
    }
    if (spec.moe->shared) {
        columns.push_back({&reader, &spec.names.shared});
    }
    std::map<std::pair<int, int>, std::vector<at::Tensor>> pieces;
    std::map<std::pair<int, int>, std::uint64_t> next;
    const engine::WeightStream stream(context, columns, at::kCPU);
    stream.run(
        slab,
        [&](const engine::WeightBlock& block) {
            for (std::size_t c = 0; c < block.columns.size(); ++c) {
                const std::pair key{static_cast<int>(block.role), block.columns[c]};
                CHECK(block.firstNeuron == next[key]);
                next[key] += block.neurons;
                pieces[key].push_back(
                    block.weights.select(0, static_cast<std::int64_t>(c)).clone());
            }
            return engine::WeightStream::Taken::Yes;
        },
        [] {});
    std::map<std::pair<int, int>, at::Tensor> whole;
    for (const auto& [key, parts] : pieces) {
        whole[key] = at::cat(parts, key.first == static_cast<int>(Role::Down) ? 1 : 0);
    }
    return whole;
}

}  // namespace

TEST_CASE("WeightStream: slabs of any size make the same matrices", "[core][engine]") {
    const std::string name = GENERATE("mixtral", "deepseek", "deepseek-variant");
    INFO(name);
    const tests::ReferenceModel model(name);
    int layer = 0;
    while (!model.spec.layers[static_cast<std::size_t>(layer)].isRouted()) {
        ++layer;
    }
    const model::LayerSpec& spec = model.spec.layers[static_cast<std::size_t>(layer)];
    const auto whole = streamed(model, layer, 0);
    const std::size_t columns = spec.names.experts.size() + (spec.moe->shared ? 1 : 0);
    REQUIRE(whole.size() == 3 * columns);

    engine::WeightReader reader(model.checkpoint, {});
    for (std::size_t e = 0; e < spec.names.experts.size(); ++e) {
        const auto& names = spec.names.experts[e];
        const int column = static_cast<int>(e);
        CHECK(at::equal(whole.at({static_cast<int>(Role::Gate), column}), reader.load(names.gate)));
        CHECK(at::equal(whole.at({static_cast<int>(Role::Up), column}), reader.load(names.up)));
        CHECK(at::equal(whole.at({static_cast<int>(Role::Down), column}), reader.load(names.down)));
    }
    for (const std::uint64_t slab : {1U, 3U, 5U, 1000U}) {
        INFO("slab of " << slab);
        for (const auto& [key, matrix] : streamed(model, layer, slab)) {
            CHECK(at::equal(matrix, whole.at(key)));
        }
    }
}
