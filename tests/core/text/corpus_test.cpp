// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/corpus.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

using namespace moescope;
using namespace moescope::text;

namespace {

/// One token per byte, with a BOS 256.
class ByteTokenizer : public Tokenizer {
public:
    [[nodiscard]] std::vector<TokenId> encode(std::string_view utf8,
                                              bool addSpecialTokens) const override {
        std::vector<TokenId> ids;
        if (addSpecialTokens) {
            ids.push_back(256);
        }
        for (const char c : utf8) {
            ids.push_back(static_cast<unsigned char>(c));
        }
        return ids;
    }
    [[nodiscard]] std::string tokenBytes(TokenId id) const override {
        return id == 256 ? "<s>" : std::string(1, static_cast<char>(id));
    }
    [[nodiscard]] bool isSpecial(TokenId id) const override { return id == 256; }
    [[nodiscard]] std::size_t vocabularySize() const override { return 257; }
    [[nodiscard]] std::optional<TokenId> bosId() const override { return 256; }
    [[nodiscard]] std::optional<TokenId> idOf(std::string_view) const override {
        return std::nullopt;
    }
    [[nodiscard]] std::string description() const override { return "bytes"; }
    [[nodiscard]] std::string identity() const override { return "bytes"; }
};

std::vector<std::string> texts(const TextSource& source) {
    std::vector<std::string> out;
    for (const Document& document : readDocuments(source)) {
        out.push_back(document.text);
    }
    return out;
}

std::string messageOf(const TextSource& source) {
    try {
        (void)readDocuments(source);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::BadText);
        return error.what();
    }
    return "no error";
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("Corpus: the paper's long input", "[core][text]") {
    const auto path = tests::sharedDataDir() / "text/wikitext103_test.csv";
    if (!std::filesystem::exists(path)) {
        WARN("skipped: " << path << " is absent");
        return;
    }
    TextSource source;
    source.kind = TextSource::Kind::Csv;
    source.paths = {path};
    source.column = "0";
    source.hasHeader = false;
    source.splitLines = true;
    source.skipPrefix = "=";
    CHECK(readDocuments(source).size() == 1841);
    source.maxDocuments = 10;
    const auto documents = readDocuments(source);
    REQUIRE(documents.size() == 10);
    CHECK(documents.front().text.starts_with("B of the Bang was a sculpture by Thomas"));
    CHECK(documents.front().source == "wikitext103_test.csv:4");
    CHECK(documents.back().text.ends_with("120 @,@ 000 ."));
}

TEST_CASE("Corpus: CSV columns by name, index and default", "[core][text]") {
    const tests::TemporaryFolder folder;
    writeFileAtomically(folder / "a.csv",
                        "\xEF\xBB\xBFid,body,kind\r\n1,\"one\r\ntwo\",news\r\n2,three,web\r\n");
    TextSource source;
    source.kind = TextSource::Kind::Csv;
    source.paths = {folder / "a.csv"};
    source.column = "body";
    source.domainColumn = "kind";
    auto documents = readDocuments(source);
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].text == "one\r\ntwo");
    CHECK(documents[0].domain == "news");
    CHECK(documents[1].source == "a.csv:4");
    source.splitLines = true;
    CHECK(texts(source) == Texts{"one", "two", "three"});
    CHECK(readDocuments(source)[1].source == "a.csv:3");
    source.splitLines = false;
    source.column = "1";
    CHECK(texts(source) == Texts{"one\r\ntwo", "three"});
    source.column = "id";  // a BOM is no part of the first name
    CHECK(texts(source) == Texts{"1", "2"});
    source.column = "nope";
    CHECK_THAT(messageOf(source), Catch::Contains("\"nope\"") && Catch::Contains("id, body, kind"));
    source.column = "3";
    CHECK_THAT(messageOf(source),
               Catch::Contains("a.csv, line 1") && Catch::Contains("no column 3") &&
                   Catch::Contains("3 columns") && Catch::Contains("id, body, kind"));
    source.column = "";
    CHECK_THAT(messageOf(source), Catch::Contains("--column"));
    source.hasHeader = false;
    source.column = "body";
    CHECK_THAT(messageOf(source), Catch::Contains("from 0 to 2"));
}

