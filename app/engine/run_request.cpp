// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/run_request.h"

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/session_settings.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/prune_list_file.h"
#include "core/model/load_spec.h"
#include "core/model/model_card.h"
#include "core/session/session.h"
#include "core/text/chat_template.h"
#include "core/text/choices.h"
#include "core/text/corpus.h"
#include "core/text/document_reading.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace moescope::app {
namespace {

using checkpoint::Checkpoint;

engine::Interrupted interruptedOf(cli::Interrupted choice) {
    switch (choice) {
        case cli::Interrupted::Resume:
            return engine::Interrupted::Resume;
        case cli::Interrupted::Restart:
            return engine::Interrupted::Discard;
        case cli::Interrupted::Refuse:
            break;
    }
    return engine::Interrupted::Refuse;
}

engine::ScratchUse scratchOf(cli::Scratch choice) {
    switch (choice) {
        case cli::Scratch::Always:
            return engine::ScratchUse::Always;
        case cli::Scratch::Never:
            return engine::ScratchUse::Never;
        case cli::Scratch::Auto:
            break;
    }
    return engine::ScratchUse::Auto;
}

/// The card of a model that will be run, so its family must be known.
std::string cardJson(const Checkpoint& checkpoint, const text::Tokenizer* tokenizer) {
    return model::toJson(model::makeModelCard(
        checkpoint, tokenizer == nullptr ? std::string() : tokenizer->description()));
}

/// Token ids mean the same to both models only with one tokenizer.
void checkTokenizer(const Checkpoint& model, const text::Tokenizer& own, const Checkpoint& baseline,
                    const LogSink& log) {
    std::unique_ptr<text::Tokenizer> other;
    try {
        other = text::loadTokenizer(baseline.tokenizerPath());
    } catch (const Error& error) {
        if (error.code() != ErrorCode::FileNotFound) {
            throw;
        }
        if (log) {
            log(LogLevel::Warning, "The baseline " + baseline.displayName() +
                                       " has no tokenizer files; it is taken to share the "
                                       "tokenizer of " +
                                       model.displayName() + ".");
        }
        return;
    }
    if (other->identity() != own.identity()) {
        throw Error(
            ErrorCode::BaselineMismatch,
            "The baseline " + baseline.folder().string() + " has another tokenizer (" +
                other->description() + ") than " + model.folder().string() + " (" +
                own.description() +
                "). Give a baseline with the same one, or ask for static experiments only.");
    }
}

/// Tables given as plain text are most often meant otherwise.
void warnOfTables(const text::TextSource& source, const LogSink& log) {
    if (source.kind != text::TextSource::Kind::Files || !log) {
        return;
    }
    for (const std::filesystem::path& path : source.paths) {
        const std::string extension = path.extension().string();
        if (extension == ".jsonl" || extension == ".csv") {
            log(LogLevel::Warning, path.string() + " is read as plain text, as it stands; --" +
                                       extension.substr(1) +
                                       " makes a document of each of its records.");
        }
    }
}

text::TokenizedCorpus readCorpus(const cli::AnalyzeOptions& options, const Checkpoint& model,
                                 const text::Tokenizer& tokenizer, const LogSink& log) {
    warnOfTables(*options.text, log);
    text::DocumentReading read = text::readAndCount(*options.text);
    std::vector<text::Document>& documents = read.documents;
    // Blank lines and headings are what the splitting of lines is there to leave out.
    const bool isAsked = options.text->splitLines || !options.text->skipPrefix.empty();
    if (read.leftOut > 0 && !isAsked && log) {
        log(LogLevel::Warning,
            std::to_string(read.leftOut) +
                (read.leftOut == 1 ? " record holds no text and is left out; "
                                   : " records hold no text and are left out; ") +
                std::to_string(documents.size()) + " are read.");
    }
    if (options.chat) {
        const text::ChatTemplate chat = text::loadChatTemplate(model.tokenizerPath());
        for (text::Document& document : documents) {
            document.text = chat.renderUserMessage(document.text);
        }
    }
    return text::tokenize(documents, tokenizer, options.tokenize);
}

/// The model as lists of its experts are checked against it.
experiments::PrunedModel prunedModel(const Checkpoint& checkpoint, std::optional<int> topK) {
    experiments::PrunedModel model{checkpoint.displayName(), checkpoint.identity(), {}};
    for (const model::LayerSpec& layer : model::loadSpec(checkpoint).layers) {
        model.layers.push_back(layer.isRouted()
                                   ? experiments::PrunedModel::Layer{layer.moe->experts,
                                                                     topK.value_or(layer.moe->topK)}
                                   : experiments::PrunedModel::Layer{});
    }
    return model;
}

/// The options with what their files hold.
experiments::ExperimentOptions experimentOptions(const cli::AnalyzeOptions& options,
                                                 const Checkpoint& checkpoint,
                                                 const session::Session* existing) {
    experiments::ExperimentOptions result = options.experimentOptions;
    if (!options.pruneLists.empty()) {
        const std::optional<int> topK =
            options.topK || existing == nullptr ? options.topK : engine::topKOf(existing->head());
        const experiments::PrunedModel model = prunedModel(checkpoint, topK);
        for (const std::filesystem::path& file : options.pruneLists) {
            result.lists.push_back(experiments::readPruneList(file, model));
        }
    }
    return result;
}

/// Those that the session has, as they stand in it.
std::vector<engine::ExperimentRequest> experimentsAsBefore(const cli::AnalyzeOptions& options) {
    const auto session = session::Session::open(options.session);
    std::vector<engine::ExperimentRequest> requests;
    for (const session::ExperimentRecord& record : session->head().experiments) {
        if (std::find(options.experiments.begin(), options.experiments.end(), record.id) ==
            options.experiments.end()) {
            continue;
        }
        std::vector<int> layers;
        for (const LayerId layer : record.layers) {
            layers.push_back(layer.value);
        }
        requests.push_back({record.id, record.optionsJson, std::move(layers)});
    }
    return requests;
}

/// The options that the session has an experiment under, where neither it nor they were asked for:
/// nothing is computed anew for want of an option that was given once.
std::string usualOptions(const std::string& id, const std::string& asked,
                         const session::Session* session) {
    if (session == nullptr || asked != experiments::optionsJson(id, {})) {
        return asked;
    }
    for (const session::ExperimentRecord& record : session->head().experiments) {
        if (record.id == id && record.version == experiments::findExperiment(id)->version) {
            // Sets and lists come to those that are there when the run begins.
            const bool isJoined = experiments::joinedOptions(id, record.optionsJson, asked,
                                                             /*goesOn=*/false) != asked;
            return isJoined ? asked : record.optionsJson;
        }
    }
    return asked;
}

/// The session that is added to; nullptr where there is none that can be read, which is said when
/// it is opened to be written.
std::shared_ptr<const session::Session> existingSession(const cli::AnalyzeOptions& options) {
    std::error_code ignored;
    if (options.interrupted == cli::Interrupted::Restart &&
        !std::filesystem::is_regular_file(options.session, ignored)) {
        return nullptr;  // there are parts, and they are dropped
    }
    try {
        return session::Session::open(options.session);
    } catch (const Error&) {
        return nullptr;
    }
}

std::vector<engine::ExperimentRequest> experimentsOf(const cli::AnalyzeOptions& options,
                                                     const Checkpoint& checkpoint) {
    if (options.asBefore) {
        return experimentsAsBefore(options);
    }
    const auto existing = existingSession(options);
    const experiments::ExperimentOptions chosen =
        experimentOptions(options, checkpoint, existing.get());
    const session::Session* const usual = options.experimentsNamed ? nullptr : existing.get();
    std::vector<engine::ExperimentRequest> requests;
    for (const std::string& id : options.experiments) {
        const bool onWeights =
            experiments::findExperiment(id)->kind == experiments::ExperimentKind::Static;
        requests.push_back({id, usualOptions(id, experiments::optionsJson(id, chosen), usual),
                            onWeights ? options.staticLayers : std::vector<int>()});
    }
    return requests;
}

void checkOutput(const std::filesystem::path& session) {
    std::error_code ignored;
    if (std::filesystem::is_directory(session, ignored)) {
        throw Error(ErrorCode::Usage, session.string() +
                                          " is a folder: say which file the session goes to, as "
                                          "in -o " +
                                          (session / "run.h5").string() + ".");
    }
    const std::filesystem::path folder = session.parent_path();
    if (!folder.empty() && !std::filesystem::exists(folder, ignored)) {
        throw Error(ErrorCode::FileUnwritable,
                    "The folder " + folder.string() + " of -o " + session.string() +
                        " does not exist: make it, or choose another place.");
    }
}

}  // namespace

