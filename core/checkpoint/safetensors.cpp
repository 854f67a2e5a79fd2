// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/safetensors.h"

#include "core/base/error.h"
#include "core/checkpoint/safetensors_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace moescope::checkpoint {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
/// The reference implementation's limit.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

std::string_view asText(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The header's length field, checked against what the file holds.
std::uint64_t headerLength(std::span<const std::byte> file, std::string_view where) {
    if (asText(file).starts_with("version https://git-lfs")) {
        throw Error(
            ErrorCode::BadCheckpoint,
            fmt::format("{} is a Git LFS pointer, not the weights themselves; run \"git lfs "
                        "pull\" in its folder.",
                        where));
    }
    if (file.size() < kLengthBytes) {
        throwDamaged(where, fmt::format("the file has {} bytes, too few for a safetensors header",
                                        file.size()));
    }
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
        length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
    }
    if (length > kMaxHeaderBytes) {
        throwDamaged(where,
                     fmt::format("the header claims {} bytes, more than the {} the format allows",
                                 length, kMaxHeaderBytes));
    }
    if (length > file.size() - kLengthBytes) {
        throwDamaged(where, fmt::format("the header claims {} bytes, but only {} follow", length,
                                        file.size() - kLengthBytes));
    }
    return length;
}

void checkSize(const StoredTensor& entry, std::string_view where) {
    if (entry.begin > entry.end) {
        throwDamaged(where, fmt::format("tensor \"{}\" begins at {} and ends before that, at {}",
                                        entry.name, entry.begin, entry.end));
    }
    const std::uint64_t expected = neededBytes(entry, where);
    if (entry.end - entry.begin != expected) {
        throwDamaged(where,
                     fmt::format("tensor \"{}\" of type {} and shape [{}] needs {} bytes, but its "
                                 "offsets span {}",
                                 entry.name, name(entry.dtype), fmt::join(entry.shape, ", "),
                                 expected, entry.end - entry.begin));
    }
}

/// Sorts by position and wants each tensor to begin where the one before ends.
void checkCoverage(std::vector<StoredTensor>& entries, std::string_view where) {
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t next = 0;
    const StoredTensor* previous = nullptr;
    for (const auto& entry : entries) {
        if (entry.begin < next) {
            throwDamaged(where, fmt::format("tensors \"{}\" and \"{}\" overlap", previous->name,
                                            entry.name));
        }
        if (entry.begin > next) {
            throwDamaged(where, fmt::format("{} bytes before tensor \"{}\" belong to no tensor",
                                            entry.begin - next, entry.name));
        }
        next = entry.end;
        previous = &entry;
    }
}

void checkFileSize(const std::vector<StoredTensor>& entries, std::uint64_t dataBytes,
                   std::string_view where) {
    const std::uint64_t needed = entries.empty() ? 0 : entries.back().end;
    if (needed > dataBytes) {
        const auto cut = std::find_if(entries.begin(), entries.end(),
                                      [&](const auto& entry) { return entry.end > dataBytes; });
        throwDamaged(
            where, fmt::format("it is cut short: its tensors need {} bytes of data, {} are there; "
                               "the first incomplete tensor is \"{}\"",
                               needed, dataBytes, cut->name));
    }
    if (needed < dataBytes) {
        throwDamaged(where, fmt::format("{} bytes after the last tensor belong to no tensor",
                                        dataBytes - needed));
    }
}

}  // namespace

SafetensorsHeader readSafetensorsHeader(std::span<const std::byte> file, std::string_view where,
                                        Contents contents) {
    const std::uint64_t length = headerLength(file, where);
    SafetensorsHeader header{.bytes = kLengthBytes + length};
    header.entries = parseSafetensorsJson(asText(file.subspan(kLengthBytes, length)), where);
    for (const auto& entry : header.entries) {
        checkSize(entry, where);
    }
    checkCoverage(header.entries, where);
    if (contents == Contents::Complete) {
        checkFileSize(header.entries, file.size() - header.bytes, where);
    }
    for (auto& entry : header.entries) {
        if (entry.end > std::numeric_limits<std::uint64_t>::max() - header.bytes) {
            throwDamaged(where, fmt::format("tensor \"{}\" ends beyond any file", entry.name));
        }
        entry.begin += header.bytes;
        entry.end += header.bytes;
    }
    return header;
}

}  // namespace moescope::checkpoint
