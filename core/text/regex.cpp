// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#define PCRE2_CODE_UNIT_WIDTH 8

#include "core/text/regex.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <pcre2.h>

#include <utility>

namespace moescope::text {
namespace {

struct CodeFree {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDataFree {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct CompileContextFree {
    void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct MatchContextFree {
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct JitStackFree {
    void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

/// What a thread needs to match: only the whole match is of interest, hence one pair. The stack is
/// larger than the default 32 KiB, which long runs through a group would exhaust.
struct Scratch {
    std::unique_ptr<pcre2_match_data, MatchDataFree> data{pcre2_match_data_create(1, nullptr)};
    std::unique_ptr<pcre2_match_context, MatchContextFree> context{
        pcre2_match_context_create(nullptr)};
    std::unique_ptr<pcre2_jit_stack, JitStackFree> stack{
        pcre2_jit_stack_create(std::size_t{32} << 10U, std::size_t{16} << 20U, nullptr)};
    Scratch() { pcre2_jit_stack_assign(context.get(), nullptr, stack.get()); }
};

Scratch& scratch() {
    thread_local Scratch instance;
    return instance;
}

std::string errorText(int error) {
    PCRE2_UCHAR buffer[256];
    pcre2_get_error_message(error, buffer, sizeof buffer);
    return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Impl {
    std::unique_ptr<pcre2_code, CodeFree> code;
    std::string where;
};

Regex::Regex(std::string_view pattern, std::string where) : m_impl(std::make_unique<Impl>()) {
    const std::string rewritten = toPcre2Syntax(pattern);
    const std::unique_ptr<pcre2_compile_context, CompileContextFree> context(
        pcre2_compile_context_create(nullptr));
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    m_impl->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rewritten.data()),
                                     rewritten.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                                     &error, &offset, context.get()));
    if (!m_impl->code) {
        throw Error(ErrorCode::BadTokenizer,
                    fmt::format("{}: the pattern \"{}\" does not compile: {} at offset {}.", where,
                                pattern, errorText(error), offset));
    }
    // Without JIT (some processors have none) the interpreter gives the same matches, slower.
    pcre2_jit_compile(m_impl->code.get(), PCRE2_JIT_COMPLETE);
    m_impl->where = std::move(where);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

std::optional<Regex::Match> Regex::find(std::string_view text, std::size_t from) const {
    Scratch& local = scratch();
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    int result = pcre2_match(m_impl->code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                             local.data.get(), local.context.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
        result = pcre2_match(m_impl->code.get(), subject, text.size(), from,
                             PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, local.data.get(), nullptr);
    }
    if (result == PCRE2_ERROR_NOMATCH) {
        return std::nullopt;
    }
    if (result < 0) {
        throw Error(ErrorCode::BadText,
                    fmt::format("A pattern of {} failed at byte {} of a text: {}. Split the text "
                                "into shorter documents.",
                                m_impl->where, from, errorText(result)));
    }
    const PCRE2_SIZE* pair = pcre2_get_ovector_pointer(local.data.get());
    return Match{pair[0], pair[1]};
}

}  // namespace moescope::text
