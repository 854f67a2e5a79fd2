// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/softmax_rows.h"

#include "tests/support/torch.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using namespace moescope;

namespace {

constexpr float kNoSink = -std::numeric_limits<float>::infinity();

void softmax(at::Tensor& scores, const engine::ScoreRow& row) {
    if (scores.scalar_type() == at::kFloat) {
        engine::softmaxRow(scores.data_ptr<float>(), row);
    } else {
        std::vector<float> room(row.end - row.first);
        engine::softmaxRow(static_cast<engine::Bfloat16Bits*>(scores.data_ptr()), row, room.data());
    }
}

/// In float64, from scores that were scaled in their own type.
at::Tensor expectedOf(const at::Tensor& scores, const engine::ScoreRow& row) {
    const auto first = static_cast<std::int64_t>(row.first);
    const auto count = static_cast<std::int64_t>(row.end - row.first);
    at::Tensor seen = (scores * row.scale).narrow(0, first, count).to(at::kDouble);
    const at::Tensor all = at::cat({seen, at::full({1}, row.sink, at::kDouble)});
    at::Tensor result = at::zeros({scores.size(0)}, at::kDouble);
    result.narrow(0, first, count).copy_(at::softmax(all, 0).narrow(0, 0, count));
    return result;
}

}  // namespace

TEST_CASE("softmaxRow: of what a query sees, nothing elsewhere", "[core][engine]") {
    at::manual_seed(8);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        for (const auto& [keys, first, end] : std::vector<std::array<std::size_t, 3>>{
                 {1, 0, 1}, {40, 0, 40}, {100, 7, 39}, {2049, 1000, 2049}, {64, 63, 64}}) {
            for (const float sink : {kNoSink, 2.5F}) {
                const engine::ScoreRow row{keys, first, end, 0.125F, sink};
                const at::Tensor scores =
                    at::randn({static_cast<std::int64_t>(keys)}).mul_(40).to(type);
                const at::Tensor expected = expectedOf(scores, row);
                at::Tensor found = scores.clone();
                softmax(found, row);
                const at::Tensor wide = found.to(at::kDouble);
                // Of float32: the difference to the largest score, up to 40, rounds.
                const double tolerance = type == at::kFloat ? 4e-6 : 1.0 / 256;
                CHECK(((wide - expected).abs() <= expected * tolerance + 1e-30).all().item<bool>());
                if (first > 0) {
                    CHECK(wide.narrow(0, 0, static_cast<std::int64_t>(first))
                              .abs()
                              .max()
                              .item<double>() == 0.0);
                }
            }
        }
    }
}

TEST_CASE("softmaxRow: a row's seen part alone decides", "[core][engine]") {
    at::manual_seed(9);
    const at::Tensor scores = at::randn({300}).mul_(5);
    at::Tensor whole = scores.clone();
    softmax(whole, {300, 100, 250, 1.0F, kNoSink});
    at::Tensor part = scores.narrow(0, 90, 170).clone();
    part.narrow(0, 0, 10).fill_(std::nan(""));  // not seen
    softmax(part, {170, 10, 160, 1.0F, kNoSink});
    CHECK(part.narrow(0, 10, 150).equal(whole.narrow(0, 100, 150)));
    CHECK(part.narrow(0, 0, 10).equal(at::zeros({10})));
}

TEST_CASE("softmaxRow: extreme scores and NaN", "[core][engine]") {
    at::Tensor large = at::tensor({3e38F, -3e38F, 3e38F, 0.0F});
    softmax(large, {4, 0, 4, 1.0F, kNoSink});
    CHECK(large.equal(at::tensor({0.5F, large[1].item<float>(), 0.5F, large[3].item<float>()})));
    CHECK(large[1].item<float>() < 1e-30F);
    at::Tensor broken = at::ones({40});
    broken[5] = std::nan("");
    softmax(broken, {40, 0, 30, 1.0F, kNoSink});
    CHECK(broken.narrow(0, 0, 30).isnan().all().item<bool>());
    CHECK(broken.narrow(0, 30, 10).equal(at::zeros({10})));
}
