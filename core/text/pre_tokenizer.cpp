// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/pre_tokenizer.h"

#include "core/text/utf8.h"

#include <algorithm>

namespace moescope::text {
namespace {

using Behavior = PreTokenizer::Behavior;
using Words = PreTokenizer::Words;

/// A stretch of a piece that matches the pattern or lies between matches.
struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool isMatch = false;
};

std::vector<Span> spansOf(std::string_view text, const Regex& pattern, bool invert) {
    std::vector<Span> spans;
    std::size_t done = 0;
    std::size_t start = 0;
    while (start <= text.size()) {
        const auto match = pattern.find(text, start);
        if (!match) {
            break;
        }
        if (done != match->begin) {
            spans.push_back({done, match->begin, invert});
        }
        spans.push_back({match->begin, match->end, !invert});
        done = match->end;
        start = match->end;
        if (match->begin == match->end) {
            start += start < text.size() ? utf8SequenceLength(text, start) : 1;
        }
    }
    if (done != text.size()) {
        spans.push_back({done, text.size(), invert});
    }
    return spans;
}

/// Each match joins the stretch before it, if that is no match.
std::vector<Span> mergedWithPrevious(const std::vector<Span>& spans) {
    std::vector<Span> out;
    bool previousIsMatch = false;
    for (const Span& span : spans) {
        if (span.isMatch && !previousIsMatch && !out.empty()) {
            out.back().end = span.end;
        } else {
            out.push_back(span);
        }
        previousIsMatch = span.isMatch;
    }
    return out;
}

std::vector<Span> mergedWithNext(const std::vector<Span>& spans) {
    std::vector<Span> out;  // from right to left
    bool nextIsMatch = false;
    for (std::size_t i = spans.size(); i-- > 0;) {
        if (spans[i].isMatch && !nextIsMatch && !out.empty()) {
            out.back().begin = spans[i].begin;
        } else {
            out.push_back(spans[i]);
        }
        nextIsMatch = spans[i].isMatch;
    }
    std::reverse(out.begin(), out.end());
    return out;
}

std::vector<Span> contiguous(const std::vector<Span>& spans) {
    std::vector<Span> out;
    for (const Span& span : spans) {
        if (!out.empty() && out.back().isMatch == span.isMatch) {
            out.back().end = span.end;
        } else {
            out.push_back(span);
        }
    }
    return out;
}

std::vector<Span> arranged(std::vector<Span> spans, Behavior behavior) {
    switch (behavior) {
        case Behavior::Removed:
            std::erase_if(spans, [](const Span& span) { return span.isMatch; });
            return spans;
        case Behavior::Isolated:
            return spans;
        case Behavior::MergedWithPrevious:
            return mergedWithPrevious(spans);
        case Behavior::MergedWithNext:
            return mergedWithNext(spans);
        case Behavior::Contiguous:
            return contiguous(spans);
    }
    return spans;
}

void addSpans(std::string_view text, const std::vector<Span>& spans,
              std::vector<std::string_view>& out) {
    for (const Span& span : spans) {
        if (span.begin != span.end) {
            out.push_back(text.substr(span.begin, span.end - span.begin));
        }
    }
}

/// Isolated is what nearly every tokenizer asks for: no list of spans is kept.
void addIsolated(std::string_view text, const Regex& pattern, std::vector<std::string_view>& out) {
    const std::size_t before = out.size();
    std::size_t done = 0;
    while (done < text.size()) {
        const auto match = pattern.find(text, done);
        if (!match) {
            break;
        }
        if (match->begin == match->end) {  // rare: leave it to the general way
            out.resize(before);
            addSpans(text, spansOf(text, pattern, false), out);
            return;
        }
        if (done != match->begin) {
            out.push_back(text.substr(done, match->begin - done));
        }
        out.push_back(text.substr(match->begin, match->end - match->begin));
        done = match->end;
    }
    if (done < text.size()) {
        out.push_back(text.substr(done));
    }
}

std::string_view kept(std::string text, Words& words) {
    words.storage.push_back(std::move(text));
    return words.storage.back();
}

void applyStep(const PreTokenizer::Split& step, std::string_view piece, bool, Words& words) {
    if (step.behavior == Behavior::Isolated) {
        addIsolated(piece, step.pattern, words.list);
    } else {
        addSpans(piece, arranged(spansOf(piece, step.pattern, step.invert), step.behavior),
                 words.list);
    }
}

void applyStep(const PreTokenizer::ByteLevel& step, std::string_view piece, bool, Words& words) {
    if (step.addPrefixSpace && !piece.starts_with(' ')) {
        piece = kept(" " + std::string(piece), words);
    }
    if (step.pattern) {
        addIsolated(piece, *step.pattern, words.list);
    } else {
        words.list.push_back(piece);
    }
}

std::string marked(std::string_view piece, const PreTokenizer::Metaspace& step, bool isTextStart) {
    using Prepend = PreTokenizer::Metaspace::Prepend;
    std::string out;
    for (const char c : piece) {
        if (c == ' ') {
            out += step.mark;
        } else {
            out.push_back(c);
        }
    }
    const bool wanted =
        step.prepend == Prepend::Always || (step.prepend == Prepend::First && isTextStart);
    return wanted && !out.starts_with(step.mark) ? step.mark + out : out;
}

void applyStep(const PreTokenizer::Metaspace& step, std::string_view piece, bool isTextStart,
               Words& words) {
    const std::string_view text = kept(marked(piece, step, isTextStart), words);
    if (!step.split) {
        words.list.push_back(text);
        return;
    }
    // Every mark begins a new piece; a run of marks gives pieces of one mark each.
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t next = std::min(text.find(step.mark, begin + 1), text.size());
        words.list.push_back(text.substr(begin, next - begin));
        begin = next;
    }
}

}  // namespace

void PreTokenizer::add(Step step) {
    m_isByteLevel = m_isByteLevel || std::holds_alternative<ByteLevel>(step);
    m_steps.push_back(std::move(step));
}

void PreTokenizer::apply(std::string_view text, bool isTextStart, Words& words) const {
    words.list.assign(text.empty() ? 0 : 1, text);
    std::vector<std::string_view> before;
    for (const Step& step : m_steps) {
        before.swap(words.list);
        words.list.clear();
        bool isFirst = isTextStart;
        for (const std::string_view piece : before) {
            std::visit([&](const auto& one) { applyStep(one, piece, isFirst, words); }, step);
            isFirst = false;
        }
    }
}

}  // namespace moescope::text
