// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/config_keys.h"

#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using model::checkUnreadKeys;
using model::Config;

TEST_CASE("Config keys: unknown ones are named, harmless ones are silent", "[core][model]") {
    const Config config(
        R"({"use_cache": true, "transformers_version": "4.36", "zzz": 1, "aaa": null})", "c");
    CHECK(checkUnreadKeys(config) == std::vector<std::string>{"aaa", "zzz"});
}

TEST_CASE("Config keys: a switch that was not read must be neutral", "[core][model]") {
    const Config neutral(R"({"sliding_window": null, "attention_bias": false, "clip_qkv": null,
                             "residual_multiplier": 1.0, "logit_scale": 1, "n_group": 1,
                             "mlp_only_layers": [], "scoring_func": "softmax"})",
                         "c");
    CHECK(checkUnreadKeys(neutral).empty());
    for (const auto* text :
         {R"("sliding_window": 4096)", R"("attention_bias": true)", R"("clip_qkv": 8.0)",
          R"("residual_multiplier": 0.22)", R"("n_group": 8)", R"("mlp_only_layers": [0])",
          R"("scoring_func": "sigmoid")", R"("quantization_config": {"quant_method": "fp8"})"}) {
        const std::string entry(text);
        const Config config("{" + entry + "}", "dir/config.json");
        tests::checkThrows([&] { (void)checkUnreadKeys(config); }, ErrorCode::Unsupported,
                           {"dir/config.json", entry.substr(0, entry.find(':'))});
    }
}