engine::RunRequest makeRunRequest(const cli::AnalyzeOptions& options,
                                  const std::string& commandLine, const LogSink& log) {
    checkOutput(options.session);
    engine::RunRequest request;
    request.checkpoint = options.checkpoint;
    request.baselines = options.baselines;
    request.session = options.session;
    request.device = options.device;
    request.dtype = options.dtype;
    request.memoryBytes = options.memoryBytes;
    request.deviceMemoryBytes = options.deviceMemoryBytes;
    request.topK = options.topK;
    request.threads = options.threads;
    request.interrupted = interruptedOf(options.interrupted);
    request.scratch = scratchOf(options.scratch);
    request.title = options.title;
    request.commandLine = commandLine;
    request.chatTemplate = options.chat;
    const Checkpoint model(options.checkpoint);
    request.experiments = experimentsOf(options, model);
    std::unique_ptr<text::Tokenizer> tokenizer;
    if (options.text) {
        tokenizer = text::loadTokenizer(model.tokenizerPath());
        request.corpus = readCorpus(options, model, *tokenizer, log);
    }
    if (!options.choices.empty()) {
        if (!tokenizer) {
            tokenizer = text::loadTokenizer(model.tokenizerPath());
        }
        request.choices = text::tokenizeChoices(text::readChoices(options.choices), *tokenizer);
        request.choices.source = options.choices.filename().string();
    }
    request.cardJson = cardJson(model, tokenizer.get());
    for (const std::filesystem::path& path : options.baselines) {
        const Checkpoint baseline(path);
        if (tokenizer) {
            checkTokenizer(model, *tokenizer, baseline, log);
        }
        request.baselineCards.push_back(cardJson(baseline, nullptr));
    }
    return request;
}

}  // namespace moescope::app
