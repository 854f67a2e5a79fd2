// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/choices.h"

#include "core/base/error.h"
#include "core/base/json_depth.h"
#include "core/base/sha256.h"
#include "core/text/text_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

namespace moescope::text {
namespace {

using nlohmann::json;

constexpr std::string_view kForm =
    R"(Each line is an object such as {"question": "2 + 2 =", "choices": ["4", "5"], "answer": 0}.)";
constexpr std::string_view kBlanks = " \t\r\n";

[[noreturn]] void fail(const std::string& source, const std::string& problem) {
    throw Error(ErrorCode::BadText, fmt::format("{}: {}", source, problem));
}

/// Under either name.
const json& valueOf(const json& object, const char* name, const char* other,
                    const std::string& source) {
    for (const char* key : {name, other}) {
        if (const auto found = object.find(key); found != object.end()) {
            return *found;
        }
    }
    fail(source, fmt::format("there is no \"{}\" (or \"{}\"). {}", name, other, kForm));
}

std::size_t answerOf(const json& value, std::size_t choices, const std::string& source) {
    std::size_t answer = choices;
    if (value.is_number_unsigned()) {
        answer =
            static_cast<std::size_t>(std::min<std::uint64_t>(value.get<std::uint64_t>(), choices));
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), answer);
        if (error != std::errc() || end != text.data() + text.size()) {
            answer = choices;
        }
    }
    if (answer >= choices) {
        fail(source,
             fmt::format("the answer {} is not the index of one of the {} choices, "
                         "counted from 0.",
                         value.is_structured() ? value.type_name() : value.dump(), choices));
    }
    return answer;
}

ChoiceQuestion questionOf(std::string_view line, const std::string& source) {
    if (isNestedDeeper(line)) {
        fail(source, fmt::format("this is nested deeper than {} levels. {}", kDeepestJson, kForm));
    }
    const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) {
        fail(source, fmt::format("this is not a JSON object. {}", kForm));
    }
    ChoiceQuestion result;
    result.source = source;
    const json& question = valueOf(object, "question", "context", source);
    const json& choices = valueOf(object, "choices", "endings", source);
    const bool areTexts =
        choices.is_array() && std::all_of(choices.begin(), choices.end(),
                                          [](const json& choice) { return choice.is_string(); });
    if (!question.is_string() || !areTexts || choices.size() < 2) {
        fail(source, fmt::format("the question must be a text and the choices a list of two or "
                                 "more texts. {}",
                                 kForm));
    }
    result.question = question.get<std::string>();
    result.choices = choices.get<std::vector<std::string>>();
    result.answer =
        answerOf(valueOf(object, "answer", "label", source), result.choices.size(), source);
    return result;
}

bool isBlank(char c) {
    return kBlanks.find(c) != std::string_view::npos;
}

/// Blanks at the question's end belong to the choice: so tokens are cut where models know them.
std::pair<std::string, std::string> joined(const ChoiceQuestion& question,
                                           const std::string& choice) {
    const std::size_t end = question.question.find_last_not_of(kBlanks);
    const std::size_t kept = end == std::string::npos ? 0 : end + 1;
    std::string blank = question.question.substr(kept);
    if (!choice.empty() && isBlank(choice.front())) {
        blank.clear();
    } else if (blank.empty() && kept > 0) {
        blank = " ";
    }
    std::string context = question.question.substr(0, kept);
    std::string whole = context + blank + choice;
    return {std::move(context), std::move(whole)};
}

}  // namespace

std::vector<ChoiceQuestion> readChoices(const std::filesystem::path& path) {
    const TextFile file(path);
    std::string_view rest = file.text();
    std::vector<ChoiceQuestion> questions;
    for (std::uint64_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        if (line.find_first_not_of(kBlanks) != std::string_view::npos) {
            file.requireReadable(line);
            questions.push_back(
                questionOf(line, fmt::format("{}, line {}", path.filename().string(), number)));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (questions.empty()) {
        fail(path.string(), fmt::format("there is no question in it. {}", kForm));
    }
    return questions;
}

double TokenizedChoices::chance() const {
    std::vector<double> choices(answer.size());
    for (const std::uint32_t q : question) {
        choices.at(q) += 1.0;
    }
    double sum = 0.0;
    for (const double count : choices) {
        sum += 1.0 / count;
    }
    return sum / static_cast<double>(choices.size());
}

std::string TokenizedChoices::digest() const {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(ids)));
    hash.update(std::as_bytes(std::span(offsets)));
    hash.update(std::as_bytes(std::span(contextLength)));
    hash.update(std::as_bytes(std::span(question)));
    hash.update(std::as_bytes(std::span(answer)));
    return hash.hexDigest();
}

TokenizedChoices tokenizeChoices(const std::vector<ChoiceQuestion>& questions,
                                 const Tokenizer& tokenizer) {
    TokenizedChoices result;
    result.offsets.push_back(0);
    for (const ChoiceQuestion& question : questions) {
        for (const std::string& choice : question.choices) {
            const auto [context, whole] = joined(question, choice);
            const std::vector<TokenId> before = tokenizer.encode(context, true);
            const std::vector<TokenId> all = tokenizer.encode(whole, true);
            const auto alike =
                std::mismatch(before.begin(), before.end(), all.begin(), all.end()).first;
            const auto length = static_cast<std::size_t>(alike - before.begin());
            if (length == 0) {
                fail(question.source,
                     "no token stands before the choice, so that nothing says "
                     "how likely it is: write a question before it.");
            }
            if (length >= all.size() || choice.find_first_not_of(kBlanks) == std::string::npos) {
                fail(question.source, fmt::format("the choice \"{}\" has no token.", choice));
            }
            result.ids.insert(result.ids.end(), all.begin(), all.end());
            result.offsets.push_back(result.ids.size());
            result.contextLength.push_back(static_cast<std::uint32_t>(length));
            result.question.push_back(static_cast<std::uint32_t>(result.answer.size()));
        }
        result.answer.push_back(static_cast<std::uint32_t>(question.answer));
    }
    return result;
}

TokenizedCorpus withChoices(const TokenizedCorpus& corpus, const TokenizedChoices& choices) {
    TokenizedCorpus result;
    result.ids = corpus.ids;
    result.offsets = corpus.offsets;
    result.ids.insert(result.ids.end(), choices.ids.begin(), choices.ids.end());
    for (std::size_t text = 0; text < choices.textCount(); ++text) {
        result.offsets.push_back(corpus.ids.size() + choices.offsets[text + 1]);
    }
    return result;
}

}  // namespace moescope::text
