// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/json_reading.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/json_depth.h"
#include "core/text/added_tokens.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace moescope::text {

using nlohmann::json;

void throwBadTokenizer(const std::string& where, const std::string& problem) {
    throw Error(ErrorCode::BadTokenizer, fmt::format("{}: {}.", where, problem));
}

json readJsonFile(const std::filesystem::path& path) {
    const MappedFile file(path);
    const auto* begin = reinterpret_cast<const char*>(file.bytes().data());
    if (isNestedDeeper({begin, file.bytes().size()})) {
        throwBadTokenizer(path.string(),
                          fmt::format("it is nested deeper than {} levels", kDeepestJson));
    }
    try {
        return json::parse(begin, begin + file.bytes().size());
    } catch (const json::exception& error) {
        throwBadTokenizer(path.string(), fmt::format("not a JSON file ({})", error.what()));
    }
}

const json& member(const json& object, const char* key, const std::string& where) {
    const auto found = object.find(key);
    if (!object.is_object() || found == object.end()) {
        throwBadTokenizer(where, fmt::format("\"{}\" is missing", key));
    }
    return *found;
}

std::string stringMember(const json& object, const char* key, const std::string& where) {
    const json& value = member(object, key, where);
    if (!value.is_string()) {
        throwBadTokenizer(where,
                          fmt::format("\"{}\" must be a string, found {}", key, value.type_name()));
    }
    return value.get<std::string>();
}

bool boolMember(const json& object, const char* key, bool otherwise, const std::string& where) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return otherwise;
    }
    if (!found->is_boolean()) {
        throwBadTokenizer(
            where, fmt::format("\"{}\" must be true or false, found {}", key, found->type_name()));
    }
    return found->get<bool>();
}

std::uint32_t tokenIdOf(const json& value, const std::string& where) {
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int32_t>::max();
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kLargest) {
        throwBadTokenizer(where, fmt::format("{} is no token id", value.dump()));
    }
    return value.get<std::uint32_t>();
}

AddedToken addedTokenOf(const json& object, const std::string& where) {
    AddedToken token;
    token.content = stringMember(object, "content", where);
    token.special = boolMember(object, "special", false, where);
    token.normalized = boolMember(object, "normalized", !token.special, where);
    token.stripLeft = boolMember(object, "lstrip", false, where);
    token.stripRight = boolMember(object, "rstrip", false, where);
    token.singleWord = boolMember(object, "single_word", false, where);
    return token;
}

}  // namespace moescope::text
