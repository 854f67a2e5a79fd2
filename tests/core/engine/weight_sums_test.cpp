// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_sums.h"

#include "core/base/error.h"
#include "core/engine/columns.h"
#include "core/engine/stored_weights.h"
#include "tests/core/engine/reference_model.h"
#include "tests/support/throws.h"
#include "tests/support/torch.h"

#include <algorithm>
#include <cmath>

using namespace moescope;
using engine::Role;
using engine::StaticNeeds;
using engine::SummingMeans;
using engine::WeightSums;

namespace {

/// A reference model's layer with what streams its weights.
struct Layer {
    Layer(const std::string& name, int index)
        : model(name),
          spec(model.spec.layers[static_cast<std::size_t>(index)]),
          context{.branch = BranchId{0},
                  .layer = LayerId{index},
                  .model = model.spec,
                  .moe = *spec.moe,
                  .hiddenSize = model.spec.hiddenSize,
                  .columns = engine::columnsOf(model.spec, index, {}),
                  .corpus = model.corpus},
          reader(model.checkpoint, {}) {
        for (const model::FeedForwardNames& names : spec.names.experts) {
            columns.push_back({&reader, &names});
        }
        if (spec.moe->shared) {
            columns.push_back({&reader, &spec.names.shared});
        }
    }
    tests::ReferenceModel model;
    const model::LayerSpec& spec;
    engine::LayerContext context;
    engine::WeightReader reader;
    std::vector<engine::ColumnWeights> columns;
};

StaticNeeds everything(StaticNeeds::Points points) {
    StaticNeeds needs;
    needs.products = true;
    needs.relativeTo = StaticNeeds::Reference::BaselineOrMean;
    needs.points = points;
    needs.neurons = true;
    return needs;
}

WeightSums streamed(const Layer& layer, const StaticNeeds& needs, SummingMeans means,
                    std::uint64_t slab) {
    engine::WeightSummer summer(layer.context, needs, means);
    engine::WeightStream(layer.context, layer.columns, at::kCPU)
        .run(
            slab,
            [&](const engine::WeightBlock& block) {
                summer.add(block);
                return engine::WeightStream::Taken::Yes;
            },
            [] {});
    return summer.sums();
}

void checkClose(const std::vector<double>& found, const std::vector<double>& expected,
                double tolerance) {
    REQUIRE(found.size() == expected.size());
    REQUIRE(!found.empty());
    double largest = 0.0;
    for (const double value : expected) {
        largest = std::max(largest, std::abs(value));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(std::abs(found[i] - expected[i]) <= tolerance * largest);
    }
}

void checkClose(const WeightSums& found, const WeightSums& expected) {
    CHECK(found.columns == expected.columns);
    CHECK(found.points == expected.points);
    for (const Role role : {Role::Gate, Role::Up, Role::Down}) {
        CAPTURE(static_cast<int>(role));
        checkClose(found.of(role).products, expected.of(role).products, 3e-7);
        checkClose(found.of(role).relative, expected.of(role).relative, 3e-7);
        checkClose(found.of(role).points, expected.of(role).points, 6e-7);
        checkClose(found.of(role).neurons, expected.of(role).neurons, 1e-7);
        CHECK(found.of(role).isFinite == expected.of(role).isFinite);
    }
}

}  // namespace

TEST_CASE("WeightSummer: our loops add up what LibTorch does in float64", "[core][engine]") {
    const auto points = GENERATE(StaticNeeds::Points::Centred, StaticNeeds::Points::Standardised);
    const StaticNeeds needs = everything(points);
    for (const auto& [name, index] : {std::pair{"mixtral", 0}, {"deepseek-variant", 2}}) {
        CAPTURE(name);
        const Layer layer(name, index);
        const WeightSums slow = streamed(layer, needs, SummingMeans::Tensors, 0);
        checkClose(streamed(layer, needs, SummingMeans::Loops, 0), slow);
        checkClose(streamed(layer, needs, SummingMeans::Loops, 3), slow);
        checkClose(streamed(layer, needs, SummingMeans::Tensors, 5), slow);
    }
}

