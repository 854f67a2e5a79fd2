// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/h5_file.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/version.h"
#include "core/session/h5_value.h"
#include "core/session/schema.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <string_view>
#include <vector>

namespace moescope::session::h5 {
namespace {

constexpr std::uint64_t kInMemoryLimit = std::uint64_t{256} << 20U;
constexpr std::size_t kImageIncrement = std::size_t{1} << 20U;

void writeRootAttributes(hid_t file) {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    H5get_libversion(&major, &minor, &release);
    writeAttribute(file, "NX_class", std::string_view("NXroot"));
    writeAttribute(file, "default", std::string_view(schema::kRun));
    writeAttribute(file, "creator", std::string_view("moescope"));
    writeAttribute(file, "creator_version", std::string_view(kVersion));
    writeAttribute(file, "file_time",
                   fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))));
    writeAttribute(file, "HDF5_Version", fmt::format("{}.{}.{}", major, minor, release));
    writeAttribute(file, schema::kAttrFormat, std::string_view(schema::kFormat));
    writeAttribute(file, schema::kAttrVersion,
                   std::vector<std::int32_t>{schema::kMajor, schema::kMinor});
}

Properties accessProperties() {
    Properties access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    // The 1.8 format has checksums over its metadata, so that damage is found, and unlike the
    // latest one no flags that a killed writer leaves behind.
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18);
    return access;
}

File createFile(const std::filesystem::path& path, const Properties& access) {
    File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
    if (!file.valid()) {
        throw Error(ErrorCode::FileUnwritable,
                    fmt::format("Cannot create {}: {}.", path.string(), takeErrorText()));
    }
    return file;
}

void fillFile(const File& file, const std::function<void(hid_t)>& fill) {
    writeRootAttributes(file.get());
    fill(file.get());
    if (H5Fflush(file.get(), H5F_SCOPE_GLOBAL) < 0) {
        failWriting(file.get(), "the last block");
    }
}

std::vector<char> buildImage(const std::filesystem::path& path,
                             const std::function<void(hid_t)>& fill) {
    const Properties access = accessProperties();
    H5Pset_fapl_core(access.get(), kImageIncrement, false);
    const File file = createFile(path, access);
    fillFile(file, fill);
    // H5Fget_file_image knows the size, but clears a flag in its copy of the superblock without
    // renewing the checksum there; so the bytes are taken from the driver's own memory.
    const ssize_t size = H5Fget_file_image(file.get(), nullptr, 0);
    void* memory = nullptr;
    if (size <= 0 || H5Fget_vfd_handle(file.get(), access.get(), &memory) < 0 ||
        memory == nullptr) {
        failWriting(file.get(), "the file's image");
    }
    const char* bytes = *static_cast<char**>(memory);
    std::vector<char> image(bytes, bytes + size);
    return image;
}