TEST_CASE("Corpus: short records, bad bytes and blank input in CSV", "[core][text]") {
    const tests::TemporaryFolder folder;
    TextSource source;
    source.kind = TextSource::Kind::Csv;
    source.paths = {folder / "a.csv"};
    source.column = "b";
    writeFileAtomically(folder / "a.csv", "a,b\n1,x\n2\n");
    CHECK_THAT(messageOf(source), Catch::Contains("line 3") && Catch::Contains("1 field"));
    writeFileAtomically(folder / "a.csv", "a,b\n1,x\n2,y\xFFz\n");
    CHECK_THAT(messageOf(source), Catch::Contains("line 3") && Catch::Contains("offset 11"));
    writeFileAtomically(folder / "a.csv", std::string("a,b\n1,x\0y\n", 10));
    CHECK_THAT(messageOf(source), Catch::Contains("NUL byte at byte offset 7"));
    writeFileAtomically(folder / "a.csv", "a,b\n1,  \n");
    CHECK_THAT(messageOf(source), Catch::Contains("a.csv") && Catch::Contains("1 blank"));
    writeFileAtomically(folder / "a.csv", "");
    CHECK_THAT(messageOf(source), Catch::Contains("empty"));
    // Records beyond the limit are not even looked at.
    writeFileAtomically(folder / "a.csv", "a,b\n1,x\n2,\"open");
    source.maxDocuments = 1;
    CHECK(texts(source) == Texts{"x"});
    source.maxDocuments = 0;
    CHECK_THAT(messageOf(source), Catch::Contains("limit of documents"));
}

TEST_CASE("Corpus: JSONL", "[core][text]") {
    const tests::TemporaryFolder folder;
    TextSource source;
    source.kind = TextSource::Kind::Jsonl;
    source.paths = {folder / "a.jsonl"};
    source.domainColumn = "d";
    writeFileAtomically(folder / "a.jsonl",
                        "{\"text\":\"a\\nb\",\"d\":1}\r\n\n{\"text\":\"\\u00e9\",\"d\":\"x\"}");
    auto documents = readDocuments(source);
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].text == "a\nb");
    CHECK(documents[0].domain == "1");
    CHECK(documents[1].text == "\xC3\xA9");
    CHECK(documents[1].source == "a.jsonl:3");

    // Values within objects; a name that holds a dot comes first.
    writeFileAtomically(folder / "a.jsonl",
                        R"({"data":{"body":{"text":"in"}},"meta":{"d":"x"},"meta.d":"y"})"
                        "\n"
                        R"({"data":{"body":{"text":"deep"}},"meta":{"d":"z"}})");
    source.column = "data.body.text";
    source.domainColumn = "meta.d";
    documents = readDocuments(source);
    CHECK(documents.at(0).text == "in");
    CHECK(documents[0].domain == "y");
    CHECK(documents.at(1).text == "deep");
    CHECK(documents[1].domain == "z");
    source.column = "data.nothing.text";
    CHECK_THAT(messageOf(source), Catch::Contains("no column \"data.nothing.text\"") &&
                                      Catch::Contains("\"data\" has: data.body."));
    source.column = "data.body.txt";  // the innermost object on the way says what it has
    CHECK_THAT(messageOf(source), Catch::Contains("\"data.body\" has: data.body.text.") &&
                                      Catch::Contains("mean \"data.body.text\"?"));
    source.domainColumn = "d";
    writeFileAtomically(folder / "a.jsonl",
                        "{\"text\":\"a\\nb\",\"d\":1}\r\n\n{\"text\":\"\\u00e9\",\"d\":\"x\"}");
    source.column = "body";
    CHECK_THAT(messageOf(source), Catch::Contains("line 1") && Catch::Contains("d, text"));
    source.column = "d";
    CHECK_THAT(messageOf(source), Catch::Contains("must be a string"));
    writeFileAtomically(folder / "a.jsonl", "{\"text\":\"a\"}\n[1]\n");
    source.column = "text";
    source.domainColumn.clear();
    CHECK_THAT(messageOf(source), Catch::Contains("line 2") && Catch::Contains("array"));
    writeFileAtomically(folder / "a.jsonl", "{\"text\":\"a\"}\n{\"text\":\n");
    CHECK_THAT(messageOf(source), Catch::Contains("line 2") && Catch::Contains("one complete"));
    writeFileAtomically(folder / "a.jsonl", "{\"text\":\"a\xFF\"}\n");
    CHECK_THAT(messageOf(source), Catch::Contains("line 1") && Catch::Contains("offset 10"));
    writeFileAtomically(folder / "a.jsonl", std::string(200000, '['));
    CHECK_THAT(messageOf(source), Catch::Contains("line 1"));
    // A value that a domain would be made of: it must not be walked through.
    writeFileAtomically(folder / "a.jsonl", "{\"text\":\"a\",\"d\":" + std::string(100000, '[') +
                                                std::string(100000, ']') + "}\n");
    source.domainColumn = "d";
    CHECK_THAT(messageOf(source), Catch::Contains("line 1") && Catch::Contains("64 levels"));
}

