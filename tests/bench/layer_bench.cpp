// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// One routed layer of published shapes against plain matrix products of the same type, and what
// statistics add to it: bench_layer [--device cuda:0] [--tokens 1024] FOLDER [SHAPE ...].
// Checkpoints of one layer are made in FOLDER.
#include "core/engine/columns.h"
#include "core/engine/device.h"
#include "core/engine/layer_pass.h"
#include "core/engine/moe_block.h"
#include "core/engine/no_autograd.h"
#include "core/experiments/factory.h"
#include "core/model/load_spec.h"
#include "tests/bench/random_checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace moescope;

namespace {

constexpr std::int64_t kMostBlock = 2048;  ///< as a run's plan
constexpr int kRounds = 4;

/// Times taken in turns, so that other work on the machine falls on all of them alike; the best of
/// each counts.
class Times {
public:
    explicit Times(at::Device device) : m_device(device) {}
    void add(std::string name, std::function<void()> work) {
        m_entries.push_back({std::move(name), std::move(work), 1e300});
    }
    void measure() {
        for (int round = 0; round <= kRounds; ++round) {
            for (Entry& entry : m_entries) {
                const auto start = std::chrono::steady_clock::now();
                entry.work();
                if (!m_device.is_cpu()) {  // one number of it is there when all before it is done
                    static_cast<void>(at::zeros({1}, m_device).item<float>());
                }
                const std::chrono::duration<double> spent =
                    std::chrono::steady_clock::now() - start;
                if (round > 0) {  // the first touches the pages
                    entry.seconds = std::min(entry.seconds, spent.count());
                }
            }
        }
    }
    [[nodiscard]] double of(std::string_view name) const {
        return std::find_if(m_entries.begin(), m_entries.end(),
                            [&](const Entry& entry) { return entry.name == name; })
            ->seconds;
    }

private:
    struct Entry {
        std::string name;
        std::function<void()> work;
        double seconds;
    };
    at::Device m_device;
    std::vector<Entry> m_entries;
};

/// A layer with everything that a pass over it needs.
class Layer {
public:
    Layer(const std::filesystem::path& folder, at::Device device, std::int64_t tokens)
        : m_checkpoint(folder),
          m_spec(model::loadSpec(m_checkpoint)),
          m_run(m_checkpoint, m_spec, {device, at::kBFloat16}) {
        m_run.beginLayer(0, {});
        m_corpus.ids.resize(static_cast<std::size_t>(tokens));
        m_corpus.offsets = {0, static_cast<std::uint64_t>(tokens)};
        m_corpus.tokenBytes.resize(static_cast<std::size_t>(tokens), "x");
        m_hidden = at::randn({tokens, m_spec.hiddenSize},
                             at::TensorOptions().device(device).dtype(at::kBFloat16));
        m_input = m_run.feedForwardInput(m_hidden).narrow(0, 0, std::min(tokens, kMostBlock));
    }

