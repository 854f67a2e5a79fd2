// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/layout.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/gguf_layout.h"
#include "core/checkpoint/hub_cache.h"
#include "core/checkpoint/json_guard.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <regex>
#include <set>

namespace moescope::checkpoint {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{256} << 20U;

/// How the files of a format are called.
struct Naming {
    WeightFormat format;
    std::string_view single, index;
    std::string_view numbered;  ///< pattern of shards that say how many there are
    std::string_view counted;   ///< pattern of shards that only have a number; may be empty
    std::string_view ending;
};
/// In the order of preference.
constexpr std::array kNamings{
    Naming{WeightFormat::Safetensors, "model.safetensors", "model.safetensors.index.json",
           R"(.*-of-(\d{1,6})\.safetensors)", "", ".safetensors"},
    Naming{WeightFormat::Torch, "pytorch_model.bin", "pytorch_model.bin.index.json",
           R"(.*-of-(\d{1,6})\.bin)", R"(pytorch_model-\d{1,6}\.bin)", ".bin"}};

/// Also true for a link that leads nowhere: that is a missing file, not an absent one.
bool isPresent(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

/// Absolute, without "." and trailing slash, links left as they are.
fs::path tidied(const fs::path& path) {
    const fs::path absolute = fs::absolute(path).lexically_normal();
    return absolute.has_filename() ? absolute : absolute.parent_path();
}

std::vector<fs::path> filesEndingIn(const fs::path& folder, std::string_view ending) {
    std::vector<fs::path> result;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (it->path().filename().string().ends_with(ending)) {
            result.push_back(it->path());
        }
    }
    std::sort(result.begin(), result.end());
    return result;
}

std::string listed(const std::vector<fs::path>& paths) {
    std::string text;
    for (const auto& path : paths) {
        text += fmt::format("\n  {}", path.string());
    }
    return text;
}

/// The folder that a path to a file in it means.
fs::path folderOfFile(const fs::path& file) {
    const std::string name = file.filename().string();
    const bool known = std::any_of(kNamings.begin(), kNamings.end(), [&](const Naming& naming) {
        return name.ends_with(naming.ending) || name == naming.index;
    });
    if (known || name == "config.json") {
        return file.parent_path();
    }
    throw Error(ErrorCode::BadCheckpoint,
                fmt::format("{} is not a checkpoint; give the folder that holds config.json.",
                            file.string()));
}

[[noreturn]] void throwNoConfig(const fs::path& folder) {
    const auto inside = findCheckpoints(folder);
    if (!inside.empty()) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{} holds {} checkpoint{}; choose one:{}", folder.string(),
                                inside.size(), inside.size() == 1 ? "" : "s", listed(inside)));
    }
    throw Error(
        ErrorCode::BadCheckpoint,
        fmt::format("{} has no config.json and no GGUF file, so it is no checkpoint folder.",
                    folder.string()));
}

[[noreturn]] void throwNoWeights(const fs::path& folder) {
    for (const std::string_view ending : {".bin", ".pth", ".pt"}) {
        const auto files = filesEndingIn(folder, ending);
        if (!files.empty()) {
            throw Error(ErrorCode::Unsupported,
                        fmt::format("{} has neither *.safetensors nor pytorch_model*.bin, only *{} "
                                    "such as {}, which Moescope does not read; get the "
                                    "safetensors form of the model.",
                                    folder.string(), ending, files.front().filename().string()));
        }
    }
    throw Error(ErrorCode::BadCheckpoint,
                fmt::format("{} has a config.json but no *.safetensors or pytorch_model*.bin file.",
                            folder.string()));
}

/// A shard must lie in the folder itself: an index may not lead to another place.
void checkShardName(const std::string& shard, const std::string& tensor, const fs::path& index) {
    const bool plain = !shard.empty() && shard != "." && shard != ".." &&
                       shard.find('/') == std::string::npos &&
                       shard.find('\0') == std::string::npos;
    if (!plain) {
        throw Error(
            ErrorCode::BadCheckpoint,
            fmt::format("{} puts tensor \"{}\" into \"{}\", which is not the name of a file "
                        "in the folder.",
                        index.string(), tensor, shard));
    }
}

std::map<std::string, std::string> readIndex(const fs::path& path) {
    const std::string text = readTextFile(path, kMaxIndexBytes);
    checkJson(text, path.string());
    const auto json = nlohmann::json::parse(text);
    const auto map = json.find("weight_map");
    if (map == json.end() || !map->is_object() || map->empty()) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{} has no \"weight_map\" with tensors.", path.string()));
    }
    std::map<std::string, std::string> index;
    for (const auto& [tensor, shard] : map->items()) {
        if (!shard.is_string()) {
            throw Error(
                ErrorCode::BadCheckpoint,
                fmt::format("{} gives no file name for tensor \"{}\".", path.string(), tensor));
        }
        checkShardName(shard.get<std::string>(), tensor, path);
        index.emplace(tensor, shard.get<std::string>());
    }
    return index;
}

std::vector<fs::path> shardsOfIndex(const fs::path& folder, std::string_view indexName,
                                    const std::map<std::string, std::string>& index) {
    std::set<fs::path> shards;
    for (const auto& [tensor, shard] : index) {
        const fs::path path = folder / shard;
        if (shards.contains(path)) {
            continue;
        }
        if (!isPresent(path)) {
            throw Error(ErrorCode::FileNotFound,
                        fmt::format("The shard {} is missing; {} says that it holds tensor \"{}\". "
                                    "Download the model again.",
                                    path.string(), indexName, tensor));
        }
        shards.insert(path);
    }
    return {shards.begin(), shards.end()};
}

