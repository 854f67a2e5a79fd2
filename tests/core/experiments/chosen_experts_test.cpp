// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/chosen_experts.h"

#include "tests/core/experiments/feed.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

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
