// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_layout.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>

namespace moescope::checkpoint {
namespace fs = std::filesystem;
namespace {

struct Part {
    std::string model;
    unsigned long number = 0;
    unsigned long count = 0;
};

std::optional<Part> partOf(const fs::path& file) {
    static const std::regex kPattern(R"((.*)-(\d{5})-of-(\d{5})\.gguf)");
    const std::string name = file.filename().string();
    std::smatch match;
    if (!std::regex_match(name, match, kPattern)) {
        return std::nullopt;
    }
    return Part{match[1], std::stoul(match[2]), std::stoul(match[3])};
}

}  // namespace

std::vector<fs::path> ggufModels(const fs::path& folder) {
    std::vector<fs::path> result;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        const auto part = partOf(it->path());
        if (name.ends_with(".gguf") && !name.starts_with("mmproj") &&
            (!part || part->number == 1)) {
            result.push_back(it->path());
        }
    }
    std::sort(result.begin(), result.end());
    return result;
}

std::vector<fs::path> ggufParts(const fs::path& file) {
    const auto part = partOf(file);
    if (!part) {
        return {file};
    }
    std::vector<fs::path> parts;
    for (unsigned long i = 1; i <= part->count; ++i) {
        parts.push_back(file.parent_path() /
                        fmt::format("{}-{:05}-of-{:05}.gguf", part->model, i, part->count));
        std::error_code ignored;
        if (!fs::exists(fs::symlink_status(parts.back(), ignored))) {
            throw Error(ErrorCode::FileNotFound,
                        fmt::format("{} is missing, one of {} files of this model. Download the "
                                    "model again.",
                                    parts.back().string(), part->count));
        }
    }
    return parts;
}

std::string ggufModelName(const fs::path& file) {
    const auto part = partOf(file);
    return part ? part->model : file.stem().string();
}

}  // namespace moescope::checkpoint
