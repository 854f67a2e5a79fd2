// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Files that are damaged, ask for what is not known, or come with a configuration.
#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/text/tokenizer.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <random>

using namespace moescope;
using namespace moescope::text;
using nlohmann::json;
using Ids = std::vector<TokenId>;

namespace {

std::filesystem::path goldenDir() {
    return tests::referenceDir() / "tokenizers";
}

json llama() {
    return json::parse(readTextFile(goldenDir() / "llama/tokenizer.json"));
}

std::string messageOf(const std::filesystem::path& folder, ErrorCode code) {
    try {
        (void)loadTokenizer(folder);
    } catch (const Error& error) {
        CHECK(error.code() == code);
        return error.what();
    }
    return "no error";
}

/// What loading says after one change to a good tokenizer.json.
std::string messageAfter(const std::function<void(json&)>& change) {
    const tests::TemporaryFolder folder;
    json file = llama();
    change(file);
    writeFileAtomically(folder / "tokenizer.json", file.dump());
    return messageOf(folder.path(), ErrorCode::BadTokenizer);
}

Ids encodeWith(const std::string& config, bool addSpecialTokens = true,
               const std::string& text = "a") {
    const tests::TemporaryFolder folder;
    writeFileAtomically(folder / "tokenizer.json", llama().dump());
    writeFileAtomically(folder / "tokenizer_config.json", config);
    return loadTokenizer(folder.path())->encode(text, addSpecialTokens);
}

}  // namespace

TEST_CASE("tokenizer.json: what is not known is named, never passed over", "[core][text]") {
    using Catch::Contains;
    CHECK_THAT(messageAfter([](json& j) {
                   j["normalizer"] = {{"type", "Nmt"}};
               }),
               Contains("tokenizer.json: normalizer") && Contains("\"Nmt\""));
    CHECK_THAT(messageAfter([](json& j) {
                   j["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
               }),
               Contains("pre_tokenizer") && Contains("UnicodeScripts"));
    CHECK_THAT(messageAfter([](json& j) {
                   j["post_processor"] = {{"type", "Odd"}};
               }),
               Contains("post_processor") && Contains("Odd"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["type"] = "Unigram"; }),
               Contains("model") && Contains("Unigram"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }),
               Contains("end_of_word_suffix"));
    CHECK_THAT(messageAfter([](json& j) {
                   j["pre_tokenizer"] = json::parse(
                       R"({"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated"})");
               }),
               Contains("pre_tokenizer") && Contains("does not compile"));
}

TEST_CASE("tokenizer.json: damaged files", "[core][text]") {
    using Catch::Contains;
    CHECK_THAT(messageAfter([](json& j) { j.erase("model"); }), Contains("\"model\" is missing"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["vocab"]["x"] = -1; }), Contains("token id"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["vocab"]["x"] = 4000000000U; }),
               Contains("token id"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["vocab"]["x"] = 2000000000; }),
               Contains("implausibly large"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["merges"][3] = "a b c"; }),
               Contains("merge 3"));
    CHECK_THAT(messageAfter([](json& j) { j["model"]["merges"][3] = "qqq zzz"; }),
               Contains("merge 3") && Contains("not in the vocabulary"));
    CHECK_THAT(messageAfter([](json& j) { j["added_tokens"][0].erase("content"); }),
               Contains("added_tokens") && Contains("content"));
    CHECK_THAT(messageAfter([](json& j) {
                   for (int depth = 0; depth < 1000; ++depth) {
                       j["normalizer"] = {{"type", "Sequence"},
                                          {"normalizers", json::array({j["normalizer"]})}};
                   }
               }),
               Contains("nested deeper"));
    const tests::TemporaryFolder folder;
    writeFileAtomically(folder / "tokenizer.json", "{\"model\":");
    CHECK_THAT(messageOf(folder.path(), ErrorCode::BadTokenizer), Contains("not a JSON file"));
    writeFileAtomically(folder / "tokenizer.json", "");
    CHECK_THAT(messageOf(folder.path(), ErrorCode::BadTokenizer), Contains("not a JSON file"));
    writeFileAtomically(folder / "tokenizer.json", "[]");
    CHECK_THAT(messageOf(folder.path(), ErrorCode::BadTokenizer), Contains("is missing"));
}

// Values replaced at random places: loading gives a tokenizer or an Error, nothing else.
TEST_CASE("tokenizer.json: values of any kind at any place", "[core][text]") {
    std::mt19937 random(5);
    json base = json::parse(readTextFile(goldenDir() / "byte-level-split/tokenizer.json"));
    // A few merges and pieces are enough, and quick.
    base["model"]["merges"].erase(base["model"]["merges"].begin() + 20,
                                  base["model"]["merges"].end());
    std::vector<json::json_pointer> places;
    const json flat = base.flatten();
    for (const auto& [place, value] : flat.items()) {
        if (place.find("/vocab/") == std::string::npos) {
            places.emplace_back(place);
        }
    }
    const std::vector<json> values = {
        nullptr,  true, -1, 3.5, "", "x", json::array(), json::object(), json::array({1, 2}),
        1U << 30U};
    const tests::TemporaryFolder folder;
    int loaded = 0;
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
        json broken = base;
        json::json_pointer place = places[random() % places.size()];
        for (auto up = random() % 3; up > 0 && !place.parent_pointer().empty(); --up) {
            place = place.parent_pointer();
        }
        broken[place] = values[random() % values.size()];
        writeFileAtomically(folder / "tokenizer.json", broken.dump());
        INFO(place.to_string() << " = " << broken[place].dump());
        try {
            (void)loadTokenizer(folder.path())->encode("Hello <mask> tool 12 \xC3\xA9[NFC]", true);
            ++loaded;
        } catch (const Error&) {
            ++refused;
        }
    }
    CHECK(loaded > 0);
    CHECK(refused > 0);
}

