// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/selection.h"

#include "tests/support/catch.h"

#include <vector>

using namespace moescope;
using namespace moescope::widgets;

namespace {

SelectionBounds bounds() {
    SelectionBounds result;
    result.layerIsRouted = {false, true, true, false, true};
    result.layerExperts = {0, 8, 8, 0, 8};
    result.tokens = 10;
    return result;
}

struct Watched {
    Selection selection;
    std::vector<SelectionChanges> changes;
    Watched() {
        QObject::connect(&selection, &Selection::changed, &selection,
                         [this](SelectionChanges c) { changes.push_back(c); });
    }
};

}  // namespace

TEST_CASE("Selection: a new session starts at its first routed layer", "[widgets][state]") {
    Watched w;
    w.selection.setSession(3, bounds());
    CHECK(w.selection.state().session == 3);
    CHECK(w.selection.state().layer == LayerId{1});
    REQUIRE(w.changes.size() == 1);
    CHECK(w.changes[0].testFlag(SelectionChange::Session));
}

TEST_CASE("Selection: steps pass over dense layers and stop at the ends", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    CHECK(w.selection.stepLayer(+1));
    CHECK(w.selection.state().layer == LayerId{2});
    CHECK(w.selection.stepLayer(+1));
    CHECK(w.selection.state().layer == LayerId{4});
    CHECK_FALSE(w.selection.stepLayer(+1));
    CHECK(w.selection.state().layer == LayerId{4});
    CHECK(w.selection.stepLayer(-1));
    CHECK(w.selection.stepLayer(-1));
    CHECK_FALSE(w.selection.stepLayer(-1));
    CHECK(w.selection.state().layer == LayerId{1});
}

TEST_CASE("Selection: a dense layer can be chosen and says so", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    w.selection.setLayer(LayerId{3});
    CHECK(w.selection.state().layer == LayerId{3});
    CHECK_FALSE(w.selection.layerIsRouted());
    CHECK(w.selection.stepLayer(-1));
    CHECK(w.selection.state().layer == LayerId{2});
}

TEST_CASE("Selection: values outside the session are clamped or dropped", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    w.selection.setLayer(LayerId{99});
    CHECK(w.selection.state().layer == LayerId{4});
    w.selection.setExperts({7, 2, 2, 8, -1});
    CHECK(w.selection.state().experts == std::vector<int>{2, 7});
    w.selection.setTokens({{8, 100}, {1, 2}, {2, 3}, {50, 1}, {4, 0}});
    CHECK(w.selection.state().tokens == std::vector<TokenRange>{{1, 4}, {8, 2}});
}

TEST_CASE("Selection: focus follows what was chosen last and never dangles", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    w.selection.selectToken(4);
    CHECK(w.selection.state().focus == Focus::Token);
    w.selection.toggleExpert(3);
    CHECK(w.selection.state().focus == Focus::Expert);
    w.selection.toggleExpert(3);
    CHECK(w.selection.state().focus == Focus::Model);
    w.selection.setPair(PairSelection{QStringLiteral("0"), QStringLiteral("F")});
    CHECK(w.selection.state().focus == Focus::Pair);
    w.selection.clear();
    CHECK(w.selection.state().focus == Focus::Model);
    CHECK(w.selection.state().tokens.empty());
}

TEST_CASE("Selection: tokens step from the first to the last", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    CHECK(w.selection.stepToken(+1));
    CHECK(w.selection.currentToken() == 0U);
    CHECK_FALSE(w.selection.stepToken(-1));
    w.selection.selectToken(9);
    CHECK_FALSE(w.selection.stepToken(+1));
    w.selection.setSession(2, {});
    CHECK_FALSE(w.selection.stepToken(+1));
}

TEST_CASE("Selection: one of several selected tokens becomes the current one", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    w.selection.setTokens({{2, 3}, {7, 2}});
    CHECK(w.selection.currentToken() == 2U);
    REQUIRE(w.selection.selectedTokens().has_value());
    CHECK(w.selection.selectedTokens()->count() == 5);
    w.selection.selectToken(8);
    CHECK(w.selection.currentToken() == 8U);
    CHECK(w.selection.selectedTokens()->count() == 5);
    w.selection.selectToken(5);  // not among them
    CHECK(w.selection.state().tokens == std::vector<TokenRange>{{5, 1}});
    CHECK_FALSE(w.selection.selectedTokens().has_value());
    w.selection.setTokens({{0, 10}});
    CHECK_FALSE(w.selection.selectedTokens().has_value());
    w.selection.setTokens({});
    CHECK_FALSE(w.selection.currentToken().has_value());
}

TEST_CASE("Selection: nothing is announced when nothing changes", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    w.selection.setLayer(LayerId{2});
    w.changes.clear();
    w.selection.setLayer(LayerId{2});
    w.selection.setSession(1, bounds());
    w.selection.clear();
    CHECK(w.changes.empty());
}

TEST_CASE("Selection: a reloaded session keeps what still exists", "[widgets][state]") {
    Watched w;
    w.selection.setSession(1, bounds());
    w.selection.selectToken(8);
    SelectionBounds smaller = bounds();
    smaller.tokens = 5;
    w.selection.setSession(1, smaller);
    CHECK(w.selection.state().tokens.empty());
    CHECK(w.selection.state().layer == LayerId{1});
}
