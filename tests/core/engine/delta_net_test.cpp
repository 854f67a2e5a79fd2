// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/delta_net.h"

#include "tests/support/torch.h"

#include <cmath>

using namespace moescope;
using engine::DeltaInput;
using engine::gatedDeltaRule;

namespace {

constexpr double kTolerance = 1e-4;  ///< float32 in another order against double
constexpr int kHeads = 3;
constexpr int kKeyDim = 5;
constexpr int kValueDim = 4;

DeltaInput randomInput(std::int64_t positions) {
    at::manual_seed(static_cast<std::uint64_t>(positions));
    const auto unit = [](const at::Tensor& x) { return x / x.norm(2, {-1}, true); };
    DeltaInput input;
    input.query = unit(at::randn({kHeads, positions, kKeyDim})) / std::sqrt(double{kKeyDim});
    input.key = unit(at::randn({kHeads, positions, kKeyDim}));
    input.value = at::randn({kHeads, positions, kValueDim});
    input.strength = at::rand({kHeads, positions});
    // From nearly nothing forgotten to nearly everything.
    input.logDecay = -at::exp(at::randn({kHeads, positions}) * 2.0);
    return input;
}

/// The recurrence as it is written, position by position, in double precision.
at::Tensor recurrence(const DeltaInput& input, at::Tensor& state) {
    const std::int64_t positions = input.value.size(1);
    at::Tensor wide = state.to(at::kDouble);
    at::Tensor output = at::empty({kHeads, positions, kValueDim}, at::kDouble);
    for (std::int64_t t = 0; t < positions; ++t) {
        const auto at = [&](const at::Tensor& x) { return x.select(1, t).to(at::kDouble); };
        wide = wide * at(input.logDecay).exp().view({kHeads, 1, 1});
        const at::Tensor stored = (wide * at(input.key).unsqueeze(2)).sum(1);
        const at::Tensor change = (at(input.value) - stored) * at(input.strength).unsqueeze(1);
        wide = wide + at(input.key).unsqueeze(2) * change.unsqueeze(1);
        output.select(1, t).copy_((wide * at(input.query).unsqueeze(2)).sum(1));
    }
    state = wide.to(at::kFloat);
    return output.to(at::kFloat);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
}

}  // namespace

TEST_CASE("Gated delta rule: chunks give what the recurrence gives", "[core][engine]") {
    const std::int64_t positions = GENERATE(1, 2, 63, 64, 65, 128, 200);
    INFO(positions << " positions");
    const DeltaInput input = randomInput(positions);
    at::Tensor chunked = at::randn({kHeads, kKeyDim, kValueDim});
    at::Tensor single = chunked.clone();
    const at::Tensor ours = gatedDeltaRule(input, chunked);
    const at::Tensor expected = recurrence(input, single);
    REQUIRE(ours.sizes() == expected.sizes());
    CHECK(difference(ours, expected) < kTolerance);
    CHECK(difference(chunked, single) < kTolerance);
}

TEST_CASE("Gated delta rule: a document may come in pieces", "[core][engine]") {
    const DeltaInput input = randomInput(150);
    at::Tensor whole = at::zeros({kHeads, kKeyDim, kValueDim});
    at::Tensor carried = whole.clone();
    const at::Tensor expected = gatedDeltaRule(input, whole);
    std::vector<at::Tensor> pieces;
    std::int64_t first = 0;
    for (const std::int64_t count : {1, 70, 64, 15}) {
        const auto part = [&](const at::Tensor& x) { return x.narrow(1, first, count); };
        pieces.push_back(gatedDeltaRule({part(input.query), part(input.key), part(input.value),
                                         part(input.strength), part(input.logDecay)},
                                        carried));
        first += count;
    }
    CHECK(difference(at::cat(pieces, 1), expected) < kTolerance);
    CHECK(difference(carried, whole) < kTolerance);
}

TEST_CASE("Gated delta rule: strong decay leaves numbers finite", "[core][engine]") {
    DeltaInput input = randomInput(130);
    input.logDecay.fill_(-80.0);  // exp(80 * 64) would be infinite
    at::Tensor state = at::randn({kHeads, kKeyDim, kValueDim});
    at::Tensor single = state.clone();
    const at::Tensor ours = gatedDeltaRule(input, state);
    CHECK(ours.isfinite().all().item<bool>());
    CHECK(difference(ours, recurrence(input, single)) < kTolerance);
}
