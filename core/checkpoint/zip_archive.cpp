// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/zip_archive.h"

#include "core/base/byte_reader.h"
#include "core/base/error.h"
#include "core/checkpoint/stored_tensor.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::checkpoint {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50;
constexpr std::uint32_t kEnd64LocatorSignature = 0x07064B50;
constexpr std::uint32_t kCentralSignature = 0x02014B50;
constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kEnd64LocatorBytes = 20;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kCentralBytes = 46;
constexpr std::uint64_t kMaxComment = 0xFFFF;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  ///< "the number is in the 64-bit extension"
constexpr std::uint16_t kExtra64 = 0x0001;

struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t entries = 0;
};

[[noreturn]] void unsupported(std::string_view where, std::string_view problem) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: {}, which PyTorch does not write. Load the file with torch.load "
                            "and save it again with torch.save.",
                            where, problem));
}

/// The end record, searched backwards because a comment of any content may follow it.
std::uint64_t findEnd(std::span<const std::byte> file, std::string_view where) {
    if (file.size() >= kEndBytes) {
        const std::uint64_t last = file.size() - kEndBytes;
        const std::uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
        for (std::uint64_t at = last + 1; at-- > first;) {
            ByteReader reader(file.subspan(at), where);
            if (reader.number<std::uint32_t>() == kEndSignature) {
                return at;
            }
        }
    }
    throwDamaged(where, "the end of the ZIP archive is missing");
}

/// The 64-bit end record, which a locator before the ordinary one points to.
Directory readEnd64(std::span<const std::byte> file, std::uint64_t end, std::string_view where) {
    if (end < kEnd64LocatorBytes) {
        throwDamaged(where, "the 64-bit end of the ZIP archive is missing");
    }
    ByteReader locator(file.subspan(end - kEnd64LocatorBytes), where);
    if (locator.number<std::uint32_t>() != kEnd64LocatorSignature) {
        throwDamaged(where, "the 64-bit end of the ZIP archive is missing");
    }
    locator.skip(4);
    const auto at = locator.number<std::uint64_t>();
    if (at >= file.size()) {
        throwDamaged(where, "the 64-bit end of the ZIP archive lies beyond the file");
    }
    ByteReader reader(file.subspan(at), where);
    if (reader.number<std::uint32_t>() != kEnd64Signature) {
        throwDamaged(where, "the 64-bit end of the ZIP archive is not where it should be");
    }
    reader.skip(8 + 2 + 2 + 4 + 4 + 8);
    Directory directory;
    directory.entries = reader.number<std::uint64_t>();
    directory.size = reader.number<std::uint64_t>();
    directory.offset = reader.number<std::uint64_t>();
    return directory;
}

Directory readDirectoryPlace(std::span<const std::byte> file, std::string_view where) {
    const std::uint64_t end = findEnd(file, where);
    ByteReader reader(file.subspan(end), where);
    reader.skip(4);
    const auto disk = reader.number<std::uint16_t>();
    reader.skip(2 + 2);
    Directory directory;
    directory.entries = reader.number<std::uint16_t>();
    directory.size = reader.number<std::uint32_t>();
    directory.offset = reader.number<std::uint32_t>();
    if (disk != 0 && disk != 0xFFFF) {
        unsupported(where, "it is one part of a ZIP archive of several");
    }
    if (directory.entries == 0xFFFF || directory.size == kIn64 || directory.offset == kIn64) {
        directory = readEnd64(file, end, where);
    }
    if (directory.offset > end || directory.size > end - directory.offset ||
        directory.entries > directory.size / kCentralBytes) {
        throwDamaged(where, "the ZIP archive's table of contents does not lie in the file");
    }
    return directory;
}

