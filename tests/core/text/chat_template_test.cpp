// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/chat_template.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

#include <nlohmann/json.hpp>

#include <random>

using namespace moescope;
using namespace moescope::text;
using nlohmann::json;

namespace {

std::filesystem::path goldenDir() {
    return tests::referenceDir() / "chat_templates";
}

std::vector<ChatMessage> messagesOf(const json& conversation) {
    std::vector<ChatMessage> messages;
    for (const json& message : conversation) {
        messages.push_back({message.at("role"), message.at("content")});
    }
    return messages;
}

std::string rendered(const std::string& source) {
    return ChatTemplate(source, {}, "T").render({{"user", "Hi"}}, false);
}

std::string messageOf(const std::string& source, ErrorCode code = ErrorCode::Unsupported) {
    try {
        (void)rendered(source);
    } catch (const Error& error) {
        CHECK(error.code() == code);
        return error.what();
    }
    return "no error";
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

}  // namespace

TEST_CASE("ChatTemplate: as transformers renders it", "[core][text]") {
    const json golden = json::parse(readTextFile(goldenDir() / "expected.json"));
    ChatTemplate::SpecialTokens tokens;
    for (const auto& [key, value] : golden.at("tokens").items()) {
        tokens.emplace_back(key, value.get<std::string>());
    }
    for (const auto& [name, results] : golden.at("rendered").items()) {
        const ChatTemplate chat(readTextFile(goldenDir() / (name + ".jinja")), tokens, name);
        for (std::size_t i = 0; i < results.size(); ++i) {
            const auto messages = messagesOf(golden.at("conversations").at(i));
            for (const bool prompt : {false, true}) {
                INFO(name << ", conversation " << i << ", prompt " << prompt);
                const json& expected = results.at(i).at(prompt ? 1 : 0);
                if (expected.is_null()) {
                    CHECK_THROWS_AS(chat.render(messages, prompt), Error);
                } else {
                    CHECK(chat.render(messages, prompt) == expected.get<std::string>());
                }
            }
        }
    }
}

TEST_CASE("ChatTemplate: what is not supported is named with its line", "[core][text]") {
    using Catch::Contains;
    CHECK_THAT(messageOf("a\n{% include 'x' %}"), Contains("T: line 2") && Contains("include"));
    CHECK_THAT(messageOf("{{ 'a' | wordwrap }}"), Contains("filter \"wordwrap\""));
    CHECK_THAT(messageOf("\n{% if 1 is prime %}{% endif %}"), Contains("test \"prime\""));
    CHECK_THAT(messageOf("{{ 'a'.zfill(3) }}"), Contains("zfill"));
    CHECK_THAT(messageOf("{{ unknown() }}"), Contains("\"unknown\""));
    CHECK_THAT(messageOf("{{ f(*messages) }}"), Contains("unpacking"));
    CHECK_THAT(messageOf("{{ nothing.member }}"), Contains("\"nothing\" is undefined"));
    CHECK_THAT(messageOf("{{ 'a' + 1 }}"), Contains("a string and an integer"));
    CHECK_THAT(messageOf("{{ 1 // 0 }}{{ 1 }}"), Contains("division by zero"));
    CHECK_THAT(messageOf("{{ strftime_now('%Q') }}"), Contains("%Q"));
    CHECK_THAT(messageOf("{{ 'a' }}", ErrorCode::Unsupported), Contains("no error"));
}

TEST_CASE("ChatTemplate: the template's own refusal", "[core][text]") {
    CHECK_THAT(messageOf("{{ raise_exception('only tools') }}", ErrorCode::BadText),
               Catch::Contains("T refuses the text") && Catch::Contains("only tools"));
}

TEST_CASE("ChatTemplate: broken templates", "[core][text]") {
    const std::string broken =
        GENERATE(as<std::string>{}, "{{", "{{ 'a", "{%", "{% if true %}", "{% endif %}",
                 "{% for x %}{% endfor %}", "{{ 1 + }}", "{{ (1 }}", "{{ [1, }}", "{{ {1: 2} }}",
                 "{# never", "{% raw %}x", "{{ a b }}", "{% set x %}", "{% macro %}{% endmacro %}",
                 "{{ ) }}", "{{ 99999999999999999999 }}", "{{ '\\ud800' }}", "{{ $ }}",
                 "{% else %}", "{{ x[ }}", "{% for a, b in [1] %}{% endfor %}", "\xFF");
    INFO(broken);
    CHECK_THROWS_AS(rendered(broken), Error);
}

TEST_CASE("ChatTemplate: no template runs for ever or exhausts the stack", "[core][text]") {
    using Catch::Contains;
    CHECK_THAT(messageOf("{{" + repeated("(", 5000) + "1" + repeated(")", 5000) + "}}"),
               Contains("too deeply"));
    CHECK_THAT(messageOf("{{ 1" + repeated(" ~ 1", 5000) + " }}"), Contains("too long"));
    CHECK_THAT(messageOf("{{" + repeated(" not", 5000) + " 1 }}"), Contains("too deeply"));
    CHECK_THAT(messageOf(repeated("{% if 1 %}", 5000)), Contains("too deeply"));
    CHECK_THAT(messageOf("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), Contains("too often"));
    CHECK_THAT(messageOf("{% for a in range(100000) %}{% for b in range(100000) %}"
                         "{% endfor %}{% endfor %}"),
               Contains("too many steps"));
    CHECK_THAT(messageOf("{{ range(10000000) }}"), Contains("too long"));
    CHECK_THAT(messageOf("{{ 'aaaaaaaaaa' * 100000000 }}"), Contains("256 MiB"));
    CHECK_THAT(messageOf("{{ 900000000000000000 * 90 }}"), Contains("too large"));
}

TEST_CASE("ChatTemplate: any cut of a template gives a text or an Error", "[core][text]") {
    const std::string source = readTextFile(goldenDir() / "features.jinja");
    std::mt19937 random(4);
    int texts = 0;
    for (int round = 0; round < 400; ++round) {
        std::string broken = source;
        const std::size_t at = random() % broken.size();
        broken.erase(at, 1 + random() % 20);
        try {
            (void)rendered(broken);
            ++texts;
        } catch (const Error&) {
            continue;
        }
    }
    CHECK(texts > 0);
}

TEST_CASE("ChatTemplate: where a checkpoint keeps it", "[core][text]") {
    const tests::TemporaryFolder folder;
    try {
        (void)loadChatTemplate(folder.path());
        FAIL("found a template in an empty folder");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::BadTokenizer);
        CHECK_THAT(error.what(), Catch::Contains("no chat template") && Catch::Contains("--chat"));
    }
    const auto render = [&] { return loadChatTemplate(folder.path()).renderUserMessage("Hi"); };
    writeFileAtomically(
        folder / "tokenizer_config.json",
        R"({"bos_token":{"content":"<s>"},"chat_template":"{{ bos_token }}{{ messages[0].content }}"})");
    CHECK(render() == "<s>Hi");
    writeFileAtomically(folder / "tokenizer_config.json",
                        R"({"chat_template":[{"name":"tool_use","template":"no"},
                            {"name":"default","template":"{{ bos_token }}:{{ messages[0].role }}"}]})");
    writeFileAtomically(folder / "special_tokens_map.json", R"({"bos_token":"[B]"})");
    CHECK(render() == "[B]:user");
    writeFileAtomically(folder / "chat_template.jinja",
                        "{% if add_generation_prompt %}\njinja{{ bos_token }}\n{% endif %}\n");
    CHECK(render() == "jinja[B]\n");
    std::filesystem::remove(folder / "chat_template.jinja");
    writeFileAtomically(folder / "tokenizer_config.json", R"({"chat_template":7})");
    CHECK_THROWS_AS(render(), Error);
}
