// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/chosen_outputs.h"

#include "core/engine/feed_forward.h"
#include "tests/core/engine/test_devices.h"
#include "tests/support/catch.h"
#include "tests/support/torch.h"

#include <tuple>
#include <vector>

using namespace moescope;
using engine::ChosenOutputSizes;
using engine::Routing;

namespace {

Routing randomRouting(std::int64_t tokens, std::int64_t experts, std::int64_t k) {
    Routing routing;
    routing.chosen = std::get<1>(at::rand({tokens, experts}).topk(k, 1));
    routing.weights = at::rand({tokens, k});
    return routing;
}

Routing moved(const Routing& routing, at::Device device) {
    Routing result;
    result.chosen = routing.chosen.to(device);
    result.weights = routing.weights.to(device);
    return result;
}

/// One expert after the other, as a run on the CPU adds them. `all` [E, n, d].
at::Tensor oneByOne(const Routing& routing, const at::Tensor& all, at::ScalarType sumType,
                    ChosenOutputSizes& sizes) {
    at::Tensor sum = at::zeros({all.size(1), all.size(2)}, all.options().dtype(sumType));
    const auto groups = engine::groupByExpert(routing, static_cast<int>(all.size(0)));
    for (std::size_t e = 0; e < groups.size(); ++e) {
        const at::Tensor outputs =
            all.select(0, static_cast<std::int64_t>(e)).index_select(0, groups[e].rows);
        engine::addWeightedRows(sum, outputs, groups[e]);
        sizes.set(routing, static_cast<int>(e), groups[e].rows, outputs);
    }
    return sum;
}

}  // namespace

TEST_CASE("weightedSum: to the bit what is added expert by expert", "[core][engine][cuda]") {
    for (const at::Device device : tests::devices()) {
        for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
            for (const at::ScalarType sumType : {at::kFloat, type}) {
                for (const auto& [tokens, experts, k] :
                     {std::tuple{1, 1, 1}, {5, 9, 2}, {70, 16, 4}, {33, 16, 16}}) {
                    CAPTURE(device.str(), int(type), int(sumType), tokens, experts, k);
                    const Routing routing = randomRouting(tokens, experts, k);
                    const at::Tensor all = at::randn({experts, tokens, 24}).to(type);
                    ChosenOutputSizes expectedSizes;
                    const at::Tensor expected = oneByOne(routing, all, sumType, expectedSizes);
                    const Routing there = moved(routing, device);
                    // All outputs of all tokens, and those of the chosen alone.
                    const auto sorted = engine::sortAssignments(there, experts);
                    std::vector<at::Tensor> chosen;
                    for (int e = 0; e < experts; ++e) {
                        const at::Tensor rows = sorted.partOf(e, sorted.rows).cpu();
                        CHECK(rows.size(0) == sorted.count(e));
                        CHECK(at::equal(
                            rows, engine::groupByExpert(routing, experts)[std::size_t(e)].rows));
                        chosen.push_back(all.select(0, e).index_select(0, rows));
                    }
                    const at::Tensor places =
                        there.chosen * tokens +
                        at::arange(tokens, there.chosen.options()).unsqueeze(1);
                    for (const auto& [outputs, where] : {std::pair{all.view({-1, 24}), places},
                                                         {at::cat(chosen), sorted.places}}) {
                        ChosenOutputSizes sizes;
                        const at::Tensor sum =
                            engine::weightedSum(outputs.to(device), where, there, sumType, &sizes);
                        CHECK(sum.scalar_type() == sumType);
                        CHECK(at::equal(sum.cpu(), expected));
                        CHECK(at::allclose(sizes.norms.cpu(), expectedSizes.norms, 1e-6));
                        CHECK(at::equal(sizes.largest.cpu(), expectedSizes.largest));
                    }
                }
            }
        }
    }
}
