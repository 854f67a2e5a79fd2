// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/core/engine/run_support.h"
#include "tests/core/engine/session_compare.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <string>

using namespace moescope;
using namespace moescope::tests;

TEST_CASE("run: the number of threads changes no result of a small model", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "one.h5");
    request.baselines = {tests::referenceDir() / "models" / "mistral-baseline"};
    request.experiments.clear();
    for (const char* id :
         {"weight_similarity", "mean_neuron_similarity", "router_similarity", "expert_projection",
          "matched_similarity", "output_similarity", "norms_scores", "rank_counts",
          "intermediate_states", "chosen_experts", "importance", "router_margin"}) {
        request.experiments.push_back({id, "{}"});
    }
    // Three blocks of tokens, and groups of documents, one of them a single long one.
    const text::TokenizedCorpus some = request.corpus;
    request.corpus.ids.clear();
    request.corpus.offsets = {0};
    request.corpus.tokenBytes.clear();
    for (const std::uint64_t length : {30U, 2500U, 1U, 700U, 800U, 900U, 64U, 5U}) {
        for (std::uint64_t i = 0; i < length; ++i) {
            request.corpus.ids.push_back(some.ids[(7 * i + length) % some.ids.size()]);
        }
        request.corpus.offsets.push_back(request.corpus.ids.size());
    }
    request.corpus.tokenBytes.resize(request.corpus.ids.size());
    request.corpus.sources.resize(request.corpus.documentCount());
    request.corpus.domainOf.assign(request.corpus.documentCount(), -1);
    request.threads = 1;
    Recorder recorder;
    static_cast<void>(runWith(request, recorder));
    for (const int threads : {2, 3}) {
        CAPTURE(threads);
        request.threads = threads;
        request.session = folder / ("threads-" + std::to_string(threads) + ".h5");
        const engine::Estimate estimate = engine::estimate(request, experiments::makeProbes);
        const engine::RunReport report = runWith(request, recorder);
        CHECK(report.peakMemoryBytes <= estimate.memoryBytes);
        tests::checkSameResults(folder / "one.h5", request.session, 0.0);
    }
}