TEST_CASE("StoredWeights: bfloat16 adds up where it is mapped to what its slabs do",
          "[core][engine]") {
    const StaticNeeds needs = everything(StaticNeeds::Points::Standardised);
    const Layer layer("mixtral", 1);
    REQUIRE(layer.reader.isStoredBfloat16(layer.columns.front().names->gate));
    const WeightSums slow = streamed(layer, needs, SummingMeans::Tensors, 0);
    engine::WeightSummer summer(layer.context, needs, SummingMeans::Loops);
    std::uint64_t steps = 0;
    engine::StoredWeights(layer.context, layer.columns).run(summer, [&] { ++steps; });
    checkClose(summer.sums(), slow);
    CHECK(steps == engine::StoredWeights::steps(layer.context));
}

TEST_CASE("StoredWeights: only bfloat16 is read where it is mapped", "[core][engine]") {
    Layer layer("deepseek-variant", 2);
    const model::TensorRef& gate = layer.columns.front().names->gate;
    CHECK(!layer.reader.isStoredBfloat16(gate));
    CHECK(!layer.reader.storedBfloat16(gate));
    CHECK(layer.reader.bytesRead() == 0);
}

TEST_CASE("WeightSummer: shared experts of the experts' shape are compared, but are no points",
          "[core][engine]") {
    const Layer layer("deepseek-variant", 2);
    const WeightSums sums =
        streamed(layer, everything(StaticNeeds::Points::Centred), SummingMeans::Loops, 0);
    CHECK(sums.columns.size() == layer.context.columns.size());
    CHECK(sums.points + 1 == sums.columns.size());
    CHECK(sums.reference == -1);
}

TEST_CASE("WeightSummer: what is not asked for is not there", "[core][engine]") {
    const Layer layer("mixtral", 0);
    StaticNeeds needs;
    needs.neurons = true;
    const WeightSums sums = streamed(layer, needs, SummingMeans::Loops, 0);
    CHECK(sums.of(Role::Up).products.empty());
    CHECK(sums.of(Role::Up).relative.empty());
    CHECK(sums.of(Role::Up).points.empty());
    CHECK(!sums.of(Role::Up).neurons.empty());
}

TEST_CASE("together: wishes join, contradictions are refused", "[core][engine]") {
    StaticNeeds router;
    router.router = true;
    StaticNeeds points;
    points.points = StaticNeeds::Points::Centred;
    const StaticNeeds both = engine::together(router, points);
    CHECK(both.router);
    CHECK(both.points == StaticNeeds::Points::Centred);
    CHECK(!router.sums());
    CHECK(both.sums());
    points.points = StaticNeeds::Points::Standardised;
    tests::checkThrows([&] { static_cast<void>(engine::together(both, points)); },
                       ErrorCode::Internal, {"two probes"});
}

TEST_CASE("WeightSummer: what several probes share is counted once", "[core][engine]") {
    const Layer layer("deepseek-variant", 2);
    const auto effortOf = [&](const StaticNeeds& needs, bool isStored) {
        return engine::WeightSummer::effort(layer.context, needs, isStored);
    };
    StaticNeeds neurons;
    neurons.neurons = true;
    StaticNeeds products;
    products.products = true;
    const auto columns = static_cast<double>(layer.context.columns.size());
    const double matrix = static_cast<double>(layer.context.hiddenSize) *
                          layer.context.columns.front().intermediateSize;
    CHECK(effortOf(neurons, false).elements == 3.0 * columns * matrix);
    CHECK(effortOf(engine::together(neurons, neurons), false).elements ==
          effortOf(neurons, false).elements);
    CHECK(effortOf(products, false).operations == 3.0 * columns * (columns + 1.0) * matrix);
    CHECK(effortOf(products, true).operations == 0.0);
    CHECK(effortOf(products, true).modelOperations == effortOf(products, false).operations);
    const StaticNeeds all = everything(StaticNeeds::Points::Centred);
    CHECK(effortOf(all, false).operations > 2.0 * effortOf(products, false).operations);
    CHECK(effortOf(StaticNeeds(), false).operations == 0.0);
}
