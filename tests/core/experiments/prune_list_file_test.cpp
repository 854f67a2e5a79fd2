// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Files with experts to remove: what they may look like, and what is said of bad ones.

#include "core/experiments/prune_list_file.h"

#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <string>

using namespace moescope;
using namespace moescope::experiments;
using tests::checkThrows;

namespace {

/// Layer 0 is dense, 1 to 3 have eight experts of which two are chosen.
PrunedModel made() {
    PrunedModel model{"made", "0123456789abcdef", {}};
    model.layers = {{}, {8, 2}, {8, 2}, {8, 2}};
    return model;
}

struct File {
    explicit File(const std::string& text, const std::string& name = "reap-25.json")
        : path(folder / name) {
        writeFileAtomically(path, text);
    }
    [[nodiscard]] ExpertList read() const { return readPruneList(path, made()); }
    void refused(const std::vector<std::string>& parts) const {
        checkThrows([&] { static_cast<void>(read()); }, ErrorCode::Usage, parts);
    }
    tests::TemporaryFolder folder;
    std::filesystem::path path;
};

}  // namespace

TEST_CASE("Prune list: what the program exports, and shorter forms", "[core][experiments]") {
    const ExpertList expected{"reap-25", "1:3,1:5,3:0"};
    CHECK(File(R"({"format": "moescope-prune-list", "version": 1,
                   "model": {"name": "made", "identity": "0123456789abcdef"}, "removed": 3,
                   "layers": [{"layer": 1, "removed": [3, 5]}],
                   "list": [{"layer": 3, "expert": 0, "score": 0.25},
                            {"layer": 1, "expert": 5, "score": null},
                            {"layer": 1, "expert": 3}]})")
              .read() == expected);
    CHECK(File(R"({"list": [[1, 5], [3, 0], [1, 3]]})").read() == expected);
    CHECK(File(R"([{"layer": 1, "expert": 3}, [1, 5], [3, 0]])").read() == expected);
    CHECK(File("\xEF\xBB\xBF[[2, 7]]", "by.hand.json").read() == ExpertList{"by.hand", "2:7"});
}

TEST_CASE("Prune list: bad files say what is wrong and where", "[core][experiments]") {
    CHECK_THROWS(readPruneList("nowhere/list.json", made()));
    File("[[2, 7]]", "\xFFlist.json").refused({"not UTF-8", "rename"});
    const File large("[[2, 7]]");  // sparse: said before any of it is read
    std::filesystem::resize_file(large.path, std::uintmax_t{1} << 40U);
    large.refused({"1099511627776 bytes"});
    File("{\"list\":\n [[1, 2],\n [1, }").refused({"reap-25.json", "not JSON", "line 3"});
    File(std::string(100'000, '[')).refused({"nested more than 64"});
    File("").refused({"reap-25.json", "not JSON"});
    File(std::string("[[1, \0]]", 8)).refused({"not JSON"});
    File("[]").refused({"reap-25.json", "empty", R"("layer": 0)"});
    File(R"({"list": []})").refused({"empty"});
    File(R"({"experts": [[1, 2]]})").refused({"\"list\"", R"({"list": [{"layer")"});
    File("7").refused({"\"list\""});
    File(R"({"format": "other", "list": [[1, 2]]})").refused({"\"other\"", "moescope-prune-list"});
    File(R"({"format": "moescope-prune-list", "version": 2, "list": [[1, 2]]})")
        .refused({"version 2", "version 1"});
    File(R"({"model": {"name": "else", "identity": "ffff"}, "list": [[1, 2]]})")
        .refused({"another model", "else (ffff", "made (0123", "\"model\""});
    File("[[1, 2], [4, 0]]").refused({"entry 2", "no layer 4", "layers 0 to 3"});
    File("[[0, 2]]").refused({"entry 1", "layer 0 has no experts", "1 to 3"});
    File("[[1, 2], [3, 8]]").refused({"entry 2", "no expert 8 in layer 3", "0 to 7"});
    for (const char* entry : {"[1]", "[1,2,3]", "[1,-2]", "[1,2.5]", "\"1:2\"", "null",
                              R"({"layer":1})", "[1,99999999999]"}) {
        CAPTURE(entry);
        File(std::string("[[1, 2], ") + entry + "]").refused({"entry 2", entry, "counted from 0"});
    }
    File("[[1, 2], [2, 2], [1, 2]]").refused({"entry 3", "expert 2 of layer 1", "entry 1"});
    File("[[1,0],[1,1],[1,2],[1,3],[1,4],[1,5],[1,6],[1,7]]")
        .refused({"all of the 8 experts of layer 1", "chooses 2"});
    File("[[1,0],[1,1],[1,2],[1,3],[1,4],[1,5],[1,6]]").refused({"7 of the 8 experts", "layer 1"});
    CHECK_NOTHROW(File("[[1,0],[1,1],[1,2],[1,3],[1,4],[1,5]]").read());
}
