// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Experiments on weights on a device whose memory runs out, for which the CPU stands: they come in
// smaller pieces, in the end in main memory, to what they come to with all the memory there is.
#include "core/engine/columns.h"
#include "core/engine/layer_neurons.h"
#include "core/engine/opened_models.h"
#include "core/engine/static_phase.h"
#include "core/engine/unit_phase.h"
#include "core/experiments/factory.h"
#include "tests/support/catch.h"
#include "tests/support/limited_memory.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/torch.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace moescope;
using namespace moescope::tests;
using engine::SummingMeans;

namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
const text::TokenizedCorpus kNoText;

/// A layer of the demo with where its weights lie: 8 experts of 128 neurons, hidden size 96.
struct Layer {
    engine::OpenedModel model{tests::sourceDir() / "resources/demo/tiny-mixtral"};
    const model::LayerSpec& spec = model.spec.layers[2];
    engine::LayerContext context{.branch = BranchId{0},
                                 .layer = LayerId{2},
                                 .model = model.spec,
                                 .moe = *spec.moe,
                                 .hiddenSize = model.spec.hiddenSize,
                                 .columns = engine::columnsOf(model.spec, 2, {}),
                                 .corpus = kNoText};
    engine::WeightReader reader{model.checkpoint, {}};
    [[nodiscard]] std::vector<engine::ColumnWeights> columns() {
        std::vector<engine::ColumnWeights> result;
        for (const model::FeedForwardNames& names : spec.names.experts) {
            result.push_back({&reader, &names});
        }
        return result;
    }
    [[nodiscard]] std::uint64_t bytesOfRole() const {
        return sizeof(float) * static_cast<std::uint64_t>(context.experts()) *
               static_cast<std::uint64_t>(context.columns.front().intermediateSize) *
               static_cast<std::uint64_t>(context.hiddenSize);
    }
};

/// To a share of the largest value of each quantity; NaN equals NaN.
void checkClose(const std::vector<session::Part>& found, const std::vector<session::Part>& expected,
                double share) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t p = 0; p < found.size(); ++p) {
        REQUIRE(found[p].quantities.size() == expected[p].quantities.size());
        for (std::size_t q = 0; q < found[p].quantities.size(); ++q) {
            INFO(expected[p].quantities[q].name);
            const auto x = found[p].quantities[q].values.toDoubles();
            const auto y = expected[p].quantities[q].values.toDoubles();
            REQUIRE(x.size() == y.size());
            int onlyOneIsNaN = 0;
            double largest = 0.0;
            double farthest = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                onlyOneIsNaN += std::isnan(x[i]) == std::isnan(y[i]) ? 0 : 1;
                largest = std::fmax(largest, std::abs(y[i]));
                farthest = std::fmax(farthest, std::abs(x[i] - y[i]));
            }
            CHECK(onlyOneIsNaN == 0);
            CHECK(farthest <= share * largest);
        }
    }
}

/// What A1, A2, A4 and A5 come to at a layer.
struct Statics {
    std::vector<session::Part> parts;
    std::string warning;
    int steps = 0;
};
Statics statics(Layer& layer, SummingMeans means, engine::Relief relieve = {}) {
    std::vector<engine::ProbeSet> sets;
    std::vector<engine::StaticProbe*> probes;
    for (const char* id : {"weight_similarity", "mean_neuron_similarity", "router_similarity",
                           "expert_projection"}) {
        sets.push_back(experiments::makeProbes(id, "{}"));
        probes.push_back(sets.back().statics.front().get());
    }
    Statics result;
    engine::StaticPhase phase({.layer = layer.context,
                               .probes = probes,
                               .columns = layer.columns(),
                               .device = at::kCPU,
                               .means = means,
                               .slabNeurons = 0,
                               .relieve = std::move(relieve),
                               .poll = [&] { ++result.steps; }});
    phase.run();
    result.warning = phase.warning();
    for (engine::StaticProbe* probe : probes) {
        result.parts.push_back(probe->end(phase.sums()));
    }
    return result;
}