    [[nodiscard]] const model::MoeSpec& moe() const { return *m_run.layerSpec().moe; }
    /// Of the first block.
    [[nodiscard]] const at::Tensor& input() const { return m_input; }
    [[nodiscard]] std::int64_t block() const { return m_input.size(0); }
    [[nodiscard]] const engine::FeedForward& expert(int index) const {
        return m_run.weights().experts[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] const engine::FeedForward& shared() const { return m_run.weights().shared; }
    [[nodiscard]] std::int64_t sharedWidth() const {
        return moe().shared ? moe().shared->intermediateSize : 0;
    }
    [[nodiscard]] engine::LayerContext context() const {
        return {.branch = {},
                .layer = LayerId{0},
                .model = m_spec,
                .moe = moe(),
                .hiddenSize = m_spec.hiddenSize,
                .columns = engine::columnsOf(m_spec, 0, {}),
                .corpus = m_corpus};
    }

    /// The feed-forward of all tokens, as a run has it; `probes` get what they need.
    void pass(const engine::DynamicNeeds& needs,
              const std::vector<engine::DynamicProbe*>& probes = {}) {
        engine::DeviceModels models{{&m_run, m_hidden.clone()}, {}};
        const std::vector<engine::Stretch> stretches = engine::splitText(m_corpus.offsets, 1, 0);
        const engine::LayerContext layer = context();
        for (engine::DynamicProbe* probe : probes) {
            probe->begin(layer);
        }
        // Runs keep this memory from layer to layer.
        engine::LayerPass passes(
            {.devices = {&models, 1},
             .stretches = stretches,
             .offsets = m_corpus.offsets,
             .limits = {.blockTokens = static_cast<std::uint64_t>(block()), .attention = {}},
             .poll = [] {},
             .kept = &m_outputs});
        passes.feedForwardBlocks(&layer, needs, nullptr,
                                 {.block =
                                      [&](const engine::TokenBlock& block, const engine::Relief&) {
                                          for (engine::DynamicProbe* probe : probes) {
                                              probe->consume(block);
                                          }
                                      },
                                  .activations = {}});
        for (engine::DynamicProbe* probe : probes) {
            static_cast<void>(probe->end());
        }
    }

    /// How many tokens each expert gets, as the router chooses on these.
    [[nodiscard]] std::vector<std::int64_t> groupSizes() {
        const engine::Routing routing =
            engine::route(m_input, m_run.weights().router, moe().router, moe().topK, nullptr);
        std::vector<std::int64_t> sizes;
        for (const engine::ExpertRows& group : engine::groupByExpert(routing, moe().experts)) {
            sizes.push_back(group.rows.size(0));
        }
        return sizes;
    }

private:
    checkpoint::Checkpoint m_checkpoint;
    model::ModelSpec m_spec;
    engine::ModelRun m_run;
    text::TokenizedCorpus m_corpus;
    at::Tensor m_hidden, m_input;
    std::vector<engine::ColumnOutputs> m_outputs;
};

/// The expert's three products and nothing else.
void products(const engine::FeedForward& expert, const at::Tensor& x, const at::Tensor& hidden) {
    static_cast<void>(at::linear(x, expert.gate.weight));
    static_cast<void>(at::linear(x, expert.up.weight));
    static_cast<void>(at::linear(hidden, expert.down.weight));
}

/// Of a gated feed-forward of this width on a block.
double operationsOf(const Layer& layer, std::int64_t width) {
    return 6.0 * static_cast<double>(layer.block() * layer.input().size(1) * width);
}

void report(std::string_view what, double seconds, double operations, double share,
            const char* of) {
    fmt::print("  {:<44}{:>10.2f} ms{:>9.0f} GFLOP/s{:>8.1f} % {}\n", what, 1e3 * seconds,
               operations / seconds / 1e9, 100.0 * share, of);
    std::fflush(stdout);
}

void measureLayer(const std::filesystem::path& folder, const bench::ModelShape& shape,
                  at::Device device, std::int64_t tokens) {
    bench::ModelShape one = shape;
    one.layers = 1;
    one.denseLayers = 0;
    const auto place = folder / (std::string(shape.name) + "-layer");
    bench::writeRandomCheckpoint(place, one);
    Layer layer(place, device, tokens);
    const std::int64_t blocks = tokens / layer.block();
    const int experts = layer.moe().experts;
    const std::int64_t width = layer.moe().expert.intermediateSize;
    const at::Tensor hidden = at::randn({layer.block(), width}, layer.input().options());
    const at::Tensor sharedHidden =
        at::randn({layer.block(), layer.sharedWidth()}, layer.input().options());
    const std::vector<std::int64_t> sizes = layer.groupSizes();

    std::vector<std::unique_ptr<engine::DynamicProbe>> owned;
    std::vector<engine::DynamicProbe*> probes;
    engine::DynamicNeeds needs;
    for (const char* experiment :
         {"output_similarity", "norms_scores", "rank_counts", "chosen_experts"}) {
        for (auto& probe : experiments::makeProbes(experiment, "{}").dynamic) {
            needs.norms = needs.norms || probe->needs().norms;
            needs.outputs = needs.outputs || probe->needs().outputs;
            probes.push_back(probe.get());
            owned.push_back(std::move(probe));
        }
    }

    int turn = 0;
    const auto next = [&]() -> const engine::FeedForward& {
        turn = (turn + 1) % experts;
        return layer.expert(turn);
    };
    // A device is done with one small product before it is told of the next: so many that its
    // waiting for the first and ours for the last do not count.
    const int repeats = device.is_cpu() ? 1 : std::max(experts, 64);
    const auto repeated = [&](const std::function<void()>& product) {
        for (int i = 0; i < repeats; ++i) {
            product();
        }
    };
    Times times(device);
    times.add("gate", [&] {
        repeated([&] { static_cast<void>(at::linear(layer.input(), next().gate.weight)); });
    });
    times.add("down", [&] {
        repeated([&] { static_cast<void>(at::linear(hidden, next().down.weight)); });
    });
    times.add("all", [&] { layer.pass({.norms = true, .outputs = true}); });
    times.add("statistics", [&] { layer.pass(needs, probes); });
    times.add("routed", [&] { layer.pass({}); });
    const auto productsOfBlock = [&] {
        for (int expert = 0; expert < experts; ++expert) {
            const std::int64_t rows = sizes[static_cast<std::size_t>(expert)];
            if (rows > 0) {
                products(layer.expert(expert), layer.input().narrow(0, 0, rows),
                         hidden.narrow(0, 0, rows));
            }
        }
        if (layer.moe().shared) {
            products(layer.shared(), layer.input(), sharedHidden);
        }
    };
    times.add("products", [&] {
        for (std::int64_t block = 0; block < blocks; ++block) {
            productsOfBlock();
        }
    });
    times.measure();

    const double expert = operationsOf(layer, width);
    const double product = expert / 3.0;
    const double best = repeats * product / std::min(times.of("gate"), times.of("down"));
    const double shared = operationsOf(layer, layer.sharedWidth());
    const auto passes = static_cast<double>(blocks);
    const double all = passes * (experts * expert + shared);
    const double routed = passes * (layer.moe().topK * expert + shared);
    fmt::print("{}: {} experts of {} x {}, {} tokens in blocks of {}\n", shape.name, experts,
               layer.input().size(1), width, tokens, layer.block());
    for (const char* role : {"gate", "down"}) {
        const double seconds = times.of(role) / repeats;
        report(fmt::format("plain product, {}", role), seconds, product, product / seconds / best,
               "of the faster one's rate");
    }
    report("all experts", times.of("all"), all, all / times.of("all") / best, "of that rate");
    report("all experts, B1, B2, B3 and B5 kept", times.of("statistics"), all,
           times.of("statistics") / times.of("all") - 1.0, "more than without");
    report("chosen experts", times.of("routed"), routed, times.of("products") / times.of("routed"),
           "of the next line's speed");
    report("the same products alone", times.of("products"), routed, 1.0, "");
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto option = [&](const char* name, std::string value) {
        const auto found = std::find(arguments.begin(), arguments.end(), name);
        if (found != arguments.end() && found + 1 != arguments.end()) {
            value = *(found + 1);
            arguments.erase(found, found + 2);
        }
        return value;
    };
    const at::Device device = engine::chooseDevice(option("--device", "auto"));
    const std::int64_t tokens = std::stoll(option("--tokens", "1024"));
    if (arguments.empty() || tokens < 1 || (tokens > kMostBlock && tokens % kMostBlock != 0)) {
        fmt::print(stderr,
                   "bench_layer [--device cpu|cuda:N] [--tokens 1024] FOLDER [SHAPE ...]\n"
                   "Beyond {} tokens whole blocks of as many.\n",
                   kMostBlock);
        return 2;
    }
    engine::setThreads(0);
    fmt::print("{}\n", engine::describeEngine({&device, 1}));
    const engine::NoAutograd noAutograd;
    for (const bench::ModelShape& shape : bench::modelShapes()) {
        const bool isWanted =
            arguments.size() == 1 ||
            std::find(arguments.begin() + 1, arguments.end(), shape.name) != arguments.end();
        if (isWanted) {
            measureLayer(arguments.front(), shape, device, tokens);
        }
    }
    return 0;
}
