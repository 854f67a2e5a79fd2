// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "tests/support/catch.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"

#include <sstream>

using namespace moescope;
using namespace moescope::figures;

namespace {

std::vector<std::vector<std::string>> tableOf(const std::string& csv) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(csv);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("# ", 0) == 0) {
            continue;
        }
        std::vector<std::string> cells;
        std::string cell;
        bool isQuoted = false;
        for (const char c : line) {
            if (c == '"') {
                isQuoted = !isQuoted;
            } else if (c == ',' && !isQuoted) {
                cells.push_back(std::exchange(cell, {}));
            } else {
                cell += c;
            }
        }
        cells.push_back(cell);
        rows.push_back(cells);
    }
    return rows;
}

}  // namespace

TEST_CASE("Figures of a session file: the CSV reads back to its numbers", "[core][figures]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    const auto session = session::Session::open(folder / "run.h5");
    const auto shared = std::make_shared<const FigureBuilder>(makeSource(session));
    const FigureBuilder& builder = *shared;
    CHECK(builder.available().size() == figureCatalogue().size());
    for (const FigureInfo& info : figureCatalogue()) {
        FigureRequest request;
        request.figure = info.name;
        if (info.perLayer) {
            request.layer = builder.layersOf(info).back();
        }
        // Two sessions that are compared may be one.
        const Figure figure = builder.build(request, {.stop = {}, .other = shared});
        INFO(info.name);
        CHECK(figure.provenance.sessionUuid == session->head().uuid);
        CHECK(tableOf(toCsv(figure)).size() > 1);
    }
    FigureRequest request;
    request.figure = "mean-neuron-similarity";
    request.layer = LayerId{2};
    request.roles = {"down"};
    CHECK(builder.build(request).caption.find("F = synthetic-dense.") != std::string::npos);
    const auto table = tableOf(toCsv(builder.build(request)));
    const NdArray stored =
        session->read({BranchId{}, "mean_neuron_similarity", "down"}, LayerId{2});
    REQUIRE(table.size() == stored.size() + 1);
    for (std::uint64_t i = 0; i < stored.size(); ++i) {
        CHECK(std::stof(table[i + 1][3]) == static_cast<float>(stored.at(i)));
    }
    request = {};
    request.figure = "rank-counts";
    request.layer = LayerId{1};
    const auto counts = tableOf(toCsv(builder.build(request)));
    const NdArray storedCounts = session->read({BranchId{}, "rank_counts", "count"}, LayerId{1});
    REQUIRE(counts.size() == storedCounts.size() + 1);
    for (std::uint64_t i = 0; i < storedCounts.size(); ++i) {
        CHECK(std::stoull(counts[i + 1][3]) == static_cast<std::uint64_t>(storedCounts.at(i)));
    }
    request.figure = "chosen-experts";
    const auto routing = tableOf(toCsv(builder.build(request)));
    const NdArray ids = session->read({BranchId{}, "chosen_experts", "ids"}, LayerId{1});
    const NdArray weights = session->read({BranchId{}, "chosen_experts", "weights"}, LayerId{1});
    REQUIRE(routing.size() == ids.size() + 1);
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        CHECK(std::stod(routing[i + 1][3]) == ids.at(i));
        CHECK(std::stof(routing[i + 1][4]) == static_cast<float>(weights.at(i)));
    }
}
