// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A run in a process of its own, to be killed: run_program CHECKPOINT SESSION TOKENS SCRATCH RESUME
// [BASELINE]. SCRATCH and RESUME are 0 or 1. Prints what the run reports.
#include "core/base/error.h"
#include "core/engine/run.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/factory.h"
#include "tests/core/engine/test_corpus.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace moescope;

namespace {

class Quiet final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent& event) override {
        if (std::getenv("VERBOSE") != nullptr) {
            std::puts(session::toJsonLine(event).c_str());
        }
    }
};

int runFromArguments(int count, char** values) {
    const std::vector<std::string> arguments(values + 1, values + count);
    engine::RunRequest request;
    request.checkpoint = arguments.at(0);
    request.session = arguments.at(1);
    request.corpus = tests::madeUpCorpus(std::stoull(arguments.at(2)), 97, 90);
    request.scratch =
        arguments.at(3) == "1" ? engine::ScratchUse::Always : engine::ScratchUse::Never;
    request.interrupted =
        arguments.at(4) == "1" ? engine::Interrupted::Resume : engine::Interrupted::Refuse;
    request.dtype = "float32";
    if (arguments.size() > 5) {
        request.baselines.emplace_back(arguments[5]);
    }
    for (const auto& info : experiments::catalogue()) {
        request.experiments.push_back({std::string(info.id), "{}"});
    }
    Quiet quiet;
    const auto report = engine::run(request, experiments::makeProbes, quiet, {});
    std::printf("written %llu kept %llu bytes %llu peak %llu seconds %.2f\n",
                static_cast<unsigned long long>(report.partsWritten),
                static_cast<unsigned long long>(report.partsKept),
                static_cast<unsigned long long>(report.bytesRead),
                static_cast<unsigned long long>(report.peakMemoryBytes), report.seconds);
    return 0;
}

}  // namespace

int main(int count, char** values) {
    try {
        return runFromArguments(count, values);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
