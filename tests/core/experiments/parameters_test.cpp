// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/parameters.h"

#include "core/base/file_system.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/load_spec.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

using namespace moescope;

namespace {

class NothingStored final : public engine::PartSource {
public:
    [[nodiscard]] NdArray read(LayerId, std::string_view) const override { return {}; }
    [[nodiscard]] std::vector<LayerId> layers() const override { return {}; }
};

double entryOf(const session::Part& part, const std::string& quantity, const std::string& label) {
    for (const session::Quantity& entry : part.quantities) {
        if (entry.name == quantity) {
            const auto& labels = entry.axes.at(0).labels;
            const auto found = std::find(labels.begin(), labels.end(), label);
            REQUIRE(found != labels.end());
            return entry.values.at(static_cast<std::uint64_t>(found - labels.begin()));
        }
    }
    FAIL("no quantity " << quantity);
    return 0.0;
}

}  // namespace

TEST_CASE("Parameters: the fixtures' golden counts by component", "[core][experiments]") {
    const auto golden =
        nlohmann::json::parse(readTextFile(tests::referenceDir() / "experiments/parameters.json"));
    for (const auto& [fixture, expected] : golden.items()) {
        CAPTURE(fixture);
        const checkpoint::Checkpoint folder(tests::referenceDir() / "models" / fixture);
        const model::ModelSpec spec = model::loadSpec(folder);
        const text::TokenizedCorpus corpus;
        const auto part =
            experiments::makeParameters()->finishModel({spec, folder, corpus}, NothingStored());
        REQUIRE(part);
        for (const auto& [component, count] : expected["total_by_component"].items()) {
            CHECK(entryOf(*part, "total", component) == count.get<double>());
        }
        for (const auto& [component, count] : expected["active_by_component"].items()) {
            CHECK(entryOf(*part, "active", component) == count.get<double>());
        }
        CHECK(entryOf(*part, "operations_per_token", "64") ==
              expected["operations_per_token"].get<double>());
        // A batch of one token touches exactly the chosen experts.
        const double bytes = fixture == "deepseek-variant" ? 4.0 : 2.0;  // float32, 16 bits
        CHECK(entryOf(*part, "touched_expert_bytes", "1") ==
              Approx(bytes * entryOf(*part, "active", "routed_experts")));
        CHECK(entryOf(*part, "touched_expert_bytes", "4096") ==
              Approx(bytes * entryOf(*part, "total", "routed_experts")));
    }
}
