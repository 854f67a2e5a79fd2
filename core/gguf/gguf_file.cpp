// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/gguf/gguf_file.h"

#include "core/base/byte_reader.h"
#include "core/base/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_set>

namespace moescope::gguf {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint32_t kMaxDimensions = 4;
constexpr std::uint64_t kLongestName = 256;
constexpr std::uint64_t kLeastInfoBytes = 8 + 4 + 8 + 4 + 8;

[[noreturn]] void bad(std::string_view where, const std::string& problem) {
    throw Error(ErrorCode::BadCheckpoint,
                fmt::format("{}: {}. The file is damaged or incomplete; download it again.", where,
                            problem));
}

void checkVersion(std::uint32_t version, std::string_view where) {
    if (version == 2 || version == 3) {
        return;
    }
    if (std::uint32_t{std::numeric_limits<std::uint16_t>::max()} < version &&
        (version & 0xFFFFU) == 0) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{} is a GGUF file for big-endian machines. Convert it with "
                                "llama.cpp's gguf_convert_endian.py.",
                                where));
    }
    throw Error(ErrorCode::Unsupported,
                fmt::format("{} is of GGUF version {}; Moescope reads 2 and 3. {}", where, version,
                            version < 2 ? "Convert the model again with a current llama.cpp."
                                        : "A newer Moescope may read it."));
}

std::uint64_t alignmentOf(const Metadata& metadata) {
    const auto alignment = metadata.integer("general.alignment").value_or(kDefaultAlignment);
    constexpr std::int64_t kMost = 1 << 20;
    if (alignment < 1 || alignment > kMost ||
        !std::has_single_bit(static_cast<std::uint64_t>(alignment))) {
        bad(metadata.where(), fmt::format("\"general.alignment\" is {}, not a power of two",
                                          metadata.shown("general.alignment")));
    }
    return static_cast<std::uint64_t>(alignment);
}

/// Bytes that type and shape ask for; `shape` still lists the fastest dimension first.
std::uint64_t bytesOf(const TensorInfo& tensor, std::string_view where) {
    const TensorType& type = *tensor.type;
    if (tensor.shape.empty() || tensor.shape.front() % type.blockElements != 0) {
        bad(where,
            fmt::format("tensor \"{}\" of type {} has rows of {} elements, which are no "
                        "whole blocks of {}",
                        tensor.name, type.name, tensor.shape.empty() ? 0 : tensor.shape.front(),
                        type.blockElements));
    }
    std::uint64_t bytes = type.blockBytes;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        const std::uint64_t count = i == 0 ? tensor.shape[0] / type.blockElements : tensor.shape[i];
        if (count != 0 && bytes > std::numeric_limits<std::int64_t>::max() / count) {
            bad(where, fmt::format("tensor \"{}\" claims the shape [{}], larger than any file",
                                   tensor.name, fmt::join(tensor.shape, ", ")));
        }
        bytes *= count;
    }
    return bytes;
}

/// One tensor info; `begin` and `end` are still relative to the data.
TensorInfo readInfo(ByteReader& reader, std::uint64_t alignment, std::string_view where) {
    TensorInfo tensor;
    const auto length = reader.number<std::uint64_t>();
    if (length > kLongestName) {
        bad(where, fmt::format("a tensor name claims {} bytes", length));
    }
    tensor.name = reader.text(length);
    const auto dimensions = reader.number<std::uint32_t>();
    if (dimensions > kMaxDimensions) {
        bad(where, fmt::format("tensor \"{}\" claims {} dimensions", tensor.name, dimensions));
    }
    for (std::uint32_t i = 0; i < dimensions; ++i) {
        tensor.shape.push_back(reader.number<std::uint64_t>());
    }
    const auto type = reader.number<std::uint32_t>();
    tensor.type = tensorType(type);
    if (tensor.type == nullptr) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: tensor \"{}\" is of the unknown type number {}. Get the model "
                                "in another quantisation, such as Q8_0 or Q4_K_M.",
                                where, tensor.name, type));
    }
    tensor.begin = reader.number<std::uint64_t>();
    if (tensor.begin % alignment != 0) {
        bad(where, fmt::format("tensor \"{}\" begins at {}, which is not aligned to {}",
                               tensor.name, tensor.begin, alignment));
    }
    const std::uint64_t bytes = bytesOf(tensor, where);
    if (tensor.begin > std::numeric_limits<std::int64_t>::max() - bytes) {
        bad(where, fmt::format("tensor \"{}\" ends beyond any file", tensor.name));
    }
    tensor.end = tensor.begin + bytes;
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    return tensor;
}

void checkOverlap(const std::vector<TensorInfo>& tensors, std::string_view where) {
    std::vector<const TensorInfo*> sorted;
    sorted.reserve(tensors.size());
    for (const auto& tensor : tensors) {
        sorted.push_back(&tensor);
    }
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        if (sorted[i]->begin < sorted[i - 1]->end) {
            bad(where, fmt::format("tensors \"{}\" and \"{}\" overlap", sorted[i - 1]->name,
                                   sorted[i]->name));
        }
    }
}

}  // namespace

bool isGguf(std::span<const std::byte> file) noexcept {
    return file.size() >= kMagic.size() &&
           std::equal(kMagic.begin(), kMagic.end(), file.begin(), [](char a, std::byte b) {
               return static_cast<unsigned char>(a) == std::to_integer<unsigned char>(b);
           });
}

File readFile(std::span<const std::byte> file, std::string_view where, Data data) {
    ByteReader reader(file, where);
    if (!isGguf(file)) {
        bad(where, "it does not begin as a GGUF file does");
    }
    reader.skip(kMagic.size());
    checkVersion(reader.number<std::uint32_t>(), where);
    const auto tensorCount = reader.number<std::uint64_t>();
    const auto pairCount = reader.number<std::uint64_t>();
    File result{.metadata = Metadata(reader, pairCount), .tensors = {}};
    const std::uint64_t alignment = alignmentOf(result.metadata);
    if (tensorCount > reader.left() / kLeastInfoBytes) {
        bad(where,
            fmt::format("the header claims {} tensors, more than the file can hold", tensorCount));
    }
    result.tensors.reserve(tensorCount);
    std::unordered_set<std::string_view> names;
    for (std::uint64_t i = 0; i < tensorCount; ++i) {
        result.tensors.push_back(readInfo(reader, alignment, where));
        if (!names.insert(result.tensors.back().name).second) {
            bad(where, fmt::format("tensor \"{}\" comes twice", result.tensors.back().name));
        }
    }
    checkOverlap(result.tensors, where);
    const std::uint64_t padding = (alignment - reader.position() % alignment) % alignment;
    result.headerBytes = reader.position();
    const std::uint64_t start = reader.position() + padding;
    for (TensorInfo& tensor : result.tensors) {
        tensor.begin += start;
        tensor.end += start;
        if (data == Data::Complete && tensor.end > file.size()) {
            bad(where,
                fmt::format("it is cut short: tensor \"{}\" ends at byte {}, the file has {}",
                            tensor.name, tensor.end, file.size()));
        }
    }
    return result;
}

}  // namespace moescope::gguf