/// Takes the router's rows or the expert matrices as they are, on a device that has room for no
/// copy of them.
class Taker final : public engine::StaticProbe {
public:
    Taker(LimitedMemory& memory, bool router, std::uint64_t bytes)
        : m_memory(memory), m_router(router), m_bytes(bytes) {}
    [[nodiscard]] std::string_view experiment() const override { return "router_similarity"; }
    [[nodiscard]] engine::StaticNeeds needs() const override {
        return {.expertWeights = !m_router, .router = m_router};
    }
    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext&) const override { return 0; }
    void begin(const engine::LayerContext&) override { m_memory.allow(m_memory.taken() + m_bytes); }
    void consume(const engine::WeightBlock& block) override { m_taken += block.weights.numel(); }
    void consumeRouter(const at::Tensor& router) override { m_taken += router.numel(); }
    [[nodiscard]] session::Part end(const engine::WeightSums&) override { return {}; }
    [[nodiscard]] std::int64_t taken() const { return m_taken; }

private:
    LimitedMemory& m_memory;
    bool m_router;
    std::uint64_t m_bytes;
    std::int64_t m_taken = 0;
};

/// A device that has so many bytes; main memory has no limit.
class OnDevice final : public engine::NeuronSource {
public:
    OnDevice(Layer& layer, std::uint64_t tileBytes, LimitedMemory& memory, std::uint64_t bytes)
        : m_neurons(layer.columns(), layer.context.hiddenSize, at::kCPU, tileBytes),
          m_memory(memory),
          m_bytes(bytes) {}
    [[nodiscard]] at::Tensor read(int column, engine::Role role, std::uint64_t first,
                                  std::uint64_t count) const override {
        m_memory.allow(m_bytes);
        return m_neurons.read(column, role, first, count);
    }
    [[nodiscard]] std::uint64_t tileBytes() const override { return m_neurons.tileBytes(); }

private:
    engine::LayerNeurons m_neurons;
    LimitedMemory& m_memory;
    std::uint64_t m_bytes;
};

struct Units {
    session::Part part;
    std::size_t inMainMemory = 0;
    std::uint64_t refusals = 0, most = 0;
};
Units units(Layer& layer, const char* id, std::uint64_t bytes, int atOnce) {
    const TemporaryFolder folder;
    engine::UnitJournal journal(folder / "units.bin", id);
    const engine::ProbeSet set = experiments::makeProbes(id, "{}");
    LimitedMemory memory(kUnlimited);
    const auto onDevice = [&](std::uint64_t tileBytes) {
        return std::make_shared<OnDevice>(layer, tileBytes, memory, bytes);
    };
    const auto here =
        std::make_shared<engine::LayerNeurons>(layer.columns(), layer.context.hiddenSize, at::kCPU);
    int tries = 0;
    engine::UnitPhase phase(
        {.layer = layer.context,
         .probe = *set.units.front(),
         .sources = {onDevice(1U << 20U), onDevice(12U << 10U), onDevice(3U << 10U), here},
         .relieve =
             [&] {
                 // Before the last source, which is not the device's.
                 memory.allow(++tries % 3 == 0 ? kUnlimited : bytes);
                 return false;
             },
         .journal = journal,
         .atOnce = atOnce,
         .poll = [] {},
         .done = [&] { tries = 0; }});
    Units result;
    result.part = phase.run();
    result.inMainMemory = phase.withLast();
    result.refusals = memory.refusals();
    result.most = memory.most();
    return result;
}

}  // namespace

TEST_CASE("StaticPhase: a device's memory that runs out changes no result", "[core][engine]") {
    Layer layer;
    const Statics plain = statics(layer, SummingMeans::Loops);
    // Our loops add up in float32 first: 1e-7 of the largest sum, and roots of them.
    constexpr double kLoops = 1e-5;
    constexpr double kPieces = 1e-7;
    const Statics roomy = statics(layer, SummingMeans::Tensors);
    CHECK(roomy.warning.empty());
    CHECK(roomy.steps == 3);  // a slab for each role
    checkClose(roomy.parts, plain.parts, kLoops);
    std::uint64_t most = 0;
    {
        const LimitedMemory memory(kUnlimited);
        static_cast<void>(statics(layer, SummingMeans::Tensors));
        most = memory.most();
    }
    const std::uint64_t host = layer.bytesOfRole();  // the slab, before it goes to the device
    REQUIRE(most > 3 * host);
    int halved = 0;
    int inMainMemory = 0;
    for (int share = 100; share >= 1; share = share * 3 / 5) {
        CAPTURE(share);
        const LimitedMemory memory(host + (most - host) * static_cast<std::uint64_t>(share) / 100);
        const Statics tight = statics(layer, SummingMeans::Tensors);
        checkClose(tight.parts, plain.parts, kLoops);
        CHECK((memory.refusals() > 0) == (share < 100));
        const bool isHere = !tight.warning.empty();
        if (!isHere) {
            checkClose(tight.parts, roomy.parts, kPieces);
        }
        halved += !isHere && tight.steps > 3 ? 1 : 0;
        inMainMemory += isHere ? 1 : 0;
        if (isHere) {
            CHECK_THAT(tight.warning, Catch::Contains("layer 2") && Catch::Contains("on the CPU"));
        }
    }
    CHECK(halved >= 2);
    CHECK(inMainMemory > 0);
}

