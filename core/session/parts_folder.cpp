// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/parts_folder.h"

#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/session/h5_file.h"
#include "core/session/head_io.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::session::parts {
namespace {

constexpr const char* kSuffix = ".partial";

bool isPartFile(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name.starts_with("part-") && name.ends_with(".h5");
}

bool isInterimFile(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name.starts_with("interim-part-") && name.ends_with(".h5");
}

/// What is shown until the part is there; it finishes nothing.
void addInterim(const std::filesystem::path& folder, const ResultIndex::Accept& accept,
                ResultIndex& index) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (!isInterimFile(entry.path())) {
            continue;
        }
        try {
            const h5::File file = h5::openFile(entry.path());
            index.add(file.get(), entry.path(), accept);
        } catch (const Error& problem) {
            if (problem.code() != ErrorCode::BadSession &&
                problem.code() != ErrorCode::FileNotFound) {
                throw;
            }
        }
    }
    index.experiments.clear();
}

/// Another run's session may have been put where the folder's own will be.
bool belongsTo(const Head& head, const std::filesystem::path& session) {
    const h5::File file = h5::openFile(session);
    return readHead(file.get()).uuid == head.uuid;
}

ExperimentState stateOf(const ExperimentRecord& record, const FinishedExperiment* found,
                        bool runEnded) {
    const auto* info = experiments::findExperiment(record.id);
    if (info != nullptr && info->kind == experiments::ExperimentKind::Derived) {
        return ExperimentState::Done;
    }
    if (found == nullptr || found->parts.empty()) {
        return ExperimentState::Planned;
    }
    const bool allLayers = std::all_of(record.layers.begin(), record.layers.end(),
                                       [&](LayerId layer) { return found->parts.contains(layer); });
    // A run that ended has written what there was to say about the whole model, perhaps nothing.
    const bool complete =
        allLayers && (runEnded || !record.hasModelPart || found->parts.contains(std::nullopt));
    return complete ? ExperimentState::Done : ExperimentState::Running;
}

}  // namespace

std::filesystem::path folderFor(const std::filesystem::path& session) {
    return session.extension() == kSuffix ? session
                                          : std::filesystem::path(session.string() + kSuffix);
}

std::filesystem::path sessionFor(const std::filesystem::path& folder) {
    std::string text = folder.string();
    text.resize(text.size() - std::string_view(kSuffix).size());
    return text;
}

std::filesystem::path headFile(const std::filesystem::path& folder) {
    return folder / "head.h5";
}

std::filesystem::path partFile(const std::filesystem::path& folder, const PartKey& key) {
    const std::string layer = key.layer ? fmt::format("layer_{:04}", key.layer->value) : "model";
    return folder /
           fmt::format("part-b{}-{}-{}-s{}.h5", key.branch.value, key.experiment, layer, key.shard);
}

std::filesystem::path interimFile(const std::filesystem::path& folder, const PartKey& key) {
    const std::filesystem::path part = partFile(folder, key);
    return part.parent_path() / ("interim-" + part.filename().string());
}

bool hasHead(const std::filesystem::path& folder) {
    std::error_code error;
    return std::filesystem::is_regular_file(headFile(folder), error);
}

bool hasWork(const std::filesystem::path& folder) {
    if (!hasHead(folder)) {
        return false;
    }
    std::error_code error;
    const std::filesystem::directory_iterator entries(folder, error);
    return std::any_of(begin(entries), end(entries), [](const auto& entry) {
        return isPartFile(entry.path()) || entry.path().extension() == ".bin";
    });
}

void clear(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (entry.path().filename() != "lock") {
            files.push_back(entry.path());
        }
    }
    for (const auto& file : files) {
        std::filesystem::remove(file, ignored);
    }
}

bool matchesPlan(const Head& head, const std::string& experiment, const FinishedExperiment& found) {
    const auto planned =
        std::find_if(head.experiments.begin(), head.experiments.end(),
                     [&](const ExperimentRecord& record) { return record.id == experiment; });
    return planned != head.experiments.end() && planned->version == found.version &&
           planned->optionsJson == found.optionsJson;
}

Contents read(const std::filesystem::path& folder) {
    Contents contents;
    {
        const h5::File head = h5::openFile(headFile(folder));
        contents.head = readHead(head.get());
        contents.formatVersion = h5::formatVersion(head.get());
    }
    const auto accept = [&](BranchId, const std::string& experiment,
                            const FinishedExperiment& found) {
        return matchesPlan(contents.head, experiment, found);
    };
    const auto addFile = [&](const std::filesystem::path& path) {
        const h5::File file = h5::openFile(path);
        contents.index.add(file.get(), path, accept);
    };
    std::error_code error;
    addInterim(folder, accept, contents.index);
    const auto session = sessionFor(folder);
    if (std::filesystem::exists(session, error) && belongsTo(contents.head, session)) {
        addFile(session);
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (isPartFile(entry.path())) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    for (const auto& path : files) {
        try {
            addFile(path);
        } catch (const Error& problem) {
            if (problem.code() != ErrorCode::BadSession &&
                problem.code() != ErrorCode::FileNotFound) {
                throw;
            }
        }
    }
    return contents;
}

void updateStates(Head& head, const ResultIndex& index, bool runEnded) {
    for (ExperimentRecord& record : head.experiments) {
        const auto found = index.experiments.find({BranchId(0), record.id});
        const FinishedExperiment* finished =
            found == index.experiments.end() ? nullptr : &found->second;
        record.state = stateOf(record, finished, runEnded);
        record.layersDone.clear();
        if (finished == nullptr) {
            continue;
        }
        for (const auto& layer : finished->parts) {
            if (layer) {
                record.layersDone.push_back(*layer);
            }
        }
    }
}

}  // namespace moescope::session::parts