TEST_CASE("tokenizer_config.json: BOS and EOS flags replace the template", "[core][text]") {
    const Ids plain = encodeWith("{}", false);
    const auto around = [&](Ids before, const Ids& after) {
        before.insert(before.end(), plain.begin(), plain.end());
        before.insert(before.end(), after.begin(), after.end());
        return before;
    };
    CHECK(encodeWith("{}") == around({1}, {}));
    const std::string names = R"("bos_token":"<s>","eos_token":{"content":"</s>"})";
    CHECK(encodeWith("{" + names + R"(,"add_bos_token":false})") == plain);
    CHECK(encodeWith("{" + names + R"(,"add_bos_token":true,"add_eos_token":true})") ==
          around({1}, {2}));
    CHECK(encodeWith("{" + names + R"(,"add_eos_token":true})") == around({}, {2}));
}

TEST_CASE("tokenizer_config.json: added tokens and damage", "[core][text]") {
    const std::string added =
        R"({"added_tokens_decoder":{"1100":{"content":"<|im_start|>","special":true}}})";
    const Ids ids = encodeWith(added, false, "<|im_start|>a");
    REQUIRE(ids.size() >= 2);
    CHECK(ids.front() == 1100);
    CHECK_THROWS_AS(encodeWith(R"({"added_tokens_decoder":{"x":{"content":"a"}}})"), Error);
    CHECK_THROWS_AS(encodeWith(R"({"added_tokens_decoder":{"9999999999":{"content":"a"}}})"),
                    Error);
    CHECK_THROWS_AS(encodeWith(R"({"added_tokens_decoder":{"99999999":{"content":"zz"}}})"), Error);
    CHECK_THROWS_AS(encodeWith("[1]"), Error);
    CHECK_THROWS_AS(encodeWith("{"), Error);
}

TEST_CASE("tokenizer.model: BOS, flags, legacy prefix and added tokens", "[core][text]") {
    const tests::TemporaryFolder folder;
    std::filesystem::copy(goldenDir() / "sentencepiece/tokenizer.model",
                          folder / "tokenizer.model");
    const auto encode = [&](const std::string& text, bool specials) {
        return loadTokenizer(folder.path())->encode(text, specials);
    };
    const Ids plain = encode("Hello", false);
    CHECK(encode("Hello", true).front() == 1);
    CHECK(encode("Hello", true).size() == plain.size() + 1);
    CHECK(encode("", true) == Ids{1});
    CHECK(encode("", false).empty());
    Ids again = encode("<s>Hello", false);
    CHECK(again.front() == 1);
    again.erase(again.begin());
    CHECK(again == plain);  // with its own prefix space
    writeFileAtomically(folder / "tokenizer_config.json",
                        R"({"legacy":false,"add_bos_token":false,"add_eos_token":true})");
    CHECK(encode("Hello", true).back() == 2);
    CHECK(encode("Hello", false) == plain);
    again = encode("<s>Hello", false);
    const auto tokenizer = loadTokenizer(folder.path());
    CHECK(tokenizer->tokenBytes(again[1]).front() == 'H');  // no space after a special token
    writeFileAtomically(folder / "added_tokens.json", R"({"<|x|>":1100})");
    CHECK(encode("<|x|>", false) == Ids{1100});
    CHECK(loadTokenizer(folder.path())->vocabularySize() == 1101);
    CHECK(loadTokenizer(folder.path())->identity() == tokenizer->identity());
}

TEST_CASE("tokenizer.model: damaged files", "[core][text]") {
    const tests::TemporaryFolder folder;
    writeFileAtomically(folder / "tokenizer.model", "no model");
    CHECK_THAT(messageOf(folder.path(), ErrorCode::BadTokenizer),
               Catch::Contains("tokenizer.model"));
    writeFileAtomically(folder / "tokenizer.model", "");
    CHECK_THAT(messageOf(folder.path(), ErrorCode::BadTokenizer),
               Catch::Contains("tokenizer.model"));
    const std::string good = readTextFile(goldenDir() / "sentencepiece/tokenizer.model");
    std::mt19937 random(9);
    for (int round = 0; round < 200; ++round) {
        std::string bad = good;
        if (round % 2 == 0) {
            bad.resize(random() % bad.size());
        } else {
            bad[random() % bad.size()] = static_cast<char>(random());
        }
        writeFileAtomically(folder / "tokenizer.model", bad);
        try {
            (void)loadTokenizer(folder.path())->encode("Hello \xE4\xB8\xAD", true);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::BadTokenizer);
        }
    }
}

TEST_CASE("Tokenizer: the same vocabulary has the same identity in both formats", "[core][text]") {
    CHECK(loadTokenizer(goldenDir() / "sentencepiece")->identity() ==
          loadTokenizer(goldenDir() / "llama")->identity());
    CHECK(loadTokenizer(goldenDir() / "llama")->identity() !=
          loadTokenizer(goldenDir() / "byte-level-plain")->identity());
}

TEST_CASE("Tokenizer: folders without one", "[core][text]") {
    const tests::TemporaryFolder folder;
    CHECK_THAT(messageOf(folder.path(), ErrorCode::FileNotFound),
               Catch::Contains("neither tokenizer.json nor tokenizer.model"));
    writeFileAtomically(folder / "tiktoken.model", "x");
    CHECK_THAT(messageOf(folder.path(), ErrorCode::BadTokenizer), Catch::Contains("tiktoken"));
    CHECK_THAT(messageOf(folder / "no", ErrorCode::FileNotFound), Catch::Contains("no"));
}
