// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/catalogue.h"

#include "core/experiments/baseline_use.h"
#include "core/experiments/experiment_groups.h"
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

TEST_CASE("Groups: names are no ids but importance, each has members, all are in all",
          "[core][experiments]") {
    std::set<std::string_view> names;
    for (const ExperimentGroup& group : experimentGroups()) {
        CAPTURE(group.name);
        CHECK(names.insert(group.name).second);
        CHECK((findExperiment(group.name) == nullptr || group.name == "importance"));
        CHECK(findGroup(group.name) == &group);
        CHECK(membersOf(group).size() >= 2);
        CHECK_FALSE(group.meaning.empty());
    }
    CHECK(findGroup("rank_counts") == nullptr);
    CHECK(membersOf(*findGroup("all")).size() == catalogue().size());
    // But for the assignments themselves, routing never needs the model.
    for (const std::string_view id : membersOf(*findGroup("routing"))) {
        CAPTURE(id);
        CHECK((id == "chosen_experts" || findExperiment(id)->kind == ExperimentKind::Derived));
    }
}

TEST_CASE("comparesBaselines: what the definitions speak of", "[core][experiments]") {
    for (const ExperimentInfo& info : catalogue()) {
        CAPTURE(info.id);
        CHECK(comparesBaselines(info.id) ==
              (info.definition.find("baselines F") != std::string_view::npos));
    }
}
