// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Time of a gated DeltaNet with Qwen3-Next's shape beside what else such a model's layers do, on
// random weights in float32: bench_delta_net [TOKENS]
#include "core/engine/attention.h"
#include "core/engine/delta_net.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>

using namespace moescope;

namespace {

constexpr std::int64_t kHidden = 2048;
constexpr std::int64_t kExperts = 64;  ///< of 512, so that the weights fit; as many are chosen
constexpr std::int64_t kChosen = 10;
constexpr std::int64_t kWidth = 512;
constexpr int kRounds = 3;

at::Tensor random(at::IntArrayRef shape, double scale = 0.02) {
    return at::randn(shape) * scale;
}

engine::Linear map(std::int64_t out, std::int64_t in) {
    return {random({out, in}), {}};
}

engine::Norm norm(std::int64_t width) {
    return {at::ones({width}), {}, model::NormKind::Rms, 1e-6};
}

/// Processor time of one thread, the best of some rounds, in milliseconds: other work on the
/// machine shows little in it.
double best(const std::function<void()>& work) {
    double least = 1e300;
    for (int round = 0; round < kRounds; ++round) {
        const std::clock_t start = std::clock();
        work();
        const auto spent = static_cast<double>(std::clock() - start);
        least = std::min(least, 1000.0 * spent / CLOCKS_PER_SEC);
    }
    return least;
}

void report(const char* what, double milliseconds, std::int64_t tokens) {
    fmt::print("{:<28}{:>10.1f} ms{:>10.0f} tokens/s\n", what, milliseconds,
               1000.0 * static_cast<double>(tokens) / milliseconds);
}

model::DeltaNetSpec deltaSpec() {
    model::DeltaNetSpec spec;
    spec.keyHeads = 16;
    spec.valueHeads = 32;
    spec.keyDim = spec.valueDim = 128;
    return spec;
}

engine::DeltaInput ruleInput(const model::DeltaNetSpec& spec, std::int64_t tokens) {
    const auto unit = [](const at::Tensor& x) { return x / x.norm(2, {-1}, true); };
    engine::DeltaInput input;
    input.query = unit(random({spec.valueHeads, tokens, spec.keyDim}));
    input.key = unit(random({spec.valueHeads, tokens, spec.keyDim}));
    input.value = random({spec.valueHeads, tokens, spec.valueDim}, 1.0);
    input.strength = at::rand({spec.valueHeads, tokens});
    input.logDecay = -at::rand({spec.valueHeads, tokens});
    return input;
}

double timeDelta(const at::Tensor& input, std::uint64_t tokens) {
    const model::DeltaNetSpec spec = deltaSpec();
    engine::LayerWeights layer;
    layer.attentionNorm = norm(kHidden);
    layer.delta.queryKeyValue = map(spec.channels(), kHidden);
    layer.delta.gate = map(spec.valueWidth(), kHidden);
    layer.delta.strength = map(spec.valueHeads, kHidden);
    layer.delta.decay = map(spec.valueHeads, kHidden);
    layer.delta.output = map(kHidden, spec.valueWidth());
    layer.delta.convolution = random({spec.channels(), spec.kernel});
    layer.delta.decayRate = -at::rand({spec.valueHeads});
    layer.delta.timeBias = random({spec.valueHeads});
    layer.delta.outputNorm = norm(spec.valueDim);
    const engine::DeltaNet net(spec, layer, 1024);
    return best([&] {
        at::Tensor hidden = input.clone();
        net.apply(hidden, std::span(&tokens, 1), [] {});
    });
}

double timeAttention(const at::Tensor& input, std::uint64_t tokens) {
    model::AttentionSpec spec;
    spec.headsQ = 16;
    spec.headsKv = 2;
    spec.headDim = 256;
    spec.scale = 1.0 / 16.0;
    spec.outputGate = true;
    spec.rope.rotaryDim = 64;
    engine::LayerWeights layer;
    layer.attentionNorm = norm(kHidden);
    layer.attention.q = map(2L * spec.headsQ * spec.headDim, kHidden);
    layer.attention.k = map(spec.headsKv * spec.headDim, kHidden);
    layer.attention.v = map(spec.headsKv * spec.headDim, kHidden);
    layer.attention.o = map(kHidden, spec.headsQ * spec.headDim);
    engine::RopeTables tables(at::TensorOptions().dtype(at::kFloat));
    const engine::Attention attention(spec, layer, tables, {});
    return best([&] {
        at::Tensor hidden = input.clone();
        attention.apply(hidden, std::span(&tokens, 1), [] {});
    });
}

/// The chosen experts' products, every expert with its share of the tokens.
double timeExperts(const at::Tensor& input) {
    const at::Tensor gate = random({kExperts, kWidth, kHidden});
    const at::Tensor up = random({kExperts, kWidth, kHidden});
    const at::Tensor down = random({kExperts, kHidden, kWidth});
    const at::Tensor x = input.narrow(0, 0, input.size(0) * kChosen / kExperts);
    return best([&] {
        for (std::int64_t e = 0; e < kExperts; ++e) {
            const at::Tensor inner = at::silu(at::linear(x, gate[e])) * at::linear(x, up[e]);
            static_cast<void>(at::linear(inner, down[e]));
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    const at::NoGradGuard guard;
    at::set_num_threads(1);
    const std::int64_t tokens = argc > 1 ? std::atol(argv[1]) : 1024;
    const at::Tensor input = random({tokens, kHidden}, 1.0);
    const auto rule = ruleInput(deltaSpec(), tokens);
    const double ruleTime = best([&] {
        at::Tensor state = at::zeros({32, 128, 128});
        static_cast<void>(engine::gatedDeltaRule(rule, state));
    });
    report("gated delta rule alone", ruleTime, tokens);
    report("layer of gated DeltaNet", timeDelta(input, static_cast<std::uint64_t>(tokens)), tokens);
    report("layer of full attention", timeAttention(input, static_cast<std::uint64_t>(tokens)),
           tokens);
    report("ten experts of 512", timeExperts(input), tokens);
    return 0;
}
