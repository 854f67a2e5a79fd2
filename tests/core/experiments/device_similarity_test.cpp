// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/device_similarity.h"

#include "core/numerics/similarity.h"
#include "core/numerics/token_similarity.h"
#include "tests/core/engine/test_devices.h"
#include "tests/support/catch.h"
#include "tests/support/torch.h"

#include <cmath>
#include <vector>

using namespace moescope;

namespace {

constexpr std::int64_t kColumns = 7;
constexpr std::int64_t kExperts = 6;

struct Sums {
    std::vector<double> angular, relative;
    std::uint64_t notFinite = 0;
};

Sums onTheCpu(const at::Tensor& outputs) {
    const at::Tensor x = outputs.to(at::kFloat).contiguous();
    const auto tokens = static_cast<std::size_t>(x.size(1));
    const auto length = static_cast<std::size_t>(x.size(2));
    Sums sums{std::vector<double>(kColumns * kColumns), std::vector<double>(kExperts * kExperts)};
    sums.notFinite =
        numerics::addTokenSimilarities({.data = x.data_ptr<float>(),
                                        .vectors = kColumns,
                                        .tokens = tokens,
                                        .length = length,
                                        .vectorStride = tokens * length,
                                        .tokenStride = length},
                                       {.centred = kExperts}, {sums.angular, sums.relative});
    return sums;
}

void checkSums(const at::Tensor& found, const std::vector<double>& expected, double tolerance) {
    const at::Tensor host = found.cpu().contiguous();
    REQUIRE(host.scalar_type() == at::kDouble);
    REQUIRE(host.numel() == static_cast<std::int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        const double value = host.data_ptr<double>()[i];
        if (std::isnan(expected[i])) {
            CHECK(std::isnan(value));
        } else {
            CHECK(value == Approx(expected[i]).margin(tolerance));
        }
    }
}

/// Against numerics::cosinesFromGram(), token by token.
void checkCosines(const at::Tensor& found, const at::Tensor& outputs) {
    const at::Tensor host = found.cpu();
    REQUIRE(host.scalar_type() == at::kFloat);
    std::vector<double> expected(kColumns * kColumns);
    for (std::int64_t token = 0; token < outputs.size(1); ++token) {
        CAPTURE(token);
        const at::Tensor vectors = outputs.select(1, token).to(at::kDouble);
        const at::Tensor gram = at::matmul(vectors, vectors.t()).contiguous();
        numerics::cosinesFromGram({gram.data_ptr<double>(), kColumns * kColumns}, kColumns,
                                  expected);
        const at::Tensor all =
            at::tensor(expected, at::kDouble).view({kColumns, kColumns}).to(at::kFloat);
        CHECK(at::allclose(host[token], all, 0.0, 1e-5, /*equal_nan=*/true));
        CHECK(at::equal(host[token].diagonal().nan_to_num(-1), all.diagonal().nan_to_num(-1)));
    }
}

/// Random vectors with some that are equal, opposite, zero, and all alike.
at::Tensor awkward(std::int64_t tokens, std::int64_t length, at::ScalarType type) {
    at::Tensor outputs = at::randn({kColumns, tokens, length});
    outputs[2][0].fill_(0.0);
    outputs[3][1].copy_(outputs[1][1]);
    outputs[4][2].copy_(outputs[1][2]).neg_();
    for (std::int64_t e = 1; e < kExperts; ++e) {
        outputs[e][3].copy_(outputs[0][3]);                               // nothing is left
        outputs[e][4].copy_(outputs[0][4] + 1e-2 * at::randn({length}));  // and little
    }
    return outputs.to(type);
}

}  // namespace

TEST_CASE("device_similarity: the sums of the loops", "[core][experiments][cuda]") {
    constexpr std::int64_t kTokens = 40;
    for (const at::Device device : tests::devices()) {
        for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
            for (const std::int64_t length : {1, 33, 2048}) {
                CAPTURE(device.str(), int(type), length);
                at::Tensor outputs = awkward(kTokens, length, type);
                // float32 sums of a device lose a digit or two near similarity 1.
                const double perToken = device.is_cpu() || type == at::kFloat ? 1e-9 : 2e-5;
                for (const bool broken : {false, true}) {
                    if (broken) {
                        outputs[5][20][0] = std::numeric_limits<float>::infinity();
                        outputs[0][30][0] = std::nan("");
                    }
                    const Sums expected = onTheCpu(outputs);
                    const at::Tensor there = outputs.to(device);
                    const at::Tensor grams = experiments::gramPerToken(there);
                    checkSums(experiments::angularSums(grams), expected.angular,
                              perToken * kTokens);
                    checkSums(experiments::angularSums(
                                  experiments::relativeGrams(grams, there.narrow(0, 0, kExperts))),
                              expected.relative, perToken * kTokens);
                    checkCosines(experiments::cosinesOf(grams), outputs);
                    CHECK(experiments::countNonFinite(grams).item<double>() ==
                          static_cast<double>(expected.notFinite));
                    CHECK(experiments::tokensAtOnce(there) >= 1);
                }
            }
        }
    }
}