/// Without an index: all shards of the "-00001-of-00003" pattern must be there.
std::vector<fs::path> shardsByName(const fs::path& folder, const Naming& naming) {
    const std::regex numbered(naming.numbered.begin(), naming.numbered.end());
    const std::regex counted(naming.counted.begin(), naming.counted.end());
    std::vector<fs::path> shards;
    std::vector<fs::path> others;
    std::size_t expected = 0;
    for (const auto& file : filesEndingIn(folder, naming.ending)) {
        const std::string name = file.filename().string();
        std::smatch match;
        if (std::regex_match(name, match, numbered)) {
            expected = std::max<std::size_t>(expected, std::stoul(match[1]));
            shards.push_back(file);
        } else if (!naming.counted.empty() && std::regex_match(name, counted)) {
            others.push_back(file);
        }
    }
    if (!shards.empty() && shards.size() != expected) {
        throw Error(ErrorCode::FileNotFound,
                    fmt::format("{} holds {} of {} shards and no {}. Download the model again.",
                                folder.string(), shards.size(), expected, naming.index));
    }
    return shards.empty() ? others : shards;
}

void checkLinks(const std::vector<fs::path>& files) {
    for (const auto& file : files) {
        std::error_code ignored;
        if (!fs::exists(file, ignored) && fs::is_symlink(file, ignored)) {
            throw Error(ErrorCode::FileNotFound,
                        fmt::format("{} is a link to {}, which is not there; the download is not "
                                    "complete.",
                                    file.string(), fs::read_symlink(file, ignored).string()));
        }
    }
}

/// A single file wins over an index, as in the reference implementation.
bool findShards(CheckpointLayout& layout, const Naming& naming) {
    const fs::path single = layout.folder / naming.single;
    const fs::path index = layout.folder / naming.index;
    layout.format = naming.format;
    if (isPresent(single)) {
        layout.shards = {single};
    } else if (isPresent(index)) {
        layout.index = readIndex(index);
        layout.shards = shardsOfIndex(layout.folder, naming.index, layout.index);
    } else {
        layout.shards = shardsByName(layout.folder, naming);
    }
    return !layout.shards.empty();
}

void findShards(CheckpointLayout& layout) {
    for (const Naming& naming : kNamings) {
        if (findShards(layout, naming)) {
            return;
        }
    }
    throwNoWeights(layout.folder);
}

/// The only GGUF model of a folder; empty where there is none.
fs::path onlyGguf(const fs::path& folder) {
    const auto models = ggufModels(folder);
    if (models.size() > 1) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{} holds {} GGUF models; choose one:{}", folder.string(),
                                models.size(), listed(models)));
    }
    return models.empty() ? fs::path() : models.front();
}

/// `file` by value: it may be the layout's own folder.
void useGguf(CheckpointLayout& layout,
             fs::path file) {  // NOLINT(performance-unnecessary-value-param)
    layout.format = WeightFormat::Gguf;
    layout.folder = file.parent_path();
    layout.shards = ggufParts(file);
    layout.displayName = ggufModelName(file);
    checkLinks(layout.shards);
}

bool hasWeights(const fs::path& folder) {
    return std::any_of(kNamings.begin(), kNamings.end(), [&](const Naming& naming) {
        return isPresent(folder / naming.single) || isPresent(folder / naming.index) ||
               !filesEndingIn(folder, naming.ending).empty();
    });
}

}  // namespace

CheckpointLayout resolveLayout(const fs::path& path) {
    if (!isPresent(path)) {
        throw Error(ErrorCode::FileNotFound,
                    fmt::format("{} does not exist.", path.empty() ? "\"\"" : path.string()));
    }
    CheckpointLayout layout;
    layout.folder = tidied(path);
    std::error_code ignored;
    if (!fs::is_directory(layout.folder, ignored)) {
        if (layout.folder.extension() == ".gguf") {
            useGguf(layout, layout.folder);
            return layout;
        }
        layout.folder = folderOfFile(layout.folder);
    }
    if (isHubFolder(layout.folder)) {
        layout.folder = hubSnapshot(layout.folder);
    }
    const bool configured = isPresent(layout.folder / "config.json");
    if (!configured || !hasWeights(layout.folder)) {
        if (const fs::path file = onlyGguf(layout.folder); !file.empty()) {
            useGguf(layout, file);
            return layout;
        }
    }
    if (!configured) {
        throwNoConfig(layout.folder);
    }
    layout.displayName = hubModelName(layout.folder).value_or(layout.folder.filename().string());
    findShards(layout);
    checkLinks(layout.shards);
    return layout;
}

std::vector<fs::path> findCheckpoints(const fs::path& path) {
    const auto ofFolder = [](const fs::path& folder) -> std::vector<fs::path> {
        if (isPresent(folder / "config.json")) {
            return {folder};
        }
        if (!isHubFolder(folder)) {
            return ggufModels(folder);
        }
        try {
            const fs::path snapshot = hubSnapshot(folder);
            const bool gguf = !isPresent(snapshot / "config.json");
            return gguf ? ggufModels(snapshot) : std::vector<fs::path>{snapshot};
        } catch (const Error&) {
            return subfolders(folder / "snapshots");
        }
    };
    const fs::path folder = tidied(path);
    std::vector<fs::path> result = ofFolder(folder);
    if (result.empty()) {
        for (const auto& child : subfolders(folder)) {
            const auto found = ofFolder(child);
            result.insert(result.end(), found.begin(), found.end());
        }
    }
    return result;
}

}  // namespace moescope::checkpoint
