// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Routing within groups when experts are removed, against the rule of router.h written down plainly
// for one token, and by hand.

#include "core/engine/router.h"
#include "tests/support/splitmix.h"
#include "tests/support/torch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

using namespace moescope;

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Case {
    int experts = 8, groups = 4, keptGroups = 2, topK = 3;
    std::vector<float> bias;
    double excluded = kNever;
    model::GroupScore groupScore = model::GroupScore::TopTwoSum;
    [[nodiscard]] model::RouterSpec spec() const {
        model::RouterSpec result;
        result.score = model::RouterScore::Sigmoid;
        result.groups = groups;
        result.keptGroups = keptGroups;
        result.groupScore = groupScore;
        result.excludedScore = excluded;
        return result;
    }
};

std::vector<int> chosenBy(const Case& what, const std::vector<float>& logits,
                          const std::vector<int>& removed) {
    engine::Router router;
    router.selectionBias = at::tensor(what.bias, at::kFloat);
    const auto change = engine::LayerIntervention::without(what.experts, removed);
    const auto routing = engine::chooseFrom(at::tensor(logits, at::kFloat).view({1, what.experts}),
                                            router, what.spec(), what.topK, &change);
    const auto* ids = routing.chosen.data_ptr<std::int64_t>();
    return {ids, ids + what.topK};
}

std::vector<int> expected(const Case& what, const std::vector<float>& logits,
                          const std::vector<int>& removed) {
    const std::set<int> gone(removed.begin(), removed.end());
    std::vector<float> selection;
    for (int e = 0; e < what.experts; ++e) {
        const auto at = static_cast<std::size_t>(e);
        selection.push_back(
            gone.contains(e) ? kNever : 1.0F / (1.0F + std::exp(-logits[at])) + what.bias[at]);
    }
    const int size = what.experts / what.groups;
    std::vector<float> scores;
    std::vector<int> left;
    for (int g = 0; g < what.groups; ++g) {
        std::vector<float> those;
        for (int e = g * size; e < (g + 1) * size; ++e) {
            if (!gone.contains(e)) {
                those.push_back(selection[static_cast<std::size_t>(e)]);
            }
        }
        std::sort(those.rbegin(), those.rend());
        left.push_back(static_cast<int>(those.size()));
        const std::size_t summed = what.groupScore == model::GroupScore::TopTwoSum ? 2 : 1;
        those.resize(std::min(those.size(), summed));
        scores.push_back(those.empty() ? kNever
                                       : std::accumulate(those.begin(), those.end(), 0.0F));
    }
    std::vector<int> order(static_cast<std::size_t>(what.groups));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    int there = 0;
    std::set<int> kept;
    for (const int group : order) {
        if (static_cast<int>(kept.size()) < what.keptGroups || there < what.topK) {
            kept.insert(group);
            there += left[static_cast<std::size_t>(group)];
        }
    }
    std::vector<int> experts(static_cast<std::size_t>(what.experts));
    std::iota(experts.begin(), experts.end(), 0);
    const auto key = [&](int e) {
        const auto at = static_cast<std::size_t>(e);
        return gone.contains(e)          ? kNever
               : kept.contains(e / size) ? selection[at]
                                         : static_cast<float>(what.excluded);
    };
    std::stable_sort(experts.begin(), experts.end(), [&](int a, int b) { return key(a) > key(b); });
    experts.resize(static_cast<std::size_t>(what.topK));
    return experts;
}

}  // namespace

TEST_CASE("Router: groups that have lost experts, by hand", "[core][engine]") {
    Case what;
    what.bias.assign(8, 0.0F);
    what.bias[2] = 5.0F;
    // Groups 0 and 1 are best, and expert 2's bias is not that of its score alone.
    const std::vector<float> logits{3.0F, 2.0F, -1.0F, 0.5F, 1.0F, 0.0F, -2.0F, -3.0F};
    CHECK(chosenBy(what, logits, {}) == std::vector<int>{2, 0, 1});
    // Its bias counts for its group no more once it is gone: groups 0 and 2.
    CHECK(chosenBy(what, logits, {2}) == std::vector<int>{0, 1, 4});
    // Group 1 has nothing left.
    CHECK(chosenBy(what, logits, {2, 3}) == std::vector<int>{0, 1, 4});
    // Groups 0 and 2 keep one each: group 1 joins them. Not expert 1, which has the lowest index
    // among those of -infinity.
    CHECK(chosenBy(what, logits, {1, 2, 5}) == std::vector<int>{0, 4, 3});
}

TEST_CASE("Router: groups that have lost experts, any of them", "[core][engine]") {
    int joined = 0;
    for (int round = 0; round < 400; ++round) {
        Case what;
        what.groupScore = round % 2 == 0 ? model::GroupScore::TopTwoSum : model::GroupScore::Best;
        what.excluded = round % 3 == 0 ? 0.0 : static_cast<double>(kNever);
        const auto random = tests::splitmixUniform(static_cast<std::uint64_t>(round), 24);
        std::vector<float> logits;
        std::vector<int> removed;
        for (int e = 0; e < what.experts; ++e) {
            const auto at = static_cast<std::size_t>(e);
            logits.push_back(6.0F * random[at] - 3.0F);
            what.bias.push_back(2.0F * random[8 + at] - 1.0F);
            const bool canGo = static_cast<int>(removed.size()) < what.experts - what.topK;
            if (canGo && random[16 + at] < 0.5F) {
                removed.push_back(e);
            }
        }
        CAPTURE(round, removed);
        const std::vector<int> chosen = chosenBy(what, logits, removed);
        CHECK(chosen == expected(what, logits, removed));
        std::set<int> groups;
        for (const int expert : chosen) {
            CHECK(std::count(removed.begin(), removed.end(), expert) == 0);
            groups.insert(expert / 2);
        }
        joined += groups.size() > 2 ? 1 : 0;
    }
    CHECK(joined > 20);
}
