// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/unit_journal.h"

#include "core/base/error.h"
#include "core/base/file_system.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>

namespace moescope::engine {
namespace {

constexpr std::string_view kMagic = "MOEUNIT1";
constexpr std::size_t kFingerprint = 64;

/// FNV-1a, 64 bits.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char byte : bytes) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
    }
    return hash;
}

template <typename T>
void put(std::string& bytes, const T* values, std::size_t count) {
    bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

/// Takes values off the front; false when there are not enough.
template <typename T>
bool take(std::string_view& bytes, T* values, std::size_t count) {
    if (bytes.size() / sizeof(T) < count) {
        return false;
    }
    std::memcpy(values, bytes.data(), count * sizeof(T));
    bytes.remove_prefix(count * sizeof(T));
    return true;
}

/// A record as it lies in a file's bytes.
struct Record {
    std::string key;
    std::size_t valuesAt = 0;  ///< from the record's beginning
    std::uint32_t count = 0;
    std::size_t size = 0;
};

std::string encoded(const std::string& key, std::span<const double> values) {
    const std::uint32_t sizes[] = {static_cast<std::uint32_t>(key.size()),
                                   static_cast<std::uint32_t>(values.size())};
    std::string bytes;
    put(bytes, sizes, 2);
    put(bytes, key.data(), key.size());
    put(bytes, values.data(), values.size());
    const std::uint64_t sum = checksum(bytes);
    put(bytes, &sum, 1);
    return bytes;
}

/// The record at the front; nullopt when it is not whole.
std::optional<Record> recordAt(std::string_view bytes) {
    std::string_view rest = bytes;
    std::uint32_t sizes[2] = {};
    if (!take(rest, sizes, 2) || rest.size() < sizes[0]) {
        return std::nullopt;
    }
    Record record;
    record.key = rest.substr(0, sizes[0]);
    record.count = sizes[1];
    rest.remove_prefix(sizes[0]);
    record.valuesAt = bytes.size() - rest.size();
    if (rest.size() / sizeof(double) < record.count) {
        return std::nullopt;
    }
    rest.remove_prefix(record.count * sizeof(double));
    const std::uint64_t expected = checksum(bytes.substr(0, bytes.size() - rest.size()));
    std::uint64_t sum = 0;
    if (!take(rest, &sum, 1) || sum != expected) {
        return std::nullopt;
    }
    record.size = bytes.size() - rest.size();
    return record;
}

[[noreturn]] void throwUnwritable(const std::filesystem::path& file, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    throw Error(full ? ErrorCode::DiskFull : ErrorCode::FileUnwritable,
                fmt::format("{}: finished units of work cannot be kept here ({}); free some space "
                            "or put the session elsewhere.",
                            file.string(), std::strerror(error)));
}

}  // namespace

UnitJournal::UnitJournal(std::filesystem::path file, std::string_view fingerprint)
    : m_file(std::move(file)), m_header(kMagic) {
    m_header += fingerprint.substr(0, kFingerprint);
    m_header.resize(kMagic.size() + kFingerprint, '\0');
    look();
}

UnitJournal::~UnitJournal() {
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

void UnitJournal::look() {
    std::error_code error;
    if (!std::filesystem::is_regular_file(m_file, error)) {
        return;
    }
    const MappedFile mapped(m_file);
    const auto bytes = mapped.bytes();
    const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!content.starts_with(m_header)) {
        return;
    }
    m_end = m_header.size();
    while (const auto record = recordAt(content.substr(m_end))) {
        m_units[record->key] = {m_end + record->valuesAt, record->count};
        m_end += record->size;
    }
}

std::vector<double> UnitJournal::read(const std::string& key) const {
    const auto found = m_units.find(key);
    if (found == m_units.end()) {
        throw Error(ErrorCode::Internal, fmt::format("unit {} is not finished", key));
    }
    std::vector<double> values(found->second.count);
    std::ifstream in(m_file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(found->second.offset));
    in.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(double)));
    if (!in) {
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("{} was changed while the run used it.", m_file.string()));
    }
    return values;
}

void UnitJournal::open() {
    m_descriptor = ::open(m_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (m_descriptor < 0 || ::ftruncate(m_descriptor, static_cast<off_t>(m_end)) != 0) {
        throwUnwritable(m_file, errno);
    }
    if (m_end == 0) {
        write(m_header);
        m_end = m_header.size();
    }
}

void UnitJournal::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(m_descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            throwUnwritable(m_file, errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written > 0 ? written : 0));
    }
}

void UnitJournal::append(const std::string& key, std::span<const double> values) {
    if (m_descriptor < 0) {
        open();
    }
    const std::string record = encoded(key, values);
    write(record);
    m_units[key] = {m_end + 2 * sizeof(std::uint32_t) + key.size(),
                    static_cast<std::uint32_t>(values.size())};
    m_end += record.size();
}

}  // namespace moescope::engine
