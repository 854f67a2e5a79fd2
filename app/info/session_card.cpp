// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/info/session_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace moescope::info {
namespace {

constexpr int kIdWidth = 27;  ///< room for "vocabulary_specialisation" and a gap

using session::ExperimentRecord;
using session::ExperimentState;
using session::Head;
using session::ModelSummary;
using session::QuantityInfo;
using session::Session;

std::string_view stateWord(ExperimentState state) {
    switch (state) {
        case ExperimentState::Planned:
            return "planned";
        case ExperimentState::Running:
            return "unfinished";  // whether a run goes on with it or was stopped
        case ExperimentState::Done:
            return "done";
    }
    return "?";
}

/// "8 experts, top 2" of the routed layers; ranges where they differ.
std::string expertsText(const ModelSummary& model) {
    std::set<std::pair<int, int>> kinds;
    for (const session::LayerSummary& layer : model.layers) {
        if (layer.isRouted()) {
            kinds.emplace(layer.experts, layer.topK);
        }
    }
    if (kinds.empty()) {
        return "dense";
    }
    std::string text;
    for (const auto& [experts, topK] : kinds) {
        text += fmt::format("{}{} experts, top {}", text.empty() ? "" : "; ", experts, topK);
    }
    return text;
}

std::string modelLine(const ModelSummary& model) {
    const auto routed = std::count_if(model.layers.begin(), model.layers.end(),
                                      [](const auto& layer) { return layer.isRouted(); });
    return fmt::format("{} ({}, {} layers, {} routed, {})", model.name, model.familyTitle,
                       model.layers.size(), routed, expertsText(model));
}

std::string counted(std::uint64_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string textLine(const Head& head) {
    if (head.corpus.tokenCount() == 0) {
        return "none (static experiments only)";
    }
    std::string line = counted(head.corpus.tokenCount(), "token") + " in " +
                       counted(head.corpus.documentCount(), "document");
    if (!head.corpus.domains.empty()) {
        line += ", " + counted(head.corpus.domains.size(), "domain");
    }
    return line;
}

/// "40 multiple-choice questions from arc.jsonl, 160 choices, by chance 25.0 % right"
std::string questionsLine(const text::TokenizedChoices& choices) {
    return fmt::format("{} from {}, {}, by chance {:.1f} % right",
                       counted(choices.answer.size(), "multiple-choice question"), choices.source,
                       counted(choices.textCount(), "choice"), 100.0 * choices.chance());
}

std::string experimentLine(const ExperimentRecord& record) {
    std::string layers;
    if (!record.layers.empty()) {
        layers = fmt::format("{} of {} layers", record.layersDone.size(), record.layers.size());
    }
    constexpr int kStateWidth = 12;  // room for "unfinished" and a gap
    return fmt::format("  {:<{}}{:<{}}{}", record.id, kIdWidth, stateWord(record.state),
                       kStateWidth, layers);
}

/// "  norms_scores               36157 of 100000 tokens" for each experiment with rows of single
/// tokens.
std::string keptLines(const Session& session) {
    const std::uint64_t total = session.head().corpus.tokenCount();
    std::string text;
    std::string last;
    for (const QuantityInfo& info : session.quantities()) {
        const bool hasRows =
            !info.axes.empty() && !info.shape.empty() && !info.layers.empty() &&
            (info.axes.front().name == "token" || info.axes.front().name == "kept_token");
        if (hasRows && info.id.experiment != last && info.id.quantity != "kept_tokens") {
            last = info.id.experiment;
            text += info.shape.front() == total
                        ? fmt::format("  {:<{}}all {} tokens\n", last, kIdWidth, total)
                        : fmt::format("  {:<{}}{} of {} tokens\n", last, kIdWidth,
                                      info.shape.front(), total);
        }
    }
    return text.empty() ? text : "Kept token by token\n" + text;
}

/// Of which removals the losses of single tokens are there: what figures of them can show.
std::string removalLines(const Session& session) {
    std::string text;
    const auto find = [&](const char* table) {
        return session.find({BranchId{}, "expert_removal", std::string(table) + "_token_loss"});
    };
    const auto add = [&](const std::string& what) { text += "  without " + what + "\n"; };
    if (find("single") != nullptr) {
        add("one expert in one layer, each");
    }
    if (find("everywhere") != nullptr) {
        add("one index in all layers, each");
    }
    const QuantityInfo* sets = find("set");
    for (const std::string& set : sets != nullptr && !sets->axes.empty()
                                      ? sets->axes.front().labels
                                      : std::vector<std::string>()) {
        constexpr std::size_t kLongest = 70;
        add("the set " + (set.size() <= kLongest ? set : set.substr(0, kLongest) + "..."));
    }
    return text.empty() ? text : "Losses of all tokens kept (expert_removal)\n" + text;
}

/// Of the dataset in the file: one more axis in front where there is an entry per layer.
std::vector<std::uint64_t> storedShape(const QuantityInfo& info) {
    std::vector<std::uint64_t> shape = info.shape;
    if (!info.layers.empty()) {
        shape.insert(shape.begin(), info.layers.size());
    }
    return shape;
}

}  // namespace

std::string sessionText(const Session& session, bool datasets) {
    const Head& head = session.head();
    std::string text;
    const auto line = [&](std::string_view label, const std::string& value) {
        text += fmt::format("{:<13}{}\n", label, value);
    };
    line("Session",
         session.path().string() + (session.isPartial() ? " (in progress or interrupted)" : ""));
    line("Format", "moescope-session " + session.schemaVersion());
    if (!head.title.empty()) {
        line("Title", head.title);
    }
    line("Model", modelLine(head.model));
    for (const ModelSummary& baseline : head.baselines) {
        line("Baseline", modelLine(baseline));
    }
    line("Text", textLine(head));
    if (!head.choices.empty()) {
        line("Questions", questionsLine(head.choices));
    }
    line("Run", fmt::format("{}, {}, {}, program {}", head.run.createdUtc, head.run.device,
                            head.run.dtype, head.run.programVersion));
    text += "Experiments\n";
    for (const ExperimentRecord& record : head.experiments) {
        text += experimentLine(record) + "\n";
    }
    text += keptLines(session) + removalLines(session);
    const std::vector<QuantityInfo>& quantities = session.quantities();
    if (datasets) {
        text += "Datasets\n";
    } else {
        line("Datasets", fmt::format("{} (--datasets lists them)", quantities.size()));
    }
    for (const QuantityInfo& info : datasets ? quantities : std::vector<QuantityInfo>()) {
        text += fmt::format("  {:<62} {:<8} [{}]\n", info.path, name(info.type),
                            fmt::join(storedShape(info), ", "));
    }
    const std::vector<std::string> warnings = session.warnings();
    if (!warnings.empty()) {
        text += "Warnings\n";
    }
    for (const std::string& warning : warnings) {
        text += "  " + warning + "\n";
    }
    return text;
}

}  // namespace moescope::info