/// One record of the central directory; `offset` still that of the local header.
class CentralRecord {
public:
    CentralRecord(ByteReader& reader, std::string_view where) : m_where(where) {
        if (reader.number<std::uint32_t>() != kCentralSignature) {
            throwDamaged(where, "the ZIP archive's table of contents is malformed");
        }
        reader.skip(2 + 2);
        const auto flags = reader.number<std::uint16_t>();
        const auto method = reader.number<std::uint16_t>();
        reader.skip(4 + 4);
        m_compressed = reader.number<std::uint32_t>();
        entry.size = reader.number<std::uint32_t>();
        const auto nameBytes = reader.number<std::uint16_t>();
        const auto extraBytes = reader.number<std::uint16_t>();
        const auto commentBytes = reader.number<std::uint16_t>();
        reader.skip(2 + 2 + 4);
        entry.offset = reader.number<std::uint32_t>();
        entry.name = std::string(reader.text(nameBytes));
        readExtra(reader.bytes(extraBytes));
        reader.skip(commentBytes);
        constexpr unsigned kEncrypted = 1U;
        if ((flags & kEncrypted) != 0) {
            unsupported(where, fmt::format("\"{}\" in the archive is encrypted", entry.name));
        }
        if (method != 0) {
            unsupported(where, fmt::format("\"{}\" in the archive is compressed", entry.name));
        }
        if (m_compressed != entry.size) {
            throwDamaged(where,
                         fmt::format("\"{}\" in the archive is stored with two sizes", entry.name));
        }
    }

    ZipArchive::Entry entry;

private:
    /// The 64-bit field holds only the numbers whose 32-bit place says so, in this order.
    void readExtra(std::span<const std::byte> extra) {
        ByteReader reader(extra, m_where);
        while (reader.left() >= 4) {
            const auto id = reader.number<std::uint16_t>();
            const auto size = reader.number<std::uint16_t>();
            ByteReader field(reader.bytes(size), m_where);
            if (id != kExtra64) {
                continue;
            }
            for (std::uint64_t* number : {&entry.size, &m_compressed, &entry.offset}) {
                if (*number == kIn64) {
                    *number = field.number<std::uint64_t>();
                }
            }
        }
    }

    std::string_view m_where;
    std::uint64_t m_compressed = 0;
};

/// Where the data behind the local header at `entry.offset` begin.
std::uint64_t dataOffset(std::span<const std::byte> file, const ZipArchive::Entry& entry,
                         std::uint64_t directory, std::string_view where) {
    if (entry.offset > directory || directory - entry.offset < kLocalBytes) {
        throwDamaged(where, fmt::format("\"{}\" does not lie in the archive", entry.name));
    }
    ByteReader reader(file.subspan(entry.offset, directory - entry.offset), where);
    if (reader.number<std::uint32_t>() != kLocalSignature) {
        throwDamaged(where, fmt::format("\"{}\" is not where the archive's table of contents "
                                        "puts it",
                                        entry.name));
    }
    reader.skip(2 + 2 + 2 + 2 + 2 + 4 + 4 + 4);
    const auto nameBytes = reader.number<std::uint16_t>();
    const auto extraBytes = reader.number<std::uint16_t>();
    if (reader.text(nameBytes) != entry.name) {
        throwDamaged(where, fmt::format("\"{}\" has another name in the archive's table of "
                                        "contents",
                                        entry.name));
    }
    reader.skip(extraBytes);
    if (reader.left() < entry.size) {
        throwDamaged(where, fmt::format("\"{}\" is cut short: {} bytes of {} are there", entry.name,
                                        reader.left(), entry.size));
    }
    return directory - reader.left();
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> file, std::string_view where) {
    const Directory directory = readDirectoryPlace(file, where);
    m_directory = directory.offset;
    ByteReader reader(file.subspan(directory.offset, directory.size), where);
    m_entries.reserve(directory.entries);
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        Entry entry = CentralRecord(reader, where).entry;
        entry.offset = dataOffset(file, entry, directory.offset, where);
        if (!m_byName.emplace(entry.name, m_entries.size()).second) {
            throwDamaged(where, fmt::format("\"{}\" is twice in the archive", entry.name));
        }
        m_entries.push_back(std::move(entry));
    }
}

const ZipArchive::Entry* ZipArchive::find(const std::string& name) const {
    const auto found = m_byName.find(name);
    return found != m_byName.end() ? &m_entries[found->second] : nullptr;
}

}  // namespace moescope::checkpoint
