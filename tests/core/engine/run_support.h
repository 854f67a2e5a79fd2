// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/factory.h"
#include "core/session/session.h"
#include "tests/core/engine/reference_model.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

/// Whole runs of fixtures, watched.
namespace moescope::tests {

/// Keeps the events and, if asked, stops the run when a layer's first part is done or fills the
/// disk for the residual stream before the first layer.
class Recorder final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent& event) override {
        if (!full.empty() && events.empty()) {
            std::filesystem::create_directories(full);
            for (const char* name : {"residual-0.bin.tmp", "residual-1.bin.tmp"}) {
                std::filesystem::create_symlink("/dev/full", full / name);
            }
        }
        events.push_back(event);
        if (event.kind == session::RunEvent::Kind::Started && stopAtOnce) {
            stop.request_stop();
        }
        if (event.kind == session::RunEvent::Kind::Progress && event.stage.starts_with("Removal")) {
            ++removalSteps;
            // Slow enough that every step is told.
            std::this_thread::sleep_for(removalPause);
            if (removalSteps == stopAtRemovalStep) {
                stop.request_stop();
            }
        }
        if (event.kind == session::RunEvent::Kind::PartDone && event.layer &&
            *event.layer == stopAtLayer) {
            stop.request_stop();
        }
    }
    [[nodiscard]] std::size_t count(session::RunEvent::Kind kind) const {
        return static_cast<std::size_t>(
            std::count_if(events.begin(), events.end(),
                          [&](const session::RunEvent& event) { return event.kind == kind; }));
    }
    std::vector<session::RunEvent> events;
    [[nodiscard]] bool warns(const std::string& words) const {
        return std::any_of(events.begin(), events.end(), [&](const session::RunEvent& event) {
            return event.kind == session::RunEvent::Kind::Warning &&
                   event.message.find(words) != std::string::npos;
        });
    }
    int stopAtLayer = -1;
    bool stopAtOnce = false;
    int removalSteps = 0, stopAtRemovalStep = -1;
    std::chrono::milliseconds removalPause{0};
    std::filesystem::path full;
    std::stop_source stop;
};

inline engine::RunReport runWith(const engine::RunRequest& request, Recorder& recorder) {
    return engine::run(request, experiments::makeProbes, recorder, recorder.stop.get_token());
}

inline std::vector<engine::ExperimentRequest> everything() {
    std::vector<engine::ExperimentRequest> result;
    for (const auto& info : experiments::catalogue()) {
        result.push_back({std::string(info.id), "{}"});
    }
    return result;
}

inline engine::RunRequest requestFor(const std::string& fixture,
                                     const std::filesystem::path& session) {
    engine::RunRequest request;
    request.checkpoint = tests::referenceDir() / "models" / fixture;
    request.session = session;
    request.corpus = tests::ReferenceModel(fixture).corpus;
    request.experiments = everything();
    request.dtype = "float32";
    request.device = "cpu";
    return request;
}

/// One document of equal tokens.
inline text::TokenizedCorpus monotone(std::uint64_t tokens) {
    text::TokenizedCorpus corpus;
    corpus.ids.assign(tokens, 1);
    corpus.tokenBytes.resize(tokens);
    corpus.offsets = {0, tokens};
    corpus.sources.resize(1);
    corpus.domainOf = {-1};
    return corpus;
}

/// A copy of a fixture in which one stored value of an expert's matrix, whose name is given back,
/// is NaN.
inline std::string poisonedCopy(const std::string& fixture, const std::filesystem::path& to) {
    const auto from = tests::referenceDir() / "models" / fixture;
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    const tests::ReferenceModel model(fixture);
    const std::string name = model.spec.layers[1].names.experts[2].up.name;
    const auto tensor = model.checkpoint.require(name);
    const auto file =
        model.checkpoint.files()[static_cast<std::size_t>(tensor.fileIndex)].path.filename();
    std::fstream out(to / file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(tensor.fileOffset));
    const char nan[2] = {'\xC0', '\x7F'};  // bfloat16
    out.write(nan, sizeof nan);
    return name;
}

inline NdArray readLayer(const session::Session& session, const std::string& experiment,
                         const std::string& quantity, int layer) {
    return session.read({BranchId{0}, experiment, quantity}, LayerId{layer});
}

}  // namespace moescope::tests
