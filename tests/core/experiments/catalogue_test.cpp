// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/catalogue.h"

#include "tests/support/catch.h"

#include <set>

using namespace moescope::experiments;

TEST_CASE("Catalogue: ids are unique, texts complete, hyphens accepted", "[core][experiments]") {
    std::set<std::string_view> ids;
    std::string_view previous;
    for (const ExperimentInfo& info : catalogue()) {
        CAPTURE(info.id);
        CHECK(ids.insert(info.id).second);
        CHECK(info.label > previous);
        previous = info.label;
        CHECK_FALSE(info.title.empty());
        CHECK_FALSE(info.definition.empty());
        CHECK_FALSE(info.howToRead.empty());
        CHECK_FALSE(info.source.empty());
        CHECK(info.version >= 1);
        CHECK(findExperiment(info.id) == &info);
        CHECK(findExperiment(info.label) == &info);
    }
    CHECK(ids.size() >= 8);
    CHECK(findExperiment("rank-counts") == findExperiment("rank_counts"));
    CHECK(findExperiment("rank counts") == nullptr);
    CHECK(findExperiment("") == nullptr);
}

TEST_CASE("Catalogue: removals from before removed experts left their groups are not reused",
          "[core][experiments]") {
    for (const char* id : {"expert_removal", "fewer_experts", "pruning"}) {
        CHECK(findExperiment(id)->version == 2);
    }
}
