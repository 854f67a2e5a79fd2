// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/domain_selection.h"

#include "tests/support/throws.h"

using namespace moescope;
using namespace moescope::text;
using tests::checkThrows;

namespace {

using Names = std::vector<std::string>;
using Ranges = std::vector<TokenRange>;

/// Documents of 4, 6, 0, 5, 3 and 2 tokens; the last has no domain.
TokenizedCorpus corpus() {
    TokenizedCorpus corpus;
    corpus.offsets = {0, 4, 10, 10, 15, 18, 20};
    corpus.ids.resize(20);
    corpus.domains = {"prose", "code", "blank", "code, old"};
    corpus.domainOf = {0, 1, 2, 0, 3, -1};
    return corpus;
}

Ranges selected(const Names& names) {
    return selectDomains(names, corpus()).ranges();
}

}  // namespace

TEST_CASE("selectDomains: all documents of the named domains", "[core][text]") {
    CHECK(selected({"prose"}) == Ranges{{0, 4}, {10, 5}});
    CHECK(selected({"code"}) == Ranges{{4, 6}});
    CHECK(selected({"code", "prose"}) == Ranges{{0, 15}});
    CHECK(selected({"prose,code"}) == selected({"code", "prose", "code"}));
    CHECK(selected({"code, old"}) == Ranges{{15, 3}});  // a domain of that name goes first
    CHECK(selected({"blank,code"}) == Ranges{{4, 6}});
}

TEST_CASE("selectDomains: what cannot be selected is said", "[core][text]") {
    checkThrows([] { (void)selected({"cod"}); }, ErrorCode::Usage,
                {"no domain \"cod\"", "its domains are: code, prose, blank, code, old."});
    checkThrows([] { (void)selected({"nothing alike"}); }, ErrorCode::Usage,
                {"its domains are: prose, code, blank"});
    checkThrows([] { (void)selected({"prose,"}); }, ErrorCode::Usage, {"no domain \"\""});
    checkThrows([] { (void)selected({"blank"}); }, ErrorCode::Usage, {"blank have no tokens"});
    TokenizedCorpus without = corpus();
    without.domains.clear();
    without.domainOf.assign(6, -1);
    checkThrows([&] { (void)selectDomains(Names{"code"}, without); }, ErrorCode::Usage,
                {"has no domains"});
    TokenizedCorpus many = corpus();
    for (int d = 0; d < 60; ++d) {
        many.domains.push_back("d" + std::to_string(d));
    }
    checkThrows([&] { (void)selectDomains(Names{"x"}, many); }, ErrorCode::Usage, {"and 24 more"});
}
