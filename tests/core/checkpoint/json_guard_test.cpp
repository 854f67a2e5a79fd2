// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/json_guard.h"

#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using namespace moescope::checkpoint;
using tests::checkThrows;

TEST_CASE("Json guard: accepts ordinary objects", "[core][checkpoint]") {
    CHECK_NOTHROW(checkJson("{}", "x"));
    CHECK_NOTHROW(checkJson(R"({"a": {"b": [1, -2.5, null, true, "s"]}, "b": {"b": 1}})", "x"));
    CHECK_NOTHROW(checkJson(R"({"a": [{"k": 1}, {"k": 2}]})", "x"));
}

TEST_CASE("Json guard: refuses with the file and the reason", "[core][checkpoint]") {
    const auto refused = [](const std::string& text, const std::string& word) {
        checkThrows([&] { checkJson(text, "config.json"); }, ErrorCode::BadCheckpoint,
                    {"config.json", word});
    };
    refused("", "JSON");
    refused("{\"a\": 1", "JSON");
    refused("\xFF\xFE", "JSON");
    refused("[]", "not an object");
    refused("3", "not an object");
    refused("null", "not an object");
    refused(R"({"a": 1, "b": {"c": 1, "c": 2}})", "\"c\"");
    refused(R"({"a": )" + std::string(1000000, '['), "deeper than 64");
    std::string nested;
    for (int i = 0; i < 100000; ++i) {
        nested += "{\"a\":";
    }
    refused(nested, "deeper than 64");
}
