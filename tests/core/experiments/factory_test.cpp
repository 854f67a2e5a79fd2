// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/factory.h"

#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/options.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using moescope::tests::checkThrows;

TEST_CASE("makeProbes: every experiment that is not derived has probes of its kind",
          "[core][experiments]") {
    using experiments::ExperimentKind;
    for (const auto& info : experiments::catalogue()) {
        CAPTURE(info.id);
        const auto probes = experiments::makeProbes(info.id, experiments::optionsJson(info.id, {}));
        const bool isStatic =
            !probes.statics.empty() || !probes.models.empty() || !probes.units.empty();
        CHECK(isStatic == (info.kind == ExperimentKind::Static));
        const bool isDynamic = !probes.dynamic.empty() || !probes.branches.empty();
        CHECK(isDynamic == (info.kind == ExperimentKind::Dynamic));
        for (const auto& probe : probes.branches) {
            CHECK(probe->experiment() == info.id);
        }
        for (const auto& probe : probes.dynamic) {
            CHECK(probe->experiment() == info.id);
        }
        for (const auto& probe : probes.statics) {
            CHECK(probe->experiment() == info.id);
        }
        for (const auto& probe : probes.units) {
            CHECK(probe->experiment() == info.id);
        }
        for (const auto& probe : probes.models) {
            CHECK(probe->experiment() == info.id);
        }
    }
}

TEST_CASE("makeProbes: unknown experiments and options are refused", "[core][experiments]") {
    checkThrows([] { static_cast<void>(experiments::makeProbes("phrenology", "{}")); },
                ErrorCode::Usage, {"phrenology"});
    checkThrows([] { static_cast<void>(experiments::makeProbes("rank_counts", "{\"x\":1}")); },
                ErrorCode::Usage, {"rank_counts", "x"});
}
