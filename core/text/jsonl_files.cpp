// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/closest_name.h"
#include "core/base/error.h"
#include "core/base/json_depth.h"
#include "core/text/document_readers.h"
#include "core/text/limits.h"
#include "core/text/text_file.h"
#include "core/text/utf8.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace moescope::text {
namespace {

using nlohmann::json;

/// One line of a file, with what errors need to point at it.
struct Line {
    const TextFile& file;
    std::uint64_t number;
    std::string_view text;

    [[noreturn]] void fail(std::string_view problem) const {
        throw Error(ErrorCode::BadText,
                    fmt::format("{}, line {}: {}", file.name(), number, problem));
    }
};

json parseObject(const Line& line) {
    if (line.text.size() > kMaxDocumentBytes) {
        line.fail(kTooLongMessage);
    }
    line.file.requireReadable(line.text);
    if (isNestedDeeper(line.text)) {
        line.fail(fmt::format("the value is nested deeper than {} levels.", kDeepestJson));
    }
    json object;
    try {
        object = json::parse(line.text);
    } catch (const json::exception& error) {
        line.fail(fmt::format("not a JSON value ({}). JSONL has one complete object per line.",
                              error.what()));
    }
    if (!object.is_object()) {
        line.fail(fmt::format("expected a JSON object, found {}.", object.type_name()));
    }
    return object;
}

/// The names of an object's members, each with what leads to the object before it.
std::vector<std::string> keysOf(const json& object, const std::string& path) {
    std::vector<std::string> keys;
    for (const auto& item : object.items()) {
        keys.push_back(path + item.key());
    }
    return keys;
}

/// Where looking for a column ended: its value, or the innermost object on the way to it.
struct Found {
    const json* value = nullptr;
    const json* within = nullptr;
    std::string path;  ///< of `within`, "meta."; empty: the line's object
};

/// A column's name as it stands, else as a way through objects within: "meta.source".
Found findValue(const json& object, std::string_view column, const std::string& path = {}) {
    if (const auto found = object.find(column); found != object.end()) {
        return {&*found, &object, path};
    }
    const std::size_t dot = column.find('.');
    const auto within =
        dot == std::string_view::npos ? object.end() : object.find(column.substr(0, dot));
    if (within == object.end() || !within->is_object()) {
        return {nullptr, &object, path};
    }
    return findValue(*within, column.substr(dot + 1),
                     path + std::string(column.substr(0, dot + 1)));
}

const json& valueOf(const json& object, const std::string& column, const Line& line) {
    const Found found = findValue(object, column);
    if (found.value == nullptr) {
        const std::vector<std::string> keys = keysOf(*found.within, found.path);
        const std::string where =
            found.path.empty() ? std::string("the object")
                               : fmt::format("\"{}\"", found.path.substr(0, found.path.size() - 1));
        const std::string has = keys.empty() ? std::string("no columns at all")
                                             : fmt::format("{}", fmt::join(keys, ", "));
        line.fail(fmt::format(
            "no column \"{}\"; {} has: {}.{}", column, where, has,
            didYouMean(column, std::vector<std::string_view>(keys.begin(), keys.end()))));
    }
    return *found.value;
}

std::string domainOf(const json& object, const std::string& column, const Line& line) {
    if (column.empty()) {
        return {};
    }
    const json& value = valueOf(object, column, line);
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void readLine(const Line& line, const TextSource& source, const std::string& name,
              DocumentCollector& documents) {
    const json object = parseObject(line);
    const std::string column = source.column.empty() ? "text" : source.column;
    const json& value = valueOf(object, column, line);
    if (!value.is_string()) {
        line.fail(
            fmt::format("column \"{}\" must be a string, found {}.", column, value.type_name()));
    }
    documents.add(value.get_ref<const std::string&>(), name, line.number,
                  domainOf(object, source.domainColumn, line));
}

void readOne(const std::filesystem::path& path, const TextSource& source,
             DocumentCollector& documents) {
    const TextFile file(path);
    std::string_view rest = file.text();
    const std::string name = path.filename().string();
    for (std::uint64_t number = 1; !rest.empty() && !documents.isFull(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const Line line{file, number, rest.substr(0, end)};
        if (line.text.find_first_not_of(" \t\r") != std::string_view::npos) {
            readLine(line, source, name, documents);
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

}  // namespace

void readJsonlFiles(const TextSource& source, DocumentCollector& documents) {
    for (const auto& path : source.paths) {
        if (documents.isFull()) {
            return;
        }
        readOne(path, source, documents);
    }
}

}  // namespace moescope::text
