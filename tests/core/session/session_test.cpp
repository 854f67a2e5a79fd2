// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/session.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/experiments/catalogue.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <hdf5.h>

#include <fstream>
#include <functional>
#include <random>
#include <set>

using namespace moescope;
using namespace moescope::session;

namespace {

ErrorCode codeOf(const std::filesystem::path& path) {
    try {
        const auto opened = Session::open(path);
        for (const QuantityInfo& info : opened->quantities()) {
            for (const LayerId layer : info.layers) {
                static_cast<void>(opened->read(info.id, layer));
            }
        }
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::Internal;
}

void edit(const std::filesystem::path& path, const std::function<void(hid_t)>& change) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    REQUIRE(file >= 0);
    change(file);
    REQUIRE(H5Fclose(file) >= 0);
}

void replaceDataset(hid_t file, const char* name, hid_t type, std::vector<hsize_t> dims) {
    H5Ldelete(file, name, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t dataset =
        H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(dataset);
    H5Sclose(space);
}

}  // namespace

TEST_CASE("Session: wrong files are refused by kind", "[core][session]") {
    const tests::TemporaryFolder folder;
    CHECK(codeOf(folder / "absent.h5") == ErrorCode::FileNotFound);
    writeFileAtomically(folder / "text.h5", "hello");
    CHECK(codeOf(folder / "text.h5") == ErrorCode::BadSession);
    writeFileAtomically(folder / "empty.h5", "");
    CHECK(codeOf(folder / "empty.h5") == ErrorCode::BadSession);
    const hid_t foreign =
        H5Fcreate((folder / "foreign.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(foreign);
    CHECK(codeOf(folder / "foreign.h5") == ErrorCode::BadSession);
    tests::checkThrows([&] { static_cast<void>(Session::open(folder.path())); },
                       ErrorCode::BadSession, {folder.path().string(), "is a folder"});
}

TEST_CASE("Session: a newer major version is refused, a newer minor opens", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    tests::writeSyntheticSession(path, {});
    const auto setVersion = [&](int major, int minor) {
        edit(path, [&](hid_t file) {
            const int version[2] = {major, minor};
            const hid_t attribute = H5Aopen(file, "moescope_format_version", H5P_DEFAULT);
            H5Awrite(attribute, H5T_NATIVE_INT, version);
            H5Aclose(attribute);
        });
    };
    setVersion(1, 99);
    CHECK(Session::open(path)->schemaVersion() == "1.99");
    setVersion(2, 0);
    CHECK(codeOf(path) == ErrorCode::SessionTooNew);
}

TEST_CASE("Session: a truncated file is refused at every length", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    tests::SyntheticRun run;
    run.layers = 2;
    tests::writeSyntheticSession(path, run);
    const std::string content = readTextFile(path);
    const auto cut = folder / "cut.h5";
    for (std::size_t length = 0; length < content.size(); length += content.size() / 37 + 1) {
        std::ofstream(cut, std::ios::binary) << content.substr(0, length);
        INFO(length);
        CHECK(codeOf(cut) == ErrorCode::BadSession);
    }
    std::ofstream(cut, std::ios::binary) << content.substr(0, content.size() - 100);
    tests::checkThrows([&] { static_cast<void>(Session::open(cut)); }, ErrorCode::BadSession,
                       {"cut.h5 is cut short: " + std::to_string(content.size() - 100) +
                        " of its " + std::to_string(content.size()) + " bytes"});
}

TEST_CASE("Session: contents that contradict each other are refused", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto good = folder / "good.h5";
    tests::writeSyntheticSession(good, {});
    const auto path = folder / "bad.h5";
    const auto broken = [&](const std::function<void(hid_t)>& change) {
        std::filesystem::copy_file(good, path, std::filesystem::copy_options::overwrite_existing);
        edit(path, change);
        return codeOf(path);
    };
    const auto replaced = [&](const char* name, hid_t type, std::vector<hsize_t> dims) {
        return broken([&](hid_t file) { replaceDataset(file, name, type, dims); });
    };
    CHECK(replaced("run/text/ids", H5T_NATIVE_UINT32, {7}) == ErrorCode::BadSession);
    CHECK(broken([](hid_t file) {
              const hid_t experts = H5Dopen2(file, "run/model/layer_experts", H5P_DEFAULT);
              const std::vector<std::int32_t> many(64, 2'000'000'000);
              H5Dwrite(experts, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, many.data());
              H5Dclose(experts);
          }) == ErrorCode::BadSession);
    CHECK(replaced("run/text/ids", H5T_NATIVE_DOUBLE, {60}) == ErrorCode::BadSession);
    CHECK(replaced("run/text/ids", H5T_NATIVE_UINT32, {hsize_t{1} << 60U}) ==
          ErrorCode::BadSession);
    CHECK(replaced("run/text/token_byte_offsets", H5T_NATIVE_UINT64, {61}) ==
          ErrorCode::BadSession);
    CHECK(replaced("run/text/document_offsets", H5T_NATIVE_UINT64, {4}) == ErrorCode::BadSession);
    CHECK(replaced("run/model/layer_top_k", H5T_NATIVE_INT32, {3}) == ErrorCode::BadSession);
    CHECK(replaced("run/branch_0/dynamic/chosen_experts/ids/data", H5T_NATIVE_UINT8, {3, 9, 2}) ==
          ErrorCode::BadSession);
    CHECK(replaced("run/branch_0/dynamic/chosen_experts/ids/layer", H5T_NATIVE_INT32, {9}) ==
          ErrorCode::BadSession);
    CHECK(broken([](hid_t file) { H5Ldelete(file, "run/process", H5P_DEFAULT); }) ==
          ErrorCode::BadSession);
    CHECK(broken([](hid_t file) { H5Ldelete(file, "run/model", H5P_DEFAULT); }) ==
          ErrorCode::BadSession);
    CHECK(broken([](hid_t) {}) == ErrorCode::Internal);  // unchanged: opens
}

TEST_CASE("Session: nothing that leads out of the file is followed", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto other = folder / "other.h5";
    const auto path = folder / "run.h5";
    tests::writeSyntheticSession(other, {});
    const auto changed = [&](const std::function<void(hid_t)>& change) {
        std::filesystem::copy_file(other, path, std::filesystem::copy_options::overwrite_existing);
        edit(path, change);
        return codeOf(path);
    };
    const std::string experiment = "run/branch_0/dynamic/chosen_experts";
    // Whatever the name, the same content is there: only the way to it differs.
    for (const std::string& name :
         {std::string("run"), std::string("run/model"), std::string("run/text/ids"),
          std::string("run/process"), experiment, experiment + "/ids", experiment + "/ids/data",
          experiment + "/ids/layer"}) {
        INFO(name);
        const auto replaced = [&](const std::function<void(hid_t)>& link) {
            return changed([&](hid_t file) {
                REQUIRE(H5Lmove(file, name.c_str(), file, "aside", H5P_DEFAULT, H5P_DEFAULT) >= 0);
                link(file);
            });
        };
        CHECK(replaced([&](hid_t file) {
                  H5Lcreate_hard(file, "aside", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
              }) == ErrorCode::Internal);  // opens
        const ErrorCode external = replaced([&](hid_t file) {
            H5Lcreate_external(other.c_str(), name.c_str(), file, name.c_str(), H5P_DEFAULT,
                               H5P_DEFAULT);
        });
        const ErrorCode soft = replaced([&](hid_t file) {
            H5Lcreate_soft("/aside", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
        });
        // A result that is linked is none; anything else makes the file unreadable.
        const bool result = name == experiment || name == experiment + "/ids";
        const ErrorCode expected = result ? ErrorCode::Internal : ErrorCode::BadSession;
        CHECK(external == expected);
        CHECK(soft == expected);
    }
}

TEST_CASE("Session: datasets whose values lie in other files are refused", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    const auto secret = folder / "secret.bin";
    writeFileAtomically(secret, std::string(4096, 'x'));
    const char* const name = "run/text/ids";
    const auto replacedIds = [&](const std::function<void(hid_t, hsize_t)>& layout) {
        std::filesystem::remove(path);
        tests::writeSyntheticSession(path, {});
        const auto tokens = Session::open(path)->head().corpus.tokenCount();
        edit(path, [&](hid_t file) {
            REQUIRE(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
            const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
            layout(properties, tokens);
            const hsize_t dims = tokens;
            const hid_t space = H5Screate_simple(1, &dims, nullptr);
            const hid_t dataset =
                H5Dcreate2(file, name, H5T_STD_U32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
            REQUIRE(dataset >= 0);
            H5Dclose(dataset);
            H5Sclose(space);
            H5Pclose(properties);
        });
        return codeOf(path);
    };
    CHECK(replacedIds([&](hid_t properties, hsize_t tokens) {
              H5Pset_external(properties, secret.c_str(), 0, tokens * 4);
          }) == ErrorCode::BadSession);
    CHECK(replacedIds([&](hid_t properties, hsize_t tokens) {
              const hid_t space = H5Screate_simple(1, &tokens, nullptr);
              H5Pset_virtual(properties, space, secret.c_str(), "x", space);
              H5Sclose(space);
          }) == ErrorCode::BadSession);
    CHECK(replacedIds([](hid_t, hsize_t) {}) == ErrorCode::Internal);  // zeros are token ids too
}

TEST_CASE("Session: flipped bytes never crash the reader", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    tests::SyntheticRun run;
    run.layers = 2;
    run.experiments = {"chosen_experts", "rank_counts"};
    tests::writeSyntheticSession(path, run);
    const std::string good = readTextFile(path);
    const auto bad = folder / "bad.h5";
    std::mt19937 random(1);
    int refused = 0;
    for (int i = 0; i < 500; ++i) {
        std::string content = good;
        for (int flips = 0; flips < 4; ++flips) {
            content[random() % content.size()] = static_cast<char>(random());
        }
        std::ofstream(bad, std::ios::binary) << content;  // no fsync: this loop is long
        const ErrorCode code = codeOf(bad);
        refused += code == ErrorCode::BadSession || code == ErrorCode::BadShape ? 1 : 0;
    }
    CHECK(refused > 0);
}

TEST_CASE("Session: SCHEMA.md names every group, dataset and attribute of a file",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    tests::writeSyntheticSession(path, {});
    const std::string schema = readTextFile(tests::sourceDir() / "core/session/SCHEMA.md");
    std::set<std::string> names;
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const auto visit = [](hid_t object, const char* name, const H5O_info_t*, void* out) -> herr_t {
        auto& all = *static_cast<std::set<std::string>*>(out);
        const std::string whole(name);
        // Experiments and quantities are named by the catalogue; the format itself ends above them.
        const bool result = whole.rfind("run/branch_", 0) == 0;
        const std::string last = whole.substr(whole.rfind('/') + 1);
        if (!result || last == "data" || last == "layer") {
            all.insert(last);
        }
        const auto attribute = [](hid_t, const char* attributeName, const H5A_info_t*,
                                  void* inner) -> herr_t {
            static_cast<std::set<std::string>*>(inner)->insert(attributeName);
            return 0;
        };
        const hid_t opened = H5Oopen(object, name, H5P_DEFAULT);
        H5Aiterate2(opened, H5_INDEX_NAME, H5_ITER_INC, nullptr, attribute, out);
        H5Oclose(opened);
        return 0;
    };
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, &names);
    H5Fclose(file);
    for (const auto& info : experiments::catalogue()) {
        names.erase(std::string(info.id));
    }
    for (const char* ours : {".", "0", "branch_0", "CLASS", "NAME", "DIMENSION_LIST",
                             "DIMENSION_LABELS", "REFERENCE_LIST"}) {
        names.erase(ours);  // members of a list; HDF5's own
    }
    for (const std::string& name : names) {
        INFO(name);
        CHECK(schema.find("`" + name + "`") != std::string::npos);
    }
}
