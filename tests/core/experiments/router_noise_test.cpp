// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/router_noise.h"

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/decode.h"
#include "core/engine/router_trial.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <ATen/ATen.h>

#include <cmath>

using namespace moescope;
using tests::ReferenceFile;

namespace {

at::Tensor tensorOf(const ReferenceFile& file, const std::string& name) {
    const NdArray array = file.array(name);
    at::Tensor tensor = at::empty(
        {static_cast<std::int64_t>(array.shape()[0]), static_cast<std::int64_t>(array.shape()[1])},
        at::kFloat);
    for (std::uint64_t i = 0; i < array.size(); ++i) {
        tensor.data_ptr<float>()[i] = static_cast<float>(array.at(i));
    }
    return tensor;
}

at::Tensor routerOf(int layer) {
    const checkpoint::Checkpoint folder(tests::referenceDir() / "models/mixtral");
    const checkpoint::TensorView view =
        folder.require("model.layers." + std::to_string(layer) + ".block_sparse_moe.gate.weight");
    at::Tensor weight = at::empty(
        {static_cast<std::int64_t>(view.shape[0]), static_cast<std::int64_t>(view.shape[1])},
        at::kFloat);
    checkpoint::decodeToFloat(view.dtype, view.bytes,
                              {weight.data_ptr<float>(), static_cast<std::size_t>(weight.numel())});
    return weight;
}

}  // namespace

TEST_CASE("Router noise: NumPy's flips for the same noise, and PyTorch's in bfloat16",
          "[core][experiments]") {
    const ReferenceFile golden(tests::referenceDir() / "experiments/router_noise.safetensors");
    const NdArray shares = golden.array("share");  // [L, 4]
    for (int layer = 0; layer < 3; ++layer) {
        const std::string place = "." + std::to_string(layer);
        const at::Tensor input = tensorOf(golden, "input" + place);
        engine::Router router;
        router.linear.weight = routerOf(layer);
        const model::RouterSpec spec;
        const engine::LayerRouterTrial trial(input, router, spec, 2);
        const at::Tensor flips =
            experiments::flipsOf(trial, tensorOf(golden, "noise" + place), {0.01, 0.05, 0.2});
        REQUIRE(flips.size(0) == 86);
        REQUIRE(flips.size(1) == 4);
        const char* const names[] = {"0.01", "0.05", "0.2", "bfloat16"};
        for (std::int64_t column = 0; column < 4; ++column) {
            CAPTURE(layer, names[column]);
            const NdArray expected = golden.array(std::string("flipped.") + names[column] + place);
            double count = 0.0;
            for (std::int64_t token = 0; token < 86; ++token) {
                CAPTURE(token);
                CHECK(static_cast<double>(flips[token][column].item<std::uint8_t>()) ==
                      expected.at(static_cast<std::uint64_t>(token)));
                count += flips[token][column].item<std::uint8_t>();
            }
            CHECK(count / 86.0 == Approx(shares.at(static_cast<std::uint64_t>(layer * 4) +
                                                   static_cast<std::uint64_t>(column))));
        }
    }
}

TEST_CASE("Router noise: without noise nothing flips", "[core][experiments]") {
    const at::Tensor input = at::ones({5, 4}) * 0.5;  // numbers that bfloat16 has
    engine::Router router;
    router.linear.weight = at::eye(4) * at::tensor({1.0F, 2.0F, 4.0F, 8.0F});
    const model::RouterSpec spec;
    const engine::LayerRouterTrial trial(input, router, spec, 2);
    CHECK(experiments::flipsOf(trial, at::zeros({5, 4}), {1.0}).sum().item<std::int64_t>() == 0);
}

TEST_CASE("Router noise: standard normal, and a token's own whatever the block",
          "[core][experiments]") {
    const at::Tensor all = experiments::standardNormal(3, 0, 400, 33);
    CHECK(all.narrow(0, 100, 50).equal(experiments::standardNormal(3, 100, 50, 33)));
    CHECK_FALSE(all.equal(experiments::standardNormal(4, 0, 400, 33)));
    const double count = 400.0 * 33.0;
    CHECK(std::abs(all.mean().item<double>()) < 4.0 / std::sqrt(count));
    CHECK(std::abs(all.square().mean().item<double>() - 1.0) < 4.0 * std::sqrt(2.0 / count));
    // Kurtosis of a normal variable is 3, with variance 96 / n of its estimate from fourth moments.
    CHECK(std::abs(all.pow(4).mean().item<double>() - 3.0) < 4.0 * std::sqrt(96.0 / count));
    // Neighbours have nothing to do with each other, in a row and between rows.
    CHECK(std::abs((all.narrow(1, 0, 32) * all.narrow(1, 1, 32)).mean().item<double>()) <
          4.0 / std::sqrt(count));
    CHECK(std::abs((all.narrow(0, 0, 399) * all.narrow(0, 1, 399)).mean().item<double>()) <
          4.0 / std::sqrt(count));
}