TEST_CASE("StaticPhase: what others can give up goes before slabs get smaller", "[core][engine]") {
    Layer layer;
    const Statics plain = statics(layer, SummingMeans::Tensors);
    LimitedMemory memory(2 * layer.bytesOfRole());
    int asked = 0;
    const Statics result = statics(layer, SummingMeans::Tensors, [&] {
        memory.allow(++asked == 2 ? kUnlimited : 2 * layer.bytesOfRole());
        return true;
    });
    CHECK(asked == 2);
    CHECK(memory.refusals() == 2);
    CHECK(result.steps == 3);
    CHECK(result.warning.empty());
    checkClose(result.parts, plain.parts, 0.0);
    // What is wrong with the program is not hidden.
    memory.allow(2 * layer.bytesOfRole());
    CHECK_THROWS_AS(statics(layer, SummingMeans::Tensors,
                            []() -> bool {
                                TORCH_CHECK(false, "a shape");
                                return true;
                            }),
                    c10::Error);
}

TEST_CASE("StaticPhase: it is said that no sums but a probe ran out", "[core][engine]") {
    Layer layer;
    const bool router = GENERATE(true, false);
    const bool hasRoom = GENERATE(true, false);
    CAPTURE(router, hasRoom);
    const auto rows = static_cast<std::uint64_t>(layer.context.experts());
    const std::uint64_t one =
        router ? sizeof(float) * rows * static_cast<std::uint64_t>(layer.context.hiddenSize)
               : layer.bytesOfRole();
    LimitedMemory memory(kUnlimited);
    Taker probe(memory, router, hasRoom ? 3 * one : one + one / 2);
    engine::StaticPhase phase({.layer = layer.context,
                               .probes = {&probe},
                               .columns = layer.columns(),
                               .device = at::kCPU,
                               .means = SummingMeans::Tensors,
                               .slabNeurons = 0,
                               .relieve = {},
                               .poll = [] {}});
    phase.run();
    CHECK((memory.refusals() == 0) == hasRoom);
    CHECK(probe.taken() * sizeof(float) == (router ? one : 3 * one));  // once, on either side
    CHECK(phase.warning().empty() == hasRoom);
    if (!hasRoom) {
        CHECK_THAT(phase.warning(), Catch::Contains("layer 2") && Catch::Contains("on the CPU"));
    }
}

TEST_CASE("UnitPhase: a device's memory that runs out changes no result", "[core][engine]") {
    Layer layer;
    const char* id = GENERATE("matched_similarity", "neuron_projection");
    const int atOnce = GENERATE(1, 2);
    CAPTURE(id, atOnce);
    const Units plain = units(layer, id, kUnlimited, 1);
    CHECK(plain.refusals == 0);
    CHECK(plain.inMainMemory == 0);
    int onDevice = 0;
    int inMainMemory = 0;
    for (const std::uint64_t share : {90U, 70U, 50U, 30U, 15U, 5U}) {
        CAPTURE(share);
        const Units tight = units(layer, id, plain.most * share / 100, atOnce);
        checkClose({tight.part}, {plain.part}, 1e-5);
        onDevice += tight.refusals > 0 && tight.inMainMemory == 0 ? 1 : 0;
        inMainMemory += tight.inMainMemory > 0 ? 1 : 0;
    }
    // What a projection takes most for does not get smaller with its tiles.
    CHECK((onDevice > 0 || std::string(id) == "neuron_projection"));
    CHECK(inMainMemory > 0);
}
