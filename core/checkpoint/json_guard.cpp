// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/json_guard.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <unordered_set>
#include <vector>

namespace moescope::checkpoint {
namespace {

using Json = nlohmann::json;

/// Listens to the parser (which is iterative, so depth costs no stack) and stops it at the first
/// thing that is not wanted.
class Guard : public nlohmann::json_sax<Json> {
public:
    explicit Guard(int maxDepth) : m_maxDepth(maxDepth) {}
    [[nodiscard]] const std::string& problem() const { return m_problem; }

    bool null() override { return value(); }
    bool boolean(bool /*value*/) override { return value(); }
    bool number_integer(number_integer_t /*value*/) override { return value(); }
    bool number_unsigned(number_unsigned_t /*value*/) override { return value(); }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
        return value();
    }
    bool string(string_t& /*value*/) override { return value(); }
    bool binary(binary_t& /*value*/) override { return value(); }
    bool start_object(std::size_t /*size*/) override { return open(true); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t /*size*/) override { return value() && open(false); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        if (m_keys.back().insert(name).second) {
            return true;
        }
        return fail(fmt::format("the key \"{}\" stands twice in one object", name));
    }
    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        return fail(fmt::format("it is not valid JSON at byte {}", position));
    }

private:
    bool fail(std::string problem) {
        m_problem = std::move(problem);
        return false;
    }
    bool value() { return !m_keys.empty() || fail("its outermost value is not an object"); }
    bool open(bool isObject) {
        if (m_keys.empty() && !isObject) {
            return fail("its outermost value is not an object");
        }
        m_keys.emplace_back();
        return static_cast<int>(m_keys.size()) <= m_maxDepth ||
               fail(fmt::format("it is nested deeper than {} levels", m_maxDepth));
    }
    bool close() {
        m_keys.pop_back();
        return true;
    }

    int m_maxDepth;
    std::string m_problem;
    std::vector<std::unordered_set<std::string>> m_keys;
};

}  // namespace

void checkJson(std::string_view text, std::string_view where, int maxDepth) {
    Guard guard(maxDepth);
    if (!Json::sax_parse(text.begin(), text.end(), &guard)) {
        throw Error(
            ErrorCode::BadCheckpoint,
            fmt::format("Cannot read {}: {}. Download the file again.", where, guard.problem()));
    }
}

}  // namespace moescope::checkpoint
