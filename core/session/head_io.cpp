// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/head_io.h"

#include "core/base/error.h"
#include "core/session/h5_value.h"
#include "core/session/schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::session {
namespace {

template <typename T>
void writeVector(hid_t group, const std::string& name, const std::vector<T>& values) {
    h5::writeDataset(group, name, NdArray::from<T>({values.size()}, values));
}

template <typename T>
std::vector<T> readVector(hid_t group, const std::string& name) {
    const NdArray array = h5::readDataset(group, name);
    if (array.shape().size() != 1 || array.type() != elementTypeOf<T>()) {
        h5::failReading(group, fmt::format("dataset {} (a list of {} expected)", name,
                                           moescope::name(elementTypeOf<T>())));
    }
    const auto values = array.values<T>();
    return {values.begin(), values.end()};
}

void writeModel(hid_t file, const std::string& path, const ModelSummary& model) {
    const h5::Group group = h5::createGroup(file, path, "NXcollection");
    const hid_t id = group.get();
    h5::writeAttribute(id, "name", model.name);
    h5::writeAttribute(id, "identity", model.identity);
    h5::writeAttribute(id, "family", model.family);
    h5::writeAttribute(id, "family_title", model.familyTitle);
    h5::writeAttribute(id, "stored_dtype", model.storedDtype);
    h5::writeAttribute(id, "hidden_size", std::int64_t{model.hiddenSize});
    h5::writeAttribute(id, "vocab_size", std::int64_t{model.vocabSize});
    h5::writeAttribute(id, "tokenizer", model.tokenizerDescription);
    h5::writeAttribute(id, "tokenizer_identity", model.tokenizerIdentity);
    h5::writeText(id, "card", model.cardJson);
    h5::writeText(id, "config", model.configText);
    std::vector<std::int32_t> experts;
    std::vector<std::int32_t> topK;
    std::vector<std::int32_t> shared;
    std::vector<std::int32_t> width;
    for (const LayerSummary& layer : model.layers) {
        experts.push_back(layer.experts);
        topK.push_back(layer.topK);
        shared.push_back(layer.sharedExperts);
        width.push_back(layer.intermediateSize);
    }
    writeVector(id, "layer_experts", experts);
    writeVector(id, "layer_top_k", topK);
    writeVector(id, "layer_shared_experts", shared);
    writeVector(id, "layer_intermediate_size", width);
}

/// Ids of experts are 16 bits wide; views make room for every expert of a layer.
constexpr std::int32_t kMostExperts = 1 << 16;

ModelSummary readModel(hid_t file, const std::string& path) {
    const h5::Group group = h5::openGroup(file, path);
    const hid_t id = group.get();
    ModelSummary model;
    model.name = h5::readString(id, "name");
    model.identity = h5::readString(id, "identity");
    model.family = h5::readString(id, "family");
    model.familyTitle = h5::readString(id, "family_title");
    model.storedDtype = h5::readString(id, "stored_dtype");
    model.hiddenSize = static_cast<int>(h5::readInteger(id, "hidden_size"));
    model.vocabSize = static_cast<int>(h5::readInteger(id, "vocab_size"));
    model.tokenizerDescription = h5::readString(id, "tokenizer");
    model.tokenizerIdentity = h5::readString(id, "tokenizer_identity");
    model.cardJson = h5::readText(id, "card");
    model.configText = h5::readText(id, "config");
    const auto experts = readVector<std::int32_t>(id, "layer_experts");
    const auto topK = readVector<std::int32_t>(id, "layer_top_k");
    const auto shared = readVector<std::int32_t>(id, "layer_shared_experts");
    const auto width = readVector<std::int32_t>(id, "layer_intermediate_size");
    if (topK.size() != experts.size() || shared.size() != experts.size() ||
        width.size() != experts.size()) {
        h5::failReading(id, "the layer table (columns of different length)");
    }
    for (std::size_t i = 0; i < experts.size(); ++i) {
        if (experts[i] < 0 || experts[i] > kMostExperts || topK[i] < 0 || topK[i] > experts[i] ||
            shared[i] < 0) {
            h5::failReading(id, fmt::format("the layer table (layer {} is impossible)", i));
        }
        model.layers.push_back({experts[i], topK[i], shared[i], width[i]});
    }
    return model;
}

void writeCorpus(hid_t file, const text::TokenizedCorpus& corpus) {
    const h5::Group group = h5::createGroup(file, schema::kText, "NXcollection");
    const hid_t id = group.get();
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint64_t> byteOffsets{0};
    for (const std::string& token : corpus.tokenBytes) {
        bytes.insert(bytes.end(), token.begin(), token.end());
        byteOffsets.push_back(bytes.size());
    }
    writeVector(id, "ids", corpus.ids);
    writeVector(id, "token_bytes", bytes);
    writeVector(id, "token_byte_offsets", byteOffsets);
    writeVector(id, "document_offsets", corpus.offsets);
    writeVector(id, "document_domains", corpus.domainOf);
    h5::writeTexts(id, "document_sources", corpus.sources);
    h5::writeTexts(id, "domains", corpus.domains);
}

/// Offsets must rise from 0 to `end`, or slices would leave their arrays.
void requireOffsets(hid_t group, const char* what, const std::vector<std::uint64_t>& offsets,
                    std::uint64_t end) {
    if (offsets.empty() || offsets.front() != 0 || offsets.back() != end ||
        !std::is_sorted(offsets.begin(), offsets.end())) {
        h5::failReading(
            group, fmt::format("dataset {} (offsets are not ascending from 0 to {})", what, end));
    }
}

text::TokenizedCorpus readCorpus(hid_t file) {
    text::TokenizedCorpus corpus;
    if (!h5::exists(file, schema::kText)) {
        return corpus;
    }
    const h5::Group group = h5::openGroup(file, schema::kText);
    const hid_t id = group.get();
    corpus.ids = readVector<std::uint32_t>(id, "ids");
    const auto bytes = readVector<std::uint8_t>(id, "token_bytes");
    const auto byteOffsets = readVector<std::uint64_t>(id, "token_byte_offsets");
    corpus.offsets = readVector<std::uint64_t>(id, "document_offsets");
    corpus.domainOf = readVector<std::int32_t>(id, "document_domains");
    corpus.sources = h5::readTexts(id, "document_sources");
    corpus.domains = h5::readTexts(id, "domains");
    requireOffsets(id, "token_byte_offsets", byteOffsets, bytes.size());
    requireOffsets(id, "document_offsets", corpus.offsets, corpus.ids.size());
    if (byteOffsets.size() != corpus.ids.size() + 1 ||
        corpus.sources.size() != corpus.documentCount() ||
        corpus.domainOf.size() != corpus.documentCount()) {
        h5::failReading(id, "the text (lists of different length)");
    }
    for (const std::int32_t domain : corpus.domainOf) {
        if (domain < -1 || domain >= static_cast<std::int32_t>(corpus.domains.size())) {
            h5::failReading(id, "dataset document_domains (no such domain)");
        }
    }
    corpus.tokenBytes.reserve(corpus.ids.size());
    for (std::size_t i = 0; i < corpus.ids.size(); ++i) {
        corpus.tokenBytes.emplace_back(
            bytes.begin() + static_cast<std::ptrdiff_t>(byteOffsets[i]),
            bytes.begin() + static_cast<std::ptrdiff_t>(byteOffsets[i + 1]));
    }
    return corpus;
}

void writeChoices(hid_t file, const text::TokenizedChoices& choices) {
    const h5::Group group = h5::createGroup(file, schema::kChoices, "NXcollection");
    const hid_t id = group.get();
    h5::writeAttribute(id, "source", choices.source);
    writeVector(id, "ids", choices.ids);
    writeVector(id, "offsets", choices.offsets);
    writeVector(id, "context_length", choices.contextLength);
    writeVector(id, "question", choices.question);
    writeVector(id, "answer", choices.answer);
}

/// Each question has choices, one of them the answer, and each choice a token behind the question.
void requireQuestions(hid_t group, const text::TokenizedChoices& choices) {
    std::vector<std::uint32_t> counts(choices.answer.size());
    bool good = choices.contextLength.size() == choices.textCount() &&
                choices.offsets.size() == choices.textCount() + 1 &&
                std::is_sorted(choices.question.begin(), choices.question.end());
    for (std::size_t text = 0; good && text < choices.textCount(); ++text) {
        const std::uint64_t tokens = choices.offsets[text + 1] - choices.offsets[text];
        good = choices.question[text] < counts.size() && choices.contextLength[text] > 0 &&
               choices.contextLength[text] < tokens;
        if (good) {
            ++counts[choices.question[text]];
        }
    }
    for (std::size_t q = 0; good && q < counts.size(); ++q) {
        good = choices.answer[q] < counts[q];
    }
    if (!good) {
        h5::failReading(group, "the multiple-choice questions (they are no whole questions)");
    }
}

text::TokenizedChoices readChoices(hid_t file) {
    text::TokenizedChoices choices;
    if (!h5::exists(file, schema::kChoices)) {  // since 1.3
        return choices;
    }
    const h5::Group group = h5::openGroup(file, schema::kChoices);
    const hid_t id = group.get();
    choices.source = h5::readString(id, "source");
    choices.ids = readVector<std::uint32_t>(id, "ids");
    choices.offsets = readVector<std::uint64_t>(id, "offsets");
    choices.contextLength = readVector<std::uint32_t>(id, "context_length");
    choices.question = readVector<std::uint32_t>(id, "question");
    choices.answer = readVector<std::uint32_t>(id, "answer");
    requireOffsets(id, "offsets", choices.offsets, choices.ids.size());
    requireQuestions(id, choices);
    return choices;
}

void writeProcess(hid_t file, const RunSummary& run) {
    const h5::Group group = h5::createGroup(file, schema::kProcess, "NXprocess");
    const hid_t id = group.get();
    h5::writeAttribute(id, "program", std::string_view("moescope"));
    h5::writeAttribute(id, "version", run.programVersion);
    h5::writeAttribute(id, "date", run.createdUtc);
    h5::writeAttribute(id, "device", run.device);
    h5::writeAttribute(id, "dtype", run.dtype);
    h5::writeAttribute(id, "seed", std::to_string(run.seed));
    h5::writeAttribute(id, "options", run.optionsJson);
    h5::writeAttribute(id, "command_line", run.commandLine);
    h5::writeAttribute(id, "engine", run.engineDescription);
    h5::writeAttribute(id, "chat_template", std::int64_t{run.chatTemplate ? 1 : 0});
}

RunSummary readProcess(hid_t file) {
    const h5::Group group = h5::openGroup(file, schema::kProcess);
    const hid_t id = group.get();
    RunSummary run;
    run.programVersion = h5::readString(id, "version");
    run.createdUtc = h5::readString(id, "date");
    run.device = h5::readString(id, "device");
    run.dtype = h5::readString(id, "dtype");
    const std::string seed = h5::readString(id, "seed");
    run.seed = std::strtoull(seed.c_str(), nullptr, 10);
    run.optionsJson = h5::readString(id, "options");
    run.commandLine = h5::readString(id, "command_line");
    run.engineDescription = h5::readString(id, "engine");
    run.chatTemplate = h5::readInteger(id, "chat_template", 0) != 0;
    return run;
}

std::vector<std::int32_t> numbers(const std::vector<LayerId>& layers) {
    std::vector<std::int32_t> out;
    std::transform(layers.begin(), layers.end(), std::back_inserter(out),
                   [](LayerId id) { return id.value; });
    return out;
}

std::vector<LayerId> layerIds(const std::vector<std::int32_t>& values) {
    std::vector<LayerId> out;
    std::transform(values.begin(), values.end(), std::back_inserter(out),
                   [](int value) { return LayerId(value); });
    return out;
}

void writePlan(hid_t file, const std::vector<ExperimentRecord>& experiments) {
    const h5::Group plan = h5::createGroup(file, schema::kPlan, "NXcollection");
    std::vector<std::string> order;
    for (const ExperimentRecord& record : experiments) {
        const h5::Group group = h5::createGroup(plan.get(), record.id, "NXcollection");
        const hid_t id = group.get();
        order.push_back(record.id);
        h5::writeAttribute(id, "version", std::int64_t{record.version});
        h5::writeAttribute(id, "title", record.title);
        h5::writeAttribute(id, "definition", record.definition);
        h5::writeAttribute(id, "options", record.optionsJson);
        h5::writeAttribute(id, "state", std::string_view(name(record.state)));
        h5::writeAttribute(id, "layers", numbers(record.layers));
        h5::writeAttribute(id, "model_part", std::int64_t{record.hasModelPart ? 1 : 0});
    }
    h5::writeAttribute(plan.get(), "order", order);
}

ExperimentState stateFromName(hid_t object, const std::string& text) {
    for (const auto state :
         {ExperimentState::Planned, ExperimentState::Running, ExperimentState::Done}) {
        if (text == name(state)) {
            return state;
        }
    }
    h5::failReading(object, fmt::format("the state \"{}\"", text));
}

std::vector<ExperimentRecord> readPlan(hid_t file) {
    const h5::Group plan = h5::openGroup(file, schema::kPlan);
    std::vector<ExperimentRecord> experiments;
    for (const std::string& experiment : h5::readStrings(plan.get(), "order")) {
        const h5::Group group = h5::openGroup(plan.get(), experiment);
        const hid_t id = group.get();
        ExperimentRecord record;
        record.id = experiment;
        record.version = static_cast<int>(h5::readInteger(id, "version"));
        record.title = h5::readString(id, "title");
        record.definition = h5::readString(id, "definition");
        record.optionsJson = h5::readString(id, "options");
        record.state = stateFromName(id, h5::readString(id, "state"));
        record.layers = layerIds(h5::readIntegers(id, "layers"));
        record.hasModelPart = h5::readInteger(id, "model_part", 0) != 0;  // since 1.1
        experiments.push_back(std::move(record));
    }
    return experiments;
}

void writeBranches(hid_t file, const std::vector<Branch>& branches) {
    for (const Branch& branch : branches) {
        const h5::Group group = h5::createGroup(
            file, fmt::format("{}/{}", schema::kBranches, branch.id.value), "NXcollection");
        h5::writeAttribute(group.get(), "name", branch.name);
        h5::writeAttribute(group.get(), "intervention", branch.interventionJson);
    }
}

std::vector<Branch> readBranches(hid_t file) {
    std::vector<Branch> branches;
    const h5::Group all = h5::openGroup(file, schema::kBranches);
    for (const std::string& child : h5::childNames(all.get())) {
        const h5::Group group = h5::openGroup(all.get(), child);
        branches.push_back({BranchId(std::atoi(child.c_str())), h5::readString(group.get(), "name"),
                            h5::readString(group.get(), "intervention")});
    }
    std::sort(branches.begin(), branches.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return branches;
}

}  // namespace

const char* name(ExperimentState state) noexcept {
    switch (state) {
        case ExperimentState::Planned:
            return "planned";
        case ExperimentState::Running:
            return "running";
        case ExperimentState::Done:
            return "done";
    }
    return "planned";
}

void writeHead(hid_t file, const Head& head) {
    const h5::Group run = h5::createGroup(file, schema::kRun, "NXentry");
    h5::writeAttribute(run.get(), "uuid", head.uuid);
    h5::writeAttribute(run.get(), "title", head.title);
    h5::writeAttribute(run.get(), "start_time", head.run.createdUtc);
    writeModel(file, schema::kModel, head.model);
    for (std::size_t i = 0; i < head.baselines.size(); ++i) {
        writeModel(file, fmt::format("{}/{}", schema::kBaselines, i), head.baselines[i]);
    }
    h5::writeAttribute(run.get(), "baseline_count",
                       static_cast<std::int64_t>(head.baselines.size()));
    if (head.corpus.tokenCount() > 0) {
        writeCorpus(file, head.corpus);
    }
    if (!head.choices.empty()) {
        writeChoices(file, head.choices);
    }
    writeProcess(file, head.run);
    writeBranches(file, head.branches);
    writePlan(file, head.experiments);
    h5::writeAttribute(run.get(), "warnings", head.warnings);
}

Head readHead(hid_t file) {
    const h5::Group run = h5::openGroup(file, schema::kRun);
    Head head;
    head.uuid = h5::readString(run.get(), "uuid");
    head.title = h5::readString(run.get(), "title");
    head.model = readModel(file, schema::kModel);
    const std::int64_t baselines = h5::readInteger(run.get(), "baseline_count", 0);
    for (std::int64_t i = 0; i < baselines; ++i) {
        head.baselines.push_back(readModel(file, fmt::format("{}/{}", schema::kBaselines, i)));
    }
    head.corpus = readCorpus(file);
    head.choices = readChoices(file);
    head.run = readProcess(file);
    head.branches = readBranches(file);
    head.experiments = readPlan(file);
    if (h5::hasAttribute(run.get(), "warnings")) {  // since 1.1
        head.warnings = h5::readStrings(run.get(), "warnings");
    }
    return head;
}

}  // namespace moescope::session