/// Removes the temporary file unless it was committed.
class TemporaryFile {
public:
    explicit TemporaryFile(std::filesystem::path path) : m_path(std::move(path)) {}
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove(m_path, ignored);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

void writeLargeFile(const std::filesystem::path& path, std::uint64_t expectedBytes,
                    const std::function<void(hid_t)>& fill) {
    // HDF5 cannot close a file that it failed to flush, so a disk that is too small is refused
    // beforehand.
    const std::uint64_t room = freeDiskBytes(path);
    if (room < expectedBytes) {
        throw Error(
            ErrorCode::DiskFull,
            fmt::format(
                "Cannot write {}: about {} MiB are needed and {} MiB are free. Free some space and "
                "try again.",
                path.string(), expectedBytes >> 20U, room >> 20U));
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < expectedBytes) {
        throw Error(
            ErrorCode::FileUnwritable,
            fmt::format("Cannot write {}: about {} MiB are needed and files may have {} MiB "
                        "at most (ulimit -f).",
                        path.string(), expectedBytes >> 20U, limit.rlim_cur >> 20U));
    }
    const TemporaryFile temporary(path.string() + fmt::format(".{}.tmp", ::getpid()));
    {
        File file = createFile(temporary.path(), accessProperties());
        fillFile(file, fill);
        if (H5Fclose(file.release()) < 0) {
            throw Error(ErrorCode::FileUnwritable,
                        fmt::format("Cannot finish {}: {}.", path.string(), takeErrorText()));
        }
    }
    commitFile(temporary.path(), path);
}

/// A file that is cut short says how long it was: "... eof = 100, ..., stored_eof = 2000".
std::string whatIsWrong(const std::filesystem::path& path, const std::string& reason) {
    constexpr std::string_view kStored = "stored_eof = ";
    const std::size_t at = reason.find(kStored);
    std::uint64_t stored = 0;
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (at != std::string::npos && !error) {
        std::from_chars(reason.data() + at + kStored.size(), reason.data() + reason.size(), stored);
    }
    return stored > size ? fmt::format("is cut short: {} of its {} bytes are there", size, stored)
                         : fmt::format("is not an HDF5 file, or it is damaged ({})", reason);
}

}  // namespace

void writeFile(const std::filesystem::path& path, std::uint64_t expectedBytes,
               const std::function<void(hid_t file)>& fill) {
    const Guard guard;
    if (expectedBytes > kInMemoryLimit) {
        writeLargeFile(path, expectedBytes, fill);
        return;
    }
    const auto image = buildImage(path, fill);
    writeFileAtomically(path, std::string_view(image.data(), image.size()));
}

File openFile(const std::filesystem::path& path) {
    std::error_code error;
    const bool isThere = std::filesystem::exists(path, error);
    if (error) {  // a folder on the way may not be entered
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("{} cannot be read: {}.", path.string(), error.message()));
    }
    if (!isThere) {
        throw Error(ErrorCode::FileNotFound, fmt::format("There is no session {}.", path.string()));
    }
    if (::access(path.c_str(), R_OK) != 0) {
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("{} cannot be read: permission denied.", path.string()));
    }
    if (std::filesystem::is_directory(path, error)) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{} is a folder, not a session: give its RUN.h5.", path.string()));
    }
    const Properties access = accessProperties();
    File file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
    if (!file.valid()) {
        const std::string reason = takeErrorText();
        if (reason.find("unable to lock file") != std::string::npos) {
            throw Error(ErrorCode::FileUnreadable,
                        fmt::format("{} is locked by another program ({}). Close it there, or set "
                                    "HDF5_USE_FILE_LOCKING=FALSE to read it all the same.",
                                    path.string(), reason));
        }
        throw Error(ErrorCode::BadSession,
                    fmt::format("{} {}. If it was a session, copy it again, or remove it and run "
                                "the analysis anew.",
                                path.string(), whatIsWrong(path, reason)));
    }
    if (!hasAttribute(file.get(), schema::kAttrFormat) ||
        readString(file.get(), schema::kAttrFormat) != schema::kFormat) {
        const std::string creator = readString(file.get(), "creator", "another program");
        throw Error(ErrorCode::BadSession,
                    fmt::format("{} is an HDF5 file of {}, not a Moescope session.", path.string(),
                                creator));
    }
    const auto version = readIntegers(file.get(), schema::kAttrVersion);
    if (version.size() != 2 || version[0] < 1) {
        failReading(file.get(), "the format version");
    }
    if (version[0] > schema::kMajor) {
        throw Error(ErrorCode::SessionTooNew,
                    fmt::format("{} is of session format {}.{}; this program reads up to {}.x. "
                                "Open it with a newer "
                                "Moescope.",
                                path.string(), version[0], version[1], schema::kMajor));
    }
    return file;
}

std::string formatVersion(hid_t file) {
    const auto version = readIntegers(file, schema::kAttrVersion);
    return fmt::format("{}.{}", version.at(0), version.at(1));
}

}  // namespace moescope::session::h5
