// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/unit_journal.h"

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <cmath>
#include <fstream>
#include <limits>

using namespace moescope;
using engine::UnitJournal;
using Values = std::vector<double>;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void fill(const std::filesystem::path& file, int units) {
    std::filesystem::remove(file);
    UnitJournal journal(file, "one");
    for (int i = 0; i < units; ++i) {
        journal.append(std::to_string(i), Values{static_cast<double>(i), -0.5});
    }
}

}  // namespace

TEST_CASE("UnitJournal: finds what was appended, also when opened again", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const auto file = folder / "units.bin";
    CHECK(UnitJournal(file, "one").size() == 0);
    CHECK_FALSE(std::filesystem::exists(file));
    fill(file, 3);
    UnitJournal journal(file, "one");
    REQUIRE(journal.size() == 3);
    CHECK(journal.read("2") == Values{2.0, -0.5});
    CHECK_FALSE(journal.contains("3"));
    journal.append("empty", {});
    journal.append("nan", Values{kNaN});
    journal.append("2", Values{7.0});
    const UnitJournal again(file, "one");
    CHECK(again.size() == 5);
    CHECK(again.read("empty").empty());
    CHECK(std::isnan(again.read("nan").front()));
    CHECK(again.read("2") == Values{7.0});
}

TEST_CASE("UnitJournal: another fingerprint begins anew", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const auto file = folder / "units.bin";
    fill(file, 2);
    {
        UnitJournal other(file, "two");
        CHECK(other.size() == 0);
        other.append("x", Values{1.0});
    }
    CHECK(UnitJournal(file, "two").size() == 1);
    CHECK(UnitJournal(file, "one").size() == 0);
}

TEST_CASE("UnitJournal: cut or damaged anywhere, whole records before it stay", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const auto file = folder / "units.bin";
    fill(file, 4);
    const auto whole = std::filesystem::file_size(file);
    const auto header = std::uintmax_t{72};
    const auto record = (whole - header) / 4;
    for (std::uintmax_t size = 0; size < whole; ++size) {
        fill(folder / "cut.bin", 4);
        std::filesystem::resize_file(folder / "cut.bin", size);
        UnitJournal journal(folder / "cut.bin", "one");
        CHECK(journal.size() == (size < header ? 0 : (size - header) / record));
        journal.append("after", Values{1.0, 2.0});
        const UnitJournal again(folder / "cut.bin", "one");
        CHECK(again.size() == journal.size());
        CHECK(again.read("after") == Values{1.0, 2.0});
    }
    for (std::uintmax_t place = header; place < whole; ++place) {
        fill(folder / "bad.bin", 4);
        {
            std::fstream bad(folder / "bad.bin", std::ios::in | std::ios::out | std::ios::binary);
            bad.seekg(static_cast<std::streamoff>(place));
            const char flipped = static_cast<char>(bad.get() ^ 0x41);
            bad.seekp(static_cast<std::streamoff>(place));
            bad.put(flipped);
        }
        CHECK(UnitJournal(folder / "bad.bin", "one").size() == (place - header) / record);
    }
}

TEST_CASE("UnitJournal: a full disk is said", "[core][engine]") {
    const tests::TemporaryFolder folder;
    std::filesystem::create_symlink("/dev/full", folder / "units.bin");
    UnitJournal journal(folder / "units.bin", "one");
    CHECK_THROWS_AS(journal.append("a", Values{1.0}), Error);
    tests::checkThrows(
        [&] { UnitJournal(folder / "no/units.bin", "one").append("a", Values{1.0}); },
        ErrorCode::FileUnwritable, {"units.bin"});
}
