// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/selection_history.h"

#include "tests/support/catch.h"

#include <QCoreApplication>

using namespace moescope;
using namespace moescope::widgets;

namespace {

struct Fixture {
    Fixture() { selection.setSession(1, {{true, true, true}, {8, 8, 8}, 100}); }
    void show(int layer, int expert) {
        selection.setLayer(LayerId{layer});
        selection.setExperts({expert});
        settle();
    }
    static void settle() { QCoreApplication::processEvents(); }
    [[nodiscard]] bool isAt(int layer, int expert) const {
        const SelectionState& state = selection.state();
        return state.layer == LayerId{layer} && state.experts == std::vector<int>{expert} &&
               state.focus == Focus::Expert;
    }
    Selection selection;
    SelectionHistory history{selection};
};

}  // namespace

TEST_CASE("SelectionHistory: back and forward between experts", "[widgets][state]") {
    Fixture f;
    CHECK_FALSE(f.history.canGoBack());
    f.show(0, 3);
    f.show(2, 5);  // layer and expert at one stroke: one step
    f.selection.selectToken(17);
    Fixture::settle();
    f.show(1, 7);
    REQUIRE(f.history.canGoBack());
    CHECK_FALSE(f.history.canGoForward());
    f.history.back();
    Fixture::settle();
    CHECK(f.isAt(2, 5));
    f.history.back();
    Fixture::settle();
    CHECK(f.isAt(0, 3));
    CHECK_FALSE(f.history.canGoBack());
    f.history.back();  // nothing there
    CHECK(f.isAt(0, 3));
    f.history.forward();
    Fixture::settle();
    CHECK(f.isAt(2, 5));
    CHECK(f.history.canGoForward());
    f.show(0, 1);  // another way from here: what was ahead is gone
    CHECK_FALSE(f.history.canGoForward());
    f.history.back();
    Fixture::settle();
    CHECK(f.isAt(2, 5));
}

TEST_CASE("SelectionHistory: another session begins anew", "[widgets][state]") {
    Fixture f;
    f.show(0, 3);
    f.show(1, 4);
    f.selection.setSession(2, {{true}, {8}, 10});
    Fixture::settle();
    CHECK_FALSE(f.history.canGoBack());
    CHECK_FALSE(f.history.canGoForward());
}
