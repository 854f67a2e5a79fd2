// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/hub_cache.h"

#include "core/base/error.h"
#include "core/base/file_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::checkpoint {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "models--";

bool isPlainFileName(const std::string& text) {
    return !text.empty() && text != "." && text != ".." && text.find('/') == std::string::npos;
}

}  // namespace

std::vector<fs::path> subfolders(const fs::path& folder) {
    std::vector<fs::path> result;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (it->is_directory(ignored)) {
            result.push_back(it->path());
        }
    }
    std::sort(result.begin(), result.end());
    return result;
}

bool isHubFolder(const fs::path& folder) {
    std::error_code ignored;
    return folder.filename().string().starts_with(kPrefix) &&
           fs::is_directory(folder / "snapshots", ignored);
}

fs::path hubSnapshot(const fs::path& hubFolder) {
    const fs::path snapshots = hubFolder / "snapshots";
    const fs::path reference = hubFolder / "refs" / "main";
    std::error_code ignored;
    if (fs::is_regular_file(reference, ignored)) {
        std::string hash = readTextFile(reference, 4096);
        hash.erase(hash.find_last_not_of(" \r\n\t") + 1);
        if (!isPlainFileName(hash) || !fs::is_directory(snapshots / hash, ignored)) {
            throw Error(
                ErrorCode::BadCheckpoint,
                fmt::format("{} names the snapshot \"{}\", which is not in {}. Download the "
                            "model again.",
                            reference.string(), hash, snapshots.string()));
        }
        return snapshots / hash;
    }
    const auto found = subfolders(snapshots);
    if (found.size() == 1) {
        return found.front();
    }
    throw Error(
        ErrorCode::BadCheckpoint,
        fmt::format("{} holds {} snapshots and no refs/main that chooses one; give the path "
                    "of a snapshot folder.",
                    hubFolder.string(), found.size()));
}

std::optional<std::string> hubModelName(const fs::path& snapshot) {
    const fs::path parent = snapshot.parent_path();
    std::string name = parent.parent_path().filename().string();
    if (parent.filename() != "snapshots" || !name.starts_with(kPrefix)) {
        return std::nullopt;
    }
    name.erase(0, kPrefix.size());
    const auto separator = name.find("--");
    if (separator != std::string::npos) {
        name.replace(separator, 2, "/");
    }
    return name;
}

}  // namespace moescope::checkpoint