TEST_CASE("Corpus: files and folders of domains", "[core][text]") {
    const tests::TemporaryFolder folder;
    std::filesystem::create_directories(folder / "c/news/deep");
    std::filesystem::create_directories(folder / "c/code");
    writeFileAtomically(folder / "c/news/deep/z.txt", "z");
    writeFileAtomically(folder / "c/news/a.txt", "a");
    writeFileAtomically(folder / "c/code/b.py", "b");
    writeFileAtomically(folder / "c/loose.txt", "l");
    writeFileAtomically(folder / "c/.hidden", std::string("\0", 1));
    writeFileAtomically(folder / "alone.txt", "\xEF\xBB\xBFone\n\n two \n");
    TextSource source;
    source.kind = TextSource::Kind::Files;
    source.paths = {folder / "alone.txt", folder / "c"};
    const auto documents = readDocuments(source);
    REQUIRE(documents.size() == 5);
    CHECK(documents[0].text == "one\n\n two \n");
    CHECK(documents[0].source == "alone.txt");
    CHECK(documents[1].source == "code/b.py");
    CHECK(documents[1].domain == "code");
    CHECK(documents[2].source == "loose.txt");
    CHECK(documents[2].domain.empty());
    CHECK(documents[4].source == "news/deep/z.txt");
    CHECK(documents[4].domain == "news");
    source.paths = {folder / "alone.txt"};
    source.splitLines = true;
    CHECK(texts(source) == Texts{"one", "two"});
    CHECK(readDocuments(source)[1].source == "alone.txt:3");
    source.paths = {folder / "missing.txt"};
    CHECK_THROWS_AS(readDocuments(source), Error);
    std::filesystem::create_directories(folder / "empty");
    source.paths = {folder / "empty"};
    CHECK_THAT(messageOf(source), Catch::Contains("empty") && Catch::Contains("sub-folder"));
    writeFileAtomically(folder / "headings.txt", "= A =\n\n = B =\n");
    source.paths = {folder / "headings.txt"};
    source.skipPrefix = "=";
    CHECK_THAT(messageOf(source), Catch::Contains("headings.txt") && Catch::Contains("3 blank"));
}

TEST_CASE("Corpus: a prompt", "[core][text]") {
    TextSource source;
    source.prompt = "As an open source alternative to";
    CHECK(texts(source) == Texts{"As an open source alternative to"});
    source.prompt = " \n";
    CHECK_THAT(messageOf(source), Catch::Contains("The prompt"));
    source.prompt = "a\xC3";
    CHECK_THAT(messageOf(source), Catch::Contains("offset 1"));
}

TEST_CASE("Corpus: a text beyond the size limit is refused", "[core][text]") {
    TextSource source;
    source.prompt = std::string((std::size_t{64} << 20U) + 1, 'a');
    CHECK_THAT(messageOf(source), Catch::Contains("64 MiB"));
}

TEST_CASE("Corpus: tokens with offsets, domains and limits", "[core][text]") {
    const ByteTokenizer tokenizer;
    const std::vector<Document> documents = {
        {"abcd", "x:1", "news"}, {"ef", "x:2", ""}, {"gh", "x:3", "web"}, {"i", "x:4", "news"}};
    TokenizedCorpus corpus = tokenize(documents, tokenizer, {});
    CHECK(corpus.tokenCount() == 13);
    CHECK(corpus.offsets == std::vector<std::uint64_t>{0, 5, 8, 11, 13});
    CHECK(corpus.domains == Texts{"news", "web"});
    CHECK(corpus.domainOf == std::vector<std::int32_t>{0, -1, 1, 0});
    CHECK(corpus.sources == Texts{"x:1", "x:2", "x:3", "x:4"});
    CHECK(corpus.tokenBytes[0] == "<s>");
    CHECK(corpus.tokenBytes[12] == "i");

    TokenizeOptions options;
    options.addSpecialTokens = false;
    options.contextLength = 3;
    options.maxTokens = 4;
    corpus = tokenize(documents, tokenizer, options);
    CHECK(corpus.ids == std::vector<TokenId>{'a', 'b', 'c', 'e'});
    CHECK(corpus.offsets == std::vector<std::uint64_t>{0, 3, 4});
    CHECK(corpus.documentCount() == 2);
    options.maxTokens = 3;  // ends exactly with a document: no empty one follows
    CHECK(tokenize(documents, tokenizer, options).documentCount() == 1);
    options.maxTokens = 0;
    CHECK_THROWS_AS(tokenize(documents, tokenizer, options), Error);
    options.maxTokens.reset();
    CHECK_THROWS_AS(tokenize({{"", "p", ""}}, tokenizer, options), Error);
}
