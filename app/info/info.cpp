// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/info/info.h"

#include "app/cli/experiment_list.h"
#include "app/info/session_card.h"
#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/model_card.h"
#include "core/session/session.h"
#include "core/text/tokenizer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace moescope::info {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path partsOf(const fs::path& session) {
    fs::path parts = session;
    return parts += ".partial";
}

bool isCheckpointFile(const fs::path& path) {
    return path.extension() == ".json" || path.extension() == ".safetensors" ||
           path.extension() == ".bin" || path.extension() == ".gguf";
}

bool meansSession(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        return path.extension() == ".partial" || fs::exists(path / "head.h5", ignored);
    }
    return fs::exists(path, ignored) ? !isCheckpointFile(path) : fs::exists(partsOf(path), ignored);
}

/// How the tokenizer describes itself, or why it cannot be used.
std::string tokenizerText(const fs::path& folder) {
    try {
        return text::loadTokenizer(folder)->description();
    } catch (const Error& error) {
        return error.code() == ErrorCode::FileNotFound ? std::string("none")
                                                       : std::string("not usable: ") + error.what();
    }
}

model::ModelCard cardOf(const fs::path& path) {
    const checkpoint::Checkpoint folder(path, checkpoint::Contents::HeadersOnly);
    return model::makeModelCard(folder, tokenizerText(folder.tokenizerPath()));
}

/// A checkpoint of a list that cannot be opened is listed with the reason.
struct ListEntry {
    fs::path path;
    std::optional<model::ModelCard> card;
    std::string error;
};

std::vector<ListEntry> openAll(const std::vector<fs::path>& paths) {
    std::vector<ListEntry> entries;
    for (const fs::path& path : paths) {
        ListEntry entry{path, std::nullopt, {}};
        try {
            entry.card = cardOf(path);
        } catch (const Error& error) {
            entry.error = error.what();
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::string lineOf(const ListEntry& entry) {
    if (!entry.card) {
        return "damaged: " + entry.error;
    }
    if (!entry.card->spec) {
        return "not supported: " + entry.card->unsupported;
    }
    return fmt::format("{}, {:.4g} M parameters, {:.4g} M active", entry.card->spec->familyTitle,
                       static_cast<double>(model::sum(entry.card->parameters.total)) / 1e6,
                       static_cast<double>(model::sum(entry.card->parameters.active)) / 1e6);
}

std::string listText(const fs::path& folder, const std::vector<ListEntry>& entries) {
    std::string text = fmt::format("{} holds {} checkpoints:\n", folder.string(), entries.size());
    for (const ListEntry& entry : entries) {
        text += fmt::format("  {}\n      {}\n", entry.path.string(), lineOf(entry));
    }
    return text;
}

std::string listJson(const fs::path& folder, const std::vector<ListEntry>& entries) {
    Json checkpoints = Json::array();
    for (const ListEntry& entry : entries) {
        Json json =
            entry.card ? Json::parse(model::toJson(*entry.card)) : Json{{"error", entry.error}};
        json["path"] = entry.path.string();
        checkpoints.push_back(std::move(json));
    }
    const Json json{{"kind", "checkpoint_folder"},
                    {"path", folder.string()},
                    {"checkpoints", std::move(checkpoints)}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string infoText(const fs::path& path, bool json, bool datasets) {
    if (meansSession(path)) {
        const auto opened = session::Session::open(path);
        return json ? sessionJson(*opened) : sessionText(*opened, datasets);
    }
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        const std::vector<fs::path> found = checkpoint::findCheckpoints(path);
        if (found.size() > 1) {
            const std::vector<ListEntry> entries = openAll(found);
            return json ? listJson(path, entries) : listText(path, entries);
        }
        if (found.size() == 1) {
            const model::ModelCard card = cardOf(found.front());
            return json ? model::toJson(card) : model::toText(card);
        }
    }
    const model::ModelCard card = cardOf(path);
    return json ? model::toJson(card) : model::toText(card);
}

std::string infoText(const cli::InfoOptions& options) {
    if (options.experiments) {
        return options.json ? cli::experimentListJson() : cli::experimentListText();
    }
    return infoText(options.path, options.json, options.datasets);
}

}  // namespace moescope::info
