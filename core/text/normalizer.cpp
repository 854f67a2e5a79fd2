// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/normalizer.h"

#include "core/text/utf8.h"

#include <algorithm>

namespace moescope::text {
namespace {

std::string replaceAll(std::string_view text, const std::string& what, const std::string& with) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    std::size_t from = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos && !what.empty();
         at = text.find(what, from)) {
        out.append(text, from, at - from);
        out += with;
        from = at + what.size();
    }
    out.append(text, from);
    return out;
}

std::string replaceMatches(std::string_view text, const Regex& what, const std::string& with) {
    std::string out;
    std::size_t from = 0;   // what is copied so far
    std::size_t start = 0;  // where to look on
    while (start <= text.size()) {
        const auto match = what.find(text, start);
        if (!match) {
            break;
        }
        out.append(text, from, match->begin - from);
        out += with;
        from = match->end;
        start = match->end;
        if (match->begin == match->end) {
            start += start < text.size() ? utf8SequenceLength(text, start) : 1;
        }
    }
    out.append(text, from);
    return out;
}

std::string applyStep(const Normalizer::Prepend& step, std::string_view text) {
    return text.empty() ? std::string() : step.text + std::string(text);
}

std::string applyStep(const Normalizer::Replace& step, std::string_view text) {
    if (const auto* plain = std::get_if<std::string>(&step.what)) {
        return replaceAll(text, *plain, step.with);
    }
    return replaceMatches(text, std::get<Regex>(step.what), step.with);
}

std::string applyStep(NormalForm form, std::string_view text) {
    return toNormalForm(text, form);
}

}  // namespace

std::string Normalizer::apply(std::string_view text) const {
    std::string current(text);
    for (const Step& step : m_steps) {
        current = std::visit([&](const auto& one) { return applyStep(one, current); }, step);
    }
    return current;
}

}  // namespace moescope::text
