// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_allowance.h"

#include "tests/support/catch.h"

using moescope::engine::DeviceAllowance;

TEST_CASE("DeviceAllowance: what was given up comes back, layer by layer", "[core][engine]") {
    DeviceAllowance allowance(24);
    allowance.beginLayer();
    allowance.giveUpExpertsAhead();
    allowance.giveUpExperts(12);
    allowance.giveUpExperts(6);
    allowance.giveUpExperts(3);
    allowance.giveUpLayersAhead();
    CHECK(allowance.experts() == 3);
    CHECK_FALSE(allowance.expertsAhead());
    CHECK_FALSE(allowance.layersAhead());
    allowance.beginLayer();  // the layer before ran out
    CHECK(allowance.experts() == 3);
    CHECK_FALSE(allowance.layersAhead());
    for (const int experts : {6, 12, 24}) {
        allowance.beginLayer();
        CHECK(allowance.layersAhead());
        CHECK(allowance.experts() == experts);
        CHECK_FALSE(allowance.expertsAhead());  // those of the next layer come last
    }
    allowance.beginLayer();
    CHECK(allowance.expertsAhead());
    CHECK(allowance.experts() == 24);
}

TEST_CASE("DeviceAllowance: what runs out a second time stays given up", "[core][engine]") {
    DeviceAllowance allowance(8);
    allowance.beginLayer();
    allowance.giveUpExperts(4);
    allowance.beginLayer();
    allowance.beginLayer();
    CHECK(allowance.experts() == 8);
    allowance.giveUpExperts(4);
    for (int layer = 0; layer < 10; ++layer) {
        allowance.beginLayer();
        CHECK(allowance.experts() == 4);
    }
    allowance.giveUpExperts(2);
    allowance.beginLayer();
    CHECK(allowance.experts() == 2);
}
