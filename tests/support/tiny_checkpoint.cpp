// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/tiny_checkpoint.h"

#include "core/base/file_system.h"
#include "tests/support/paths.h"

#include <nlohmann/json.hpp>

namespace moescope::tests {
namespace {

using Json = nlohmann::ordered_json;

void copyFixture(const char* name, const std::filesystem::path& folder) {
    std::filesystem::copy(referenceDir() / "models" / name, folder);
    std::filesystem::remove(folder / "expected.safetensors");
    writeFileAtomically(folder / "tokenizer.json", tinyTokenizerJson());
}

Json special(int id, const char* content) {
    return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
            {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

std::string tinyTokenizerJson() {
    Json vocabulary;
    vocabulary["\xC4\xA0"] = 0;  // the byte-level alphabet's mark for a space
    vocabulary["<s>"] = 1;
    vocabulary["</s>"] = 2;
    int next = 3;
    for (char c = '!'; c <= '~'; ++c) {
        vocabulary[std::string(1, c)] = next++;
    }
    Json start{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
    Json text{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    Json other{{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
    const Json json{
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", Json::array({special(1, "<s>"), special(2, "</s>")})},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", true}}},
        {"post_processor",
         {{"type", "TemplateProcessing"},
          {"single", Json::array({start, text})},
          {"pair", Json::array({start, text, other})},
          {"special_tokens",
           {{"<s>",
             {{"id", "<s>"}, {"ids", Json::array({1})}, {"tokens", Json::array({"<s>"})}}}}}}},
        {"decoder",
         {{"type", "ByteLevel"},
          {"add_prefix_space", true},
          {"trim_offsets", true},
          {"use_regex", true}}},
        {"model",
         {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"vocab", vocabulary},
          {"merges", Json::array()}}}};
    return json.dump();
}

void makeTinyMixtral(const std::filesystem::path& folder) {
    copyFixture("mixtral", folder);
}

void makeTinyBaseline(const std::filesystem::path& folder) {
    copyFixture("mistral-baseline", folder);
}

}  // namespace moescope::tests
