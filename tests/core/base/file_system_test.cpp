// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/file_system.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace moescope;

TEST_CASE("File system: atomic write, read back, map", "[core][base]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "a.txt";
    writeFileAtomically(path, "first");
    writeFileAtomically(path, "second");
    CHECK(readTextFile(path) == "second");
    CHECK(MappedFile(path).bytes().size() == 6);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("File system: errors name the path and the kind", "[core][base]") {
    const tests::TemporaryFolder folder;
    try {
        MappedFile missing(folder / "missing");
        FAIL("mapped a missing file");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::FileNotFound);
        CHECK_THAT(error.what(), Catch::Contains("missing"));
    }
    try {
        writeFileAtomically("/dev/full/x", "y");
        FAIL("wrote below a device");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::FileUnwritable);
    }
    CHECK_THROWS_AS(MappedFile(folder.path()), Error);
    writeFileAtomically(folder / "empty", "");
    CHECK(MappedFile(folder / "empty").bytes().empty());
}

TEST_CASE("Sha256: the standard's test vector", "[core][base]") {
    Sha256 hash;
    hash.update("abc");
    CHECK(hash.hexDigest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
