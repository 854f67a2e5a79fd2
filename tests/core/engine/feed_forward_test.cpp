// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/feed_forward.h"

#include "tests/core/engine/test_devices.h"
#include "tests/support/catch.h"
#include "tests/support/torch.h"

#include <vector>

using namespace moescope;
using engine::ExpertPiece;
using engine::FeedForward;

namespace {

constexpr std::int64_t kHidden = 24;
constexpr std::int64_t kWidth = 40;

at::Tensor random(at::IntArrayRef shape, const at::TensorOptions& options) {
    return at::randn(shape).mul_(0.3).to(options.device(), options.dtype().toScalarType());
}

std::vector<FeedForward> randomExperts(std::size_t count, bool biases,
                                       const at::TensorOptions& options) {
    std::vector<FeedForward> experts(count);
    for (FeedForward& expert : experts) {
        expert.gate.weight = random({kWidth, kHidden}, options);
        expert.up.weight = random({kWidth, kHidden}, options);
        expert.down.weight = random({kHidden, kWidth}, options);
        if (biases) {
            expert.gate.bias = random({kWidth}, options);
            expert.up.bias = random({kWidth}, options);
            expert.down.bias = random({kHidden}, options);
        }
    }
    return experts;
}

/// Checks that pieces of these sizes come out as one by one, activations too.
void checkTogether(const std::vector<FeedForward>& experts, const std::vector<std::int64_t>& rows,
                   const at::TensorOptions& options, double tolerance) {
    std::vector<ExpertPiece> pieces;
    for (const std::int64_t count : rows) {
        pieces.push_back({random({count, kHidden}, options), at::empty({count, kHidden}, options)});
    }
    std::vector<at::Tensor> seen(pieces.size());
    engine::feedForwardTogether(experts, pieces, [&](std::size_t piece, const at::Tensor& values) {
        CHECK_FALSE(seen.at(piece).defined());
        seen[piece] = values.clone();
    });
    std::vector<at::Tensor> withSink;
    for (const ExpertPiece& piece : pieces) {
        withSink.push_back(piece.output.clone());
        piece.output.fill_(0.0);
    }
    engine::feedForwardTogether(experts, pieces);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        CAPTURE(i);
        at::Tensor activations;
        const at::Tensor alone =
            engine::feedForward(pieces[i].input, experts[i],
                                [&](const at::Tensor& values) { activations = values.clone(); });
        REQUIRE(seen[i].sizes() == activations.sizes());
        CHECK(at::allclose(seen[i], activations, tolerance, tolerance));
        CHECK(at::allclose(withSink[i], alone, tolerance, tolerance));
        CHECK(at::allclose(pieces[i].output, alone, tolerance, tolerance));
    }
}

}  // namespace

TEST_CASE("feedForwardTogether: as one expert after the other", "[core][engine][cuda]") {
    for (const at::Device device : tests::devices()) {
        for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
            const at::TensorOptions options = at::TensorOptions().device(device).dtype(type);
            const double tolerance = type == at::kFloat ? 1e-5 : 2e-2;
            for (const bool biases : {false, true}) {
                for (const auto activation : {model::Activation::Silu, model::Activation::GeluErf,
                                              model::Activation::GeluTanh}) {
                    CAPTURE(device.str(), int(type), biases, int(activation));
                    auto experts = randomExperts(3, biases, options);
                    for (FeedForward& expert : experts) {
                        expert.activation = activation;
                    }
                    checkTogether(experts, {5, 1, 17}, options, tolerance);
                    checkTogether(experts, {9, 9, 9}, options, tolerance);
                    experts.resize(1);
                    checkTogether(experts, {4}, options, tolerance);
                }
                auto clamped = randomExperts(2, biases, options);
                for (FeedForward& expert : clamped) {
                    expert.clamped = model::ClampedSwiglu{.limit = 0.7, .slope = 1.702};
                }
                checkTogether(clamped, {6, 3}, options, tolerance);
            }
        }
    }
}
