// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace moescope::text {

struct AddedToken;

/// Checked reading of the JSON files that come with a tokenizer. `where` in the functions below is
/// how errors call the entry: "tokenizer.json: model". All throw Error(BadTokenizer).

[[nodiscard]] nlohmann::json readJsonFile(const std::filesystem::path& path);

[[noreturn]] void throwBadTokenizer(const std::string& where, const std::string& problem);

/// A member that must be there.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, const char* key,
                                           const std::string& where);
[[nodiscard]] std::string stringMember(const nlohmann::json& object, const char* key,
                                       const std::string& where);
/// A member that may be absent or null.
[[nodiscard]] bool boolMember(const nlohmann::json& object, const char* key, bool otherwise,
                              const std::string& where);
/// A number that is a token id: 0 to 2^31 - 1.
[[nodiscard]] std::uint32_t tokenIdOf(const nlohmann::json& value, const std::string& where);

/// The flags and the content of an added token; the id is the caller's.
[[nodiscard]] AddedToken addedTokenOf(const nlohmann::json& object, const std::string& where);

}  // namespace moescope::text
