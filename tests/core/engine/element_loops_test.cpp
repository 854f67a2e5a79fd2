// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/element_loops.h"

#include "tests/support/torch.h"

#include <cmath>
#include <cstdlib>

using namespace moescope;

namespace {

engine::Bfloat16Bits* bits(const at::Tensor& tensor) {
    return static_cast<engine::Bfloat16Bits*>(tensor.data_ptr());
}

/// Every bfloat16 number there is.
at::Tensor allNumbers() {
    at::Tensor all = at::empty({65536}, at::kBFloat16);
    for (int i = 0; i < 65536; ++i) {
        bits(all)[i] = static_cast<engine::Bfloat16Bits>(i);
    }
    return all;
}

/// How many numbers lie between; 0 for two NaN.
int steps(engine::Bfloat16Bits a, engine::Bfloat16Bits b) {
    const auto order = [](engine::Bfloat16Bits x) {
        return (x & 0x8000U) != 0 ? -static_cast<int>(x & 0x7FFFU) : static_cast<int>(x);
    };
    const auto isNaN = [](engine::Bfloat16Bits x) { return (x & 0x7FFFU) > 0x7F80U; };
    if (isNaN(a) || isNaN(b)) {
        return isNaN(a) == isNaN(b) ? 0 : 1 << 20;
    }
    return std::abs(order(a) - order(b));
}

}  // namespace

// LibTorch 1.13 rounds within its silu of bfloat16 as well; newer ones and devices do not.
TEST_CASE("siluTimes: as silu in float32, rounded, of every number", "[core][engine]") {
    const at::Tensor gate = allNumbers();
    const at::Tensor up = at::full({65536}, 1.0, at::kBFloat16);
    const at::Tensor expected = at::silu(gate.to(at::kFloat)).to(at::kBFloat16);
    at::Tensor found = gate.clone();
    engine::siluTimes(bits(found), bits(up), 65536);
    int others = 0;
    for (int i = 0; i < 65536; ++i) {
        const float x = gate[i].item<float>();
        if (std::isinf(x) || x < -80.0F) {
            continue;  // nothing or next to nothing is left there
        }
        const int apart = steps(bits(found)[i], bits(expected)[i]);
        if (apart > 1) {
            FAIL_CHECK(x << " gives " << found[i].item<float>() << ", not "
                         << expected[i].item<float>());
        }
        others += apart == 1 ? 1 : 0;
    }
    CHECK(others < 66);  // one in a thousand may round the other way
    const at::Tensor below = at::full({64}, -100.0, at::kBFloat16);
    engine::siluTimes(bits(below), bits(up), 64);
    CHECK(below.abs().max().item<float>() < 1e-30F);
}

TEST_CASE("siluTimes: the product rounds once more", "[core][engine]") {
    at::manual_seed(4);
    const at::Tensor gate = at::randn({5000}).to(at::kBFloat16);
    const at::Tensor up = at::randn({5000}).to(at::kBFloat16);
    const at::Tensor expected = at::silu(gate.to(at::kFloat)).to(at::kBFloat16).mul_(up);
    at::Tensor found = gate.clone();
    engine::siluTimes(bits(found), bits(up), 5000);
    CHECK((found != expected).sum().item<std::int64_t>() <= 5);
}

TEST_CASE("rowNorm: of float32 values", "[core][engine]") {
    at::manual_seed(5);
    for (const std::int64_t width : {1, 31, 32, 33, 2048, 4097}) {
        const at::Tensor row = at::randn({width}).to(at::kBFloat16);
        CHECK(engine::rowNorm(bits(row), static_cast<std::size_t>(width)) ==
              Approx(row.to(at::kDouble).norm().item<double>()).epsilon(1e-6));
    }
    at::Tensor broken = at::ones({40}, at::kBFloat16);
    broken[17] = std::nan("");
    CHECK(std::isnan(engine::rowNorm(bits(broken), 40)));
}

TEST_CASE("addWeightedRow: rounds product and sum, as LibTorch does", "[core][engine]") {
    at::manual_seed(6);
    const at::Tensor row = at::randn({3001}).to(at::kBFloat16);
    at::Tensor sum = at::randn({3001}).to(at::kBFloat16);
    const float weight = 0.37F;
    const at::Tensor expected = sum + (row.to(at::kFloat) * weight).to(at::kBFloat16);
    engine::addWeightedRow(bits(sum), bits(row), weight, 3001);
    CHECK(sum.equal(expected));
}

TEST_CASE("rmsNorm: of float32 values, rounded where the kind says so", "[core][engine]") {
    at::manual_seed(7);
    for (const std::int64_t width : {1, 33, 128, 2049}) {
        const at::Tensor row = at::randn({width}).mul_(3).to(at::kBFloat16);
        const at::Tensor weight = at::randn({width}).to(at::kBFloat16);
        const at::Tensor wide = row.to(at::kFloat);
        const at::Tensor normed =
            wide * (wide.to(at::kDouble).square().mean().to(at::kFloat) + 1e-5).rsqrt();
        const auto check = [&](const engine::RmsWeight& how, const at::Tensor& expected) {
            at::Tensor found = row.clone();
            engine::rmsNorm(bits(found), static_cast<std::size_t>(width), 1e-5F, how);
            int others = 0;
            for (std::int64_t i = 0; i < width; ++i) {
                // Two roundings can each go the other way.
                REQUIRE(steps(bits(found)[i], bits(expected)[i]) <= 2);
                others += bits(found)[i] != bits(expected)[i] ? 1 : 0;
            }
            CHECK(others <= width / 200);
        };
        check({}, normed.to(at::kBFloat16));
        check({bits(weight), true, 0.0F}, normed.to(at::kBFloat16).mul(weight));
        check({bits(weight), false, 0.0F}, (normed * weight.to(at::kFloat)).to(at::kBFloat16));
        check({bits(weight), false, 1.0F},
              (normed * (weight.to(at::kFloat) + 1.0)).to(at::kBFloat16));
    }
    at::Tensor broken = at::ones({40}, at::kBFloat16);
    broken[17] = std::nan("");
    engine::rmsNorm(bits(broken), 40, 1e-5F, {});
    CHECK(broken.isnan().all().item<bool>());
}
