// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/document_readers.h"
#include "core/text/text_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::text {
namespace {

namespace fs = std::filesystem;

void readOne(const fs::path& path, const std::string& name, const std::string& domain,
             DocumentCollector& documents) {
    const TextFile file(path);
    file.requireReadable(file.text());
    documents.add(file.text(), name, 0, domain);
}

/// Visible files below `folder`, sorted by path so that every machine reads the same order.
std::vector<fs::path> filesBelow(const fs::path& folder) {
    std::vector<fs::path> files;
    try {
        auto entry = fs::recursive_directory_iterator(folder);
        for (; entry != fs::recursive_directory_iterator(); ++entry) {
            const bool hidden = entry->path().filename().string().starts_with('.');
            if (hidden) {
                entry.disable_recursion_pending();
            } else if (entry->is_regular_file()) {
                files.push_back(entry->path());
            }
        }
    } catch (const fs::filesystem_error& error) {
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("Cannot list {}: {}.",
                                error.path1().empty() ? folder.string() : error.path1().string(),
                                error.code().message()));
    }
    std::sort(files.begin(), files.end());
    return files;
}

void readFolder(const fs::path& folder, DocumentCollector& documents) {
    const auto files = filesBelow(folder);
    if (files.empty()) {
        throw Error(ErrorCode::BadText,
                    fmt::format("{} holds no text files. Put them in it, one sub-folder per "
                                "domain.",
                                folder.string()));
    }
    for (const fs::path& path : files) {
        if (documents.isFull()) {
            return;
        }
        const fs::path relative = path.lexically_relative(folder);
        const bool inSubFolder = relative.has_parent_path();
        readOne(path, relative.string(), inSubFolder ? relative.begin()->string() : std::string(),
                documents);
    }
}

}  // namespace

void readTextFiles(const TextSource& source, DocumentCollector& documents) {
    for (const fs::path& path : source.paths) {
        if (documents.isFull()) {
            return;
        }
        if (fs::is_directory(path)) {
            readFolder(path, documents);
        } else {
            readOne(path, path.filename().string(), {}, documents);
        }
    }
}

}  // namespace moescope::text
