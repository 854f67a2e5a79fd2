// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/core/engine/reference_model.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace moescope;
using tests::ReferenceModel;

namespace {

/// Of transformers' own agreement; half a percentage point.
constexpr double kAllowance = 0.005;

/// Share of tokens that chose the expected set of k experts.
double sameSet(const NdArray& chosen, const std::vector<double>& expected, std::size_t k) {
    const auto ids = chosen.values<std::int64_t>();
    REQUIRE(ids.size() == expected.size());
    std::size_t same = 0;
    for (std::size_t token = 0; token < ids.size(); token += k) {
        std::vector<double> ours(ids.begin() + static_cast<std::ptrdiff_t>(token),
                                 ids.begin() + static_cast<std::ptrdiff_t>(token + k));
        std::sort(ours.begin(), ours.end());
        same += std::equal(ours.begin(), ours.end(),
                           expected.begin() + static_cast<std::ptrdiff_t>(token))
                    ? 1U
                    : 0U;
    }
    return static_cast<double>(same * k) / static_cast<double>(ids.size());
}

struct Agreement {
    double ours = 0.0;    ///< with float32, mean over layers
    double theirs = 0.0;  ///< transformers'
};

Agreement agreement(const std::string& name, const std::string& dtype) {
    const ReferenceModel model(tests::sourceDir() / "resources/demo" / name,
                               tests::referenceDir() / "bfloat16" / (name + ".safetensors"));
    engine::TraceRequest request;
    request.dtype = dtype;
    request.experts = false;
    const auto trace = model.trace(request);
    Agreement result;
    for (const auto& [layer, routed] : trace.routed) {
        const std::string prefix = "layers." + std::to_string(layer.value) + ".";
        const auto expected = model.expected.array(prefix + "chosen_experts").toDoubles();
        const std::size_t k = expected.size() / model.corpus.tokenCount();
        result.ours += sameSet(routed.chosen, expected, k);
        result.theirs += model.expected.array(prefix + "agreement").toDoubles().front();
    }
    REQUIRE_FALSE(trace.routed.empty());
    result.ours /= static_cast<double>(trace.routed.size());
    result.theirs /= static_cast<double>(trace.routed.size());
    return result;
}

}  // namespace

TEST_CASE("bfloat16: experts chosen as in float32 about as often as by transformers",
          "[core][engine]") {
    const std::string name = GENERATE("tiny-mixtral", "tiny-deepseekmoe");
    const Agreement narrow = agreement(name, "bfloat16");
    WARN(name << ": the experts of float32 are chosen for " << 100.0 * narrow.ours
              << " % of tokens and layers in bfloat16, for " << 100.0 * narrow.theirs
              << " % by transformers");
    CHECK(narrow.ours > narrow.theirs - kAllowance);
    CHECK(narrow.ours < 1.0);
    // Near ties apart, float32 chooses as the reference does.
    CHECK(agreement(name, "float32").ours > 0.999);
}
