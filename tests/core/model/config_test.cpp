// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/config.h"

#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using model::Config;
using tests::checkThrows;

TEST_CASE("Config: values, aliases, defaults", "[core][model]") {
    const Config config(R"({"architectures": ["A", "B"], "model_type": "m", "n": 3, "x": 2,
                            "y": 2.5, "b": true, "none": null, "ids": [1, 2], "one": 7})",
                        "config.json");
    CHECK(config.architecture() == "A");
    CHECK(config.modelType() == "m");
    CHECK(config.integer({"n"}, 9) == 3);
    CHECK(config.integer({"absent", "n"}, 9) == 3);
    CHECK(config.integer({"absent"}, 9) == 9);
    CHECK(config.integer({"none"}, 9) == 9);
    CHECK(config.isNull("none"));
    CHECK_FALSE(config.has("none"));
    CHECK_FALSE(config.isNull("absent"));
    CHECK(config.number({"x"}, 0) == 2.0);
    CHECK(config.number({"y"}, 0) == 2.5);
    CHECK(config.flag({"b"}, false));
    CHECK(config.text({"absent"}, "fallback") == "fallback");
    CHECK(config.numbers("ids") == std::vector<double>{1, 2});
    CHECK(config.numbers("one") == std::vector<double>{7});
    CHECK(config.section("absent") == nullptr);
    CHECK(config.unreadKeys().empty());
}

TEST_CASE("Config: a wrong value is refused with file, key and value", "[core][model]") {
    const Config config(
        R"({"negative": -1, "zero": 0, "huge": 99999999999999999999, "max": 18446744073709551615,
                            "text": "8", "fraction": 2.5, "list": [1, "2"], "deep": {"a": 1}, "t": true,
                            "a": 1, "b": 2})",
        "dir/config.json");
    const auto integer = [&](std::string_view key) {
        return [&, key] { (void)config.integer({key}, 1); };
    };
    for (const auto* key :
         {"negative", "zero", "huge", "max", "text", "fraction", "list", "deep", "t"}) {
        checkThrows(integer(key), ErrorCode::BadCheckpoint,
                    {"dir/config.json", key, config.valueText(key), "integer"});
    }
    checkThrows(
        [&] {
            (void)config.integer({"a", "b"}, 1);
        },
        ErrorCode::BadCheckpoint, {"\"b\"", "1"});
    checkThrows([&] { (void)config.number({"text"}, 1); }, ErrorCode::BadCheckpoint, {"\"8\""});
    checkThrows([&] { (void)config.positive({"zero"}, 1); }, ErrorCode::BadCheckpoint, {"zero"});
    checkThrows([&] { (void)config.positive({"negative"}, 1); }, ErrorCode::BadCheckpoint, {"-1"});
    checkThrows([&] { (void)config.flag({"a"}, true); }, ErrorCode::BadCheckpoint,
                {"true or false"});
    checkThrows([&] { (void)config.text({"a"}, ""); }, ErrorCode::BadCheckpoint, {"string"});
    checkThrows([&] { (void)config.numbers("list"); }, ErrorCode::BadCheckpoint, {"list"});
    checkThrows([&] { (void)config.section("a"); }, ErrorCode::BadCheckpoint, {"object"});
}

TEST_CASE("Config: one integer, or the same for every layer", "[core][model]") {
    const Config config(R"({"one": 3, "same": [2, 2], "differ": [1, 2], "empty": [], "half": [1.5],
                            "huge": [1e300], "zero": [0, 0]})",
                        "config.json");
    CHECK(config.uniformInteger({"one"}, 1) == 3);
    CHECK(config.uniformInteger({"same"}, 1) == 2);
    CHECK(config.uniformInteger({"absent"}, 7) == 7);
    for (const auto* key : {"differ", "empty", "half", "huge", "zero"}) {
        checkThrows([&] { (void)config.uniformInteger({key}, 1); }, ErrorCode::BadCheckpoint,
                    {key});
    }
}

TEST_CASE("Config: text that is no config", "[core][model]") {
    for (const auto* text : {"", "[]", "{", "3", R"({"a": 1, "a": 2})", R"({"a": 1e999})"}) {
        CHECK_THROWS_AS(Config(text, "config.json"), Error);
    }
    CHECK(Config("{}", "config.json").architecture().empty());
    CHECK(Config(R"({"architectures": 3})", "config.json").architecture().empty());
    CHECK(Config(R"({"architectures": []})", "config.json").architecture().empty());
}

TEST_CASE("Config: a language model inside a multimodal wrapper", "[core][model]") {
    const Config config(R"({"architectures": ["Wrapper"], "model_type": "outer", "tie": true,
                            "text_config": {"model_type": "inner", "n": 5, "unread": 1}, "other": 2})",
                        "config.json");
    CHECK(config.modelType() == "inner");
    CHECK(config.integer({"n"}, 1) == 5);
    CHECK(config.flag({"tie"}, false));
    CHECK(config.architecture() == "Wrapper");
    CHECK(config.unreadKeys() == std::vector<std::string>{"unread", "other"});
}
