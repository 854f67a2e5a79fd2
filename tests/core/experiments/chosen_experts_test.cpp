// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/chosen_experts.h"

#include "tests/core/experiments/feed.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <algorithm>
#include <cmath>
#include <functional>

using namespace moescope;
using namespace moescope::tests;

TEST_CASE("ChosenExperts: the map of weights equals the golden one", "[core][experiments]") {
    const ReferenceFile golden(referenceDir() / "experiments/deepseek.safetensors");
    const auto probe = experiments::makeChosenExperts();
    const session::Part part = feed(*probe, referenceLayer("deepseek", 2), 7);
    const NdArray& ids = quantity(part, "ids").values;
    const NdArray& weights = quantity(part, "weights").values;
    const NdArray expected = golden.array("chosen_experts.2");  // [T, E], zero where not chosen
    NdArray map(ElementType::F32, expected.shape());
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        const auto row = i / ids.shape()[1] * expected.shape()[1];
        map.values<float>()[row + ids.values<std::uint8_t>()[i]] = weights.values<float>()[i];
    }
    CHECK(map == expected);
}

TEST_CASE("ChosenExperts: rows are the tokens whatever the block size", "[core][experiments]") {
    const LayerData layer = randomLayer(6, 3, 2, 11, false, 1);
    for (const std::size_t block : {1U, 4U, 100U}) {
        const auto probe = experiments::makeChosenExperts();
        const session::Part part = feed(*probe, layer, block);
        const auto ids = quantity(part, "ids").values;
        CHECK(ids.shape() == Shape{11, 3});
        CHECK(std::vector<std::int64_t>(ids.values<std::uint8_t>().begin(),
                                        ids.values<std::uint8_t>().end()) == layer.chosen);
        CHECK(quantity(part, "weights").values ==
              NdArray::from<float>({11, 3}, std::span<const float>(layer.weights)));
    }
}

TEST_CASE("ChosenExperts: ids need two bytes beyond 256 experts", "[core][experiments]") {
    for (const int experts : {256, 257}) {
        const auto probe = experiments::makeChosenExperts();
        LayerData layer = randomLayer(experts, 2, 2, 5, false, 2);
        layer.chosen.back() = experts - 1;
        const NdArray ids = quantity(feed(*probe, layer, 2), "ids").values;
        CHECK(ids.type() == (experts == 256 ? ElementType::U8 : ElementType::U16));
        CHECK(ids.at(9) == experts - 1);
    }
}

TEST_CASE("ChosenExperts: the margin is that of the selection scores", "[core][experiments]") {
    // DeepSeek-V3 chooses by sigmoid scores plus a bias, within the best groups; Mixtral by scores.
    const auto fixture = GENERATE(std::string("deepseek_v3"), std::string("mixtral"));
    CAPTURE(fixture);
    const LayerData layer = referenceLayer(fixture, 2);
    const auto probe = experiments::makeChosenExperts();
    const NdArray margins = quantity(feed(*probe, layer, 7), "margin").values;
    REQUIRE(margins.shape() == Shape{layer.tokens(), 1});
    const auto experts = static_cast<std::size_t>(layer.experts);
    const auto k = static_cast<std::size_t>(layer.topK);
    bool differs = false;
    const auto marginOf = [&](const std::vector<float>& values, std::size_t token) {
        std::vector<float> row(values.begin() + static_cast<std::ptrdiff_t>(token * experts),
                               values.begin() + static_cast<std::ptrdiff_t>((token + 1) * experts));
        std::sort(row.begin(), row.end(), std::greater<>());
        return row[k - 1] - row[k];
    };
    for (std::size_t t = 0; t < layer.tokens(); ++t) {
        CHECK(margins.at(t) == static_cast<double>(marginOf(layer.selection, t)));
        CHECK(margins.at(t) >= 0.0);
        differs = differs || marginOf(layer.selection, t) != marginOf(layer.scores, t);
    }
    CHECK(differs == (fixture == "deepseek_v3"));
}

TEST_CASE("ChosenExperts: where all are chosen there is no margin", "[core][experiments]") {
    LayerData layer = randomLayer(2, 2, 2, 5, false, 3);
    for (std::size_t i = 0; i < layer.chosen.size(); ++i) {
        layer.chosen[i] = static_cast<std::int64_t>(i % 2);
    }
    const auto probe = experiments::makeChosenExperts();
    const NdArray margins = quantity(feed(*probe, layer, 3), "margin").values;
    for (std::uint64_t t = 0; t < 5; ++t) {
        CHECK(std::isnan(margins.at(t)));
    }
}
